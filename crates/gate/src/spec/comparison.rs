//! A comparison of a canary with a baseline as a gate file describes it.

use std::time::Duration;

use crate::compare::Settings;
use crate::source::Query;

/// A comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Its name, unique among rules and comparisons.
    pub name: String,
    /// The new version.
    pub canary: Arm,
    /// The old one.
    pub baseline: Arm,
    /// It fails when surely worse than this many times the baseline.
    pub fail_ratio: f64,
    /// It passes when surely better than this many times the baseline.
    pub pass_ratio: f64,
    /// The chance of failing a canary that is as good as the baseline; between 0 and 0.5.
    pub alpha: f64,
    /// A share that is surely below this passes whatever the baseline.
    pub ignore_below: f64,
    /// How many intervals it takes.
    pub min_intervals: u32,
    /// How many bad ones it takes to fail.
    pub min_bad: u32,
    /// The length of an interval that is counted.
    pub interval: Duration,
    /// Whether it is only told.
    pub advisory: bool,
}

impl Comparison {
    /// What the statistics take, where so many comparisons share the chance of a false no.
    #[must_use]
    pub fn settings(&self, comparisons: u32) -> Settings {
        Settings {
            fail_ratio: self.fail_ratio,
            pass_ratio: self.pass_ratio,
            alpha: self.alpha,
            min_intervals: self.min_intervals,
            min_bad: self.min_bad,
            ignore_below: self.ignore_below,
            comparisons,
            ..Settings::default()
        }
    }
}

/// One side: two counts of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// The source's index.
    pub source: usize,
    /// How many were bad over an interval.
    pub bad: Query,
    /// How many there were over an interval.
    pub total: Query,
}
