//! The autoscaler that goes with the traffic: one HorizontalPodAutoscaler, which is pointed at the side that serves.
//!
//! A second one would scale a version without traffic down to its least before the switch, and the old version during the soak, so
//! that the way back would lead to too few pods. The side that none points at stays at its size.

use std::time::Duration;

use gha::text;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::api::{Kind, Refused, Which};
use crate::error::Error;
use crate::object;
use crate::place::Place;
use crate::state::Scaler;

/// From one try to the next.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a change of it is tried.
const PATIENCE: Duration = Duration::from_secs(10);

/// The autoscaler of a Deployment, with its object.
///
/// # Errors
/// When they can't be read.
pub async fn find(deployment: &str, place: &Place<'_>) -> Result<Option<Value>, Error> {
    let listed = place
        .api
        .list(&Kind::autoscaler(), &place.namespace, &Which::default())
        .await;
    let listed = match listed {
        // A server without the kind has none.
        Err(refused) if refused.is_missing() => return Ok(None),
        listed => listed.map_err(Error::refused("read the autoscalers"))?,
    };
    let Some(found) = listed.into_iter().find(|scaler| scales(scaler, deployment)) else {
        return Ok(None);
    };
    let owner = object::entries(&found, "/metadata/ownerReferences")
        .iter()
        .find(|owner| owner["kind"] == "ScaledObject");
    let Some(owner) = owner else {
        return Ok(Some(found));
    };
    let name = object::text(owner, "/name");
    let owner = place
        .api
        .get(&Kind::scaled_object(), &place.namespace, name)
        .await;
    let owner = owner.map_err(Error::refused(format!(
        "read ScaledObject `{}`, which owns autoscaler `{}`",
        text::line(name),
        text::line(object::name(&found))
    )))?;
    Ok(Some(owner.unwrap_or(found)))
}

/// How a kind of autoscaler calls its numbers of pods.
struct Words {
    kind: Kind,
    min: &'static str,
    max: &'static str,
    /// What its least is where it says none.
    least: u64,
}

fn words(keda: bool) -> Words {
    if keda {
        return Words {
            kind: Kind::scaled_object(),
            min: "/spec/minReplicaCount",
            max: "/spec/maxReplicaCount",
            least: 0,
        };
    }
    Words {
        kind: Kind::autoscaler(),
        min: "/spec/minReplicas",
        max: "/spec/maxReplicas",
        least: 1,
    }
}

fn is_keda(scaler: &Value) -> bool {
    scaler["kind"] == "ScaledObject"
}

/// Whether an autoscaler scales this Deployment.
#[must_use]
pub fn scales(scaler: &Value, deployment: &str) -> bool {
    matches!(
        object::text(scaler, "/spec/scaleTargetRef/kind"),
        "Deployment" | ""
    ) && object::text(scaler, "/spec/scaleTargetRef/name") == deployment
}

/// What the state keeps of it.
#[must_use]
pub fn kept(scaler: &Value) -> Scaler {
    Scaler {
        name: object::name(scaler).to_owned(),
        min: object::number(scaler, words(is_keda(scaler)).min),
        keda: is_keda(scaler),
    }
}

/// The patch that points it at another Deployment, with a least number of pods; only if it still points where it did.
#[must_use]
pub fn pointed(scaler: &Value, from: &str, to: &str, min: Option<u64>) -> Value {
    let mut operations = vec![
        json!({"op": "test", "path": "/metadata/uid", "value": object::uid(scaler)}),
        json!({"op": "test", "path": "/spec/scaleTargetRef/name", "value": from}),
    ];
    if from != to {
        operations.push(json!({"op": "replace", "path": "/spec/scaleTargetRef/name", "value": to}));
    }
    let words = words(is_keda(scaler));
    let most = object::number(scaler, words.max);
    match min {
        Some(min) => {
            let min = most.map_or(min, |most| min.min(most));
            operations.push(json!({"op": "add", "path": words.min, "value": min}));
        }
        None if scaler.pointer(words.min).is_some() => {
            operations.push(json!({"op": "replace", "path": words.min, "value": words.least}));
        }
        None => {}
    }
    Value::Array(operations)
}

