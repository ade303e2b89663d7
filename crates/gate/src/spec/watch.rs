//! An observation as a gate file describes it.

use std::time::Duration;

use crate::rule::Rule;
use crate::spec::target::Target;

/// How often rules are evaluated where nothing else is said.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// The time between two looks of a probe where no rate is given: one look a second.
pub const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// An observation under rules.
#[derive(Clone, Debug)]
pub struct Watch {
    /// How long.
    pub duration: Duration,
    /// The time at the start that is not judged.
    pub warmup: Duration,
    /// How often rules are evaluated.
    pub interval: Duration,
    /// What the gate itself looks at; [`crate::rule::Subject::Probe`] counts in it.
    pub probes: Vec<Probe>,
    /// The rules.
    pub rules: Vec<Rule>,
}

/// A target that is looked at again and again.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The name that rules use.
    pub name: String,
    /// The target.
    pub target: Target,
    /// From the start of one look to the start of the next.
    pub interval: Duration,
    /// The longest one look may take.
    pub try_timeout: Duration,
}

impl Watch {
    /// The time that is judged.
    #[must_use]
    pub fn judged(&self) -> Duration {
        self.duration.saturating_sub(self.warmup)
    }
}
