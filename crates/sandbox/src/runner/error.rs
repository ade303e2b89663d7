//! What keeps a job from being run at all. What goes wrong inside a job is in its report instead.

use std::io;
use std::path::PathBuf;

/// The workflow could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is not a workflow.
    #[error("failed to read the workflow")]
    Workflow(#[source] yaml_serde::Error),
    /// The workflow asks for something this runner does not do.
    #[error("the fake runner does not support {0}")]
    Unsupported(String),
    /// There is no such job, or several and none was chosen.
    #[error("failed to choose a job: {0}")]
    Job(String),
    /// A `uses: owner/repo@ref` for which the set-up names no tree.
    #[error("no local tree was given for `uses: {0}`")]
    UnknownAction(String),
    /// An expression of the job's own `env` could not be evaluated.
    #[error("failed to evaluate `env` of the job: {0}")]
    Environment(String),
    /// A file or folder of the runner could not be made.
    #[error("failed to prepare `{path}`")]
    Prepare {
        /// What was to be made.
        path: PathBuf,
        /// Why it was not.
        source: io::Error,
    },
}
