//! Runs a probe under the policy of [`crate::wait`]. The clock is tokio's, so that tests run it without waiting.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout};

use crate::finding::{FaultKind, Finding};
use crate::probe::{Look, Probe};
use crate::wait::{Limits, Progress, Step};

/// One try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number, from 1.
    pub number: u32,
    /// When it started, from the start of the wait.
    pub started: Duration,
    /// How long it took.
    pub took: Duration,
    /// What it found.
    pub look: Look,
    /// Good ones in a row, this one included.
    pub streak: u32,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// [`Step::Pass`], [`Step::TimedOut`] or [`Step::TooLate`].
    pub step: Step,
    /// What was counted.
    pub progress: Progress,
    /// How long it took.
    pub took: Duration,
}

/// Waits until the target is ready or the time is over. `told` hears of every attempt as it ends, so that a run which
/// is cut off still knows what was seen.
pub async fn until_ready(probe: &dyn Probe, limits: &Limits, mut told: impl FnMut(&Attempt)) -> Ending {
    let begin = Instant::now();
    let mut progress = Progress::default();
    loop {
        let step = progress.next(limits, begin.elapsed());
        let Step::Try { at, limit } = step else {
            return Ending {
                step,
                progress,
                took: begin.elapsed(),
            };
        };
        sleep_until(begin + at).await;
        let started = begin.elapsed();
        let look = timeout(limit, probe.look(limit)).await.unwrap_or_else(|_| {
            let shown = gha::duration::display(limit);
            Look::without_answer(Finding::bad(
                FaultKind::Slow,
                format!("no complete answer within {shown}"),
            ))
        });
        progress.record(look.finding.is_good());
        let took = begin.elapsed().saturating_sub(started);
        told(&Attempt {
            number: progress.tries,
            started,
            took,
            look,
            streak: progress.streak,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Looking;
    use std::cell::RefCell;

    /// A target that takes a time for each answer, then is good or bad; the last entry repeats.
    struct Played {
        answers: RefCell<Vec<(u64, bool)>>,
    }

    impl Probe for Played {
        fn target(&self) -> &str {
            "played"
        }

        fn look(&self, _: Duration) -> Looking<'_> {
            let mut answers = self.answers.borrow_mut();
            let (seconds, good) = if answers.len() > 1 {
                answers.remove(0)
            } else {
                answers[0]
            };
            Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                Look::without_answer(if good {
                    Finding::Good
                } else {
                    Finding::bad(FaultKind::Status, "answered 503")
                })
            })
        }
    }

    async fn played(answers: &[(u64, bool)], threshold: u32) -> (Ending, Vec<(u64, u64, bool)>) {
        let limits = Limits {
            interval: Duration::from_secs(5),
            try_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(60),
            success_threshold: threshold,
        };
        let mut seen = Vec::new();
        let probe = Played {
            answers: RefCell::new(answers.to_vec()),
        };
        let ending = until_ready(&probe, &limits, |attempt| {
            seen.push((
                attempt.started.as_secs(),
                attempt.took.as_secs(),
                attempt.look.finding.is_good(),
            ));
        })
        .await;
        (ending, seen)
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_comes_up_passes() {
        let (ending, seen) = played(&[(0, false), (1, false), (1, true)], 2).await;
        assert_eq!(seen, [(0, 0, false), (5, 1, false), (10, 1, true), (15, 1, true)]);
        assert_eq!(
            (ending.step, ending.took.as_secs(), ending.progress.tries),
            (Step::Pass, 16, 4)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_hung_target_fails_each_try_and_then_the_wait() {
        let (ending, seen) = played(&[(1000, true)], 1).await;
        assert_eq!(seen.len(), 12);
        assert!(seen.iter().all(|(_, took, good)| *took == 3 && !good));
        assert_eq!((ending.step, ending.took.as_secs()), (Step::TimedOut, 58));
    }
}
