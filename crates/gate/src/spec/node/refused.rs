//! What the YAML parser refuses, in the words of somebody who writes the file. Pure.

use gha::text;
use serde_saphyr::budget::BudgetBreach;

use super::{DEEPEST, MOST_ANCHORS, MOST_NODES};

/// How much of a parser's message is shown, in characters.
const SHOWN: usize = 300;

/// One bounded line, without the place that stands in front of it anyway.
pub(super) fn message(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;
    match error {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!(
                "the key `{}` stands here a second time",
                text::cut(&text::visible(key), 80)
            )
        }
        Error::MultipleDocuments { .. } => "a second document begins here; a gate file is one".to_owned(),
        Error::Budget { breach, .. } => format!("the file is over a limit: {}", breached(breach)),
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. } => {
            "the file is over a limit: its aliases (`*name`) repeat too much; write out what they stand for"
                .to_owned()
        }
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            "an anchor (`&name`) holds an alias (`*name`) of itself".to_owned()
        }
        Error::UnknownAnchor { .. } => "no anchor (`&name`) stands before this alias (`*name`)".to_owned(),
        Error::AliasError { error, .. } => message(error),
        other => said(other),
    }
}

/// What there is too much of.
fn breached(breach: &BudgetBreach) -> String {
    match breach {
        BudgetBreach::Depth { .. } => format!("lists and maps stand over {DEEPEST} deep in each other"),
        BudgetBreach::Events { .. } | BudgetBreach::Nodes { .. } => {
            format!("it holds over {MOST_NODES} keys and values")
        }
        BudgetBreach::Aliases { .. } => format!("it holds over {MOST_ANCHORS} aliases (`*name`)"),
        BudgetBreach::Anchors { .. } => format!("it holds over {MOST_ANCHORS} anchors (`&name`)"),
        BudgetBreach::MergeKeys { .. } => format!("it holds over {MOST_ANCHORS} merge keys (`<<`)"),
        BudgetBreach::AliasAnchorRatio { .. } => {
            "it holds far more aliases (`*name`) than anchors (`&name`)".to_owned()
        }
        BudgetBreach::ScalarBytes { .. } => "its texts are too long together".to_owned(),
        _ => "it is too large or too deep".to_owned(),
    }
}

/// What the parser itself says.
fn said(error: &serde_saphyr::Error) -> String {
    let said = error.to_string();
    let said = said
        .split_once(" at line ")
        .map_or(said.as_str(), |(said, _)| said);
    text::cut(&text::visible(said), SHOWN)
}

#[cfg(test)]
mod tests {
    use crate::spec::node::parse;

    #[test]
    fn what_is_over_a_limit_is_told_in_the_words_of_the_file() {
        let laughs = "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned()
            + &["b", "c", "d", "e"]
                .iter()
                .zip(["a", "b", "c", "d"])
                .map(|(name, of)| format!("{name}: &{name} [{}]\n", vec![format!("*{of}"); 9].join(", ")))
                .collect::<String>();
        let anchors: String = (0..600).map(|n| format!("k{n}: &a{n} x\n")).collect();
        let merges: String = (0..600).map(|n| format!("k{n}: {{<<: {{a: 1}}}}\n")).collect();
        let values = format!("a: [{}]\n", "1,".repeat(60_000));
        let deep = (0..40).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
        for (file, said) in [
            (
                laughs,
                "the file is over a limit: its aliases (`*name`) repeat too much; write out what they stand for",
            ),
            (
                format!("a: &a x\nb: [{}]\n", "*a,".repeat(600)),
                "the file is over a limit: it holds over 500 aliases (`*name`)",
            ),
            (
                anchors,
                "the file is over a limit: it holds over 500 anchors (`&name`)",
            ),
            (
                merges,
                "the file is over a limit: it holds over 500 merge keys (`<<`)",
            ),
            (
                values,
                "the file is over a limit: it holds over 50000 keys and values",
            ),
            (
                deep,
                "the file is over a limit: lists and maps stand over 32 deep in each other",
            ),
            (
                "a: &a [*a]\n".to_owned(),
                "an anchor (`&name`) holds an alias (`*name`) of itself",
            ),
            (
                "a: *nope\n".to_owned(),
                "no anchor (`&name`) stands before this alias (`*name`)",
            ),
        ] {
            let told = parse("g.yml", file.as_bytes()).unwrap_err().to_string();
            let (place, reason) = told.split_once(": ").unwrap();
            assert!(place.starts_with("g.yml:") && reason == said, "{told}");
        }
    }
}
