//! The weights of two target groups, as the ELBv2 API takes them.

use gha::steps::Weight;

/// What the two target groups get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The weight of the earlier version's target group.
    pub old: u16,
    /// The weight of the new version's.
    pub new: u16,
}

impl Pair {
    /// The weights for a share, 100 together, or 1000 where the share has a decimal: the API takes weights from 0 to 999
    /// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html>).
    #[must_use]
    pub fn of(share: Weight) -> Self {
        let tenths = share.tenths();
        let (share, whole) = if tenths.is_multiple_of(10) {
            (tenths / 10, 100)
        } else {
            (tenths, 1000)
        };
        Self {
            old: whole - share,
            new: share,
        }
    }

    /// The new version's share in percent; none where both have the weight 0, and nothing is served.
    #[must_use]
    pub fn percent_new(self) -> Option<f64> {
        let all = u32::from(self.old) + u32::from(self.new);
        (all > 0).then(|| f64::from(self.new) * 100.0 / f64::from(all))
    }

    /// The step whose share this is.
    #[must_use]
    pub fn is(self, weight: Weight) -> bool {
        let all = u64::from(self.old) + u64::from(self.new);
        all > 0 && u64::from(self.new) * 1000 == u64::from(weight.tenths()) * all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::proptest;

    #[test]
    fn weights_of_the_rule() {
        for (text, old, new) in [
            ("100%", 0, 100),
            ("10%", 90, 10),
            ("0.1%", 999, 1),
            ("99.9%", 1, 999),
            ("33.3%", 667, 333),
        ] {
            let pair = Pair::of(text.parse().unwrap());
            assert_eq!(pair, Pair { old, new });
            assert!(pair.is(text.parse().unwrap()) && !pair.is("11%".parse().unwrap()));
        }
        let (ninths, none) = (Pair { old: 9, new: 1 }, Pair { old: 0, new: 0 });
        assert!(ninths.is("10%".parse().unwrap()));
        assert_eq!((ninths.percent_new(), none.percent_new()), (Some(10.0), None));
        assert!(!none.is(Weight::FULL));
    }

    proptest! {
        #[test]
        fn the_api_takes_every_weight_and_its_share_is_exact(tenths in 1u16..=1000) {
            let weight = Weight::of_tenths(tenths).unwrap();
            let pair = Pair::of(weight);
            assert!(pair.old <= 999 && pair.new <= 999 && [100, 1000].contains(&(pair.old + pair.new)));
            assert!(pair.is(weight));
        }
    }
}
