//! When to try again, and when to stop: the policy of `wait`. Pure; all times count from the start of the wait.
//!
//! Tries are on a fixed grid: a slow try does not shift the later ones, and a missed point of the grid is left out,
//! never made up for by a burst.

use std::time::Duration;

/// The limits of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the start of one try to the start of the next.
    pub interval: Duration,
    /// The longest one try may take.
    pub try_timeout: Duration,
    /// The longest the whole wait may take.
    pub timeout: Duration,
    /// How many good tries in a row are a yes.
    pub success_threshold: u32,
}

/// What is known so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Tries made.
    pub tries: u32,
    /// Good ones in a row, up to now.
    pub streak: u32,
    /// How often a streak was broken.
    pub flaps: u32,
    /// The point of the grid at which the last try started.
    last_slot: Option<u32>,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Try at this time, for at most this long.
    Try {
        /// When.
        at: Duration,
        /// How long at most.
        limit: Duration,
    },
    /// It is ready.
    Pass,
    /// The time is over.
    TimedOut,
    /// There is time left, but not enough for the good tries that are missing.
    TooLate {
        /// How many are missing.
        missing: u32,
        /// How much time is left.
        left: Duration,
    },
}

impl Progress {
    /// Takes in a try that started at a [`Step::Try`].
    pub fn record(&mut self, good: bool) {
        self.tries += 1;
        if !good && self.streak > 0 {
            self.flaps += 1;
        }
        self.streak = if good { self.streak + 1 } else { 0 };
    }

    /// What to do at `now`. A step that is a try counts as started.
    pub fn next(&mut self, limits: &Limits, now: Duration) -> Step {
        if self.streak >= limits.success_threshold {
            return Step::Pass;
        }
        let slot = self.next_slot(limits, now);
        let at = limits.interval.saturating_mul(slot).max(now);
        let missing = limits.success_threshold - self.streak;
        let last_at = at.saturating_add(limits.interval.saturating_mul(missing - 1));
        if last_at < limits.timeout {
            self.last_slot = Some(slot);
            return Step::Try {
                at,
                limit: limits.try_timeout.min(limits.timeout - at),
            };
        }
        let left = limits.timeout.saturating_sub(now);
        if missing > 1 && !left.is_zero() {
            Step::TooLate { missing, left }
        } else {
            Step::TimedOut
        }
    }

    /// The next point of the grid that has not passed.
    fn next_slot(&self, limits: &Limits, now: Duration) -> u32 {
        let Some(last) = self.last_slot else { return 0 };
        let interval = limits.interval.as_nanos().max(1);
        let passed = now.as_nanos().div_ceil(interval);
        last.saturating_add(1)
            .max(u32::try_from(passed).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{Strategy as _, proptest};

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn limits(interval: u64, timeout: u64, threshold: u32) -> Limits {
        Limits {
            interval: secs(interval),
            try_timeout: secs(3),
            timeout: secs(timeout),
            success_threshold: threshold,
        }
    }

    /// The starts of all tries, when each takes `took` seconds and is good as the list says, and the last step.
    fn play(limits: Limits, took: u64, goods: &[bool]) -> (Vec<u64>, Step) {
        let (mut progress, mut now, mut starts) = (Progress::default(), Duration::ZERO, Vec::new());
        let mut goods = goods.iter().copied().chain(std::iter::repeat(false));
        loop {
            match progress.next(&limits, now) {
                Step::Try { at, limit } => {
                    assert!(limit <= limits.try_timeout && at + limit <= limits.timeout);
                    starts.push(at.as_secs());
                    now = at + secs(took).min(limit);
                    progress.record(goods.next().unwrap());
                }
                end => return (starts, end),
            }
        }
    }

    #[test]
    fn tries_are_on_a_grid() {
        assert_eq!(
            play(limits(5, 20, 1), 1, &[false, false, true]),
            (vec![0, 5, 10], Step::Pass)
        );
        assert_eq!(
            play(limits(2, 14, 1), 3, &[]),
            (vec![0, 4, 8, 12], Step::TimedOut),
            "missed points are left out"
        );
        assert_eq!(play(limits(60, 10, 1), 1, &[]), (vec![0], Step::TimedOut));
    }

    #[test]
    fn a_threshold_wants_them_in_a_row() {
        assert_eq!(
            play(limits(5, 60, 2), 1, &[true, false, true, true]),
            (vec![0, 5, 10, 15], Step::Pass)
        );
    }

    #[test]
    fn stops_when_success_no_longer_fits() {
        let (starts, end) = play(limits(5, 21, 3), 1, &[]);
        assert_eq!(
            starts,
            [0, 5, 10],
            "a third good try in a row after 10 would start at 25"
        );
        assert_eq!(
            end,
            Step::TooLate {
                missing: 3,
                left: secs(10)
            }
        );
        assert_eq!(play(limits(5, 21, 1), 1, &[]).0, [0, 5, 10, 15, 20]);
    }

    #[test]
    fn counts_flaps() {
        let mut progress = Progress::default();
        for good in [false, true, true, false, true, false] {
            progress.record(good);
        }
        assert_eq!((progress.tries, progress.flaps, progress.streak), (6, 2, 0));
    }

    proptest! {
        #[test]
        fn never_bursts_and_always_ends(
            interval in 1u64..30, timeout in 1u64..200, threshold in 1u32..5, took in 0u64..10,
            goods in proptest::collection::vec(proptest::bool::ANY, 0..20).prop_map(|goods| goods),
        ) {
            let (starts, end) = play(limits(interval, timeout, threshold), took, &goods);
            assert!(starts.windows(2).all(|pair| pair[1] - pair[0] >= interval));
            assert!(starts.iter().all(|start| start % interval == 0 && *start < timeout));
            let best = goods.iter().take(starts.len()).fold((0, 0), |(run, best), good| {
                let run = if *good { run + 1 } else { 0 };
                (run, best.max(run))
            });
            assert_eq!(end == Step::Pass, best.1 >= threshold as usize);
        }
    }
}
