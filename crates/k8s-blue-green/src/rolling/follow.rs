//! Follows a rollout, as a function of what was seen and of time. Nothing is read or written here.
//!
//! What decides are the workload's own counts and its new pods. All times count from the start of the run, on the runner's clock.

use std::collections::BTreeMap;
use std::time::Duration;

use gha::duration;
use serde_json::Value;

use super::progress::{self, Progress};
use crate::api::Refused;
use crate::diagnose::pod::{self, Trouble, Verdict};
use crate::object;
use crate::workload::Sort;

/// How often the API may deny in a row before that is believed.
const DENIALS: u32 = 3;

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From one look to the next.
    pub poll: Duration,
    /// How long it must stay ready.
    pub settle: Duration,
    /// How long the whole may take, without [`Limits::settle`] of a rollout that was ready in time.
    pub timeout: Duration,
    /// How long something that waiting is not likely to mend is left to mend itself.
    pub grace: Duration,
    /// How long pods may find no node.
    pub unschedulable: Duration,
    /// How long the API may be out of reach.
    pub api: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(2),
            settle: Duration::from_secs(10),
            timeout: Duration::from_secs(10 * 60),
            grace: Duration::from_secs(20),
            unschedulable: Duration::from_secs(5 * 60),
            api: Duration::from_secs(5 * 60),
        }
    }
}

/// What is followed.
#[derive(Clone, Debug, PartialEq)]
pub struct Ours {
    /// The kind of workload.
    pub sort: Sort,
    /// Its unique id.
    pub uid: String,
    /// The template that this run gave it, as the server has it.
    pub template: Value,
}

/// What one look saw.
#[derive(Clone, Copy, Debug)]
pub enum Look<'a> {
    /// The workload, and its pods of the new template as far as they are known.
    Seen(&'a Value, &'a [Value]),
    /// There is none any more.
    Gone,
    /// The API could not be asked.
    Unreadable(&'a Refused),
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Look again after this time.
    Wait(Duration),
    /// It is ready, and stayed so, with so many pods.
    Ready(u64),
    /// It failed.
    Failed {
        /// The kind.
        why: Why,
        /// Why, as one line.
        reason: String,
    },
    /// Somebody else changed the workload, in words.
    Foreign(String),
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// Pods do not come up.
    Pods,
    /// Pods can't be made.
    Blocked,
    /// The workload's own deadline.
    Deadline,
    /// The time is over.
    Timeout,
    /// The API was out of reach for too long: how the rollout went is not known.
    Unreadable,
    /// Credentials ended or permissions went away: how the rollout went is not known.
    Access,
}

/// A decision, and a line to show before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What to do.
    pub decision: Decision,
    /// What is new.
    pub note: Option<String>,
}

/// Something that is wrong, and since when.
#[derive(Clone, Copy, Debug)]
struct Sick {
    since: Duration,
    seen: u32,
}

/// What was seen so far.
#[derive(Clone, Debug)]
pub struct State {
    ours: Ours,
    limits: Limits,
    started: Duration,
    /// When the API last answered.
    answered: Duration,
    denials: u32,
    ready_since: Option<Duration>,
    sick: BTreeMap<String, Sick>,
    /// What is wrong with the worst pod, for a time that is over.
    worst: Option<String>,
    told: String,
    far: String,
}

impl State {
    /// Begins to follow.
    #[must_use]
    pub fn new(ours: Ours, limits: Limits, now: Duration) -> Self {
        Self {
            ours,
            limits,
            started: now,
            answered: now,
            denials: 0,
            ready_since: None,
            sick: BTreeMap::new(),
            worst: None,
            told: String::new(),
            far: "nothing was seen of it".to_owned(),
        }
    }

    /// What a look at this time means.
    pub fn next(&mut self, look: Look<'_>, now: Duration) -> Step {
        match look {
            Look::Gone => just(Decision::Foreign("it was deleted meanwhile".to_owned())),
            Look::Unreadable(refused) => self.unreadable(refused, now),
            Look::Seen(workload, pods) => {
                (self.answered, self.denials) = (now, 0);
                match self.foreign(workload) {
                    Some(words) => just(Decision::Foreign(words)),
                    None => self.seen(workload, pods, now),
                }
            }
        }
    }

    /// Whether the workload is no longer as this run left it.
    fn foreign(&self, workload: &Value) -> Option<String> {
        if object::uid(workload) != self.ours.uid {
            return Some("it was deleted and made again meanwhile".to_owned());
        }
        if object::is_leaving(workload) {
            return Some("it is being deleted".to_owned());
        }
        if workload.pointer("/spec/template") != Some(&self.ours.template) {
            return Some("its pod template was changed meanwhile by somebody else".to_owned());
        }
        None
    }

