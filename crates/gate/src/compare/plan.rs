//! What is asked of a comparison, checked.

use std::time::Duration;

use crate::compare::spending;

/// The settings of one comparison. Shares are from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The canary fails when its rate is surely more than this many times the baseline's. 1 by default: any increase that
    /// is proven. At high traffic small increases are proven too; set 1.5 where they are accepted.
    pub fail_ratio: f64,
    /// The canary passes when its rate is surely less than this many times the baseline's. 2 by default.
    pub pass_ratio: f64,
    /// The chance that a canary as good as it may be (`fail_ratio`) fails, over all looks and comparisons. 0.05 by
    /// default.
    pub alpha: f64,
    /// The chance that a canary at `pass_ratio` passes. 0.02 by default: then one that fails three times as often passes
    /// at most once in 1,000 times, also where failures cluster; at 0.05 that was up to 3.1 times. The price is paid by
    /// good canaries, which pass less often and are inconclusive instead: at 5 requests a second shared by halves 56 %
    /// of equal ones pass (72 % at 0.05), 39 % (55 %) where failures cluster; at 50 a second with a tenth for the
    /// canary 97 % pass with either. `tests/data/compare_characteristics.json` has all figures. Comparisons do not
    /// share it: all must pass, so each is wrong on its own (Berger, "Multiparameter Hypothesis Testing and Acceptance
    /// Sampling", 1982).
    pub pass_alpha: f64,
    /// How many looks are planned, at equal distances; the last is at the end. 5 by default.
    pub looks: u32,
    /// The fewest intervals in which both arms had traffic. 5 by default.
    pub min_intervals: u32,
    /// The fewest bad requests of the canary to fail it. 5 by default.
    pub min_bad: u32,
    /// A canary whose rate is surely below this passes whatever the ratio; 0 is off. 0.001 (0.1 %) by default.
    pub ignore_below: f64,
    /// How many comparisons the gate makes; each gets its part of `alpha` (Bonferroni). 1 by default.
    pub comparisons: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fail_ratio: 1.0,
            pass_ratio: 2.0,
            alpha: 0.05,
            pass_alpha: 0.02,
            looks: 5,
            min_intervals: 5,
            min_bad: 5,
            ignore_below: 0.001,
            comparisons: 1,
        }
    }
}

/// Settings that can't work.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum SettingsError {
    /// It would fail a canary that is as good as the baseline.
    #[error("`fail_ratio` is `{0}`; below 1 it would fail a canary that is as good as the baseline")]
    FailRatio(f64),
    /// Nothing lies between the two ratios.
    #[error("`pass_ratio` is `{pass}`, which must be above `fail_ratio`, `{fail}`")]
    PassRatio {
        /// The ratio to pass.
        pass: f64,
        /// The ratio to fail.
        fail: f64,
    },
    /// No chance, or worse than a coin.
    #[error("`{name}` is `{value}`, which must be above 0 and below 0.5")]
    Alpha {
        /// Which.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// No share.
    #[error("`ignore_below` is `{0}`, which must be at least 0 and below 1 (100 %)")]
    IgnoreBelow(f64),
    /// Too few or too many.
    #[error("`{name}` is `{value}`, which must be from {least} to {most}")]
    Count {
        /// Which.
        name: &'static str,
        /// Its value.
        value: u32,
        /// The least that works.
        least: u32,
        /// The most that makes sense.
        most: u32,
    },
}

