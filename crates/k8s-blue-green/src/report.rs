//! The job summary of a run: the verdict first, then what has the traffic, what the gates said, when what happened, and the way back.

use gate::gates::told;
use gha::outcome::Outcome;
use gha::summary::Summary;
use gha::{Failure, duration, markdown};
use serde_json::Value;

use crate::place::Place;
use crate::story::Story;

/// What is shown of the facts, by their names.
const FACTS: [(&str, &str); 7] = [
    ("Service", "service"),
    ("Namespace", "namespace"),
    ("Live", "revision"),
    ("Colour", "live-color"),
    ("Before", "previous-color"),
    ("Live weight, %", "live-weight"),
    ("Preview", "preview-url"),
];

/// Writes the summary of a run.
pub fn summary(ended: &Result<Outcome, Failure>, story: &Story, place: &Place<'_>) {
    let mut summary = Summary::default();
    let outcome = match ended {
        Ok(outcome) => outcome,
        Err(failure) => &failure.outcome,
    };
    let mark = if ended.is_ok() { "✅" } else { "❌" };
    summary.push(format!("### {mark} {}\n", markdown::plain(&outcome.headline)));
    facts(&mut summary, outcome);
    if let Err(failure) = ended
        && let Some(help) = &failure.help
    {
        summary.push(format!("\n{}\n", markdown::plain(help)));
    }
    told::summary(&mut summary, outcome);
    if let Some(findings) = &story.findings {
        findings.summary(&mut summary);
    }
    let rows: Vec<Vec<String>> = story
        .timeline
        .iter()
        .map(|(at, line)| vec![duration::display(*at), markdown::plain(line)])
        .collect();
    if !rows.is_empty() {
        summary.table(&["After", "What"], &rows);
    }
    if let Some(undo) = &outcome.undo {
        summary.push(format!(
            "\nBring the old version back:\n\n{}\n",
            markdown::fence(undo)
        ));
    }
    place.runner.summary(&summary);
}

fn facts(summary: &mut Summary, outcome: &Outcome) {
    let rows: Vec<Vec<String>> = FACTS
        .iter()
        .filter_map(|(title, fact)| {
            let value = outcome.facts.get(*fact)?;
            let value = value
                .as_str()
                .map_or_else(|| Value::to_string(value), str::to_owned);
            (!value.is_empty()).then(|| vec![(*title).to_owned(), markdown::code(&value.replace('\n', ", "))])
        })
        .collect();
    if !rows.is_empty() {
        summary.table(&["", ""], &rows);
    }
}
