//! What is said of a run: its last line, outputs, and the job summary.

use gha::outcome::{Link, Outcome};
use gha::summary::Summary;
use gha::{Failure, Runner, Status, markdown, text};

use crate::cdn::Cdn;
use crate::change::Done;
use crate::cli::INTERFACE;
use crate::groups::{DELETED, Group};
use crate::invalidation::Invalidation;
use crate::invalidation::wait::End;
use crate::place::Place;
use crate::plan::Counts;
use crate::progress::size;
use crate::write::Source;

/// The most paths that a summary shows.
const PATHS: usize = 100;

/// What is known of the bucket after a run, however it ended.
#[must_use]
pub fn known(place: &Place<'_>, release: Option<&str>, done: &Done) -> Outcome {
    let mut outcome = Outcome::new(Status::Done, "").target(place.target());
    outcome.environment.clone_from(&place.flags.environment);
    if let Some(release) = release {
        outcome = outcome.fact("release-id", text::line(release));
    }
    outcome = outcome
        .fact("uploaded", done.uploaded)
        .fact("deleted", done.deleted)
        .fact("bytes", done.bytes);
    match &done.invalidation {
        Some(End::Complete { id, .. } | End::Created { id, .. }) => {
            outcome.fact("invalidation-id", text::line(id))
        }
        _ => outcome,
    }
}

/// How many of something, in words.
#[must_use]
pub fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// What a plan comes to, a line each.
#[must_use]
pub fn lines(counts: &Counts, invalidation: &Invalidation, has_cdn: bool, source: Source<'_>) -> Vec<String> {
    let way = match source {
        Source::Folder(_) => "to send",
        Source::Store => "to copy inside the bucket",
    };
    let mut lines = vec![
        format!(
            "{} added, {} changed, {} with other headers, {} unchanged; {} {way}",
            counts.added,
            counts.changed,
            counts.headers,
            counts.unchanged,
            size(counts.bytes)
        ),
        format!(
            "leave the site: {}; of earlier releases: {} deleted, {} kept",
            counts.leaving, counts.deleted, counts.kept
        ),
    ];
    if has_cdn {
        lines.push(format!("CDN: {}; {}", invalidation.price(), invalidation.why));
    }
    lines
}

/// Prints groups of names.
pub fn show(groups: &[Group], runner: &Runner) {
    for group in groups {
        runner.group(&group.title());
        for line in group.lines() {
            runner.info(&line);
        }
        runner.end_group();
    }
}

/// Prints what would be deleted, where that is why a run ends.
pub fn show_deleted(groups: &[Group], runner: &Runner) {
    let deleted = groups.iter().filter(|group| group.name == DELETED);
    deleted.for_each(|group| show(std::slice::from_ref(group), runner));
}

/// The last words of a run that went well: what was done, and what undoes it.
pub fn say(outcome: &Outcome, runner: &Runner) {
    runner.info(&outcome.headline);
    if let Some(undo) = &outcome.undo {
        runner.info(&format!("undo: {undo}"));
    }
}

/// The command line that goes back to a release.
#[must_use]
pub fn way_back(place: &Place<'_>, cdn: Option<&Cdn>, release: &str) -> String {
    format!(
        "s3-cdn-publish rollback {}{} --to {}",
        place.words(),
        cdn.map(Cdn::words).unwrap_or_default(),
        gha::reproduce::quote(release)
    )
}

/// How a run ended, in the words of the output `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Became {
    /// `published`, `unchanged` and their like.
    pub status: &'static str,
    /// Whether visitors see anything new.
    pub changed: bool,
}

impl Became {
    /// Nothing was to be done.
    pub const UNCHANGED: Self = Self {
        status: "unchanged",
        changed: false,
    };
}

/// Adds to a result what all results have, and writes the outputs.
#[must_use]
pub fn concluded(place: &Place<'_>, outcome: Outcome, became: Became, site_url: Option<&str>) -> Outcome {
    let runner = place.runner;
    let has_said = outcome.facts.contains_key("changed");
    let mut outcome = outcome.fact("status", became.status);
    if !has_said {
        outcome = outcome.fact("changed", became.changed);
    }
    if let Some(url) = site_url {
        outcome = outcome.fact("site-url", text::line(url));
        outcome.links.push(Link {
            text: "site".to_owned(),
            url: text::line(url),
        });
    }
    let took = u64::try_from(runner.elapsed().as_millis()).unwrap_or(u64::MAX);
    outcome = outcome.fact("duration-ms", took);
    for output in INTERFACE.outputs {
        if let Some(value) = outcome.facts.get(output.name) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            runner.output(output.name, &text);
        }
    }
    outcome
}

