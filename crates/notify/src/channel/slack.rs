//! Slack's incoming webhooks (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>).
//!
//! Foreign text stands in `plain_text` objects alone, where Slack reads no mention, link or markup; the fallback
//! `text`, which is read as markup, is escaped.

use std::str::FromStr;

use reqwest::Url;
use serde_json::{Value, json};

use gha::outcome::Link;
use gha::text;

use crate::channel::{Call, Channel};
use crate::delivery::Answer;
use crate::message::Message;
use crate::state::Posted;

/// Longest header (<https://docs.slack.dev/reference/block-kit/blocks/header-block>).
const HEADER: usize = 150;
/// Longest text of a section; the limit is 3,000, less so that a message stays readable.
const SECTION: usize = 2_000;
/// Longest field of a section; the limit is 2,000.
const FIELD: usize = 300;
/// Longest blocks of a message together, as JSON. Slack refuses them from some 11,000 to 13,000 characters on, and says nowhere how it
/// counts (<https://github.com/slackapi/bolt-js/issues/2509>, <https://github.com/slackapi/bolt-js/issues/2867>).
const BLOCKS: usize = 10_000;
/// Longest links of a message together.
const LINKS: usize = 2_000;
/// Longest address of a button's or text's link; the limit is 3,000.
const ADDRESS: usize = 2_000;

/// Who is mentioned, as the user names them: never by a text that came from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention(String);

impl Mention {
    /// It in Slack's markup (<https://docs.slack.dev/messaging/formatting-message-text#mentioning-users>).
    #[must_use]
    pub fn markup(&self) -> String {
        match self.0.as_str() {
            "here" | "channel" | "everyone" => format!("<!{}>", self.0),
            group if group.starts_with('S') => format!("<!subteam^{group}>"),
            member => format!("<@{member}>"),
        }
    }
}

impl FromStr for Mention {
    type Err = String;

    /// `U…` and `W…` for members, `S…` for groups, and the three words of Slack.
    fn from_str(word: &str) -> Result<Self, String> {
        let is_id = word.len() > 1
            && word.starts_with(['U', 'W', 'S'])
            && word
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        match is_id || matches!(word, "here" | "channel" | "everyone") {
            true => Ok(Self(word.to_owned())),
            false => Err(format!(
                "`{}` is not the id of a member (`U…`) or of a group (`S…`), `here` or `channel`",
                text::line(word)
            )),
        }
    }
}

/// The name in results.
pub const NAME: &str = "slack";
/// That of the channel for information.
pub const INFO: &str = "slack-info";

/// Where Slack's webhooks are; the second is that of GovSlack.
pub const HOSTS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];

/// A Slack channel behind an incoming webhook.
pub struct Slack {
    /// The webhook.
    pub url: Url,
    /// Who is mentioned when it failed.
    pub mentions: Vec<Mention>,
}

impl Channel for Slack {
    fn name(&self) -> &'static str {
        NAME
    }

    fn calls(&self, message: &Message, _before: Option<&Posted>) -> Vec<Call> {
        let payload = mentioning(payload(message), message, &self.mentions);
        vec![Call::post(self.url.clone(), payload)]
    }

    /// Slack says `ok`; a page of a proxy in between does not.
    fn accepted(&self, answer: &Answer) -> bool {
        matches!(answer, Answer::Status { body, .. } if body.trim() == "ok")
    }
}

