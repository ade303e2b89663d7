//! How bad it is, and for whom. Pure.

use clap::ValueEnum;
use gha::ledger::Entry;
use gha::outcome::Status;

use crate::phase::Phase;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Severity {
    /// Good to know: it went well.
    Low,
    /// The earlier version serves again by itself, or a person stopped it.
    Medium,
    /// The deploy failed.
    High,
    /// A person must act now.
    Critical,
}

impl Severity {
    /// The word in outputs and events.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// How bad an end is, where nobody says it.
#[must_use]
pub fn of(phase: Phase, entries: &[Entry]) -> Severity {
    let needs_human = entries.iter().any(|entry| entry.status == Status::NeedsHuman);
    match phase {
        Phase::Failed | Phase::Cancelled if needs_human => Severity::Critical,
        Phase::Failed => Severity::High,
        Phase::RolledBack | Phase::Cancelled => Severity::Medium,
        Phase::Started | Phase::Succeeded => Severity::Low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::entry;

    #[test]
    fn who_must_act_is_told_so() {
        let bad = |status: &str| vec![entry("ecs-deploy", status, "x")];
        for (phase, entries, severity) in [
            (Phase::Succeeded, vec![], Severity::Low),
            (Phase::RolledBack, bad("rolled-back"), Severity::Medium),
            (Phase::Failed, bad("failed"), Severity::High),
            (Phase::Failed, bad("needs-human"), Severity::Critical),
            (Phase::Cancelled, bad("needs-human"), Severity::Critical),
            (Phase::Cancelled, vec![], Severity::Medium),
        ] {
            assert_eq!(of(phase, &entries), severity, "{phase:?}");
        }
    }
}
