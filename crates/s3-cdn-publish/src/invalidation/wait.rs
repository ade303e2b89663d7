//! From a planned invalidation to a completed one: when to ask again, and when to stop.
//!
//! A pure machine: the caller does what a [`Step`] says, at the time that it says, and gives the [`Answer`] to
//! [`State::next`]. Creating is safe to repeat, because CloudFront answers the same reference by the same invalidation.
//! Where too many are in progress, it is tried again until half of the time is over; then once more as one wildcard, if that
//! is another thing, for the rest of the time. What is not created or not complete in the end is pending and no failure: the
//! next run completes it.

use std::time::Duration;

use aws::reason::Reason;
use gha::duration::display;

/// From one look to the next: at first, and at most. An invalidation takes seconds to minutes.
const LOOK: Duration = Duration::from_secs(2);
const LONGEST_LOOK: Duration = Duration::from_secs(10);

/// From one try to create to the next: at first, and at most.
const TRY: Duration = Duration::from_secs(2);
const LONGEST_TRY: Duration = Duration::from_secs(30);

/// How often the wait is told.
const TELL: Duration = Duration::from_secs(30);

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For creating and completing together.
    pub budget: Duration,
    /// Whether to wait until it is complete. Where not, the budget is for creating alone.
    pub complete: bool,
    /// Whether there is a wider invalidation of one wildcard ([`super::Invalidation::widened`]).
    pub widens: bool,
}

/// What is known so far. Times are since any one beginning, the same for all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    patience: Patience,
    began: Duration,
    told: Duration,
    pause: Duration,
    batch: Batch,
    /// What kept it from being created, or from being looked at, most recently.
    trouble: Option<String>,
    phase: Phase,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Creating,
    Waiting(String),
    Over(End),
}

/// Which paths are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// As planned.
    Planned,
    /// One wildcard. Its reference is another one, so it is recorded before it is sent.
    Widened,
}

/// What came of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is created, or was before.
    Created {
        /// Its id.
        id: String,
        /// Whether it is complete already.
        complete: bool,
    },
    /// Too many are in progress.
    Crowded,
    /// How it stands.
    Status {
        /// Whether it is complete.
        complete: bool,
    },
    /// No answer, or one that may be another one the next time. Why, in words.
    Passing(String),
    /// An answer that stays the same.
    Refused(Reason),
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Create it at this time.
    Create {
        /// When.
        at: Duration,
        /// Which paths.
        batch: Batch,
    },
    /// Ask for its status at this time.
    Ask {
        /// When.
        at: Duration,
        /// Its id.
        id: String,
    },
    /// Nothing.
    Over(End),
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It is complete: no edge has the old objects.
    Complete {
        /// Its id.
        id: String,
        /// Which paths.
        batch: Batch,
        /// How long it took with everything.
        took: Duration,
    },
    /// It is created, and nobody waits.
    Created {
        /// Its id.
        id: String,
        /// Which paths.
        batch: Batch,
    },
    /// Time is over.
    Pending {
        /// Its id, where it was created.
        id: Option<String>,
        /// Which paths were sent last.
        batch: Batch,
        /// Why, in words.
        why: String,
    },
    /// CloudFront does not take it, or does not tell how it stands.
    Refused {
        /// Its id, where it was created.
        id: Option<String>,
        /// Why.
        reason: Reason,
    },
}

/// A step, and what to tell about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What to do.
    pub step: Step,
    /// A line of progress, where one is due.
    pub tell: Option<String>,
}

impl State {
    /// Begins by creating it.
    #[must_use]
    pub fn create(patience: Patience, now: Duration) -> Self {
        Self::in_phase(patience, Phase::Creating, TRY, now)
    }

    /// Goes on with one that an earlier run created.
    #[must_use]
    pub fn wait_for(id: String, patience: Patience, now: Duration) -> Self {
        Self::in_phase(patience, Phase::Waiting(id), LOOK, now)
    }

    fn in_phase(patience: Patience, phase: Phase, pause: Duration, now: Duration) -> Self {
        Self {
            patience,
            began: now,
            told: now,
            pause,
            batch: Batch::Planned,
            trouble: None,
            phase,
        }
    }

    /// The first step, which is due at once.
    #[must_use]
    pub fn first(&self) -> Step {
        self.step(self.began)
    }

