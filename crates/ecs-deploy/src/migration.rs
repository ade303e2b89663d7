//! Judges a one-off task, such as a database migration: what `RunTask` answered, and what became of the task. The service
//! is not touched before it succeeded.

use std::time::Duration;

use gha::duration::display;
use gha::text;

use crate::observed::{Container, Task};
use crate::stopped;
use crate::stopped::exit_code::meaning;
use crate::words::StopCode;

pub mod identity;

/// How long a new task may be missing from answers.
const VISIBLE: Duration = Duration::from_secs(30);

/// How long a task may take to stop, when it was asked to: the longest `stopTimeout` is two minutes on Fargate
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>), and clearing away takes time.
const STOPS: Duration = Duration::from_secs(4 * 60);

/// What kept `RunTask` from starting a task
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotStarted {
    /// The kind, such as `RESOURCE:MEMORY`.
    pub reason: Option<String>,
    /// More about it.
    pub detail: Option<String>,
}

/// The ARN of the one task that `RunTask` started.
///
/// # Errors
/// When it started none, with what it said, as one line.
pub fn started(tasks: &[Task], failures: &[NotStarted]) -> Result<String, String> {
    if let Some(task) = tasks.first() {
        return Ok(task.arn.clone());
    }
    let said: Vec<String> = failures
        .iter()
        .take(5)
        .map(|failure| {
            let reason = inert(failure.reason.as_deref().unwrap_or("no reason given"));
            let detail = failure
                .detail
                .as_deref()
                .map(|detail| format!(" ({})", inert(detail)));
            format!("{reason}{}", detail.unwrap_or_default())
        })
        .collect();
    Err(match said.is_empty() {
        true => "ECS started no task and gave no reason".to_owned(),
        false => format!("ECS started no task: {}", said.join(", ")),
    })
}

/// How long a task may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From one look to the next.
    pub poll: Duration,
    /// How long it may run, its start included.
    pub timeout: Duration,
    /// How long the API may be out of reach.
    pub api_grace: Duration,
}

/// What one look saw.
#[derive(Clone, Copy, Debug)]
pub enum Look<'a> {
    /// The task.
    Task(&'a Task),
    /// `DescribeTasks` says `MISSING`.
    Missing,
    /// The API could not be asked.
    Unreadable(&'a str),
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Look again after this time.
    Wait {
        /// From now.
        next: Duration,
    },
    /// Stop the task, then look again at once. Told once.
    Stop {
        /// Why, as one line.
        reason: String,
    },
    /// It did what it had to.
    Succeeded {
        /// Containers that it can be without and that failed.
        warnings: Vec<String>,
    },
    /// It did not.
    Failed {
        /// Why, as one line.
        reason: String,
    },
    /// What became of it is not known.
    Unknown {
        /// Why, as one line.
        reason: String,
    },
}

/// What is known so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    limits: Limits,
    started: Duration,
    seen: bool,
    stopping: Option<(Duration, String)>,
    unreadable_since: Option<Duration>,
}

impl State {
    /// Begins to follow a task that was started now; times count from the start of the run.
    #[must_use]
    pub fn new(limits: Limits, now: Duration) -> Self {
        Self {
            limits,
            started: now,
            seen: false,
            stopping: None,
            unreadable_since: None,
        }
    }

    /// Takes in a look at `now`, and says what to do.
    #[must_use]
    pub fn next(mut self, look: Look<'_>, now: Duration) -> (Self, Decision) {
        let decision = self.judge(look, now);
        (self, decision)
    }

