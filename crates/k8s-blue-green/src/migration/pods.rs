//! The pods of a Job: how they ended and what they said last. What can't be read is not told; it never fails a migration.

use gha::text;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::api::{Kind, Which};
use crate::object;
use crate::place::Place;

/// How many lines are shown.
pub(super) const LINES: usize = 50;

/// How much is read of a log, in bytes.
const BYTES: usize = 16 * 1024;

/// The pods of a Job, the newest first.
pub(super) async fn of(job: &str, place: &Place<'_>) -> Vec<Value> {
    let labels = format!("batch.kubernetes.io/job-name={job}");
    let which = Which {
        labels: Some(&labels),
        fields: None,
    };
    let pods = place.api.list(&Kind::pod(), &place.namespace, &which).await;
    let mut pods = pods.unwrap_or_default();
    let made = |pod: &Value| object::text(pod, "/metadata/creationTimestamp").to_owned();
    pods.sort_by_key(|pod| std::cmp::Reverse(made(pod)));
    pods
}

/// How the container of a pod ended that failed.
pub(super) fn ending(pod: &Value) -> Option<String> {
    for list in ["/status/initContainerStatuses", "/status/containerStatuses"] {
        for status in object::entries(pod, list) {
            let code = object::number(status, "/state/terminated/exitCode").unwrap_or_default();
            if code == 0 {
                continue;
            }
            let reason = object::text(status, "/state/terminated/reason");
            let reason = match reason {
                "" | "Error" => String::new(),
                reason => format!(" ({reason})"),
            };
            let said = format!(
                "container `{}` ended with exit code {code}{reason}",
                object::text(status, "/name")
            );
            return Some(text::cut(&text::line(&said), 200));
        }
    }
    None
}

/// The last lines of the newest pod: of the container that failed, else of the first.
pub(super) async fn lines(pods: &[Value], place: &Place<'_>) -> Option<String> {
    let pod = pods.first()?;
    let container = speaker(pod)?;
    let address = Kind::pod().address(&place.namespace, object::name(pod));
    let container = utf8_percent_encode(&container, NON_ALPHANUMERIC);
    let path = format!("{address}/log?container={container}&tailLines={LINES}&limitBytes={BYTES}");
    let bytes = place
        .api
        .read_bytes("read the migration's log", &path)
        .await
        .ok()?;
    let lines = String::from_utf8_lossy(&bytes).trim_end().to_owned();
    let lines = place.runner.hide(&lines);
    (!lines.is_empty()).then_some(lines)
}

/// The container whose lines say most.
fn speaker(pod: &Value) -> Option<String> {
    let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"]
        .into_iter()
        .flat_map(|list| object::entries(pod, list));
    let failed = statuses
        .into_iter()
        .find(|status| object::number(status, "/state/terminated/exitCode").is_some_and(|code| code != 0));
    let first = object::entries(pod, "/spec/containers").first();
    let name = object::text(failed.or(first)?, "/name");
    (!name.is_empty()).then(|| name.to_owned())
}
