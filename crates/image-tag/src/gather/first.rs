//! Who tells ref and commit: what `context` names, else the event, another CI system, or the checkout.

use std::path::PathBuf;

use gha::{Exit, Failure, Runner};
use serde_json::Value;

use super::{Gathered, beside, set_default_branch};
use crate::checkout::Checkout;
use crate::ci;
use crate::cli::{Cli, Context};
use crate::facts::{Facts, Repository};
use crate::remote;
use crate::request::Request;

pub(super) async fn first(cli: &Cli, request: &Request, runner: &Runner) -> Result<Gathered, Failure> {
    let context = runner.context();
    let has_event = runner.env().in_runner() || !(context.git_ref.is_empty() && context.sha.is_empty());
    let mut gathered = match ci::recognised(runner.env()) {
        Some(build) if !has_event => of_build(build, runner),
        _ => of_event(runner),
    };
    let facts = &gathered.facts;
    // What a pull request may not have, its checkout must not give: the branch of a fork may be called `main`.
    let says_enough = facts.of_other_ci && (!facts.git_ref.is_empty() || facts.event_name == "pull_request");
    let folder = match &cli.context {
        Some(Context::Git(folder)) => folder.clone(),
        Some(Context::Workflow) => return Ok(gathered),
        None if has_event || says_enough => return Ok(gathered),
        None => PathBuf::from("."),
    };
    match beside::read(&folder, &request.tag_prefix, runner).await? {
        Ok(checkout) => {
            if cli.context.is_none() && !gathered.facts.of_other_ci && runner.env().get("CI").is_some() {
                runner.warn(
                    "`CI` is set, but this system is not known: ref and commit are those of the checkout, which may be \
                     a pull request's; name them by `--ref` and `--sha`",
                );
            }
            gathered.source = format!("the checkout: {}", checkout.ref_from);
            take(checkout, &mut gathered);
        }
        // With a ref by hand, or what another CI system says, there may be something to make a tag of.
        Err(_) if cli.git_ref.is_some() || cli.sha.is_some() || gathered.facts.of_other_ci => {}
        Err(error) => {
            return Err(Failure::new(Exit::Usage, error).help(
                "run it inside a checkout, name its folder (`--context git:FOLDER`), or say what is built: \
                 `--ref refs/tags/v1.2.3 --sha 0123456`",
            ));
        }
    }
    Ok(gathered)
}

fn of_event(runner: &Runner) -> Gathered {
    let context = runner.context();
    let repository = Repository::from_json(
        &context.payload["repository"],
        &context.repository,
        &context.github.server,
    );
    let known = runner.env().in_runner() || !context.event_name.is_empty() || !context.git_ref.is_empty();
    Gathered::new(
        Facts {
            event_name: context.event_name.clone(),
            git_ref: context.git_ref.clone(),
            sha: context.sha.clone(),
            payload: context.payload.clone(),
            repository,
            now: runner.build_date(),
            ..Facts::default()
        },
        if known {
            "the event of the run"
        } else {
            "nothing else"
        }
        .to_owned(),
    )
}

fn of_build(build: ci::Build, runner: &Runner) -> Gathered {
    let told = match build.ref_from {
        "" => "which names no ref",
        variable => variable,
    };
    Gathered::new(
        Facts {
            of_other_ci: true,
            event_name: build.event_name,
            git_ref: build.git_ref,
            sha: build.sha,
            head_sha: build.head_sha,
            base_ref: build.base_ref,
            payload: Value::Null,
            repository: build.repository,
            now: runner.build_date(),
            commit_date: build.commit_date,
            ..Facts::default()
        },
        format!("{}: {told}", build.system),
    )
}

/// Takes ref and commit of a checkout; labels stay those of the run's repository where there is one.
fn take(checkout: Checkout, gathered: &mut Gathered) {
    let remote = checkout.remote.as_deref().and_then(remote::remote);
    let own = gathered.facts.repository.full_name.clone();
    let default_branch = checkout.default_branch.unwrap_or_default();
    gathered.of_other_repository = !own.is_empty()
        && !remote
            .as_ref()
            .is_some_and(|remote| remote.is_of(&gathered.facts.repository));
    gathered.of_checkout = true;
    let facts = &mut gathered.facts;
    if own.is_empty() {
        let remote = remote.map(|remote| (remote.full_name, remote.html_url));
        let (full_name, html_url) = remote.unwrap_or_default();
        facts.repository = Repository {
            name: full_name.rsplit('/').next().unwrap_or_default().to_owned(),
            full_name,
            html_url,
            default_branch,
            ..Repository::default()
        };
    } else if gathered.of_other_repository || facts.repository.default_branch.is_empty() {
        set_default_branch(facts, default_branch);
    }
    facts.git_ref = checkout.git_ref;
    facts.sha = checkout.sha;
    facts.commit_date = checkout.commit_date;
    (facts.ref_given, facts.sha_given) = (true, true);
}
