//! What a folder's git repository says: ref, commit, tags, remote, and how far the commit is from its last version.
//!
//! The edge, by plain reads: no `git` program is started, nothing is written, and neither the environment nor any
//! configuration outside the repository is looked at. The repository's own configuration is data that is read for a
//! few keys; its includes are not followed. So the owner of the files does not matter. Nothing here decides on a tag.
//! Reads block, so callers put them on a thread.
//!
//! Not applied: `git replace`, grafts, and alternative addresses (`url.*.insteadOf`).

use std::error::Error;
use std::path::Path;

use jiff::Timestamp;

use crate::facts::History;

mod describe;
mod detached;
mod remote;
mod repository;
mod tag_order;
#[cfg(test)]
mod tests;

use repository::Repository;

/// What is checked out in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkout {
    /// Full ref, empty where nothing tells it: the branch HEAD is on; on a detached HEAD what points at the very
    /// commit: the tag of the highest version, then a pull request as `refs/pull/N/merge`, then a remote's branch as
    /// `refs/heads/…`, then a local branch.
    pub(crate) git_ref: String,
    /// Why that ref, to follow it in a sentence.
    pub(crate) ref_from: &'static str,
    /// The commit's full hash: 40 hexadecimal digits, or 64 in a SHA-256 repository.
    pub(crate) sha: String,
    /// When the commit was made (committer's time); nothing when the commit can't be read.
    pub(crate) commit_date: Option<Timestamp>,
    /// Names of all tags, without `refs/tags/`, in byte order.
    pub(crate) tags: Vec<String>,
    /// The history is cut, as by `fetch-depth: 1`: tags, distance and counts may not be all.
    pub(crate) shallow: bool,
    /// It is set up to fetch all branches and their tags, so that its tags are all that there were when it last did.
    pub(crate) whole: bool,
    /// What was fetched last was a single ref.
    pub(crate) fetched_one: bool,
    /// Address of `origin`, else of the only remote, without credentials.
    pub(crate) remote: Option<String>,
    /// The branch that `refs/remotes/origin/HEAD` points at.
    pub(crate) default_branch: Option<String>,
    /// What could not be read and is left out of the tags, one sentence each.
    pub(crate) unread: Vec<String>,
}

/// What the library says about it.
type Reason = Box<dyn Error + Send + Sync>;

/// Why the folder says nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckoutError {
    #[error("no git repository in `{0}` or a folder above it")]
    NoRepository(String),
    #[error("`{0}` leads to no git repository")]
    DeadLink(String, #[source] Reason),
    #[error("`{0}` has no commit yet")]
    Unborn(String),
    #[error("the git repository `{0}` has {1}, which is not supported")]
    Unsupported(String, String),
    #[error("failed to read {0}")]
    Read(String, #[source] Reason),
}

/// Reads what is checked out in `folder`, or in the nearest folder above it that is a repository. Of the tags at a
/// detached HEAD only those of `prefix` count.
///
/// # Errors
/// When there is no repository, it has no commit, or HEAD can't be read. A broken tag, remote or commit is none.
pub(crate) fn read(folder: &Path, prefix: &str) -> Result<Checkout, CheckoutError> {
    let repository = Repository::open(folder)?;
    let head = repository.head()?;
    let commit = repository.peel(head.id);
    let mut unread = Vec::new();
    let tags = repository.names("refs/tags/", &mut unread);
    let remotes = remote::names(&repository.config);
    let default_branch = repository.symbolic("refs/remotes/origin/HEAD");
    let default_branch =
        default_branch.and_then(|name| name.strip_prefix("refs/remotes/origin/").map(str::to_owned));
    let (git_ref, ref_from) = match head.branch {
        Some(branch) => (branch, "HEAD is on it"),
        None if head.on_branch => (String::new(), "HEAD is on a branch whose name is not UTF-8"),
        None => {
            let names = repository.names_at(commit);
            detached::git_ref(&names, prefix, &remotes, default_branch.as_deref())
        }
    };
    Ok(Checkout {
        git_ref,
        ref_from,
        sha: commit.to_string(),
        commit_date: repository
            .commit(commit)
            .ok()
            .and_then(|commit| Timestamp::from_second(commit.seconds?).ok()),
        tags: tags
            .iter()
            .filter_map(|name| name.strip_prefix("refs/tags/").map(str::to_owned))
            .collect(),
        whole: !repository.is_shallow() && remote::fetches_all(&repository.config, &remotes),
        fetched_one: repository.fetched_one(),
        shallow: repository.is_shallow(),
        remote: remote::address(&repository.config, &remotes),
        default_branch,
        unread,
    })
}

/// The commit that a full ref leads to, and its time; nothing where the repository does not have it.
pub(crate) fn commit_at(folder: &Path, git_ref: &str) -> Option<(String, Option<Timestamp>)> {
    let repository = Repository::open(folder).ok()?;
    let commit = repository.commit_at(git_ref)?;
    let seconds = repository.commit(commit).ok().and_then(|commit| commit.seconds);
    let date = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    Some((commit.to_string(), date))
}

/// Walks the past of HEAD to the nearest tag that starts with `prefix`, which may be empty, and counts the commits.
///
/// # Errors
/// As [`read()`], and when a commit on the way is missing or broken.
pub(crate) fn history(folder: &Path, prefix: &str) -> Result<History, CheckoutError> {
    let repository = Repository::open(folder)?;
    let head = repository.peel(repository.head()?.id);
    let commit_count = describe::count(&repository, head)?;
    let tags = repository.tags_by_commit(prefix);
    let short = repository.abbreviated(head);
    Ok(match describe::nearest(&repository, head, &tags)? {
        Some((tag, distance)) => History {
            describe: match distance {
                0 => tag.clone(),
                distance => format!("{tag}-{distance}-g{short}"),
            },
            tag: Some(tag),
            distance,
            commit_count,
        },
        None => History {
            tag: None,
            distance: commit_count,
            commit_count,
            describe: short,
        },
    })
}
