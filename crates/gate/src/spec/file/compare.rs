//! `compare`: a canary against a baseline.

use std::time::Duration;

use crate::spec::file::amounts::{Positive, Share};
use crate::spec::file::leaf::Leaf;
use crate::spec::file::query::Ratio;
use crate::spec::file::read::keys;

keys! {
    /// Compares the share of bad ones of a canary with that of a baseline.
    Compare {
        /// Its name, unique among rules and comparisons.
        #[schemars(required)]
        name: Leaf<String>,
        /// The new version.
        #[schemars(required)]
        canary: Ratio,
        /// The old version, best a fresh instance of it.
        #[schemars(required)]
        baseline: Ratio,
        /// It fails when the canary is surely worse than this many times the baseline. Default: 1.
        fail_ratio: Leaf<Positive>,
        /// It passes when the canary is surely better than this many times the baseline. Default: 2.
        pass_ratio: Leaf<Positive>,
        /// The chance of failing a canary that is as good as the baseline. Default: 0.05.
        alpha: Leaf<Share>,
        /// A canary whose share is surely below this passes whatever the baseline. Default: 0.1%.
        ignore_below: Leaf<Share>,
        /// How many intervals it takes. Default: 5.
        min_intervals: Leaf<u32>,
        /// How many bad ones it takes to fail. Default: 5.
        min_bad: Leaf<u32>,
        /// The length of an interval that is counted. Default: `60s`.
        interval: Leaf<Duration>,
        /// Whether it is only told, and never worsens the verdict. Default: false.
        advisory: Leaf<bool>,
    }
}
