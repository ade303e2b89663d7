//! The documentation, held to the program: every command line and every workflow step of `s3-cdn-publish` has flags that it
//! takes and values that it reads, rules files are good, the table of headers and the policies are what the program does, every
//! input and output has its place on the page, and links within it lead somewhere.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use std::collections::BTreeSet;
use std::fs;

use clap::{CommandFactory as _, Parser as _};
use gha::env::Env;
use gha::inputs;
use s3_cdn_publish::cli::{Cli, Command, INTERFACE, Source};
use s3_cdn_publish::rules::Rules;
use sandbox::pages::{Block, blocks, root};
use serde_json::Value;

mod calls;

const PAGE: &str = "s3-cdn-publish.md";

const USES: &str = "deploy-actions/s3-cdn-publish@";

/// Reads a command line as the program does, and the values that it reads later.
fn assert_good(place: &str, words: &[String]) {
    let line = std::iter::once("s3-cdn-publish").chain(words.iter().map(String::as_str));
    let cli = Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{place}: {error}"));
    if let Command::Publish(flags) | Command::Plan(flags) = cli.command {
        assert_source(place, &flags.source);
    }
}

fn assert_source(place: &str, flags: &Source) {
    let rules = Rules::from_lines(&flags.rule);
    assert!(rules.is_ok(), "{place}: {:?}", rules.err());
}

/// A value as the runner hands it on. An expression has the value that such ones have.
fn input(name: &str, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if !text.contains("${{") {
        return text;
    }
    match name {
        "distribution-id" => "E2EXAMPLE".to_owned(),
        "role-arn" => "arn:aws:iam::123456789012:role/publish".to_owned(),
        // An input that nobody filled in.
        "to" => String::new(),
        _ => panic!("no value is known for `{name}: {text}`"),
    }
}

/// The names under a key of the packaged action.
fn of_the_action(key: &str) -> Vec<String> {
    let action = fs::read_to_string(root().join("actions/s3-cdn-publish/action.yml")).unwrap();
    let action: Value = serde_saphyr::from_str(&action).unwrap();
    action[key].as_object().unwrap().keys().cloned().collect()
}

fn page() -> String {
    fs::read_to_string(root().join("docs").join(PAGE)).unwrap()
}

/// The blocks of the page in a language.
fn of_the_page(language: &str) -> Vec<Block> {
    let mut found = blocks().unwrap();
    found.retain(|block| block.language == language && block.place.starts_with(&format!("{PAGE}:")));
    found
}

#[test]
fn every_step_has_inputs_that_work() {
    let known = of_the_action("inputs");
    let mut read = 0;
    for block in blocks().unwrap() {
        if block.language != "yaml" || !block.content.contains(USES) {
            continue;
        }
        for step in block.steps().unwrap() {
            if !step["uses"].as_str().unwrap_or_default().contains(USES) {
                continue;
            }
            let with = step["with"].as_object().unwrap();
            for name in with.keys() {
                assert!(known.contains(name), "{}: no input `{name}`", block.place);
            }
            let env: Env = with
                .iter()
                .map(|(name, value)| {
                    let variable = format!("INPUT_{}", name.to_uppercase().replace('-', "_"));
                    (variable, input(name, value))
                })
                .collect();
            let words = inputs::arguments(&INTERFACE, &Cli::command(), &[], &env);
            assert_good(
                &block.place,
                &words.unwrap_or_else(|error| panic!("{}: {error}", block.place)),
            );
            read += 1;
        }
    }
    assert!(read >= 10, "{read} steps are few");
}

/// The command lines of a text: of blocks of shell, and those that stand in a table.
fn command_lines() -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for block in blocks().unwrap() {
        if block.language == "sh" {
            let content = block.content.replace("\\\n", " ");
            let ours = content.lines().map(str::trim);
            let ours = ours.filter(|line| line.starts_with("s3-cdn-publish "));
            lines.extend(ours.map(|line| (block.place.clone(), line.to_owned())));
        }
    }
    for row in page().lines().filter(|line| line.starts_with('|')) {
        let spans = row.split('`').skip(1).step_by(2);
        let ours = spans.filter(|span| span.starts_with("s3-cdn-publish ") && span.contains(" --"));
        lines.extend(ours.map(|line| (PAGE.to_owned(), line.to_owned())));
    }
    lines
}

#[test]
fn every_command_line_works() {
    let lines = command_lines();
    for (place, line) in &lines {
        let words = shlex::split(line).unwrap_or_else(|| panic!("{place}: {line}"));
        assert_good(place, &words[1..]);
    }
    assert!(lines.len() >= 14, "{} command lines are few", lines.len());
}

#[test]
fn every_rules_file_is_good() {
    let mut read = 0;
    for block in of_the_page("yaml") {
        if block.content.starts_with("version: 1\nrules:") {
            let rules = Rules::read(block.content.as_bytes(), &block.place);
            assert!(rules.is_ok(), "{}", rules.err().unwrap());
            read += 1;
        }
    }
    assert!(read >= 1, "{read} rules files are few");
}

