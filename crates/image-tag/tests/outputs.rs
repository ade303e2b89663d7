//! What holds for the outputs whatever branches, tags and labels are called: valid tags, and values that the runner reads
//! as they were written.

#![expect(clippy::unwrap_used, reason = "a case that can't be derived fails the test")]

use gha::outputs;
use image_tag::{Facts, Mode, Request, derive};
use proptest::prelude::*;
use sandbox::runner::parse_entries;
use serde_json::json;

/// Names as they are found in the wild.
const WILD: [&str; 22] = [
    "feature/with space",
    "100%",
    "%0A::error::x",
    "🚀/launch",
    "\u{202e}gnp.exe",
    "מִבְחָן/א",
    "--force",
    "-",
    ".hidden",
    "...",
    ";$(x)",
    "`id`",
    "a|b&c>d<e",
    "$HOME",
    "'\"",
    "a\\b",
    "EOF",
    "ghadelimiter_00000000-0000-0000-0000-000000000000",
    "x<<EOF",
    "refs/heads/refs/tags/v1.2.3",
    "dependabot/npm_and_yarn/@types/node-20.1.0",
    "ünïcode",
];

fn is_valid(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut characters = tag.chars();
    characters.next().is_some_and(word)
        && tag.len() <= 128
        && characters.all(|c| word(c) || c == '.' || c == '-')
}

/// Derives from a name in every place that others choose, and reads the outputs as the runner does.
fn survives(kind: &str, name: &str, mode: Mode) {
    let facts = Facts {
        event_name: "push".to_owned(),
        git_ref: format!("{kind}{name}"),
        sha: "860c1904a1ce19322e91ac35af1ab07466440c37".to_owned(),
        payload: json!({"base_ref": name, "repository": {"description": name, "name": name, "default_branch": name},
            "inputs": {"version": name}}),
        tags: Some(vec![name.to_owned(), "v1.2.3".to_owned()]),
        ..Facts::default()
    };
    let request = Request {
        mode,
        images: "org/app\nghcr.io/org/app".to_owned(),
        tags: "type=ref,event=branch\ntype=ref,event=tag\ntype=ref,event=pr\ntype=semver,pattern={{raw}}\n\
               type=pep440,pattern={{raw}}\ntype=match,pattern=.+\ntype=edge\ntype=raw,x{{branch}}{{tag}}{{base_ref}}\n\
               type=sha"
            .to_owned(),
        labels: "x={{branch}}{{tag}}".to_owned(),
        annotations: "x={{branch}}{{tag}}".to_owned(),
        ..Request::default()
    };
    let derived = derive(&request, &facts).unwrap();
    for tag in &derived.tag_names {
        assert!(is_valid(tag), "{tag:?} of {name:?}");
    }
    let written: Vec<(String, String)> = derived
        .outputs(&request)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let delimiter = "ghadelimiter_5f4c1f0e-0000-4000-8000-000000000000";
    let file: String = written
        .iter()
        .map(|(name, value)| outputs::entry(name, &value.replace('\0', "\u{fffd}"), delimiter).unwrap())
        .collect();
    let read = parse_entries(&file);
    assert_eq!(read.broken, None, "{name:?}");
    assert_eq!(read.pairs, written, "{name:?}");
    assert_eq!(
        derived.outputs(&request)[3].1.lines().count(),
        derived.labels.len(),
        "{name:?}"
    );
}

#[test]
fn names_as_found_in_the_wild() {
    let long = "long-".repeat(50);
    for name in WILD.into_iter().chain([long.as_str()]) {
        for kind in ["refs/heads/", "refs/tags/"] {
            survives(kind, name, Mode::Compatible);
            survives(kind, name, Mode::Native);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_name(
        kind in prop::sample::select(vec!["refs/heads/", "refs/tags/", "refs/pull/", ""]),
        name in any::<String>(),
        native in any::<bool>(),
    ) {
        survives(kind, &name, if native { Mode::Native } else { Mode::Compatible });
    }
}
