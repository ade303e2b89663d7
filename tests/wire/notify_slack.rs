//! `notify` by the token of a Slack app, over the life of a deploy: one message that is brought up to date, and an answer in its thread
//! to those who must know.

use std::fs;
use std::process::Command;

use black_box::Place;
use sandbox::stand_ins::slack::{TOKEN, Workspace};
use serde_json::{Value, json};

use crate::process::{Finished, finish};
use crate::step::{LEDGER, in_run, outputs};

fn told(place: &Place, slack: &Workspace, name: &str, flags: &[&str]) -> Command {
    let mut command = in_run(place.step("notify"));
    command
        .args([name, "--slack-channel", "#deploys", "--service", "shop"])
        .args(["--slack-url", &slack.url()])
        .args(flags)
        .env("SLACK_TOKEN", TOKEN);
    command
}

fn headline(message: &Value) -> &str {
    message["blocks"][0]["text"]["text"].as_str().unwrap()
}

/// How each receiver was told.
fn how(place: &Place) -> Vec<String> {
    let results: Value = serde_json::from_str(&outputs(place)["results"]).unwrap();
    let all = results.as_array().unwrap().iter();
    all.map(|result| result["how"].as_str().unwrap().to_owned())
        .collect()
}

#[track_caller]
fn is_silent(place: &Place, finished: &Finished) {
    let ledger = place.read(LEDGER);
    let written = [
        place.read("summary"),
        place.read("output"),
        ledger,
        finished.log(),
    ]
    .concat();
    let mut lines = written.lines();
    let shown =
        lines.find(|line| line.contains("pdFZKVeTuE8sk7oOcHrzqqgy") && !line.contains("::add-mask::"));
    assert_eq!(shown, None);
}

#[test]
fn one_message_lives_as_long_as_the_deploy() {
    let (place, slack) = (Place::new(), Workspace::open().unwrap());
    finish(told(&place, &slack, "start", &[])).expect(0);
    assert_eq!(outputs(&place)["phase"], "started");
    let began = slack.messages().remove(0);
    assert!(headline(&began.body).starts_with("⏳ shop "), "{began:?}");
    let finished = finish(told(&place, &slack, "finish", &["--status", "success"])).expect(0);
    is_silent(&place, &finished);
    let now = slack.messages();
    assert_eq!((now.len(), now[0].changes, &now[0].ts), (1, 1, &began.ts));
    assert!(headline(&now[0].body).starts_with("✅ shop "), "{now:?}");
    assert_eq!(how(&place), ["updated"]);
}

#[test]
fn a_failure_is_answered_to_in_the_thread_and_calls_those_who_must_know() {
    let (place, slack) = (Place::new(), Workspace::open().unwrap());
    finish(told(&place, &slack, "start", &["--slack-mention", "S0ONCALL"])).expect(0);
    let failed = ["--status", "failure", "--slack-mention", "S0ONCALL"];
    finish(told(&place, &slack, "finish", &failed)).expect(0);
    let now = slack.messages();
    assert_eq!(now.len(), 2, "{now:?}");
    assert!(
        headline(&now[0].body).starts_with("❌ deploy of shop "),
        "{now:?}"
    );
    assert_eq!(now[1].thread.as_ref(), Some(&now[0].ts));
    let calls = |message: &Value| message.to_string().contains("<!subteam^S0ONCALL>");
    assert_eq!((calls(&now[0].body), calls(&now[1].body)), (false, true));
}

#[test]
fn the_state_goes_from_job_to_job_by_an_output() {
    let (first, slack) = (Place::new(), Workspace::open().unwrap());
    finish(told(&first, &slack, "start", &[])).expect(0);
    let state = outputs(&first)["state"].clone();
    let other = Place::new();
    let finished = finish(told(
        &other,
        &slack,
        "finish",
        &["--status", "success", "--state", &state],
    ))
    .expect(0);
    is_silent(&other, &finished);
    assert_eq!((slack.messages().len(), slack.messages()[0].changes), (1, 1));
    // Without it nobody knows of the message.
    let third = Place::new();
    finish(told(&third, &slack, "finish", &["--status", "success"])).expect(0);
    assert_eq!(
        (slack.messages().len(), &*how(&third)),
        (2, &["sent".to_owned()][..])
    );
    let broken = finish(told(
        &third,
        &slack,
        "finish",
        &["--status", "success", "--state", "{}"],
    ));
    broken.expect(2).says(&["output `state` of `notify start`"]);
}

#[test]
fn an_older_attempt_does_not_take_the_place_of_a_newer_message() {
    let (place, slack) = (Place::new(), Workspace::open().unwrap());
    let mut second = told(&place, &slack, "start", &[]);
    second.env("GITHUB_RUN_ATTEMPT", "2");
    finish(second).expect(0);
    let state = outputs(&place)["state"].clone();
    let other = Place::new();
    let mut first = told(
        &other,
        &slack,
        "finish",
        &["--status", "failure", "--state", &state],
    );
    first.env("GITHUB_RUN_ATTEMPT", "1");
    finish(first)
        .expect(0)
        .says(&["attempt 2 of this run told more since"]);
    let now = slack.messages();
    assert_eq!((now.len(), now[0].changes), (2, 0));
    assert!(headline(&now[0].body).starts_with("⏳"));
}

