//! Which deploy a message of `notify` is of: where the user says `environment` at one end only, or only a tool says it, beginning and
//! end are one deploy all the same; that of another environment is left alone.

use std::process::Command;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use sandbox::stand_ins::github::REPOSITORY;
use sandbox::stand_ins::github::records::{Records, Who};
use sandbox::stand_ins::slack::{TOKEN, Workspace};
use serde_json::{Value, json};

use crate::commands::named;
use crate::notify_github;
use crate::process::finish;
use crate::step::{gate, in_run, outputs};

/// The Slack workspace, the repository and the pager that hear of a deploy.
struct Listeners {
    slack: Workspace,
    github: Records,
    pager: Server,
}

impl Listeners {
    fn open() -> Self {
        Self {
            slack: Workspace::open().unwrap(),
            github: Records::open(notify_github::TOKEN, Who::Workflow).unwrap(),
            pager: Server::start(Script::new().any([Reply::status(202)])).unwrap(),
        }
    }

    fn told(&self, place: &Place, name: &str, flags: &[&str]) -> Command {
        let mut command = in_run(place.step("notify"));
        command
            .args([
                name,
                "--slack-channel",
                "#deploys",
                "--slack-url",
                &self.slack.url(),
            ])
            .args(["--pagerduty-url", &self.pager.url(""), "--github", "status"])
            .args(flags)
            .env("SLACK_TOKEN", TOKEN)
            .env("PAGERDUTY_ROUTING_KEY", "a-key-of-thirty-two-characters-x")
            .env("GITHUB_REPOSITORY", REPOSITORY)
            .env("GITHUB_API_URL", self.github.api())
            .env("NOTIFY_GITHUB_TOKEN", notify_github::TOKEN);
        command
    }

    /// The first lines of the messages in Slack, and how often each was changed.
    fn messages(&self) -> Vec<(String, usize)> {
        let messages = self.slack.messages().into_iter();
        messages
            .map(|message| {
                let line = message.body["blocks"][0]["text"]["text"].as_str().unwrap();
                (line.to_owned(), message.changes)
            })
            .collect()
    }

    /// The names and states of the commit's statuses, the oldest first.
    fn statuses(&self) -> Vec<String> {
        let line = |status: Value| {
            let word = |name: &str| status[name].as_str().unwrap().to_owned();
            format!("{} {}", word("context"), word("state"))
        };
        self.github.statuses().into_iter().map(line).collect()
    }
}

/// A tool runs, which says that it is about production.
fn a_tool_names_production(place: &Place) {
    let server = Server::start(Script::new().any([Reply::status(200)])).unwrap();
    let url = server.url("/health");
    let mut command = in_run(gate(place, &url, &["--environment", "production"]));
    command.env("GITHUB_REPOSITORY", REPOSITORY);
    finish(command).expect(0);
}

#[test]
fn an_environment_that_a_tool_names_meanwhile_is_of_the_same_deploy() {
    let (place, all) = (Place::new(), Listeners::open());
    finish(all.told(&place, "start", &[])).expect(0);
    a_tool_names_production(&place);
    finish(all.told(&place, "finish", &["--status", "success"])).expect(0);
    let messages = all.messages();
    assert_eq!((messages.len(), messages[0].1), (1, 1), "{messages:?}");
    assert!(messages[0].0.contains(" deployed to production"), "{messages:?}");
    // A status under another name would leave the first pending for ever.
    assert_eq!(all.statuses(), ["deploy pending", "deploy success"]);
    // The next deploy of staging is not to resolve what is wrong with production.
    let resolve = all.pager.requests()[0].json();
    assert_eq!(resolve["dedup_key"], format!("deploy/{REPOSITORY}/production"));
}

#[test]
fn an_environment_that_is_said_at_the_beginning_holds_at_the_end() {
    let (place, all) = (Place::new(), Listeners::open());
    finish(all.told(&place, "start", &["--environment", "prod"])).expect(0);
    a_tool_names_production(&place);
    finish(all.told(&place, "finish", &["--status", "success"])).expect(0);
    let messages = all.messages();
    assert_eq!((messages.len(), messages[0].1), (1, 1), "{messages:?}");
    assert!(messages[0].0.contains(" deployed to prod in "), "{messages:?}");
    assert_eq!(all.statuses(), ["deploy/prod pending", "deploy/prod success"]);
}

