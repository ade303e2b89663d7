//! The job summary of a deploy: the verdict first, then what was deployed, why tasks stopped, their last lines, and when what
//! happened.

use gha::outcome::Outcome;
use gha::summary::Summary;
use gha::{Failure, accounts, duration, markdown, text};

use crate::details::Tails;
use crate::follow::Followed;
use crate::gates::told;
use crate::native_deploy::failing::Failing;
use crate::place::Place;
use crate::stopped::Stop;
use crate::story::Story;

/// The most tasks that are shown.
const TASKS: usize = 10;

/// The tasks of a deploy that failed.
pub struct Failed<'a> {
    stops: Vec<&'a Stop>,
    tails: &'a Tails,
}

impl<'a> From<&'a Followed> for Failed<'a> {
    fn from(followed: &'a Followed) -> Self {
        Self {
            stops: followed.state.stops().collect(),
            tails: &followed.tails,
        }
    }
}

impl<'a> From<&'a Failing> for Failed<'a> {
    fn from(failing: &'a Failing) -> Self {
        Self {
            stops: failing.stops().collect(),
            tails: &failing.tails,
        }
    }
}

/// Writes the summary of a run, of whose deploy these tasks failed.
pub fn summary(
    ended: &Result<Outcome, Failure>,
    story: &Story,
    failed: Option<Failed<'_>>,
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
    if let Some(failed) = failed {
        tasks(&mut summary, &failed.stops);
        lines(&mut summary, failed.tails);
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

/// The last lines of their containers.
fn lines(summary: &mut Summary, tails: &Tails) {
    for tail in tails.all() {
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
}

fn facts(summary: &mut Summary, outcome: &Outcome) {
    let rows: Vec<Vec<String>> = [
        ("Revision", "task-definition"),
        ("Before", "previous-task-definition"),
        ("Deployment", "deployment-id"),
        ("Live weight", "live-weight"),
    ]
    .into_iter()
    .filter_map(|(title, fact)| {
        let value = outcome.facts.get(fact)?;
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
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

fn tasks(summary: &mut Summary, stops: &[&Stop]) {
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
