//! `notify` and its receivers: what is sent, what counts as an arrival, what is sent again, and what is never silent.

use std::time::Duration;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use sandbox::stand_ins::chat::{Channel, Refusal};
use serde_json::{Value, json};

use crate::commands::named;
use crate::process::{Finished, finish};
use crate::step::{ledger, notify, outputs};

const HOOK: &str = "/services/T0123ABCD/B0123ABCD/qwertyuiopasdfghjklzxcvb";

fn slack(place: &Place, url: &str, flags: &[&str]) -> Finished {
    let mut command = notify(place, flags);
    command.env("SLACK_WEBHOOK_URL", url);
    finish(command)
}

fn webhook(place: &Place, url: &str, flags: &[&str]) -> Finished {
    let mut command = notify(place, flags);
    command.env("NOTIFY_WEBHOOK_URL", url);
    finish(command)
}

/// The one delivery of the output `results`.
fn delivery(place: &Place) -> Value {
    let results: Value = serde_json::from_str(&outputs(place)["results"]).unwrap();
    assert_eq!(results.as_array().unwrap().len(), 1);
    results[0].clone()
}

/// The one warning, where a message did not arrive and need not have.
#[track_caller]
fn undelivered(place: &Place, finished: Finished) -> String {
    let finished = finished.expect(0);
    let warnings = named(&finished.log(), "warning");
    assert_eq!(warnings.len(), 1, "{}", finished.log());
    assert!(
        warnings[0].starts_with("the message was not delivered: "),
        "{warnings:?}"
    );
    assert_eq!(outputs(place)["delivered"], "false");
    assert_eq!(ledger(place).last().unwrap()["status"], "failed");
    warnings[0].clone()
}

#[test]
fn a_message_arrives_in_a_channel() {
    let (place, channel) = (Place::new(), Channel::open().unwrap());
    slack(
        &place,
        &channel.webhook(),
        &[
            "--release",
            "1.2.3",
            "--environment",
            "production",
            "--text",
            "<!here> & co",
        ],
    )
    .expect(0);
    let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
    assert_eq!(
        channel.messages(),
        [json!({
            "text": "✅ shop 1.2.3 deployed to production",
            "blocks": [
                {"type": "header", "text": plain("✅ shop 1.2.3 deployed to production")},
                {"type": "section", "text": plain("<!here> & co")},
                {"type": "section", "fields": [plain("Version: 1.2.3"), plain("Environment: production")]},
            ],
            "unfurl_links": false,
            "unfurl_media": false,
        })]
    );
    assert_eq!(
        channel.requests()[0].header("content-type"),
        Some("application/json")
    );
    assert_eq!(outputs(&place)["delivered"], "true");
    assert_eq!(
        delivery(&place),
        json!({"channel": "slack", "delivered": true, "how": "sent", "tries": 1, "reason": ""})
    );
    assert!(
        place
            .read("summary")
            .contains("✅ shop 1.2.3 deployed to production")
    );
}

#[test]
fn an_event_arrives_at_a_webhook() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::status(204)])).unwrap();
    webhook(&place, &server.url("/events"), &["--release", "1.2.3"]).expect(0);
    let request = &server.requests()[0];
    let event = request.json();
    assert_eq!(request.method, "POST");
    assert_eq!(
        (&event["schema"], &event["phase"]),
        (&json!("deploy-actions/notify@1"), &json!("succeeded"))
    );
    assert_eq!(event["headline"], "✅ shop 1.2.3 deployed");
    assert_eq!(request.header("webhook-id"), event["id"].as_str());
    assert_eq!(
        request.header("webhook-timestamp").map(str::to_owned),
        Some(event["timestamp"].to_string())
    );
    assert_eq!(outputs(&place)["delivered"], "true");
}

