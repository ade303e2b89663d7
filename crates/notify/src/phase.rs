//! How the deploy ended, in a word and in the message's first line. Pure.

use std::time::Duration;

use gha::duration;
use gha::ledger::Entry;
use gha::outcome::Status;

use crate::cli::JobStatus;

/// How the deploy ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It serves.
    Succeeded,
    /// It does not.
    Failed,
    /// The earlier version serves again.
    RolledBack,
    /// A person or a newer run stopped it.
    Cancelled,
}

impl Phase {
    /// The word in outputs and events.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
            Self::Cancelled => "cancelled",
        }
    }

    /// The sign in front of the first line.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Succeeded => "✅",
            Self::Failed => "❌",
            Self::RolledBack => "↩️",
            Self::Cancelled => "⚪",
        }
    }
}

/// How it ended: the job's status where it is given, else the worst entry.
pub(crate) fn phase(status: Option<JobStatus>, entries: &[Entry]) -> Option<Phase> {
    let any = |wanted: Status| entries.iter().any(|entry| entry.status == wanted);
    let failed = if any(Status::RolledBack) && !any(Status::NeedsHuman) {
        Phase::RolledBack
    } else {
        Phase::Failed
    };
    match status {
        Some(JobStatus::Success) => Some(Phase::Succeeded),
        Some(JobStatus::Failure) => Some(failed),
        Some(JobStatus::Cancelled) => Some(Phase::Cancelled),
        None if entries.is_empty() => None,
        None if entries.iter().all(|entry| entry.status.is_good()) => Some(Phase::Succeeded),
        None if any(Status::Cancelled) => Some(Phase::Cancelled),
        None => Some(failed),
    }
}

/// The first line.
pub(crate) fn headline(
    phase: Phase,
    what: &str,
    environment: Option<&str>,
    took: Option<Duration>,
    bad: usize,
) -> String {
    let to = environment.map(|name| format!(" to {name}")).unwrap_or_default();
    let on = environment.map(|name| format!(" on {name}")).unwrap_or_default();
    let time = |word: &str| {
        took.map(|took| format!(" {word} {}", duration::display(took)))
            .unwrap_or_default()
    };
    let line = match phase {
        Phase::Succeeded if bad > 0 => format!("{what} deployed{to}{}, with warnings", time("in")),
        Phase::Succeeded => format!("{what} deployed{to}{}", time("in")),
        Phase::Failed => format!("{what} not deployed{to}: failed{}", time("after")),
        Phase::RolledBack => format!("{what} rolled back{on}{}", time("after")),
        Phase::Cancelled => format!("{what} not deployed{to}: cancelled{}", time("after")),
    };
    format!("{} {}", phase.sign(), line.trim())
}
