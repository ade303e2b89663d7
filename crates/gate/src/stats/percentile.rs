//! Percentiles of samples: the nearest rank, and how sure it is.
//!
//! The nearest rank is always a value that was seen, never one between two of them (Hyndman and Fan, "Sample Quantiles
//! in Statistical Packages", 1996, definition 1). The bounds are order statistics too and assume nothing of how values
//! are distributed, only that samples are independent (Conover, "Practical Nonparametric Statistics", section 3.2).

use crate::stats::binomial;

/// The rank, from 1, of a percentile among `samples` in rising order; 0 without samples. `percent` is from 0 to 100.
#[must_use]
pub fn rank(samples: usize, percent: f64) -> usize {
    let all = binomial::real(samples as u64);
    // Percents such as 99.9 have no exact binary form; the last digits must not push a rank up by one.
    let rank = (percent * all / 100.0 - 1e-7).ceil();
    (rank as usize).clamp(1, samples.max(1)).min(samples)
}

/// How many bits of a value one pass over the values settles.
const DIGIT: u32 = 11;

/// The percentile of values in any order, and how many they are; nothing without values. Values are below 2^33. They are
/// gone through several times and never copied: a radix selection (Knuth, "The Art of Computer Programming", volume 3,
/// section 5.2.5) with counters for one digit at a time.
pub fn nearest_rank(values: impl Iterator<Item = u64> + Clone, percent: f64) -> Option<(u64, usize)> {
    let all = values.clone().count();
    let mut rank = rank(all, percent);
    if rank == 0 {
        return None;
    }
    let mut prefix = 0_u64;
    for shift in [2 * DIGIT, DIGIT, 0] {
        let mut counts = [0_usize; 1 << DIGIT];
        for value in values.clone().filter(|value| value >> (shift + DIGIT) == prefix) {
            counts[(value >> shift) as usize % counts.len()] += 1;
        }
        let digit = counts.iter().position(|count| {
            let here = rank <= *count;
            if !here {
                rank -= count;
            }
            here
        });
        prefix = prefix << DIGIT | digit? as u64;
    }
    Some((prefix, all))
}

/// The rank, from 1, of the value that is at least the true percentile but for the chance `alpha` (one-sided). Nothing
/// where so few samples can't tell: not even the largest of 58 bounds a 95th percentile with 95 % confidence.
#[must_use]
pub fn rank_above(samples: usize, percent: f64, alpha: f64) -> Option<usize> {
    // At least the percentile: at most rank - 1 samples are below it.
    let sure = |rank: usize| binomial::at_least(rank as u64, samples as u64, percent / 100.0) <= alpha;
    let rank = first(samples, sure);
    (1..=samples).contains(&rank).then_some(rank)
}

/// The rank, from 1, of the value that is at most the true percentile but for the chance `alpha` (one-sided).
#[must_use]
pub fn rank_below(samples: usize, percent: f64, alpha: f64) -> Option<usize> {
    // At most the percentile: at least `rank` samples are at or below it.
    let unsure = |rank: usize| binomial::at_most(rank as u64 - 1, samples as u64, percent / 100.0) > alpha;
    let rank = first(samples, unsure) - 1;
    (1..=samples).contains(&rank).then_some(rank)
}

/// The first rank from 1 for which something holds that holds for all above it; `samples + 1` where it never does.
fn first(samples: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (1, samples + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::proptest;

    #[test]
    fn ranks() {
        for (samples, percent, expected) in [
            (0, 95.0, 0),
            (1, 95.0, 1),
            (20, 95.0, 19),
            (21, 95.0, 20),
            (59, 95.0, 57),
            (100, 7.0, 7),
            (100, 0.0, 1),
            (100, 100.0, 100),
            (1000, 99.9, 999),
            (10_000, 99.99, 9_999),
            (100, 99.9, 100),
            (1_000_000, 99.9, 999_000),
            (7, f64::NAN, 1),
            (7, 1e9, 7),
        ] {
            assert_eq!(rank(samples, percent), expected, "p{percent} of {samples}");
        }
    }

    #[test]
    fn bounds_need_samples() {
        assert_eq!(
            (rank_above(58, 95.0, 0.05), rank_above(59, 95.0, 0.05)),
            (None, Some(59))
        );
        assert_eq!(
            (rank_above(298, 99.0, 0.05), rank_above(299, 99.0, 0.05)),
            (None, Some(299))
        );
        assert_eq!(
            (rank_below(0, 95.0, 0.05), rank_above(0, 95.0, 0.05)),
            (None, None)
        );
        // The median of 10 (two-sided 97.9 %): ranks 2 and 9, in every table of the sign test.
        assert_eq!(
            (rank_below(10, 50.0, 0.025), rank_above(10, 50.0, 0.025)),
            (Some(2), Some(9))
        );
    }

    proptest! {
        #[test]
        fn a_percentile_is_a_value_with_its_share_at_or_below(
            values in proptest::collection::vec(0_u64..1 << 33, 1..200), hundredths in 1_u32..=10_000,
        ) {
            let percent = f64::from(hundredths) / 100.0;
            let (value, all) = nearest_rank(values.iter().copied(), percent).unwrap();
            assert_eq!(all, values.len());
            assert!(values.contains(&value));
            let at_or_below = values.iter().filter(|other| **other <= value).count();
            let below = values.iter().filter(|other| **other < value).count();
            let wanted = u64::from(hundredths) * values.len() as u64;
            assert!(at_or_below as u64 * 10_000 >= wanted && (below as u64) * 10_000 < wanted);
        }

        #[test]
        fn bounds_enclose_the_rank(samples in 1_usize..5_000, percent in 1.0_f64..99.0, alpha in 0.001_f64..0.4) {
            let middle = rank(samples, percent);
            assert!(rank_below(samples, percent, alpha).is_none_or(|rank| rank <= middle));
            assert!(rank_above(samples, percent, alpha).is_none_or(|rank| rank >= middle));
        }
    }
}
