//! Student's t distribution, by the incomplete beta function ([DLMF 8.17](https://dlmf.nist.gov/8.17), Abramowitz and
//! Stegun 26.7.1).

use crate::stats::beta::{self, Share};

/// `P(T > t)` with `df` degrees of freedom, which need not be whole.
#[must_use]
pub fn sf(t: f64, df: f64) -> f64 {
    // Above this its square is no longer finite.
    let at = if t.abs() > 1e154 {
        Share::of_parts(0.0, 1.0)
    } else {
        Share::of_parts(df, t * t)
    };
    let tail = 0.5 * beta::lower(0.5 * df, 0.5, at);
    if t < 0.0 { 1.0 - tail } else { tail }
}

/// `P(T <= t)`.
#[must_use]
pub fn cdf(t: f64, df: f64) -> f64 {
    sf(-t, df)
}

/// The `t` above which lies the probability `q`.
#[must_use]
pub fn quantile_above(q: f64, df: f64) -> f64 {
    if q > 0.5 {
        return -quantile_above_median(1.0 - q, df);
    }
    quantile_above_median(q, df)
}

fn quantile_above_median(q: f64, df: f64) -> f64 {
    if q == 0.5 {
        return 0.0;
    }
    // The logit of df / (df + t²) is ln(df / t²).
    let logit = beta::logit(0.5 * df, 0.5, 2.0 * q, 1.0 - 2.0 * q);
    df.sqrt() * (-0.5 * logit).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::normal;
    use proptest::prelude::proptest;

    #[test]
    fn known_points() {
        // One degree of freedom is Cauchy's distribution.
        assert!((sf(1.0, 1.0) - 0.25).abs() < 1e-15 && (sf(-1.0, 1.0) - 0.75).abs() < 1e-15);
        assert!((quantile_above(0.05, 10.0) - 1.812_461_122_811_676).abs() < 1e-14);
        assert_eq!((sf(0.0, 3.0), quantile_above(0.5, 3.0)), (0.5, 0.0));
        assert!((sf(2.0, 1e9) / normal::sf(2.0) - 1.0).abs() < 1e-8);
        assert_eq!(sf(f64::INFINITY, 3.0), 0.0);
        assert!(sf(f64::NAN, 3.0).is_nan() && sf(1.0, 0.0).is_nan() && quantile_above(2.0, 3.0).is_nan());
    }

    proptest! {
        #[test]
        fn the_inverse_inverts(ln_q in -80.0_f64..-0.7, df in 1.0_f64..1000.0) {
            let q = ln_q.exp();
            assert!((sf(quantile_above(q, df), df) / q - 1.0).abs() < 1e-10);
        }
    }
}