#[test]
fn one_of_two_is_partial() {
    let (place, channel) = (Place::new(), Channel::open().unwrap());
    let server = Server::start(Script::new().any([Reply::status(410)])).unwrap();
    let mut command = notify(&place, &[]);
    command
        .env("SLACK_WEBHOOK_URL", channel.webhook())
        .env("NOTIFY_WEBHOOK_URL", server.url("/gone"));
    finish(command)
        .expect(0)
        .says(&["webhook: the receiver answered 410"]);
    assert_eq!(outputs(&place)["delivered"], "partial");
    assert_eq!(channel.messages().len(), 1);
}

#[test]
fn a_receiver_that_is_busy_is_asked_again_when_it_says() {
    let place = Place::new();
    let channel = Channel::open()
        .unwrap()
        .refusing(Refusal::Limited { retry_after: 1 });
    slack(&place, &channel.webhook(), &[])
        .expect(0)
        .says(&["the receiver answered 429; trying again in 1s"]);
    let requests = channel.requests();
    assert_eq!((requests.len(), channel.messages().len()), (2, 1));
    assert!(
        requests[1].at - requests[0].at >= Duration::from_millis(990),
        "{requests:?}"
    );
    assert_eq!(delivery(&place)["tries"], 2);
}

#[test]
fn a_wait_that_does_not_fit_is_not_waited_for() {
    let place = Place::new();
    let channel = Channel::open()
        .unwrap()
        .refusing(Refusal::Limited { retry_after: 90 });
    let finished = slack(&place, &channel.webhook(), &["--timeout", "20s"]);
    assert!(finished.took < Duration::from_secs(10), "{:?}", finished.took);
    assert!(undelivered(&place, finished).contains("the next try would be in 1m30s"));
}

#[test]
fn a_webhook_that_was_removed_is_a_warning() {
    let place = Place::new();
    let channel = Channel::open().unwrap().refusing(Refusal::NoService);
    let warning = undelivered(&place, slack(&place, &channel.webhook(), &[]));
    assert!(
        warning.contains("slack: the receiver answered 404 `no_service`"),
        "{warning}"
    );
    assert_eq!(channel.requests().len(), 1);
    assert!(
        place.read("summary").contains("✅ shop deployed"),
        "the summary has the message all the same"
    );
}

#[test]
fn a_required_message_that_does_not_arrive_is_a_failure() {
    let place = Place::new();
    let channel = Channel::open().unwrap().refusing(Refusal::NoService);
    let finished = slack(&place, &channel.webhook(), &["--require"]).expect(3);
    assert_eq!(named(&finished.log(), "error").len(), 1, "{}", finished.log());
    finished.says(&[
        "the message was not delivered: slack: the receiver answered 404 `no_service`",
        "check the address or token",
    ]);
    assert_eq!(outputs(&place)["delivered"], "false");
}

