//! Follows a service deployment in which ECS itself shifts the traffic (blue-green, linear, canary), answers its pause
//! hooks by what a gate says, and tells its ends apart.

use std::time::Duration;

use gha::duration::display;
use gha::text;
use jiff::Timestamp;

use crate::observed::{Hook, ServiceDeployment};
use crate::words::{HookStatus, ServiceDeploymentStatus};

mod find;
mod line;

pub use find::{Found, find};
pub use line::describe;

/// How long a new service deployment may be missing from answers.
const VISIBLE: Duration = Duration::from_secs(30);

/// How long an answered hook may be shown as waiting before it is answered again.
const ANSWERED: Duration = Duration::from_secs(60);

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From one look to the next.
    pub poll: Duration,
    /// How long the whole may take.
    pub timeout: Duration,
    /// How long a rollback may take after that.
    pub rollback_timeout: Duration,
    /// How long the API may be out of reach.
    pub api_grace: Duration,
}

/// What one look saw.
#[derive(Clone, Copy, Debug)]
pub enum Look<'a> {
    /// The service deployment.
    Deployment(&'a ServiceDeployment),
    /// It is not found.
    Missing,
    /// The API could not be asked.
    Unreadable(&'a str),
    /// What the gate says that [`Decision::Gate`] asked for.
    Gate(Says<'a>),
    /// Its tasks fail, and why.
    Failing(&'a str),
}

/// What a gate says at a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says<'a> {
    /// Yes.
    Pass,
    /// No, or it could not say; and why.
    Fail(&'a str),
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Look again after this time.
    Wait {
        /// From now.
        next: Duration,
    },
    /// The deployment pauses: run the gate, then give [`Look::Gate`].
    Gate {
        /// The hook that pauses it.
        hook: String,
        /// The lifecycle stage.
        stage: String,
        /// When ECS goes on without an answer.
        expires_at: Option<Timestamp>,
    },
    /// Answer the hook with `CONTINUE`.
    Continue {
        /// The hook.
        hook: String,
    },
    /// Answer the hook with `ROLLBACK`.
    RollBack {
        /// The hook.
        hook: String,
        /// Why, as one line.
        reason: String,
    },
    /// Stop the deployment with `ROLLBACK`.
    Stop {
        /// Why, as one line.
        reason: String,
    },
    /// The new version serves.
    Succeeded,
    /// The earlier version serves again.
    RolledBack {
        /// Why, as one line.
        reason: String,
    },
    /// It was stopped where it was: what serves is not said.
    Stopped {
        /// Why, as one line.
        reason: String,
    },
    /// ECS could not roll back: a person must act.
    RollbackFailed {
        /// Why, as one line.
        reason: String,
    },
    /// How it went is not known.
    Unknown {
        /// Why, as one line.
        reason: String,
    },
}

/// A decision, and a line to show before it where something changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What to do.
    pub decision: Decision,
    /// Stage, weights and tasks, where they changed.
    pub line: Option<String>,
}

/// What is known so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    limits: Limits,
    started: Duration,
    seen: bool,
    line: Option<String>,
    /// The pause whose gate runs: hook and stage.
    asked: Option<(String, String)>,
    /// The pause that was answered last, when, and with a reason to roll back or none.
    answered: Option<(String, String, Duration, Option<String>)>,
    stopping: Option<(Duration, String)>,
    unreadable_since: Option<Duration>,
}

impl State {
    /// Begins to follow a service deployment; times count from the start of the run.
    #[must_use]
    pub fn new(limits: Limits, now: Duration) -> Self {
        Self {
            limits,
            started: now,
            seen: false,
            line: None,
            asked: None,
            answered: None,
            stopping: None,
            unreadable_since: None,
        }
    }

    /// Whether it waits for what a gate says.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.asked.is_some()
    }

    /// Why it is being taken back, where it is.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        let refused = self
            .answered
            .as_ref()
            .and_then(|(.., refused)| refused.as_deref());
        refused.or(self.stopping.as_ref().map(|(_, reason)| reason.as_str()))
    }

    /// Takes in a look at `now`, and says what to do.
    #[must_use]
    pub fn next(mut self, look: Look<'_>, now: Duration) -> (Self, Step) {
        let line = match look {
            Look::Deployment(deployment) => {
                Some(describe(deployment)).filter(|line| self.line.as_ref() != Some(line))
            }
            _ => None,
        };
        self.line = line.clone().or(self.line);
        let decision = match look {
            Look::Deployment(deployment) => self.deployment(deployment, now),
            Look::Missing => self.missing(now),
            Look::Unreadable(why) => self.unreadable(why, now),
            Look::Gate(says) => self.answer(says, now),
            Look::Failing(why) => self.fail(why, now),
        };
        (self, Step { decision, line })
    }

    fn deployment(&mut self, deployment: &ServiceDeployment, now: Duration) -> Decision {
        use ServiceDeploymentStatus as Is;
        self.seen = true;
        self.unreadable_since = None;
        let reason = self.reason(deployment);
        match &deployment.status {
            Is::Successful => Decision::Succeeded,
            Is::RollbackSuccessful => Decision::RolledBack { reason },
            Is::RollbackFailed => Decision::RollbackFailed { reason },
            Is::Stopped => Decision::Stopped { reason },
            Is::StopRequested | Is::RollbackRequested | Is::RollbackInProgress => {
                self.asked = None;
                self.stopping.get_or_insert((now, reason));
                self.time(now)
            }
            Is::Pending | Is::InProgress | Is::Other(_) => self.pause(deployment, now),
        }
    }

    /// A deployment under way: whether it waits for an answer.
    fn pause(&mut self, deployment: &ServiceDeployment, now: Duration) -> Decision {
        let overdue = self.time(now);
        if !matches!(overdue, Decision::Wait { .. }) || self.stopping.is_some() {
            return overdue;
        }
        let Some(hook) = deployment.hooks.iter().find(|hook| waits(hook)) else {
            self.asked = None;
            return overdue;
        };
        let pause = (hook.id.clone(), deployment.stage.clone().unwrap_or_default());
        if let Some((id, stage, at, refused)) = &mut self.answered
            && (&*id, &*stage) == (&pause.0, &pause.1)
        {
            if now.saturating_sub(*at) < ANSWERED {
                return overdue;
            }
            // The answer was lost.
            *at = now;
            let hook = pause.0;
            return match refused.clone() {
                Some(reason) => Decision::RollBack { hook, reason },
                None => Decision::Continue { hook },
            };
        }
        if self.asked.as_ref() == Some(&pause) {
            return overdue;
        }
        self.asked = Some(pause.clone());
        Decision::Gate {
            hook: pause.0,
            stage: pause.1,
            expires_at: hook.expires_at,
        }
    }

    fn answer(&mut self, says: Says<'_>, now: Duration) -> Decision {
        let Some((hook, stage)) = self.asked.take() else {
            return self.time(now);
        };
        let refused = match says {
            Says::Pass => None,
            Says::Fail(why) => Some(inert(why)),
        };
        self.answered = Some((hook.clone(), stage, now, refused.clone()));
        match refused {
            Some(reason) => Decision::RollBack { hook, reason },
            None => Decision::Continue { hook },
        }
    }

    /// The deployment can't succeed any more.
    fn fail(&mut self, why: &str, now: Duration) -> Decision {
        if self.stopping.is_some() {
            return self.time(now);
        }
        let reason = inert(why);
        self.asked = None;
        self.stopping = Some((now, reason.clone()));
        Decision::Stop { reason }
    }

    fn missing(&mut self, now: Duration) -> Decision {
        self.unreadable_since = None;
        if self.seen || now.saturating_sub(self.started) >= VISIBLE {
            let reason = "ECS knows no such service deployment, so how it went is not known".to_owned();
            return Decision::Unknown { reason };
        }
        self.time(now)
    }

    fn unreadable(&mut self, why: &str, now: Duration) -> Decision {
        let since = *self.unreadable_since.get_or_insert(now);
        let silent = now.saturating_sub(since);
        if silent >= self.limits.api_grace {
            return Decision::Unknown {
                reason: format!(
                    "the service deployment could not be read for {}: {}",
                    display(silent),
                    inert(why)
                ),
            };
        }
        Decision::Wait {
            next: self.limits.poll,
        }
    }

    fn time(&mut self, now: Duration) -> Decision {
        let took = now.saturating_sub(self.started);
        match &self.stopping {
            Some((since, reason)) if now.saturating_sub(*since) >= self.limits.rollback_timeout => {
                let limit = display(self.limits.rollback_timeout);
                let reason = format!("{reason}; the rollback is not complete after {limit}");
                Decision::RollbackFailed { reason }
            }
            None if took >= self.limits.timeout => {
                let reason = format!("the deployment is not complete after {}", display(took));
                self.stopping = Some((now, reason.clone()));
                Decision::Stop { reason }
            }
            _ => Decision::Wait {
                next: self.limits.poll,
            },
        }
    }

    /// Why a deployment ended: our own reason first, then what ECS says.
    fn reason(&self, deployment: &ServiceDeployment) -> String {
        let own = self
            .answered
            .as_ref()
            .and_then(|(.., refused)| refused.clone())
            .or_else(|| self.stopping.as_ref().map(|(_, reason)| reason.clone()));
        let alarms: Vec<String> = deployment
            .triggered_alarms
            .iter()
            .take(5)
            .map(|alarm| format!("`{}`", inert(alarm)))
            .collect();
        let rollback = deployment
            .rollback
            .as_ref()
            .and_then(|rollback| rollback.reason.as_deref());
        let said = rollback.or(deployment.reason.as_deref()).map(inert);
        let alarms = (!alarms.is_empty()).then(|| format!("alarm {}", alarms.join(", ")));
        let mut parts: Vec<String> = own.into_iter().collect();
        parts.extend(alarms);
        parts.extend(said.filter(|said| !parts.contains(said)));
        if parts.is_empty() {
            "ECS gave no reason".to_owned()
        } else {
            parts.join("; ")
        }
    }
}

fn waits(hook: &Hook) -> bool {
    hook.kind == "PAUSE" && hook.status == HookStatus::AwaitingAction
}

/// Foreign text as a short part of a line.
fn inert(foreign: &str) -> String {
    text::line(&text::cut(foreign.trim(), 300))
}

#[cfg(test)]
mod tests;
