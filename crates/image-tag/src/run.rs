//! The tool's edge: facts from the runner or from git, then [`derive()`], then outputs, log and summary.

use std::time::Duration;

use gha::outcome::Outcome;
use gha::summary::Summary;
use gha::{Exit, Failure, Runner, Status, duration, markdown, text};

use crate::cli::{Cli, Source};
use crate::derive;
use crate::derived::{self, Derived};
use crate::facts::{Facts, Repository};
use crate::git;
use crate::request::Request;

/// The longest that deriving may take; it takes a millisecond.
const LIMIT: Duration = Duration::from_secs(10);

/// Runs the tool.
///
/// # Errors
/// When an input is wrong, or neither event nor working tree say what is built.
pub async fn run(cli: Cli, runner: &Runner) -> Result<Outcome, Failure> {
    let request = request(&cli, runner)?;
    let facts = facts(&cli, runner).await?;
    let derived = derived_in_time(request.clone(), facts.clone(), runner).await?;
    for warning in &derived.warnings {
        runner.warn(&warning.to_string());
    }
    runner.group("rules");
    for rule in &derived.rules {
        runner.info(&match &rule.outcome {
            derived::Outcome::Tag(tag) => format!("{} gives {tag}", rule.text),
            derived::Outcome::Nothing(reason) => format!("{} gives nothing: {reason}", rule.text),
        });
    }
    runner.end_group();
    if !cli.dry_run {
        for (name, value) in derived.outputs(&request) {
            runner.output(name, &value);
        }
        runner.summary(&summary(&derived, &facts));
    }
    if cli.common.output == gha::flags::Output::Text {
        runner.writer().product(&derived.tags.join("\n"));
    }
    let outcome = outcome(&derived, &facts);
    Ok(if cli.dry_run {
        Outcome {
            status: Status::Unchanged,
            dry_run: true,
            headline: format!("dry run: {}", outcome.headline),
            ..outcome
        }
    } else {
        outcome
    })
}

/// Derives on a thread of its own: a regular expression of the user's against a tag of somebody else's may take for ever.
async fn derived_in_time(request: Request, facts: Facts, runner: &Runner) -> Result<Derived, Failure> {
    let work = tokio::task::spawn_blocking(move || derive(&request, &facts));
    let late = || {
        let reason = format!("the rules took longer than {}", duration::display(LIMIT));
        Failure::new(Exit::Usage, reason)
            .help("simplify `match=`: nested repetitions such as `(a+)+` take for ever")
    };
    let derived = runner
        .cancel()
        .guard(tokio::time::timeout(LIMIT, work))
        .await?
        .map_err(|_| late())?;
    let derived = derived.map_err(|error| Failure::new(Exit::Bug, error))?;
    derived.map_err(|error| {
        let help = error.help();
        Failure::new(Exit::Usage, error).help(help)
    })
}

/// The inputs as they are, and the two variables that the original reads from its environment.
fn request(cli: &Cli, runner: &Runner) -> Result<Request, Failure> {
    let defaults = Request::default();
    let length = match runner.env().get("DOCKER_METADATA_SHORT_SHA_LENGTH") {
        Some(length) => length.trim().parse().map_err(|_| {
            Failure::new(
                Exit::Usage,
                format!(
                    "`DOCKER_METADATA_SHORT_SHA_LENGTH` is `{}`, which is no number",
                    text::visible(length)
                ),
            )
            .help("write for example `DOCKER_METADATA_SHORT_SHA_LENGTH: 12`")
        })?,
        None => defaults.short_sha_length,
    };
    let head = runner
        .env()
        .get("DOCKER_METADATA_PR_HEAD_SHA")
        .is_some_and(|value| value.to_ascii_lowercase().contains("true"));
    Ok(Request {
        images: cli.images.join("\n"),
        tags: cli.tags.join("\n"),
        flavor: cli.flavor.join("\n"),
        labels: cli.labels.join("\n"),
        sep_tags: cli.sep_tags.clone().unwrap_or(defaults.sep_tags),
        sep_labels: cli.sep_labels.clone().unwrap_or(defaults.sep_labels),
        short_sha_length: length,
        pull_request_head: head,
    })
}

/// What is built: flags win, then the event or the working tree.
async fn facts(cli: &Cli, runner: &Runner) -> Result<Facts, Failure> {
    if let Some(short) = cli
        .git_ref
        .as_ref()
        .filter(|git_ref| !git_ref.starts_with("refs/"))
    {
        let reason = format!(
            "`--ref` must be a full ref, not `{}`",
            text::cut(&text::visible(short), 80)
        );
        return Err(Failure::new(Exit::Usage, reason)
            .help("for example `--ref refs/heads/main` or `--ref refs/tags/v1.2.3`"));
    }
    let context = runner.context();
    let by_hand = cli.git_ref.is_some() || cli.sha.is_some();
    let from_git = match cli.context {
        Some(source) => source == Source::Git,
        None => !by_hand && context.git_ref.is_empty() && context.sha.is_empty() && !runner.env().in_runner(),
    };
    let (git_ref, sha, date) = if from_git {
        let checked_out = git::checked_out(runner).await?;
        (checked_out.git_ref, checked_out.sha, checked_out.date)
    } else {
        (context.git_ref.clone(), context.sha.clone(), None)
    };
    Ok(Facts {
        event_name: context.event_name.clone(),
        git_ref: cli.git_ref.clone().unwrap_or(git_ref),
        sha: cli.sha.clone().unwrap_or(sha),
        payload: context.payload.clone(),
        repository: Repository::from_payload(&context.payload, &context.repository, &context.github.server),
        now: runner.now(),
        commit_date: date,
    })
}

/// The result for the ledger.
fn outcome(derived: &Derived, facts: &Facts) -> Outcome {
    let names = derived.tag_names.join(", ");
    let headline = match derived.tag_names.len() {
        0 => "no tag for this event".to_owned(),
        1 => format!("tag {names}"),
        n => format!("{n} tags: {names}"),
    };
    let image = derived
        .tags
        .first()
        .and_then(|tag| tag.rsplit_once(':'))
        .map(|(image, _)| image.to_owned());
    let target = image.unwrap_or_else(|| facts.repository.full_name.clone());
    Outcome::new(Status::Done, headline)
        .fact("version", derived.version.as_str())
        .fact("tags", derived.tags.clone())
        .fact("revision", facts.sha.as_str())
        .target(target)
}

/// The job summary: tags first, labels folded.
fn summary(derived: &Derived, facts: &Facts) -> Summary {
    let mut summary = Summary::default();
    let sha: String = facts.sha.chars().take(7).collect();
    summary.push(format!(
        "### 🏷️ image-tag: {}\n\n{} at {}\n",
        markdown::code(&derived.version),
        markdown::code(&facts.git_ref),
        markdown::code(&sha)
    ));
    let tags: String = derived
        .tags
        .iter()
        .map(|tag| format!("- {}\n", markdown::code(tag)))
        .collect();
    summary.push(if tags.is_empty() {
        "No rule gave a tag for this event.\n".to_owned()
    } else {
        tags
    });
    let labels: Vec<String> = derived.labels.iter().map(crate::Label::line).collect();
    summary.push(format!(
        "<details><summary>Labels</summary>\n\n{}\n</details>\n",
        markdown::fence(&labels.join("\n"))
    ));
    summary
}
