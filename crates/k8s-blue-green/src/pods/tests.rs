use proptest::prelude::proptest;
use serde_json::json;

use super::*;
use crate::fixture;
use crate::object::any_json;

fn pod(of_container: Value) -> Value {
    let mut pod = fixture::pod("web-x", "web-1", &[]);
    pod["status"]["conditions"][1]["status"] = "False".into();
    let status = &mut pod["status"]["containerStatuses"][0];
    status["ready"] = json!(false);
    for (key, value) in of_container.as_object().unwrap() {
        status[key] = value.clone();
    }
    pod
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"state": {"waiting": {"reason": reason, "message": message}}})
}

#[test]
fn containers_that_do_not_start() {
    for (reason, message, expected, text, certain) in [
        (
            "InvalidImageName",
            "bad",
            Reason::InvalidImageName,
            "`registry.example.com/web:1` of container `web` is no image: bad",
            true,
        ),
        (
            "ErrImagePull",
            "not found",
            Reason::ImagePull,
            "the image `registry.example.com/web:1` of container `web` can't be pulled: not found",
            false,
        ),
        (
            "ImagePullBackOff",
            "",
            Reason::ImagePull,
            "the image `registry.example.com/web:1` of container `web` can't be pulled: ImagePullBackOff",
            true,
        ),
        (
            "CreateContainerConfigError",
            "secret \"db\" not found\n::error::x",
            Reason::Config,
            "container `web` can't be configured: secret \"db\" not found\\n",
            true,
        ),
        (
            "RunContainerError",
            "exec: \"x\": not found",
            Reason::Create,
            "container `web` can't be started: exec: \"x\": not found",
            true,
        ),
    ] {
        let trouble = trouble(&pod(waiting(reason, message))).expect(reason);
        assert_eq!((trouble.reason, trouble.certain), (expected, certain), "{reason}");
        assert!(trouble.message.starts_with(text), "{}", trouble.message);
        assert!(!trouble.message.contains('\n'), "{}", trouble.message);
        assert_eq!(trouble.container.as_deref(), Some("web"));
    }
    for begins in ["ContainerCreating", "PodInitializing", ""] {
        assert_eq!(trouble(&pod(waiting(begins, ""))), None, "{begins}");
    }
}

#[test]
fn containers_that_end() {
    let ended = |code: i64, reason: &str, restarts: u64| {
        json!({
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}, "restartCount": restarts,
            "lastState": {"terminated": {"exitCode": code, "reason": reason, "message": ""}},
        })
    };
    for (code, word, restarts, reason, text, certain) in [
        (
            1,
            "Error",
            1,
            Reason::Crash,
            "container `web` ended with exit code 1, restarted once",
            false,
        ),
        (
            1,
            "Error",
            4,
            Reason::Crash,
            "container `web` ended with exit code 1, restarted 4 times",
            true,
        ),
        (
            0,
            "Completed",
            3,
            Reason::Crash,
            "container `web` ended with exit code 0, restarted 3 times",
            true,
        ),
        (
            137,
            "OOMKilled",
            2,
            Reason::OutOfMemory,
            "container `web` was killed: it needed more memory than its limit, restarted 2 times",
            true,
        ),
        (
            139,
            "Error",
            2,
            Reason::Crash,
            "container `web` ended by signal 11 (exit code 139), restarted 2 times",
            true,
        ),
    ] {
        let trouble = trouble(&pod(ended(code, word, restarts))).expect(word);
        assert_eq!(trouble.message, text);
        assert_eq!(
            (trouble.reason, trouble.certain, trouble.exit_code),
            (reason, certain, Some(code))
        );
        assert_eq!(trouble.restarts, restarts);
    }
}

#[test]
fn init_containers_that_fail() {
    let mut pod = pod(waiting("PodInitializing", ""));
    let status = |name: &str, code: i64, restarts: u64| {
        json!({
            "name": name, "ready": false, "restartCount": restarts,
            "state": {"terminated": {"exitCode": code, "reason": "Error", "message": "no table\u{1b}[2J"}},
        })
    };
    let done =
        json!({"name": "wait", "ready": true, "restartCount": 2, "state": {"terminated": {"exitCode": 0}}});
    pod["status"]["initContainerStatuses"] = json!([done, status("migrate", 3, 5)]);
    let trouble = trouble(&pod).unwrap();
    assert_eq!((trouble.reason, trouble.certain), (Reason::Init, true));
    assert!(
        trouble
            .message
            .starts_with("init container `migrate` ended with exit code 3, restarted 5 times: no table")
    );
    assert!(!trouble.message.contains('\u{1b}'));
    pod["status"]["initContainerStatuses"] = json!([done, status("migrate", 0, 0)]);
    assert_eq!(super::trouble(&pod), None);
}

