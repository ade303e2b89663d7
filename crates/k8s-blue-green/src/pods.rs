//! Why a pod does not become ready, by its own status: what the kubelet and the scheduler say, in words a person can act on. Pure.
//!
//! What is only in events, such as a volume that can't be mounted, is not seen here.

use serde_json::Value;

use crate::object::{condition, entries, is_leaving, name, number, shown, text};

/// Why a pod is not ready, from what a person must mend to what may just need time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The image's name is none.
    InvalidImageName,
    /// The image can't be had.
    ImagePull,
    /// What the container is configured with is missing or wrong.
    Config,
    /// The container can't be made or started.
    Create,
    /// A container needed more memory than it may have.
    OutOfMemory,
    /// An init container fails.
    Init,
    /// A container ends again and again.
    Crash,
    /// The pod has ended, or was evicted.
    Ended,
    /// No node takes it.
    Unschedulable,
    /// It runs, and a probe does not succeed.
    Probe,
    /// Its containers are ready, and something outside must agree.
    ReadinessGate,
}

/// What is the matter with a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What kind of thing.
    pub reason: Reason,
    /// For people: the container, its exit code, and the cluster's own words, made inert.
    pub message: String,
    /// Whether waiting does not help. A second look must agree before anybody gives up.
    pub certain: bool,
    /// The container; none where it is the pod.
    pub container: Option<String>,
    /// How its last run ended.
    pub exit_code: Option<i64>,
    /// How often it was started again.
    pub restarts: u64,
}

impl Trouble {
    fn of(reason: Reason, message: String, certain: bool) -> Self {
        Self {
            reason,
            message,
            certain,
            container: None,
            exit_code: None,
            restarts: 0,
        }
    }
}

/// From so many restarts on a container counts as one that does not come up.
const RESTARTS: u64 = 3;

/// The worst that is the matter with a pod; nothing where it is ready, leaves, or has only just begun. One that runs and is not ready
/// yet is told as that, and is not certain.
#[must_use]
pub fn trouble(pod: &Value) -> Option<Trouble> {
    if is_leaving(pod) || condition(pod, "Ready").is_some_and(|ready| ready.status == "True") {
        return None;
    }
    match text(pod, "/status/phase") {
        "Succeeded" => return None,
        "Failed" => return Some(ended(pod)),
        _ => {}
    }
    let init = entries(pod, "/status/initContainerStatuses").iter();
    let main = entries(pod, "/status/containerStatuses").iter();
    let statuses = init
        .map(|status| (status, true))
        .chain(main.map(|status| (status, false)));
    let of_containers = statuses.filter_map(|(status, is_init)| of_container(pod, status, is_init));
    let worst = of_containers.min_by_key(|trouble| (!trouble.certain, trouble.reason));
    worst.or_else(|| unscheduled(pod)).or_else(|| gated(pod))
}

/// A pod in one line: phase, ready containers, restarts, and what is the matter.
#[must_use]
pub fn summary(pod: &Value) -> String {
    let statuses = entries(pod, "/status/containerStatuses");
    let all = entries(pod, "/spec/containers").len().max(statuses.len());
    let ready = statuses.iter().filter(|status| status["ready"] == true).count();
    let restarts: u64 = statuses
        .iter()
        .filter_map(|status| number(status, "/restartCount"))
        .fold(0, u64::saturating_add);
    let state = if is_leaving(pod) {
        "Terminating".to_owned()
    } else {
        shown(text(pod, "/status/phase"))
    };
    let mut line = format!("{}: {state}, {ready}/{all} ready", shown(name(pod)));
    if restarts > 0 {
        let word = if restarts == 1 { "restart" } else { "restarts" };
        line.push_str(&format!(", {restarts} {word}"));
    }
    if let Some(trouble) = trouble(pod) {
        line.push_str(&format!(", {}", trouble.message));
    }
    line
}

/// What the kubelet says of a container.
struct Status<'a> {
    container: &'a str,
    image: &'a str,
    is_init: bool,
    waiting: (&'a str, &'a str),
    restarts: u64,
    /// How its last run ended, if one did.
    ended: Option<&'a Value>,
}

