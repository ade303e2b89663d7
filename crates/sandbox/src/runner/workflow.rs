//! Reads workflows and `action.yml` files into the little that a run needs.
//!
//! Whatever the fake runner does not do is refused here by name, so that nothing is silently left out.

use std::fs;
use std::path::Path;

use github_actions_models::action;
use github_actions_models::common::expr::LoE;
use github_actions_models::common::{Env, If, Uses};
use github_actions_models::workflow::job::{self, NormalJob};
use github_actions_models::workflow::{Defaults, Job, Workflow};
use yaml_serde::Value;

use super::error::Error;

/// Names and templates, in the order they were written.
pub(crate) type Pairs = Vec<(String, String)>;

/// One job, ready to run.
#[derive(Debug)]
pub(crate) struct JobPlan {
    pub(crate) workflow: String,
    pub(crate) id: String,
    /// Workflow level first, job level second.
    pub(crate) env: [Pairs; 2],
    pub(crate) shell: Option<String>,
    pub(crate) working_directory: Option<String>,
    pub(crate) outputs: Pairs,
    pub(crate) steps: Vec<Step>,
}

/// A composite action.
#[derive(Debug)]
pub(crate) struct CompositeAction {
    /// Name and default.
    pub(crate) inputs: Vec<(String, Option<String>)>,
    pub(crate) outputs: Pairs,
    pub(crate) steps: Vec<Step>,
}

/// A step of a job or of a composite action. Texts are templates.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) condition: Option<String>,
    pub(crate) continue_on_error: String,
    pub(crate) env: Pairs,
    pub(crate) body: Body,
}

#[derive(Debug)]
pub(crate) enum Body {
    Run {
        script: String,
        shell: Option<String>,
        working_directory: Option<String>,
    },
    Uses {
        action: ActionRef,
        with: Pairs,
    },
}

/// What a `uses:` names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ActionRef {
    /// A folder of the workspace.
    Local(String),
    /// `owner/repo`, the folder in it, the ref.
    Repository {
        slug: String,
        folder: String,
        reference: String,
    },
}

impl ActionRef {
    /// As written after `uses:`.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Local(path) => path.clone(),
            Self::Repository {
                slug,
                folder,
                reference,
            } if folder.is_empty() => format!("{slug}@{reference}"),
            Self::Repository {
                slug,
                folder,
                reference,
            } => format!("{slug}/{folder}@{reference}"),
        }
    }
}

