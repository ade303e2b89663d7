//! Moves traffic between two services by the weights of one listener rule, as a function of what was seen and of time.
//! Nothing is read or written here.
//!
//! What was written is never taken for done: the next look shows it, or it is written again. So a lost answer, a second
//! look and a resumed run are the same thing. The weights are written only right after a look that showed what this run left
//! there; anything else is someone else's, and is left alone. At each point the old version serves whole, or the new one, or
//! both by the weights of the last step.

use std::time::Duration;

mod check;
mod doubt;
mod health;
mod machine;
mod phases;

pub use gate::gates::Says as GateSays;
pub use machine::State;

/// The weights of the two target groups in the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Weights {
    /// Of the side that served before.
    pub old: u16,
    /// Of the side with the new version.
    pub new: u16,
}

/// A step of the shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The weights.
    pub weights: Weights,
    /// How long they stay.
    pub hold: Duration,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The weights before, which a rollback restores: all for the old side.
    pub before: Weights,
    /// The steps, rising; the last one has nothing for the old side.
    pub rungs: Vec<Rung>,
    /// Whether a gate looks at the new side before it gets traffic.
    pub gate_before: bool,
    /// Whether a gate watches during each step.
    pub gate_during: bool,
    /// The step after which the run ends and leaves the weights, to be promoted by another.
    pub until: Option<usize>,
    /// How long the old side stays at full size after the last step.
    pub keep: Duration,
    /// Whether the old side is scaled to nothing after that.
    pub retire: bool,
    /// The limits.
    pub limits: Limits,
}

impl Plan {
    /// Whether a step lasts, so that a gate can watch during it.
    #[must_use]
    pub fn lasts(&self) -> bool {
        self.rungs.iter().any(|rung| !rung.hold.is_zero())
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From one look to the next.
    pub poll: Duration,
    /// How long the new side may take to be healthy.
    pub warm_up: Duration,
    /// How long the whole may take, up to the last step.
    pub timeout: Duration,
    /// How long the API may be out of reach.
    pub api_grace: Duration,
    /// How old the lock of another run may be and still count.
    pub lock_lasts: Duration,
    /// How often a write is tried that does not show.
    pub tries: u32,
}

/// What one look saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The rule.
    pub rule: Rule,
    /// The side that served before.
    pub old: Side,
    /// The side with the new version.
    pub new: Side,
    /// The tag that holds the state.
    pub lock: Lock,
    /// What a gate says that was asked for.
    pub gate: Option<(Gate, GateSays)>,
}

/// The rule, as it was read just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It leads to the two groups, with these weights, and nothing else of it changed.
    Weights(Weights),
    /// Something else of it changed: other actions, other groups.
    Foreign(String),
}

/// One of the two services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// How many tasks are wanted.
    pub desired: u32,
    /// How many run.
    pub running: u32,
    /// The deployment of the new version on it; of the old side, what it runs anyway.
    pub rollout: Rollout,
    /// A deployment that this run did not make, in words.
    pub foreign: Option<String>,
    /// Its targets, where they can be read.
    pub health: Option<Health>,
}

/// How far a side has the version that it should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rollout {
    /// Nothing was asked for yet.
    None,
    /// Under way.
    Running,
    /// Complete.
    Ready,
    /// Failed, and why.
    Failed(String),
}

/// The targets of a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// How many get requests.
    pub healthy: u32,
    /// What is wrong with the others, if anything is.
    pub trouble: Option<String>,
}

/// The tag that holds the state of a shift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// There is none.
    Free,
    /// It is this run's.
    Ours,
    /// It was this run's, and another run has undone what this one did.
    Undone,
    /// It is another run's.
    Other {
        /// Which run, in words.
        run: String,
        /// How old it is.
        age: Duration,
    },
}

/// A gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gate {
    /// Before the new side gets traffic.
    Before,
    /// During a step.
    During(usize),
}

