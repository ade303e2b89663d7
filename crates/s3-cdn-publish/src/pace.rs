//! How many requests are under way at once, and how long a refused one waits. Pure.
//!
//! The limit is halved where the store asks for it and grows by one for each round of answers that came well, as TCP does
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html>).

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// The first pause; each is twice as long as the one before, up to the longest.
const FIRST: Duration = Duration::from_millis(200);

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(10);

/// The limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    limit: usize,
    most: usize,
    /// Answers that came well since the limit was changed.
    well: usize,
    /// Answers that are still to come of requests that were sent before the limit was halved: they say nothing new.
    stale: usize,
    /// How often it was halved.
    halved: u32,
    /// Whether no more are begun.
    stopped: bool,
}

impl Pace {
    /// Begins with the most.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            limit: most,
            most,
            well: 0,
            stale: 0,
            halved: 0,
            stopped: false,
        }
    }

    /// The same for several that begin requests.
    #[must_use]
    pub fn shared(most: u16) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self::new(usize::from(most))))
    }

    /// No more requests are begun.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Requests may be begun again.
    pub fn go_on(&mut self) {
        self.stopped = false;
    }

    /// Whether no more requests are begun.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// How many requests may be under way.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// How often the store asked for less.
    #[must_use]
    pub fn halved(&self) -> u32 {
        self.halved
    }

    /// A request was answered well.
    pub fn well(&mut self) {
        self.stale = self.stale.saturating_sub(1);
        self.well += 1;
        if self.well >= self.limit && self.limit < self.most {
            self.limit += 1;
            self.well = 0;
        }
    }

    /// The store asked for less, while so many were under way.
    pub fn slow_down(&mut self, under_way: usize) {
        if self.stale > 0 {
            self.stale -= 1;
            return;
        }
        self.limit = (self.limit / 2).max(1);
        self.well = 0;
        self.stale = under_way.saturating_sub(1);
        self.halved += 1;
    }
}

/// How long a request waits that was refused for the so-manieth time, the first being 1. `spread` keeps those of one moment
/// apart: any number that differs between them.
#[must_use]
pub fn pause(tried: u32, spread: u64) -> Duration {
    let longest = FIRST
        .saturating_mul(1_u32.checked_shl(tried.saturating_sub(1)).unwrap_or(u32::MAX))
        .min(LONGEST);
    // From half of it to the whole, by a number whose bits are well mixed (Knuth's multiplicative hash).
    let mixed = spread
        .wrapping_add(u64::from(tried))
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        >> 32;
    let part = u32::try_from(mixed % 512).unwrap_or_default();
    longest / 2 + longest * part / 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_halved_once_for_requests_of_one_moment_and_grows_back() {
        let mut pace = Pace::new(64);
        for _ in 0..64 {
            pace.slow_down(64);
        }
        assert_eq!((pace.limit(), pace.halved()), (32, 1));
        pace.slow_down(32);
        assert_eq!(pace.limit(), 16);
        let mut pace = Pace::new(4);
        pace.slow_down(1);
        assert_eq!(pace.limit(), 2);
        for _ in 0..5 {
            pace.well();
        }
        assert_eq!(pace.limit(), 4);
        for _ in 0..100 {
            pace.well();
        }
        assert_eq!(pace.limit(), 4);
        for _ in 0..100 {
            pace.slow_down(0);
        }
        assert_eq!(pace.limit(), 1);
    }

    #[test]
    fn pauses_grow_to_a_bound_and_differ() {
        for tried in 1..100 {
            for spread in 0..100 {
                let pause = pause(tried, spread);
                assert!(pause >= FIRST / 2 && pause <= LONGEST, "{pause:?}");
            }
        }
        assert!(pause(5, 1) > pause(2, 1));
        assert_ne!(pause(3, 1), pause(3, 2));
    }
}