/// The message, as webhooks and the API take it: with paragraphs as long as they fit.
pub(super) fn payload(message: &Message) -> Value {
    let mut longest = SECTION;
    let blocks = loop {
        let blocks = Value::from(blocks(message, longest));
        if blocks.to_string().chars().count() <= BLOCKS || longest < 50 {
            break blocks;
        }
        longest /= 2;
    };
    let fallback = [vec![message.headline.clone()], message.reasons.clone()]
        .concat()
        .join("\n");
    json!({
        "text": escape(&text::cut(&fallback, SECTION)),
        "blocks": blocks,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn blocks(message: &Message, longest: usize) -> Vec<Value> {
    let mut blocks = vec![json!({"type": "header", "text": plain(&message.headline, HEADER)})];
    let paragraphs = message.paragraphs().map(|text| plain(&text, longest));
    let undo = message.undoing().map(|text| plain(&text, SECTION));
    blocks.extend(
        paragraphs
            .chain(undo)
            .map(|text| json!({"type": "section", "text": text})),
    );
    let fields: Vec<Value> = message
        .fields
        .iter()
        .take(10)
        .map(|(name, value)| plain(&format!("{name}: {value}"), FIELD.min(longest)))
        .collect();
    if !fields.is_empty() {
        blocks.push(json!({"type": "section", "fields": fields}));
    }
    // One element a link: each text has its own limit, and a context takes ten elements.
    let element = |text: String| json!({"type": "mrkdwn", "text": text, "verbatim": true});
    let mut room = LINKS;
    let fits = |link: &String| {
        let fits = link.len() <= room;
        room -= if fits { link.len() } else { 0 };
        fits
    };
    let links = message.links.iter().filter_map(link).filter(fits);
    let links: Vec<Value> = links.map(element).take(10).collect();
    if !links.is_empty() {
        blocks.push(json!({"type": "context", "elements": links}));
    }
    blocks
}

/// The same, with these mentioned where it went wrong.
pub(super) fn mentioning(mut payload: Value, message: &Message, mentions: &[Mention]) -> Value {
    if !message.phase.is_bad() || mentions.is_empty() {
        return payload;
    }
    let all: Vec<String> = mentions.iter().map(Mention::markup).collect();
    if let Some(blocks) = payload["blocks"].as_array_mut() {
        // Not verbatim: what stands here is the user's own and is to be read as markup.
        let said = text::cut(&all.join(" "), SECTION);
        blocks.insert(
            1,
            json!({"type": "section", "text": {"type": "mrkdwn", "text": said}}),
        );
    }
    payload
}

/// A paragraph without markup.
pub(super) fn section(paragraph: &str) -> Value {
    json!({"type": "section", "text": plain(paragraph, SECTION)})
}

/// A text object without markup. An empty one is refused by Slack.
fn plain(content: &str, limit: usize) -> Value {
    let shown: Vec<String> = content.lines().map(text::visible).collect();
    let shown = text::cut(shown.join("\n").trim(), limit);
    let shown = if shown.is_empty() { "-".to_owned() } else { shown };
    json!({"type": "plain_text", "text": shown, "emoji": false})
}

/// Escapes the three characters of Slack's markup
/// (<https://docs.slack.dev/messaging/formatting-message-text#escaping>).
pub(super) fn escape(content: &str) -> String {
    let shown: Vec<String> = content.lines().map(text::visible).collect();
    shown
        .join("\n")
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A link in markup; none where the address could end it or is too long.
fn link(link: &Link) -> Option<String> {
    let safe = link.url.len() <= ADDRESS
        && link
            .url
            .chars()
            .all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '|'));
    // The label stands in markup, so only plain words are taken.
    let label: String = link
        .text
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '.'))
        .take(60)
        .collect();
    let label = if label.trim().is_empty() {
        "Link".to_owned()
    } else {
        label
    };
    safe.then(|| format!("<{}|{}>", link.url.replace('&', "&amp;"), label.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::{entry, message};
    use proptest::prelude::{any, proptest};

    /// Every text object with its kind and length.
    fn texts(value: &Value, found: &mut Vec<(String, String)>) {
        match value {
            Value::Object(object) => {
                if let (Some(kind), Some(text)) = (
                    object.get("type").and_then(Value::as_str),
                    object.get("text").and_then(Value::as_str),
                ) {
                    found.push((kind.to_owned(), text.to_owned()));
                }
                object.values().for_each(|inner| texts(inner, found));
            }
            Value::Array(items) => items.iter().for_each(|inner| texts(inner, found)),
            _ => {}
        }
    }

    #[test]
    fn a_failure_has_its_reason_and_the_run() {
        let failed = message(
            Some(JobStatus::Failure),
            vec![entry("health-gate", "failed", "x: <!channel> & 503")],
        )
        .unwrap();
        let payload = payload(&failed);
        assert_eq!(
            payload["blocks"][0]["text"]["text"],
            "❌ deploy of shop 1.2.3 to production failed: x: <!channel> & 503"
        );
        assert_eq!(
            payload["blocks"][1]["text"]["text"],
            "health-gate failed: x: <!channel> & 503"
        );
        assert_eq!(payload["blocks"][1]["text"]["type"], "plain_text");
        assert!(
            payload["text"]
                .as_str()
                .unwrap()
                .contains("x: &lt;!channel&gt; &amp; 503")
        );
        let context = payload["blocks"].as_array().unwrap().last().unwrap();
        assert_eq!(
            context["elements"][0]["text"],
            "<https://github.com/acme/shop/actions/runs/7/attempts/1|Run>"
        );
        assert_eq!(
            context["elements"][1]["text"],
            "<https://github.com/acme/shop/commit/0123456789abcdef|Commit>"
        );
    }

    #[test]
    fn only_ok_is_an_arrival() {
        let answer = |body: &str| Answer::Status {
            code: 200,
            retry_after: None,
            body: body.to_owned(),
        };
        let slack = Slack {
            url: Url::parse("https://hooks.slack.com/services/x").unwrap(),
            mentions: Vec::new(),
        };
        assert!(slack.accepted(&answer("ok\n")));
        assert!(!slack.accepted(&answer("<html>sign in</html>")));
    }

    #[test]
    fn a_message_is_never_longer_than_slack_takes() {
        let long = |c: &str| c.repeat(5_000);
        let failed = |tool: &str| entry(tool, "failed", &long("\"&"));
        let tools = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let mut message = message(Some(JobStatus::Failure), tools.map(failed).to_vec()).unwrap();
        message.done = vec![long("é"); 100];
        message.text = Some(long("\u{202e}"));
        message.fields = vec![("Change", long("x")); 20];
        message.undo = vec!["y".repeat(340); 9];
        let address = format!("https://x/{}", "a".repeat(1_900));
        message.links = vec![
            Link {
                text: long("x"),
                url: address
            };
            8
        ];
        let payload = payload(&message);
        let blocks = payload["blocks"].to_string();
        assert!(blocks.chars().count() <= BLOCKS, "{}", blocks.len());
        // What helps stays whole.
        assert_eq!(blocks.matches(&"y".repeat(340)).count(), 3);
        assert!(blocks.contains("to undo: 6 more") && blocks.contains("<https://x/"));
    }

    proptest! {
        #[test]
        fn foreign_text_is_never_markup(tool in any::<String>(), headline in any::<String>(), extra in any::<String>()) {
            let mut message = message(Some(JobStatus::Failure), vec![entry(&tool, "failed", &headline)]).unwrap();
            message.text = Some(extra.clone());
            message.links.push(Link { text: extra, url: format!("https://x/{headline}") });
            let payload = payload(&message);
            let mut found = Vec::new();
            texts(&payload["blocks"], &mut found);
            for (kind, text) in &found {
                assert!(!text.is_empty() && text.chars().count() <= 3_000);
                if kind == "mrkdwn" {
                    assert!([text].into_iter().all(|link| link.starts_with("<https://") && link.ends_with('>') && link.matches('<').count() == 1));
                }
            }
            let fallback = payload["text"].as_str().unwrap();
            assert!(!fallback.contains('<') && !fallback.contains('>'));
        }
    }
}