#[test]
fn what_a_command_that_it_wraps_names_is_of_the_same_deploy() {
    let (place, all) = (Place::new(), Listeners::open());
    let result = r#"{"schema":"deploy-actions/result@1","tool":"ecs-deploy","version":"1","status":"done","exit":0,"started_at":"2026-11-22T04:45:00Z","duration_ms":1,"headline":"served","environment":"production","trace_id":"'"${trace%%-*}"'"}"#;
    let script = format!(r#"trace=${{TRACEPARENT#00-}}; printf '%s\n' '{result}' >> "$DEPLOY_LEDGER""#);
    let mut command = all.told(&place, "wrap", &["--", "bash", "-c", &script]);
    command.env("DEPLOY_LEDGER", place.path().join("ledger.jsonl"));
    finish(command).expect(0);
    let messages = all.messages();
    assert_eq!((messages.len(), messages[0].1), (1, 1), "{messages:?}");
    assert!(messages[0].0.contains(" deployed to production"), "{messages:?}");
    assert_eq!(all.statuses(), ["deploy pending", "deploy success"]);
}

/// Jobs of a matrix overwrite each other's outputs, so that one job gets the state of another.
#[test]
fn the_state_of_another_environment_is_not_followed() {
    let (first, all) = (Place::new(), Listeners::open());
    finish(all.told(&first, "start", &["--environment", "staging"])).expect(0);
    let state = outputs(&first)["state"].clone();
    let flags = [
        "--status",
        "success",
        "--environment",
        "production",
        "--state",
        &state,
    ];
    let other = Place::new();
    let finished = finish(all.told(&other, "finish", &flags)).expect(0);
    let warnings = named(&finished.log(), "warning");
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for word in ["/staging", "/production", "matrix"] {
        assert!(warnings[0].contains(word), "{warnings:?}");
    }
    let messages = all.messages();
    assert_eq!((messages.len(), messages[0].1), (2, 0), "{messages:?}");
    // Who does not say where takes it from there.
    let third = Place::new();
    finish(all.told(&third, "finish", &["--status", "success", "--state", &state])).expect(0);
    let messages = all.messages();
    assert_eq!((messages.len(), messages[0].1), (2, 1), "{messages:?}");
    assert!(messages[0].0.contains(" deployed to staging"), "{messages:?}");
}

#[test]
fn a_job_that_was_skipped_tells_nobody_but_ends_what_was_told_to_begin() {
    let (place, all) = (Place::new(), Listeners::open());
    let skipped = ["--status", "skipped", "--require"];
    finish(all.told(&place, "send", &skipped))
        .expect(0)
        .says(&["the job was skipped and no beginning was told, so there is nothing to tell"]);
    assert!(all.messages().is_empty() && all.statuses().is_empty() && all.pager.requests().is_empty());
    finish(all.told(&place, "start", &[])).expect(0);
    finish(all.told(&place, "finish", &skipped)).expect(0);
    let messages = all.messages();
    assert_eq!((messages.len(), messages[0].1), (1, 1), "{messages:?}");
    assert!(messages[0].0.contains(" cancelled"), "{messages:?}");
    assert_eq!(all.statuses(), ["deploy pending", "deploy error"]);
}

#[test]
fn a_deploy_that_was_taken_back_is_no_success_though_its_job_is() {
    let rolled_back = |exit: u8| {
        json!({
            "schema": "deploy-actions/result@1", "tool": "ecs-deploy", "version": "1.0.0", "status": "rolled-back", "exit": exit,
            "started_at": "2026-11-24T02:00:00Z", "duration_ms": 9_000, "headline": "`web` serves `web:41`", "trace_id": "ab".repeat(16),
            "target": "shop/web", "environment": "production",
        })
    };
    for (exit, sign, state, action) in [(3, "↩️", "failure", "trigger"), (0, "✅", "success", "resolve")]
    {
        let (place, all) = (Place::new(), Listeners::open());
        let result = rolled_back(exit).to_string();
        let flags = ["--status", "success", "--results", &result];
        finish(all.told(&place, "send", &flags)).expect(0);
        let messages = all.messages();
        assert!(
            messages[0].0.starts_with(sign) && messages[0].0.contains(" rolled back on production"),
            "{messages:?}"
        );
        assert_eq!(all.statuses(), [format!("deploy/production {state}")]);
        assert_eq!(all.pager.requests()[0].json()["event_action"], action);
    }
}
