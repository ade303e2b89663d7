//! The binomial distribution: how likely so many of so many are.

use crate::stats::beta;

/// `P(X >= count)` among `trials` of the chance `p` each ([DLMF 8.17.5](https://dlmf.nist.gov/8.17#E5)).
#[must_use]
pub fn at_least(count: u64, trials: u64, p: f64) -> f64 {
    match count {
        0 => 1.0,
        _ if count > trials => 0.0,
        _ => beta::cdf(real(count), real(trials - count) + 1.0, p),
    }
}

/// `P(X <= count)`.
#[must_use]
pub fn at_most(count: u64, trials: u64, p: f64) -> f64 {
    if count >= trials {
        1.0
    } else {
        beta::sf(real(count) + 1.0, real(trials - count), p)
    }
}

/// A count as a number; above 2^53 its last digits are lost, which no bound here would show.
pub(super) fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_by_hand() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-15, "{a} {b}");
        close(at_least(1, 2, 0.5), 0.75);
        close(at_least(2, 2, 0.1), 0.01);
        close(at_most(0, 2, 0.1), 0.81);
        close(at_most(1, 3, 0.5), 0.5);
        assert_eq!(
            (at_least(0, 5, 0.3), at_least(6, 5, 0.3), at_most(5, 5, 0.3)),
            (1.0, 0.0, 1.0)
        );
    }

    #[test]
    fn the_fewest_samples_for_a_95_percent_bound() {
        // Not even the largest of 58 samples is an upper bound of a 95th percentile; that of 59 is. Likewise 298 and 299.
        assert!(at_most(57, 58, 0.95) < 0.95 && at_most(58, 59, 0.95) > 0.95);
        assert!(at_most(297, 298, 0.99) < 0.95 && at_most(298, 299, 0.99) > 0.95);
    }
}
