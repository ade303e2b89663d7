//! The columns of tables by kind, as the real server's printers have them; of the kinds that are not here, name and age.

use std::time::Duration;

use serde_json::Value;

use crate::stand_ins::kubernetes::object;

/// What a cell says of an object at a moment.
pub(crate) type Cell = fn(&Value, Duration) -> String;

const NAME: (&str, Cell) = ("Name", |item, _| object::name(item).to_owned());
const AGE: (&str, Cell) = ("Age", age);

/// The columns of a kind.
pub(crate) fn of(plural: &str) -> &'static [(&'static str, Cell)] {
    match plural {
        "pods" => &[
            NAME,
            ("Ready", pod_ready),
            ("Status", |item, _| pod_status(item)),
            ("Restarts", pod_restarts),
            AGE,
        ],
        "deployments" => &[
            NAME,
            ("Ready", |item, _| {
                format!(
                    "{}/{}",
                    shown(item, "/status/readyReplicas"),
                    shown(item, "/spec/replicas")
                )
            }),
            ("Up-to-date", |item, _| shown(item, "/status/updatedReplicas")),
            ("Available", |item, _| shown(item, "/status/availableReplicas")),
            AGE,
        ],
        "replicasets" => &[
            NAME,
            ("Desired", |item, _| shown(item, "/spec/replicas")),
            ("Current", |item, _| shown(item, "/status/replicas")),
            ("Ready", |item, _| shown(item, "/status/readyReplicas")),
            AGE,
        ],
        "services" => &[
            NAME,
            ("Type", |item, _| object::text(item, "/spec/type").to_owned()),
            ("Cluster-IP", |item, _| {
                object::text(item, "/spec/clusterIP").to_owned()
            }),
            AGE,
        ],
        "jobs" => &[
            NAME,
            ("Completions", |item, _| {
                format!(
                    "{}/{}",
                    shown(item, "/status/succeeded"),
                    shown(item, "/spec/completions")
                )
            }),
            AGE,
        ],
        "events" => &[
            ("Last Seen", |item, now| {
                since(object::text(item, "/lastTimestamp"), now)
            }),
            ("Type", |item, _| object::text(item, "/type").to_owned()),
            ("Reason", |item, _| object::text(item, "/reason").to_owned()),
            ("Object", |item, _| {
                let kind = object::text(item, "/involvedObject/kind").to_lowercase();
                format!("{kind}/{}", object::text(item, "/involvedObject/name"))
            }),
            ("Message", |item, _| object::text(item, "/message").to_owned()),
        ],
        _ => &[NAME, AGE],
    }
}

fn shown(item: &Value, pointer: &str) -> String {
    object::number(item, pointer).unwrap_or_default().to_string()
}

fn age(item: &Value, now: Duration) -> String {
    since(object::text(item, "/metadata/creationTimestamp"), now)
}

fn since(written: &str, now: Duration) -> String {
    let Some(then) = object::since_beginning(written) else {
        return "<unknown>".to_owned();
    };
    let seconds = now.saturating_sub(then).as_secs();
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        _ => format!("{}h", seconds / 3600),
    }
}

fn pod_ready(item: &Value, _: Duration) -> String {
    let statuses = object::items(item, "/status/containerStatuses");
    let ready = statuses
        .iter()
        .filter(|status| object::flag(status, "/ready"))
        .count();
    format!("{ready}/{}", object::items(item, "/spec/containers").len())
}

fn pod_restarts(item: &Value, _: Duration) -> String {
    let statuses = object::items(item, "/status/containerStatuses").iter();
    let restarts: i64 = statuses
        .filter_map(|status| object::number(status, "/restartCount"))
        .sum();
    restarts.to_string()
}

/// What `kubectl get pods` says of a pod: the reason of a container that waits or ended before the phase.
pub(crate) fn pod_status(item: &Value) -> String {
    if object::is_leaving(item) {
        return "Terminating".to_owned();
    }
    let reasons = object::items(item, "/status/containerStatuses")
        .iter()
        .flat_map(|status| {
            ["/state/waiting/reason", "/state/terminated/reason"].map(|pointer| object::text(status, pointer))
        });
    let reason = reasons.rev().find(|reason| !reason.is_empty());
    reason
        .unwrap_or_else(|| object::text(item, "/status/phase"))
        .to_owned()
}
