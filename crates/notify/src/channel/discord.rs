//! Discord's webhooks (<https://discord.com/developers/docs/resources/webhook#execute-webhook>).
//!
//! What Discord would read as markup is escaped, and no mention is allowed, whatever a text says. Its lengths count units of UTF-16.

use std::time::Duration;

use gha::text;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::channel::{Call, Channel};
use crate::delivery::{Answer, wait};
use crate::message::Message;
use crate::phase::Phase;
use crate::state::Posted;

/// Where Discord's webhooks are.
pub const HOSTS: [&str; 4] = [
    "discord.com",
    "discordapp.com",
    "ptb.discord.com",
    "canary.discord.com",
];

/// Longest title of an embed, and longest name of a field
/// (<https://discord.com/developers/docs/resources/message#embed-object-embed-limits>).
const TITLE: usize = 256;
/// Longest description; the limit is 4,096, and that of all texts together 6,000.
const DESCRIPTION: usize = 3_000;
/// Longest line that says how to undo, escaped.
const UNDO: usize = 720;
/// The room below which a paragraph says nothing.
const SHORTEST: usize = 20;
/// Longest value of a field; the limit is 1,024.
const VALUE: usize = 200;

/// A channel behind a webhook.
pub struct Discord {
    /// The webhook.
    pub url: Url,
}

impl Channel for Discord {
    fn name(&self) -> &'static str {
        "discord"
    }

    fn calls(&self, message: &Message, _before: Option<&Posted>) -> Vec<Call> {
        let mut url = self.url.clone();
        // With it the answer says that the message is there, not that it was taken.
        url.query_pairs_mut().append_pair("wait", "true");
        vec![Call::post(url, payload(message))]
    }

    /// A channel has a limit of its own beside the webhook's, which the body tells
    /// (<https://discord.com/developers/docs/topics/rate-limits#exceeding-a-rate-limit>).
    fn wait(&self, body: &str) -> Option<Duration> {
        let body: Value = serde_json::from_str(body).ok()?;
        wait(body["retry_after"].as_f64()?)
    }

    /// What the webhook is (<https://discord.com/developers/docs/resources/webhook#get-webhook-with-token>).
    fn asks(&self) -> Option<Call> {
        let mut url = self.url.clone();
        url.set_query(None);
        Some(Call {
            method: Method::GET,
            ..Call::post(url, Value::Null).repeatable()
        })
    }

    fn is_known_as(&self, body: &Value) -> Option<String> {
        Some(format!("as `{}`", body["name"].as_str()?))
    }

    fn accepted(&self, _answer: &Answer) -> bool {
        true
    }
}

fn payload(message: &Message) -> Value {
    let color = match message.phase {
        Phase::Succeeded => 0x002e_a043,
        Phase::Started => 0x0009_69da,
        Phase::RolledBack | Phase::Cancelled => 0x00d2_9922,
        Phase::Failed => 0x00cf_222e,
    };
    // How to undo it stands behind texts of any length.
    let undo: Vec<String> = message.undoing().map(|undo| escaped(&undo, UNDO)).collect();
    let taken: usize = undo.iter().map(|undo| units(undo) + 1).sum();
    let mut left = DESCRIPTION.saturating_sub(taken);
    let mut description: Vec<String> = Vec::new();
    for paragraph in message.paragraphs() {
        if left < SHORTEST {
            break;
        }
        let paragraph = escaped(&paragraph, left);
        left = left.saturating_sub(units(&paragraph) + 1);
        description.push(paragraph);
    }
    description.extend(undo);
    let fields = message.fields.iter().take(10);
    let fields: Vec<Value> = fields
        .map(|(name, value)| json!({"name": name, "value": escaped(value, VALUE), "inline": true}))
        .collect();
    let mut embed = json!({
        "title": escaped(&message.headline, TITLE),
        "description": description.join("\n"),
        "color": color,
        "fields": fields,
    });
    if let Some(run) = message.links.first() {
        embed["url"] = run.url.clone().into();
    }
    json!({"embeds": [embed], "allowed_mentions": {"parse": []}})
}

