//! Whether a workload has replaced all of its pods, told from its own status and nothing else. Pure.
//!
//! Stricter than the conditions that a controller sets: `Progressing` of a Deployment stays true when it is scaled up again, and says
//! nothing while the controller has not seen the last change.

use gha::text;
use serde_json::Value;

use super::history;
use crate::object;
use crate::workload::Sort;

/// How much is quoted of what a controller says.
const QUOTED: usize = 400;

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All pods are of the new template, and ready. How many there are.
    Ready(u64),
    /// Not yet; what is done so far, in words.
    Waiting(String),
    /// Pods can't be made. May pass: a quota is raised, a webhook comes back.
    Blocked(String),
    /// Its controller gave up.
    Failed(String),
}

/// How far a workload is.
#[must_use]
pub fn of(sort: Sort, workload: &Value) -> Progress {
    let observed = object::number(workload, "/status/observedGeneration").unwrap_or_default();
    if observed < object::number(workload, "/metadata/generation").unwrap_or_default() {
        return Progress::Waiting("its controller has not seen the change yet".to_owned());
    }
    if history::is_paused(workload) {
        return Progress::Waiting("it is paused: `kubectl rollout resume` lets it go on".to_owned());
    }
    match sort {
        Sort::Deployment => deployment(workload),
        Sort::StatefulSet => stateful_set(workload),
        Sort::DaemonSet => daemon_set(workload),
    }
}

/// The order is that of `kubectl rollout status`
/// (<https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status>).
fn deployment(workload: &Value) -> Progress {
    if let Some(progressing) = object::condition(workload, "Progressing")
        && progressing.reason == "ProgressDeadlineExceeded"
        && progressing.status == "False"
    {
        return Progress::Failed(quoted(
            "it made no progress for longer than its `progressDeadlineSeconds`",
            "",
        ));
    }
    if let Some(failure) = object::condition(workload, "ReplicaFailure")
        && failure.status == "True"
    {
        return Progress::Blocked(quoted("its pods can't be created", failure.message));
    }
    let wanted = object::number(workload, "/spec/replicas").unwrap_or(1);
    counted(wanted, wanted, workload)
}