#[test]
fn a_message_that_can_not_be_changed_any_more_is_posted_anew() {
    for gone in [Workspace::forget, Workspace::close_edits] {
        let (place, slack) = (Place::new(), Workspace::open().unwrap());
        finish(told(&place, &slack, "start", &[])).expect(0);
        gone(&slack);
        finish(told(&place, &slack, "finish", &["--status", "success"])).expect(0);
        let now = slack.messages();
        assert!(headline(&now.last().unwrap().body).starts_with("✅"), "{now:?}");
        assert_eq!(how(&place), ["sent"]);
    }
}

#[test]
fn what_slack_refuses_is_told_with_what_to_do() {
    let slack = Workspace::open().unwrap();
    for (flags, token, says) in [
        (
            &["--slack-channel", "C0OTHER"][..],
            TOKEN,
            "invite the app to the channel",
        ),
        (&[], "xoxb-another-token-of-somebody", "check `slack-token`"),
    ] {
        let place = Place::new();
        let mut command = in_run(place.step("notify"));
        command
            .args([
                "--status",
                "success",
                "--slack-url",
                &slack.url(),
                "--require",
                "slack-token",
            ])
            .args(if flags.is_empty() {
                &["--slack-channel", "#deploys"]
            } else {
                flags
            })
            .env("SLACK_TOKEN", token);
        finish(command).expect(3).says(&[says]);
        assert_eq!(outputs(&place)["delivered"], "false");
    }
    let place = Place::new();
    let mut command = in_run(place.step("notify"));
    command.args(["--status", "success"]).env("SLACK_TOKEN", TOKEN);
    finish(command)
        .expect(2)
        .says(&["neither `--slack-channel` nor `--slack-info-channel` says where to post"]);
}

#[test]
fn a_required_receiver_is_named_and_others_only_warn() {
    let (place, slack) = (Place::new(), Workspace::open().unwrap());
    let dead = "http://127.0.0.1:1/services/x-y-z";
    let run = |required: &str| {
        let mut command = told(
            &place,
            &slack,
            "send",
            &["--status", "success", "--require", required],
        );
        command.args(["--timeout", "1s"]).env("SLACK_WEBHOOK_URL", dead);
        finish(command)
    };
    run("slack-token")
        .expect(0)
        .says(&["the message was not delivered: slack: "]);
    assert_eq!(outputs(&place)["delivered"], "partial");
    run("slack").expect(3);
    run("true").expect(3);
    run("false").expect(0);
    run("pagerduty")
        .expect(2)
        .says(&["no such receiver is configured; `slack`, `slack-token` are"]);
    run("pager")
        .expect(2)
        .says(&["no such receiver is configured; `slack`, `slack-token` are"]);
    run("a b")
        .expect(2)
        .says(&["or a receiver's name, such as slack, "]);
}

#[test]
fn results_come_as_files_and_folders() {
    let (place, slack) = (Place::new(), Workspace::open().unwrap());
    let result = |tool: &str, status: &str, headline: &str| {
        json!({"schema": "deploy-actions/result@1", "tool": tool, "version": "1", "status": status, "exit": 0,
            "started_at": "2026-11-22T04:45:00Z", "duration_ms": 1000, "headline": headline, "trace_id": "ab", "target": headline})
        .to_string()
    };
    let folder = place.path().join("results");
    fs::create_dir_all(folder.join("eu")).unwrap();
    fs::write(
        folder.join("eu/result.json"),
        result("ecs-deploy", "done", "shop in eu"),
    )
    .unwrap();
    fs::write(
        folder.join("us.jsonl"),
        result("ecs-deploy", "failed", "shop in us does not start"),
    )
    .unwrap();
    fs::write(folder.join("notes.txt"), "not a result").unwrap();
    let folder = folder.display().to_string();
    let flags = [
        "--status",
        "failure",
        "--results",
        &folder,
        "--results",
        "nowhere/",
    ];
    finish(told(&place, &slack, "send", &flags))
        .expect(0)
        .says(&["`nowhere/` of `results` can't be read"]);
    let said = slack.messages()[0].body.to_string();
    assert!(
        said.contains("shop in us does not start") && said.contains("ecs-deploy done: shop in eu"),
        "{said}"
    );
    assert!(
        headline(&slack.messages()[0].body).ends_with("shop in us does not start"),
        "{said}"
    );
}

#[test]
fn a_run_without_secrets_by_githubs_rules_says_so_and_passes() {
    let place = Place::new();
    let event = place.path().join("event.json");
    fs::write(
        &event,
        r#"{"pull_request":{"head":{"repo":{"full_name":"eve/shop"}}}}"#,
    )
    .unwrap();
    let mut command = in_run(place.step("notify"));
    command
        .args(["--status", "success", "--require"])
        .env("GITHUB_EVENT_NAME", "pull_request")
        .env("GITHUB_EVENT_PATH", &event);
    finish(command)
        .expect(0)
        .says(&["a pull request from a fork has no secrets, so nobody is told"]);
    assert_eq!(outputs(&place)["delivered"], "none");
}
