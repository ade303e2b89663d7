//! Exact bounds of a share: what the true one may be when so many of so many were seen (Clopper and Pearson, "The Use of
//! Confidence or Fiducial Limits Illustrated in the Case of the Binomial", Biometrika 26, 1934).
//!
//! Counts need not be whole: a metric source extrapolates them.

use crate::stats::beta;

/// The share that the true one is below, but for the chance `alpha`: one-sided.
#[must_use]
pub fn upper(count: f64, total: f64, alpha: f64) -> f64 {
    if count >= total {
        return 1.0;
    }
    beta::quantile_above(count + 1.0, total - count, alpha)
}

/// The share that the true one is above, but for the chance `alpha`: one-sided.
#[must_use]
pub fn lower(count: f64, total: f64, alpha: f64) -> f64 {
    if count <= 0.0 {
        return 0.0;
    }
    beta::quantile(count, total - count + 1.0, alpha)
}

/// How likely at most `count` of `total` are when the true share is `share`: [`upper`] is below `share` exactly where
/// this is below `alpha`, and this is faster.
#[must_use]
pub fn chance_of_at_most(count: f64, total: f64, share: f64) -> f64 {
    if count >= total {
        return 1.0;
    }
    beta::sf(count + 1.0, total - count, share)
}

/// How likely at least `count` of `total` are when the true share is `share`: [`lower`] is above `share` exactly where
/// this is below `alpha`, and this is faster.
#[must_use]
pub fn chance_of_at_least(count: f64, total: f64, share: f64) -> f64 {
    if count <= 0.0 {
        return 1.0;
    }
    beta::cdf(count, total - count + 1.0, share)
}

/// How many samples without a single bad one it takes for an upper bound of `share`.
#[must_use]
pub fn clean_samples_for(share: f64, alpha: f64) -> f64 {
    (alpha.ln() / (-share).ln_1p()).ceil()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::proptest;

    #[test]
    fn nothing_bad_is_the_rule_of_three() {
        // 1 - alpha^(1/n), closed form.
        assert!((upper(0.0, 299.0, 0.05) / (1.0 - 0.05_f64.powf(1.0 / 299.0)) - 1.0).abs() < 1e-12);
        assert!(upper(0.0, 298.0, 0.05) > 0.01 && upper(0.0, 299.0, 0.05) < 0.01);
        for (share, samples) in [(0.01, 299.0), (0.02, 149.0), (0.005, 598.0), (0.001, 2995.0)] {
            assert_eq!(clean_samples_for(share, 0.05), samples);
        }
        assert_eq!((lower(0.0, 10.0, 0.05), upper(10.0, 10.0, 0.05)), (0.0, 1.0));
        assert_eq!(
            (upper(0.0, 0.0, 0.05), lower(0.0, 0.0, 0.05)),
            (1.0, 0.0),
            "nothing seen, nothing known"
        );
    }

    proptest! {
        #[test]
        fn a_bound_is_where_its_chance_is_alpha(
            total in 1_u32..100_000, part in 0.0_f64..1.0, share in 0.000_1_f64..0.999_9, alpha in 1e-6_f64..0.4,
        ) {
            let total = f64::from(total);
            let count = (part * total).floor();
            let (low, high) = (lower(count, total, alpha), upper(count, total, alpha));
            assert!(low <= count / total && count / total <= high);
            if (high - share).abs() > 1e-9 {
                assert_eq!(high < share, chance_of_at_most(count, total, share) < alpha);
            }
            if (low - share).abs() > 1e-9 {
                assert_eq!(low > share, chance_of_at_least(count, total, share) < alpha);
            }
        }
    }
}
