//! What a run says at its end: the result for the ledger and the job summary.

use std::collections::HashSet;

use gha::outcome::Outcome;
use gha::summary::Summary;
use gha::{Failure, Status, markdown};
use serde_json::Value;

use crate::derived::{self, Derived};
use crate::facts::Facts;
use crate::labels::Label;

/// The result for the ledger.
pub(crate) fn outcome(derived: &Derived, facts: &Facts) -> Outcome {
    let names = derived.tag_names.join(", ");
    let headline = match derived.tag_names.len() {
        0 => "no tag for this event".to_owned(),
        1 => format!("tag {names}"),
        n => format!("{n} tags: {names}"),
    };
    let first = derived.images.first();
    let image = first
        .map(|image| image.name.clone())
        .filter(|name| !name.is_empty());
    let target = image.unwrap_or_else(|| facts.repository.full_name.clone());
    let references: Vec<Value> = derived
        .images
        .iter()
        .filter(|image| !image.reference.is_empty())
        .map(|image| image.reference.as_str().into())
        .collect();
    Outcome::new(Status::Done, headline)
        .fact("version", derived.version.as_str())
        .fact("tags", derived.tags.clone())
        .fact("images", references)
        .fact("revision", derived.about.sha.as_str())
        .target(target)
}

/// The job summary of a run that a guard refused.
pub(crate) fn refused(failure: &Failure) -> Summary {
    let mut summary = Summary::default();
    summary.push(format!(
        "### ⛔ image-tag: refused\n\n{}\n",
        markdown::plain(&failure.error.to_string())
    ));
    summary
}

/// The job summary: tags first, what did not give one and labels folded.
pub(crate) fn summary(derived: &Derived) -> Summary {
    let mut summary = Summary::default();
    let sha: String = derived.about.sha.chars().take(7).collect();
    summary.push(format!(
        "### 🏷️ image-tag: {}\n\n{} at {}\n",
        markdown::code(&derived.version),
        markdown::code(&derived.about.git_ref),
        markdown::code(&sha)
    ));
    let floating: HashSet<&String> = derived.images.iter().flat_map(|image| &image.floating).collect();
    let tags: String = derived
        .tags
        .iter()
        .map(|tag| {
            let note = if floating.contains(tag) {
                " (later builds move it)"
            } else {
                ""
            };
            format!("- {}{note}\n", markdown::code(tag))
        })
        .collect();
    summary.push(if tags.is_empty() {
        "No rule gave a tag for this event.\n".to_owned()
    } else {
        tags
    });
    let silent: String = derived
        .rules
        .iter()
        .filter_map(|rule| match &rule.outcome {
            derived::Outcome::Nothing(reason) => Some(format!(
                "- {}: {}\n",
                markdown::code(&rule.text),
                markdown::plain(reason)
            )),
            derived::Outcome::Tag { .. } => None,
        })
        .collect();
    if !silent.is_empty() {
        summary.push(format!(
            "<details><summary>Rules that gave no tag</summary>\n\n{silent}\n</details>\n"
        ));
    }
    let labels: Vec<String> = derived.labels.iter().map(Label::line).collect();
    summary.push(format!(
        "<details><summary>Labels</summary>\n\n{}\n</details>\n",
        markdown::fence(&labels.join("\n"))
    ));
    summary
}
