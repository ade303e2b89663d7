//! Facts as they are read from a cluster where something is wrong.

use gha::summary::Summary;
use proptest::prelude::{any, proptest};
use serde_json::json;

use super::*;

fn at() -> Timestamp {
    "2026-01-01T00:10:00Z".parse().unwrap()
}

fn pod(name: &str, state: Value, restarts: u64) -> Value {
    json!({
        "kind": "Pod", "metadata": {"name": name, "uid": name}, "spec": {"containers": [{"name": "web", "image": "shop:2"}]},
        "status": {"phase": "Running", "containerStatuses": [{
            "name": "web", "image": "shop:2", "ready": false, "restartCount": restarts, "state": state,
            "lastState": {"terminated": {"exitCode": 1}},
        }]},
    })
}

fn event(reason: &str, message: &str, about: &str, time: &str, count: u64) -> Value {
    json!({
        "type": "Warning", "reason": reason, "message": message, "count": count, "lastTimestamp": time,
        "involvedObject": {"kind": "Pod", "name": about, "uid": about},
    })
}

fn crashing() -> Facts {
    Facts {
        pods: vec![
            pod("web-a", json!({"running": {}}), 0),
            pod(
                "web-b",
                json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}),
                3,
            ),
        ],
        tails: vec![Tail {
            pod: "web-b".to_owned(),
            container: "web".to_owned(),
            previous: true,
            lines: vec![
                "starting".to_owned(),
                "::error::no database".to_owned(),
                String::new(),
            ],
        }],
        ..Facts::default()
    }
}

#[test]
fn the_worst_pod_is_the_cause_with_its_last_words() {
    let found = findings(&crashing(), at());
    let names: Vec<&str> = found.pods.iter().map(|pod| pod.pod.as_str()).collect();
    assert_eq!(names, ["web-b", "web-a"]);
    let cause = found.cause().unwrap();
    assert_eq!(
        cause,
        "pod `web-b`: container `web` crashes (exit code 1), started again 3 times; its last line: | ::error::no database"
    );
}

#[test]
fn the_registrys_words_are_told_once_a_node_only_backs_off() {
    let waits =
        json!({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"shop:2\""}});
    let words = "Failed to pull image \"shop:2\": pull access denied";
    let facts = Facts {
        pods: vec![pod("web-a", waits, 0)],
        events: vec![event("Failed", words, "web-a", "2026-01-01T00:09:30Z", 2)],
        ..Facts::default()
    };
    assert_eq!(
        findings(&facts, at()).cause().unwrap(),
        "pod `web-a`: container `web` can't pull `shop:2`: pull access denied"
    );
}

#[test]
fn nothing_that_a_pod_prints_is_a_command() {
    let found = findings(&crashing(), at());
    assert!(
        found
            .lines()
            .iter()
            .all(|line| !line.trim_start().starts_with("::"))
    );
    let mut summary = Summary::default();
    found.summary(&mut summary);
    assert!(summary.fit(0).contains("no database"));
}

#[test]
fn events_are_counted_by_reason_and_old_ones_are_not_shown() {
    let facts = Facts {
        events: vec![
            event("BackOff", "back-off", "web-a", "2026-01-01T00:09:00Z", 4),
            event(
                "BackOff",
                "back-off restarting",
                "web-b",
                "2026-01-01T00:09:30Z",
                3,
            ),
            event(
                "Failed",
                "Failed to pull image \"shop:2\": not found",
                "web-a",
                "2026-01-01T00:09:30Z",
                2,
            ),
            event(
                "Failed",
                "Error: ImagePullBackOff",
                "web-a",
                "2026-01-01T00:09:40Z",
                9,
            ),
            event("Old", "x", "web-a", "2025-12-31T00:00:00Z", 9),
        ],
        ..Facts::default()
    };
    let found = findings(&facts, at());
    let told: Vec<(&str, u64)> = found
        .events
        .iter()
        .map(|one| (one.reason.as_str(), one.count))
        .collect();
    assert_eq!(told, [("Failed", 11), ("BackOff", 7)]);
    assert!(found.events[0].message.starts_with("Failed to pull"));
    assert_eq!(found.events[0].age, Some(Duration::from_secs(20)));
}

#[test]
fn what_stops_pods_from_being_made_is_the_cause_where_there_are_none() {
    let deployment = json!({"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 3}, "status": {"conditions": [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "exceeded quota: small"},
    ]}});
    let quota = json!({"kind": "ResourceQuota", "metadata": {"name": "small"},
        "status": {"hard": {"pods": "3"}, "used": {"pods": "3"}}});
    let facts = Facts {
        workloads: vec![deployment],
        quotas: vec![quota],
        ..Facts::default()
    };
    let found = findings(&facts, at());
    assert_eq!(
        found.cause().unwrap(),
        "pods of Deployment `web` can't be created: exceeded quota: small"
    );
    assert_eq!(found.others, ["quota `small`: pods 3 of 3"]);
    assert!(found.workloads[0].contains("0 updated"), "{:?}", found.workloads);
}

#[test]
fn a_service_says_what_it_leads_to() {
    let facts = Facts {
        services: vec![json!({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}}})],
        slices: vec![
            json!({"metadata": {"labels": {"kubernetes.io/service-name": "web"}},
            "endpoints": [{"conditions": {"ready": true}}, {"conditions": {"ready": false}}, {}]}),
        ],
        ..Facts::default()
    };
    assert_eq!(
        findings(&facts, at()).services,
        ["Service `web` selects `app=web`: 2 ready endpoints, 1 not ready"]
    );
}

#[test]
fn what_is_well_has_no_cause() {
    assert_eq!(findings(&Facts::default(), at()).cause(), None);
}

proptest! {
    #[test]
    fn any_text_is_told_on_lines_of_its_own(text in any::<String>(), count in any::<u64>()) {
        let odd = json!({"kind": text, "type": "Warning", "reason": text, "message": text, "count": count,
            "metadata": {"name": text, "uid": text, "labels": {"kubernetes.io/service-name": text}},
            "involvedObject": {"kind": text, "name": text},
            "spec": {"selector": {"a": text}, "scaleTargetRef": {"kind": text}},
            "status": {"hard": {"a": text}, "conditions": [{"type": "ReplicaFailure", "status": "True", "message": text}]}});
        let all = || vec![odd.clone(), odd.clone()];
        let facts = Facts {
            workloads: all(), pods: all(), events: all(), services: all(), slices: all(), scalers: all(), budgets: all(),
            quotas: all(), ..Facts::default()
        };
        let found = findings(&facts, at());
        for line in found.lines().iter().chain(&found.cause()) {
            assert!(!line.contains(['\n', '\r', '\u{1b}']), "{line:?}");
        }
    }
}
