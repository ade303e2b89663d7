//! `notify` and services that are no Slack: what each is sent over the wire, and that no secret is said.

use std::process::Command;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use serde_json::{Value, json};

use crate::process::{Finished, finish};
use crate::step::{in_run, outputs};

/// A part of an address, or a key, which nothing may show.
const SECRET: &str = "qwertyuiopasdfghjklzxcvb";

/// The end of run 7, whose job ended so.
fn end(place: &Place, status: &str, flags: &[&str]) -> Command {
    let mut command = in_run(place.step("notify"));
    command.args([
        "--status",
        status,
        "--service",
        "shop",
        "--environment",
        "production",
    ]);
    command.args(flags);
    command
}

fn receiver(answers: &[Reply]) -> Server {
    Server::start(Script::new().any(answers.to_vec())).unwrap()
}

#[track_caller]
fn is_silent(place: &Place, finished: &Finished) {
    let written = [place.read("summary"), place.read("output"), finished.log()].concat();
    let shown: Vec<&str> = written
        .lines()
        .filter(|line| line.contains(SECRET) && !line.contains("::add-mask::"))
        .collect();
    assert!(shown.is_empty(), "{shown:?}");
}

#[test]
fn a_workflow_of_teams_gets_a_card() {
    let place = Place::new();
    let server = receiver(&[Reply::status(202)]);
    let mut command = end(&place, "failure", &["--text", "**not bold**"]);
    command.env(
        "TEAMS_WEBHOOK_URL",
        server.url(&format!("/workflows/{SECRET}?sig={SECRET}")),
    );
    let finished = finish(command).expect(0);
    let sent = server.requests()[0].json();
    assert_eq!(sent["type"], "message");
    let card = &sent["attachments"][0]["content"];
    assert_eq!(card["body"][0]["style"], "attention");
    assert!(card.to_string().contains("**not bold**") && !card.to_string().contains("\"TextBlock\""));
    assert_eq!(outputs(&place)["delivered"], "true");
    is_silent(&place, &finished);
}

#[test]
fn a_channel_of_discord_gets_an_embed_and_mentions_nobody() {
    let place = Place::new();
    let server = receiver(&[Reply::json(200, &json!({"id": "1"}))]);
    let mut command = end(&place, "success", &["--text", "@everyone"]);
    command.env(
        "DISCORD_WEBHOOK_URL",
        server.url(&format!("/api/webhooks/1/{SECRET}")),
    );
    let finished = finish(command).expect(0);
    let request = &server.requests()[0];
    assert!(request.path.ends_with("?wait=true"), "{}", request.path);
    let sent = request.json();
    assert_eq!(sent["allowed_mentions"], json!({"parse": []}));
    assert!(!sent.to_string().contains("@everyone"), "{sent}");
    is_silent(&place, &finished);
}

#[test]
fn a_failure_pages_and_the_next_success_resolves_it() {
    let server = receiver(&[Reply::status(202)]);
    let tell = |status: &str| -> Vec<Value> {
        let place = Place::new();
        let before = server.requests().len();
        let mut command = end(&place, status, &["--pagerduty-url", &server.url("")]);
        command.env("PAGERDUTY_ROUTING_KEY", SECRET);
        is_silent(&place, &finish(command).expect(0));
        let sent: Vec<Value> = server.requests()[before..]
            .iter()
            .map(|request| request.json())
            .collect();
        sent
    };
    let failed = tell("failure");
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["event_action"], "trigger");
    assert_eq!(failed[0]["routing_key"], SECRET);
    let done = tell("success");
    assert_eq!(done[0]["event_action"], "resolve");
    assert_eq!(done[0]["dedup_key"], failed[0]["dedup_key"]);
    assert_eq!(done[1]["payload"]["source"], "acme/shop/shop/production");
    assert_eq!(tell("cancelled"), Vec::<Value>::new());
}

#[test]
fn a_secret_of_another_service_is_not_sent_there() {
    let place = Place::new();
    let mut command = end(&place, "success", &[]);
    command.env(
        "SLACK_WEBHOOK_URL",
        format!("https://discord.com/api/webhooks/1/{SECRET}"),
    );
    let finished = finish(command).expect(2);
    assert!(
        finished.log().contains("which is none of the service's"),
        "{}",
        finished.log()
    );
    is_silent(&place, &finished);
}
