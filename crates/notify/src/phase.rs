//! How the deploy ended, in a word and in the message's first line. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use gha::duration;
use gha::ledger::Entry;
use gha::outcome::Status;

use crate::cli::JobStatus;
use crate::stands::{Stands, stands, was_stopped, went_well};

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

/// How it ended: the job's status where it is given, else the worst entry. A job is successful although a step with
/// `continue-on-error` failed, so where a tool knows that the new version does not serve, it counts more. A job
/// that was skipped did nothing, unless a tool failed before it.
pub(crate) fn phase(status: Option<JobStatus>, entries: &[Entry]) -> Option<Phase> {
    let any = |wanted: Status| entries.iter().any(|entry| entry.status == wanted);
    let all_well = entries.iter().all(went_well);
    let failed = if any(Status::RolledBack) && !any(Status::NeedsHuman) {
        Phase::RolledBack
    } else {
        Phase::Failed
    };
    let gave_up = |entry: &Entry| entry.status == Status::RolledBack && !went_well(entry);
    match status {
        Some(JobStatus::Success) if all_well => Some(Phase::Succeeded),
        Some(JobStatus::Success) if any(Status::NeedsHuman) || entries.iter().any(gave_up) => Some(failed),
        Some(JobStatus::Success) if stands(entries) == Stands::Before => Some(failed),
        Some(JobStatus::Success) if was_stopped(entries) => Some(Phase::Cancelled),
        Some(JobStatus::Success) => Some(Phase::Succeeded),
        Some(JobStatus::Failure) => Some(failed),
        Some(JobStatus::Cancelled) => Some(Phase::Cancelled),
        Some(JobStatus::Skipped) if all_well => Some(Phase::Cancelled),
        None if entries.is_empty() => None,
        None if all_well => Some(Phase::Succeeded),
        None | Some(JobStatus::Skipped) if any(Status::Cancelled) => Some(Phase::Cancelled),
        None | Some(JobStatus::Skipped) => Some(failed),
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
    /// Whether it was a way back that somebody had asked for.
    pub(crate) is_way_back: bool,
    /// What stands.
    pub(crate) stands: Stands,
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
    let of = Some(what).filter(|what| !what.is_empty());
    let of = of.map(|what| format!(" of {what}")).unwrap_or_default();
    // What is not known is not claimed: there may be a step of which no tool knows.
    let (stays, in_part) = match line.stands {
        Stands::New => (", not rolled back", " in part"),
        Stands::Before | Stands::Unknown => ("", ""),
    };
    let told = match phase {
        Phase::Started => format!("{what} is being deployed{to}"),
        Phase::Succeeded if line.is_way_back => format!("{what} rolled back{on}{}", time("in")),
        Phase::Succeeded if line.warned => format!("{what} deployed{to}{}, with warnings", time("in")),
        Phase::Succeeded => format!("{what} deployed{to}{}", time("in")),
        Phase::Failed if line.stands == Stands::Before => format!(
            "{what} not deployed{to}{}",
            why(format!(": failed{}", time("after")))
        ),
        Phase::Failed => match line.cause {
            Some(cause) => format!("deploy{of}{to} failed{stays}: {cause}"),
            None => format!("deploy{of}{to} failed{}{stays}", time("after")),
        },
        Phase::RolledBack => format!("{what} rolled back{on}{in_part}{}", why(time("after"))),
        Phase::Cancelled if line.stands == Stands::Before => {
            format!("{what} not deployed{to}: cancelled{}", time("after"))
        }
        Phase::Cancelled => format!("deploy{of}{to} cancelled{}{stays}", time("after")),
    };
    format!("{} {}", phase.sign(), told.trim())
}
