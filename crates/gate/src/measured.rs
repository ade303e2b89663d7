//! What was measured, and whether a condition holds of it. Pure.

use std::time::Duration;

use crate::condition::{Measure, Test};
use crate::source::Bucket;
use crate::trouble::Trouble;

/// A value over one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measured {
    /// How many were bad, of how many.
    Share(Share),
    /// A percentile of latency.
    Latency(Latency),
    /// A number.
    Number(f64),
    /// For how many seconds it has been failing.
    Failing(f64),
}

/// Bad ones among all of them. A source's counts need not be whole: Prometheus extrapolates them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Share {
    /// The bad ones.
    pub bad: f64,
    /// All of them.
    pub total: f64,
}

/// A percentile of latency in seconds. Of raw samples it is one value; of a histogram it is known only to lie between
/// two bounds; where too many did not end in time it is open above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    /// It is no less.
    pub low: f64,
    /// It is no more; may be infinite.
    pub high: f64,
    /// Of how many it was taken.
    pub n: f64,
}

/// What looking at a window gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// A value.
    Value(Measured),
    /// No data, and what is known of why.
    Nothing(String),
    /// It could not be measured.
    Trouble(Trouble),
}

/// Whether a condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// The value can't tell; why.
    Unknown(String),
}

impl Share {
    /// The share, from 0 to 1; `None` of nothing.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        (self.total > 0.0).then(|| (self.bad / self.total).clamp(0.0, 1.0))
    }
}

impl Measured {
    /// Of how many samples the value was taken, where that is known.
    #[must_use]
    pub fn samples(&self) -> Option<f64> {
        match self {
            Self::Share(share) => Some(share.total),
            Self::Latency(latency) => Some(latency.n),
            Self::Number(_) | Self::Failing(_) => None,
        }
    }

    /// The value as one number for a chart: a share, seconds, a number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Share(share) => share.rate(),
            Self::Latency(latency) if latency.high.is_finite() => Some(latency.high),
            Self::Latency(latency) => Some(latency.low),
            Self::Number(number) | Self::Failing(number) => number.is_finite().then_some(*number),
        }
    }
}

impl Test {
    /// A value as the number that is compared with the threshold, for a chart: of a count the bad ones, not their share.
    #[must_use]
    pub fn number(&self, measured: &Measured) -> Option<f64> {
        match (&self.measure, measured) {
            (Measure::CountBad | Measure::CountStatus(_), Measured::Share(share)) => Some(share.bad),
            _ => measured.number(),
        }
    }

    /// Whether the condition holds of a value. A value of another kind can't tell.
    #[must_use]
    pub fn of(&self, measured: &Measured) -> Truth {
        match (&self.measure, measured) {
            (Measure::ErrorRate, Measured::Share(share)) => match share.rate() {
                Some(rate) => decide(self.op.holds(rate, self.threshold)),
                None => Truth::Unknown("nothing was counted".to_owned()),
            },
            (Measure::CountBad | Measure::CountStatus(_), Measured::Share(share)) => {
                decide(self.op.holds(share.bad, self.threshold))
            }
            (Measure::Percentile(_), Measured::Latency(latency)) => self.of_latency(latency),
            (Measure::Number, Measured::Number(number)) => decide(self.op.holds(*number, self.threshold)),
            (Measure::Failing, Measured::Failing(seconds)) => decide(*seconds > 0.0),
            _ => Truth::Unknown("another kind of value was measured".to_owned()),
        }
    }

    /// One value is compared as it is. Of two bounds the value is above the lower one and at most the upper one (`le`), so
    /// that a limit which is itself a bound is judged exactly.
    fn of_latency(&self, latency: &Latency) -> Truth {
        #[expect(clippy::float_cmp, reason = "raw samples give one value twice")]
        if latency.low == latency.high {
            return decide(self.op.holds(latency.high, self.threshold));
        }
        if latency.high <= self.threshold {
            decide(self.op.is_upper_limit())
        } else if latency.low >= self.threshold {
            decide(!self.op.is_upper_limit())
        } else if latency.high.is_finite() {
            Truth::Unknown(format!(
                "it lies in the bucket from {} to {}, and the limit {} inside it; add a bucket with this bound",
                seconds(latency.low),
                seconds(latency.high),
                seconds(self.threshold)
            ))
        } else {
            Truth::Unknown(format!(
                "it is over {}, nobody knows how far",
                seconds(latency.low)
            ))
        }
    }
}

fn decide(holds: bool) -> Truth {
    if holds { Truth::Yes } else { Truth::No }
}

