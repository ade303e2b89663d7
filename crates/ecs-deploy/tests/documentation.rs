//! The documentation, held to the program: every command line and every workflow step of `ecs-deploy` has flags that it
//! takes and values that it reads, every input and output has its place on the page, and links within it lead somewhere.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use std::fs;

use clap::{CommandFactory as _, Parser as _};
use ecs_deploy::cli::{Cli, Command, INTERFACE, Settings, Version};
use ecs_deploy::deploy::settings;
use ecs_deploy::task_definition::edit::{Edit, EditError};
use ecs_deploy::task_definition::reference::Reference;
use gate::spec::{Offer, Part, read_with};
use gha::env::Env;
use gha::inputs;
use sandbox::pages::{blocks, root};
use serde_json::Value;

/// Reads a command line as the program does, and the values that it reads later.
fn assert_good(place: &str, words: &[String]) {
    let line = std::iter::once("ecs-deploy").chain(words.iter().map(String::as_str));
    let cli = Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{place}: {error}"));
    match cli.command {
        Command::Deploy(flags) => {
            assert_version(place, &flags.version);
            assert_settings(place, &flags.settings);
            assert_all(place, Edit::command, flags.migrate.as_slice());
        }
        Command::Verify(flags) => {
            assert_version(place, &flags.deploy.version);
            assert_settings(place, &flags.deploy.settings);
            assert_all(place, Edit::command, flags.deploy.migrate.as_slice());
        }
        Command::Plan(flags) => {
            assert_version(place, &flags.version);
            assert_settings(place, &flags.settings);
        }
        Command::RunTask(flags) => {
            assert_version(place, &flags.version);
            assert_all(place, Edit::command, flags.run.as_slice());
        }
        _ => {}
    }
}

fn assert_version(place: &str, flags: &Version) {
    assert_all(place, Edit::image, &flags.image);
    assert_all(place, Edit::environment, &flags.env);
    assert_all(place, Edit::secret, &flags.secret);
    assert_all(place, Edit::cpu, &flags.cpu);
    assert_all(place, Edit::memory, &flags.memory);
    assert_all(place, Edit::command, &flags.container_command);
    let reference = flags.task_definition.as_deref().map(Reference::parse);
    assert!(matches!(reference, None | Some(Ok(_))), "{place}: {reference:?}");
}

fn assert_settings(place: &str, flags: &Settings) {
    assert!(settings(flags).is_ok(), "{place}");
}

fn assert_all(place: &str, read: fn(&str) -> Result<Edit, EditError>, lines: &[String]) {
    for line in lines {
        assert!(read(line).is_ok(), "{place}: {line}: {:?}", read(line).err());
    }
}

/// A value as the runner hands it on. An expression has the value that such ones have.
fn input(name: &str, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Some((before, rest)) = text.split_once("${{") else {
        return text;
    };
    let after = rest.rsplit_once("}}").map_or("", |(_, after)| after);
    match (name, before, after) {
        ("image", "", "") => "registry.example.com/api:1.2.3".to_owned(),
        ("image", "", after) => {
            let digest = format!("sha256:{}", "0a".repeat(32));
            let name = after.split_once('@').map_or(after, |(name, _)| name);
            format!("registry.example.com{name}@{digest}")
        }
        ("migrate", ..) => "bin/migrate".to_owned(),
        ("role-arn", ..) => "arn:aws:iam::123456789012:role/deploy".to_owned(),
        // A variable that the environment lacks.
        ("stable-for", ..) => String::new(),
        _ => format!("{before}0123456789abcdef{after}"),
    }
}

/// The names under a key of the packaged action.
fn of_the_action(key: &str) -> Vec<String> {
    let action = fs::read_to_string(root().join("actions/ecs-deploy/action.yml")).unwrap();
    let action: Value = serde_saphyr::from_str(&action).unwrap();
    action[key].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_step_has_inputs_that_work() {
    let known = of_the_action("inputs");
    let mut read = 0;
    for block in blocks().unwrap() {
        if block.language != "yaml" || !block.content.contains("deploy-actions/ecs-deploy@") {
            continue;
        }
        for step in block.steps().unwrap() {
            let uses = step["uses"].as_str().unwrap_or_default();
            if !uses.contains("deploy-actions/ecs-deploy@") {
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
    assert!(read >= 7, "{read} steps are few");
}

#[test]
fn every_command_line_works() {
    let mut read = 0;
    for block in blocks().unwrap() {
        if block.language != "sh" {
            continue;
        }
        let content = block.content.replace("\\\n", " ");
        for line in content.lines() {
            let Some(line) = line.trim().strip_prefix("ecs-deploy ") else {
                continue;
            };
            let words = shlex::split(line).unwrap_or_else(|| panic!("{}: {line}", block.place));
            assert_good(&block.place, &words);
            read += 1;
        }
    }
    assert!(read >= 9, "{read} command lines are few");
}

#[test]
fn every_gate_file_is_valid() {
    let known = ["version", "image", "revision", "service", "cluster"];
    let known = known.map(|name| (name.to_owned(), "1.2.3".to_owned()));
    let offer = Offer {
        vars: &known,
        ecs: true,
        part: Part::Whole,
    };
    let mut files = blocks().unwrap();
    files.retain(|block| {
        block.content.starts_with("version: 1\n") && block.place.starts_with("ecs-deploy.md:")
    });
    assert!(files.len() > 1, "{} files are few", files.len());
    for file in files {
        let read = read_with(&file.place, file.content.as_bytes(), &Env::default(), &[], &offer);
        assert!(
            read.is_ok(),
            "{}",
            read.err().map(|faults| faults.to_string()).unwrap_or_default()
        );
    }
}

#[test]
fn every_input_and_output_has_its_place() {
    let page = fs::read_to_string(root().join("docs/ecs-deploy.md")).unwrap();
    // What all tools share is explained elsewhere.
    let elsewhere = ["command", "output", "log-format"];
    let names = of_the_action("inputs")
        .into_iter()
        .chain(of_the_action("outputs"));
    for name in names.filter(|name| !elsewhere.contains(&name.as_str())) {
        assert!(page.contains(&format!("`{name}`")), "`{name}` is not on the page");
    }
}

#[test]
fn links_within_the_page_lead_somewhere() {
    let page = fs::read_to_string(root().join("docs/ecs-deploy.md")).unwrap();
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
