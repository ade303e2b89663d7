//! The conditions of the steps that are running now, asked again when the job is cancelled.
//!
//! A cancel does not stop a step whose `if:` still holds for a cancelled job (`if: always()`); it stops a step whose
//! `if:` no longer holds, and everything inside it.

use serde_json::{Map, Value};

use super::evaluate::{Scope, Status};
use super::expression;
use super::report::Outcome;

/// A running step and the steps around it, outermost first.
#[derive(Debug, Default)]
pub(crate) struct Running {
    steps: Vec<Active>,
    /// How deep the outermost stopped step is.
    stopped: Option<usize>,
}

#[derive(Debug)]
struct Active {
    condition: Option<String>,
    contexts: Map<String, Value>,
    /// The status of the action around it, for a step inside one.
    action: Option<Outcome>,
}

impl Running {
    pub(crate) fn enter(
        &mut self,
        condition: Option<String>,
        contexts: Map<String, Value>,
        action: Option<Outcome>,
    ) {
        self.steps.push(Active {
            condition,
            contexts,
            action,
        });
    }

    pub(crate) fn leave(&mut self) {
        self.steps.pop();
        if self.stopped == Some(self.steps.len()) {
            self.stopped = None;
        }
    }

    /// How many steps are inside each other now.
    pub(crate) fn depth(&self) -> usize {
        self.steps.len()
    }

    /// Whether a step around the innermost one has been stopped: then that one is stopped as it starts.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Asks again, now that the job is cancelled: is the innermost step to be stopped?
    pub(crate) fn cancel(&mut self) -> bool {
        let job = Outcome::Cancelled;
        self.stopped = self.stopped.or_else(|| {
            self.steps.iter().position(|step| {
                let status = Status {
                    current: step.action.unwrap_or(job),
                    job,
                };
                let scope = Scope {
                    contexts: &step.contexts,
                    status,
                };
                !expression::condition(step.condition.as_deref(), scope).unwrap_or(false)
            })
        });
        self.is_stopped()
    }
}