/// Reads a workflow and picks the job `wanted`, or its only one.
pub(crate) fn read_job(text: &str, wanted: Option<&str>) -> Result<JobPlan, Error> {
    let workflow: Workflow = yaml_serde::from_str(text).map_err(Error::Workflow)?;
    let names = || {
        workflow
            .jobs
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let found = match wanted {
        Some(id) => workflow.jobs.get_key_value(id),
        None if workflow.jobs.len() == 1 => workflow.jobs.first(),
        None => None,
    };
    let Some((id, job)) = found else {
        let asked = wanted.map_or_else(|| "none was named".to_owned(), |id| format!("there is no `{id}`"));
        return Err(Error::Job(format!("{asked}, the workflow has: {}", names())));
    };
    let Job::NormalJob(job) = job else {
        return Err(unsupported("a job that calls a workflow"));
    };
    refuse_job(job)?;
    let defaults = [&job.defaults, &workflow.defaults];
    Ok(JobPlan {
        workflow: workflow.name.clone().unwrap_or_default(),
        id: id.clone(),
        env: [env(&workflow.env)?, env(&job.env)?],
        shell: defaults.into_iter().find_map(default_shell),
        working_directory: defaults.into_iter().find_map(default_folder),
        outputs: pairs(&job.outputs),
        steps: job.steps.iter().map(job_step).collect::<Result<_, _>>()?,
    })
}

/// Reads the `action.yml` or `action.yaml` of a folder. The error is a text for the step's log.
pub(crate) fn read_action(folder: &Path) -> Result<CompositeAction, String> {
    let files = [folder.join("action.yml"), folder.join("action.yaml")];
    let Some(file) = files.iter().find(|file| file.is_file()) else {
        return Err(format!(
            "Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '{}'.",
            folder.display()
        ));
    };
    let text =
        fs::read_to_string(file).map_err(|error| format!("failed to read `{}`: {error}", file.display()))?;
    parse_action(&text).map_err(|error| {
        let cause = std::error::Error::source(&error)
            .map(|cause| format!(": {cause}"))
            .unwrap_or_default();
        format!("Fail to load {}: {error}{cause}", file.display())
    })
}

fn parse_action(text: &str) -> Result<CompositeAction, Error> {
    let mut document: Value = yaml_serde::from_str(text).map_err(Error::Workflow)?;
    defaults_as_text(&mut document);
    let action: action::Action = yaml_serde::from_value(document).map_err(Error::Workflow)?;
    let action::Runs::Composite(runs) = action.runs else {
        return Err(unsupported("an action that is not composite"));
    };
    if runs.using != "composite" {
        return Err(unsupported(&format!("`using: {}`", runs.using)));
    }
    Ok(CompositeAction {
        inputs: action
            .inputs
            .into_iter()
            .map(|(name, input)| (name, input.default))
            .collect(),
        outputs: action
            .outputs
            .into_iter()
            .map(|(name, out)| (name, out.value.unwrap_or_default()))
            .collect(),
        steps: runs
            .steps
            .into_iter()
            .map(action_step)
            .collect::<Result<_, _>>()?,
    })
}

/// GitHub takes `default: 30` and `default: true` as texts; the model wants them written so.
fn defaults_as_text(document: &mut Value) {
    let inputs = document.get_mut("inputs").and_then(Value::as_mapping_mut);
    for input in inputs.into_iter().flat_map(|inputs| inputs.values_mut()) {
        if let Some(default) = input.get_mut("default") {
            let text = match &*default {
                Value::Bool(value) => Some(value.to_string()),
                Value::Number(value) => Some(value.to_string()),
                _ => None,
            };
            if let Some(text) = text {
                *default = Value::String(text);
            }
        }
    }
}

fn refuse_job(job: &NormalJob) -> Result<(), Error> {
    if job.container.is_some() {
        return Err(unsupported("`container:`"));
    }
    if !job.services.is_empty() {
        return Err(unsupported("`services:`"));
    }
    if job.strategy.is_some() {
        return Err(unsupported("`strategy:`"));
    }
    Ok(())
}

fn job_step(step: &job::Step) -> Result<Step, Error> {
    let (shared, body) = match step {
        job::Step::Run(run) => {
            let shell = run.shell.as_ref().map(text_or_expression);
            let working_directory = run.working_directory.clone();
            (
                &run.shared,
                Body::Run {
                    script: run.run.clone(),
                    shell,
                    working_directory,
                },
            )
        }
        job::Step::Uses(uses) => (
            &uses.shared,
            Body::Uses {
                action: action_ref(&uses.uses)?,
                with: env(&uses.with)?,
            },
        ),
        _ => return Err(unsupported("a step that is neither `run` nor `uses`")),
    };
    if shared.background {
        return Err(unsupported("`background:`"));
    }
    Ok(Step {
        id: shared.id.clone(),
        name: shared.name.clone(),
        condition: shared.r#if.as_ref().map(condition),
        continue_on_error: flag(&shared.continue_on_error),
        env: env(&shared.env)?,
        body,
    })
}

fn action_step(step: action::Step) -> Result<Step, Error> {
    let body = match &step.body {
        action::StepBody::Run {
            run,
            shell,
            working_directory,
        } => Body::Run {
            script: run.clone(),
            shell: Some(text_or_expression(shell)),
            working_directory: working_directory.clone(),
        },
        action::StepBody::Uses { uses, with } => Body::Uses {
            action: action_ref(uses)?,
            with: env(with)?,
        },
    };
    Ok(Step {
        condition: step.r#if.as_ref().map(condition),
        continue_on_error: flag(&step.continue_on_error),
        env: env(&step.env)?,
        id: step.id,
        name: step.name,
        body,
    })
}

fn action_ref(uses: &Uses) -> Result<ActionRef, Error> {
    match uses {
        Uses::Local(local) if !local.is_self_repository() => Ok(ActionRef::Local(local.raw().to_owned())),
        Uses::Repository(repository) => Ok(ActionRef::Repository {
            slug: repository.slug().to_owned(),
            folder: repository.subpath().unwrap_or_default().to_owned(),
            reference: repository.git_ref().to_owned(),
        }),
        other => Err(unsupported(&format!("`uses: {}`", other.raw()))),
    }
}

fn condition(condition: &If) -> String {
    match condition {
        If::Bool(truth) => truth.to_string(),
        If::Expr(source) => source.clone(),
    }
}

fn flag(flag: &LoE<bool>) -> String {
    match flag {
        LoE::Literal(truth) => truth.to_string(),
        LoE::Expr(expression) => expression.as_curly().to_owned(),
    }
}

fn text_or_expression(text: &LoE<String>) -> String {
    match text {
        LoE::Literal(text) => text.clone(),
        LoE::Expr(expression) => expression.as_raw().to_owned(),
    }
}

fn env(env: &LoE<Env>) -> Result<Pairs, Error> {
    match env {
        LoE::Literal(env) => Ok(pairs(env)),
        LoE::Expr(_) => Err(unsupported("an expression in place of a mapping")),
    }
}

fn pairs(env: &Env) -> Pairs {
    env.iter()
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect()
}

fn default_shell(defaults: &Option<Defaults>) -> Option<String> {
    defaults
        .as_ref()?
        .run
        .as_ref()?
        .shell
        .as_ref()
        .map(text_or_expression)
}

fn default_folder(defaults: &Option<Defaults>) -> Option<String> {
    defaults.as_ref()?.run.as_ref()?.working_directory.clone()
}

fn unsupported(what: &str) -> Error {
    Error::Unsupported(what.to_owned())
}