/// Points it at one of the two Deployments, with a least number of pods. One that is there already, or that is gone, is no trouble;
/// one that somebody else points elsewhere is left alone, and that is said.
///
/// # Errors
/// When it can't be read or written.
pub async fn point(
    known: &Scaler,
    (from, to): (&str, &str),
    min: Option<u64>,
    place: &Place<'_>,
) -> Result<(), Refused> {
    let began = Instant::now();
    loop {
        let tried = once(known, (from, to), min, place).await;
        match tried {
            Err(refused) if (refused.may_pass() || refused.is_condition()) && began.elapsed() < PATIENCE => {
                sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

/// The patch that would point it at the new version, and of which kind it is; nothing where it is gone.
///
/// # Errors
/// When it can't be read.
pub async fn would_point(
    known: &Scaler,
    (from, to): (&str, &str),
    place: &Place<'_>,
) -> Result<Option<(Kind, Value)>, Refused> {
    let kind = words(known.keda).kind;
    let found = place.api.get(&kind, &place.namespace, &known.name).await?;
    Ok(found.map(|scaler| {
        let patch = pointed(&scaler, from, to, known.min);
        (kind, patch)
    }))
}

/// Whether it points at the new version still, or at the old one with another least number of pods than its own. One that somebody
/// else points elsewhere is nobody's to give back.
///
/// # Errors
/// When it can't be read.
pub async fn is_to_be_given_back(
    known: &Scaler,
    (from, to): (&str, &str),
    place: &Place<'_>,
) -> Result<bool, Refused> {
    let kind = words(known.keda).kind;
    let Some(scaler) = place.api.get(&kind, &place.namespace, &known.name).await? else {
        return Ok(false);
    };
    let now = object::text(&scaler, "/spec/scaleTargetRef/name");
    Ok((now == from || now == to) && !is_at(&scaler, to, known.min))
}

/// Whether it points at a Deployment with this least number of pods.
fn is_at(scaler: &Value, deployment: &str, min: Option<u64>) -> bool {
    let words = words(is_keda(scaler));
    let least = object::number(scaler, words.min).unwrap_or(words.least);
    object::text(scaler, "/spec/scaleTargetRef/name") == deployment && least == min.unwrap_or(words.least)
}

async fn once(
    known: &Scaler,
    (from, to): (&str, &str),
    min: Option<u64>,
    place: &Place<'_>,
) -> Result<(), Refused> {
    let words = words(known.keda);
    let Some(scaler) = place.api.get(&words.kind, &place.namespace, &known.name).await? else {
        return Ok(());
    };
    let now = object::text(&scaler, "/spec/scaleTargetRef/name");
    if now != from && now != to {
        place.runner.warn(&format!(
            "autoscaler `{}` points at `{}`, where neither version is; it is left as it is",
            known.name,
            text::line(now)
        ));
        return Ok(());
    }
    if is_at(&scaler, to, min) {
        return Ok(());
    }
    let patch = pointed(&scaler, now, to, min);
    place
        .api
        .patch(&words.kind, &place.namespace, &known.name, &patch, false)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaler(min: Option<u64>) -> Value {
        let mut scaler = json!({
            "metadata": {"name": "web", "uid": "h"},
            "spec": {
                "scaleTargetRef": {"kind": "Deployment", "name": "web-blue"}, "maxReplicas": 20,
                "metrics": [{"type": "Resource"}],
            },
        });
        if let Some(min) = min {
            scaler["spec"]["minReplicas"] = json!(min);
        }
        scaler
    }

    fn patched(mut scaler: Value, patch: Value) -> Option<Value> {
        let patch: json_patch::Patch = serde_json::from_value(patch).unwrap();
        json_patch::patch(&mut scaler, &patch).ok()?;
        Some(scaler)
    }

    #[test]
    fn it_follows_the_traffic_and_comes_back_as_it_was() {
        for min in [None, Some(3)] {
            let before = scaler(min);
            let there = pointed(&before, "web-blue", "web-green", Some(7));
            let there = patched(before.clone(), there).unwrap();
            assert!(scales(&there, "web-green"));
            assert_eq!(there["spec"]["minReplicas"], 7);
            assert_eq!(there["spec"]["metrics"], before["spec"]["metrics"]);
            let back = patched(there.clone(), pointed(&there, "web-green", "web-blue", min)).unwrap();
            assert_eq!(back["spec"]["minReplicas"], min.unwrap_or(1));
            assert!(scales(&back, "web-blue"));
        }
    }

    #[test]
    fn its_least_is_never_above_its_most() {
        let there = pointed(&scaler(None), "web-blue", "web-green", Some(30));
        assert_eq!(patched(scaler(None), there).unwrap()["spec"]["minReplicas"], 20);
    }

    #[test]
    fn one_of_keda_has_other_words() {
        let before = json!({
            "kind": "ScaledObject", "metadata": {"name": "web", "uid": "s"},
            "spec": {"scaleTargetRef": {"name": "web-blue"}, "minReplicaCount": 2, "maxReplicaCount": 9},
        });
        assert!(scales(&before, "web-blue"));
        let known = kept(&before);
        assert_eq!((known.min, known.keda), (Some(2), true));
        let there = patched(
            before.clone(),
            pointed(&before, "web-blue", "web-green", Some(30)),
        )
        .unwrap();
        assert_eq!(there["spec"]["minReplicaCount"], 9);
        let back = patched(there.clone(), pointed(&there, "web-green", "web-blue", known.min)).unwrap();
        assert_eq!(back, before);
    }

    #[test]
    fn one_that_somebody_else_pointed_elsewhere_is_left() {
        let patch = pointed(&scaler(None), "web-old", "web-green", None);
        assert_eq!(patched(scaler(None), patch), None);
    }
}
