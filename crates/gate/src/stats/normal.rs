//! The standard normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// `P(Z > z)`, with all its digits where it is small ([DLMF 7.2.2](https://dlmf.nist.gov/7.2#E2)).
#[must_use]
pub fn sf(z: f64) -> f64 {
    0.5 * libm::erfc(z * FRAC_1_SQRT_2)
}

/// `P(Z <= z)`.
#[must_use]
pub fn cdf(z: f64) -> f64 {
    sf(-z)
}

/// The `z` above which lies the probability `q`.
#[must_use]
pub fn quantile_above(q: f64) -> f64 {
    if q > 0.5 {
        return -quantile_above_median(1.0 - q);
    }
    quantile_above_median(q)
}

/// Newton's method on the logarithm of the tail, which is concave and falls: it closes in from the right wherever it
/// starts. The start is the tail's first term ([DLMF 7.12.1](https://dlmf.nist.gov/7.12#E1)).
fn quantile_above_median(q: f64) -> f64 {
    if q <= 0.0 {
        return if q == 0.0 { f64::INFINITY } else { f64::NAN };
    }
    let mut z = (-2.0 * q.ln() - TAU.ln()).max(0.0).sqrt();
    for _ in 0..50 {
        let tail = sf(z);
        let density = (-0.5 * z * z).exp() / TAU.sqrt();
        let step = (tail / q).ln() * tail / density;
        z += step;
        if step.abs() <= f64::EPSILON * z.abs().max(1e-3) {
            break;
        }
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::proptest;

    #[test]
    fn known_points() {
        assert_eq!((sf(0.0), quantile_above(0.0)), (0.5, f64::INFINITY));
        assert!((quantile_above(0.025) - 1.959_963_984_540_054).abs() < 1e-15);
        assert!((quantile_above(0.975) + 1.959_963_984_540_054).abs() < 1e-14);
        assert!(quantile_above(0.5).abs() < 1e-15);
        assert!(
            quantile_above(-0.1).is_nan()
                && quantile_above(1.1).is_nan()
                && quantile_above(f64::NAN).is_nan()
        );
    }

    proptest! {
        #[test]
        fn the_inverse_inverts(ln_q in -650.0_f64..-0.7) {
            let q = ln_q.exp();
            assert!((sf(quantile_above(q)) / q - 1.0).abs() < 1e-11);
        }
    }
}
