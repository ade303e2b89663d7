use proptest::prelude::proptest;
use serde_json::json;

use super::*;
use crate::fixture;
use crate::object::any_json;

fn changed(mut object: Value, changes: &[(&str, Value)]) -> Value {
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        object.pointer_mut(parent).unwrap()[key] = value.clone();
    }
    object
}

#[test]
fn deployments() {
    let complete = || fixture::deployment("web", 5, &[("app", "web")]);
    let failure = json!([{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota\n"}]);
    let deadline = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}]);
    let wait = |text: &str| Progress::Waiting(text.to_owned());
    let fail = |text: &str| Progress::Failed(text.to_owned());
    let cases: [(&[(&str, Value)], Progress); 11] = [
        (&[], Progress::Ready),
        (
            &[("/metadata/generation", json!(8))],
            wait("the cluster has not taken up the change yet"),
        ),
        (
            &[("/status/updatedReplicas", json!(2))],
            wait("2 of 5 pods updated"),
        ),
        (&[("/status/replicas", json!(6))], wait("1 old pod still to go")),
        (
            &[
                ("/status/replicas", json!(7)),
                ("/status/updatedReplicas", json!(7)),
            ],
            wait("2 pods too many still to go"),
        ),
        (
            &[("/status/availableReplicas", json!(3))],
            wait("3 of 5 pods available"),
        ),
        (
            &[
                ("/status/conditions", failure.clone()),
                ("/status/updatedReplicas", json!(0)),
            ],
            fail("pods can't be created: FailedCreate: exceeded quota\\n"),
        ),
        // What failed before the change is not judged.
        (
            &[
                ("/status/conditions", failure),
                ("/metadata/generation", json!(8)),
            ],
            wait("the cluster has not taken up the change yet"),
        ),
        (
            &[("/status/conditions", deadline)],
            fail("its progress deadline is over: ProgressDeadlineExceeded: timed out"),
        ),
        (
            &[
                ("/spec/paused", json!(true)),
                ("/status/updatedReplicas", json!(0)),
            ],
            fail("it is paused, so that no pod is replaced"),
        ),
        (&[("/spec/paused", json!(true))], Progress::Ready),
    ];
    for (changes, expected) in cases {
        assert_eq!(of(&changed(complete(), changes)), expected, "{changes:?}");
    }
    // As the server has it between a scale-up from none and the controller's look: complete by its conditions.
    let scaled = changed(
        fixture::deployment("web", 0, &[("app", "web")]),
        &[("/spec/replicas", json!(5)), ("/metadata/generation", json!(8))],
    );
    assert_eq!(of(&scaled), wait("the cluster has not taken up the change yet"));
    assert_eq!(of(&fixture::deployment("web", 0, &[])), Progress::Ready);
    assert!(!of(&json!({"kind": "Deployment"})).is_ready());
}

#[test]
fn stateful_sets() {
    let complete = || {
        json!({
            "kind": "StatefulSet", "metadata": {"generation": 2},
            "spec": {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}},
            "status": {
                "observedGeneration": 2, "replicas": 3, "readyReplicas": 3, "updatedReplicas": 3, "availableReplicas": 3,
                "currentRevision": "a", "updateRevision": "a",
            },
        })
    };
    let partition = "/spec/updateStrategy/rollingUpdate/partition";
    let wait = |text: &str| Progress::Waiting(text.to_owned());
    let cases: [(&[(&str, Value)], Progress); 7] = [
        (&[], Progress::Ready),
        (&[("/metadata/generation", json!(3))], unseen()),
        (
            &[
                ("/status/updateRevision", json!("b")),
                ("/status/updatedReplicas", json!(1)),
            ],
            wait("1 of 3 pods updated"),
        ),
        (
            &[("/status/availableReplicas", json!(2))],
            wait("2 of 3 pods available"),
        ),
        (
            &[("/status/updateRevision", json!("b"))],
            wait("all pods updated; the controller has not closed the update"),
        ),
        (
            &[
                ("/status/updateRevision", json!("b")),
                ("/status/updatedReplicas", json!(1)),
                (partition, json!(2)),
            ],
            Progress::Ready,
        ),
        (
            &[
                ("/spec/updateStrategy/type", json!("OnDelete")),
                ("/status/updateRevision", json!("b")),
                ("/status/updatedReplicas", json!(1)),
            ],
            on_delete(),
        ),
    ];
    for (changes, expected) in cases {
        assert_eq!(of(&changed(complete(), changes)), expected, "{changes:?}");
    }
}

#[test]
fn daemon_sets() {
    let complete = || {
        json!({
            "kind": "DaemonSet", "metadata": {"generation": 2}, "spec": {"updateStrategy": {"type": "RollingUpdate"}},
            "status": {
                "observedGeneration": 2, "desiredNumberScheduled": 4, "updatedNumberScheduled": 4, "numberAvailable": 4,
            },
        })
    };
    let wait = |text: &str| Progress::Waiting(text.to_owned());
    let cases: [(&[(&str, Value)], Progress); 5] = [
        (&[], Progress::Ready),
        (&[("/metadata/generation", json!(3))], unseen()),
        (
            &[("/status/updatedNumberScheduled", json!(1))],
            wait("1 of 4 pods updated"),
        ),
        (
            &[("/status/numberAvailable", json!(3))],
            wait("3 of 4 pods available"),
        ),
        (
            &[
                ("/spec/updateStrategy/type", json!("OnDelete")),
                ("/status/updatedNumberScheduled", json!(1)),
            ],
            on_delete(),
        ),
    ];
    for (changes, expected) in cases {
        assert_eq!(of(&changed(complete(), changes)), expected, "{changes:?}");
    }
}

#[test]
fn jobs() {
    let with = |kind: &str, status: &str| {
        let condition =
            json!({"type": kind, "status": status, "reason": "BackoffLimitExceeded", "message": "too often"});
        json!({
            "kind": "Job", "spec": {"completions": 1},
            "status": {"active": 1, "failed": 2, "conditions": [condition]},
        })
    };
    let failed = Progress::Failed("BackoffLimitExceeded: too often".to_owned());
    let running = Progress::Waiting("1 running, 0 of 1 succeeded, 2 failed".to_owned());
    for (kind, status, expected) in [
        ("Complete", "True", &Progress::Ready),
        ("Complete", "False", &running),
        ("Failed", "True", &failed),
        ("FailureTarget", "True", &failed),
        ("Failed", "False", &running),
        (
            "SuccessCriteriaMet",
            "True",
            &Progress::Waiting("succeeded; its last pods end".to_owned()),
        ),
    ] {
        assert_eq!(of(&with(kind, status)), *expected, "{kind} {status}");
    }
    let mut suspended = with("Suspended", "True");
    suspended["spec"]["suspend"] = json!(true);
    assert!(matches!(of(&suspended), Progress::Waiting(text) if text.starts_with("suspended")));
}

proptest! {
    #[test]
    fn nothing_foreign_panics(mut object in any_json()) {
        let _ = of(&object);
        for kind in ["Deployment", "StatefulSet", "DaemonSet", "Job"] {
            if let Some(fields) = object.as_object_mut() {
                fields.insert("kind".to_owned(), kind.into());
            }
            let _ = of(&object);
        }
    }
}