/// What one look came to.
#[derive(Clone, Copy, Debug)]
pub enum Look<'a> {
    /// What was seen.
    Facts(&'a Facts),
    /// Something of it could not be read.
    Unreadable(&'a str),
    /// The write that was decided last was refused, or its answer was lost.
    WriteFailed(&'a str),
}

/// What to do next. A write is followed by a look at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing may be begun.
    Refuse {
        /// The kind.
        why: Refusal,
        /// Why, as one line.
        reason: String,
    },
    /// Write the tag, and pin what scales the two services by itself.
    Claim,
    /// Bring the new version to the new side, with so many tasks.
    Prepare {
        /// How many.
        tasks: u32,
    },
    /// Have so many tasks of the version that is on the new side already.
    Grow(u32),
    /// Look again after this time.
    Wait {
        /// From now.
        next: Duration,
    },
    /// Run the gate that is not bound to a step, beside the looks.
    AskGate {
        /// Which.
        gate: Gate,
        /// The time until the next look.
        next: Duration,
    },
    /// Note the step in the tag, then write these weights, and change nothing else of the rule.
    Write {
        /// The weights.
        weights: Weights,
        /// What the look showed, to be compared once more.
        expected: Weights,
    },
    /// The weights stay.
    Hold {
        /// Until when at least, from the start of the run.
        until: Duration,
        /// The gate that watches, beside the looks.
        gate: Option<Gate>,
        /// The time until the next look.
        next: Duration,
    },
    /// All traffic goes to the new side, and the old one is kept.
    Keep {
        /// Until when, from the start of the run.
        until: Duration,
        /// The time until the next look.
        next: Duration,
    },
    /// Scale the old side to nothing.
    RetireOld,
    /// Scale the old side up again, to what it had: traffic went back to it while it was scaled to nothing.
    ReviveOld {
        /// How many tasks.
        tasks: u32,
    },
    /// Scale the new side back to what it had.
    RetireNew {
        /// How many tasks.
        tasks: u32,
    },
    /// Restore what scales the services by itself, and take off the tag.
    Release,
    /// The new version serves.
    Done {
        /// What could not be tidied up.
        left: Vec<String>,
    },
    /// The step that was asked for is reached; the tag and the pins stay for who promotes.
    Paused {
        /// What serves.
        weights: Weights,
    },
    /// The old version serves again, or still.
    RolledBack {
        /// Why.
        cause: Cause,
        /// What could not be tidied up.
        left: Vec<String>,
    },
    /// Someone else changed the rule. Nothing is written any more.
    ForeignChange {
        /// What was seen, as one line.
        reason: String,
    },
    /// A person must act.
    NeedsHuman {
        /// Why, as one line.
        reason: String,
    },
    /// The API was out of reach for too long; the tag says how to go on.
    Unreadable {
        /// Why, as one line.
        reason: String,
    },
}

/// Why nothing may be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Both sides get traffic: another run was interrupted.
    MixedWeights,
    /// The rule is not as it should be.
    Rule,
    /// Someone else deploys.
    Deployment,
    /// Another run holds the lock.
    Locked,
    /// The lock is nobody's and could not be taken: a call for it failed.
    Unclaimed,
    /// Nothing runs on the old side.
    NothingRuns,
    /// The steps are not steps.
    Plan,
}

/// Why traffic goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The kind.
    pub why: Why,
    /// Why, as one line.
    pub reason: String,
}

/// Kinds of reasons to go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// A gate said no.
    Gate,
    /// A gate could not say.
    Inconclusive,
    /// The new side did not get healthy, or is not any more.
    Unhealthy,
    /// The new version could not be deployed to the new side.
    Rollout,
    /// A write was tried and never showed.
    Write,
    /// Someone deploys to one of the sides.
    Deployment,
    /// The time is over.
    Timeout,
    /// A signal ended the run.
    Cancelled,
    /// Another run undid this one.
    Undone,
    /// A person asked for it.
    Asked,
}

impl Weights {
    /// The share of the new side in percent, as short as it is exact.
    #[must_use]
    pub fn share(self) -> String {
        let share = (self.percent() * 10.0).round() / 10.0;
        share.to_string()
    }

    /// The share of the new side, in percent.
    #[must_use]
    pub fn percent(self) -> f64 {
        let sum = f64::from(self.old) + f64::from(self.new);
        if sum == 0.0 {
            0.0
        } else {
            100.0 * f64::from(self.new) / sum
        }
    }
}

impl std::fmt::Display for Weights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} old, {} new", self.old, self.new)
    }
}

#[cfg(test)]
mod tests;
