//! Weights as numbers: what two destinations get of a rule's whole.

use gha::steps::Weight;

/// What the two versions have in a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    /// The version that had all.
    pub stable: u64,
    /// The canary.
    pub canary: u64,
}

impl Weights {
    /// What both have together.
    #[must_use]
    pub fn both(self) -> u64 {
        self.stable.saturating_add(self.canary)
    }

    /// Whether the canary has exactly this share.
    #[must_use]
    pub fn is(self, share: Weight) -> bool {
        let both = u128::from(self.both());
        both > 0 && u128::from(self.canary) * 1000 == u128::from(share.tenths()) * both
    }

    /// The canary's share in percent; 0 where neither has a weight.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share for people; weights of routes are at most ten digits"
    )]
    pub fn percent(self) -> f64 {
        match self.both() {
            0 => 0.0,
            both => self.canary as f64 * 100.0 / both as f64,
        }
    }
}

/// The weights for a share. Where nothing else has a weight they are 100 together, which versions of Istio before 1.15 demand
/// (istio/istio#39544), or 1000 for tenths of a percent. Else they are together what they were, so that the share of others stays;
/// the canary's is rounded, but neither to nothing nor to all; none where it would have to be.
#[must_use]
pub fn split(pool: Option<u64>, share: Weight) -> Option<Weights> {
    let tenths = u64::from(share.tenths());
    let (whole, canary) = match pool {
        None if tenths.is_multiple_of(10) => (100, tenths / 10),
        None => (1000, tenths),
        Some(pool) => {
            let canary = (u128::from(pool) * u128::from(tenths) + 500) / 1000;
            (pool, u64::try_from(canary).ok()?)
        }
    };
    let is_nothing = canary == 0 && share > Weight::NONE;
    let is_all = canary == whole && share < Weight::FULL && whole > 0;
    let weights = Weights {
        stable: whole.checked_sub(canary)?,
        canary,
    };
    (!is_nothing && !is_all).then_some(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn numbers_for_shares() {
        for (pool, share, wanted) in [
            (None, "10%", Some((90, 10))),
            (None, "0.5%", Some((995, 5))),
            (None, "100%", Some((0, 100))),
            (Some(90), "50%", Some((45, 45))),
            (Some(90), "5%", Some((85, 5))),
            (Some(1), "100%", Some((0, 1))),
            (Some(1), "50%", None),
            (Some(10), "1%", None),
            (Some(10), "99.9%", None),
            (Some(0), "10%", None),
        ] {
            let wanted = wanted.map(|(stable, canary)| Weights { stable, canary });
            assert_eq!(split(pool, share.parse().unwrap()), wanted, "{pool:?} {share}");
        }
        assert_eq!(split(Some(0), Weight::NONE), Some(Weights::default()));
        assert_eq!(Weights::default().percent(), 0.0);
    }

    proptest! {
        #[test]
        fn what_is_free_is_divided_exactly(tenths in 0u16..=1000) {
            let share = Weight::of_tenths(tenths).unwrap();
            assert!(split(None, share).unwrap().is(share));
        }

        #[test]
        fn a_pool_stays_what_it_is(pool in any::<u64>(), tenths in 0u16..=1000) {
            let share = Weight::of_tenths(tenths).unwrap();
            if let Some(weights) = split(Some(pool), share) {
                assert_eq!(weights.both(), pool);
            }
        }
    }
}
