//! Whether a Service leads to the pods of one side and to no others: what the API says moved has moved only when its EndpointSlices
//! say so (<https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/>).

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::api::{Kind, Refused, Which};
use crate::lead::Lead;
use crate::object::{self, Labels};
use crate::place::Place;

/// From one look to the next.
const LOOK: Duration = Duration::from_millis(500);

/// The label that says of which Service a slice is.
const OF: &str = "kubernetes.io/service-name";

/// Why it is not so.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unconfirmed {
    /// It leads to nothing.
    #[error("Service `{0}` leads to no ready pod")]
    Nowhere(String),
    /// It leads to too few.
    #[error("Service `{service}` leads to {ready} ready pods of {wanted}")]
    TooFew {
        /// The Service.
        service: String,
        /// To how many.
        ready: usize,
        /// How many it should be.
        wanted: u64,
    },
    /// It leads to others as well.
    #[error("Service `{service}` still leads to {others} pods of another version")]
    Others {
        /// The Service.
        service: String,
        /// How many.
        others: usize,
    },
    /// It can't be seen.
    #[error("where Service `{service}` leads can't be seen: {refused}")]
    Unseen {
        /// The Service.
        service: String,
        /// Why.
        refused: Refused,
    },
}

/// Waits until a Service leads to at least so many ready pods that this selector selects, and to no other pod.
///
/// # Errors
/// How it is instead when the time is over.
pub async fn confirm(
    lead: &Lead,
    selector: &Labels,
    least: u64,
    limit: Duration,
    place: &Place<'_>,
) -> Result<(), Unconfirmed> {
    let began = Instant::now();
    loop {
        let seen = look(&lead.name, selector, least, place).await;
        let Err(why) = seen else { return Ok(()) };
        if began.elapsed() >= limit {
            return Err(why);
        }
        sleep(LOOK).await;
    }
}

async fn look(service: &str, selector: &Labels, least: u64, place: &Place<'_>) -> Result<(), Unconfirmed> {
    let unseen = |refused| Unconfirmed::Unseen {
        service: service.to_owned(),
        refused,
    };
    let of = format!("{OF}={service}");
    let which = Which {
        labels: Some(&of),
        fields: None,
    };
    let slices = place
        .api
        .list(&Kind::endpoint_slice(), &place.namespace, &which)
        .await
        .map_err(unseen)?;
    let written = object::written(selector);
    let which = Which {
        labels: Some(&written),
        fields: None,
    };
    let pods = place.api.list(&Kind::pod(), &place.namespace, &which).await;
    let pods = pods.map_err(unseen)?;
    let wanted: BTreeSet<&str> = pods.iter().map(object::uid).collect();
    judge(service, &slices, &wanted, least)
}

/// What slices say, of pods that a Service is to lead to.
fn judge(service: &str, slices: &[Value], pods: &BTreeSet<&str>, least: u64) -> Result<(), Unconfirmed> {
    let ready: BTreeSet<&str> = slices
        .iter()
        .flat_map(|slice| object::entries(slice, "/endpoints"))
        .filter(|endpoint| endpoint.pointer("/conditions/ready") != Some(&Value::Bool(false)))
        .map(|endpoint| object::text(endpoint, "/targetRef/uid"))
        .collect();
    let others = ready.iter().filter(|uid| !pods.contains(*uid)).count();
    if others > 0 {
        return Err(Unconfirmed::Others {
            service: service.to_owned(),
            others,
        });
    }
    if ready.is_empty() {
        return Err(Unconfirmed::Nowhere(service.to_owned()));
    }
    if (ready.len() as u64) < least {
        return Err(Unconfirmed::TooFew {
            service: service.to_owned(),
            ready: ready.len(),
            wanted: least,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn slice(pods: &[(&str, bool)]) -> Value {
        let endpoint = |(uid, ready): &(&str, bool)| json!({"conditions": {"ready": ready}, "targetRef": {"kind": "Pod", "uid": uid}});
        json!({"endpoints": pods.iter().map(endpoint).collect::<Vec<_>>()})
    }

    #[test]
    fn a_service_has_moved_when_its_slices_lead_to_these_pods_alone() {
        let green = BTreeSet::from(["g1", "g2"]);
        let seen = |pods: &[(&str, bool)]| judge("web", &[slice(pods)], &green, 2);
        assert!(seen(&[("g1", true), ("g2", true)]).is_ok());
        assert!(matches!(
            seen(&[("g1", true), ("g2", true), ("b1", true)]),
            Err(Unconfirmed::Others { others: 1, .. })
        ));
        assert!(matches!(
            seen(&[("g1", true), ("g2", false)]),
            Err(Unconfirmed::TooFew { ready: 1, .. })
        ));
        assert!(seen(&[("g1", true), ("g2", true), ("b1", false)]).is_ok());
        assert!(matches!(seen(&[]), Err(Unconfirmed::Nowhere(_))));
    }
}
