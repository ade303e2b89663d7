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

/// What to do next about a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Try at this time, for at most this long.
    Try {
        /// When.
        at: Duration,
        /// How long at most.
        limit: Duration,
    },
    /// It is ready, and no other try fits into the time.
    Rest,
    /// It is not ready, and the time is over.
    TimedOut,
    /// It is not ready, and there is time left, but not enough for the good tries that are missing.
    TooLate {
        /// How many are missing.
        missing: u32,
        /// How much time is left.
        left: Duration,
    },
}

/// Which of several targets must be ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
    /// All of them, at the same moment: one that falls back is waited for again.
    #[default]
    All,
    /// Any of them.
    Any,
}

/// A target among others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Ready as it was seen last.
    Ready,
    /// Not ready, and tried again.
    Open,
    /// Not ready, and not tried again.
    Lost,
}

impl Until {
    /// Whether the wait is over: with a yes, with a no, or not yet.
    #[must_use]
    pub fn settled(self, stands: &[Stand]) -> Option<bool> {
        let any = |stand| stands.contains(&stand);
        match self {
            Self::All if any(Stand::Lost) => Some(false),
            Self::All => (!any(Stand::Open)).then_some(true),
            Self::Any if any(Stand::Ready) => Some(true),
            Self::Any => (!any(Stand::Open)).then_some(false),
        }
    }
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

    /// Whether so many good tries in a row were the latest.
    #[must_use]
    pub fn is_ready(&self, limits: &Limits) -> bool {
        self.streak >= limits.success_threshold
    }

    /// What to do at `now`. A step that is a try counts as started. A target that is ready is tried on, because others may
    /// not be.
    pub fn next(&mut self, limits: &Limits, now: Duration) -> Step {
        let slot = self.next_slot(limits, now);
        let at = limits.interval.saturating_mul(slot).max(now);
        let missing = limits.success_threshold.saturating_sub(self.streak);
        let more = missing.saturating_sub(1);
        let last_at = at.saturating_add(limits.interval.saturating_mul(more));
        if last_at < limits.timeout {
            self.last_slot = Some(slot);
            return Step::Try {
                at,
                limit: limits.try_timeout.min(limits.timeout - at),
            };
        }
        let left = limits.timeout.saturating_sub(now);
        match missing {
            0 => Step::Rest,
            1 => Step::TimedOut,
            _ if left.is_zero() => Step::TimedOut,
            _ => Step::TooLate { missing, left },
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
    fn play(limits: Limits, took: u64, goods: &[bool]) -> (Vec<u64>, Option<Step>) {
        let (mut progress, mut now, mut starts) = (Progress::default(), Duration::ZERO, Vec::new());
        let mut goods = goods.iter().copied().chain(std::iter::repeat(false));
        loop {
            if progress.is_ready(&limits) {
                return (starts, None);
            }
            match progress.next(&limits, now) {
                Step::Try { at, limit } => {
                    assert!(limit <= limits.try_timeout && at + limit <= limits.timeout);
                    starts.push(at.as_secs());
                    now = at + secs(took).min(limit);
                    progress.record(goods.next().unwrap());
                }
                end => return (starts, Some(end)),
            }
        }
    }

    #[test]
    fn tries_are_on_a_grid() {
        assert_eq!(
            play(limits(5, 20, 1), 1, &[false, false, true]),
            (vec![0, 5, 10], None)
        );
        assert_eq!(
            play(limits(2, 14, 1), 3, &[]),
            (vec![0, 4, 8, 12], Some(Step::TimedOut)),
            "missed points are left out"
        );
        assert_eq!(play(limits(60, 10, 1), 1, &[]), (vec![0], Some(Step::TimedOut)));
    }

    #[test]
    fn a_threshold_wants_them_in_a_row() {
        assert_eq!(
            play(limits(5, 60, 2), 1, &[true, false, true, true]),
            (vec![0, 5, 10, 15], None)
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
            Some(Step::TooLate {
                missing: 3,
                left: secs(10)
            })
        );
        assert_eq!(play(limits(5, 21, 1), 1, &[]).0, [0, 5, 10, 15, 20]);
    }

    #[test]
    fn a_target_that_is_ready_is_tried_on_while_there_is_time() {
        let (limits, mut progress) = (limits(5, 12, 1), Progress::default());
        for at in [0, 5, 10] {
            let step = progress.next(&limits, secs(at));
            assert!(matches!(step, Step::Try { at: start, .. } if start == secs(at)));
            progress.record(true);
        }
        assert_eq!(progress.next(&limits, secs(11)), Step::Rest);
    }

    #[test]
    fn all_are_ready_at_once_and_any_is_enough() {
        use Stand::{Lost, Open, Ready};
        for (stands, all, any) in [
            (&[Ready, Ready][..], Some(true), Some(true)),
            (&[Ready, Open], None, Some(true)),
            (&[Open, Lost], Some(false), None),
            (&[Ready, Lost], Some(false), Some(true)),
            (&[Lost, Lost], Some(false), Some(false)),
        ] {
            assert_eq!(
                (Until::All.settled(stands), Until::Any.settled(stands)),
                (all, any)
            );
        }
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
            assert_eq!(end.is_none(), best.1 >= threshold as usize);
        }
    }
}