    fn seen(&mut self, workload: &Value, pods: &[Value], now: Duration) -> Step {
        let progress = progress::of(self.ours.sort, workload);
        if let Progress::Ready(count) = progress {
            self.sick.clear();
            self.worst = None;
            let since = *self.ready_since.get_or_insert(now);
            // There is nothing to stay ready.
            if count == 0 || now.saturating_sub(since) >= self.limits.settle {
                return just(Decision::Ready(count));
            }
            let note = self.tell(format!("{count} of {count} pods are ready"));
            let left = self.limits.settle.saturating_sub(now.saturating_sub(since));
            return Step {
                decision: Decision::Wait(self.limits.poll.min(left)),
                note,
            };
        }
        self.ready_since = None;
        let failed = |why, reason: String| just(Decision::Failed { why, reason });
        let pod = self.pods(pods, now);
        let words = match progress {
            Progress::Failed(reason) => {
                let reason = match &self.worst {
                    Some(worst) => format!("{worst}; {reason}"),
                    None => reason,
                };
                return failed(Why::Deadline, reason);
            }
            Progress::Blocked(reason) => {
                if self.is_over("the workload", now, self.limits.grace) {
                    return failed(Why::Blocked, reason);
                }
                reason
            }
            Progress::Waiting(words) => {
                self.sick.remove("the workload");
                words
            }
            Progress::Ready(_) => String::new(),
        };
        if let Some(reason) = pod {
            return failed(Why::Pods, reason);
        }
        self.far.clone_from(&words);
        let waited = now.saturating_sub(self.started);
        if waited >= self.limits.timeout {
            return self.late(&words);
        }
        let note = match &self.worst {
            Some(worst) => self.tell(format!("{words}; {worst}")),
            None => self.tell(words),
        };
        Step {
            decision: Decision::Wait(self.limits.poll.min(self.limits.timeout.saturating_sub(waited))),
            note,
        }
    }

    fn late(&self, words: &str) -> Step {
        let after = duration::display(self.limits.timeout);
        let worst = self
            .worst
            .as_ref()
            .map(|worst| format!("; {worst}"))
            .unwrap_or_default();
        just(Decision::Failed {
            why: Why::Timeout,
            reason: format!("it is not ready after {after}: {words}{worst}"),
        })
    }

    /// Judges the new pods; why one of them is a failure already.
    fn pods(&mut self, pods: &[Value], now: Duration) -> Option<String> {
        let mut verdicts: Vec<Verdict> = pods.iter().map(pod::verdict).collect();
        verdicts.sort_by(|one, other| (one.trouble, &one.pod).cmp(&(other.trouble, &other.pod)));
        let told = |verdict: &Verdict| format!("pod `{}`: {}", verdict.pod, verdict.why());
        self.worst = verdicts
            .first()
            .filter(|worst| worst.trouble <= Trouble::Unready)
            .map(told);
        let is_sick =
            |verdict: &&Verdict| verdict.trouble.is_certain() || verdict.trouble == Trouble::Unschedulable;
        let sick: Vec<&Verdict> = verdicts.iter().filter(is_sick).collect();
        self.sick
            .retain(|key, _| key == "the workload" || sick.iter().any(|verdict| verdict.uid == *key));
        let limits = self.limits;
        let mut failed = None;
        for verdict in sick {
            let limit = if verdict.trouble == Trouble::Unschedulable {
                limits.unschedulable
            } else {
                limits.grace
            };
            if self.is_over(&verdict.uid, now, limit) && failed.is_none() {
                failed = Some(told(verdict));
            }
        }
        failed
    }

    /// Whether something has been wrong for so long, seen twice at least.
    fn is_over(&mut self, key: &str, now: Duration, limit: Duration) -> bool {
        let sick = self
            .sick
            .entry(key.to_owned())
            .or_insert(Sick { since: now, seen: 0 });
        sick.seen += 1;
        sick.seen >= 2 && now.saturating_sub(sick.since) >= limit
    }

    fn unreadable(&mut self, refused: &Refused, now: Duration) -> Step {
        let silent = now.saturating_sub(self.answered);
        let failed = |why, reason| just(Decision::Failed { why, reason });
        if refused.is_access() {
            self.denials += 1;
            if self.denials >= DENIALS {
                return failed(Why::Access, refused.to_string());
            }
        }
        if silent >= self.limits.api {
            let since = duration::display(silent);
            return failed(
                Why::Unreadable,
                format!("the API could not be asked for {since}: {refused}"),
            );
        }
        if now.saturating_sub(self.started) >= self.limits.timeout.saturating_add(self.limits.api) {
            return self.late(&self.far);
        }
        Step {
            decision: Decision::Wait(self.limits.poll),
            note: self.tell(refused.to_string()),
        }
    }

    /// A line, unless it is the last one again.
    fn tell(&mut self, line: String) -> Option<String> {
        if self.told == line {
            return None;
        }
        self.told.clone_from(&line);
        Some(line)
    }
}

fn just(decision: Decision) -> Step {
    Step { decision, note: None }
}

#[cfg(test)]
mod tests;
