//! The beta distribution: the regularized incomplete beta function and its inverse.
//!
//! The continued fraction is the even part of [DLMF 8.17.22](https://dlmf.nist.gov/8.17#E22) as Didonato and Morris wrote
//! it (`BFRAC` of ACM algorithm 708, 1992): it keeps its digits where `x` is next to one. It is evaluated from the front
//! by Lentz's method as Thompson and Barnett (1986) changed it. Its factor is taken from the saddle-point form of the binomial probability
//! (Loader, "Fast and Accurate Computation of Binomial Probabilities", 2000), which keeps its digits where a difference
//! of logarithms of gamma functions loses them: with millions of samples.

use std::f64::consts::TAU;

/// The most terms of the continued fraction. It needs about the square root of the larger parameter.
const TERMS: u32 = 500_000;

/// The largest logit: beyond it, a probability is zero or one.
const LOGIT: f64 = 700.0;

/// `P(X <= x)` of a beta distribution with the parameters `a` and `b`, both above zero: `I_x(a, b)`.
#[must_use]
pub fn cdf(a: f64, b: f64, x: f64) -> f64 {
    lower(a, b, Share::new(x))
}

/// `P(X > x)`, with all its digits where it is small.
#[must_use]
pub fn sf(a: f64, b: f64, x: f64) -> f64 {
    lower(b, a, Share::new(x).other())
}

/// The `x` below which lies the probability `p`.
#[must_use]
pub fn quantile(a: f64, b: f64, p: f64) -> f64 {
    Share::of_logit(logit(a, b, p, 1.0 - p)).x
}

/// The `x` above which lies the probability `q`.
#[must_use]
pub fn quantile_above(a: f64, b: f64, q: f64) -> f64 {
    Share::of_logit(logit(a, b, 1.0 - q, q)).x
}

/// A number between 0 and 1 and what it lacks to 1, each with all its digits.
#[derive(Clone, Copy)]
pub(super) struct Share {
    x: f64,
    y: f64,
}

impl Share {
    fn new(x: f64) -> Self {
        Self { x, y: 1.0 - x }
    }

    /// The share of one part in two, both at least zero.
    pub(super) fn of_parts(part: f64, rest: f64) -> Self {
        let whole = part + rest;
        Self {
            x: part / whole,
            y: rest / whole,
        }
    }

    fn of_logit(logit: f64) -> Self {
        let odds = (-logit.abs()).exp();
        let small = Self::of_parts(odds, 1.0);
        if logit < 0.0 { small } else { small.other() }
    }

    pub(super) fn other(self) -> Self {
        Self { x: self.y, y: self.x }
    }
}

/// The incomplete beta function at a share.
pub(super) fn lower(a: f64, b: f64, at: Share) -> f64 {
    if !(a > 0.0 && b > 0.0 && at.x + at.y > 0.0) {
        return f64::NAN;
    }
    if at.x <= 0.0 {
        return 0.0;
    }
    if at.y <= 0.0 {
        return 1.0;
    }
    let value = if converges(a, b, at) {
        ln_factor(a, b, at).exp() / fraction(a, b, at)
    } else {
        1.0 - ln_factor(a, b, at).exp() / fraction(b, a, at.other())
    };
    value.clamp(0.0, 1.0)
}

/// The logit, `ln(x / (1 - x))`, of the `x` below which lies `p` and above which lies `q`. Both are given, because the
/// smaller of them is solved for.
pub(super) fn logit(a: f64, b: f64, p: f64, q: f64) -> f64 {
    if !(a > 0.0 && b > 0.0 && p >= 0.0 && q >= 0.0) {
        return f64::NAN;
    }
    if p <= q {
        lower_logit(a, b, p)
    } else {
        -lower_logit(b, a, q)
    }
}

/// Newton's method on the logarithm of the lower tail as a function of the logit. That function is concave and rises, so
/// the method closes in from the left wherever it starts.
fn lower_logit(a: f64, b: f64, p: f64) -> f64 {
    if p <= 0.0 {
        return -LOGIT;
    }
    let target = p.ln();
    let mut logit = (a / b).ln().clamp(-LOGIT, LOGIT);
    let mut before = f64::INFINITY;
    for _ in 0..200 {
        let at = Share::of_logit(logit);
        let factor = ln_factor(a, b, at);
        let (ln_tail, slope) = if converges(a, b, at) {
            let fraction = fraction(a, b, at);
            (factor - fraction.ln(), fraction)
        } else {
            let tail = 1.0 - factor.exp() / fraction(b, a, at.other());
            (tail.ln(), factor.exp() / tail)
        };
        let next = (logit - (ln_tail - target) / slope).clamp(-LOGIT, LOGIT);
        let step = (next - logit).abs();
        // Far right of the root the slope may underflow; from the left it is never flat.
        logit = if next.is_finite() { next } else { logit - 1.0 };
        let precise = step <= 2.0 * f64::EPSILON * logit.abs().max(1.0);
        let only_noise_left = step < 1e-9 && step >= before;
        if precise || only_noise_left || ln_tail.is_nan() {
            break;
        }
        before = step;
    }
    logit
}

/// Whether the continued fraction converges fast here; elsewhere that of the other tail does.
fn converges(a: f64, b: f64, at: Share) -> bool {
    at.x * (b + 1.0) <= at.y * (a + 1.0)
}