fn of_container(pod: &Value, status: &Value, is_init: bool) -> Option<Trouble> {
    let now = status
        .pointer("/state/terminated")
        .filter(|ended| ended.is_object());
    let before = status
        .pointer("/lastState/terminated")
        .filter(|ended| ended.is_object());
    let seen = Status {
        container: text(status, "/name"),
        image: text(status, "/image"),
        is_init,
        waiting: (
            text(status, "/state/waiting/reason"),
            text(status, "/state/waiting/message"),
        ),
        restarts: number(status, "/restartCount").unwrap_or(0),
        ended: now.or(before),
    };
    let is_running = status.pointer("/state/running").is_some_and(Value::is_object);
    // An init container that has done its work, and a companion that runs.
    let has_succeeded = now.is_some_and(|ended| exit_code(ended) == Some(0));
    let is_well = status["ready"] == true || (is_init && has_succeeded);
    let found = if is_well {
        None
    } else {
        waits(&seen).or_else(|| crashes(&seen)).or_else(|| {
            let is_companion = !is_init || status["started"].is_boolean();
            (is_running && is_companion)
                .then(|| probe(pod, &seen, status))
                .flatten()
        })
    };
    found.map(|trouble| Trouble {
        container: Some(shown(seen.container)),
        exit_code: seen.ended.and_then(exit_code),
        restarts: seen.restarts,
        ..trouble
    })
}

/// The reasons for which a container is not started
/// (<https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/images/types.go>,
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kuberuntime/kuberuntime_container.go>).
fn waits(seen: &Status<'_>) -> Option<Trouble> {
    let (word, message) = seen.waiting;
    let (container, image) = (shown(seen.container), shown(seen.image));
    let why = if message.is_empty() {
        shown(word)
    } else {
        shown(message)
    };
    let (reason, text, certain) = match word {
        "InvalidImageName" => (
            Reason::InvalidImageName,
            format!("`{image}` of container `{container}` is no image: {why}"),
            true,
        ),
        "ErrImagePull"
        | "ImagePullBackOff"
        | "ErrImageNeverPull"
        | "ImageInspectError"
        | "RegistryUnavailable"
        | "SignatureValidationFailed" => (
            Reason::ImagePull,
            format!("the image `{image}` of container `{container}` can't be pulled: {why}"),
            // The first try may have met a registry that is busy.
            matches!(
                word,
                "ImagePullBackOff" | "ErrImageNeverPull" | "SignatureValidationFailed"
            ),
        ),
        "CreateContainerConfigError" => (
            Reason::Config,
            format!("container `{container}` can't be configured: {why}"),
            true,
        ),
        "CreateContainerError"
        | "RunContainerError"
        | "PreCreateHookError"
        | "PreStartHookError"
        | "PostStartHookError" => (
            Reason::Create,
            format!("container `{container}` can't be started: {why}"),
            true,
        ),
        _ => return None,
    };
    Some(Trouble::of(reason, text, certain))
}

/// A container that ended, as often as it was started.
fn crashes(seen: &Status<'_>) -> Option<Trouble> {
    let backs_off = seen.waiting.0 == "CrashLoopBackOff";
    let ended = seen.ended;
    if !backs_off && ended.is_none_or(|ended| seen.restarts == 0 && exit_code(ended) == Some(0)) {
        return None;
    }
    let is_out_of_memory = ended.is_some_and(|ended| text(ended, "/reason") == "OOMKilled");
    let reason = match (is_out_of_memory, seen.is_init) {
        (true, _) => Reason::OutOfMemory,
        (false, true) => Reason::Init,
        (false, false) => Reason::Crash,
    };
    let kind = if seen.is_init {
        "init container"
    } else {
        "container"
    };
    let how = ended.map_or_else(|| "ended".to_owned(), how_it_ended);
    let mut message = format!("{kind} `{}` {how}", shown(seen.container));
    if seen.restarts > 0 {
        let times = if seen.restarts == 1 {
            "once".to_owned()
        } else {
            format!("{} times", seen.restarts)
        };
        message.push_str(&format!(", restarted {times}"));
    }
    if let Some(ended) = ended.filter(|ended| !text(ended, "/message").is_empty()) {
        message.push_str(&format!(": {}", shown(text(ended, "/message"))));
    }
    // The first back-off comes after the first crash, which may have been for want of a neighbour that was starting too.
    let certain = seen.restarts >= RESTARTS || (backs_off && seen.restarts >= 2);
    Some(Trouble::of(reason, message, certain))
}

fn how_it_ended(ended: &Value) -> String {
    let word = text(ended, "/reason");
    let code = exit_code(ended);
    match (word, code) {
        ("OOMKilled", _) => "was killed: it needed more memory than its limit".to_owned(),
        (_, Some(code @ 129..=192)) => format!("ended by signal {} (exit code {code})", code - 128),
        (_, Some(code)) => format!("ended with exit code {code}"),
        ("", None) => "ended".to_owned(),
        (word, None) => format!("ended: {}", shown(word)),
    }
}

