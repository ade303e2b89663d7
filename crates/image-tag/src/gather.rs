//! The edge that gathers facts: from the run's event, another CI system or a checkout, then from flags, and at last what
//! is still missing from the checkout and from GitHub's API. What can't be had is a warning, never a failure, as long as
//! there is something to make a tag of.

mod api;
mod beside;
mod first;
mod run_of_tag;

use gha::{Exit, Failure, Runner, text};
use serde_json::Value;

use crate::cli::{Cli, Metadata};
use crate::facts::{Facts, Repository};
use crate::metadata::Needs;
use crate::request::Request;

/// Facts, and where they are from.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) facts: Facts,
    /// What told ref and commit, for people.
    pub(crate) source: String,
    /// What told the repository's tags, for people.
    pub(crate) tags_from: &'static str,
    /// Ref and commit are those of a checkout.
    of_checkout: bool,
    /// They are of another repository than the run's own.
    of_other_repository: bool,
    /// GitHub gave a list of tags that is not believed.
    tags_refused: bool,
}

impl Gathered {
    fn new(facts: Facts, source: String) -> Self {
        Self {
            facts,
            source,
            tags_from: "",
            of_checkout: false,
            of_other_repository: false,
            tags_refused: false,
        }
    }
}

/// Gathers what the request needs.
pub(crate) async fn gather(cli: &Cli, request: &Request, runner: &Runner) -> Result<Gathered, Failure> {
    check_flags(cli)?;
    let mut gathered = first::first(cli, request, runner).await?;
    overrides(cli, runner, &mut gathered).await?;
    let needs = Needs::of(request, &gathered.facts, cli.metadata);
    let checkout = beside::checkout(cli, request, runner, needs, &gathered).await?;
    if let Some(checkout) = &checkout {
        beside::history(cli, request, runner, needs, checkout, &mut gathered).await?;
    }
    let api = api::fill(cli, request, runner, needs, &mut gathered).await?;
    // A list of GitHub's that is not believed shows that the checkout's may be old too.
    let may_help = needs.tags && gathered.facts.tags.is_none() && !gathered.tags_refused;
    if let Some(checkout) = checkout.filter(|_| may_help) {
        beside::tags(checkout, runner, &mut gathered);
    }
    run_of_tag::confirm(cli, runner, api, &mut gathered).await?;
    if cli.metadata == Metadata::None {
        gathered.facts.repository = Repository {
            default_branch: gathered.facts.repository.default_branch.clone(),
            ..Repository::default()
        };
    }
    Ok(gathered)
}

fn check_flags(cli: &Cli) -> Result<(), Failure> {
    let wrong = |flag: &str, must: &str, given: &str, help: &str| {
        let given = text::cut(&text::visible(given), 80);
        let reason = format!("`--{flag}` must be {must}, not `{given}`");
        Err(Failure::new(Exit::Usage, reason).help(help.to_owned()))
    };
    if let Some(short) = cli.git_ref.as_ref().filter(|given| !given.starts_with("refs/")) {
        let help = "for example `--ref refs/heads/main` or `--ref refs/tags/v1.2.3`";
        return wrong("ref", "a full ref", short, help);
    }
    let is_hash = |sha: &&String| sha.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some(sha) = cli.sha.as_ref().filter(|sha| !is_hash(sha)) {
        let help = "for example `--sha \"$(git rev-parse HEAD)\"`";
        return wrong("sha", "a commit's hash", sha, help);
    }
    if let Some(name) = cli.repository.as_ref().filter(|name| !name.contains('/')) {
        return wrong(
            "repository",
            "`owner/name`",
            name,
            "for example `--repository org/app`",
        );
    }
    Ok(())
}

/// Flags win over everything.
async fn overrides(cli: &Cli, runner: &Runner, gathered: &mut Gathered) -> Result<(), Failure> {
    if let Some(git_ref) = &cli.git_ref {
        // The commit of a checkout is not that of another ref; an event's commit is what is built.
        if gathered.of_checkout && *git_ref != gathered.facts.git_ref {
            let (sha, date) = beside::commit_at(cli, git_ref, runner).await?.unwrap_or_default();
            gathered.facts.sha = sha;
            gathered.facts.commit_date = date;
        }
        git_ref.clone_into(&mut gathered.facts.git_ref);
    }
    let facts = &mut gathered.facts;
    facts.ref_given |= cli.git_ref.is_some();
    facts.sha_given |= cli.git_ref.is_some() || cli.sha.is_some();
    if let Some(sha) = &cli.sha {
        if *sha != facts.sha {
            facts.commit_date = None;
        }
        sha.clone_into(&mut facts.sha);
    }
    if let Some(event) = &cli.event {
        event.clone_into(&mut facts.event_name);
    }
    if let Some(full_name) = &cli.repository {
        let name = full_name.rsplit('/').next().unwrap_or_default();
        facts.repository = Repository {
            full_name: full_name.clone(),
            name: name.to_owned(),
            default_branch: facts.repository.default_branch.clone(),
            ..Repository::default()
        };
    }
    if let Some(branch) = &cli.default_branch {
        set_default_branch(facts, branch.clone());
    }
    let given: Vec<&str> = [
        ("`--ref`", cli.git_ref.is_some()),
        ("`--sha`", cli.sha.is_some()),
        ("`--event`", cli.event.is_some()),
        ("`--repository`", cli.repository.is_some()),
        ("`--default-branch`", cli.default_branch.is_some()),
    ]
    .into_iter()
    .filter_map(|(flag, given)| given.then_some(flag))
    .collect();
    if !given.is_empty() {
        gathered.source = format!("{}, then {}", given.join(", "), gathered.source);
    }
    Ok(())
}

/// Whether a list of the tags of a prefix has the very tag that is built, if one of these is.
fn has_own(git_ref: &str, tags: &[String], prefix: &str) -> bool {
    let own = git_ref
        .strip_prefix("refs/tags/")
        .filter(|own| own.starts_with(prefix));
    own.is_none_or(|own| tags.iter().any(|tag| tag == own))
}

/// Takes another default branch than the event's.
fn set_default_branch(facts: &mut Facts, branch: String) {
    if let Some(Value::Object(about)) = facts.payload.get_mut("repository") {
        about.insert("default_branch".to_owned(), branch.as_str().into());
    }
    facts.repository.default_branch = branch;
}
