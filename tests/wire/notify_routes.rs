//! `notify` with routes: the preset by severity, files, and what no route takes; and `check`, which sends nothing.

use std::process::Command;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use sandbox::stand_ins::chat::Channel;
use sandbox::stand_ins::slack::{TOKEN, Workspace};
use serde_json::Value;

use crate::commands::named;
use crate::process::finish;
use crate::step::{in_run, outputs};

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Everybody that the preset tells apart: a channel for trouble, one for information, and PagerDuty.
struct Team {
    ops: Channel,
    info: Channel,
    pages: Server,
}

impl Team {
    fn new() -> Self {
        let taken = Reply::text(202, r#"{"status":"success"}"#);
        Self {
            ops: Channel::open().unwrap(),
            info: Channel::open().unwrap(),
            pages: Server::start(Script::new().any([taken])).unwrap(),
        }
    }

    fn told(&self, place: &Place, flags: &[&str]) -> Command {
        let mut command = in_run(place.step("notify"));
        command
            .args(["send", "--pagerduty-url", &self.pages.url("")])
            .args(flags)
            .env("SLACK_WEBHOOK_URL", self.ops.webhook())
            .env("SLACK_INFO_WEBHOOK_URL", self.info.webhook())
            .env("PAGERDUTY_ROUTING_KEY", KEY);
        command
    }

    /// How many messages each has had, and what PagerDuty was told.
    fn heard(&self) -> (usize, usize, Vec<String>) {
        let action = |body: &[u8]| {
            let body: Value = serde_json::from_slice(body).unwrap();
            body["event_action"].as_str().unwrap_or("change").to_owned()
        };
        let requests = self.pages.requests();
        let pages = requests.iter().map(|request| action(&request.body)).collect();
        (self.ops.messages().len(), self.info.messages().len(), pages)
    }
}

#[test]
fn the_preset_goes_by_severity_and_a_success_ends_the_alert() {
    let team = Team::new();
    let told = |flags: &[&str]| {
        let place = Place::new();
        finish(team.told(&place, &[&["--routes", "severity"], flags].concat())).expect(0);
        team.heard()
    };
    assert_eq!(
        told(&["--status", "failure", "--severity", "critical"]),
        (0, 0, vec!["trigger".to_owned()])
    );
    let pages = || vec!["trigger".to_owned()];
    assert_eq!(told(&["--status", "failure"]), (1, 0, pages()));
    assert_eq!(told(&["--status", "cancelled"]), (2, 0, pages()));
    let ended = ["trigger", "resolve", "change"].map(str::to_owned).to_vec();
    assert_eq!(told(&["--status", "success"]), (2, 1, ended));
}

#[test]
fn a_file_names_receivers_by_their_variables() {
    let (place, team, night) = (Place::new(), Team::new(), Channel::open().unwrap());
    let file = "receivers:
  night: {type: slack, webhook-env: NIGHT_WEBHOOK}
routes:
  - {severity: [high, critical], environment: production, to: [night, pagerduty]}
  - {severity: low, to: slack-info}
";
    std::fs::write(place.path().join("routes.yml"), file).unwrap();
    let told = |flags: &[&str]| {
        let mut command = team.told(&place, &[&["--routes", "routes.yml"], flags].concat());
        command.env("NIGHT_WEBHOOK", night.webhook());
        finish(command)
    };
    let finished = told(&[
        "--status",
        "failure",
        "--environment",
        "production",
        "--require",
        "night",
    ])
    .expect(0);
    assert_eq!(
        (night.messages().len(), team.heard().0, team.heard().2),
        (1, 0, vec!["trigger".to_owned()])
    );
    assert_eq!(outputs(&place)["delivered"], "true");
    let warnings = named(&finished.log(), "warning");
    assert_eq!(warnings, ["`slack` is configured, and no route leads to it"]);
    // Elsewhere no route takes it, and that is not silent.
    let finished = told(&["--status", "failure", "--environment", "staging"]).expect(0);
    let log = finished.log();
    assert!(
        log.contains("no route leads to anybody for this message, which is failed and high"),
        "{log}"
    );
    assert_eq!(night.messages().len(), 1);
    // Who must be told and is nowhere is known before anybody is told.
    let finished = told(&[
        "--status",
        "failure",
        "--environment",
        "production",
        "--require",
        "nobody",
    ])
    .expect(2);
    assert!(
        finished
            .log()
            .contains("`--require nobody` is set, and no such receiver is configured")
    );
    assert_eq!(night.messages().len(), 1);
}

#[test]
fn a_secret_in_a_file_or_a_variable_that_is_not_there_is_refused_before_anybody_is_told() {
    let (place, team) = (Place::new(), Team::new());
    let told = |file: &str| {
        std::fs::write(place.path().join("routes.yml"), file).unwrap();
        finish(team.told(&place, &["--routes", "routes.yml", "--status", "failure"]))
            .expect(2)
            .log()
    };
    let log = told(
        "receivers: {a: {type: slack, webhook: 'https://hooks.slack.com/services/T1/B1/s3cr3tpart'}}\nroutes: [{to: a}]",
    );
    assert!(
        log.contains("a secret must not stand in this file") && !log.contains("s3cr3tpart"),
        "{log}"
    );
    let log = told(
        "receivers: {a: {type: slack, webhook-env: 'https://hooks.slack.com/services/T1/B1/s3cr3tpart'}}\nroutes: [{to: a}]",
    );
    assert!(
        log.contains("`receivers.a.webhook-env` is not the name of a variable")
            && !log.contains("s3cr3tpart"),
        "{log}"
    );
    let log = told("receivers: {a: {type: slack, webhook-env: NOT_THERE}}\nroutes: [{to: a}]");
    assert!(
        log.contains("`receivers.a.webhook` names the variable `NOT_THERE`, which is not set"),
        "{log}"
    );
    let log = told("receivers: {a: {type: slack, webhook-env: SLACK_WEBHOOK_URL}}\nroutes: [{to: b}]");
    assert!(
        log.contains("route 1: `b` is no receiver; there are a, slack, "),
        "{log}"
    );
    assert_eq!(team.heard(), (0, 0, vec![]));
}

#[test]
fn a_fork_without_the_secrets_of_a_file_passes() {
    let place = Place::new();
    let file = "receivers: {a: {type: slack, webhook-env: NOT_THERE}}\nroutes: [{to: a}]";
    std::fs::write(place.path().join("routes.yml"), file).unwrap();
    let event = r#"{"pull_request":{"head":{"repo":{"full_name":"eve/shop"}}}}"#;
    std::fs::write(place.path().join("event.json"), event).unwrap();
    for name in ["send", "check"] {
        let mut command = in_run(place.step("notify"));
        command
            .args([name, "--routes", "routes.yml"])
            .env("GITHUB_EVENT_NAME", "pull_request")
            .env("GITHUB_EVENT_PATH", place.path().join("event.json"));
        if name == "send" {
            command.args(["--status", "failure", "--require"]);
        }
        let log = finish(command).expect(0).log();
        assert!(
            log.contains("a: a pull request from a fork has no secrets, so it is not told"),
            "{log}"
        );
    }
}

/// Who can't tell whether it is a fork does not pass as one.
#[test]
fn an_event_that_is_not_there_is_no_fork() {
    let place = Place::new();
    let mut command = in_run(place.step("notify"));
    command
        .args(["send", "--status", "failure", "--require"])
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", place.path().join("event.json"));
    let log = finish(command).expect(2).log();
    assert!(!log.contains("fork"), "{log}");
}

/// Each environment of GitHub has only its own secrets, and each its own PagerDuty.
#[test]
fn an_environment_needs_its_own_secrets_and_ends_its_own_alerts() {
    let (place, team, eu) = (Place::new(), Team::new(), Team::new());
    let file = format!(
        "receivers:
  oncall: {{type: pagerduty, key-env: PRODUCTION_KEY}}
  europe: {{type: pagerduty, key-env: EUROPE_KEY, url: '{}'}}
  chat: {{type: slack, webhook-env: CHAT_WEBHOOK}}
routes:
  - {{severity: high, environment: production, to: oncall}}
  - {{severity: high, environment: europe, to: europe}}
  - {{environment: staging, to: chat}}
",
        eu.pages.url("")
    );
    std::fs::write(place.path().join("routes.yml"), file).unwrap();
    let told = |environment: &str, status: &str, secret: &str, value: &str| {
        let mut command = in_run(place.step("notify"));
        command
            .args([
                "send",
                "--pagerduty-url",
                &team.pages.url(""),
                "--routes",
                "routes.yml",
            ])
            .args(["--environment", environment, "--status", status])
            .env(secret, value);
        finish(command)
    };
    told("staging", "success", "CHAT_WEBHOOK", &team.ops.webhook())
        .expect(0)
        .says(&["oncall: left out, because no route leads there from acme/shop/staging"]);
    assert_eq!(team.heard(), (1, 0, vec![]));
    for status in ["failure", "success"] {
        told("production", status, "PRODUCTION_KEY", KEY).expect(0);
        told("europe", status, "EUROPE_KEY", KEY).expect(0);
    }
    let heard = ["trigger", "resolve", "change"].map(str::to_owned).to_vec();
    assert_eq!((team.heard().2, eu.heard().2), (heard.clone(), heard));
    let refused = told("production", "success", "EUROPE_KEY", KEY).expect(2);
    refused.says(&["`receivers.oncall.key` names the variable `PRODUCTION_KEY`, which is not set"]);
}

#[test]
fn a_route_to_who_is_not_configured_is_named() {
    let place = Place::new();
    std::fs::write(place.path().join("routes.yml"), "routes: [{to: pagerduty}]").unwrap();
    let mut command = in_run(place.step("notify"));
    command
        .args(["send", "--status", "failure", "--routes", "routes.yml"])
        .env(
            "DISCORD_WEBHOOK_URL",
            "http://127.0.0.1:1/api/webhooks/1/aBcdefghijkl",
        );
    finish(command)
        .expect(0)
        .says(&["; a route names `pagerduty`, which is not configured"]);
}

#[test]
fn two_channels_of_one_app_are_told_apart() {
    let (place, slack) = (Place::new(), Workspace::open().unwrap());
    let mut command = in_run(place.step("notify"));
    command
        .args(["start", "--routes", "severity", "--slack-url", &slack.url()])
        .args(["--slack-channel", "#ops", "--slack-info-channel", "#deploys"])
        .env("SLACK_TOKEN", TOKEN);
    finish(command).expect(0);
    let began = slack.messages();
    assert_eq!((began.len(), began[0].channel.as_str()), (1, "C0DEPLOYS"));
    // The failure goes to the channel for trouble, which is not there; and what was told is brought up to date all the same.
    let mut command = in_run(place.step("notify"));
    command
        .args([
            "finish",
            "--status",
            "failure",
            "--routes",
            "severity",
            "--slack-url",
            &slack.url(),
        ])
        .args(["--slack-channel", "#ops", "--slack-info-channel", "#deploys"])
        .env("SLACK_TOKEN", TOKEN);
    let finished = finish(command).expect(0);
    assert_eq!(outputs(&place)["delivered"], "partial");
    assert!(finished.log().contains("slack-token: "), "{}", finished.log());
    assert_eq!(slack.messages()[0].changes, 1);
}

#[test]
fn check_asks_who_can_be_asked_and_sends_nothing() {
    let (place, team, slack) = (Place::new(), Team::new(), Workspace::open().unwrap());
    let discord =
        Server::start(Script::new().any([Reply::text(200, r#"{"name":"deploys","channel_id":"1"}"#)]))
            .unwrap();
    let check = |token: &str| {
        let mut command = in_run(place.step("notify"));
        command
            .args([
                "check",
                "--slack-url",
                &slack.url(),
                "--slack-channel",
                "#deploys",
            ])
            .args(["--pagerduty-url", &team.pages.url("")])
            .env("SLACK_TOKEN", token)
            .env("SLACK_WEBHOOK_URL", team.ops.webhook())
            .env("PAGERDUTY_ROUTING_KEY", KEY)
            .env(
                "DISCORD_WEBHOOK_URL",
                discord.url("/api/webhooks/1/abcdefghijklmnop"),
            );
        finish(command)
    };
    let log = check(TOKEN).expect(0).log();
    assert!(
        log.contains("slack-token: works, as `deploys` of `Acme`"),
        "{log}"
    );
    assert!(log.contains("discord: works, as `deploys`"), "{log}");
    assert!(log.contains("slack: what is set for it looks right"), "{log}");
    assert_eq!(discord.requests()[0].method, "GET");
    let log = check("xoxb-17653672481-00000000000-wrongwrongwrong")
        .expect(7)
        .log();
    assert!(
        log.contains("slack-token: the receiver answered 200 `{\"ok\":false,\"error\":\"invalid_auth\"}`"),
        "{log}"
    );
    assert_eq!((team.heard(), slack.messages().len()), ((0, 0, vec![]), 0));
}
