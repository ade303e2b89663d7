//! Any receiver of JSON. The event's shape is ours and documented; its id is the same on every try, so that a
//! receiver can drop a repeated one, as Standard Webhooks asks for
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gha::text;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretSlice};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::channel::{Call, Channel};
use crate::delivery::Answer;
use crate::message::Message;
use crate::state::Posted;

/// The event's schema.
pub const SCHEMA: &str = "deploy-actions/notify@1";

/// The largest body, in bytes: what gateways and functions in front of a receiver take.
const BODY: usize = 256 * 1024;
/// Most items of a list.
const LISTED: usize = 100;
/// Longest text, in characters; less where the body would be too large.
const TEXT: usize = 100_000;

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
    /// The keys that sign it: one, or two while one replaces the other.
    pub keys: Vec<Key>,
}

/// A key that signs.
pub struct Key(SecretSlice<u8>);

impl Key {
    /// `whsec_` and 24 to 64 bytes in base64, as Standard Webhooks writes it; what begins otherwise is the key itself. None where that is
    /// no key: what it signs no receiver would take.
    #[must_use]
    pub fn read(written: &str) -> Option<Self> {
        let Some(encoded) = written.strip_prefix("whsec_") else {
            return Some(Self(written.as_bytes().to_vec().into()));
        };
        let bytes = STANDARD.decode(encoded).ok()?;
        (24..=64).contains(&bytes.len()).then(|| Self(bytes.into()))
    }

    /// The signature of a message, by the id, the time and the body that are sent
    /// (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme>).
    fn signature(&self, id: &str, timestamp: i64, body: &str) -> String {
        // A key of any length will do for HMAC.
        let mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret());
        let Ok(mut mac) = mac else { return String::new() };
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn calls(&self, message: &Message, _before: Option<&Posted>) -> Vec<Call> {
        let payload = self.payload(message);
        let mut headers = vec![
            ("webhook-id", self.id.clone()),
            ("webhook-timestamp", self.timestamp.to_string()),
        ];
        let body = payload.to_string();
        let signed = self
            .keys
            .iter()
            .map(|key| key.signature(&self.id, self.timestamp, &body));
        let signed: Vec<String> = signed.collect();
        if !signed.is_empty() {
            headers.push(("webhook-signature", signed.join(" ")));
        }
        // A receiver drops what it has by its id.
        let call = Call::post(self.url.clone(), payload).repeatable();
        vec![Call { headers, ..call }]
    }

    fn accepted(&self, _answer: &Answer) -> bool {
        true
    }
}

impl Webhook {
    /// The event with texts as long as they fit.
    fn payload(&self, message: &Message) -> Value {
        let mut longest = TEXT;
        loop {
            let event = self.event(message, longest);
            if event.to_string().len() <= BODY || longest < 50 {
                return event;
            }
            longest /= 2;
        }
    }

    fn event(&self, message: &Message, longest: usize) -> Value {
        let key = |name: &str| name.to_ascii_lowercase().replace(' ', "-");
        let fields: Map<String, Value> = message
            .fields
            .iter()
            .map(|(name, value)| (key(name), Value::from(value.as_str())))
            .collect();
        let list = |lines: &[String]| -> Vec<String> {
            let lines = lines.iter().take(LISTED);
            lines.map(|line| text::cut(line, longest)).collect()
        };
        // Half a command would undo something else.
        let undo = message.undo.iter().filter(|undo| undo.chars().count() <= longest);
        json!({
            "schema": SCHEMA,
            "id": self.id,
            "timestamp": self.timestamp,
            "phase": message.phase.word(),
            "severity": message.severity.word(),
            "headline": message.headline,
            "reasons": list(&message.reasons),
            "done": list(&message.done),
            "text": message.text.as_deref().map(|said| text::cut(said, longest)),
            "repository": self.repository,
            "fields": fields,
            "links": message.links,
            "undo": undo.take(LISTED).collect::<Vec<_>>(),
            "trace_id": self.trace_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::{entry, message};

    fn webhook() -> Webhook {
        Webhook {
            url: Url::parse("https://example.com/events").unwrap(),
            id: "id-1".to_owned(),
            timestamp: 7,
            trace_id: "ab".to_owned(),
            repository: "acme/shop".to_owned(),
            keys: Vec::new(),
        }
    }

    #[test]
    fn the_event_has_the_documented_shape() {
        let failed = message(
            Some(JobStatus::Failure),
            vec![entry("health-gate", "failed", "not ready")],
        )
        .unwrap();
        let webhook = webhook();
        assert_eq!(
            webhook.payload(&failed),
            json!({
                "schema": "deploy-actions/notify@1",
                "id": "id-1",
                "timestamp": 7,
                "phase": "failed",
                "severity": "high",
                "headline": "❌ deploy of shop 1.2.3 to production failed: not ready",
                "reasons": ["health-gate failed: not ready"],
                "done": [],
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
            webhook.calls(&failed, None)[0].headers[0],
            ("webhook-id", "id-1".to_owned())
        );
    }

    #[test]
    fn a_large_event_is_cut_and_its_commands_are_whole() {
        let entries = (0..1_000).map(|nth| entry(&format!("tool-{nth}"), "failed", &"é".repeat(600)));
        let mut failed = message(Some(JobStatus::Failure), entries.collect()).unwrap();
        failed.text = Some("\u{1}".repeat(1_000_000));
        failed.undo.push("x".repeat(300_000));
        let event = webhook().payload(&failed);
        assert!(event.to_string().len() <= BODY);
        assert_eq!(event["reasons"].as_array().unwrap().len(), LISTED);
        assert!(event["text"].as_str().unwrap().ends_with('…'));
        let undo = event["undo"].as_array().unwrap();
        assert!(undo.iter().all(|undo| undo == "health-gate undo") && undo.len() == LISTED);
    }

    /// The example of the specification's own libraries
    /// (<https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/rust/src/lib.rs>).
    #[test]
    fn a_signature_is_that_of_others() {
        let key = Key::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key.signature(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_key_without_a_prefix_is_taken_as_it_is_and_a_broken_one_is_none() {
        let key = Key::read("plain-secret").unwrap();
        assert_eq!(key.0.expose_secret(), b"plain-secret");
        for broken in [
            "whsec_***",
            "whsec_",
            "whsec_c2hvcnQ=",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        ] {
            assert!(Key::read(broken).is_none(), "{broken}");
        }
    }
}