impl Settings {
    /// Whether they can work.
    ///
    /// # Errors
    /// The first setting that can't.
    pub fn check(&self) -> Result<(), SettingsError> {
        if !(self.fail_ratio.is_finite() && self.fail_ratio >= 1.0) {
            return Err(SettingsError::FailRatio(self.fail_ratio));
        }
        if !(self.pass_ratio.is_finite() && self.pass_ratio > self.fail_ratio) {
            return Err(SettingsError::PassRatio {
                pass: self.pass_ratio,
                fail: self.fail_ratio,
            });
        }
        for (name, value) in [("alpha", self.alpha), ("pass_alpha", self.pass_alpha)] {
            if !(value > 0.0 && value < 0.5) {
                return Err(SettingsError::Alpha { name, value });
            }
        }
        if !(0.0..1.0).contains(&self.ignore_below) {
            return Err(SettingsError::IgnoreBelow(self.ignore_below));
        }
        for (name, value, least, most) in [
            ("looks", self.looks, 1, 100),
            // Two intervals are the fewest that show how they differ.
            ("min_intervals", self.min_intervals, 2, 100_000),
            ("min_bad", self.min_bad, 1, 1_000_000),
            ("comparisons", self.comparisons, 1, 1_000),
        ] {
            if !(least..=most).contains(&value) {
                return Err(SettingsError::Count {
                    name,
                    value,
                    least,
                    most,
                });
            }
        }
        Ok(())
    }
}

/// A comparison that can be made: [`Plan::look`].
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub(super) settings: Settings,
    /// The level of each look.
    pub(super) levels: Vec<f64>,
}

impl Plan {
    /// Of settings that can work.
    ///
    /// # Errors
    /// As [`Settings::check`].
    pub fn new(settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        let levels = spending::levels(settings.alpha / f64::from(settings.comparisons), settings.looks);
        Ok(Self { settings, levels })
    }

    /// What was set.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// How many looks are due after `elapsed` of a watch of `duration`. A watch without a duration is at its end.
    #[must_use]
    pub fn due(&self, elapsed: Duration, duration: Duration) -> u32 {
        (1..=self.settings.looks)
            .take_while(|look| elapsed.saturating_mul(self.settings.looks) >= duration.saturating_mul(*look))
            .fold(0, |_, look| look)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut Settings)) -> String {
        let mut settings = Settings::default();
        change(&mut settings);
        settings.check().unwrap_err().to_string()
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        assert_eq!(Settings::default().check(), Ok(()));
        for (refused, expected) in [
            (refusal(|s| s.fail_ratio = 0.9), "`fail_ratio` is `0.9`; below 1"),
            (refusal(|s| s.fail_ratio = f64::NAN), "`fail_ratio` is `NaN`"),
            (
                refusal(|s| s.pass_ratio = 1.0),
                "`pass_ratio` is `1`, which must be above `fail_ratio`, `1`",
            ),
            (refusal(|s| s.pass_ratio = f64::INFINITY), "`pass_ratio` is `inf`"),
            (refusal(|s| s.alpha = 0.0), "`alpha` is `0`"),
            (refusal(|s| s.pass_alpha = 0.5), "`pass_alpha` is `0.5`"),
            (refusal(|s| s.ignore_below = 1.0), "`ignore_below` is `1`"),
            (refusal(|s| s.ignore_below = f64::NAN), "`ignore_below` is `NaN`"),
            (
                refusal(|s| s.looks = 0),
                "`looks` is `0`, which must be from 1 to 100",
            ),
            (refusal(|s| s.min_intervals = 1), "`min_intervals` is `1`"),
            (refusal(|s| s.min_bad = 0), "`min_bad` is `0`"),
            (refusal(|s| s.comparisons = 0), "`comparisons` is `0`"),
        ] {
            assert!(refused.starts_with(expected), "{refused}");
        }
    }

    #[test]
    fn looks_are_due_at_equal_distances() {
        let plan = Plan::new(Settings::default()).unwrap();
        let half_hour = Duration::from_secs(1800);
        for (seconds, due) in [
            (0, 0),
            (359, 0),
            (360, 1),
            (719, 1),
            (720, 2),
            (1799, 4),
            (1800, 5),
            (9999, 5),
        ] {
            assert_eq!(
                plan.due(Duration::from_secs(seconds), half_hour),
                due,
                "{seconds}"
            );
        }
        assert_eq!(plan.due(Duration::ZERO, Duration::ZERO), 5);
    }
}
