//! The checkout beside the run: tags, history and the commit's time, as far as it is the same repository's.

use std::path::{Path, PathBuf};

use gha::{Exit, Failure, Runner, failure};
use jiff::Timestamp;

use super::{Gathered, has_own};
use crate::checkout::{self, Checkout, CheckoutError};
use crate::cli::{Cli, Context};
use crate::metadata::Needs;
use crate::remote;
use crate::request::Request;
use crate::subject;

/// Reads a checkout on a thread of its own, so that a signal is heard meanwhile.
pub(super) async fn read(
    folder: &Path,
    prefix: &str,
    runner: &Runner,
) -> Result<Result<Checkout, CheckoutError>, Failure> {
    let (folder, prefix) = (folder.to_owned(), prefix.to_owned());
    on_a_thread(runner, move || checkout::read(&folder, &prefix)).await
}

/// The commit of a ref that the checkout has.
pub(super) async fn commit_at(
    cli: &Cli,
    git_ref: &str,
    runner: &Runner,
) -> Result<Option<(String, Option<Timestamp>)>, Failure> {
    let (folder, git_ref) = (folder(cli), git_ref.to_owned());
    on_a_thread(runner, move || checkout::commit_at(&folder, &git_ref)).await
}

async fn on_a_thread<T: Send + 'static>(
    runner: &Runner,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let work = tokio::task::spawn_blocking(work);
    let done = runner.cancel().guard(work).await?;
    done.map_err(|error| Failure::new(Exit::Bug, error))
}

fn folder(cli: &Cli) -> PathBuf {
    match &cli.context {
        Some(Context::Git(folder)) => folder.clone(),
        _ => PathBuf::from("."),
    }
}

/// The checkout, where something is needed of it and it is the repository that is built.
pub(super) async fn checkout(
    cli: &Cli,
    request: &Request,
    runner: &Runner,
    needs: Needs,
    gathered: &Gathered,
) -> Result<Option<Checkout>, Failure> {
    if !(needs.tags || needs.history || needs.commit_date) {
        return Ok(None);
    }
    let Ok(checkout) = read(&folder(cli), &request.tag_prefix, runner).await? else {
        return Ok(None);
    };
    let repository = &gathered.facts.repository;
    let remote = checkout.remote.as_deref().and_then(remote::remote);
    let is_same = remote.is_some_and(|remote| remote.is_of(repository));
    // Where nobody else names a repository, it is the one of the checkout.
    let belongs = gathered.of_checkout || repository.full_name.is_empty() || is_same;
    Ok(Some(checkout).filter(|_| belongs))
}

/// The commit's time, and where it stands in its history.
pub(super) async fn history(
    cli: &Cli,
    request: &Request,
    runner: &Runner,
    needs: Needs,
    checkout: &Checkout,
    gathered: &mut Gathered,
) -> Result<(), Failure> {
    let facts = &mut gathered.facts;
    let undated = subject::undated(facts, request);
    if needs.commit_date && undated.as_ref() == Some(&checkout.sha) {
        facts.commit_date = checkout.commit_date;
    }
    if !needs.history || facts.sha != checkout.sha {
        return Ok(());
    }
    let (folder, prefix) = (folder(cli), request.tag_prefix.clone());
    match on_a_thread(runner, move || checkout::history(&folder, &prefix)).await? {
        Ok(history) => facts.history = Some(history),
        Err(error) => runner.warn(&format!(
            "the commit's history can't be read: {}",
            failure::chain(&error)
        )),
    }
    if checkout.shallow {
        runner.warn(
            "the checkout's history is cut, so `describe`, `distance` and `commit_count` may be wrong: check out the \
             whole history (`fetch-depth: 0` on GitHub)",
        );
    }
    Ok(())
}

/// The repository's tags, where the checkout can have them all: it is whole, nothing is broken, it has a remote or is all
/// there is, and the very tag that is built is among them.
pub(super) fn tags(checkout: Checkout, runner: &Runner, gathered: &mut Gathered) {
    for unread in &checkout.unread {
        runner.warn(unread);
    }
    let facts = &mut gathered.facts;
    let alone =
        checkout.remote.is_none() && !runner.env().in_runner() && !facts.of_other_ci && !checkout.shallow;
    let has_own = has_own(&facts.git_ref, &checkout.tags, "");
    // Runners fetch the one ref that is built unless they are told to fetch all.
    let in_ci = runner.env().in_runner() || facts.of_other_ci || runner.env().get("CI").is_some();
    let one_alone = in_ci && checkout.fetched_one;
    if (checkout.whole || alone)
        && !one_alone
        && checkout.unread.is_empty()
        && has_own
        && !checkout.tags.is_empty()
    {
        facts.tags = Some(checkout.tags);
        gathered.tags_from = "the checkout";
    }
}