/// Text in which nothing is markup, of at most `limit` units; it is cut before it is escaped, so that no escape is halved.
fn escaped(content: &str, limit: usize) -> String {
    let lines: Vec<String> = content.lines().map(text::visible).collect();
    let content = lines.join("\n");
    let content = content.trim();
    let mut most = content.chars().count();
    loop {
        let shown = escape(&text::cut(content, most));
        if units(&shown) <= limit || most <= 1 {
            let fits = units(&shown) <= limit && !shown.trim().is_empty();
            return if fits { shown } else { "-".to_owned() };
        }
        most = (most * limit / units(&shown).max(1)).min(most - 1).max(1);
    }
}

/// A backslash before what Discord's markup begins with, and a break in what would become a link or a mention
/// (<https://support.discord.com/hc/en-us/articles/210298617-Markdown-Text-101-Chat-Formatting-Bold-Italic-Underline>).
fn escape(content: &str) -> String {
    let mut escaped = String::with_capacity(content.len());
    for c in content.chars() {
        match c {
            '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '<' | '#' | '-' | '[' | ']' | '(' | ')' | ':' => {
                escaped.extend(['\\', c]);
            }
            '@' => escaped.push_str("@\u{200b}"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// How long Discord takes a text to be.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::{entry, message};
    use proptest::prelude::{any, proptest};

    #[test]
    fn a_failure_is_red_and_mentions_nobody() {
        let failed = message(
            Some(JobStatus::Failure),
            vec![entry("health-gate", "failed", "@everyone **x** <@1>")],
        )
        .unwrap();
        let payload = payload(&failed);
        let embed = &payload["embeds"][0];
        assert_eq!(
            embed["description"],
            "health\\-gate failed\\: @\u{200b}everyone \\*\\*x\\*\\* \\<@\u{200b}1\\>\nto undo\\: health\\-gate undo"
        );
        assert_eq!(payload["allowed_mentions"], json!({"parse": []}));
        assert_eq!(
            embed["url"],
            "https://github.com/acme/shop/actions/runs/7/attempts/1"
        );
    }

    #[test]
    fn the_answer_is_asked_for() {
        let discord = Discord {
            url: Url::parse("https://discord.com/api/webhooks/1/t?thread_id=5").unwrap(),
        };
        let done = message(Some(JobStatus::Success), vec![]).unwrap();
        let calls = discord.calls(&done, None);
        assert_eq!(calls[0].url.query(), Some("thread_id=5&wait=true"));
    }

    #[test]
    fn the_body_says_how_long_to_wait() {
        let discord = Discord {
            url: Url::parse("https://discord.com/api/webhooks/1/t").unwrap(),
        };
        let wait = |body: &str| discord.wait(body);
        assert_eq!(
            wait(r#"{"message": "You are being rate limited.", "retry_after": 0.75, "global": false}"#),
            Some(Duration::from_millis(750))
        );
        assert_eq!(wait("<html>"), None);
        assert_eq!(wait(r#"{"retry_after": -1}"#), None);
    }

    proptest! {
        #[test]
        fn texts_are_within_limits_and_can_be_read_back(text in any::<String>(), long in ".{0,5000}", limit in 1usize..400) {
            let shown = escaped(&text, limit);
            assert!(units(&shown) <= limit.max(1) && !shown.contains("@e"));
            let mut message = message(Some(JobStatus::Failure), vec![entry("x", "failed", &text)]).unwrap();
            message.text = Some(long);
            let payload = payload(&message);
            assert!(payload["embeds"][0]["description"].as_str().unwrap().ends_with("to undo\\: health\\-gate undo"));
            let embed = &payload["embeds"][0];
            let mut all = units(embed["title"].as_str().unwrap()) + units(embed["description"].as_str().unwrap());
            assert!(units(embed["title"].as_str().unwrap()) <= 256 && units(embed["description"].as_str().unwrap()) <= 4096);
            for field in embed["fields"].as_array().unwrap() {
                let value = units(field["value"].as_str().unwrap());
                assert!((1..=1024).contains(&value));
                all += value + units(field["name"].as_str().unwrap());
            }
            assert!(all <= 6000);
        }

        #[test]
        fn what_is_escaped_reads_as_it_was(text in "[ -~\u{e4}\u{1f600}]{0,80}") {
            let shown = escape(&text);
            let mut read = String::new();
            let mut chars = shown.chars();
            while let Some(c) = chars.next() {
                match c {
                    '\\' => read.extend(chars.next()),
                    '\u{200b}' => {}
                    c => read.push(c),
                }
            }
            assert_eq!(read, text);
        }
    }
}
