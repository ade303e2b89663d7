//! Texts that nobody should write, to every service that is told by HTTP: what is sent has a size that the service takes, holds no secret
//! that may be shown, mentions nobody, and says what was written.

use proptest::prelude::{any, proptest};
use reqwest::Url;
use serde_json::Value;

use super::discord::Discord;
use super::github::{Comment, CommitStatus, Deployment, ReleaseNotes, Repository, Run};
use super::pagerduty::PagerDuty;
use super::slack::Slack;
use super::slack_bot::SlackBot;
use super::teams::{Envelope, Teams};
use super::webhook::Webhook;
use super::{Call, Channel, email};
use crate::cli::JobStatus;
use crate::message::Message;
use crate::message::tests::{entry, message};

/// What stands in addresses, keys and tokens, and nowhere else.
const SECRET: &str = "s3cr3t-0123456789";

fn at(host: &str) -> Url {
    Url::parse(&format!("https://{host}/{SECRET}")).unwrap()
}

/// Every service, with the most bytes that it takes.
fn services() -> Vec<(Box<dyn Channel>, usize)> {
    let repository = || Repository {
        api: Url::parse("https://api.github.com/").unwrap(),
        name: "acme/shop".to_owned(),
        token: SECRET.to_owned().into(),
    };
    let (sha, run) = ("0123abc".to_owned(), Run { id: 7, attempt: 1 });
    let kib = 1024;
    vec![
        (
            Box::new(Slack {
                url: at("hooks.slack.com"),
                mentions: Vec::new(),
            }),
            200 * kib,
        ),
        (
            Box::new(SlackBot {
                url: Url::parse("https://slack.com").unwrap(),
                token: SECRET.to_owned().into(),
                channel: "#deploys".to_owned(),
                mentions: Vec::new(),
            }),
            200 * kib,
        ),
        (
            Box::new(Teams {
                url: at("prod.logic.azure.com"),
                envelope: Envelope::Message,
            }),
            28 * kib,
        ),
        (
            Box::new(Discord {
                url: at("discord.com"),
            }),
            100 * kib,
        ),
        (
            Box::new(PagerDuty {
                url: Url::parse("https://events.pagerduty.com").unwrap(),
                key: SECRET.to_owned().into(),
            }),
            512 * kib,
        ),
        (
            Box::new(Webhook {
                url: at("hooks.example.com"),
                id: "msg_1".to_owned(),
                timestamp: 7,
                trace_id: "ab".to_owned(),
                repository: "acme/shop".to_owned(),
                keys: Vec::new(),
            }),
            256 * kib,
        ),
        (
            Box::new(CommitStatus {
                repository: repository(),
                sha: sha.clone(),
                run,
            }),
            4 * kib,
        ),
        (
            Box::new(Comment {
                repository: repository(),
                number: 7,
                run,
            }),
            256 * kib,
        ),
        (
            Box::new(Deployment {
                repository: repository(),
                sha,
                environment: "production".to_owned(),
                about: "acme/shop/production".to_owned(),
                run,
            }),
            4 * kib,
        ),
        (
            Box::new(ReleaseNotes {
                repository: repository(),
                tag: "v1".to_owned(),
                about: "acme/shop/production".to_owned(),
                run,
            }),
            512 * kib,
        ),
    ]
}

/// All texts of a body.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(all) => all.iter().for_each(|one| texts(one, found)),
        Value::Object(all) => all.values().for_each(|one| texts(one, found)),
        _ => {}
    }
}

/// A word with a sign in front by which GitHub would call somebody.
fn mentions(text: &str) -> bool {
    let mut signs = text.split('@').skip(1);
    signs.any(|after| after.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

fn holds(name: &str, call: &Call, shown: &Value, most: usize) {
    let (sent, shown) = (call.payload.to_string(), shown.to_string());
    assert!(sent.len() <= most, "{name}: {} bytes", sent.len());
    assert!(!shown.contains(SECRET), "{name}: {shown}");
    assert_eq!(
        serde_json::from_str::<Value>(&sent).unwrap(),
        call.payload,
        "{name}"
    );
    let mut all = Vec::new();
    texts(&call.payload, &mut all);
    if name == "github-status" || name == "github-deployment" {
        let description = call.payload["description"].as_str().unwrap();
        assert!(description.chars().count() <= 140, "{name}");
    } else if name.starts_with("github-") {
        assert!(!all.iter().any(|text| mentions(text)), "{name}: {all:?}");
    }
}

fn hostile(tool: &str, headline: &str, texts: [&str; 3]) -> Message {
    let mut message = message(Some(JobStatus::Failure), vec![entry(tool, "failed", headline)]).unwrap();
    let [text, service, environment] = texts;
    message.text = Some(text.to_owned());
    message.service = Some(service.to_owned());
    message.environment = Some(environment.to_owned());
    message.about = message.known();
    message.fields.push(("Commit", text.to_owned()));
    message
}

proptest! {
    #[test]
    fn every_service_is_sent_what_it_takes(tool in any::<String>(), headline in any::<String>(), text in any::<String>(), times in 0usize..200, name in any::<String>()) {
        let text = text.repeat(times);
        let message = hostile(&tool, &headline, [&text, &name, &headline]);
        for (channel, most) in services() {
            for call in channel.calls(&message, None) {
                holds(channel.name(), &call, &channel.shown(&call), most);
            }
        }
    }

    #[test]
    fn a_call_for_somebody_calls_nobody(name in "[a-z]{1,9}") {
        let call = format!("@{name} <!channel> <@U1> @everyone @here [x](javascript:y) </details>");
        let message = hostile("gate", &call, [&call, &call, &call]);
        for (channel, most) in services() {
            for sent in channel.calls(&message, None) {
                holds(channel.name(), &sent, &channel.shown(&sent), most);
                if channel.name() == "discord" {
                    assert_eq!(sent.payload["allowed_mentions"]["parse"], serde_json::json!([]));
                }
            }
        }
    }

    #[test]
    fn plain_services_say_what_was_written(text in "[ -~äß😀]{1,300}") {
        let message = hostile("gate", "x", [&text, "shop", "production"]);
        let sent = |name: &str| {
            let all = services();
            let (channel, _) = all.iter().find(|(channel, _)| channel.name() == name).unwrap();
            channel.calls(&message, None).remove(0).payload
        };
        assert_eq!(sent("webhook")["text"], text);
        assert_eq!(sent("pagerduty")["payload"]["summary"], message.headline);
        let card = sent("teams").to_string();
        let said = serde_json::to_string(text.trim()).unwrap();
        assert!(card.contains(said.trim_matches('"')) || text.trim().is_empty(), "{card}");
        if !text.trim().is_empty() {
            let slack = sent("slack");
            let blocks = slack["blocks"].as_array().unwrap();
            assert!(blocks.iter().any(|block| block["text"]["text"] == text.trim()), "{slack}");
            assert!(email::plain(&message).contains(text.trim()));
            let html = email::html(&message);
            let read = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
            let read = read.iter().fold(html, |html, (escaped, c)| html.replace(escaped, c));
            assert!(read.contains(text.trim()), "{read}");
        }
    }
}
