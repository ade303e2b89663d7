//! Whether a workload is where it was told to be, as `kubectl rollout status` judges it, and for Jobs to their end. A status that is
//! older than the last change says nothing. Pure.

use serde_json::Value;

use crate::object::{Condition, condition, number, shown, text};

/// How far a workload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All of it is there. No pods where none are wanted is that too.
    Ready,
    /// It may get there; what is missing, for people.
    Waiting(String),
    /// It will not get there by itself; why. Holds foreign text, made inert.
    Failed(String),
}

impl Progress {
    /// Whether all of it is there.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        *self == Self::Ready
    }
}

fn waiting(text: impl Into<String>) -> Progress {
    Progress::Waiting(text.into())
}

/// A workload by its kind.
#[must_use]
pub fn of(workload: &Value) -> Progress {
    match text(workload, "/kind") {
        "Deployment" => deployment(workload),
        "StatefulSet" => stateful_set(workload),
        "DaemonSet" => daemon_set(workload),
        "Job" => job(workload),
        kind => Progress::Failed(format!("`{}` is no kind whose progress is known", shown(kind))),
    }
}

/// A Deployment
/// (<https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status>).
///
/// A Deployment that is scaled from none never reaches its own progress deadline: the caller needs one as well.
#[must_use]
pub fn deployment(deployment: &Value) -> Progress {
    if is_stale(deployment) {
        return unseen();
    }
    if let Some(failure) = condition(deployment, "ReplicaFailure").filter(is_true) {
        return Progress::Failed(format!("pods can't be created: {}", told(failure)));
    }
    if let Some(deadline) = condition(deployment, "Progressing")
        && deadline.status == "False"
        && deadline.reason == "ProgressDeadlineExceeded"
    {
        return Progress::Failed(format!("its progress deadline is over: {}", told(deadline)));
    }
    let wanted = number(deployment, "/spec/replicas").unwrap_or(1);
    let [all, updated, available] = counts(deployment, ["replicas", "updatedReplicas", "availableReplicas"]);
    if deployment["spec"]["paused"] == true && updated < all.max(wanted) {
        return Progress::Failed("it is paused, so that no pod is replaced".to_owned());
    }
    if updated < wanted {
        return waiting(format!("{updated} of {wanted} pods updated"));
    }
    if all > updated {
        let old = all - updated;
        return waiting(format!("{old} old {} still to go", pods(old)));
    }
    if updated > wanted {
        let many = updated - wanted;
        return waiting(format!("{many} {} too many still to go", pods(many)));
    }
    if available < wanted {
        return waiting(format!("{available} of {wanted} pods available"));
    }
    Progress::Ready
}

/// A StatefulSet; of one that is updated in parts, the part.
#[must_use]
pub fn stateful_set(set: &Value) -> Progress {
    if is_stale(set) {
        return unseen();
    }
    let wanted = number(set, "/spec/replicas").unwrap_or(1);
    let [all, updated, ready] = counts(set, ["replicas", "updatedReplicas", "readyReplicas"]);
    let partition = number(set, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
    // The server counts the updated ones only while an update is under way.
    let is_updated = text(set, "/status/updateRevision") == text(set, "/status/currentRevision");
    let part = wanted.saturating_sub(partition);
    if !is_updated && updated < part {
        if text(set, "/spec/updateStrategy/type") == "OnDelete" {
            return on_delete();
        }
        return waiting(format!("{updated} of {part} pods updated"));
    }
    if all > wanted {
        let many = all - wanted;
        return waiting(format!("{many} {} too many still to go", pods(many)));
    }
    // Servers before 1.22 did not count the available ones.
    let available = number(set, "/status/availableReplicas").unwrap_or(ready);
    if available < wanted {
        return waiting(format!("{available} of {wanted} pods available"));
    }
    if !is_updated && partition == 0 {
        return waiting("all pods updated; the controller has not closed the update");
    }
    Progress::Ready
}

/// A DaemonSet.
#[must_use]
pub fn daemon_set(set: &Value) -> Progress {
    if is_stale(set) {
        return unseen();
    }
    let [wanted, updated, available] = counts(
        set,
        [
            "desiredNumberScheduled",
            "updatedNumberScheduled",
            "numberAvailable",
        ],
    );
    if updated < wanted {
        if text(set, "/spec/updateStrategy/type") == "OnDelete" {
            return on_delete();
        }
        return waiting(format!("{updated} of {wanted} pods updated"));
    }
    if available < wanted {
        return waiting(format!("{available} of {wanted} pods available"));
    }
    Progress::Ready
}

/// A Job: ready when it has succeeded and its last pod has ended
/// (<https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions>).
#[must_use]
pub fn job(job: &Value) -> Progress {
    let holds = |kind: &str| condition(job, kind).filter(is_true);
    // The second is there earlier: pods are still being ended.
    if let Some(failed) = holds("Failed").or_else(|| holds("FailureTarget")) {
        return Progress::Failed(told(failed));
    }
    if holds("Complete").is_some() {
        return Progress::Ready;
    }
    if holds("SuccessCriteriaMet").is_some() {
        return waiting("succeeded; its last pods end");
    }
    if job["spec"]["suspend"] == true {
        return waiting("suspended: it starts when somebody resumes it");
    }
    let [active, succeeded, failed] = counts(job, ["active", "succeeded", "failed"]);
    let mut text = match number(job, "/spec/completions") {
        Some(wanted) => format!("{active} running, {succeeded} of {wanted} succeeded"),
        None => format!("{active} running, {succeeded} succeeded"),
    };
    if failed > 0 {
        text.push_str(&format!(", {failed} failed"));
    }
    waiting(text)
}

/// Whether the status is from before the last change.
fn is_stale(workload: &Value) -> bool {
    let seen = number(workload, "/status/observedGeneration").unwrap_or(0);
    seen < number(workload, "/metadata/generation").unwrap_or(1)
}

fn unseen() -> Progress {
    waiting("the cluster has not taken up the change yet")
}

fn on_delete() -> Progress {
    Progress::Failed(
        "its update strategy is `OnDelete`: pods change only when somebody deletes them".to_owned(),
    )
}

fn counts<const N: usize>(workload: &Value, names: [&str; N]) -> [u64; N] {
    names.map(|name| number(workload, &format!("/status/{name}")).unwrap_or(0))
}

fn is_true(condition: &Condition<'_>) -> bool {
    condition.status == "True"
}

/// A condition's own words.
fn told(condition: Condition<'_>) -> String {
    match (condition.reason, condition.message) {
        ("", "") => "no reason is given".to_owned(),
        (reason, "") => shown(reason),
        ("", message) => shown(message),
        (reason, message) => format!("{}: {}", shown(reason), shown(message)),
    }
}

fn pods(count: u64) -> &'static str {
    if count == 1 { "pod" } else { "pods" }
}

#[cfg(test)]
mod tests;
