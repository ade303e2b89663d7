//! The documentation, held to the program: every command line and every workflow step of `k8s-blue-green` has flags that it takes
//! and values that it reads, every gate can judge in the time that it has, every Role is one, every input and output has its place
//! on the page, and links lead somewhere.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};
use gate::gates::{Gates, Making, Tool};
use gate::spec::{Offer, Part, Spec, read_with};
use gha::edge::testing::runner;
use gha::env::Env;
use gha::{Runner, inputs};
use k8s_blue_green::cli::{self, Cli, Command, INTERFACE, Strategy};
use k8s_blue_green::fits::fits;
use k8s_blue_green::permissions::{self, Rule};
use k8s_blue_green::route::Provider;
use sandbox::pages::{Block, blocks, root};
use serde_json::Value;

const PAGE: &str = "k8s-blue-green.md";

/// Reads a command line as the program does, and the values that it reads later.
fn assert_good(place: &str, words: &[String]) {
    let line = std::iter::once("k8s-blue-green").chain(words.iter().map(String::as_str));
    let cli = Cli::try_parse_from(line).unwrap_or_else(|error| panic!("{place}: {error}"));
    fits(&cli.command).unwrap_or_else(|error| panic!("{place}: {error}"));
    match &cli.command {
        // A rolling deploy's gates have the time that they say themselves.
        Command::Deploy(flags) if flags.strategy == Strategy::Rolling => {
            assert_gates(place, &flags.gates, Duration::ZERO);
        }
        Command::Deploy(flags) => assert_gates(place, &flags.gates, flags.switch.soak),
        Command::Promote(flags) => assert_gates(place, &flags.gates, flags.switch.soak),
        _ => {}
    }
}

/// A preset with an address must be able to judge in the soak's time; files are read by a test of their own.
fn assert_gates(place: &str, flags: &cli::Gates, soak: Duration) {
    let mut presets = flags.gate.clone();
    presets.retain(|gate| gate.contains("://"));
    let (runner, _) = runner(&[]);
    let gates = Gates::of(&presets, &[], Vec::new(), &Nothing, &runner);
    let gates = gates.unwrap_or_else(|error| panic!("{place}: {error}"));
    if !soak.is_zero() {
        gates
            .fits(soak, &Nothing, &runner)
            .unwrap_or_else(|error| panic!("{place}: {error}"));
    }
}

/// No tool: the gates of a page are read, and never asked.
struct Nothing;

impl Tool for Nothing {
    fn tells_ecs(&self) -> bool {
        false
    }

    fn made<'a>(&'a self, _spec: &'a Spec, _runner: &'a Runner) -> Making<'a> {
        Box::pin(async { Err("a page asks nothing".to_owned()) })
    }

    fn behind(&self) -> Option<String> {
        None
    }
}

/// A value as the runner hands it on. An expression has the value that such ones have.
fn input(name: &str, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut read = String::new();
    let mut rest = text.as_str();
    while let Some((before, more)) = rest.split_once("${{") {
        let (expression, after) = more.split_once("}}").unwrap();
        read.push_str(before);
        read.push_str(match (name, expression.trim()) {
            // A variable that the environment lacks, and its default.
            ("strategy", _) => "",
            ("soak", expression) => expression.split('\'').nth(1).unwrap_or_default(),
            ("gate", _) => "https://shop.example.com/health",
            ("image", "inputs.image") => "registry.example.com/web:1.2.3",
            ("image", "github.repository") => "acme/shop",
            _ => "0123456789abcdef",
        });
        rest = after;
    }
    read + rest
}

/// The packaged action.
fn action() -> Value {
    let action = fs::read_to_string(root().join("actions/k8s-blue-green/action.yml")).unwrap();
    serde_saphyr::from_str(&action).unwrap()
}

/// The names under a key of it.
fn of_the_action(key: &str) -> Vec<String> {
    action()[key].as_object().unwrap().keys().cloned().collect()
}

fn page(name: &str) -> String {
    let folder = if name == "README.md" { "" } else { "docs/" };
    fs::read_to_string(root().join(format!("{folder}{name}"))).unwrap()
}

