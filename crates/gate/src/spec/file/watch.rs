//! `watch`: an observation under rules.

use std::time::Duration;

use crate::spec::file::leaf::Leaf;
use crate::spec::file::read::{Named, keys};
use crate::spec::file::rules::{Presets, Rule, Signal};
use crate::spec::file::targets::Probe;

keys! {
    /// Observes for a time, under rules.
    Watch {
        /// How long.
        #[schemars(required)]
        duration: Leaf<Duration>,
        /// The time at the start that is not judged. Default: `0s`.
        warmup: Leaf<Duration>,
        /// How often rules are evaluated, at least `100ms`. Default: `5s`.
        interval: Leaf<Duration>,
        /// A target that the gate itself looks at: the probe named `probe`.
        probe: Box<Probe>,
        /// Several of them, by name.
        probes: Named<Probe>,
        /// What rules and presets name in `from`. Presets look for `errors`, `latency`, `server-errors`, `crashes` and
        /// `health`.
        signals: Named<Signal>,
        /// Rules that come with the program; a preset, or a list of them.
        preset: Presets,
        /// The rules.
        rules: Vec<Rule>,
    }
}