    /// Takes in an answer. `jitter`, from 0 to 1, spreads the tries of runs that begin together.
    #[must_use]
    pub fn next(mut self, answer: Answer, now: Duration, jitter: f64) -> (Self, Turn) {
        match (&self.phase, answer) {
            (Phase::Over(_), _) => {}
            (Phase::Creating, Answer::Created { id, complete }) => self.created(id, complete, now),
            (Phase::Creating, Answer::Crowded) => {
                let why = "too many invalidations of this distribution are in progress".to_owned();
                return self.again(why, true, now, jitter);
            }
            (
                Phase::Waiting(id),
                Answer::Created { complete: true, .. } | Answer::Status { complete: true },
            ) => {
                let id = id.clone();
                self.complete(id, now);
            }
            (_, Answer::Refused(reason)) => {
                let id = self.id();
                self.phase = Phase::Over(End::Refused { id, reason });
            }
            (_, Answer::Passing(why)) => return self.again(why, false, now, jitter),
            (Phase::Creating, Answer::Status { .. }) => {
                return self.again("the answer is to another question".to_owned(), false, now, jitter);
            }
            (Phase::Waiting(_), _) => {
                self.trouble = None;
                return self.look_again(now);
            }
        }
        // One that is created at the last moment is asked for once.
        let step = self.step((now + self.pause).min(self.end().max(now)));
        (self, Turn { step, tell: None })
    }

    fn created(&mut self, id: String, complete: bool, now: Duration) {
        self.trouble = None;
        self.pause = LOOK;
        if complete {
            self.complete(id, now);
        } else if self.patience.complete {
            self.phase = Phase::Waiting(id);
        } else {
            let batch = self.batch;
            self.phase = Phase::Over(End::Created { id, batch });
        }
    }

    fn complete(&mut self, id: String, now: Duration) {
        self.phase = Phase::Over(End::Complete {
            id,
            batch: self.batch,
            took: now.saturating_sub(self.began),
        });
    }

    /// After something that may pass.
    fn again(mut self, why: String, crowded: bool, now: Duration, jitter: f64) -> (Self, Turn) {
        self.trouble = Some(why);
        if matches!(self.phase, Phase::Waiting(_)) {
            return self.look_again(now);
        }
        let half = self.began + self.patience.budget / 2;
        if crowded && self.patience.widens && self.batch == Batch::Planned && now >= half && now < self.end()
        {
            self.batch = Batch::Widened;
            self.pause = TRY;
            let step = Step::Create {
                at: now,
                batch: self.batch,
            };
            let tell =
                "too many invalidations are in progress; trying one wildcard in their place".to_owned();
            self.told = now;
            return (
                self,
                Turn {
                    step,
                    tell: Some(tell),
                },
            );
        }
        let pause = self.pause.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
        self.pause = (self.pause * 2).min(LONGEST_TRY);
        self.due(now + pause, now)
    }

    fn look_again(mut self, now: Duration) -> (Self, Turn) {
        self.pause = (self.pause * 3 / 2).min(LONGEST_LOOK);
        let at = now + self.pause;
        self.due(at, now)
    }

    /// Goes on at a time, or at the end of the budget for the last time, or not at all.
    fn due(mut self, at: Duration, now: Duration) -> (Self, Turn) {
        let end = self.end();
        if now >= end {
            let (id, batch, why) = (self.id(), self.batch, self.why_pending());
            self.phase = Phase::Over(End::Pending { id, batch, why });
        }
        let tell = self.tell(now);
        let step = self.step(at.min(end));
        (self, Turn { step, tell })
    }

    fn end(&self) -> Duration {
        self.began + self.patience.budget
    }

    fn step(&self, at: Duration) -> Step {
        match &self.phase {
            Phase::Creating => Step::Create {
                at,
                batch: self.batch,
            },
            Phase::Waiting(id) => Step::Ask { at, id: id.clone() },
            Phase::Over(end) => Step::Over(end.clone()),
        }
    }

    fn tell(&mut self, now: Duration) -> Option<String> {
        if matches!(self.phase, Phase::Over(_)) || now.saturating_sub(self.told) < TELL {
            return None;
        }
        self.told = now;
        let waited = display(now.saturating_sub(self.began));
        let trouble = self
            .trouble
            .as_deref()
            .map(|why| format!(": {why}"))
            .unwrap_or_default();
        Some(match &self.phase {
            Phase::Waiting(id) => format!("invalidation `{id}` is in progress for {waited}{trouble}"),
            _ => format!("the invalidation is not created after {waited}{trouble}"),
        })
    }

    fn why_pending(&self) -> String {
        let budget = display(self.patience.budget);
        match (&self.phase, &self.trouble) {
            (Phase::Waiting(_), None) => format!("it is still in progress after {budget}"),
            (Phase::Waiting(_), Some(why)) => format!("it is not known to be complete after {budget}: {why}"),
            (_, Some(why)) => format!("it was not created in {budget}: {why}"),
            (_, None) => format!("it was not created in {budget}"),
        }
    }

    fn id(&self) -> Option<String> {
        match &self.phase {
            Phase::Waiting(id) => Some(id.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