/// The bounds of a percentile from a histogram's cumulative counts: the bucket that holds the observation of that rank.
/// Interpolating inside it, as `histogram_quantile` does, would invent a value: with the default buckets a true p95 of
/// 272 ms comes out as 325 ms. `None` without observations.
///
/// The rank is that of [nearest rank](crate::tape), taken on counts that need not be whole.
#[must_use]
pub fn percentile_of(buckets: &[Bucket], percent: f64) -> Option<Latency> {
    let n = buckets.last()?.count;
    if n.is_nan() || n <= 0.0 {
        return None;
    }
    // A share of exactly the percentile belongs to the lower bucket; the last bits of extrapolated counts are noise.
    let rank = n * percent / 100.0 * (1.0 - 1e-12);
    let at = buckets.iter().position(|bucket| bucket.count >= rank)?;
    let low = at.checked_sub(1).map_or(0.0, |below| buckets[below].bound);
    Some(Latency {
        low,
        high: buckets[at].bound,
        n,
    })
}

/// Seconds for people.
fn seconds(value: f64) -> String {
    Duration::try_from_secs_f64(value).map_or_else(|_| "infinity".to_owned(), gha::duration::display)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Condition, SubjectKind};

    fn test(written: &str, subject: SubjectKind) -> Test {
        written.parse::<Condition>().unwrap().on(subject).unwrap()
    }

    fn of(written: &str, low: f64, high: f64) -> Truth {
        test(written, SubjectKind::Histogram).of(&Measured::Latency(Latency { low, high, n: 100.0 }))
    }

    #[test]
    fn a_histogram_is_judged_by_the_bounds_of_its_bucket() {
        for (written, low, high, truth) in [
            ("p95 < 300ms", 0.1, 0.25, Truth::Yes),
            ("p95 < 300ms", 0.5, 1.0, Truth::No),
            ("p95 < 300ms", 0.1, 0.3, Truth::Yes),
            ("p95 < 300ms", 0.3, 0.5, Truth::No),
            ("p95 > 500ms", 0.25, 0.5, Truth::No),
            ("p95 > 500ms", 0.5, 1.0, Truth::Yes),
            ("p95 < 300ms", 0.3, 0.3, Truth::No),
            ("p95 <= 300ms", 0.3, 0.3, Truth::Yes),
            ("p95 < 3s", 5.0, f64::INFINITY, Truth::No),
        ] {
            assert_eq!(of(written, low, high), truth, "{written} ({low}, {high}]");
        }
        assert_eq!(
            of("p95 < 300ms", 0.25, 0.5),
            Truth::Unknown(
                "it lies in the bucket from 250ms to 500ms, and the limit 300ms inside it; add a bucket with this bound"
                    .to_owned()
            )
        );
        assert_eq!(
            of("p95 < 10s", 5.0, f64::INFINITY),
            Truth::Unknown("it is over 5s, nobody knows how far".to_owned())
        );
    }

    #[test]
    fn a_percentile_lies_in_the_bucket_of_its_rank() {
        let buckets = |counts: &[(f64, f64)]| -> Vec<Bucket> {
            counts
                .iter()
                .map(|(bound, count)| Bucket {
                    bound: *bound,
                    count: *count,
                })
                .collect()
        };
        let known = buckets(&[(0.25, 90.0), (0.5, 95.0), (1.0, 99.0), (f64::INFINITY, 100.0)]);
        let bounds = |percent| percentile_of(&known, percent).map(|latency| (latency.low, latency.high));
        assert_eq!(
            bounds(95.0),
            Some((0.25, 0.5)),
            "exactly the share belongs to the lower bucket"
        );
        assert_eq!(bounds(95.1), Some((0.5, 1.0)));
        assert_eq!(bounds(50.0), Some((0.0, 0.25)));
        assert_eq!(bounds(99.5), Some((1.0, f64::INFINITY)));
        assert_eq!(percentile_of(&buckets(&[(f64::INFINITY, 0.0)]), 95.0), None);
        assert_eq!(percentile_of(&[], 95.0), None);
    }

    #[test]
    fn of_nothing_there_is_no_share() {
        let rate = test("< 1%", SubjectKind::Ratio);
        let share = |bad, total| Measured::Share(Share { bad, total });
        assert_eq!(rate.of(&share(0.0, 10.0)), Truth::Yes);
        assert_eq!(rate.of(&share(1.0, 100.0)), Truth::No);
        assert!(matches!(rate.of(&share(0.0, 0.0)), Truth::Unknown(_)));
        assert!(matches!(rate.of(&Measured::Number(0.0)), Truth::Unknown(_)));
        let count = test("count(bad) > 3", SubjectKind::Probe);
        assert_eq!(count.number(&share(3.0, 60.0)), Some(3.0), "as its threshold is");
        assert_eq!(rate.number(&share(3.0, 60.0)), Some(0.05));
        assert_eq!(
            share(3.0, 2.0).number(),
            Some(1.0),
            "extrapolated counts may cross"
        );
    }
}
