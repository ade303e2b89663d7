//! What a job is given: the checkout, the actions, the event, secrets, the machine's environment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::cancel::{CancelHandle, CancelWhen, Grace};
use super::error::Error;
use super::job;
use super::report::{LogLine, Report};

/// Where programs are looked for unless the set-up says otherwise.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub(crate) type Sink = Arc<dyn Fn(LogLine<'_>) + Send + Sync>;

/// A job's surroundings. Nothing of the test's own environment reaches the job.
#[derive(Clone)]
pub struct Setup {
    pub(crate) workspace: PathBuf,
    pub(crate) temp: Option<PathBuf>,
    pub(crate) actions: BTreeMap<String, PathBuf>,
    pub(crate) github: Map<String, Value>,
    pub(crate) inputs: Map<String, Value>,
    pub(crate) secrets: Map<String, Value>,
    pub(crate) vars: Map<String, Value>,
    pub(crate) machine: BTreeMap<String, String>,
    pub(crate) job: Option<String>,
    pub(crate) debug: bool,
    pub(crate) grace: Grace,
    pub(crate) cancel: CancelHandle,
    pub(crate) cancel_when: Vec<CancelWhen>,
    pub(crate) sink: Option<Sink>,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Secrets stay out of failure messages of tests.
        f.debug_struct("Setup")
            .field("workspace", &self.workspace)
            .finish_non_exhaustive()
    }
}

impl Setup {
    /// A push of `main` to a made-up repository, checked out at `workspace`.
    #[must_use]
    pub fn new(workspace: impl AsRef<Path>) -> Self {
        let github = json!({
            "actor": "octocat", "actor_id": "583231", "triggering_actor": "octocat",
            "api_url": "https://api.github.com", "graphql_url": "https://api.github.com/graphql",
            "server_url": "https://github.com", "base_ref": "", "head_ref": "",
            "event_name": "push", "event": {}, "ref": "refs/heads/main", "ref_name": "main",
            "ref_protected": "false", "ref_type": "branch", "repository": "octo-org/octo-repo",
            "repository_id": "1296269", "repository_owner": "octo-org", "repository_owner_id": "6811672",
            "retention_days": "90", "run_attempt": "1", "run_id": "1658821493", "run_number": "3",
            "sha": "ffac537e6cbbf934b08745a378932722df287a53",
        });
        let workspace =
            std::path::absolute(workspace.as_ref()).unwrap_or_else(|_| workspace.as_ref().to_owned());
        Self {
            workspace,
            temp: None,
            actions: BTreeMap::new(),
            github: github.as_object().cloned().unwrap_or_default(),
            inputs: Map::new(),
            secrets: Map::new(),
            vars: Map::new(),
            machine: BTreeMap::from([("PATH".to_owned(), PATH.to_owned())]),
            job: None,
            debug: false,
            grace: Grace::default(),
            cancel: CancelHandle::default(),
            cancel_when: Vec::new(),
            sink: None,
        }
    }

    /// What `uses: owner/repo[/folder]@ref` resolves to: `action("owner/repo@ref", tree)`.
    #[must_use]
    pub fn action(mut self, name: &str, tree: impl AsRef<Path>) -> Self {
        let tree = std::path::absolute(tree.as_ref()).unwrap_or_else(|_| tree.as_ref().to_owned());
        self.actions.insert(name.to_owned(), tree);
        self
    }

    /// The event's name and payload (`github.event`, `GITHUB_EVENT_PATH`).
    #[must_use]
    pub fn event(self, name: &str, payload: Value) -> Self {
        self.github("event_name", name).github("event", payload)
    }

    /// A value of the `github` context, and `GITHUB_…` with it; the names are those of the context.
    #[must_use]
    pub fn github(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.github.insert(name.to_owned(), value.into());
        self
    }

    /// An input of the workflow (`workflow_dispatch`).
    #[must_use]
    pub fn input(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.inputs.insert(name.to_owned(), value.into());
        self
    }

    /// A secret; masked from the start.
    #[must_use]
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.insert(name.to_owned(), Value::from(value));
        self
    }

    /// A configuration variable (`vars.NAME`).
    #[must_use]
    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), Value::from(value));
        self
    }

    /// A variable of the machine's environment, as a self-hosted runner's service file sets it. `PATH` has a plain
    /// default, `HOME` is a fresh folder.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.machine.insert(name.to_owned(), value.into());
        self
    }

    /// The job to run, where the workflow has several.
    #[must_use]
    pub fn job(mut self, id: &str) -> Self {
        self.job = Some(id.to_owned());
        self
    }

    /// `RUNNER_TEMP`, kept afterwards and not emptied before, as on a self-hosted runner that reuses it.
    #[must_use]
    pub fn temp(mut self, folder: impl AsRef<Path>) -> Self {
        self.temp = Some(std::path::absolute(folder.as_ref()).unwrap_or_else(|_| folder.as_ref().to_owned()));
        self
    }

    /// Step debugging: `RUNNER_DEBUG=1`, debug lines in the log, commands echoed.
    #[must_use]
    pub fn debug(mut self) -> Self {
        self.debug = true;
        self
    }

    /// How patient a cancel is.
    #[must_use]
    pub fn grace(mut self, grace: Grace) -> Self {
        self.grace = grace;
        self
    }

    /// Cancels the job by a rule.
    #[must_use]
    pub fn cancel_when(mut self, rule: CancelWhen) -> Self {
        self.cancel_when.push(rule);
        self
    }

    /// Hears each line of the log as it is written.
    #[must_use]
    pub fn sink(mut self, sink: impl Fn(LogLine<'_>) + Send + Sync + 'static) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// Cancels the job of this set-up from elsewhere. A set-up runs one job if it is cancelled: the handle stays
    /// used.
    #[must_use]
    pub fn cancel_handle(&self) -> CancelHandle {
        self.cancel.clone()
    }

    /// Runs the workflow's job to its end.
    ///
    /// # Errors
    /// When the job cannot be started; a job that fails is a report.
    pub fn run(&self, workflow: &str) -> Result<Report, Error> {
        job::run(self, workflow)
    }
}
