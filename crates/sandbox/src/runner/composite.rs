//! A step that uses a composite action: inputs in, the action's steps, outputs out.
//!
//! As on GitHub, no `INPUT_…` is set, `required` is not enforced, unknown inputs only warn, and outputs are mapped
//! however the action's steps ended.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::contexts::{ActionFrame, Frame};
use super::evaluate::Scope;
use super::expression;
use super::job::{Runner, action_folder};
use super::report::{Outcome, StepReport};
use super::step::{Attempt, env_of, evaluate_env};
use super::workflow::{self, ActionRef, CompositeAction, Pairs, Step};

/// The contexts that the default of an input may use.
const FOR_DEFAULTS: [&str; 5] = ["github", "strategy", "matrix", "job", "runner"];

/// How deep actions may use actions (`Constants.CompositeActionsMaxDepth` in actions/runner).
const DEPTH: usize = 9;

impl Runner<'_> {
    pub(crate) fn run_action(
        &mut self,
        frame: &Frame,
        scope: Scope<'_>,
        step: &Step,
        action: &ActionRef,
        with: &Pairs,
    ) -> Result<Attempt, String> {
        let path = action_folder(self.setup, action)
            .ok_or_else(|| format!("no local tree was given for `uses: {}`", action.written()))?;
        let composite = workflow::read_action(&path)?;
        if self.running.depth() > DEPTH {
            return Err(format!("Composite action depth exceeded max depth {DEPTH}"));
        }
        let inputs = self.inputs(&composite, with, scope)?;
        self.print_head(action, &inputs, scope);
        let mut env = frame.env.clone();
        env.extend(evaluate_env(step, scope).map_err(|error| error.to_string())?);
        let inner = ActionFrame {
            reference: action.clone(),
            path,
            status: Outcome::Success,
        };
        let mut inner = Frame {
            inputs,
            env,
            action: Some(inner),
            ..Frame::default()
        };
        let steps = self.run_steps(&mut inner, &composite.steps);
        self.conclude(&composite, &inner, steps)
    }

    fn inputs(
        &mut self,
        action: &CompositeAction,
        with: &Pairs,
        scope: Scope<'_>,
    ) -> Result<Map<String, Value>, String> {
        let mut inputs = Map::new();
        let mut unexpected = Vec::new();
        for (name, template) in with {
            let value = expression::interpolate(template, scope).map_err(|error| error.to_string())?;
            inputs.insert(name.clone(), Value::from(value));
            if !action
                .inputs
                .iter()
                .any(|(valid, _)| valid.eq_ignore_ascii_case(name))
            {
                unexpected.push(name.as_str());
            }
        }
        let mut contexts = scope.contexts.clone();
        contexts.retain(|name, _| FOR_DEFAULTS.contains(&name.as_str()));
        let for_defaults = Scope {
            contexts: &contexts,
            ..scope
        };
        for (name, default) in &action.inputs {
            if !inputs.keys().any(|given| given.eq_ignore_ascii_case(name)) {
                let template = default.as_deref().unwrap_or_default();
                let value =
                    expression::interpolate(template, for_defaults).map_err(|error| error.to_string())?;
                inputs.insert(name.clone(), Value::from(value));
            }
        }
        if !unexpected.is_empty() {
            let valid: Vec<&str> = action.inputs.iter().map(|(name, _)| name.as_str()).collect();
            self.journal.warn(&format!(
                "Unexpected input(s) '{}', valid inputs are ['{}']",
                unexpected.join("', '"),
                valid.join("', '")
            ));
        }
        Ok(inputs)
    }

    fn print_head(&mut self, action: &ActionRef, inputs: &Map<String, Value>, scope: Scope<'_>) {
        self.journal.print(&format!("##[group]Run {}", action.written()));
        let given: Vec<_> = inputs
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_str()?)))
            .collect();
        if !given.is_empty() {
            self.journal.print("with:");
        }
        for (name, value) in given.into_iter().filter(|(_, value)| !value.is_empty()) {
            self.journal.print(&format!("  {name}: {value}"));
        }
        self.print_env(&env_of(scope));
    }

    fn conclude(
        &mut self,
        action: &CompositeAction,
        inner: &Frame,
        steps: Vec<StepReport>,
    ) -> Result<Attempt, String> {
        let contexts = self
            .fixed
            .contexts(self.setup, inner, self.status, self.globals.clone(), "");
        let scope = Scope {
            contexts: &contexts,
            status: inner.status(self.status),
        };
        let mut outputs = BTreeMap::new();
        for (name, template) in &action.outputs {
            let value = expression::interpolate(template, scope).map_err(|error| error.to_string())?;
            outputs.insert(name.clone(), value);
        }
        let status = scope.status.current;
        Ok(Attempt {
            failed: status == Outcome::Failure,
            cancelled: status == Outcome::Cancelled,
            exit_code: steps.iter().rev().find_map(|step| step.exit_code),
            outputs,
            summary: summaries(&steps),
            survivors: steps.iter().flat_map(|step| step.survivors.clone()).collect(),
            steps,
        })
    }
}

fn summaries(steps: &[StepReport]) -> String {
    let parts: Vec<&str> = steps
        .iter()
        .map(|step| step.summary.as_str())
        .filter(|part| !part.is_empty())
        .collect();
    parts.join("\n")
}
