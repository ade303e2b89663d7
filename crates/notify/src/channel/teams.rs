//! Microsoft Teams by a workflow that posts what a webhook receives
//! (<https://support.microsoft.com/en-us/office/create-incoming-webhooks-with-workflows-for-microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498>),
//! as an Adaptive Card 1.4 (<https://adaptivecards.io/explorer/AdaptiveCard.html>).
//!
//! A `TextBlock` reads Markdown; a `TextRun` does not, so that all foreign text stands in runs. An answer says only that the workflow
//! began, not that the card was posted.

use gha::text;
use reqwest::Url;
use serde_json::{Value, json};

use crate::channel::{Call, Channel};
use crate::delivery::Answer;
use crate::message::Message;
use crate::phase::Phase;
use crate::state::Posted;

/// Where workflows are.
pub const HOSTS: [&str; 3] = [".logic.azure.com", ".powerplatform.com", ".powerautomate.com"];

/// The largest body, in bytes. Teams takes 28 KB with what it wraps around it, and refused one of 24 KB
/// (<https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams>).
const BODY: usize = 20_000;
/// Longest paragraph, in characters; less where the body would be too large.
const PARAGRAPH: usize = 2_000;
/// Longest value of a field.
const FIELD: usize = 200;
/// Longest address of a link.
const ADDRESS: usize = 1_000;

/// What the workflow expects around the card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Envelope {
    /// A message with the card as its attachment: the template `Post to a channel when a webhook request is received`.
    #[default]
    Message,
    /// The card alone.
    Card,
}

/// A channel or chat behind a workflow.
pub struct Teams {
    /// The workflow's address, signed.
    pub url: Url,
    /// What it expects.
    pub envelope: Envelope,
}

impl Channel for Teams {
    fn name(&self) -> &'static str {
        "teams"
    }

    fn calls(&self, message: &Message, _before: Option<&Posted>) -> Vec<Call> {
        // Nothing tells a card that was posted twice.
        vec![Call::post(self.url.clone(), fitting(message, self.envelope))]
    }

    fn accepted(&self, _answer: &Answer) -> bool {
        true
    }
}

/// The largest card that fits.
fn fitting(message: &Message, envelope: Envelope) -> Value {
    let mut paragraph = PARAGRAPH;
    loop {
        let payload = enveloped(card(message, paragraph), envelope);
        if payload.to_string().len() <= BODY || paragraph < 20 {
            return payload;
        }
        paragraph /= 2;
    }
}

fn enveloped(card: Value, envelope: Envelope) -> Value {
    match envelope {
        Envelope::Card => card,
        Envelope::Message => json!({
            "type": "message",
            "attachments": [{
                "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card,
            }],
        }),
    }
}

fn card(message: &Message, paragraph: usize) -> Value {
    let style = match message.phase {
        Phase::Succeeded => "good",
        Phase::Started => "accent",
        Phase::RolledBack | Phase::Cancelled => "warning",
        Phase::Failed => "attention",
    };
    let head = runs(vec![json!({
        "type": "TextRun", "text": shown(&message.headline, 150), "weight": "Bolder", "size": "Large",
    })]);
    let mut body = vec![json!({"type": "Container", "style": style, "bleed": true, "items": [head]})];
    // Half a command would undo nothing.
    let undo = message.undoing().map(|undo| shown(&undo, PARAGRAPH));
    for text in message
        .paragraphs()
        .map(|text| shown(&text, paragraph))
        .chain(undo)
    {
        body.push(runs(vec![json!({"type": "TextRun", "text": text})]));
    }
    for (name, value) in message.fields.iter().take(10) {
        let value = shown(value, FIELD.min(paragraph));
        let mut line = runs(vec![
            json!({"type": "TextRun", "text": format!("{name}: "), "weight": "Bolder"}),
            json!({"type": "TextRun", "text": value}),
        ]);
        line["spacing"] = "Small".into();
        body.push(line);
    }
    let links = message
        .links
        .iter()
        .filter(|link| link.url.len() <= ADDRESS)
        .take(5);
    let actions: Vec<Value> = links
        .map(|link| json!({"type": "Action.OpenUrl", "title": shown(&link.text, 60), "url": link.url}))
        .collect();
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "msteams": {"width": "Full"}, "body": body, "actions": actions,
    })
}

fn runs(inlines: Vec<Value>) -> Value {
    json!({"type": "RichTextBlock", "inlines": inlines})
}

/// Text in which every character is seen; an empty run is refused.
fn shown(content: &str, limit: usize) -> String {
    let lines: Vec<String> = content.lines().map(text::visible).collect();
    let shown = text::cut(lines.join("\n").trim(), limit);
    if shown.is_empty() { "-".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::{entry, message};
    use proptest::prelude::{any, proptest};

    #[test]
    fn a_failure_is_a_card_that_calls_for_attention() {
        let failed = message(
            Some(JobStatus::Failure),
            vec![entry("health-gate", "failed", "**x** [a](b)")],
        )
        .unwrap();
        let payload = fitting(&failed, Envelope::Message);
        let card = &payload["attachments"][0]["content"];
        assert_eq!(
            (&card["type"], &card["version"]),
            (&json!("AdaptiveCard"), &json!("1.4"))
        );
        assert_eq!(card["body"][0]["style"], "attention");
        assert_eq!(
            card["body"][1]["inlines"][0]["text"],
            "health-gate failed: **x** [a](b)"
        );
        assert_eq!(card["actions"][0]["title"], "Run");
        assert_eq!(&fitting(&failed, Envelope::Card), card);
    }

    /// The types of all elements that hold a text.
    fn kinds(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                if object.contains_key("text") {
                    found.push(object["type"].as_str().unwrap().to_owned());
                }
                object.values().for_each(|inner| kinds(inner, found));
            }
            Value::Array(items) => items.iter().for_each(|inner| kinds(inner, found)),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn foreign_text_is_never_markup_and_the_card_fits(headline in any::<String>(), extra in ".{0,9000}") {
            let mut message = message(Some(JobStatus::Failure), vec![entry("x", "failed", &headline)]).unwrap();
            message.text = Some(extra.clone());
            message.reasons = vec![extra; 5];
            let payload = fitting(&message, Envelope::Message);
            assert!(payload.to_string().len() <= BODY);
            let mut found = Vec::new();
            kinds(&payload, &mut found);
            assert!(found.iter().all(|kind| kind == "TextRun"), "{found:?}");
        }
    }
}
