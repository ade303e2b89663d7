//! The message that `notify` makes of what other tools left: the ledger of this job, and results of other jobs.

use std::fs;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use sandbox::stand_ins::chat::Channel;
use serde_json::{Value, json};

use crate::commands::named;
use crate::process::finish;
use crate::step::{LEDGER, gate, hopeless_gate, in_run, outputs};

/// All texts of a Slack message's blocks.
fn texts(message: &Value) -> Vec<String> {
    match message {
        Value::Object(object) => {
            let own = object.get("text").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(object.values().flat_map(texts)).collect()
        }
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// Tags an image in this place, as the first step of a job.
fn tag(place: &Place) {
    let mut command = in_run(place.step("image-tag"));
    command.args(["--images", "ghcr.io/acme/shop", "--tags", "type=raw,value=1.2.3"]);
    finish(command).expect(0);
}

/// Tells the channel what this place's ledger holds, and gives the message.
fn told(place: &Place, channel: &Channel, flags: &[&str]) -> Value {
    let mut command = in_run(place.step("notify"));
    command.args(flags).env("SLACK_WEBHOOK_URL", channel.webhook());
    finish(command).expect(0);
    channel.messages().pop().unwrap()
}

#[test]
fn a_deploy_that_went_well() {
    let (place, channel) = (Place::new(), Channel::open().unwrap());
    tag(&place);
    let server = Server::start(Script::new().any([Reply::text(200, "ok")])).unwrap();
    finish(in_run(gate(
        &place,
        &server.url("/health"),
        &["--environment", "production"],
    )))
    .expect(0);
    let message = told(&place, &channel, &["--status", "success"]);
    let headline = message["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(
        headline.starts_with("✅ shop 1.2.3 deployed to production in "),
        "{headline}"
    );
    let texts = texts(&message["blocks"]).join("\n");
    assert!(
        texts.contains("https://github.com/acme/shop/actions/runs/7/attempts/1"),
        "{texts}"
    );
}

#[test]
fn a_deploy_that_failed_names_what_and_why() {
    let (place, channel) = (Place::new(), Channel::open().unwrap());
    tag(&place);
    let server = Server::start(Script::new().any([Reply::status(503)])).unwrap();
    finish(in_run(hopeless_gate(&place, &server.url("/health"), &[]))).expect(3);
    let message = told(&place, &channel, &["--status", "failure"]);
    let texts = texts(&message["blocks"]);
    assert!(
        texts[0].starts_with(&format!(
            "❌ deploy of shop 1.2.3 failed: {} is not ready after ",
            server.url("/health")
        )),
        "{texts:?}"
    );
    let reason = format!(
        "health-gate failed: {} is not ready after ",
        server.url("/health")
    );
    assert!(
        texts
            .iter()
            .any(|text| text.starts_with(&reason) && text.ends_with("answered 503, expected 2xx")),
        "{texts:?}"
    );
    assert_eq!(outputs(&place)["phase"], "failed");
}

#[test]
fn without_a_status_the_ledger_decides() {
    let (place, channel) = (Place::new(), Channel::open().unwrap());
    let server = Server::start(Script::new().any([Reply::status(503)])).unwrap();
    finish(in_run(hopeless_gate(&place, &server.url("/health"), &[]))).expect(3);
    told(&place, &channel, &[]);
    assert_eq!(outputs(&place)["phase"], "failed");
}

#[test]
fn a_later_pass_of_the_same_target_counts() {
    let (place, channel) = (Place::new(), Channel::open().unwrap());
    let server =
        Server::start(Script::new().any([Reply::status(503).times(20), Reply::status(200)])).unwrap();
    finish(in_run(hopeless_gate(&place, &server.url("/health"), &[]))).expect(3);
    finish(in_run(gate(&place, &server.url("/health"), &[]))).expect(0);
    let message = told(&place, &channel, &["--status", "success"]);
    assert!(!message.to_string().contains("with warnings"), "{message}");
}

#[test]
fn results_of_another_job() {
    let (job, server) = (
        Place::new(),
        Server::start(Script::new().any([Reply::status(500)])).unwrap(),
    );
    finish(in_run(hopeless_gate(
        &job,
        &server.url("/health"),
        &["--environment", "staging"],
    )))
    .expect(3);
    let (place, channel) = (Place::new(), Channel::open().unwrap());
    let mut command = in_run(place.step("notify"));
    command
        .env("INPUT_STATUS", "failure")
        .env(
            "INPUT_RESULTS",
            format!("# the gate\n{}\n", outputs(&job)["result"]),
        )
        .env("INPUT_SLACK_WEBHOOK", channel.webhook());
    finish(command).expect(0);
    let message = channel.messages().pop().unwrap().to_string();
    assert!(
        message.contains("answered 500, expected 2xx") && message.contains("staging"),
        "{message}"
    );
}

/// As `toJSON(needs)` writes it, over many lines.
#[test]
fn the_needs_of_a_job_hold_results() {
    let (job, server) = (
        Place::new(),
        Server::start(Script::new().any([Reply::status(500)])).unwrap(),
    );
    finish(in_run(hopeless_gate(&job, &server.url("/health"), &[]))).expect(3);
    let needs = json!({
        "deploy": {"result": "failure", "outputs": {"gate": outputs(&job)["result"], "image": "shop:1"}},
        "lint": {"result": "skipped", "outputs": {}},
    });
    let (place, channel) = (Place::new(), Channel::open().unwrap());
    let mut command = in_run(place.step("notify"));
    command
        .env("INPUT_STATUS", "failure")
        .env("INPUT_RESULTS", format!("{needs:#}\n"))
        .env("INPUT_SLACK_WEBHOOK", channel.webhook());
    let finished = finish(command).expect(0);
    assert_eq!(named(&finished.log(), "warning"), Vec::<String>::new());
    let message = channel.messages().pop().unwrap().to_string();
    assert!(message.contains("answered 500, expected 2xx"), "{message}");
}

#[test]
fn an_empty_result_of_a_job_that_was_skipped() {
    let (place, channel) = (Place::new(), Channel::open().unwrap());
    let mut command = in_run(place.step("notify"));
    command
        .env("INPUT_STATUS", "success")
        .env("INPUT_RESULTS", "\n\n")
        .env("SLACK_WEBHOOK_URL", channel.webhook());
    let finished = finish(command).expect(0);
    assert_eq!(named(&finished.log(), "warning"), Vec::<String>::new());
    assert_eq!(channel.messages().len(), 1);
}

#[test]
fn a_broken_line_of_the_ledger_is_a_warning() {
    let (place, channel) = (Place::new(), Channel::open().unwrap());
    tag(&place);
    let path = place.path().join(LEDGER);
    let good = fs::read_to_string(&path).unwrap();
    let newer = good.replace("deploy-actions/result@1", "deploy-actions/result@9");
    fs::write(&path, format!("{{\"half\":\n::error::pwned\n{newer}{good}")).unwrap();
    let mut command = in_run(place.step("notify"));
    command.env("SLACK_WEBHOOK_URL", channel.webhook());
    let finished = finish(command).expect(0);
    let warnings = named(&finished.log(), "warning");
    assert_eq!(
        warnings.len(),
        1,
        "however many lines are broken: {}",
        finished.log()
    );
    assert!(
        warnings[0].contains("line 1 ") && warnings[0].ends_with("; so are 2 more"),
        "{warnings:?}"
    );
    assert_eq!(named(&finished.log(), "error"), Vec::<String>::new());
    let message = channel.messages().pop().unwrap().to_string();
    assert!(message.contains("shop 1.2.3 deployed"), "{message}");
}

#[test]
fn a_ledger_of_another_run_is_left_alone() {
    let (place, channel) = (Place::new(), Channel::open().unwrap());
    tag(&place);
    let mut command = in_run(place.step("notify"));
    command.args(["--status", "success"]);
    command
        .env("GITHUB_RUN_ID", "8")
        .env("SLACK_WEBHOOK_URL", channel.webhook());
    finish(command).expect(0);
    let message = channel.messages().pop().unwrap().to_string();
    assert!(!message.contains("1.2.3"), "{message}");
}

/// Slack refuses the whole message for one text object that is too long
/// (<https://docs.slack.dev/reference/block-kit/composition-objects/text-object>).
#[test]
fn no_text_is_longer_than_slack_takes() {
    let (job, server) = (
        Place::new(),
        Server::start(Script::new().any([Reply::status(500)])).unwrap(),
    );
    finish(in_run(hopeless_gate(&job, &server.url("/health"), &[]))).expect(3);
    let mut result: Value = serde_json::from_str(&outputs(&job)["result"]).unwrap();
    let link = json!({"text": "Log", "url": format!("https://example.com/{}", "a".repeat(1_900))});
    result["links"] = json!([link, link, link, link]);
    result["headline"] = json!("x <&> ".repeat(2_000));
    result["undo"] = json!("y".repeat(5_000));
    let (place, channel) = (Place::new(), Channel::open().unwrap());
    let message = told(
        &place,
        &channel,
        &[
            "--results",
            &result.to_string(),
            "--text",
            &"z".repeat(5_000),
            "--service",
            &"s".repeat(500),
        ],
    );
    let blocks = message["blocks"].as_array().unwrap();
    assert!(blocks.len() <= 50);
    for block in blocks {
        let limit = if block["type"] == "header" { 150 } else { 3_000 };
        for text in texts(block) {
            let length = text.chars().count();
            assert!(
                length <= limit,
                "a text of {length} characters in a `{}`",
                block["type"]
            );
        }
    }
}

#[test]
fn text_of_a_server_is_text_in_the_message() {
    let (place, channel) = (Place::new(), Channel::open().unwrap());
    let hostile = "<!channel> <https://evil.example|Run> *b* & ::error::x ##[error]y </td>";
    let server = Server::start(Script::new().any([Reply::redirect(302, hostile)])).unwrap();
    finish(in_run(hopeless_gate(&place, &server.url("/health"), &[]))).expect(3);
    let message = told(&place, &channel, &["--status", "failure"]);
    assert!(
        message["text"]
            .as_str()
            .unwrap()
            .contains("&lt;!channel&gt; &lt;https://evil.example|Run&gt;"),
        "{message}"
    );
    for block in message["blocks"].as_array().unwrap() {
        let markup = block["elements"][0]["text"].as_str().unwrap_or_default();
        assert!(!markup.contains("channel") && !markup.contains("evil"), "{block}");
    }
    let summary = place.read("summary");
    assert!(
        !summary.contains("<!channel>") && !summary.contains("</td>"),
        "{summary}"
    );
}