#[test]
fn every_step_has_inputs_that_work() {
    let known = of_the_action("inputs");
    let mut read = 0;
    for block in blocks().unwrap() {
        if block.language != "yaml" || !block.content.contains("deploy-actions/k8s-blue-green@") {
            continue;
        }
        for step in block.steps().unwrap() {
            let uses = step["uses"].as_str().unwrap_or_default();
            if !uses.contains("deploy-actions/k8s-blue-green@") {
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
    assert!(read >= 20, "{read} steps are few");
}

/// Whoever may be cancelled half way has a step behind it that undoes what is left, for the same target.
#[test]
fn every_workflow_that_deploys_recovers() {
    let mut deploys = 0;
    for block in blocks().unwrap() {
        if !block.content.contains("deploy-actions/k8s-blue-green@") || !block.content.contains("\njobs:") {
            continue;
        }
        let workflow: Value = serde_saphyr::from_str(&block.content).unwrap();
        for job in workflow["jobs"].as_object().unwrap().values() {
            let steps = job["steps"].as_array().unwrap();
            let ours = |step: &&Value| {
                step["uses"]
                    .as_str()
                    .is_some_and(|uses| uses.contains("k8s-blue-green@"))
            };
            let command = |step: &Value| step["with"]["command"].as_str().unwrap_or("deploy").to_owned();
            let ours: Vec<&Value> = steps.iter().filter(ours).collect();
            let Some(deploy) = ours
                .iter()
                .find(|step| matches!(command(step).as_str(), "deploy" | "promote"))
            else {
                continue;
            };
            deploys += 1;
            let is_cut = !deploy["with"]["strategy"].is_string() || deploy["with"]["strategy"] != "rolling";
            let Some(recover) = ours.iter().find(|step| command(step) == "recover") else {
                // What is the same in all environments can't know whether it rolls; and the page shows the way to a cluster.
                let is_general = deploy["with"]["strategy"]
                    .as_str()
                    .is_some_and(|strategy| strategy.contains("${{"));
                assert!(
                    is_general || block.place.starts_with(PAGE),
                    "{}: nothing recovers",
                    block.place
                );
                continue;
            };
            let key = if is_cut { "service" } else { "workload" };
            for key in [key, "namespace"] {
                assert_eq!(
                    recover["with"][key], deploy["with"][key],
                    "{}: `{key}`",
                    block.place
                );
            }
            assert!(recover["if"].as_str().unwrap().contains("cancelled()"));
        }
    }
    assert!(deploys >= 6, "{deploys} deploys are few");
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
            let Some(line) = line.trim().strip_prefix("k8s-blue-green ") else {
                continue;
            };
            let words = shlex::split(line).unwrap_or_else(|| panic!("{}: {line}", block.place));
            assert_good(&block.place, &words);
            read += 1;
        }
    }
    assert!(read >= 20, "{read} command lines are few");
}

#[test]
fn every_gate_file_is_valid() {
    let known = ["version", "image", "service", "namespace", "color"];
    let mut known = known.map(|name| (name.to_owned(), "1.2.3".to_owned())).to_vec();
    known.push(("preview_url".to_owned(), "http://127.0.0.1:1".to_owned()));
    let offer = Offer {
        vars: &known,
        ecs: false,
        part: Part::Whole,
    };
    let env: Env = [("PROM_URL", "https://prometheus.internal.example")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
    let mut files = blocks().unwrap();
    files.retain(|block| block.content.starts_with("version: 1\n") && block.place.starts_with(PAGE));
    assert!(files.len() > 1, "{} files are few", files.len());
    for file in files {
        let read = read_with(&file.place, file.content.as_bytes(), &env, &[], &offer);
        assert!(
            read.is_ok(),
            "{}",
            read.err().map(|faults| faults.to_string()).unwrap_or_default()
        );
    }
}

fn roles() -> Vec<(Block, Value)> {
    let mut found = blocks().unwrap();
    found.retain(|block| block.place.starts_with(PAGE) && block.content.contains("kind: Role\n"));
    let read = |block: Block| {
        let role = serde_saphyr::from_str(&block.content).unwrap();
        (block, role)
    };
    found.into_iter().map(read).collect()
}

/// One Role a mode, with the verbs that there are, no wildcard, and nothing of Secrets.
#[test]
fn every_role_is_one() {
    const VERBS: [&str; 6] = ["get", "list", "create", "update", "patch", "delete"];
    let mut names = BTreeSet::new();
    for (block, role) in roles() {
        let place = &block.place;
        assert_eq!(role["apiVersion"], "rbac.authorization.k8s.io/v1", "{place}");
        let name = role["metadata"]["name"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{place}: `{name}` twice");
        for rule in role["rules"].as_array().unwrap() {
            let words = |key: &str| -> Vec<String> {
                let words = rule[key].as_array().unwrap().iter();
                words.map(|word| word.as_str().unwrap().to_owned()).collect()
            };
            assert_eq!(rule.as_object().unwrap().len(), 3, "{place}: {rule}");
            assert_eq!(words("apiGroups").len(), 1, "{place}: {rule}");
            assert!(
                words("verbs").iter().all(|verb| VERBS.contains(&&**verb)),
                "{place}: {rule}"
            );
            let resources = words("resources");
            assert!(
                !resources
                    .iter()
                    .any(|resource| resource == "secrets" || resource.contains('*')),
                "{place}: {rule}"
            );
        }
    }
    assert!(names.len() >= 9, "{names:?}");
}

/// What a Role of the page allows, as `patch services`.
fn allowed(name: &str) -> BTreeSet<String> {
    let (_, role) = roles()
        .into_iter()
        .find(|(_, role)| role["metadata"]["name"] == name)
        .unwrap_or_else(|| panic!("no Role `{name}`"));
    let words = |value: &Value| -> Vec<String> {
        let words = value.as_array().unwrap().iter();
        words.map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let mut allowed = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        let group = &words(&rule["apiGroups"])[0];
        for resource in words(&rule["resources"]) {
            for verb in words(&rule["verbs"]) {
                allowed.insert(format!("{verb} {group}/{resource}"));
            }
        }
    }
    allowed
}

/// The Roles of the page allow what `plan` asks for; that is held to the calls elsewhere.
#[test]
fn roles_are_those_that_a_plan_asks_for() {
    let asked = |tables: &[&[Rule]]| -> BTreeSet<String> {
        let rules = tables.iter().flat_map(|table| table.iter());
        rules
            .flat_map(|rule| {
                let verbs = rule.verbs.iter();
                verbs.map(move |verb| format!("{verb} {}/{}", rule.group, rule.resource))
            })
            .collect()
    };
    let exact = [
        (
            "k8s-blue-green",
            asked(&[permissions::BLUE_GREEN, permissions::DELETE]),
        ),
        ("k8s-blue-green-front", asked(&[permissions::LOOKS])),
        ("k8s-blue-green-keda", asked(&[permissions::KEDA])),
        ("k8s-blue-green-migration", asked(&[permissions::MIGRATION])),
        (
            "k8s-blue-green-canary",
            asked(&[
                permissions::canary(Provider::HttpRoute),
                permissions::canary(Provider::GrpcRoute),
                permissions::canary(Provider::VirtualService),
                permissions::canary(Provider::Ingress),
            ]),
        ),
    ];
    for (name, asked) in exact {
        assert_eq!(allowed(name), asked, "{name}");
    }
    for (name, asked) in [
        ("k8s-blue-green-preview", asked(&[permissions::PREVIEW])),
        ("k8s-blue-green-rolling", asked(&[permissions::ROLLING])),
        ("k8s-blue-green-diagnose", asked(&[permissions::DIAGNOSE])),
    ] {
        assert!(allowed(name).is_superset(&asked), "{name}: {asked:?}");
    }
}

#[test]
fn every_input_and_output_has_its_place() {
    let page = page(PAGE);
    // What all tools share is explained elsewhere.
    let elsewhere = ["command", "output", "log-format"];
    let names = of_the_action("inputs")
        .into_iter()
        .chain(of_the_action("outputs"));
    for name in names.filter(|name| !elsewhere.contains(&name.as_str())) {
        assert!(page.contains(&format!("`{name}`")), "`{name}` is not on the page");
    }
    for command in Cli::command().get_subcommands() {
        let row = format!("| `{}` | ", command.get_name());
        assert!(
            page.contains(&row),
            "`{}` is not among the commands",
            command.get_name()
        );
    }
}

/// The defaults that the page names are the program's.
#[test]
fn every_default_is_the_programs() {
    let page = page(PAGE);
    let command = Cli::command();
    let deploy = command.find_subcommand("deploy").unwrap();
    let mut read = 0;
    for argument in deploy.get_arguments() {
        let (Some(name), [default]) = (argument.get_long(), argument.get_default_values()) else {
            continue;
        };
        let default = default.to_string_lossy();
        let mut rows = page.lines().filter(|line| {
            let first = line.split(" | ").next().unwrap_or_default();
            line.matches(" | ").count() == 2 && first == format!("| `{name}`")
        });
        let Some(row) = rows.next() else { continue };
        assert!(row.ends_with(&format!("| `{default}` |")), "`{default}`: {row}");
        read += 1;
    }
    assert!(read >= 10, "{read} defaults are few");
}

#[test]
fn links_lead_somewhere() {
    let anchors = |name: &str| -> Vec<String> { page(name).lines().filter_map(anchor).collect() };
    let mut links = 0;
    for name in [PAGE, "recipes.md", "security.md"] {
        for link in page(name).split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.contains("://") || link.starts_with("../") {
                continue;
            }
            let (file, at) = link.split_once('#').unwrap_or((link, ""));
            let file = if file.is_empty() { name } else { file };
            assert!(root().join("docs").join(file).exists(), "{name}: {link}");
            assert!(
                at.is_empty() || anchors(file).iter().any(|anchor| anchor == at),
                "{name}: {link}"
            );
            links += 1;
        }
    }
    assert!(links > 40, "{links} links are few");
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
