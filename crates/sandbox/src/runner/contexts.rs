//! Builds what expressions and processes see: the contexts, and the environment made of them.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::evaluate::Status;
use super::files::CommandFiles;
use super::report::Outcome;
use super::setup::Setup;
use super::workflow::ActionRef;

/// The names of the `github` context that become `GITHUB_…` (`GitHubContext.cs` in actions/runner).
const IN_ENVIRONMENT: [&str; 37] = [
    "action",
    "action_path",
    "action_ref",
    "action_repository",
    "actor",
    "actor_id",
    "api_url",
    "base_ref",
    "env",
    "event_name",
    "event_path",
    "graphql_url",
    "head_ref",
    "job",
    "output",
    "path",
    "ref",
    "ref_name",
    "ref_protected",
    "ref_type",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "retention_days",
    "run_attempt",
    "run_id",
    "run_number",
    "server_url",
    "sha",
    "state",
    "step_summary",
    "triggering_actor",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    "workspace",
];

/// Where the steps of one list stand: those of the job, or those of one use of a composite action.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    /// The `steps` context.
    pub(crate) steps: Map<String, Value>,
    /// The `inputs` context.
    pub(crate) inputs: Map<String, Value>,
    /// What `env:` of the calling steps adds to the job's environment.
    pub(crate) env: Map<String, Value>,
    /// The action, for steps inside one.
    pub(crate) action: Option<ActionFrame>,
}

/// A use of a composite action.
#[derive(Debug)]
pub(crate) struct ActionFrame {
    pub(crate) reference: ActionRef,
    pub(crate) path: PathBuf,
    /// How its steps have gone so far (`github.action_status`).
    pub(crate) status: Outcome,
}

impl Frame {
    /// What status functions answer here.
    pub(crate) fn status(&self, job: Outcome) -> Status {
        Status {
            current: self.action.as_ref().map_or(job, |action| action.status),
            job,
        }
    }
}

/// The parts of the contexts that stay the same all through a job.
#[derive(Debug)]
pub(crate) struct Fixed {
    pub(crate) github: Map<String, Value>,
    pub(crate) runner: Map<String, Value>,
}

impl Fixed {
    /// The contexts of a step. A composite action sees no secrets and no variables.
    pub(crate) fn contexts(
        &self,
        setup: &Setup,
        frame: &Frame,
        job: Outcome,
        env: Map<String, Value>,
        action: &str,
    ) -> Map<String, Value> {
        let mut github = self.github.clone();
        github.insert("action".to_owned(), Value::from(action));
        if let Some(frame) = &frame.action {
            github.insert(
                "action_path".to_owned(),
                Value::from(frame.path.to_string_lossy()),
            );
            github.insert("action_status".to_owned(), Value::from(frame.status.as_str()));
            if let ActionRef::Repository { slug, reference, .. } = &frame.reference {
                github.insert("action_repository".to_owned(), Value::from(slug.as_str()));
                github.insert("action_ref".to_owned(), Value::from(reference.as_str()));
            }
        }
        let mut contexts = Map::new();
        let mut add = |name: &str, value: Value| contexts.insert(name.to_owned(), value);
        add("github", Value::Object(github));
        add("env", Value::Object(env));
        add("inputs", Value::Object(frame.inputs.clone()));
        add("steps", Value::Object(frame.steps.clone()));
        add("job", json!({ "status": job.as_str() }));
        add("runner", Value::Object(self.runner.clone()));
        add("strategy", json!({}));
        add("matrix", json!({}));
        if frame.action.is_none() {
            add("secrets", Value::Object(setup.secrets.clone()));
            add("vars", Value::Object(setup.vars.clone()));
            add("needs", json!({}));
        }
        contexts
    }

    /// The `GITHUB_…` and `RUNNER_…` variables of a process, from its step's contexts.
    pub(crate) fn variables(
        &self,
        contexts: &Map<String, Value>,
        files: &CommandFiles,
    ) -> Vec<(String, String)> {
        let mut github = contexts
            .get("github")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        // Known to expressions of an action, empty in the environment of its run steps (actions/runner #2525).
        github.remove("action_ref");
        github.remove("action_repository");
        let files = [
            ("env", &files.env),
            ("output", &files.output),
            ("path", &files.path),
            ("state", &files.state),
            ("step_summary", &files.summary),
        ];
        for (name, path) in files {
            github.insert(name.to_owned(), Value::from(path.to_string_lossy()));
        }
        let of_github = IN_ENVIRONMENT.iter().filter_map(|name| {
            let value = github.get(*name)?.as_str()?;
            Some((format!("GITHUB_{}", name.to_uppercase()), value.to_owned()))
        });
        let of_runner = self.runner.iter().filter_map(|(name, value)| {
            Some((
                format!("RUNNER_{}", name.to_uppercase()),
                value.as_str()?.to_owned(),
            ))
        });
        of_github.chain(of_runner).collect()
    }
}
