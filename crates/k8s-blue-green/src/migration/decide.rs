//! What is to be done about a migration, by what is there of it. Pure.

use std::time::Duration;

use gha::text;
use jiff::Timestamp;
use serde_json::Value;

use super::job::{WAY, Way};
use crate::object;

/// How much of a message is told, in characters.
const SAID: usize = 300;

/// What to do about a migration before it is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Create its Job.
    Create,
    /// Delete the Job of this unique id, then create it anew.
    Again {
        /// The unique id.
        uid: String,
        /// Why.
        why: &'static str,
    },
    /// Wait for the Job that runs.
    Wait,
    /// It was done before.
    Done,
    /// It failed before.
    Failed {
        /// Why, as one line.
        reason: String,
    },
    /// A Job of the name is not this program's.
    Foreign,
}

/// How far a Job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It did what it had to.
    Complete,
    /// It did not.
    Failed(String),
    /// It goes on.
    Runs,
}

/// How far a Job is. Conditions come before the end of its pods; only `Complete` and `Failed` say that they are over
/// (<https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions>).
#[must_use]
pub fn stand(job: &Value) -> Stand {
    let is_true = |kind| object::condition(job, kind).filter(|condition| condition.status == "True");
    if let Some(failed) = is_true("Failed") {
        let said = match (failed.reason, failed.message) {
            ("", "") => "no reason given".to_owned(),
            (reason, "") => reason.to_owned(),
            ("", message) => message.to_owned(),
            (reason, message) => format!("{reason}: {message}"),
        };
        return Stand::Failed(text::cut(&text::line(&said), SAID));
    }
    match is_true("Complete") {
        Some(_) => Stand::Complete,
        None => Stand::Runs,
    }
}

/// Judges the Job of a migration's name, beside all Jobs of what it migrates. A migration that was done and then undone by one of
/// the other direction has to be done again.
#[must_use]
pub fn decide(there: Option<&Value>, all: &[Value], way: Way, retry: bool) -> Decision {
    let Some(job) = there else { return Decision::Create };
    if object::annotation(job, WAY) != Some(way.word()) {
        return Decision::Foreign;
    }
    let again = |why| Decision::Again {
        uid: object::uid(job).to_owned(),
        why,
    };
    if object::is_leaving(job) {
        return again("it is being deleted");
    }
    match stand(job) {
        Stand::Runs => Decision::Wait,
        Stand::Complete if is_undone(job, all, way) => again("it was undone since"),
        Stand::Complete => Decision::Done,
        Stand::Failed(_) if retry => again("it failed before"),
        Stand::Failed(reason) => Decision::Failed { reason },
    }
}

/// Whether one of the other direction was begun after this one ended. One that failed half way counts, too.
fn is_undone(job: &Value, all: &[Value], way: Way) -> bool {
    let time = |job: &Value, pointer| object::text(job, pointer).parse::<Timestamp>().ok();
    let Some(ended) = time(job, "/status/completionTime") else {
        return false;
    };
    all.iter()
        .filter(|other| object::annotation(other, WAY).is_some_and(|word| word != way.word()))
        .filter_map(|other| time(other, "/metadata/creationTimestamp"))
        .any(|begun| begun >= ended)
}

/// Why the pod of a Job can't start, where it will not by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The word for it, such as `ErrImagePull`.
    pub reason: String,
    /// As one line.
    pub text: String,
}

/// Why a pod of a Job waits, and what its containers say. None where it runs, or only starts.
#[must_use]
pub fn stuck(pod: &Value) -> Option<Stuck> {
    for list in ["/status/initContainerStatuses", "/status/containerStatuses"] {
        for status in object::entries(pod, list) {
            let reason = object::text(status, "/state/waiting/reason");
            let is_final = matches!(
                reason,
                "ErrImagePull"
                    | "ImagePullBackOff"
                    | "InvalidImageName"
                    | "ErrImageNeverPull"
                    | "CreateContainerConfigError"
                    | "CreateContainerError"
            );
            if is_final {
                let said = format!(
                    "container `{}` can't start: {reason}: {}",
                    object::text(status, "/name"),
                    object::text(status, "/state/waiting/message")
                );
                return Some(Stuck {
                    reason: reason.to_owned(),
                    text: text::cut(&text::line(said.trim_end_matches([':', ' '])), SAID),
                });
            }
        }
    }
    None
}