/// The continued fraction that the factor is divided by.
fn fraction(a: f64, b: f64, at: Share) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let excess = excess(a, b, at);
    let mut value = away_from_zero(a * (excess + 1.0) / (a + 1.0));
    let (mut c, mut d) = (value, 0.0);
    for term in 1..TERMS {
        let m = f64::from(term);
        let before = (a + 2.0 * m - 1.0) / at.x;
        let rest = m * (b - m) / before;
        let numerator = (a + m - 1.0) * (a + b + m - 1.0) * rest / before;
        let denominator = m + rest + (a + m) * (excess + 1.0 + m * (1.0 + at.y)) / (a + 2.0 * m + 1.0);
        d = 1.0 / away_from_zero(denominator + numerator * d);
        c = away_from_zero(denominator + numerator / c);
        value *= c * d;
        if (c * d - 1.0).abs() <= f64::EPSILON || value.is_nan() {
            break;
        }
    }
    value
}

/// `a - (a + b) x`, without its cancellation.
fn excess(a: f64, b: f64, at: Share) -> f64 {
    a * at.y - b * at.x
}

/// `ln(x^a (1-x)^b / B(a, b))`.
fn ln_factor(a: f64, b: f64, at: Share) -> f64 {
    let n = a + b;
    let excess = excess(a, b, at);
    0.5 * (a * b / (TAU * n)).ln() + stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance(a, n * at.x, excess)
        - deviance(b, n * at.y, -excess)
}

/// `ln(z!)` less Stirling's formula: [DLMF 5.11.1](https://dlmf.nist.gov/5.11#E1) where its series is precise, and the
/// recurrence of the factorial below.
fn stirling_error(z: f64) -> f64 {
    let mut z = z;
    let mut below = 0.0;
    while z < 16.0 {
        below += (z + 0.5) * (1.0 / z).ln_1p() - 1.0;
        z += 1.0;
    }
    let w = 1.0 / (z * z);
    let series = 1.0 / 12.0 - w * (1.0 / 360.0 - w * (1.0 / 1260.0 - w * (1.0 / 1680.0 - w / 1188.0)));
    below + series / z
}

/// `count ln(count / mean) + mean - count`, where `excess` is `count - mean`: by a series where the terms would cancel.
fn deviance(count: f64, mean: f64, excess: f64) -> f64 {
    if excess.abs() >= 0.1 * (count + mean) {
        return count * (count / mean).ln() - excess;
    }
    let v = excess / (count + mean);
    let mut power = 2.0 * count * v;
    let mut sum = excess * v;
    // |v| is below 0.1, so each term adds two digits.
    for odd in (3_u32..40).step_by(2) {
        power *= v * v;
        let next = sum + power / f64::from(odd);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn closed_forms() {
        for x in [1e-9, 0.2, 0.5, 0.99] {
            assert!((cdf(1.0, 1.0, x) / x - 1.0).abs() < 1e-14);
            assert!((cdf(3.0, 1.0, x) / x.powi(3) - 1.0).abs() < 1e-14);
            assert!((sf(1.0, 7.0, x) / (1.0 - x).powi(7) - 1.0).abs() < 1e-13);
        }
        assert_eq!(
            (cdf(2.0, 3.0, 0.0), cdf(2.0, 3.0, 1.0), sf(2.0, 3.0, 1.0)),
            (0.0, 1.0, 0.0)
        );
        assert!(cdf(0.0, 1.0, 0.5).is_nan() && quantile(1.0, -1.0, 0.5).is_nan());
        assert!(quantile(1.0, 1.0, f64::NAN).is_nan() && cdf(1.0, 1.0, f64::NAN).is_nan());
    }

    proptest! {
        #[test]
        fn the_inverse_inverts(
            ln_a in -1.0_f64..12.0, ln_b in -1.0_f64..12.0, ln_p in -60.0_f64..-0.001,
        ) {
            let (a, b, p) = (ln_a.exp(), ln_b.exp(), ln_p.exp());
            for (x, back) in [
                (quantile(a, b, p), cdf as fn(f64, f64, f64) -> f64),
                (quantile_above(a, b, p), sf),
            ] {
                // Where x is tiny or next to one, its own last digit is what limits the way back.
                let grain = (x.max(1.0 - x) * f64::EPSILON) / x.min(1.0 - x).max(1e-300) * a.max(b);
                if grain < 1e-10 {
                    let error = (back(a, b, x) / p - 1.0).abs();
                    assert!(error < 1e-10 + 4.0 * grain, "{a} {b} {p}: {x}, off by {error}");
                }
            }
        }

        #[test]
        fn tails_add_up_and_nothing_panics(a in any::<f64>(), b in any::<f64>(), x in any::<f64>()) {
            let (low, high) = (cdf(a, b, x), sf(a, b, x));
            assert!(low.is_nan() || (0.0..=1.0).contains(&low));
            assert!(high.is_nan() || (0.0..=1.0).contains(&high));
            let inverse = quantile(a, b, x);
            assert!(inverse.is_nan() || (0.0..=1.0).contains(&inverse));
        }

        #[test]
        fn tails_of_one_point_are_one(ln_a in -2.0_f64..15.0, ln_b in -2.0_f64..15.0, x in 0.0_f64..1.0) {
            let (a, b) = (ln_a.exp(), ln_b.exp());
            assert!((cdf(a, b, x) + sf(a, b, x) - 1.0).abs() < 1e-10);
        }
    }
}