/// The rows of the table under a heading: their cells.
fn table(heading: &str) -> Vec<Vec<String>> {
    let page = page();
    let (_, behind) = page.split_once(heading).unwrap();
    let rows = behind
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'));
    rows.skip(2)
        .map(|row| {
            let cells = row.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

#[test]
fn files_without_rules_have_the_headers_of_the_table() {
    let mut rules = Rules::standard();
    let mut names = 0;
    for row in table("\n## Headers\n") {
        for key in row[0].split('`').skip(1).step_by(2) {
            let treatment = rules.treat(key, |_| false);
            let cache_control = treatment.headers.cache_control.as_deref().unwrap_or_default();
            assert_eq!(format!("`{cache_control}`"), row[1], "{key}");
            assert_eq!(treatment.phase.as_str(), row[2], "{key}");
            names += 1;
        }
    }
    assert!(names > 10, "{names} names are few");
}

#[test]
fn every_key_of_a_rule_is_explained() {
    let schema = s3_cdn_publish::rules::schema();
    let rows = table("\n### Rules\n");
    let told: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| row[0].split('`').skip(1).step_by(2))
        .collect();
    let keys = schema["$defs"]["Rule"]["properties"].as_object().unwrap();
    let keys: BTreeSet<&str> = keys.keys().map(String::as_str).collect();
    assert_eq!(told, keys);
}

#[test]
fn defaults_in_tables_are_those_of_the_program() {
    let command = Cli::command();
    let publish = command.find_subcommand("publish").unwrap();
    let mut compared = 0;
    for row in page().lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [names, _, default] = cells[..] else { continue };
        let name = names.trim_matches('`');
        let Some(arg) = publish.get_arguments().find(|arg| arg.get_long() == Some(name)) else {
            continue;
        };
        let said = default.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        let is = arg
            .get_default_values()
            .first()
            .map(|value| value.to_string_lossy().into_owned())
            .filter(|value| !value.is_empty());
        if is.is_some() {
            assert_eq!(said, is.as_deref(), "`{name}`");
            compared += 1;
        }
    }
    assert!(compared >= 7, "{compared} defaults are few");
}

#[test]
fn every_input_and_output_has_its_place() {
    let page = page();
    // What all tools share is explained elsewhere.
    let elsewhere = ["command", "output", "log-format"];
    let names = of_the_action("inputs")
        .into_iter()
        .chain(of_the_action("outputs"));
    for name in names.filter(|name| !elsewhere.contains(&name.as_str())) {
        assert!(
            page.contains(&format!("`{name}`")) || page.contains(&format!("`{name}: ")),
            "`{name}` is not on the page"
        );
    }
}

#[test]
fn the_state_is_kept_from_visitors() {
    let policy = policy("NotTheState");
    let deny = policy["Statement"].as_array().unwrap();
    let deny = deny.iter().find(|statement| statement["Sid"] == "NotTheState");
    let deny = deny.unwrap();
    assert_eq!(
        (&deny["Effect"], &deny["Action"]),
        (&Value::from("Deny"), &Value::from("s3:GetObject"))
    );
    let folder = format!("/{}*", s3_cdn_publish::api::STATE);
    assert!(deny["Resource"].as_str().unwrap().ends_with(&folder), "{deny}");
}

/// The policy of the page that has a statement of this name.
fn policy(sid: &str) -> Value {
    let found = of_the_page("json").into_iter().find_map(|block| {
        let policy: Value = serde_json::from_str(&block.content).unwrap();
        let has = policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .any(|statement| statement["Sid"] == sid);
        has.then_some(policy)
    });
    found.unwrap_or_else(|| panic!("no policy has `{sid}`"))
}

/// The actions that a policy allows.
fn allowed(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap();
    let actions = statements
        .iter()
        .flat_map(|statement| match &statement["Action"] {
            Value::Array(many) => many.clone(),
            one => vec![one.clone()],
        });
    actions
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn policies_allow_what_is_asked_for_and_no_more() {
    let asked = calls::of_every_command();
    let mut changes = BTreeSet::new();
    for command in ["publish", "rollback", "prune", "recover"] {
        changes.extend(asked[command].iter().cloned());
    }
    // Only after a part of a large file was refused.
    changes.insert("s3:AbortMultipartUpload".to_owned());
    assert_eq!(allowed(&policy("Change")), changes);
    let look = allowed(&policy("Look"));
    assert_eq!(look, asked["plan"]);
    assert!(asked["releases"].is_subset(&look), "{:?}", asked["releases"]);
}

#[test]
fn links_within_the_page_lead_somewhere() {
    let page = page();
    let anchors: Vec<String> = page.lines().filter_map(anchor).collect();
    let mut links = 0;
    for link in page.split("](#").skip(1) {
        let link = link.split(')').next().unwrap();
        assert!(anchors.iter().any(|anchor| anchor == link), "#{link}");
        links += 1;
    }
    assert!(links > 5, "{links} links are few");
}

/// The anchor of a heading (<https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links>).
fn anchor(line: &str) -> Option<String> {
    let title = line
        .strip_prefix('#')?
        .trim_start_matches('#')
        .strip_prefix(' ')?;
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    let text: String = title.to_lowercase().chars().filter(kept).collect();
    Some(text.replace(' ', "-"))
}