/// Whether no container of a pod ever ran.
#[must_use]
pub fn never_ran(pod: &Value) -> bool {
    let ran = |status: &Value| {
        object::number(status, "/restartCount").unwrap_or_default() > 0
            || ["/state/running", "/state/terminated", "/lastState/terminated"]
                .iter()
                .any(|pointer| status.pointer(pointer).is_some_and(|state| !state.is_null()))
    };
    !object::entries(pod, "/status/containerStatuses").iter().any(ran)
}

/// How long a pod may be stuck before that is the end: a registry may be out of reach for a moment.
pub const STUCK: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    fn job(way: &str, condition: &str, made: &str, ended: &str) -> Value {
        json!({
            "metadata": {"uid": "1", "creationTimestamp": made, "annotations": {WAY: way}},
            "status": {"completionTime": ended, "conditions": [{"type": condition, "status": "True", "reason": "R", "message": "m\n::x"}]},
        })
    }

    #[test]
    fn what_is_there_decides() {
        let at = |hour: u8| format!("2026-01-01T{hour:02}:00:00Z");
        let done = job("up", "Complete", &at(1), &at(2));
        let failed = job("up", "Failed", &at(1), "");
        let running = job("up", "SuccessCriteriaMet", &at(1), "");
        let again = |why| Decision::Again {
            uid: "1".to_owned(),
            why,
        };
        let mut leaving = done.clone();
        leaving["metadata"]["deletionTimestamp"] = at(3).into();
        let undone = [job("down", "Failed", &at(2), ""), done.clone()];
        let earlier = [job("down", "Complete", &at(0), &at(1)), done.clone()];
        for (there, all, retry, expected) in [
            (None, &[][..], false, Decision::Create),
            (Some(&done), &earlier, false, Decision::Done),
            (Some(&done), &undone, false, again("it was undone since")),
            (Some(&running), &[], false, Decision::Wait),
            (
                Some(&failed),
                &[],
                false,
                Decision::Failed {
                    reason: "R: m\\n::x".to_owned(),
                },
            ),
            (Some(&failed), &[], true, again("it failed before")),
            (Some(&leaving), &[], false, again("it is being deleted")),
            (Some(&json!({"metadata": {}})), &[], true, Decision::Foreign),
        ] {
            assert_eq!(decide(there, all, Way::Up, retry), expected);
        }
        assert_eq!(decide(Some(&done), &[], Way::Down, false), Decision::Foreign);
    }

    #[test]
    fn a_pod_that_can_not_start_says_why() {
        let pod = json!({"status": {"containerStatuses": [{"name": "web", "restartCount": 0, "state": {"waiting": {"reason": "ErrImagePull", "message": "no such tag"}}}]}});
        assert_eq!(
            stuck(&pod).unwrap().text,
            "container `web` can't start: ErrImagePull: no such tag"
        );
        assert!(never_ran(&pod));
        let pod = json!({"status": {"containerStatuses": [{"state": {"running": {}}}]}});
        assert!(stuck(&pod).is_none() && !never_ran(&pod));
    }

    proptest! {
        #[test]
        fn any_json_is_judged(bytes in any::<Vec<u8>>(), word in any::<String>()) {
            let value: Value = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!({
                "metadata": {"annotations": {WAY: "up"}, "creationTimestamp": word},
                "status": {"completionTime": word, "conditions": [{"type": word}, 5, {"type": "Complete", "status": "True"}], "containerStatuses": [{"state": word}]},
            }));
            let _ = (decide(Some(&value), std::slice::from_ref(&value), Way::Up, true), stuck(&value), never_ran(&value));
        }
    }
}
