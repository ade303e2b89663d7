//! What a wait came to: its targets, and the sentence that says why. Pure.

use std::time::Duration;

use crate::finding::{FaultKind, Finding};
use crate::probe::Look;
use crate::until_ready::{End, Ending};
use crate::verdict::Verdict;
use crate::wait::Until;
use gha::{duration, text};
use serde::Serialize;

use super::record::{Record, Target};
use super::to_millis;
use super::tries::Try;

/// How many other targets a reason names.
const NAMED: usize = 5;

/// A wait in a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WaitReport {
    /// Its verdict.
    pub verdict: Verdict,
    /// One line: what held, or what was seen last.
    pub reason: String,
    /// `all` or `any`.
    pub until: &'static str,
    /// `ready`, `timed-out`, `too-late`, `gave-up`, `trouble`, or `cut` for a run that was cancelled.
    pub end: &'static str,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The targets.
    pub targets: Vec<TargetReport>,
}

/// A target in a report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetReport {
    /// Its name.
    pub name: String,
    /// What was looked at, without secrets.
    pub address: String,
    /// Whether it was ready at the end.
    pub ready: bool,
    /// How many tries were made.
    pub tries: u32,
    /// How often it was good and fell back.
    pub flaps: u32,
    /// Good tries in a row, at the end.
    pub streak: u32,
    /// What was seen last: `good`, or what was wrong.
    pub reason: String,
    /// Where the time of the last look went.
    pub phases: PhasesReport,
    /// Whole days until the first certificate of the last look's chain ends; negative where one has ended, see
    /// [`crate::net::certificate::Chain::days_left`].
    pub days_left: Option<i64>,
    /// The last answer, if there was one.
    pub answer: Option<Answer>,
    /// The tries: of many the first, the last, and those at which something changed.
    pub attempts: Vec<Try>,
}

/// Where the time of a look went, in milliseconds. What a look had no use for is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PhasesReport {
    /// Resolving the name.
    pub dns_ms: Option<f64>,
    /// Opening the connection.
    pub connect_ms: Option<f64>,
    /// The TLS handshake.
    pub tls_ms: Option<f64>,
    /// From the request to the first byte of the answer.
    pub first_byte_ms: Option<f64>,
    /// All of it.
    pub total_ms: Option<f64>,
}

/// The beginning of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Its HTTP status, if it has one.
    pub status: Option<u16>,
    /// Its beginning. Foreign text, known secrets hidden.
    pub excerpt: String,
}

impl WaitReport {
    /// A wait that ended, or was cut off for this reason after so long.
    #[must_use]
    pub fn of(record: &Record, until: Until, ended: Result<&Ending, (&str, Duration)>) -> Self {
        let took = match ended {
            Ok(ending) => ending.took,
            Err((_, took)) => took,
        };
        let is_ready = |index: usize, target: &Target| match ended {
            Ok(ending) => ending.ready.get(index).copied().unwrap_or_default(),
            Err(_) => target.is_ready(),
        };
        let targets = record.targets().iter().enumerate();
        Self {
            verdict: match ended.map(|ending| &ending.end) {
                Ok(End::Ready) => Verdict::Pass,
                Ok(End::Trouble { .. }) => Verdict::Error,
                Ok(_) => Verdict::Fail,
                Err(_) => Verdict::Inconclusive,
            },
            reason: match ended {
                Ok(ending) => reason(record, until, ending),
                Err((why, _)) => format!("{why} after {}", tries(record.attempts())),
            },
            until: match until {
                Until::All => "all",
                Until::Any => "any",
            },
            end: match ended.map(|ending| &ending.end) {
                Ok(End::Ready) => "ready",
                Ok(End::TimedOut { .. }) => "timed-out",
                Ok(End::TooLate { .. }) => "too-late",
                Ok(End::GaveUp { .. }) => "gave-up",
                Ok(End::Trouble { .. }) => "trouble",
                Err(_) => "cut",
            },
            duration_ms: to_millis(took),
            targets: targets
                .map(|(index, target)| TargetReport::of(target, is_ready(index, target)))
                .collect(),
        }
    }
}

impl TargetReport {
    fn of(target: &Target, ready: bool) -> Self {
        let latest = target.latest.as_ref();
        let look = latest.map(|attempt| &attempt.look);
        let phase = |phase: Option<Duration>| phase.map(|time| time.as_secs_f64() * 1000.0);
        Self {
            name: target.name.clone(),
            address: target.address.clone(),
            ready,
            tries: target.tries.count(),
            flaps: target.flaps,
            streak: latest.map_or(0, |attempt| attempt.streak),
            reason: look.map_or_else(|| "nothing was seen".to_owned(), last_words),
            phases: latest.map_or_else(PhasesReport::default, |attempt| PhasesReport {
                dns_ms: phase(attempt.look.phases.dns),
                connect_ms: phase(attempt.look.phases.connect),
                tls_ms: phase(attempt.look.phases.tls),
                first_byte_ms: phase(attempt.look.phases.first_byte),
                total_ms: phase(Some(attempt.took)),
            }),
            days_left: look.and_then(|look| look.days_left),
            answer: look.and_then(|look| {
                look.excerpt.clone().map(|excerpt| Answer {
                    status: look.status,
                    excerpt,
                })
            }),
            attempts: target.tries.kept().to_vec(),
        }
    }
}

