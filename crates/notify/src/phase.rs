//! How the deploy ended, in a word and in the message's first line. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use gha::duration;
use gha::ledger::Entry;
use gha::outcome::Status;

use crate::cli::JobStatus;

/// How far the deploy is, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It has begun.
    Started,
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
            Self::Started => "started",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the new version does not serve because something went wrong.
    #[must_use]
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::RolledBack)
    }

    /// The sign in front of the first line.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Started => "⏳",
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

/// What the first line is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// Service and version.
    pub(crate) what: &'a str,
    /// The environment.
    pub(crate) environment: Option<&'a str>,
    /// How long it took.
    pub(crate) took: Option<Duration>,
    /// Why it went wrong; where that is known it is what a reader must see first.
    pub(crate) cause: Option<&'a str>,
    /// Whether a tool failed all the same.
    pub(crate) warned: bool,
}

/// The first line.
pub(crate) fn headline(phase: Phase, line: &Line<'_>) -> String {
    let what = line.what;
    let to = line
        .environment
        .map(|name| format!(" to {name}"))
        .unwrap_or_default();
    let on = line
        .environment
        .map(|name| format!(" on {name}"))
        .unwrap_or_default();
    let time = |word: &str| {
        line.took
            .map(|took| format!(" {word} {}", duration::display(took)))
            .unwrap_or_default()
    };
    let why = |otherwise: String| line.cause.map_or(otherwise, |cause| format!(": {cause}"));
    let told = match phase {
        Phase::Started => format!("{what} is being deployed{to}"),
        Phase::Succeeded if line.warned => format!("{what} deployed{to}{}, with warnings", time("in")),
        Phase::Succeeded => format!("{what} deployed{to}{}", time("in")),
        Phase::Failed => format!(
            "{what} not deployed{to}{}",
            why(format!(": failed{}", time("after")))
        ),
        Phase::RolledBack => format!("{what} rolled back{on}{}", why(time("after"))),
        Phase::Cancelled => format!("{what} not deployed{to}: cancelled{}", time("after")),
    };
    format!("{} {}", phase.sign(), told.trim())
}
