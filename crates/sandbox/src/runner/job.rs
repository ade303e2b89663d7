//! One job from its first step to its outputs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::cancel::{CancelHandle, CancelWhen};
use super::conditions::Running;
use super::contexts::{Fixed, Frame};
use super::error::Error;
use super::evaluate::Scope;
use super::expression;
use super::journal::Journal;
use super::report::{Outcome, Report};
use super::setup::Setup;
use super::workflow::{self, ActionRef, Body, JobPlan, Pairs};

/// A job under way.
pub(crate) struct Runner<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) plan: &'a JobPlan,
    pub(crate) folders: &'a Folders,
    pub(crate) journal: Journal,
    pub(crate) cancel: CancelHandle,
    /// `job.status`.
    pub(crate) status: Outcome,
    /// The job's environment: `env` of workflow and job, then what steps wrote to `GITHUB_ENV`.
    pub(crate) globals: Map<String, Value>,
    /// What steps wrote to `GITHUB_PATH`, the latest first.
    pub(crate) paths: Vec<String>,
    pub(crate) fixed: Fixed,
    pub(crate) running: Running,
}

/// The folders of one job.
#[derive(Debug)]
pub(crate) struct Folders {
    pub(crate) temp: PathBuf,
    pub(crate) home: PathBuf,
    tools: PathBuf,
    event: PathBuf,
    root: Arc<TempDir>,
}

/// Runs the job that `text` and `setup` name.
pub(crate) fn run(setup: &Setup, text: &str) -> Result<Report, Error> {
    let plan = workflow::read_job(text, setup.job.as_deref())?;
    for step in &plan.steps {
        if let Body::Uses { action, .. } = &step.body {
            action_folder(setup, action).ok_or_else(|| Error::UnknownAction(action.written()))?;
        }
    }
    let folders = prepare(setup)?;
    let mut runner = Runner {
        setup,
        plan: &plan,
        folders: &folders,
        journal: journal(setup),
        cancel: setup.cancel.clone(),
        status: Outcome::Success,
        globals: Map::new(),
        paths: Vec::new(),
        fixed: fixed(setup, &plan, &folders),
        running: Running::default(),
    };
    for level in &plan.env {
        runner.add_globals(level)?;
    }
    Ok(watched(setup, || runner.finish()))
}

impl Runner<'_> {
    /// What expressions of the job itself see.
    fn job_contexts(&self, frame: &Frame) -> Map<String, Value> {
        self.fixed
            .contexts(self.setup, frame, self.status, self.globals.clone(), "")
    }

    fn add_globals(&mut self, level: &Pairs) -> Result<(), Error> {
        let frame = Frame::default();
        let contexts = self.job_contexts(&frame);
        let scope = Scope {
            contexts: &contexts,
            status: frame.status(self.status),
        };
        for (name, template) in level {
            let value = expression::interpolate(template, scope)
                .map_err(|error| Error::Environment(format!("`{name}`: {error}")))?;
            self.globals.insert(name.clone(), Value::from(value));
        }
        Ok(())
    }

    fn finish(mut self) -> Report {
        let mut frame = Frame {
            inputs: self.setup.inputs.clone(),
            ..Frame::default()
        };
        let plan = self.plan;
        let steps = self.run_steps(&mut frame, &plan.steps);
        self.journal.open("Complete job");
        let outputs = self.job_outputs(&frame);
        let keeps_temp = self.setup.temp.is_none().then(|| Arc::clone(&self.folders.root));
        Report {
            job: plan.id.clone(),
            conclusion: self.status,
            steps,
            outputs,
            log: self.journal.close().log,
            temp: self.folders.temp.clone(),
            _keeps_temp: keeps_temp,
        }
    }

    fn job_outputs(&mut self, frame: &Frame) -> BTreeMap<String, String> {
        let contexts = self.job_contexts(frame);
        let scope = Scope {
            contexts: &contexts,
            status: frame.status(self.status),
        };
        let mut outputs = BTreeMap::new();
        if !self.plan.outputs.is_empty() {
            self.journal.print("Evaluate and set job outputs");
        }
        for (name, template) in &self.plan.outputs {
            match expression::interpolate(template, scope) {
                Err(error) => {
                    self.journal.error(&error.to_string());
                    self.status = Outcome::Failure;
                }
                Ok(value) if value.is_empty() => {
                    self.journal
                        .debug(&format!("Skip output '{name}' since it's empty"));
                }
                Ok(value) if self.journal.masker.hides(&value) => {
                    self.journal
                        .warn(&format!("Skip output '{name}' since it may contain secret."));
                }
                Ok(value) => {
                    self.journal.print(&format!("Set output '{name}'"));
                    outputs.insert(name.clone(), value);
                }
            }
        }
        outputs
    }
}

