//! What `image-tag explain` prints: what was built for, and for each rule why it did or did not give a tag.

use gha::text;

use crate::derived::{Derived, Outcome, Rule};
use crate::gather::Gathered;
use crate::mode::Mode;

/// The whole explanation, in lines.
pub(crate) fn explain(derived: &Derived, gathered: &Gathered, mode: Mode) -> String {
    let facts = &gathered.facts;
    let about = &derived.about;
    let mut rows = vec![
        ("from", gathered.source.clone()),
        ("event", or_dash(&facts.event_name)),
        ("ref", changed(&about.git_ref, &facts.git_ref)),
        ("commit", changed(&about.sha, &facts.sha)),
    ];
    if let Some((version, place)) = &about.version {
        rows.push(("version", format!("{} (from {place})", text::line(version))));
    }
    rows.push(("default branch", or_dash(&facts.repository.default_branch)));
    rows.push((
        "git tags",
        match &facts.tags {
            Some(tags) => format!("{} (from {})", tags.len(), gathered.tags_from),
            None => "not asked for, or not known".to_owned(),
        },
    ));
    let mode = match mode {
        Mode::Compatible => "compatible",
        Mode::Native => "native",
    };
    rows.push(("mode", mode.to_owned()));
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut lines: Vec<String> = rows
        .iter()
        .map(|(name, value)| format!("{name:<width$}  {value}"))
        .collect();
    lines.push(String::new());
    lines.extend(derived.rules.iter().map(line));
    lines.push(String::new());
    for image in &derived.images {
        let name = if image.name.is_empty() {
            "tags"
        } else {
            &image.name
        };
        lines.push(format!("{name}: {}", or_dash(&image.tag_names.join(", "))));
        if !image.reference.is_empty() {
            lines.push(format!("  to deploy: {}", image.reference));
        }
    }
    lines.extend(derived.warnings.iter().map(|warning| format!("! {warning}")));
    lines.join("\n")
}

/// One rule: `+ rule: tag`, `~ rule: tag that floats` or `- rule: reason`.
pub(crate) fn line(rule: &Rule) -> String {
    let text = text::line(&rule.text);
    match &rule.outcome {
        Outcome::Tag { tag, floating: false } => format!("+ {text} gives {tag}"),
        Outcome::Tag { tag, floating: true } => format!("~ {text} gives {tag}, which later builds move"),
        Outcome::Nothing(reason) => format!("- {text} gives nothing: {}", text::line(reason)),
    }
}

/// A fact, and what the event itself said where that is something else.
fn changed(now: &str, before: &str) -> String {
    if now == before {
        or_dash(now)
    } else {
        format!("{} (the event says {})", or_dash(now), or_dash(before))
    }
}

fn or_dash(text: &str) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else {
        text::line(text)
    }
}
