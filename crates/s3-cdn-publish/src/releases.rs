//! The command `releases`: which releases there are, and which is the current one.

use gha::outcome::Outcome;
use gha::{Failure, Runner, Status, text};
use serde_json::{Value, json};

use crate::cli;
use crate::look;
use crate::manifest::Release;
use crate::place::Place;
use crate::progress::size;

/// Runs the command.
///
/// # Errors
/// When the bucket can't be read.
pub async fn run(flags: &cli::Releases, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.place, runner).await?;
    at(&place).await
}

/// The same at a place that is known already.
///
/// # Errors
/// As [`run`].
pub async fn at(place: &Place<'_>) -> Result<Outcome, Failure> {
    let runner = place.runner;
    let looking = Box::pin(look::state(&place.bucket));
    let seen = match runner.cancel().guard(looking).await {
        Ok(seen) => seen?,
        Err(cancelled) => return Err(cancelled.into()),
    };
    if let Some((lock, _)) = &seen.lock {
        runner.info(&format!("a run holds the lock, or left it: {}", lock.whose()));
    }
    let Some(header) = &seen.header else {
        let outcome = Outcome::new(
            Status::Unchanged,
            format!("{}: nothing was published here", place.target()),
        );
        return Ok(Outcome {
            dry_run: true,
            ..outcome.target(place.target())
        });
    };
    let current = std::iter::once(&header.release);
    let all: Vec<&Release> = current.chain(&header.earlier).collect();
    for (at, release) in all.iter().enumerate() {
        runner.info(&line(release, at == 0));
    }
    let outcome = Outcome::new(
        Status::Unchanged,
        format!(
            "{}: release `{}` is the current one of {}",
            place.target(),
            text::line(&header.release.id),
            all.len()
        ),
    );
    let outcome = outcome
        .target(place.target())
        .fact("release-id", text::line(&header.release.id))
        .fact(
            "releases",
            all.iter().map(|release| value(release)).collect::<Vec<_>>(),
        );
    Ok(Outcome {
        dry_run: true,
        ..outcome
    })
}

/// A release in one line.
fn line(release: &Release, is_current: bool) -> String {
    let known = |what: &str, value: Option<&String>| {
        value
            .map(|value| format!(", {what} {}", text::line(value)))
            .unwrap_or_default()
    };
    let mark = if is_current { "* " } else { "  " };
    format!(
        "{mark}{} {:.0}, {} files, {}{}{}",
        text::line(&release.id),
        release.at,
        release.files,
        size(release.bytes),
        known("commit", release.commit.as_ref()),
        known("by", release.who.as_ref())
    )
}

fn value(release: &Release) -> Value {
    json!({
        "id": text::line(&release.id),
        "at": release.at.to_string(),
        "commit": release.commit.as_deref().map(text::line),
        "who": release.who.as_deref().map(text::line),
        "run": release.run.as_deref().map(text::line),
        "files": release.files,
        "bytes": release.bytes,
    })
}
