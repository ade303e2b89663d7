//! What is told: the flags that say what a ledger and a runner do not.

use clap::{Args, ValueEnum};

use crate::severity::Severity;

/// What is told.
#[derive(Clone, Debug, Default, Args)]
pub struct Event {
    /// Name of what was deployed, for the first line; without it the repository's name.
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Name of the deployment environment; without it the ledger's.
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Version that was deployed; without it the ledger's, else the commit.
    #[arg(long, value_name = "VERSION")]
    pub release: Option<String>,
    /// First line, where it is not about a deploy; the sign in front of it stays.
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// Text to add to the message.
    #[arg(long, value_name = "TEXT")]
    pub text: Option<String>,
    /// How bad it is: `low`, `medium`, `high` or `critical`; without it the ledger decides.
    #[arg(long, value_enum, value_name = "SEVERITY", hide_possible_values = true)]
    pub severity: Option<Severity>,
}

/// What a flag says: an empty one, such as that of a variable which is not set, says nothing, as an empty input does.
pub(crate) fn said(flag: Option<&String>) -> Option<&String> {
    flag.filter(|word| !word.trim().is_empty())
}

/// How it went.
#[derive(Clone, Debug, Default, Args)]
pub struct Went {
    /// How the job went: `success`, `failure`, `cancelled` or `skipped`, in a workflow the expression `job.status`, or of another job
    /// `needs.NAME.result`. Without it the ledger decides.
    #[arg(long, value_enum, value_name = "STATUS", hide_possible_values = true)]
    pub status: Option<JobStatus>,
    /// What tools of other jobs found: `toJSON(needs)`, their outputs `result` as JSON, or files and folders of these, one a line; the
    /// results of this job are in the ledger.
    #[arg(long, value_name = "JSON|PATH")]
    pub results: Vec<String>,
}

/// A job's status, in the runner's words
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/contexts#needs-context>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum JobStatus {
    /// Every step went well.
    Success,
    /// A step failed.
    Failure,
    /// The run was cancelled.
    Cancelled,
    /// It did not run.
    Skipped,
}
