//! The job summary of a deploy: the verdict first, then what was deployed, why tasks stopped, their last lines, and when what
//! happened.

use gha::outcome::Outcome;
use gha::summary::Summary;
use gha::{Failure, accounts, duration, markdown, text};

use crate::details::Tails;
use crate::follow::Followed;
use crate::gates::told;
use crate::place::Place;
use crate::stopped::Stop;
use crate::story::Story;

/// The most tasks that are shown.
const TASKS: usize = 10;

/// Writes the summary of a rolling deploy.
pub fn summary(
    ended: &Result<Outcome, Failure>,
    story: &Story,
    followed: Option<&Followed>,
    place: &Place<'_>,
) {
    let stops = followed.into_iter().flat_map(|followed| followed.state.stops());
    of(
        ended,
        story,
        stops,
        followed.map(|followed| &followed.tails),
        place,
    );
}

/// Writes the summary of a deploy, of which these tasks stopped.
pub fn of<'a>(
    ended: &Result<Outcome, Failure>,
    story: &Story,
    stops: impl Iterator<Item = &'a Stop>,
    tails: Option<&Tails>,
    place: &Place<'_>,
) {
    let mut summary = Summary::default();
    let outcome = match ended {
        Ok(outcome) => outcome,
        Err(failure) => &failure.outcome,
    };
    let mark = if ended.is_ok() { "✅" } else { "❌" };
    summary.push(format!(
        "### {mark} {}\n",
        markdown::plain(&accounts::without(&outcome.headline))
    ));
    facts(&mut summary, outcome);
    if let Err(failure) = ended
        && let Some(help) = &failure.help
    {
        summary.push(format!("\n{}\n", markdown::plain(&accounts::without(help))));
    }
    told::summary(&mut summary, outcome);
    tasks(&mut summary, stops);
    for tail in tails.into_iter().flat_map(Tails::all) {
        let title = format!(
            "Last lines of `{}` in task {}",
            text::line(tail.container),
            text::line(tail.task)
        );
        summary.push(format!(
            "\n{}\n\n{}\n",
            markdown::plain(&title),
            markdown::fence(&tail.lines.join("\n"))
        ));
    }
    timeline(&mut summary, story);
    if let Some(undo) = &outcome.undo {
        summary.push(format!(
            "\nBring the earlier revision back:\n\n{}\n",
            markdown::fence(undo)
        ));
    }
    place.runner.summary(&summary);
}

fn facts(summary: &mut Summary, outcome: &Outcome) {
    let rows: Vec<Vec<String>> = [
        ("Revision", "task-definition"),
        ("Before", "previous-task-definition"),
        ("Deployment", "deployment-id"),
    ]
    .into_iter()
    .filter_map(|(title, fact)| {
        let value = outcome.facts.get(fact)?.as_str()?.to_owned();
        Some(vec![title.to_owned(), markdown::code(&value)])
    })
    .chain(
        outcome
            .facts
            .get("images")
            .and_then(|images| images.as_array())
            .into_iter()
            .flatten()
            .filter_map(|image| Some(vec!["Image".to_owned(), markdown::code(image.as_str()?)])),
    )
    .collect();
    if !rows.is_empty() {
        summary.table(&["", ""], &rows);
    }
}

fn tasks<'a>(summary: &mut Summary, stops: impl Iterator<Item = &'a Stop>) {
    let stops: Vec<_> = stops.collect();
    if stops.is_empty() {
        return;
    }
    let rows: Vec<Vec<String>> = stops
        .iter()
        .take(TASKS)
        .map(|stop| {
            let help = stop.class.help().unwrap_or_default();
            vec![
                markdown::code(&stop.task),
                markdown::plain(&accounts::without(&stop.reason)),
                markdown::plain(help),
            ]
        })
        .collect();
    summary.push(format!("\n{} tasks stopped:\n", stops.len()));
    summary.table(&["Task", "Why", "What to do"], &rows);
}

fn timeline(summary: &mut Summary, story: &Story) {
    let rows: Vec<Vec<String>> = story
        .timeline
        .iter()
        .map(|(at, line)| vec![duration::display(*at), markdown::plain(&accounts::without(line))])
        .collect();
    if !rows.is_empty() {
        summary.table(&["After", "What"], &rows);
    }
}
