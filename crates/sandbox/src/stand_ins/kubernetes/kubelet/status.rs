//! The status of a pod as its node reports it.

use std::time::Duration;

use serde_json::{Value, json};

use super::container::{Ended, Run, State};
use super::pod::Pod;
use crate::stand_ins::kubernetes::object;

/// The status at a moment; conditions keep the time of their last change, and those of others stay.
pub(super) fn of(pod: &Value, run: &Pod, now: Duration) -> Value {
    let phase = phase(run);
    let ready = run.containers.iter().all(|container| container.is_ready(now));
    let gates = object::items(pod, "/spec/readinessGates")
        .iter()
        .all(|gate| object::has_condition(pod, object::text(gate, "/conditionType"), "True"));
    let over = matches!(phase, "Succeeded" | "Failed");
    let unready: Vec<&str> = names(pod, "/spec/containers")
        .into_iter()
        .zip(&run.containers)
        .filter(|(_, container)| !container.is_ready(now))
        .map(|(name, _)| name)
        .collect();
    let why = format!("containers with unready status: [{}]", unready.join(" "));
    let not_ready = match (over, phase) {
        (true, "Succeeded") => ("PodCompleted", ""),
        (true, _) => ("PodFailed", ""),
        _ => ("ContainersNotReady", why.as_str()),
    };
    let of_gates = (
        "ReadinessGatesNotReady",
        "the status of pod readiness gate is not \"True\"",
    );
    let initialized = run
        .inits
        .iter()
        .all(|container| container.is_over() == Some(true));
    let mut conditions = vec![
        ("PodReadyToStartContainers", true, ("", "")),
        ("Initialized", initialized, ("ContainersNotInitialized", "")),
        (
            "Ready",
            ready && gates && !over,
            if ready { of_gates } else { not_ready },
        ),
        ("ContainersReady", ready && !over, not_ready),
        ("PodScheduled", true, ("", "")),
    ];
    let mut written: Vec<Value> = conditions
        .drain(..)
        .map(|(kind, is, why)| condition(pod, kind, is, why, now))
        .collect();
    let ours = [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ];
    let foreign = object::items(pod, "/status/conditions")
        .iter()
        .filter(|condition| !ours.contains(&object::text(condition, "/type")));
    written.extend(foreign.cloned());
    let mut status = json!({
        "phase": phase, "conditions": written, "hostIP": "192.168.1.10", "podIP": run.address,
        "podIPs": [{ "ip": run.address }], "startTime": object::moment(run.begun), "qosClass": "BestEffort",
        "containerStatuses": containers(pod, "/spec/containers", &run.containers, now),
    });
    if !run.inits.is_empty() {
        let inits = containers(pod, "/spec/initContainers", &run.inits, now);
        object::put(&mut status, &["initContainerStatuses"], json!(inits));
    }
    status
}

/// A condition; the time of its last change is kept while it stays.
pub(super) fn condition(pod: &Value, kind: &str, is: bool, why: (&str, &str), now: Duration) -> Value {
    let status = if is { "True" } else { "False" };
    let since = object::condition(pod, kind)
        .filter(|known| object::text(known, "/status") == status)
        .map(|known| known["lastTransitionTime"].clone());
    let since = since.unwrap_or_else(|| json!(object::moment(now)));
    let mut written =
        json!({ "type": kind, "status": status, "lastProbeTime": null, "lastTransitionTime": since });
    if !is && !why.0.is_empty() {
        object::put(&mut written, &["reason"], json!(why.0));
        if !why.1.is_empty() {
            object::put(&mut written, &["message"], json!(why.1));
        }
    }
    written
}

fn phase(run: &Pod) -> &'static str {
    if run
        .inits
        .iter()
        .any(|container| container.is_over() == Some(false))
    {
        return "Failed";
    }
    let ends: Vec<Option<bool>> = run.containers.iter().map(Run::is_over).collect();
    if ends.iter().all(|end| *end == Some(true)) {
        return "Succeeded";
    }
    if ends.iter().all(Option::is_some) {
        return "Failed";
    }
    let has_begun = run
        .containers
        .iter()
        .any(|container| !container.starts.is_empty());
    if has_begun { "Running" } else { "Pending" }
}

fn names<'a>(pod: &'a Value, pointer: &str) -> Vec<&'a str> {
    object::items(pod, pointer)
        .iter()
        .map(|container| object::text(container, "/name"))
        .collect()
}

fn containers(pod: &Value, pointer: &str, runs: &[Run], now: Duration) -> Vec<Value> {
    let specs = object::items(pod, pointer).iter();
    specs
        .zip(runs)
        .map(|(spec, run)| {
            let image = object::text(spec, "/image");
            let id = format!("{}-{}", object::uid(pod), object::text(spec, "/name"));
            let has_begun = !run.starts.is_empty();
            let is_init = pointer.ends_with("initContainers");
            let ready = if is_init { run.is_over() == Some(true) } else { run.is_ready(now) };
            json!({
                "name": spec["name"], "image": image, "imageID": if has_begun { image_id(image) } else { String::new() },
                "containerID": if has_begun { format!("containerd://{id}") } else { String::new() },
                "ready": ready, "started": matches!(run.state, State::Running(_)), "restartCount": run.restarts,
                "state": state(run, pod), "lastState": run.last.as_ref().map_or_else(|| json!({}), ended),
            })
        })
        .collect()
}

fn state(run: &Run, pod: &Value) -> Value {
    match &run.state {
        State::Idle => json!({ "waiting": { "reason": "PodInitializing" } }),
        State::Waiting(reason, message) if message.is_empty() => json!({ "waiting": { "reason": reason } }),
        State::Waiting(reason @ "CrashLoopBackOff", message) => {
            let place = format!(
                "{}_{}({})",
                object::name(pod),
                object::namespace(pod),
                object::uid(pod)
            );
            json!({ "waiting": { "reason": reason, "message": format!("{message} pod={place}") } })
        }
        State::Waiting(reason, message) => json!({ "waiting": { "reason": reason, "message": message } }),
        State::Running(since) => json!({ "running": { "startedAt": object::moment(*since) } }),
        State::Ended(end) => ended(end),
    }
}

fn ended(end: &Ended) -> Value {
    json!({ "terminated": {
        "exitCode": end.code, "reason": end.reason, "startedAt": object::moment(end.started),
        "finishedAt": object::moment(end.finished),
    } })
}

/// The digest that runs: the image's own, or one made of its name.
fn image_id(image: &str) -> String {
    use sha2::Digest as _;

    if image.contains('@') {
        return image.to_owned();
    }
    let digest = sha2::Sha256::digest(image.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let at = image.rfind(':').filter(|at| !image[*at..].contains('/'));
    format!("{}@sha256:{digest}", &image[..at.unwrap_or(image.len())])
}
