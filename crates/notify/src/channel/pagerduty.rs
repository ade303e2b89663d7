//! PagerDuty's Events API v2 (<https://developer.pagerduty.com/docs/events-api-v2/overview/>): what failed is an alert, with a key by
//! which a repeated event is no second alert and by which the next success resolves it. A success is a change event too
//! (<https://developer.pagerduty.com/docs/send-change-event>), which pages nobody.

use gha::text;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::channel::{Call, Channel};
use crate::delivery::Answer;
use crate::message::Message;
use crate::phase::Phase;
use crate::severity::Severity;
use crate::state::Posted;

/// Where events go, unless an account is in the EU (`https://events.eu.pagerduty.com`).
pub const EVENTS: &str = "https://events.pagerduty.com";

/// Longest summary, in characters; also that of a custom detail here.
const SUMMARY: usize = 1_024;
/// Longest key.
const KEY: usize = 255;

/// A service of PagerDuty.
pub struct PagerDuty {
    /// Where events go.
    pub url: Url,
    /// The integration key.
    pub key: SecretString,
}

impl Channel for PagerDuty {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    fn calls(&self, message: &Message, _before: Option<&Posted>) -> Vec<Call> {
        // An alert is known by its key; a change event is told twice at worst, and pages nobody.
        let enqueue = |path: &str, payload: Value| Call::post(self.at(path), payload).repeatable();
        let key = self.key.expose_secret();
        // As it is known now: where only a tool named the environment, staging does not resolve what is wrong with production.
        let dedup = text::cut(&format!("deploy/{}", message.known()), KEY);
        match message.phase {
            Phase::Succeeded => vec![
                enqueue(
                    "/v2/enqueue",
                    json!({"routing_key": key, "event_action": "resolve", "dedup_key": dedup}),
                ),
                enqueue("/v2/change/enqueue", self.change(message)),
            ],
            Phase::Started => Vec::new(),
            // Nothing is wrong with what serves: somebody stopped it.
            Phase::Cancelled if message.severity < Severity::High => Vec::new(),
            Phase::Failed | Phase::RolledBack | Phase::Cancelled => vec![enqueue(
                "/v2/enqueue",
                json!({
                    "routing_key": key,
                    "event_action": "trigger",
                    "dedup_key": dedup,
                    "client": "deploy-actions notify",
                    "links": links(message),
                    "payload": {
                        "summary": summary(message),
                        "source": text::cut(&message.known().to_string(), SUMMARY),
                        "severity": word(message.severity),
                        "custom_details": details(message),
                    },
                }),
            )],
        }
    }

    fn shown(&self, call: &Call) -> Value {
        let mut payload = call.payload.clone();
        payload["routing_key"] = "(not shown)".into();
        payload
    }

    fn has_alerts(&self) -> bool {
        true
    }

    fn accepted(&self, _answer: &Answer) -> bool {
        true
    }
}

impl PagerDuty {
    fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url
    }

    fn change(&self, message: &Message) -> Value {
        json!({
            "routing_key": self.key.expose_secret(),
            "links": links(message),
            "payload": {
                "summary": summary(message),
                "source": text::cut(&message.known().to_string(), SUMMARY),
                "custom_details": details(message),
            },
        })
    }
}

/// PagerDuty's word.
fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "info",
    }
}

/// The first line, which holds the cause: what a telephone shows.
fn summary(message: &Message) -> String {
    text::cut(&text::visible(&message.headline), SUMMARY)
}

fn details(message: &Message) -> Value {
    let mut details = serde_json::Map::new();
    for (name, value) in &message.fields {
        details.insert((*name).to_owned(), text::cut(value, SUMMARY).into());
    }
    let more = [
        ("Reasons", &message.reasons),
        ("Done", &message.done),
        ("To undo", &message.undo),
    ];
    for (name, lines) in more.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        let lines: Vec<String> = lines
            .iter()
            .take(10)
            .map(|line| text::cut(&text::visible(line), SUMMARY))
            .collect();
        details.insert(name.to_owned(), lines.into());
    }
    if let Some(said) = &message.text {
        let lines: Vec<String> = said.lines().map(text::visible).collect();
        details.insert("Text".to_owned(), text::cut(&lines.join("\n"), SUMMARY).into());
    }
    details.into()
}

fn links(message: &Message) -> Value {
    let links = message.links.iter().take(8);
    links
        .map(|link| json!({"href": link.url, "text": text::cut(&text::visible(&link.text), 60)}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::{entry, message};

    fn service() -> PagerDuty {
        PagerDuty {
            url: Url::parse(EVENTS).unwrap(),
            key: "R0UT1NGKEY".to_owned().into(),
        }
    }

    #[test]
    fn a_failure_is_an_alert_that_the_next_success_resolves() {
        let failed = message(
            Some(JobStatus::Failure),
            vec![entry("health-gate", "failed", "not ready")],
        )
        .unwrap();
        let calls = service().calls(&failed, None);
        assert_eq!(calls[0].url.as_str(), "https://events.pagerduty.com/v2/enqueue");
        let event = &calls[0].payload;
        assert_eq!(event["event_action"], "trigger");
        assert_eq!(event["payload"]["severity"], "error");
        assert_eq!(
            event["payload"]["summary"],
            "❌ deploy of shop 1.2.3 to production failed: not ready"
        );
        let done = message(
            Some(JobStatus::Success),
            vec![entry("health-gate", "done", "ready")],
        )
        .unwrap();
        let calls = service().calls(&done, None);
        assert_eq!(calls[0].payload["event_action"], "resolve");
        assert_eq!(calls[0].payload["dedup_key"], event["dedup_key"]);
        assert_eq!(calls[1].url.path(), "/v2/change/enqueue");
        assert!(
            service()
                .calls(&message(Some(JobStatus::Cancelled), vec![]).unwrap(), None)
                .is_empty()
        );
    }

    #[test]
    fn the_key_is_not_shown() {
        let failed = message(Some(JobStatus::Failure), vec![]).unwrap();
        let service = service();
        for call in service.calls(&failed, None) {
            assert!(!service.shown(&call).to_string().contains("R0UT1NGKEY"));
        }
    }
}