    fn judge(&mut self, look: Look<'_>, now: Duration) -> Decision {
        match look {
            Look::Task(task) if task.is_stopped() => return self.ended(task),
            Look::Task(_) => {
                self.seen = true;
                self.unreadable_since = None;
            }
            Look::Missing => {
                self.unreadable_since = None;
                if self.seen || now.saturating_sub(self.started) >= VISIBLE {
                    let reason = "ECS knows no such task, so how it ended is not known".to_owned();
                    return Decision::Unknown { reason };
                }
            }
            Look::Unreadable(why) => {
                let since = *self.unreadable_since.get_or_insert(now);
                let silent = now.saturating_sub(since);
                if silent >= self.limits.api_grace {
                    let silent = display(silent);
                    let reason = format!(
                        "the task could not be read for {silent}, so how it ended is not known: {}",
                        inert(why)
                    );
                    return Decision::Unknown { reason };
                }
            }
        }
        self.time(now)
    }

    fn time(&mut self, now: Duration) -> Decision {
        let took = now.saturating_sub(self.started);
        match &self.stopping {
            Some((since, reason)) if now.saturating_sub(*since) >= STOPS => Decision::Failed {
                reason: format!("{reason}, and did not stop within {}", display(STOPS)),
            },
            None if took >= self.limits.timeout => {
                let reason = format!("the task did not end within {}", display(self.limits.timeout));
                self.stopping = Some((now, reason.clone()));
                Decision::Stop { reason }
            }
            Some(_) => Decision::Wait {
                next: self.limits.poll,
            },
            None => Decision::Wait {
                next: self.limits.poll.min(self.limits.timeout.saturating_sub(took)),
            },
        }
    }

    fn ended(&self, task: &Task) -> Decision {
        if let Some((_, reason)) = &self.stopping {
            // A program that obeys SIGTERM may end with 0, with its work half done.
            return Decision::Failed {
                reason: reason.clone(),
            };
        }
        verdict(task)
    }
}

/// Judges a stopped one-off task by its essential containers.
#[must_use]
pub fn verdict(task: &Task) -> Decision {
    let (essential, sidecars): (Vec<&Container>, Vec<&Container>) = task
        .containers
        .iter()
        .partition(|container| container.essential != Some(false));
    let by_itself = matches!(task.stop_code, None | Some(StopCode::EssentialContainerExited));
    let bad = |container: &&Container| container.exit_code != Some(0);
    let failed = essential.is_empty() || essential.iter().any(bad);
    if !by_itself || failed {
        return Decision::Failed {
            reason: failure(task, by_itself, essential.iter().copied().find(bad)),
        };
    }
    Decision::Succeeded {
        warnings: sidecars
            .iter()
            .filter(|container| bad(container))
            .map(|container| ending(container))
            .collect(),
    }
}

fn failure(task: &Task, by_itself: bool, container: Option<&Container>) -> String {
    let stopped = task.stopped_reason.as_deref().unwrap_or("no reason given");
    match container {
        Some(container) if by_itself && container.exit_code.is_some() => {
            let mut reason = ending(container);
            if let Some(said) = &container.reason {
                reason.push_str(&format!(": {}", inert(said)));
            }
            reason
        }
        Some(container) if by_itself => {
            let said = container.reason.as_deref().unwrap_or(stopped);
            format!("{}: {}", ending(container), inert(said))
        }
        _ if task.stop_code == Some(StopCode::TaskFailedToStart) => stopped::classify(task).reason,
        _ if task.containers.is_empty() => {
            format!("the task stopped without a container: {}", inert(stopped))
        }
        _ => format!("the task was stopped before it ended: {}", inert(stopped)),
    }
}

fn ending(container: &Container) -> String {
    let name = inert(&container.name);
    match container.exit_code {
        Some(code) => {
            let meaning = meaning(code).map(|meaning| format!(" ({meaning})"));
            format!(
                "container `{name}` ended with exit code {code}{}",
                meaning.unwrap_or_default()
            )
        }
        None => format!("container `{name}` has no exit code, so it never ran"),
    }
}

/// Foreign text as a short part of a line.
fn inert(foreign: &str) -> String {
    text::line(&text::cut(foreign.trim(), 300))
}

#[cfg(test)]
mod tests;
