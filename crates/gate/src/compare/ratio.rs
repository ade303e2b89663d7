//! The ratio of two rates and how sure it is.
//!
//! Bad requests are counted as Poisson's, but with the variance that the intervals show: failures come in clusters, and
//! a test that takes them as independent calls every second cluster a difference. The dispersion is Pearson's chi-squared
//! over its degrees of freedom, at least 1, and the ratio's logarithm over its error is held to Student's t (McCullagh
//! and Nelder, "Generalized Linear Models", 2nd edition, 1989, sections 4.5.2 and 6.2.3). Half a bad request is added to
//! each arm (Haldane and Anscombe), so that none at all has a ratio too.

use crate::compare::{Counts, Interval};
use crate::stats::student;

/// What the intervals say about the ratio of canary to baseline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The ratio's natural logarithm.
    pub ln: f64,
    /// Its standard error.
    pub error: f64,
    /// How many times the variance of independent failures the intervals show; at least 1.
    pub dispersion: f64,
    /// Degrees of freedom of the dispersion.
    pub freedom: f64,
}

impl Ratio {
    /// Of intervals in which both arms had traffic; nothing of fewer than two.
    #[must_use]
    pub fn of(intervals: &[Interval]) -> Option<Self> {
        let compared = || intervals.iter().filter(|interval| interval.compares());
        let canary: Counts = compared().map(|interval| interval.canary).sum();
        let baseline: Counts = compared().map(|interval| interval.baseline).sum();
        let many = compared().fold(0.0, |count, _| count + 1.0);
        if many < 2.0 {
            return None;
        }
        let freedom = 2.0 * (many - 1.0);
        let chi_squared = pearson(compared().map(|interval| interval.canary), canary)
            + pearson(compared().map(|interval| interval.baseline), baseline);
        let dispersion = (chi_squared / freedom).max(1.0);
        let (a, b) = (canary.bad() + 0.5, baseline.bad() + 0.5);
        Some(Self {
            ln: (a / canary.total()).ln() - (b / baseline.total()).ln(),
            error: (dispersion * (1.0 / a + 1.0 / b)).sqrt(),
            dispersion,
            freedom,
        })
    }

    /// The ratio itself.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.ln.exp()
    }

    /// How likely a ratio as high as this one is when the true one is `ratio`: one-sided.
    #[must_use]
    pub fn chance_of_higher(&self, ratio: f64) -> f64 {
        student::sf((self.ln - ratio.ln()) / self.error, self.freedom)
    }

    /// How likely a ratio as low as this one is when the true one is `ratio`: one-sided.
    #[must_use]
    pub fn chance_of_lower(&self, ratio: f64) -> f64 {
        student::cdf((self.ln - ratio.ln()) / self.error, self.freedom)
    }

    /// The ratio that the true one is above, but for the chance `alpha`.
    #[must_use]
    pub fn lower(&self, alpha: f64) -> f64 {
        (self.ln - student::quantile_above(alpha, self.freedom) * self.error).exp()
    }

    /// The ratio that the true one is below, but for the chance `alpha`.
    #[must_use]
    pub fn upper(&self, alpha: f64) -> f64 {
        (self.ln + student::quantile_above(alpha, self.freedom) * self.error).exp()
    }
}

/// Pearson's chi-squared of one arm around its own rate.
fn pearson(counts: impl Iterator<Item = Counts>, sum: Counts) -> f64 {
    if sum.bad() <= 0.0 {
        return 0.0;
    }
    let rate = sum.bad() / sum.total();
    counts
        .map(|counts| {
            let mean = rate * counts.total();
            (counts.bad() - mean).powi(2) / mean
        })
        .sum()
}
