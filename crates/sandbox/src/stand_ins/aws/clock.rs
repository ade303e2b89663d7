//! The cloud's own time: virtual seconds since it began, which a test moves or which run faster than real ones.
//!
//! Nothing here sleeps or runs by itself: the world is moved on when it is looked at.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the cloud exists. Its copies are one clock.
#[derive(Clone)]
pub struct Clock {
    source: Arc<dyn Fn() -> Duration + Send + Sync>,
    skipped: Arc<Mutex<Duration>>,
}

impl Clock {
    /// A clock that shows what this says, which never goes back; for the virtual time of a run time, say.
    #[must_use]
    pub fn of(source: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self {
            source: Arc::new(source),
            skipped: Arc::default(),
        }
    }

    /// A clock that stands until it is moved by [`Clock::skip`].
    #[must_use]
    pub fn manual() -> Self {
        Self::of(|| Duration::ZERO)
    }

    /// A clock so many times as fast as the real one, from now on.
    #[must_use]
    pub fn compressed(factor: u32) -> Self {
        let began = Instant::now();
        Self::of(move || began.elapsed() * factor)
    }

    /// Moves it ahead.
    pub fn skip(&self, time: Duration) {
        *self.skipped.lock().unwrap_or_else(PoisonError::into_inner) += time;
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Duration {
        (self.source)() + *self.skipped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Clock({:?})", self.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_one_clock() {
        let clock = Clock::manual();
        let copy = clock.clone();
        copy.skip(Duration::from_millis(1500));
        assert_eq!(clock.now(), Duration::from_millis(1500));
    }

    #[test]
    fn a_compressed_clock_runs_ahead_of_the_real_one() {
        let began = Instant::now();
        let clock = Clock::compressed(1000);
        // Looking is what lets time pass here: a thousand times as much on the one as on the other.
        while clock.now() < Duration::from_secs(5) {}
        assert!(began.elapsed() < Duration::from_secs(5), "{clock:?}");
    }
}
