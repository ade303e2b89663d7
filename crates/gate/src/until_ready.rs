//! Tries targets under the policy of [`crate::wait`] until they are ready. The clock is tokio's, so that tests run it
//! without waiting.

use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Instant, sleep_until};

use crate::finding::Finding;
use crate::probe::{Look, Probe, look_within};
use crate::status_set::StatusSet;
use crate::trouble::Trouble;
use crate::wait::{Limits, Progress, Stand, Step, Until};

/// A target to wait for.
pub struct Target<'a> {
    /// What looks at it.
    pub probe: &'a dyn Probe,
    /// Its limits.
    pub limits: Limits,
    /// The statuses after which waiting is of no use, if any.
    pub give_up_on: Option<&'a StatusSet>,
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The target, by its place in the list.
    pub target: usize,
    /// Its number among the target's tries, from 1.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What it came to.
    pub end: End,
    /// What was counted of each target.
    pub progress: Vec<Progress>,
    /// Whether each target was ready when the wait ended.
    pub ready: Vec<bool>,
    /// How long it took.
    pub took: Duration,
}

/// What a wait came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It is ready.
    Ready,
    /// The time is over for a target.
    TimedOut {
        /// The target.
        target: usize,
    },
    /// The good tries that a target lacks no longer fit into the time.
    TooLate {
        /// The target.
        target: usize,
        /// How many are missing.
        missing: u32,
        /// How much time is left.
        left: Duration,
    },
    /// A target answered with a status after which waiting is of no use. Where any target is enough, it is the last one
    /// that was left.
    GaveUp {
        /// The target.
        target: usize,
    },
    /// A target can't be looked at, and trying again would not help. Where any target is enough, none of the others got
    /// ready either.
    Trouble {
        /// The target.
        target: usize,
        /// Why.
        trouble: Trouble,
    },
}

/// Waits until the targets are ready or the time is over. `told` hears of every attempt as it ends, so that a run which
/// is cut off still knows what was seen.
pub async fn until_ready(targets: &[Target<'_>], until: Until, mut told: impl FnMut(&Attempt)) -> Ending {
    let mut wait = Wait::new(targets);
    let mut tries = FuturesUnordered::new();
    let mut end = None;
    let mut unmeasured = None;
    loop {
        for (target, at, limit) in wait.due(&mut end) {
            tries.push(try_at(&targets[target], target, wait.begin, at, limit));
        }
        if until.settled(&wait.stands) == Some(false) {
            // Bad ones and one that nothing is known of: whether any was ready is not known.
            end = unmeasured.or(end);
            break;
        }
        let Some(mut attempt) = tries.next().await else {
            break;
        };
        wait.record(&mut attempt);
        told(&attempt);
        match hopeless(&targets[attempt.target], &attempt) {
            // Where any is enough, one that is out leaves the others.
            Some(out) if until == Until::Any => {
                wait.stands[attempt.target] = Stand::Lost;
                match out {
                    End::Trouble { .. } => unmeasured = unmeasured.or(Some(out)),
                    _ => end = Some(out),
                }
            }
            Some(hopeless) => {
                end = Some(hopeless);
                break;
            }
            None => {}
        }
        // A look that has begun may yet show that its target fell back.
        wait.closing = until.settled(&wait.stands) == Some(true);
        if wait.closing && (until == Until::Any || !wait.is_looking()) {
            end = Some(End::Ready);
            break;
        }
    }
    Ending {
        // Nothing to try is nothing seen.
        end: end.unwrap_or(End::TimedOut { target: 0 }),
        ready: wait.stands.iter().map(|stand| *stand == Stand::Ready).collect(),
        took: wait.begin.elapsed(),
        progress: wait.progress,
    }
}

/// A wait in progress.
struct Wait<'a> {
    targets: &'a [Target<'a>],
    begin: Instant,
    progress: Vec<Progress>,
    stands: Vec<Stand>,
    /// When each target's next or present try starts; none where there is none.
    tries: Vec<Option<Duration>>,
    /// All are ready as they were seen last, and only looks that have begun are waited for.
    closing: bool,
}

impl<'a> Wait<'a> {
    fn new(targets: &'a [Target<'a>]) -> Self {
        Self {
            targets,
            begin: Instant::now(),
            progress: vec![Progress::default(); targets.len()],
            stands: vec![Stand::Open; targets.len()],
            tries: vec![None; targets.len()],
            closing: false,
        }
    }

    /// The tries to start now or later, of targets that have none.
    fn due(&mut self, end: &mut Option<End>) -> Vec<(usize, Duration, Duration)> {
        let mut due = Vec::new();
        let now = self.begin.elapsed();
        let idle = |at: &Option<Duration>, stand: &Stand| at.is_none() && *stand != Stand::Lost;
        for target in 0..self.targets.len() {
            if self.closing || !idle(&self.tries[target], &self.stands[target]) {
                continue;
            }
            match self.progress[target].next(&self.targets[target].limits, now) {
                Step::Try { at, limit } => {
                    self.tries[target] = Some(at);
                    due.push((target, at, limit));
                }
                Step::Rest => {}
                Step::TimedOut => {
                    self.stands[target] = Stand::Lost;
                    *end = Some(End::TimedOut { target });
                }
                Step::TooLate { missing, left } => {
                    self.stands[target] = Stand::Lost;
                    *end = Some(End::TooLate {
                        target,
                        missing,
                        left,
                    });
                }
            }
        }
        due
    }

    /// Takes in an attempt, and tells it its number.
    fn record(&mut self, attempt: &mut Attempt) {
        let target = attempt.target;
        self.tries[target] = None;
        let progress = &mut self.progress[target];
        progress.record(attempt.look.finding.is_good());
        (attempt.number, attempt.streak) = (progress.tries, progress.streak);
        let ready = progress.is_ready(&self.targets[target].limits);
        self.stands[target] = if ready { Stand::Ready } else { Stand::Open };
    }

    /// Whether a look has begun and not ended.
    fn is_looking(&self) -> bool {
        let now = self.begin.elapsed();
        self.tries.iter().flatten().any(|at| *at <= now)
    }
}

/// One try of a target, at its time.
async fn try_at(of: &Target<'_>, target: usize, begin: Instant, at: Duration, limit: Duration) -> Attempt {
    sleep_until(begin + at).await;
    let started = begin.elapsed();
    let look = look_within(of.probe, limit).await;
    Attempt {
        target,
        number: 0,
        started,
        took: begin.elapsed().saturating_sub(started),
        look,
        streak: 0,
    }
}

/// Whether no further try of the target can help.
fn hopeless(target: &Target<'_>, attempt: &Attempt) -> Option<End> {
    let index = attempt.target;
    match &attempt.look.finding {
        Finding::Unmeasured(trouble) if trouble.lasts() => Some(End::Trouble {
            target: index,
            trouble: trouble.clone(),
        }),
        Finding::Bad(_) => {
            let set = target.give_up_on?;
            let refused = attempt.look.status.is_some_and(|status| set.holds(status));
            refused.then_some(End::GaveUp { target: index })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
