//! What a finished job tells: values only, no behaviour beyond small questions about them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

/// How a step or a job ended, in the words of the `steps` and `job` contexts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it should.
    Success,
    /// It failed.
    Failure,
    /// It was stopped by a cancel.
    Cancelled,
    /// Its condition was false.
    Skipped,
}

impl Outcome {
    /// Whether this is [`Outcome::Success`].
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Success
    }

    /// The word GitHub uses for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The type of an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `::error::`
    Error,
    /// `::warning::`
    Warning,
    /// `::notice::`
    Notice,
}

impl Level {
    /// The word in a command and in a log tag.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// One annotation as the run page would show it: masked, and cut at 4,096 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Error, warning or notice.
    pub level: Level,
    /// The `title` property.
    pub title: Option<String>,
    /// The `file` property.
    pub file: Option<String>,
    /// The `line` property.
    pub line: Option<String>,
    /// The text.
    pub message: String,
}

/// A line of the log while it is written.
#[derive(Clone, Copy, Debug)]
pub struct LogLine<'a> {
    /// Name of the top-level step that writes.
    pub step: &'a str,
    /// The masked line, with the tags of the downloaded log (`##[group]`, `##[error]`, …).
    pub text: &'a str,
}

/// A process that a step started and left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// Its process id. The runner has killed it since.
    pub pid: i32,
    /// Its command line, arguments joined by spaces.
    pub command: String,
}

/// One step.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// The step's `id`, where it has one.
    pub id: Option<String>,
    /// The name a runner shows: `name`, or `Run` and the first line of what it runs.
    pub name: String,
    /// The result before `continue-on-error`.
    pub outcome: Outcome,
    /// The result after `continue-on-error`.
    pub conclusion: Outcome,
    /// Exit code of the entry process; 128 + signal number when a signal ended it. For a composite action that of
    /// the last step in it that ran a process.
    pub exit_code: Option<i32>,
    /// From the start of the step to its end, with its command files processed.
    pub duration: Duration,
    /// The lines a runner's log of this step holds, masked. Steps inside an action write into the action's log and
    /// have their own part of it here.
    pub log: Vec<String>,
    /// At most ten of each level for a top-level step and everything in it. Empty for steps inside an action.
    pub annotations: Vec<Annotation>,
    /// Outputs as written, not masked.
    pub outputs: BTreeMap<String, String>,
    /// The Markdown the step added to the job summary, masked; empty if it was over 1,048,576 bytes.
    pub summary: String,
    /// Texts of the warnings the runner itself gave, such as unexpected inputs.
    pub warnings: Vec<String>,
    /// Processes that outlived the entry process.
    pub survivors: Vec<Survivor>,
    /// The steps inside, for a composite action.
    pub steps: Vec<Self>,
}

impl StepReport {
    /// The step's log as one text.
    #[must_use]
    pub fn text(&self) -> String {
        self.log.join("\n")
    }

    /// The value of an output, or the empty string as in an expression.
    #[must_use]
    pub fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }
}

/// One job.
#[derive(Clone, Debug)]
pub struct Report {
    /// The id of the job that ran.
    pub job: String,
    /// Its result.
    pub conclusion: Outcome,
    /// Its steps in order, skipped ones too.
    pub steps: Vec<StepReport>,
    /// Job outputs; empty ones and those that contain a masked value are absent.
    pub outputs: BTreeMap<String, String>,
    /// Lines the runner wrote when it set the job's outputs.
    pub log: Vec<String>,
    /// `RUNNER_TEMP` of the job; gone when the last copy of this report is dropped, unless the set-up named it.
    pub temp: PathBuf,
    pub(crate) _keeps_temp: Option<Arc<TempDir>>,
}

impl Report {
    /// The top-level step with this `id`.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&StepReport> {
        self.steps.iter().find(|step| step.id.as_deref() == Some(id))
    }

    /// Everything the job page shows as its summary, in order.
    #[must_use]
    pub fn summary(&self) -> String {
        let parts: Vec<&str> = self
            .steps
            .iter()
            .map(|step| step.summary.as_str())
            .filter(|part| !part.is_empty())
            .collect();
        parts.join("\n")
    }

    /// The whole log, steps in order.
    #[must_use]
    pub fn text(&self) -> String {
        let lines = self.steps.iter().flat_map(|step| &step.log).chain(&self.log);
        lines.map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}
