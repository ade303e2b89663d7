//! How much of the chance of a false alarm each planned look may use.
//!
//! The spending function of Lan and DeMets ("Discrete Sequential Boundaries for Clinical Trials", Biometrika 70, 1983)
//! that resembles O'Brien and Fleming's boundary (Biometrics 35, 1979): almost nothing early, when an alarm would stand
//! on few requests. A look's level is what the function grows by since the look before. The looks' chances are added as
//! if they excluded each other, which needs no knowledge of how they hang together and errs on the safe side.

use crate::stats::normal;

/// The levels of `looks` looks at equal distances, in order. They add up to `alpha`.
#[must_use]
pub fn levels(alpha: f64, looks: u32) -> Vec<f64> {
    let z = normal::quantile_above(alpha / 2.0);
    let mut before = 0.0;
    (1..=looks)
        .map(|look| {
            let elapsed = f64::from(look) / f64::from(looks);
            let spent = 2.0 * normal::sf(z / elapsed.sqrt());
            let level = spent - before;
            before = spent;
            level
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::proptest;

    #[test]
    fn five_looks() {
        let published = [1.17e-5, 0.00193, 0.00945, 0.0170, 0.0216];
        for (level, expected) in levels(0.05, 5).iter().zip(published) {
            assert!((level / expected - 1.0).abs() < 0.005, "{level} {expected}");
        }
    }

    proptest! {
        #[test]
        fn all_is_spent_and_later_looks_get_more(alpha in 1e-6_f64..0.1, looks in 1_u32..20) {
            let levels = levels(alpha, looks);
            assert!((levels.iter().sum::<f64>() / alpha - 1.0).abs() < 1e-12);
            assert!(levels.iter().all(|level| *level >= 0.0));
            assert!(levels[0] <= levels[levels.len() - 1]);
        }
    }
}
