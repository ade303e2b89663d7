//! The documentation, run: every workflow step and every command line of `notify` is started as a dry run, the file of routes in it is
//! read, every input, output and receiver has its place on the page, and links lead somewhere.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use clap::CommandFactory as _;
use notify::cli::{Cli, INTERFACE};
use sandbox::pages::{Block, blocks, root};
use serde_json::Value;

/// The program.
const PROGRAM: &str = env!("CARGO_BIN_EXE_notify");
const PAGE: &str = "notify.md";

/// A secret of each kind, by its input.
const SECRETS: [(&str, &str); 9] = [
    (
        "slack-webhook",
        "https://hooks.slack.com/services/T01/B01/abcdefghijkl",
    ),
    (
        "slack-info-webhook",
        "https://hooks.slack.com/services/T01/B02/abcdefghijkl",
    ),
    ("slack-token", "xoxb-0123456789"),
    (
        "teams-webhook",
        "https://prod-1.westeurope.logic.azure.com/workflows/1?sig=abcdefghijkl",
    ),
    (
        "discord-webhook",
        "https://discord.com/api/webhooks/1/abcdefghijkl",
    ),
    ("pagerduty-key", "0123456789abcdef0123456789abcdef"),
    ("smtp-url", "smtps://deploys:password-1@mail.example.com"),
    ("webhook-url", "https://hooks.example.com/deploys"),
    ("github-token", "ghs_0123456789abcdef"),
];

/// What the examples take from the environment.
const VARIABLES: [(&str, &str); 9] = [
    ("GITHUB_REPOSITORY", "acme/shop"),
    ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
    ("PAGERDUTY_ROUTING_KEY", "0123456789abcdef0123456789abcdef"),
    (
        "SLACK_INFO_WEBHOOK",
        "https://hooks.slack.com/services/T01/B02/abcdefghijkl",
    ),
    ("SLACK_TOKEN", "xoxb-0123456789"),
    (
        "SLACK_WEBHOOK_URL",
        "https://hooks.slack.com/services/T01/B01/abcdefghijkl",
    ),
    ("SMTP_URL", "smtps://deploys:password-1@mail.example.com"),
    ("NOTIFY_WEBHOOK_SECRET", ""),
    ("RUNNER_TEMP", "."),
];

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

fn of_language(language: &str) -> Vec<Block> {
    let mut blocks = blocks().unwrap();
    blocks.retain(|block| block.language == language);
    blocks
}

/// A folder with the file of routes of the page.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let files = of_language("yaml");
    let file = files
        .iter()
        .find(|block| block.place.starts_with(PAGE) && block.content.starts_with("receivers:"));
    fs::write(folder.path().join("routes.yml"), &file.unwrap().content).unwrap();
    folder
}

/// A command with the environment of the examples and no other.
fn command(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().current_dir(folder).stdin(Stdio::null());
    command
}

fn assert_good(place: &str, output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{place}: {}\n{said}{log}", output.status);
}

/// A value as the runner hands it on. An expression has the value that such ones have.
fn input(name: &str, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if !text.contains("${{") {
        return text;
    }
    let secret = SECRETS.iter().find(|(secret, _)| *secret == name);
    match name {
        _ if secret.is_some() => secret.unwrap().1.to_owned(),
        "status" => "success".to_owned(),
        // What a job that was skipped hands on.
        "results" | "state" | "text" => String::new(),
        _ => "production".to_owned(),
    }
}

#[test]
fn every_step_has_inputs_that_work() {
    let folder = folder();
    let mut ran = 0;
    for block in of_language("yaml") {
        if !block.content.contains("deploy-actions/notify@") {
            continue;
        }
        for step in block.steps().unwrap() {
            let uses = step["uses"].as_str().unwrap_or_default();
            let is_ours = uses.contains("deploy-actions/notify@");
            let Some(with) = step["with"].as_object().filter(|_| is_ours) else {
                continue;
            };
            let mut command = command(folder.path());
            for (name, value) in with {
                let variable = name.to_uppercase().replace('-', "_");
                command.env(format!("INPUT_{variable}"), input(name, value));
            }
            command.envs(
                VARIABLES
                    .iter()
                    .filter(|(name, _)| name.starts_with("GITHUB_"))
                    .copied(),
            );
            command
                .env("INPUT_DRY_RUN", "true")
                .env("RUNNER_TEMP", folder.path());
            assert_good(&block.place, &command.output().unwrap());
            ran += 1;
        }
    }
    assert!(ran > 6, "{ran} steps are few");
}