#[test]
fn a_message_whose_fate_is_unknown_is_not_sent_twice_to_people() {
    let place = Place::new();
    let channel = Channel::open().unwrap().refusing(Refusal::Broken);
    undelivered(&place, slack(&place, &channel.webhook(), &[]));
    assert_eq!(channel.requests().len(), 1);
    let server = Server::start(Script::new().any([Reply::reset()])).unwrap();
    let warning = undelivered(&place, slack(&place, &server.url(HOOK), &[]));
    assert!(
        warning.contains("it may have arrived, so it is not sent again"),
        "{warning}"
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn whatever_goes_wrong_people_read_it_once_at_most() {
    let slow = Refusal::Slow(Duration::from_millis(300));
    for (refusal, arrived, taken) in [
        (Refusal::Limited { retry_after: 0 }, true, 1),
        (slow, true, 1),
        (Refusal::Reset, false, 0),
        (Refusal::Lost, false, 1),
        (Refusal::Silent, false, 0),
        (Refusal::Page, false, 0),
        (Refusal::Broken, false, 0),
    ] {
        let (place, channel) = (Place::new(), Channel::open().unwrap().refusing(refusal));
        slack(&place, &channel.webhook(), &["--try-timeout", "2s"]).expect(0);
        let expected = (if arrived { "true" } else { "false" }, taken);
        assert_eq!(
            (&*outputs(&place)["delivered"], channel.messages().len()),
            expected,
            "{refusal:?}"
        );
    }
}

#[test]
fn an_event_is_sent_again_with_the_same_id() {
    let place = Place::new();
    let script = Script::new().any([Reply::status(500), Reply::reset(), Reply::status(200)]);
    let server = Server::start(script).unwrap();
    webhook(&place, &server.url("/events"), &[]).expect(0);
    let requests = server.requests();
    assert_eq!((requests.len(), &delivery(&place)["tries"]), (3, &json!(3)));
    for again in &requests[1..] {
        assert_eq!(again.header("webhook-id"), requests[0].header("webhook-id"));
        assert_eq!(again.body, requests[0].body);
    }
}

#[test]
fn a_page_is_not_an_arrival_in_a_channel() {
    let place = Place::new();
    let page = Reply::text(200, "<html>\n::error::sign in\n</html>").header("content-type", "text/html");
    let server = Server::start(Script::new().any([page])).unwrap();
    let finished = slack(&place, &server.url(HOOK), &[]);
    assert_eq!(named(&finished.log(), "error"), Vec::<String>::new());
    let warning = undelivered(&place, finished);
    assert!(warning.contains("the receiver answered 200 `<html>"), "{warning}");
}

#[test]
fn an_answer_that_breaks_off_says_nothing_of_the_message() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::text(200, "ok").cut_after(1)])).unwrap();
    let warning = undelivered(&place, slack(&place, &server.url(HOOK), &[]));
    assert!(
        warning.contains("answered 200, and the rest of its answer did not come; it may have arrived"),
        "{warning}"
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_redirect_is_not_followed() {
    let place = Place::new();
    let script = Script::new()
        .on(HOOK, [Reply::redirect(302, "/elsewhere")])
        .any([Reply::text(200, "ok")]);
    let server = Server::start(script).unwrap();
    let warning = undelivered(&place, slack(&place, &server.url(HOOK), &[]));
    assert!(
        warning.contains("the receiver answered 302; a redirect is not followed"),
        "{warning}"
    );
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_hang_lasts_no_longer_than_a_try() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::hang()])).unwrap();
    let finished = slack(&place, &server.url(HOOK), &["--try-timeout", "300ms"]);
    assert!(finished.took < Duration::from_secs(5), "{:?}", finished.took);
    let warning = undelivered(&place, finished);
    assert!(warning.contains("no complete answer in time"), "{warning}");
}

#[test]
fn hangs_last_no_longer_than_the_whole_time() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::hang()])).unwrap();
    let finished = webhook(
        &place,
        &server.url("/events"),
        &["--try-timeout", "1m", "--timeout", "700ms"],
    );
    assert!(finished.took < Duration::from_secs(5), "{:?}", finished.took);
    undelivered(&place, finished);
    let finished = webhook(
        &place,
        &server.url("/events"),
        &["--try-timeout", "100ms", "--timeout", "2s"],
    );
    assert!(finished.took < Duration::from_secs(5), "{:?}", finished.took);
    undelivered(&place, finished);
}

#[test]
fn an_answer_without_end_is_cut() {
    let place = Place::new();
    let server =
        Server::start(Script::new().any([Reply::text(200, "x".repeat(1000)).endless(Duration::ZERO)]))
            .unwrap();
    let finished = slack(&place, &server.url(HOOK), &["--try-timeout", "5s"]);
    assert!(finished.took < Duration::from_secs(5), "{:?}", finished.took);
    assert!(finished.log().len() < 16 * 1024);
    undelivered(&place, finished);
}

#[test]
fn a_closed_port_is_tried_again_and_then_told() {
    let place = Place::new();
    let gone = Server::start(Script::new()).unwrap().url(HOOK);
    let warning = undelivered(&place, slack(&place, &gone, &["--timeout", "3s"]));
    assert!(warning.contains("refused"), "{warning}");
    assert!(
        delivery(&place)["tries"].as_u64().unwrap() >= 2,
        "{}",
        delivery(&place)
    );
}
