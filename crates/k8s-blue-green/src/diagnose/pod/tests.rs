//! Pods as nodes report them.

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use serde_json::{Map, json};

use super::*;

fn pod(status: Value) -> Value {
    json!({
        "metadata": {"name": "web-1", "uid": "u"},
        "spec": {"nodeName": "node-1", "containers": [{"name": "web", "image": "shop:2"}]},
        "status": status,
    })
}

fn with(state: Value, last: Value, restarts: u64) -> Value {
    pod(json!({"phase": "Running", "containerStatuses": [{
        "name": "web", "image": "shop:2", "imageID": "shop@sha256:1", "ready": false, "restartCount": restarts,
        "state": state, "lastState": last,
    }]}))
}

#[test]
fn each_trouble_has_its_words() {
    let waits = |reason: &str, message: &str| json!({"waiting": {"reason": reason, "message": message}});
    let ended = |code: i64, reason: &str| json!({"terminated": {"exitCode": code, "reason": reason}});
    let runs = json!({"running": {}});
    for (pod, trouble, words) in [
        (
            with(waits("ImagePullBackOff", "not found"), json!({}), 0),
            Trouble::Image,
            "container `web` can't pull `shop:2`: not found",
        ),
        (
            with(waits("InvalidImageName", "bad"), json!({}), 0),
            Trouble::Image,
            "can't pull `shop:2`: bad",
        ),
        (
            with(
                waits("CreateContainerConfigError", "secret \"db\" not found"),
                json!({}),
                0,
            ),
            Trouble::Setup,
            "can't be made (CreateContainerConfigError): secret \"db\" not found",
        ),
        (
            with(waits("CrashLoopBackOff", "back-off 10s"), ended(1, "Error"), 3),
            Trouble::Crash,
            "container `web` crashes (exit code 1), started again 3 times",
        ),
        (
            with(waits("CrashLoopBackOff", ""), ended(137, "OOMKilled"), 1),
            Trouble::Crash,
            "more memory than its limit",
        ),
        (
            with(ended(127, "Error"), json!({}), 0),
            Trouble::Restarted,
            "its command was not found",
        ),
        (
            with(runs.clone(), ended(0, "Completed"), 1),
            Trouble::Restarted,
            "ends by itself",
        ),
        (
            with(runs.clone(), ended(2, "Error"), 2),
            Trouble::Crash,
            "exit code 2",
        ),
        (
            with(runs, json!({}), 0),
            Trouble::Unready,
            "container `web` runs and is not ready",
        ),
        (
            with(waits("ContainerCreating", ""), json!({}), 0),
            Trouble::Starting,
            "coming up (ContainerCreating)",
        ),
        (
            pod(json!({"phase": "Failed", "reason": "Evicted", "message": "low on disk"})),
            Trouble::Failed,
            "it failed (Evicted): low on disk",
        ),
        (
            pod(json!({"phase": "Pending", "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"},
            ]})),
            Trouble::Unschedulable,
            "no node takes it: 0/3 nodes are available",
        ),
    ] {
        let verdict = verdict(&pod);
        assert_eq!(verdict.trouble, trouble, "{words}: {verdict:?}");
        assert!(verdict.why().contains(words), "{words}: {}", verdict.why());
    }
}

#[test]
fn a_ready_pod_is_fine_and_says_what_it_runs() {
    let pod = pod(json!({
        "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "web", "image": "shop:2", "imageID": "shop@sha256:1", "ready": true,
            "restartCount": 0, "state": {"running": {}}}],
    }));
    let verdict = verdict(&pod);
    assert_eq!((verdict.trouble, verdict.ready), (Trouble::Fine, (1, 1)));
    assert_eq!(
        (verdict.image.as_str(), verdict.digest.as_str()),
        ("shop:2", "shop@sha256:1")
    );
}

#[test]
fn an_init_container_is_named_and_one_that_stays_is_no_trouble() {
    let status = |init: Value| {
        pod(json!({"phase": "Pending", "initContainerStatuses": [init],
            "containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "PodInitializing"}}}]}))
    };
    let crashing = status(json!({"name": "setup", "restartCount": 2,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 3}}}));
    assert!(
        verdict(&crashing)
            .why()
            .contains("container `setup` crashes (exit code 3)")
    );
    let beside = status(json!({"name": "proxy", "ready": true, "started": true, "state": {"running": {}}}));
    assert_eq!(verdict(&beside).container.as_deref(), Some("web"));
}

#[test]
fn what_leaves_is_no_trouble_of_the_new_version() {
    let mut pod = with(json!({"terminated": {"exitCode": 0}}), json!({}), 0);
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    // Its end is an answer to being asked.
    assert_eq!(verdict(&pod).trouble, Trouble::Leaving);
}

#[test]
fn what_a_node_says_is_one_short_line() {
    let long = format!("a\n::error::b {}", "x".repeat(2000));
    let verdict = verdict(&with(
        json!({"waiting": {"reason": "ErrImagePull", "message": long}}),
        json!({}),
        0,
    ));
    assert!(verdict.why().chars().count() < 500 && !verdict.why().contains('\n'));
}

/// Any JSON, with the keys that are looked for.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-zA-Z:\n ]{0,12}".prop_map(Value::from),
        Just(json!("CrashLoopBackOff")),
    ];
    let key = proptest::sample::select(vec![
        "metadata",
        "name",
        "spec",
        "status",
        "containerStatuses",
        "initContainerStatuses",
        "state",
        "waiting",
        "terminated",
        "running",
        "lastState",
        "conditions",
        "type",
        "reason",
        "restartCount",
        "exitCode",
        "phase",
        "containers",
    ]);
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..6).prop_map(|pairs| {
                Value::Object(
                    pairs
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_judged(pod in any_json()) {
        let why = verdict(&pod).why();
        assert!(!why.contains(['\n', '\r']));
    }
}