#[test]
fn pods_without_a_node() {
    let mut pending = pod(json!({}));
    pending["status"] = json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"},
    ]});
    let trouble = trouble(&pending).unwrap();
    assert_eq!((trouble.reason, trouble.certain), (Reason::Unschedulable, false));
    assert_eq!(trouble.message, "no node takes it: 0/3 nodes are available");
    assert_eq!(
        summary(&pending),
        "web-x: Pending, 0/1 ready, no node takes it: 0/3 nodes are available"
    );
}

#[test]
fn pods_that_run_and_are_not_ready() {
    let running = |probes: Value, started: bool| {
        let mut pod = pod(json!({"started": started}));
        for (key, value) in probes.as_object().unwrap() {
            pod["spec"]["containers"][0][key] = value.clone();
        }
        pod
    };
    let http = json!({"httpGet": {"path": "/healthz", "port": "http"}});
    let exec = json!({"exec": {"command": ["check", "--password", "hunter2"]}});
    let prefix = "container `web` runs and is not ready: its";
    for (pod, expected) in [
        (
            running(json!({"readinessProbe": http}), true),
            "readiness probe has not succeeded (GET /healthz on port http)",
        ),
        (
            running(
                json!({"readinessProbe": http, "startupProbe": {"tcpSocket": {"port": 80}}}),
                false,
            ),
            "startup probe has not succeeded (TCP port 80)",
        ),
        (
            running(json!({"readinessProbe": exec}), true),
            "readiness probe has not succeeded (command check)",
        ),
        (
            running(json!({"readinessProbe": {"grpc": {"port": 50051}}}), true),
            "readiness probe has not succeeded (gRPC port 50051)",
        ),
    ] {
        let trouble = trouble(&pod).unwrap();
        assert_eq!(trouble.message, format!("{prefix} {expected}"));
        assert_eq!((trouble.reason, trouble.certain), (Reason::Probe, false));
    }
}

#[test]
fn pods_that_ended_and_pods_that_something_holds_back() {
    let mut evicted = pod(json!({}));
    evicted["status"]["phase"] = "Failed".into();
    evicted["status"]["reason"] = "Evicted".into();
    evicted["status"]["message"] = "low on disk".into();
    let found = trouble(&evicted).unwrap();
    assert_eq!(
        (found.reason, found.message.as_str()),
        (Reason::Ended, "the pod has failed: Evicted: low on disk")
    );
    let mut gated = fixture::pod("web-x", "web-1", &[]);
    gated["spec"]["readinessGates"] = json!([{"conditionType": "target-health.example/web"}]);
    gated["status"]["conditions"] = json!([
        {"type": "ContainersReady", "status": "True"}, {"type": "Ready", "status": "False"},
        {"type": "target-health.example/web", "status": "False", "message": "initial"},
    ]);
    assert_eq!(
        trouble(&gated).unwrap().message,
        "all containers are ready, and the readiness gate `target-health.example/web` is not: initial"
    );
}

#[test]
fn the_worst_is_told() {
    let mut pod = pod(waiting("ErrImagePull", "x"));
    let crash = json!({
        "name": "proxy", "ready": false, "restartCount": 6, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 2}},
    });
    pod["status"]["containerStatuses"]
        .as_array_mut()
        .unwrap()
        .push(crash);
    assert_eq!(trouble(&pod).unwrap().container.as_deref(), Some("proxy"));
}

#[test]
fn a_pod_that_is_ready_has_no_trouble() {
    let mut ready = fixture::pod("web-x", "web-1", &[]);
    ready["status"]["containerStatuses"][0]["restartCount"] = json!(9);
    assert_eq!(trouble(&ready), None);
    assert_eq!(summary(&ready), "web-x: Running, 1/1 ready, 9 restarts");
    let mut leaving = pod(waiting("CrashLoopBackOff", ""));
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    assert_eq!(trouble(&leaving), None);
    assert!(summary(&leaving).contains("Terminating"));
}

proptest! {
    #[test]
    fn nothing_foreign_panics(pod in any_json(), status in any_json(), spec in any_json()) {
        let whole = json!({"metadata": pod, "status": status, "spec": spec});
        for pod in [pod, whole, json!({"status": {"containerStatuses": [status.clone(), status]}})] {
            let _ = trouble(&pod);
            assert!(!summary(&pod).contains('\n'));
        }
    }
}