#[test]
fn every_command_line_works() {
    let folder = folder();
    let script = |name: &str, content: String| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    // Stands in front of the program: makes a dry run of what would send something, and notes every end.
    script(
        "notify",
        format!(
            "#!/bin/sh\ncase $1 in render) ;; wrap) shift; set -- wrap --dry-run \"$@\" ;; *) set -- \"$@\" --dry-run ;; esac\n\
             '{PROGRAM}' \"$@\" >said 2>&1\ncode=$?\n[ $code = 0 ] && echo good >>ends || {{ echo \"$*: $code\"; cat said; }} >>ends\n"
        ),
    );
    // What it would leave in the ledger.
    let result = r#"{"schema":"deploy-actions/result@1","tool":"health-gate","version":"1.2.3","status":"done","exit":0,"started_at":"2026-01-02T03:04:05Z","duration_ms":4200,"headline":"ready","facts":{},"links":[],"undo":null,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","target":"x"}"#;
    script(
        "health-gate",
        format!("#!/bin/sh\necho '{result}' >> \"$DEPLOY_LEDGER\"\n"),
    );
    fs::write(folder.path().join("webhook.txt"), SECRETS[0].1).unwrap();
    let mut ran = 0;
    for block in of_language("sh")
        .into_iter()
        .filter(|block| block.place.starts_with(PAGE))
    {
        let mut shell = Command::new("sh");
        let token = VARIABLES
            .iter()
            .filter(|(name, _)| *name == "SLACK_TOKEN" && block.content.contains("slack-channel"));
        shell.env_clear().envs(token.copied()).current_dir(folder.path());
        shell.env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()));
        assert_good(
            &block.place,
            &shell.args(["-c", &block.content]).output().unwrap(),
        );
        ran += block.content.matches("notify ").count();
    }
    let ends = fs::read_to_string(folder.path().join("ends")).unwrap();
    assert!(ends.lines().all(|line| line == "good"), "{ends}");
    assert!(ran > 3 && ends.lines().count() == ran, "{ran} of:\n{ends}");
}

#[test]
fn the_file_of_routes_leads_to_all_that_it_names() {
    let folder = folder();
    let told = |severity: &str, without: &str| {
        let flags = [
            "--routes",
            "routes.yml",
            "--status",
            "failure",
            "--environment",
            "production",
            "--dry-run",
        ];
        let variables = VARIABLES
            .iter()
            .filter(|(name, _)| *name != without && *name != "SLACK_WEBHOOK_URL");
        let mut command = command(folder.path());
        command
            .args(flags)
            .args(["--severity", severity])
            .envs(variables.copied());
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        let gets = said
            .lines()
            .filter_map(|line| line.split_once("dry run: ")?.1.strip_suffix(" would get"));
        (gets.collect::<Vec<_>>().join(" "), said.clone())
    };
    assert_eq!(told("critical", "").0, "oncall ops");
    assert_eq!(told("high", "").0, "mail ops");
    assert_eq!(told("low", "").0, "info");
    let (_, said) = told("high", "SMTP_URL");
    let missing = "`receivers.mail.smtp-url` names the variable `SMTP_URL`, which is not set";
    assert!(said.contains(missing), "{said}");
}

#[test]
fn every_input_output_and_receiver_has_its_place() {
    let page = page(PAGE);
    // What all tools share is explained elsewhere.
    let elsewhere = ["output", "log-format", "help", "version"];
    for command in Cli::command().get_subcommands() {
        let name = command.get_name();
        assert!(
            page.contains(&format!("| `{name}` | ")),
            "`{name}` is not among the commands"
        );
        for flag in command.get_arguments().filter_map(|argument| argument.get_long()) {
            let is_there = elsewhere.contains(&flag) || page.contains(&format!("| `{flag}` | "));
            assert!(is_there, "`{flag}` is not on the page");
        }
    }
    let of_interface = INTERFACE.outputs.iter().map(|output| output.name);
    for name in of_interface.chain(INTERFACE.secrets.iter().map(|secret| secret.name)) {
        assert!(
            page.contains(&format!("| `{name}` | ")),
            "`{name}` is not on the page"
        );
    }
    for variable in INTERFACE.secrets.iter().map(|secret| secret.env) {
        assert!(
            page.contains(&format!("`{variable}`")),
            "`{variable}` is not on the page"
        );
    }
}

#[test]
fn links_lead_somewhere() {
    let anchors = |name: &str| -> Vec<String> {
        let headings = page(name);
        let headings = headings.lines().filter(|line| line.starts_with('#'));
        let anchor = |line: &str| {
            let text = line.trim_start_matches('#').trim().to_lowercase();
            let kept = text
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.collect::<String>().replace(' ', "-")
        };
        headings.map(anchor).collect()
    };
    let mut links = 0;
    for link in page(PAGE).split("](").skip(1) {
        let link = link.split(')').next().unwrap();
        if link.contains("://") {
            continue;
        }
        let (file, at) = link.split_once('#').unwrap_or((link, ""));
        let file = if file.is_empty() { PAGE } else { file };
        assert!(root().join("docs").join(file).exists(), "{link}");
        assert!(
            at.is_empty() || anchors(file).iter().any(|anchor| anchor == at),
            "{link}"
        );
        links += 1;
    }
    assert!(links > 15, "{links} links are few");
}
