//! The working tree's ref and commit, asked of `git`. The edge: nothing here decides on a tag.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use gha::edge::cancel::Cancelled;
use gha::edge::process::{Finished, ProcessError, capture};
use gha::{Exit, Failure, Runner, text};

/// The longest that one question may take; a large working tree answers these from its heads and tags.
const LIMIT: Duration = Duration::from_secs(20);

/// What is checked out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CheckedOut {
    /// The branch's full ref, or on a detached head a tag's; empty where there is neither.
    pub(crate) git_ref: String,
    /// The commit.
    pub(crate) sha: String,
    /// The commit's time.
    pub(crate) date: Option<Timestamp>,
}

/// Why the working tree says nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    #[error(transparent)]
    Process(ProcessError),
    #[error("`git {0}` failed: {1}")]
    Refused(String, String),
}

impl From<GitError> for Failure {
    fn from(error: GitError) -> Self {
        match error {
            GitError::Process(ProcessError::Cancelled(cancelled)) => Self::from(cancelled),
            error => Self::new(Exit::Usage, error).help(
                "run it inside a checkout, or say what is built: `--ref refs/tags/v1.2.3 --sha 0123456`",
            ),
        }
    }
}

impl From<Cancelled> for GitError {
    fn from(cancelled: Cancelled) -> Self {
        Self::Process(ProcessError::Cancelled(cancelled))
    }
}

/// Asks what is checked out in the current folder.
pub(crate) async fn checked_out(runner: &Runner) -> Result<CheckedOut, GitError> {
    let sha = answer(runner, &["rev-parse", "--verify", "HEAD"]).await?;
    let branch = ask(runner, &["symbolic-ref", "--quiet", "HEAD"]).await?;
    let git_ref = match line(&branch) {
        Some(branch) => branch,
        None => tag(runner).await?,
    };
    let date = answer(runner, &["show", "--no-patch", "--format=%cI", "HEAD"]).await?;
    Ok(CheckedOut {
        git_ref,
        sha,
        date: date.parse().ok(),
    })
}

/// The ref of a tag on the detached head; empty where there is none.
async fn tag(runner: &Runner) -> Result<String, GitError> {
    let tags = ask(runner, &["tag", "--points-at", "HEAD", "--sort=-version:refname"]).await?;
    Ok(line(&tags)
        .map(|tag| format!("refs/tags/{tag}"))
        .unwrap_or_default())
}

/// The first line of an answer that there must be.
async fn answer(runner: &Runner, question: &[&str]) -> Result<String, GitError> {
    let finished = ask(runner, question).await?;
    line(&finished).ok_or_else(|| {
        let reason = text::visible(String::from_utf8_lossy(&finished.stderr).trim());
        GitError::Refused(question.join(" "), text::cut(&reason, 300))
    })
}

/// Asks one question.
async fn ask(runner: &Runner, question: &[&str]) -> Result<Finished, GitError> {
    capture("git", question, Path::new("."), LIMIT, runner.cancel())
        .await
        .map_err(GitError::Process)
}

/// The first line, of a question that was answered.
fn line(finished: &Finished) -> Option<String> {
    let text = String::from_utf8_lossy(&finished.stdout);
    let first = text.lines().next().unwrap_or_default().trim();
    (finished.code == Some(0) && !first.is_empty()).then(|| first.to_owned())
}
