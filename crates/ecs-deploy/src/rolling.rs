//! Follows the rolling deployment that this run created, as a function of what was seen and of time. Nothing is read or
//! written here.
//!
//! What decides are structured fields: the place and state of our deployment, its counts, and the stopped tasks that it
//! started, counted here, because ECS sets its own count back as soon as one task runs. What ECS says in words is shown. All times count from the start
//! of the run, on the runner's clock.

use std::time::Duration;

use gha::{accounts, text};
use jiff::Timestamp;

use crate::observed::{Service, ServiceDeployment, TargetHealth, Task};

mod judge;
mod latest;
mod state;

pub use state::State;

/// The deployment to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its id, from the answer to `UpdateService`.
    pub deployment: String,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// The ARN of the one before, if there was one.
    pub previous: Option<String>,
    /// When ECS created it, from the same answer; on the vendor's clock.
    pub created_at: Option<Timestamp>,
    /// When the following begins.
    pub started: Duration,
    /// The limits.
    pub limits: Limits,
}

/// How long things may take, and how many tasks may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From one look at the service to the next.
    pub poll: Duration,
    /// The longest without a look at stopped tasks.
    pub tasks_every: Duration,
    /// How long a completed deployment must stay as it is.
    pub stable_for: Duration,
    /// How long the whole may take, without [`Limits::stable_for`] of a deployment that completed in time.
    pub timeout: Duration,
    /// How long tasks may find no room.
    pub placement_timeout: Duration,
    /// How long the API may be out of reach.
    pub api_grace: Duration,
    /// How long load balancer checks of new tasks are not judged: the service's grace period, and what the target group
    /// needs to call a target unhealthy.
    pub health_grace: Duration,
    /// How many tasks that no other task can better are a failure.
    pub fatal_tasks: usize,
    /// How many failed tasks of any kind are a failure.
    pub failed_tasks: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(5),
            tasks_every: Duration::from_secs(15),
            stable_for: Duration::from_secs(30),
            timeout: Duration::from_secs(30 * 60),
            placement_timeout: Duration::from_secs(5 * 60),
            api_grace: Duration::from_secs(5 * 60),
            health_grace: Duration::from_secs(60),
            fatal_tasks: 2,
            failed_tasks: 3,
        }
    }
}

/// What one look saw.
#[derive(Clone, Copy, Debug)]
pub enum Look<'a> {
    /// The service, and the service deployment of ours where it was found.
    Service(&'a Service, Option<&'a ServiceDeployment>),
    /// `DescribeServices` says `MISSING`.
    Missing,
    /// The API could not be asked for the service.
    Unreadable(&'a str),
    /// The stopped tasks that [`Decision::FetchStopped`] asked for.
    Stopped(&'a [Task]),
    /// They can't be read.
    StoppedUnreadable(&'a str),
    /// The health of the service's targets. Optional, after any other look; explains, decides nothing.
    Targets(&'a [TargetHealth]),
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Look at the service again after this time.
    Wait {
        /// From now.
        next: Duration,
    },
    /// Look at the stopped tasks that our deployment started, now.
    FetchStopped,
    /// It is complete and must stay so: look at the service again after this time.
    Steady {
        /// Since when, from the start of the run.
        since: Duration,
        /// From now.
        next: Duration,
    },
    /// Our deployment is complete, and stayed so.
    Succeeded {
        /// How many of its tasks run.
        tasks: u32,
    },
    /// It is complete, and has no tasks: nothing was verified.
    ScaledToZero,
    /// It failed.
    Failed {
        /// The kind.
        why: Why,
        /// Why, as one line.
        reason: String,
        /// Whether the service still is as this run left it and nobody else rolls it back.
        ours_to_roll_back: bool,
    },
    /// A newer deployment of someone else took its place.
    Superseded {
        /// That deployment.
        by: Newer,
    },
    /// The earlier revision was put back, and not by this run.
    RolledBack {
        /// Who did.
        by: Undoer,
        /// Why, as one line.
        reason: String,
        /// The deployment that brings it back, to be followed to its end.
        deployment: Option<Newer>,
    },
    /// The service is being deleted, or is gone.
    Gone {
        /// What is known of it.
        reason: String,
    },
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// Tasks stopped.
    Tasks,
    /// ECS found no room.
    Placement,
    /// ECS calls the deployment failed, and does not roll it back.
    Rollout,
    /// Someone stopped the deployment.
    Stopped,
    /// ECS tried to roll back and could not.
    RollbackFailed,
    /// The time is over.
    Timeout,
    /// The time is over, and only older tasks are left to stop: the new version serves.
    Draining,
    /// The API was out of reach for too long: how the deployment went is not known.
    Unreadable,
    /// Credentials ended or permissions went away: how the deployment went is not known.
    Access,
}

/// Who put an earlier revision back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Undoer {
    /// The circuit breaker.
    Breaker,
    /// An alarm of the deployment configuration.
    Alarm,
    /// Someone: by stopping the deployment, or by another one of the earlier revision.
    Someone,
}

/// A deployment that came after ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newer {
    /// Its id, if it is known.
    pub id: String,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

/// A decision, and lines to show before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What to do.
    pub decision: Decision,
    /// Warnings, each told once.
    pub notes: Vec<String>,
}

/// Foreign text as a short part of a line, without account numbers.
fn inert(foreign: &str) -> String {
    text::cut(&accounts::without(&text::line(foreign.trim())), 300)
}

#[cfg(test)]
mod tests;
