//! The lock of a Service: a Lease that its run renews (<https://kubernetes.io/docs/concepts/architecture/leases/>). Pure.
//!
//! Whether its holder lives is seen by watching it renew, as leader election does: two machines' clocks need not agree. A lock that
//! was not renewed for very long by any clock is not waited for.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use gha::text;

use crate::object;
use crate::run::Run;

/// How long a lock counts that its run does not renew.
pub const LASTS: Duration = Duration::from_secs(60);

/// How often a run renews it.
pub const RENEWED: Duration = Duration::from_secs(15);

/// After how long without renewal no clock can be so wrong that its holder lives.
const DEAD: Duration = Duration::from_secs(15 * 60);

/// Where the holder is to be seen.
const LINK: &str = "deploy-actions/run";

/// What a Lease shows to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Nobody holds it, or who did is dead.
    Free,
    /// This run holds it, or an earlier step or attempt of it did.
    Mine,
    /// Another run holds it.
    Held {
        /// Who, with where to see it.
        by: String,
        /// Whether it looks dead by its own account of the time, so that watching it for a while will tell.
        seems_dead: bool,
    },
}

/// The name of a Service's lock.
#[must_use]
pub fn name(service: &str) -> String {
    format!("k8s-blue-green-{service}")
}

/// What a Lease shows that was seen unchanged for so long.
#[must_use]
pub fn shows(lease: &Value, run: &Run, unchanged: Duration, now: Timestamp) -> Shows {
    let holder = object::text(lease, "/spec/holderIdentity");
    if holder.is_empty() {
        return Shows::Free;
    }
    if holder == run.name {
        return Shows::Mine;
    }
    let renewed: Option<Timestamp> = object::text(lease, "/spec/renewTime").parse().ok();
    let age = renewed.map(|at| Duration::try_from(now.duration_since(at)).unwrap_or_default());
    if unchanged >= LASTS || age.is_some_and(|age| age >= DEAD) {
        return Shows::Free;
    }
    let holder = text::cut(&text::line(holder), 200);
    let link = object::annotation(lease, LINK).map(|link| text::cut(&text::line(link), 300));
    Shows::Held {
        by: link.map_or_else(
            || format!("run `{holder}`"),
            |link| format!("run `{holder}` ({link})"),
        ),
        seems_dead: age.is_none_or(|age| age >= LASTS),
    }
}

/// A Lease that this run holds; over one that is there already, with its resource version as the condition.
#[must_use]
pub fn held(service: &str, namespace: &str, run: &Run, there: Option<&Value>, now: Timestamp) -> Value {
    let time = micro(now);
    let mut lease = there.cloned().unwrap_or_else(|| {
        json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name(service), "namespace": namespace},
            "spec": {},
        })
    });
    let is_mine = object::text(&lease, "/spec/holderIdentity") == run.name;
    if !is_mine {
        let changes = object::number(&lease, "/spec/leaseTransitions");
        lease["spec"]["acquireTime"] = json!(time);
        lease["spec"]["leaseTransitions"] = json!(changes.map_or(0, |changes| changes.saturating_add(1)));
    }
    lease["spec"]["holderIdentity"] = json!(run.name);
    lease["spec"]["leaseDurationSeconds"] = json!(LASTS.as_secs());
    lease["spec"]["renewTime"] = json!(time);
    if let Some(annotations) = lease["metadata"]
        .as_object_mut()
        .map(|all| all.entry("annotations").or_insert_with(|| json!({})))
    {
        match &run.link {
            Some(link) => annotations[LINK] = json!(link),
            None => {
                if let Some(annotations) = annotations.as_object_mut() {
                    annotations.remove(LINK);
                }
            }
        }
    }
    lease
}

/// The same, given back.
#[must_use]
pub fn released(mut lease: Value) -> Value {
    lease["spec"]["holderIdentity"] = json!("");
    lease
}

/// A `MicroTime`: six digits of a second, always.
fn micro(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str) -> Run {
        Run {
            name: name.to_owned(),
            link: Some(format!("https://github.com/{name}")),
            trace: "t".to_owned(),
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + seconds).unwrap()
    }

    #[test]
    fn a_lock_is_free_when_its_holder_was_seen_not_to_renew() {
        let lease = held("web", "shop", &run("acme/shop/1"), None, at(0));
        assert_eq!(lease["metadata"]["name"], "k8s-blue-green-web");
        assert_eq!(lease["spec"]["renewTime"], "2026-01-01T00:00:00.000000Z");
        let other = run("acme/shop/2");
        assert_eq!(
            shows(&lease, &run("acme/shop/1"), Duration::ZERO, at(5)),
            Shows::Mine
        );
        let seen = |unchanged, now| shows(&lease, &other, Duration::from_secs(unchanged), at(now));
        assert!(matches!(
            seen(0, 5),
            Shows::Held {
                seems_dead: false,
                ..
            }
        ));
        // A clock that is ten minutes ahead takes no live lock.
        assert!(matches!(seen(0, 600), Shows::Held { seems_dead: true, .. }));
        assert_eq!(seen(60, 5), Shows::Free);
        assert_eq!(seen(0, 900), Shows::Free);
    }

    #[test]
    fn a_lock_that_is_taken_over_counts_its_holders() {
        let first = held("web", "shop", &run("acme/shop/1"), None, at(0));
        let second = held("web", "shop", &run("acme/shop/2"), Some(&first), at(90));
        assert_eq!(second["spec"]["leaseTransitions"], 1);
        let renewed = held("web", "shop", &run("acme/shop/2"), Some(&second), at(105));
        assert_eq!(renewed["spec"]["acquireTime"], second["spec"]["acquireTime"]);
        assert_eq!(
            shows(&released(renewed), &run("acme/shop/3"), Duration::ZERO, at(106)),
            Shows::Free
        );
    }
}