fn exit_code(ended: &Value) -> Option<i64> {
    ended["exitCode"].as_i64()
}

/// A container that runs and is not ready: the probe that has not succeeded.
fn probe(pod: &Value, seen: &Status<'_>, status: &Value) -> Option<Trouble> {
    let lists = ["/spec/containers", "/spec/initContainers"];
    let mut all = lists.into_iter().flat_map(|list| entries(pod, list));
    let container = all.find(|container| text(container, "/name") == seen.container)?;
    let is_starting = status["started"] == false && container["startupProbe"].is_object();
    let (kind, key) = if is_starting {
        ("startup", "/startupProbe")
    } else {
        ("readiness", "/readinessProbe")
    };
    let probe = container.pointer(key).filter(|probe| probe.is_object())?;
    let container = shown(seen.container);
    let message = format!(
        "container `{container}` runs and is not ready: its {kind} probe has not succeeded ({})",
        told(probe)
    );
    Some(Trouble::of(Reason::Probe, message, false))
}

/// A probe, as a person would say it.
fn told(probe: &Value) -> String {
    let port = |pointer: &str| match probe.pointer(pointer) {
        Some(Value::String(name)) => shown(name),
        Some(port) => shown(&port.to_string()),
        None => "?".to_owned(),
    };
    if probe["httpGet"].is_object() {
        let path = match text(probe, "/httpGet/path") {
            "" => "/".to_owned(),
            path => shown(path),
        };
        format!("GET {path} on port {}", port("/httpGet/port"))
    } else if probe["tcpSocket"].is_object() {
        format!("TCP port {}", port("/tcpSocket/port"))
    } else if probe["grpc"].is_object() {
        format!("gRPC port {}", port("/grpc/port"))
    } else {
        // Its arguments may hold a secret.
        let command = entries(probe, "/exec/command").first().and_then(Value::as_str);
        format!("command {}", shown(command.unwrap_or_default()))
    }
}

fn ended(pod: &Value) -> Trouble {
    let word = text(pod, "/status/reason");
    let statuses = entries(pod, "/status/containerStatuses").iter();
    let how = statuses
        .filter_map(|status| status.pointer("/state/terminated"))
        .find(|ended| exit_code(ended).is_some_and(|code| code != 0));
    let mut message = match (word, how) {
        ("", Some(ended)) => format!("the pod has failed: a container {}", how_it_ended(ended)),
        ("", None) => "the pod has failed".to_owned(),
        (word, _) => format!("the pod has failed: {}", shown(word)),
    };
    if !text(pod, "/status/message").is_empty() {
        message.push_str(&format!(": {}", shown(text(pod, "/status/message"))));
    }
    Trouble {
        exit_code: how.and_then(exit_code),
        // Its ReplicaSet makes another in its place.
        ..Trouble::of(Reason::Ended, message, false)
    }
}

fn unscheduled(pod: &Value) -> Option<Trouble> {
    let scheduled = condition(pod, "PodScheduled").filter(|scheduled| scheduled.status == "False")?;
    let message = match scheduled.reason {
        "SchedulingGated" => format!("held back by its scheduling gates: {}", shown(scheduled.message)),
        _ => format!("no node takes it: {}", shown(scheduled.message)),
    };
    Some(Trouble::of(Reason::Unschedulable, message, false))
}

/// What outside of the pod has not agreed yet, such as a load balancer's health check
/// (<https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-readiness-gate>).
fn gated(pod: &Value) -> Option<Trouble> {
    condition(pod, "ContainersReady").filter(|ready| ready.status == "True")?;
    let gates = entries(pod, "/spec/readinessGates").iter();
    let mut kinds = gates.map(|gate| text(gate, "/conditionType"));
    let gate = kinds.find(|kind| condition(pod, kind).is_none_or(|there| there.status != "True"))?;
    let why = condition(pod, gate)
        .map(|there| shown(there.message))
        .filter(|why| !why.is_empty());
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let message = format!(
        "all containers are ready, and the readiness gate `{}` is not{why}",
        shown(gate)
    );
    Some(Trouble::of(Reason::ReadinessGate, message, false))
}

/// So many pods, in words.
#[must_use]
pub fn counted(pods: u64) -> String {
    match pods {
        1 => "1 pod".to_owned(),
        many => format!("{many} pods"),
    }
}

#[cfg(test)]
mod tests;
