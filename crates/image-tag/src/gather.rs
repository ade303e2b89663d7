//! The edge that gathers facts: from the run's event, another CI system or a checkout, then from flags, and at last
//! from GitHub's API what is still missing. What can't be had is a warning, never a failure, as long as there is
//! something to make a tag of.

use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde_json::Value;

use gha::{Exit, Failure, Runner, failure, text};

use crate::api::{Api, ApiError};
use crate::checkout::{self, Checkout, CheckoutError};
use crate::ci;
use crate::cli::{Cli, Context, GITHUB_TOKEN, Metadata};
use crate::facts::{Facts, Repository};
use crate::metadata::Needs;
use crate::remote;
use crate::request::Request;
use crate::subject;

/// Facts, and where they are from.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) facts: Facts,
    /// What told ref and commit, for people.
    pub(crate) source: String,
    /// What told the repository's tags, for people.
    pub(crate) tags_from: &'static str,
}

/// Gathers what the request needs.
pub(crate) async fn gather(cli: &Cli, request: &Request, runner: &Runner) -> Result<Gathered, Failure> {
    check_ref(cli)?;
    let mut gathered = first(cli, runner).await?;
    overrides(cli, &mut gathered);
    let facts = &mut gathered.facts;
    let needs = Needs::of(request, facts, cli.metadata);
    if needs.tags || needs.history || needs.commit_date {
        from_checkout(cli, request, runner, needs, &mut gathered).await?;
    }
    from_api(cli, request, runner, needs, &mut gathered).await?;
    if cli.metadata == Metadata::None {
        gathered.facts.repository = Repository {
            default_branch: gathered.facts.repository.default_branch.clone(),
            ..Repository::default()
        };
    }
    Ok(gathered)
}

fn check_ref(cli: &Cli) -> Result<(), Failure> {
    match cli.git_ref.as_ref().filter(|given| !given.starts_with("refs/")) {
        None => Ok(()),
        Some(short) => {
            let reason = format!(
                "`--ref` must be a full ref, not `{}`",
                text::cut(&text::visible(short), 80)
            );
            Err(Failure::new(Exit::Usage, reason)
                .help("for example `--ref refs/heads/main` or `--ref refs/tags/v1.2.3`"))
        }
    }
}