/// The folder that `uses:` means; none for an action the set-up does not have.
pub(crate) fn action_folder(setup: &Setup, action: &ActionRef) -> Option<PathBuf> {
    match action {
        ActionRef::Local(path) => Some(setup.workspace.join(path.trim_start_matches("./"))),
        ActionRef::Repository {
            slug,
            folder,
            reference,
        } => setup
            .actions
            .get(&format!("{slug}@{reference}"))
            .map(|tree| tree.join(folder)),
    }
}

/// Runs the job while the rules that wait for a file look for it.
fn watched(setup: &Setup, job: impl FnOnce() -> Report) -> Report {
    let files = setup.cancel_when.iter().filter_map(|rule| match rule {
        CancelWhen::FileAppears(path) => Some(path),
        CancelWhen::LogShows(_) => None,
    });
    thread::scope(|scope| {
        // Dropping the senders at the end of the job ends the watchers.
        let mut stops = Vec::new();
        for path in files {
            let (stop, stopped) = channel();
            stops.push(stop);
            let cancel = setup.cancel.clone();
            scope.spawn(move || cancel.watch(path, &stopped));
        }
        let report = job();
        drop(stops);
        report
    })
}

fn journal(setup: &Setup) -> Journal {
    let triggers = setup.cancel_when.iter().filter_map(|rule| match rule {
        CancelWhen::LogShows(text) => Some(text.clone()),
        CancelWhen::FileAppears(_) => None,
    });
    let mut journal = Journal::new(
        setup.debug,
        setup.sink.clone(),
        triggers.collect(),
        setup.cancel.clone(),
    );
    setup
        .secrets
        .values()
        .filter_map(Value::as_str)
        .for_each(|secret| journal.masker.add(secret));
    journal
}

fn fixed(setup: &Setup, plan: &JobPlan, folders: &Folders) -> Fixed {
    let text = |path: &Path| Value::from(path.to_string_lossy());
    let mut github = setup.github.clone();
    let mut set = |name: &str, value: Value| github.insert(name.to_owned(), value);
    set("workflow", Value::from(plan.workflow.as_str()));
    let of = |name: &str| setup.github.get(name).and_then(Value::as_str).unwrap_or_default();
    let file = format!("{}/.github/workflows/deploy.yml@{}", of("repository"), of("ref"));
    set("workflow_ref", Value::from(file));
    set("workflow_sha", Value::from(of("sha")));
    set("job", Value::from(plan.id.as_str()));
    set("workspace", text(&setup.workspace));
    set("event_path", text(&folders.event));
    set(
        "token",
        setup.secrets.get("GITHUB_TOKEN").cloned().unwrap_or_default(),
    );
    let arch = if cfg!(target_arch = "aarch64") {
        "ARM64"
    } else {
        "X64"
    };
    let runner = json!({
        "os": "Linux", "arch": arch, "name": "sandbox", "environment": "self-hosted",
        "temp": text(&folders.temp), "tool_cache": text(&folders.tools),
        "workspace": text(setup.workspace.parent().unwrap_or(&setup.workspace)),
    });
    let mut runner = runner.as_object().cloned().unwrap_or_default();
    if setup.debug {
        runner.insert("debug".to_owned(), Value::from("1"));
    }
    Fixed { github, runner }
}

fn prepare(setup: &Setup) -> Result<Folders, Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Prepare { path, source }
    };
    let root = TempDir::with_prefix("sandbox-runner-").map_err(failed(Path::new("temp")))?;
    let temp = setup.temp.clone().unwrap_or_else(|| root.path().join("temp"));
    let folders = Folders {
        event: temp.join("_github_workflow/event.json"),
        home: root.path().join("home"),
        tools: root.path().join("tools"),
        root: Arc::new(root),
        temp,
    };
    let workflow = folders.temp.join("_github_workflow");
    for folder in [&folders.home, &folders.tools, &workflow] {
        fs::create_dir_all(folder).map_err(failed(folder))?;
    }
    let event = setup.github.get("event").cloned().unwrap_or_default();
    fs::write(&folders.event, format!("{event:#}")).map_err(failed(&folders.event))?;
    Ok(folders)
}
