//! One step: its condition, its contexts, its result. What it does is in `run` and `composite`.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::contexts::Frame;
use super::evaluate::Scope;
use super::expression::{self, ExpressionError};
use super::job::Runner;
use super::report::{Outcome, StepReport, Survivor};
use super::workflow::{Body, Step};

/// What came of a step's body.
#[derive(Debug, Default)]
pub(crate) struct Attempt {
    pub(crate) failed: bool,
    pub(crate) cancelled: bool,
    pub(crate) exit_code: Option<i32>,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) summary: String,
    pub(crate) survivors: Vec<Survivor>,
    pub(crate) steps: Vec<StepReport>,
}

impl Attempt {
    /// A step that failed before anything was started.
    pub(crate) fn failed() -> Self {
        Self {
            failed: true,
            ..Self::default()
        }
    }

    fn outcome(&self) -> Outcome {
        match (self.cancelled, self.failed) {
            (true, _) => Outcome::Cancelled,
            (false, true) => Outcome::Failure,
            (false, false) => Outcome::Success,
        }
    }
}

impl Runner<'_> {
    /// Runs the steps of the job or of an action, in order; conditions decide which.
    pub(crate) fn run_steps(&mut self, frame: &mut Frame, steps: &[Step]) -> Vec<StepReport> {
        let mut unnamed = 0;
        let mut reports = Vec::with_capacity(steps.len());
        for step in steps {
            let key = step.id.clone().unwrap_or_else(|| {
                unnamed += 1;
                if unnamed == 1 {
                    "__run".to_owned()
                } else {
                    format!("__run_{unnamed}")
                }
            });
            let report = self.run_step(frame, step, &key);
            if step.id.is_some() {
                frame.steps.insert(
                    key,
                    json!({
                        "outputs": report.outputs,
                        "outcome": report.outcome.as_str(),
                        "conclusion": report.conclusion.as_str(),
                    }),
                );
            }
            let status = frame
                .action
                .as_mut()
                .map_or(&mut self.status, |action| &mut action.status);
            match report.conclusion {
                Outcome::Cancelled => *status = Outcome::Cancelled,
                Outcome::Failure if *status != Outcome::Cancelled => *status = Outcome::Failure,
                _ => {}
            }
            reports.push(report);
        }
        reports
    }

    fn run_step(&mut self, frame: &Frame, step: &Step, key: &str) -> StepReport {
        let started = Instant::now();
        if self.cancel.is_requested() {
            self.status = Outcome::Cancelled;
        }
        let inside = frame.action.is_some();
        if !inside {
            self.journal.open(step.name.as_deref().unwrap_or(key));
        }
        let (from, warned) = (self.journal.lines(), self.journal.warnings().len());
        let (name, attempt) = self.attempt(frame, step, key);
        let outcome = attempt
            .as_ref()
            .map_or(Outcome::Skipped, |(attempt, _)| attempt.outcome());
        let (attempt, forgiven) = attempt.unwrap_or_default();
        let conclusion = if outcome == Outcome::Failure && forgiven {
            Outcome::Success
        } else {
            outcome
        };
        let warnings = self.journal.warnings()[warned..].to_vec();
        let (log, annotations) = if inside {
            (self.journal.since(from), Vec::new())
        } else {
            let page = self.journal.close();
            (page.log, page.annotations)
        };
        StepReport {
            id: step.id.clone(),
            name,
            outcome,
            conclusion,
            exit_code: attempt.exit_code,
            duration: started.elapsed(),
            log,
            annotations,
            outputs: attempt.outputs,
            summary: attempt.summary,
            warnings,
            survivors: attempt.survivors,
            steps: attempt.steps,
        }
    }

    /// The step's name, and what came of it unless it was skipped, with the answer to `continue-on-error`.
    fn attempt(&mut self, frame: &Frame, step: &Step, key: &str) -> (String, Option<(Attempt, bool)>) {
        let contexts = match self.step_contexts(frame, step, key) {
            Ok(contexts) => contexts,
            Err(error) => {
                return (
                    unevaluated_name(step),
                    Some((self.fail(&error.to_string()), false)),
                );
            }
        };
        let status = frame.status(self.status);
        let scope = Scope {
            contexts: &contexts,
            status,
        };
        let name = self.journal.masker.mask(&step_name(step, scope));
        let mut visible = contexts.clone();
        visible.remove("secrets"); // GitHub offers no secrets to `if:`.
        match expression::condition(
            step.condition.as_deref(),
            Scope {
                contexts: &visible,
                status,
            },
        ) {
            Ok(false) => return (name, None),
            Err(error) => return (name, Some((self.fail(&error.to_string()), false))),
            Ok(true) => {}
        }
        if frame.action.is_none() {
            self.journal.open(&name);
        }
        let action = frame.action.as_ref().map(|action| action.status);
        self.running.enter(step.condition.clone(), visible, action);
        let attempt = match &step.body {
            Body::Run {
                script,
                shell,
                working_directory,
            } => self.run_script(
                frame,
                scope,
                script,
                shell.as_deref(),
                working_directory.as_deref(),
            ),
            Body::Uses { action, with } => self.run_action(frame, scope, step, action, with),
        };
        self.running.leave();
        let attempt = attempt.unwrap_or_else(|error| self.fail(&error));
        let forgiven = match expression::value(&step.continue_on_error, scope) {
            Ok(value) => value == true || value == "true",
            Err(error) => {
                self.journal.error(&error.to_string());
                false
            }
        };
        (name, Some((attempt, forgiven)))
    }

    /// The contexts with the step's own `env:` in them.
    fn step_contexts(
        &self,
        frame: &Frame,
        step: &Step,
        key: &str,
    ) -> Result<Map<String, Value>, ExpressionError> {
        let mut env = self.globals.clone();
        env.extend(frame.env.clone());
        let contexts = self
            .fixed
            .contexts(self.setup, frame, self.status, env.clone(), key);
        let own = evaluate_env(
            step,
            Scope {
                contexts: &contexts,
                status: frame.status(self.status),
            },
        )?;
        env.extend(own);
        Ok(self.fixed.contexts(self.setup, frame, self.status, env, key))
    }

    /// Fails the step with an error of the runner.
    pub(crate) fn fail(&mut self, error: &str) -> Attempt {
        self.journal.error(error);
        Attempt::failed()
    }
}

/// The values of the step's own `env:`.
pub(crate) fn evaluate_env(step: &Step, scope: Scope<'_>) -> Result<Map<String, Value>, ExpressionError> {
    let values = step.env.iter().map(|(name, template)| {
        expression::interpolate(template, scope).map(|value| (name.clone(), Value::from(value)))
    });
    values.collect()
}

/// The `env` context as variables.
pub(crate) fn env_of(scope: Scope<'_>) -> BTreeMap<String, String> {
    let env = scope.contexts.get("env").and_then(Value::as_object);
    let texts = env
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    texts.collect()
}

fn step_name(step: &Step, scope: Scope<'_>) -> String {
    let name = unevaluated_name(step);
    expression::interpolate(&name, scope).unwrap_or(name)
}

fn unevaluated_name(step: &Step) -> String {
    match (&step.name, &step.body) {
        (Some(name), _) => first_line(name).to_owned(),
        (None, Body::Run { script, .. }) => format!("Run {}", first_line(script)),
        (None, Body::Uses { action, .. }) => format!("Run {}", action.written()),
    }
}

/// The first line that is not empty, as names and heads show it.
pub(crate) fn first_line(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\r', '\n'])
        .split(['\r', '\n'])
        .next()
        .unwrap_or_default()
}
