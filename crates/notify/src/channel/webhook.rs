//! Any receiver of JSON. The event's shape is ours and documented; its id is the same on every try, so that a
//! receiver can drop a repeated one, as Standard Webhooks asks for
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use reqwest::Url;
use serde_json::{Map, Value, json};

use crate::channel::{Call, Channel};
use crate::delivery::Answer;
use crate::message::Message;

/// The event's schema.
pub const SCHEMA: &str = "deploy-actions/notify@1";

/// A receiver of JSON.
pub struct Webhook {
    /// Where to.
    pub url: Url,
    /// The id of this event.
    pub id: String,
    /// When it was made, seconds since 1970.
    pub timestamp: i64,
    /// The run's trace id.
    pub trace_id: String,
    /// `owner/name`, empty outside a run.
    pub repository: String,
}

impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn calls(&self, message: &Message) -> Vec<Call> {
        vec![Call {
            url: self.url.clone(),
            headers: vec![
                ("webhook-id", self.id.clone()),
                ("webhook-timestamp", self.timestamp.to_string()),
            ],
            payload: self.payload(message),
        }]
    }

    fn repeatable(&self) -> bool {
        true
    }

    fn accepted(&self, _answer: &Answer) -> bool {
        true
    }
}

impl Webhook {
    fn payload(&self, message: &Message) -> Value {
        let key = |name: &str| name.to_ascii_lowercase().replace(' ', "-");
        let fields: Map<String, Value> = message
            .fields
            .iter()
            .map(|(name, value)| (key(name), Value::from(value.as_str())))
            .collect();
        json!({
            "schema": SCHEMA,
            "id": self.id,
            "timestamp": self.timestamp,
            "phase": message.phase.word(),
            "severity": message.severity.word(),
            "headline": message.headline,
            "reasons": message.reasons,
            "text": message.text,
            "repository": self.repository,
            "fields": fields,
            "links": message.links,
            "undo": message.undo,
            "trace_id": self.trace_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::{entry, message};

    #[test]
    fn the_event_has_the_documented_shape() {
        let failed = message(
            Some(JobStatus::Failure),
            vec![entry("health-gate", "failed", "not ready")],
        )
        .unwrap();
        let webhook = Webhook {
            url: Url::parse("https://example.com/events").unwrap(),
            id: "id-1".to_owned(),
            timestamp: 7,
            trace_id: "ab".to_owned(),
            repository: "acme/shop".to_owned(),
        };
        assert_eq!(
            webhook.payload(&failed),
            json!({
                "schema": "deploy-actions/notify@1",
                "id": "id-1",
                "timestamp": 7,
                "phase": "failed",
                "severity": "high",
                "headline": "❌ shop 1.2.3 not deployed to production: failed after 3m12s",
                "reasons": ["health-gate failed: not ready"],
                "text": null,
                "repository": "acme/shop",
                "fields": {
                    "version": "1.2.3", "environment": "production", "duration": "3m12s", "ref": "main",
                    "commit": "0123456 fix: \"quotes\" <!channel>", "author": "ada", "started-by": "ada",
                },
                "links": [
                    {"text": "Run", "url": "https://github.com/acme/shop/actions/runs/7/attempts/1"},
                    {"text": "Commit", "url": "https://github.com/acme/shop/commit/0123456789abcdef"},
                ],
                "undo": ["health-gate undo"],
                "trace_id": "ab",
            })
        );
        assert_eq!(
            webhook.calls(&failed)[0].headers[0],
            ("webhook-id", "id-1".to_owned())
        );
    }
}