/// The same for a run that failed.
#[must_use]
pub fn failed(place: &Place<'_>, mut failure: Failure, site_url: Option<&str>) -> Failure {
    let became = Became {
        status: "failed",
        changed: false,
    };
    let mut outcome = *failure.outcome;
    if outcome.target.is_none() {
        outcome = outcome.target(place.target());
        outcome.environment.clone_from(&place.flags.environment);
    }
    failure.outcome = Box::new(concluded(place, outcome, became, site_url));
    failure
}

/// What the summary tells beside the result.
#[derive(Debug, Default)]
pub struct Told {
    /// What the plan came to.
    pub counts: Option<Counts>,
    /// Its files, by what happens to them.
    pub groups: Vec<Group>,
    /// What the CDN is told.
    pub invalidation: Invalidation,
    /// The address of the site.
    pub site_url: Option<String>,
}

impl Told {
    /// What is known before anything was looked at.
    #[must_use]
    pub fn of(place: &Place<'_>) -> Self {
        Self {
            site_url: place.flags.site_url.clone(),
            ..Self::default()
        }
    }
}

/// The job summary: the verdict first, then figures, what to do, names, and the way back.
pub fn summary(place: &Place<'_>, ended: &Result<Outcome, Failure>, told: &Told) {
    let mut summary = Summary::default();
    let (mark, outcome) = match ended {
        Ok(outcome) if outcome.dry_run => ("🔍 plan:", outcome),
        Ok(outcome) => ("✅", outcome),
        Err(failure) => ("❌", failure.outcome.as_ref()),
    };
    summary.push(format!("### {mark} {}\n", markdown::plain(&outcome.headline)));
    if let Err(failure) = ended
        && let Some(help) = &failure.help
    {
        summary.push(format!("\n{}\n", markdown::plain(help)));
    }
    summary.table(&["", ""], &rows(place, outcome, told));
    if !told.groups.is_empty() {
        let lines: Vec<String> = told
            .groups
            .iter()
            .flat_map(|group| std::iter::once(group.title()).chain(group.lines()))
            .collect();
        summary.push(format!("\nFiles\n\n{}\n", markdown::fence(&lines.join("\n"))));
    }
    let items = &told.invalidation.items;
    if !items.is_empty() {
        let mut shown: Vec<String> = items.iter().take(PATHS).map(|item| text::line(item)).collect();
        if items.len() > PATHS {
            shown.push(format!("and {} more", items.len() - PATHS));
        }
        summary.push(format!(
            "\nPaths that are invalidated\n\n{}\n",
            markdown::fence(&shown.join("\n"))
        ));
    }
    if let Some(undo) = &outcome.undo {
        summary.push(format!("\nUndo:\n\n{}\n", markdown::fence(undo)));
    }
    place.runner.summary(&summary);
}

fn rows(place: &Place<'_>, outcome: &Outcome, told: &Told) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |title: &str, value: String| rows.push(vec![title.to_owned(), value]);
    row("Bucket", markdown::code(&place.target()));
    let fact = |name: &str| outcome.facts.get(name).and_then(|value| value.as_str());
    for (title, name) in [
        ("Site", "site-url"),
        ("Serves", "release-id"),
        ("Before", "previous-release"),
        ("Invalidation", "invalidation-id"),
    ] {
        if let Some(value) = fact(name) {
            row(title, markdown::code(value));
        }
    }
    if let Some(counts) = &told.counts {
        row("Added", counts.added.to_string());
        row("Changed", counts.changed.to_string());
        row("Headers only", counts.headers.to_string());
        row("Unchanged", counts.unchanged.to_string());
        row("Left the site", counts.leaving.to_string());
        row("Kept of earlier releases", counts.kept.to_string());
    }
    let number = |name: &str| outcome.facts.get(name).and_then(serde_json::Value::as_u64);
    if !outcome.dry_run
        && let (Some(files), Some(bytes)) = (number("uploaded"), number("bytes"))
    {
        row("Sent", format!("{}, {}", counted(files, "file"), size(bytes)));
    } else if let Some(counts) = &told.counts {
        row("To send", size(counts.bytes));
    }
    if let Some(deleted) = number("deleted") {
        row(
            if outcome.dry_run { "To delete" } else { "Deleted" },
            deleted.to_string(),
        );
    }
    if !told.invalidation.items.is_empty() {
        let said = format!("{} ({})", told.invalidation.price(), told.invalidation.why);
        row("Paths", markdown::plain(&said));
    }
    rows
}