/// The first that knows what is built: what `context` names, else the event, another CI system, or the checkout.
async fn first(cli: &Cli, runner: &Runner) -> Result<Gathered, Failure> {
    let context = runner.context();
    let by_hand = cli.git_ref.is_some() || cli.sha.is_some();
    let has_event = runner.env().in_runner() || !(context.git_ref.is_empty() && context.sha.is_empty());
    let folder = match &cli.context {
        Some(Context::Git(folder)) => Some(folder.clone()),
        Some(Context::Workflow) => None,
        None if has_event => None,
        None => Some(PathBuf::from(".")),
    };
    let mut gathered = match ci::recognised(runner.env()) {
        Some(build) if !has_event => of_build(build, runner),
        _ => of_event(runner),
    };
    // What a pull request may not have, its checkout must not give: the branch of a fork may be called `main`.
    let facts = &gathered.facts;
    let says_enough = facts.of_other_ci && (!facts.git_ref.is_empty() || facts.event_name == "pull_request");
    let folder = folder.filter(|_| cli.context.is_some() || !says_enough);
    if let Some(folder) = folder {
        match read(&folder, runner).await? {
            Ok(checkout) => {
                gathered.source = format!("the checkout: {}", checkout.ref_from);
                take(checkout, &mut gathered.facts);
            }
            // With a ref by hand there is something to make a tag of.
            Err(_) if by_hand => {}
            // What another CI system does not say, a checkout may.
            Err(_) if gathered.facts.of_other_ci => {}
            Err(error) => {
                return Err(Failure::new(Exit::Usage, error).help(
                    "run it inside a checkout, name its folder (`--context git:FOLDER`), or say what is built: \
                     `--ref refs/tags/v1.2.3 --sha 0123456`",
                ));
            }
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
    Gathered {
        facts: Facts {
            event_name: context.event_name.clone(),
            git_ref: context.git_ref.clone(),
            sha: context.sha.clone(),
            payload: context.payload.clone(),
            repository,
            now: runner.now(),
            ..Facts::default()
        },
        source: "the event of the run".to_owned(),
        tags_from: "",
    }
}

fn of_build(build: ci::Build, runner: &Runner) -> Gathered {
    Gathered {
        source: format!("{}: {}", build.system, build.ref_from),
        facts: Facts {
            of_other_ci: true,
            event_name: build.event_name,
            git_ref: build.git_ref,
            sha: build.sha,
            head_sha: build.head_sha,
            base_ref: build.base_ref,
            payload: Value::Null,
            repository: build.repository,
            now: runner.now(),
            commit_date: build.commit_date,
            ..Facts::default()
        },
        tags_from: "",
    }
}

/// Takes ref and commit of a checkout; labels stay those of the run's repository where there is one.
fn take(checkout: Checkout, facts: &mut Facts) {
    let remote = checkout.remote.as_deref().and_then(remote::remote);
    let of_remote = remote.map(|remote| Repository {
        name: remote.full_name.rsplit('/').next().unwrap_or_default().to_owned(),
        full_name: remote.full_name,
        html_url: remote.html_url,
        default_branch: checkout.default_branch.unwrap_or_default(),
        ..Repository::default()
    });
    if facts.repository.full_name.is_empty() {
        facts.repository = of_remote.unwrap_or_default();
    }
    facts.git_ref = checkout.git_ref;
    facts.sha = checkout.sha;
    facts.commit_date = checkout.commit_date;
}

/// Flags win over everything.
fn overrides(cli: &Cli, gathered: &mut Gathered) {
    let facts = &mut gathered.facts;
    let set = |place: &mut String, flag: &Option<String>| {
        if let Some(value) = flag {
            value.clone_into(place);
        }
    };
    if cli.git_ref.is_some() && cli.sha.is_none() && facts.payload.is_null() {
        // The commit of the checkout is not that of a ref named by hand, unless nobody else says so.
        if cli.git_ref.as_ref() != Some(&facts.git_ref) {
            facts.sha.clear();
            facts.commit_date = None;
        }
    }
    set(&mut facts.git_ref, &cli.git_ref);
    set(&mut facts.sha, &cli.sha);
    set(&mut facts.event_name, &cli.event);
    if let Some(full_name) = &cli.repository {
        let name = full_name.rsplit('/').next().unwrap_or_default();
        facts.repository = Repository {
            full_name: full_name.clone(),
            name: name.to_owned(),
            default_branch: facts.repository.default_branch.clone(),
            ..Repository::default()
        };
    }
    if cli.git_ref.is_some() || cli.sha.is_some() {
        let other = std::mem::take(&mut gathered.source);
        gathered.source = format!("`--ref` and `--sha` where given, else {other}");
    }
    if let Some(branch) = &cli.default_branch {
        branch.clone_into(&mut facts.repository.default_branch);
        if let Value::Object(payload) = &mut facts.payload
            && let Some(Value::Object(about)) = payload.get_mut("repository")
        {
            about.insert("default_branch".to_owned(), branch.as_str().into());
        }
    }
}

/// Reads a checkout on a thread of its own, so that a signal is heard meanwhile.
async fn read(folder: &Path, runner: &Runner) -> Result<Result<Checkout, CheckoutError>, Failure> {
    let folder = folder.to_owned();
    let work = tokio::task::spawn_blocking(move || checkout::read(&folder));
    let read = runner.cancel().guard(work).await?;
    read.map_err(|error| Failure::new(Exit::Bug, error))
}

/// Tags, history and the commit's time from the checkout beside this run, as far as it is the same repository's.
async fn from_checkout(
    cli: &Cli,
    request: &Request,
    runner: &Runner,
    needs: Needs,
    gathered: &mut Gathered,
) -> Result<(), Failure> {
    let folder = match &cli.context {
        Some(Context::Git(folder)) => folder.clone(),
        _ => PathBuf::from("."),
    };
    let Ok(checkout) = read(&folder, runner).await? else {
        return Ok(());
    };
    for unread in &checkout.unread {
        runner.warn(unread);
    }
    let facts = &mut gathered.facts;
    let remote = checkout.remote.as_deref().and_then(remote::remote);
    let elsewhere = remote.is_some_and(|remote| {
        !facts.repository.full_name.is_empty()
            && !remote.full_name.eq_ignore_ascii_case(&facts.repository.full_name)
    });
    if elsewhere {
        return Ok(());
    }
    let own_commit = facts.sha.is_empty() || checkout.sha == facts.sha;
    let undated = subject::undated(facts, request);
    if needs.commit_date && undated.as_ref() == Some(&checkout.sha) && facts.commit_date.is_none() {
        facts.commit_date = checkout.commit_date;
    }
    // A checkout that is cut, or that lacks the very tag that is built, does not have all tags.
    let own_tag = facts.git_ref.strip_prefix("refs/tags/");
    let has_own = own_tag.is_none_or(|own| checkout.tags.iter().any(|tag| tag == own));
    if needs.tags && !checkout.shallow && has_own && checkout.unread.is_empty() {
        facts.tags = Some(checkout.tags);
        gathered.tags_from = "the checkout";
    }
    if needs.history && own_commit {
        let prefix = request.tag_prefix.clone();
        let work = tokio::task::spawn_blocking(move || checkout::history(&folder, &prefix));
        let history = runner.cancel().guard(work).await?;
        match history.map_err(|error| Failure::new(Exit::Bug, error))? {
            Ok(history) => facts.history = Some(history),
            Err(error) => runner.warn(&format!(
                "the commit's history can't be read: {}",
                failure::chain(&error)
            )),
        }
        if checkout.shallow {
            runner.warn(
                "the checkout's history is cut, so `describe`, `distance` and `commit_count` may be wrong: check \
                 out with `fetch-depth: 0`",
            );
        }
    }
    Ok(())
}

/// What is still missing, from GitHub's API.
async fn from_api(
    cli: &Cli,
    request: &Request,
    runner: &Runner,
    needs: Needs,
    gathered: &mut Gathered,
) -> Result<(), Failure> {
    let facts = &mut gathered.facts;
    let wants_tags = needs.tags && facts.tags.is_none();
    let undated =
        subject::undated(facts, request).filter(|_| needs.commit_date && facts.commit_date.is_none());
    let may_ask = matches!(cli.metadata, Metadata::Auto | Metadata::Api);
    if !may_ask || !(needs.repository || wants_tags || undated.is_some()) {
        return Ok(());
    }
    let full_name = facts.repository.full_name.clone();
    let server = runner.context().github.server.trim_end_matches('/');
    // A project of another host is none of GitHub's.
    let of_github = facts.repository.html_url.starts_with(&format!("{server}/"));
    if full_name.is_empty() || !of_github {
        return Ok(());
    }
    let Some(token) = token(cli, runner).await? else {
        return Ok(());
    };
    let told = |what: &str, error: &ApiError| {
        runner.warn(&format!("{what}: {}; {}", failure::chain(error), error.help()));
    };
    let api = match Api::new(runner, token, &full_name) {
        Ok(api) => api,
        Err(error) => {
            told("GitHub's API can't be asked", &error);
            return Ok(());
        }
    };
    if needs.repository {
        match runner.cancel().guard(api.repository()).await? {
            Ok(about) => {
                let asked = Repository::from_json(&about, &full_name, "");
                let known = std::mem::take(&mut facts.repository);
                facts.repository = if cli.metadata == Metadata::Api {
                    asked
                } else {
                    known.or(asked)
                };
            }
            Err(error) => told("labels lack what the event does not say", &error),
        }
    }
    if let Some(sha) = undated {
        match runner.cancel().guard(api.commit_date(&sha)).await? {
            Ok(date) => facts.commit_date = Some(date),
            Err(error) => told("`commit_date` is the time of this run", &error),
        }
    }
    if wants_tags {
        match runner.cancel().guard(api.tags(&request.tag_prefix)).await? {
            Ok(tags) => {
                facts.tags = Some(tags);
                gathered.tags_from = "GitHub's API";
            }
            Err(error) => told("the repository's tags are not known", &error),
        }
    }
    Ok(())
}

async fn token(cli: &Cli, runner: &Runner) -> Result<Option<SecretString>, Failure> {
    runner
        .secret(&GITHUB_TOKEN, cli.github_token_file.as_deref())
        .await
}