/// Partition and all (<https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#partitions>).
fn stateful_set(workload: &Value) -> Progress {
    let wanted = object::number(workload, "/spec/replicas").unwrap_or(1);
    let kept = object::number(workload, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or_default();
    let progress = counted(wanted.saturating_sub(kept), wanted, workload);
    let at = |name: &str| object::text(workload, &format!("/status/{name}"));
    // Without a partition it has arrived only when it says so itself.
    if matches!(progress, Progress::Ready(count) if count > 0)
        && kept == 0
        && at("updateRevision") != at("currentRevision")
    {
        return Progress::Waiting("all pods are updated; its controller has yet to say so".to_owned());
    }
    progress
}

fn counted(updating: u64, wanted: u64, workload: &Value) -> Progress {
    let count = |name: &str| object::number(workload, &format!("/status/{name}")).unwrap_or_default();
    let (updated, all, available) = (
        count("updatedReplicas"),
        count("replicas"),
        count("availableReplicas"),
    );
    if updated < updating {
        return Progress::Waiting(format!(
            "{updated} of {updating} pods are updated, {available} available"
        ));
    }
    if all > wanted {
        let old = all - wanted;
        return Progress::Waiting(format!(
            "{updated} pods are updated, {old} old ones are left to stop"
        ));
    }
    if available < wanted {
        return Progress::Waiting(format!("{available} of {wanted} pods are available"));
    }
    Progress::Ready(wanted)
}

fn daemon_set(workload: &Value) -> Progress {
    let count = |name: &str| object::number(workload, &format!("/status/{name}")).unwrap_or_default();
    let wanted = count("desiredNumberScheduled");
    let (updated, available) = (count("updatedNumberScheduled"), count("numberAvailable"));
    if updated < wanted {
        return Progress::Waiting(format!(
            "{updated} of {wanted} pods are updated, {available} available"
        ));
    }
    if available < wanted {
        return Progress::Waiting(format!("{available} of {wanted} pods are available"));
    }
    Progress::Ready(wanted)
}

fn quoted(what: &str, message: &str) -> String {
    if message.is_empty() {
        return what.to_owned();
    }
    format!("{what}: {}", text::cut(&text::line(message), QUOTED))
}

/// Why a workload of this kind can't be rolled at all.
#[must_use]
pub fn obstacle(sort: Sort, workload: &Value) -> Option<&'static str> {
    if history::is_paused(workload) {
        return Some("it is paused: its pods would not follow; `kubectl rollout resume` lets it go on");
    }
    let strategy = object::text(workload, "/spec/updateStrategy/type");
    if sort != Sort::Deployment && strategy == "OnDelete" {
        return Some("its update strategy is `OnDelete`: its pods change only when somebody deletes them");
    }
    if object::is_leaving(workload) {
        return Some("it is being deleted");
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    use super::*;

    fn deployment_with(status: Value) -> Value {
        json!({"metadata": {"generation": 2}, "spec": {"replicas": 3}, "status": status})
    }

    fn said(progress: &Progress) -> &str {
        match progress {
            Progress::Waiting(text) | Progress::Blocked(text) | Progress::Failed(text) => text,
            Progress::Ready(_) => "ready",
        }
    }

    #[test]
    fn a_deployment_is_ready_when_all_of_it_is_new_and_available() {
        for (status, expected) in [
            (
                json!({"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}),
                "not seen",
            ),
            (
                json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 3}),
                "1 of 3",
            ),
            (
                json!({"observedGeneration": 2, "replicas": 4, "updatedReplicas": 3, "availableReplicas": 3}),
                "1 old ones",
            ),
            (
                json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 2}),
                "2 of 3 pods are available",
            ),
            (
                json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}),
                "ready",
            ),
        ] {
            let progress = of(Sort::Deployment, &deployment_with(status));
            assert!(said(&progress).contains(expected), "{progress:?}");
        }
    }

    #[test]
    fn conditions_say_what_counts_do_not() {
        let blocked = json!({"observedGeneration": 2, "conditions": [
            {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: small\n::error::x"},
        ]});
        let progress = of(Sort::Deployment, &deployment_with(blocked));
        assert!(
            matches!(&progress, Progress::Blocked(text) if text.contains("exceeded quota") && !text.contains('\n'))
        );
        let late = json!({"observedGeneration": 2, "conditions": [
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"},
        ]});
        assert!(matches!(
            of(Sort::Deployment, &deployment_with(late)),
            Progress::Failed(_)
        ));
    }

    #[test]
    fn a_stateful_set_keeps_what_its_partition_keeps() {
        let mut set = json!({
            "metadata": {"generation": 1},
            "spec": {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
            "status": {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 3,
                "currentRevision": "a", "updateRevision": "b"},
        });
        assert_eq!(of(Sort::StatefulSet, &set), Progress::Ready(3));
        set["spec"]["updateStrategy"] = json!({});
        assert!(matches!(of(Sort::StatefulSet, &set), Progress::Waiting(_)));
        set["status"]["updatedReplicas"] = 3.into();
        assert!(said(&of(Sort::StatefulSet, &set)).contains("has yet to say so"));
        set["status"]["currentRevision"] = "b".into();
        assert_eq!(of(Sort::StatefulSet, &set), Progress::Ready(3));
    }

    #[test]
    fn a_daemon_set_counts_nodes() {
        let set = |updated: u64, available: u64| {
            json!({"metadata": {"generation": 1}, "status": {"observedGeneration": 1,
                "desiredNumberScheduled": 2, "updatedNumberScheduled": updated, "numberAvailable": available}})
        };
        assert!(matches!(of(Sort::DaemonSet, &set(1, 2)), Progress::Waiting(_)));
        assert!(matches!(of(Sort::DaemonSet, &set(2, 1)), Progress::Waiting(_)));
        assert_eq!(of(Sort::DaemonSet, &set(2, 2)), Progress::Ready(2));
    }

    #[test]
    fn what_would_not_follow_is_named() {
        let paused = json!({"spec": {"paused": true}});
        assert!(obstacle(Sort::Deployment, &paused).unwrap().contains("paused"));
        let by_hand = json!({"spec": {"updateStrategy": {"type": "OnDelete"}}});
        assert!(obstacle(Sort::DaemonSet, &by_hand).unwrap().contains("OnDelete"));
        assert!(obstacle(Sort::Deployment, &by_hand).is_none());
    }

    proptest! {
        #[test]
        fn any_status_is_read(a in any::<i64>(), b in any::<u64>(), text in any::<String>()) {
            for sort in Sort::ALL {
                let _ = of(sort, &json!({"metadata": {"generation": a}, "spec": {"replicas": b}, "status": {
                    "observedGeneration": b, "updatedReplicas": b, "replicas": text, "conditions": [text, {"type": text}],
                }}));
            }
        }
    }
}
