//! A Service that names no colour is narrowed to the pods it leads to, before pods of another colour come up that it would lead to
//! as well: by the label that every pod of a Deployment has already, so that no pod restarts. Pure.

use serde_json::Value;

use crate::color::HASH;
use crate::live::{Live, runs};
use crate::object::{self, Labels, annotation, labels, number, selects, uid};

/// The annotation of a Deployment and of its ReplicaSets that numbers the revisions
/// (<https://kubernetes.io/docs/reference/labels-annotations-taints/#deployment-kubernetes-io-revision>).
const REVISION: &str = "deployment.kubernetes.io/revision";

/// Why a Service can't be narrowed now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdoptionError {
    /// The pods that the label names now will be replaced.
    #[error(
        "a rollout of deployment `{deployment}` is under way, {why}: the service can only be narrowed to pods that stay"
    )]
    Rolling {
        /// The Deployment.
        deployment: String,
        /// How that is known.
        why: String,
    },
    /// The narrowed selector leads somewhere else.
    #[error(
        "service `{service}` would lead to other pods with `{selector}` than it does: {before} before, {after} after"
    )]
    OtherPods {
        /// The Service.
        service: String,
        /// The narrowed selector.
        selector: String,
        /// How many pods it leads to.
        before: usize,
        /// To how many of them it would.
        after: usize,
    },
}

/// Whether a Service is narrowed already: by its colour, or by the revision it leads to.
#[must_use]
pub fn is_done(live: &Live) -> bool {
    live.color.is_some() || live.selector.contains_key(HASH)
}

/// The selector that leads to the same pods and to none that another Deployment makes.
///
/// # Errors
/// When these pods are about to be replaced, or it would lead to others.
pub fn selector(live: &Live, pods: &[Value], replica_sets: &[Value]) -> Result<Labels, AdoptionError> {
    if is_done(live) {
        return Ok(live.selector.clone());
    }
    let rolling = |why: String| AdoptionError::Rolling {
        deployment: object::shown(live.side.name()),
        why,
    };
    if let Some(why) = rollout(live, replica_sets) {
        return Err(rolling(why));
    }
    let Some(hash) = live.hash() else {
        return Err(rolling("its pods have no label of their revision".to_owned()));
    };
    let mut narrowed = live.selector.clone();
    narrowed.insert(HASH.to_owned(), hash.to_owned());
    let (before, after) = (selected(&live.selector, pods), selected(&narrowed, pods));
    if before != after || before.is_empty() {
        return Err(AdoptionError::OtherPods {
            service: object::shown(&live.service),
            selector: object::shown(&object::written(&narrowed)),
            before: before.len(),
            after: after.len(),
        });
    }
    Ok(narrowed)
}

/// The pods that a selector selects, by their unique ids.
fn selected<'a>(selector: &Labels, pods: &'a [Value]) -> Vec<&'a str> {
    let all = pods.iter();
    all.filter(|pod| runs(pod) && selects(selector, &labels(pod)))
        .map(uid)
        .collect()
}

/// How a rollout is seen, also one of which no pod is there yet.
fn rollout(live: &Live, replica_sets: &[Value]) -> Option<String> {
    let deployment = &live.side.deployment;
    if let [_, _, ..] = live.side.revisions[..] {
        let count = live.side.revisions.len();
        return Some(format!("its pods are of {count} revisions"));
    }
    let seen = number(deployment, "/status/observedGeneration");
    if seen < number(deployment, "/metadata/generation") {
        return Some("and the cluster has not taken up its last change".to_owned());
    }
    let all = number(deployment, "/status/replicas").unwrap_or(0);
    let updated = number(deployment, "/status/updatedReplicas").unwrap_or(0);
    if updated < all {
        return Some(format!("{updated} of {all} pods are updated"));
    }
    let newest = annotation(deployment, REVISION)?;
    let serving = live.side.revisions.first()?;
    let set = replica_sets.iter().find(|set| uid(set) == serving.uid)?;
    let own = annotation(set, REVISION)?;
    (own != newest).then(|| {
        let (own, newest) = (object::shown(own), object::shown(newest));
        format!("its pods are of revision {own} and its newest is {newest}")
    })
}

#[cfg(test)]
mod tests;