/// Tries, counted in words.
#[must_use]
pub fn tries(count: u32) -> String {
    if count == 1 {
        "1 try".to_owned()
    } else {
        format!("{count} tries")
    }
}

/// Why the wait ended, as one line.
fn reason(record: &Record, until: Until, ending: &Ending) -> String {
    let targets = record.targets();
    let took = duration::display(ending.took);
    let all = tries(record.attempts());
    let ready = |index: usize| ending.ready.get(index).copied().unwrap_or_default();
    let named = |wanted: bool| -> Vec<String> {
        (0..targets.len())
            .filter(|index| ready(*index) == wanted)
            .map(|index| text::visible(&targets[index].name))
            .collect()
    };
    let ended_by = match &ending.end {
        End::Ready => {
            return match (targets.len(), until) {
                (0 | 1, _) => format!("ready after {all} in {took}"),
                (n, Until::All) => format!("all {n} targets are ready after {all} in {took}"),
                (n, Until::Any) => {
                    format!(
                        "{} after {all} in {took}; any of {n} is enough",
                        are(named(true), "ready")
                    )
                }
            };
        }
        End::TimedOut { target } | End::TooLate { target, .. } => *target,
        End::GaveUp { target } | End::Trouble { target, .. } => *target,
    };
    let said = sentence(targets.get(ended_by), ending, &took);
    if targets.len() < 2 {
        return said;
    }
    let mut said = format!("{} is {said}", text::visible(&targets[ended_by].name));
    let others: Vec<&Target> = (0..targets.len())
        .filter(|index| !ready(*index) && *index != ended_by)
        .map(|index| &targets[index])
        .collect();
    for other in others.iter().take(NAMED) {
        let last = other.latest.as_ref().map_or_else(
            || "nothing was seen".to_owned(),
            |attempt| last_words(&attempt.look),
        );
        said.push_str(&format!("; {} is not ready: {last}", text::visible(&other.name)));
    }
    if others.len() > NAMED {
        let more = others.len() - NAMED;
        let are = if more == 1 { "is" } else { "are" };
        said.push_str(&format!("; {more} more {are} not ready"));
    }
    let ready = named(true);
    if !ready.is_empty() {
        said.push_str(&format!("; {}", were(ready)));
    }
    said
}

/// What is to say of the target that ended the wait.
fn sentence(target: Option<&Target>, ending: &Ending, took: &str) -> String {
    let latest = target.and_then(|target| target.latest.as_ref());
    let count = tries(target.map_or(0, |target| target.tries.count()));
    let last = latest.map_or_else(
        || "nothing was seen".to_owned(),
        |attempt| last_words(&attempt.look),
    );
    let flaps = match target.map_or(0, |target| target.flaps) {
        0 => String::new(),
        1 => "; it was good once and fell back".to_owned(),
        n => format!("; it was good and fell back {n} times"),
    };
    match &ending.end {
        End::Trouble { trouble, .. } => format!(
            "not measured after {count} in {took}: {}",
            text::visible(&trouble.reason)
        ),
        End::GaveUp { .. } => {
            format!("not ready after {count} in {took}: {last}; such an answer is not waited on")
        }
        End::TooLate { missing, left, .. } => format!(
            "not ready after {count} in {took}: {last}; {missing} more good tries in a row do not fit into the {} \
             left{flaps}",
            duration::display(*left)
        ),
        End::TimedOut { .. } | End::Ready => format!("not ready after {count} in {took}: {last}{flaps}"),
    }
}

/// What was seen last. Of an error page its own words too: they are what the person on call looks for.
fn last_words(look: &Look) -> String {
    let said = look
        .excerpt
        .as_deref()
        .map(str::trim)
        .filter(|said| !said.is_empty());
    let reason = text::visible(look.finding.text());
    match (&look.finding, said) {
        (Finding::Bad(fault), Some(said)) if fault.kind == FaultKind::Status => {
            format!("{reason}; it said `{}`", text::cut(&text::visible(said), 160))
        }
        _ => reason,
    }
}

fn are(names: Vec<String>, what: &str) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb} {what}", listed(names))
}

fn were(names: Vec<String>) -> String {
    let verb = if names.len() == 1 { "was" } else { "were" };
    format!("{} {verb} ready", listed(names))
}

fn listed(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", names.join(", "))
}
