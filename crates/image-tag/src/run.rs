//! The tool's edge: facts are gathered, [`derive()`] decides, then come outputs, log and summary.

use std::path::Path;
use std::time::Duration;

use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner, Status, duration};

use crate::cli::{Cli, Command};
use crate::derive;
use crate::derived::Derived;
use crate::facts::Facts;
use crate::gather::{self, Gathered};
use crate::request::Request;
use crate::{bake, explain, files, inputs, story};

/// The longest that deriving may take; it takes a millisecond.
const LIMIT: Duration = Duration::from_secs(10);

/// What docker/metadata-action sets as variables too.
const VARIABLES: [&str; 10] = [
    "version",
    "tags",
    "tag-names",
    "labels",
    "annotations",
    "json",
    "bake-file-tags",
    "bake-file-labels",
    "bake-file-annotations",
    "bake-file",
];

/// The longest value of a variable: Linux starts no program with one of 128 KiB (`MAX_ARG_STRLEN`), nor with many long
/// ones.
const LONGEST_VARIABLE: usize = 64 * 1024;

/// Runs the tool.
///
/// # Errors
/// When an input is wrong, a rule of `require` does not hold, nothing says what is built, or in native mode no rule
/// gives a tag.
pub async fn run(cli: Cli, runner: &Runner) -> Result<Outcome, Failure> {
    let request = inputs::request(&cli, runner.env())?;
    let sets_variables = inputs::sets_variables(request.mode, runner.env())?;
    let gathered = gather::gather(&cli, &request, runner).await?;
    let prints = cli.common.output == gha::flags::Output::Text;
    if cli.command == Command::Explain {
        return explain(request, gathered, prints, runner).await;
    }
    let derived = derived_in_time(request.clone(), gathered.facts.clone(), runner)
        .await
        .inspect_err(|failure| {
            if failure.exit == Exit::Failed && !cli.dry_run {
                runner.summary(&story::refused(failure));
            }
        })?;
    let outcome = story::outcome(&derived, &gathered.facts);
    tell(&derived, runner);
    if !cli.dry_run {
        write(&derived, &request, sets_variables, runner);
        runner.summary(&story::summary(&derived));
    }
    if prints {
        runner.writer().product(&derived.tags.join("\n"));
    }
    Ok(if cli.dry_run {
        without_effect("dry run", outcome)
    } else {
        outcome
    })
}

/// Prints everything that can be said, and then ends as the run itself would.
async fn explain(
    request: Request,
    gathered: Gathered,
    prints: bool,
    runner: &Runner,
) -> Result<Outcome, Failure> {
    let lenient = Request {
        explaining: true,
        ..request.clone()
    };
    let derived = derived_in_time(lenient, gathered.facts.clone(), runner).await?;
    if prints {
        let text = explain::explain(&derived, &gathered, request.mode);
        runner.writer().product(&text);
    }
    let outcome = story::outcome(&derived, &gathered.facts);
    derived_in_time(request, gathered.facts, runner).await?;
    Ok(without_effect("explained", outcome).fact("rules", rules(&derived)))
}

/// Derives on a thread of its own: a regular expression of the user's against a tag of somebody else's may take for ever.
async fn derived_in_time(request: Request, facts: Facts, runner: &Runner) -> Result<Derived, Failure> {
    let work = tokio::task::spawn_blocking(move || derive(&request, &facts));
    let late = || {
        let reason = format!("the rules took longer than {}", duration::display(LIMIT));
        Failure::new(Exit::Usage, reason)
            .help("ask fewer rules about fewer git tags (`tag-prefix`), or simplify a regular expression: nested repetitions \
             such as `(a+)+` take for ever")
    };
    let derived = runner
        .cancel()
        .guard(tokio::time::timeout(LIMIT, work))
        .await?
        .map_err(|_| late())?;
    let derived = derived.map_err(|error| Failure::new(Exit::Bug, error))?;
    derived.map_err(|error| {
        let (exit, help) = (error.exit(), error.help());
        Failure::new(exit, error).help(help)
    })
}

/// What happened without leaving anything behind.
fn without_effect(word: &str, outcome: Outcome) -> Outcome {
    Outcome {
        status: Status::Unchanged,
        dry_run: true,
        headline: format!("{word}: {}", outcome.headline),
        ..outcome
    }
}

fn rules(derived: &Derived) -> Vec<String> {
    derived.rules.iter().map(explain::line).collect()
}

/// The log: warnings, then what each rule said.
fn tell(derived: &Derived, runner: &Runner) {
    for warning in &derived.warnings {
        runner.warn(&warning.to_string());
    }
    runner.group("rules");
    for line in rules(derived) {
        runner.info(&line);
    }
    runner.end_group();
}

/// Writes outputs, bake files, and the variables of the original.
fn write(derived: &Derived, request: &Request, sets_variables: bool, runner: &Runner) {
    let mut outputs = derived.outputs(request);
    let temp = runner
        .env()
        .get("RUNNER_TEMP")
        .filter(|_| runner.env().get("GITHUB_OUTPUT").is_some());
    if let Some(temp) = temp {
        let written = bake::files(derived, &request.bake_target)
            .map_err(std::io::Error::from)
            .and_then(|files| files::write(&files, Path::new(temp)));
        match written {
            Ok(paths) => {
                let paths = paths.into_iter();
                outputs.extend(paths.map(|(name, path)| (name, path.display().to_string())));
            }
            // Tags are worth more than the files that few builds read.
            Err(error) => runner.warn(&format!(
                "the bake files can't be written below `{temp}`: {error}"
            )),
        }
    }
    for (name, value) in outputs {
        runner.output(name, &value);
        if sets_variables && VARIABLES.contains(&name) {
            export(name, &value, runner);
        }
    }
}

fn export(output: &str, value: &str, runner: &Runner) {
    let variable = format!(
        "DOCKER_METADATA_OUTPUT_{}",
        output.to_ascii_uppercase().replace('-', "_")
    );
    if value.len() > LONGEST_VARIABLE {
        runner.warn(&format!(
            "`{variable}` is not set: with {} bytes in a variable no later step could start; use the output `{output}`",
            value.len()
        ));
        return;
    }
    runner.export(&variable, value);
}
