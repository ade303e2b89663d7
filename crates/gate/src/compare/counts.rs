//! What both arms report.

use std::iter::Sum;
use std::ops::Add;

/// How many were bad among how many. Metric sources extrapolate, so counts need not be whole.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    bad: f64,
    total: f64,
}

/// Counts that can't be.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("`{bad}` bad of `{total}` can't be: counts are finite and not negative")]
pub struct CountsError {
    bad: f64,
    total: f64,
}

/// What both arms report of the same span of time. An arm without traffic has a total of zero.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Interval {
    /// The new version.
    pub canary: Counts,
    /// The old version.
    pub baseline: Counts,
}

impl Counts {
    /// Counts of one interval. More bad than total, which extrapolation can make of equal ones, is all bad.
    ///
    /// # Errors
    /// When a count is negative, infinite or NaN.
    pub fn new(bad: f64, total: f64) -> Result<Self, CountsError> {
        let possible = |count: f64| count.is_finite() && count >= 0.0;
        if possible(bad) && possible(total) {
            Ok(Self {
                bad: bad.min(total),
                total,
            })
        } else {
            Err(CountsError { bad, total })
        }
    }

    /// How many were bad.
    #[must_use]
    pub fn bad(self) -> f64 {
        self.bad
    }

    /// How many there were.
    #[must_use]
    pub fn total(self) -> f64 {
        self.total
    }

    /// The share of the bad, from 0 to 1; nothing without traffic.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        self.has_traffic().then(|| self.bad / self.total)
    }

    /// Whether there was any traffic.
    #[must_use]
    pub fn has_traffic(self) -> bool {
        self.total > 0.0
    }
}

impl Interval {
    /// Whether both arms had traffic. Only then do they tell something about each other.
    #[must_use]
    pub fn compares(&self) -> bool {
        self.canary.has_traffic() && self.baseline.has_traffic()
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            bad: self.bad + other.bad,
            total: self.total + other.total,
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_counts_are_refused() {
        for (bad, total) in [(-1.0, 5.0), (1.0, -5.0), (f64::NAN, 5.0), (0.0, f64::INFINITY)] {
            assert!(Counts::new(bad, total).is_err(), "{bad} {total}");
        }
        let text = Counts::new(-1.0, 5.0).unwrap_err().to_string();
        assert_eq!(
            text,
            "`-1` bad of `5` can't be: counts are finite and not negative"
        );
    }

    #[test]
    fn rates() {
        assert_eq!(Counts::new(3.0, 12.0).unwrap().rate(), Some(0.25));
        assert_eq!(Counts::new(4.2, 4.1).unwrap().rate(), Some(1.0), "extrapolated");
        assert_eq!(
            Counts::new(0.0, 0.0).unwrap().rate(),
            None,
            "no traffic is no rate"
        );
    }
}
