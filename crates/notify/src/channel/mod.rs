//! Channels: the places a message goes to. One kind is one file, and each is pure: it makes what is sent and judges
//! what is answered.

use std::time::Duration;

use reqwest::Url;
use serde_json::Value;

use crate::delivery::Answer;
use crate::message::Message;
use crate::state::Posted;

pub mod discord;
pub mod email;
pub mod pagerduty;
pub mod slack;
pub mod slack_bot;
pub mod summary;
pub mod teams;
pub mod webhook;

/// One request by which a receiver is told: a POST of JSON.
#[derive(Clone, PartialEq)]
pub struct Call {
    /// Where to. Secret as a whole, so that nothing shows it.
    pub url: Url,
    /// Headers beside `content-type`. Some are secret.
    pub headers: Vec<(&'static str, String)>,
    /// The body. Texts of the message are inert in it.
    pub payload: Value,
    /// Whether the receiver knows a repeated one, so that it may be sent again when its fate is not known.
    pub repeatable: bool,
}

/// A receiver of JSON over HTTP.
pub trait Channel {
    /// Its name in the log and in the results.
    fn name(&self) -> &'static str;

    /// What the user calls the place where it is told; only where a place has several messages.
    fn place(&self) -> &str {
        ""
    }

    /// The requests that tell it where all goes well, in order; none where this message is not for it. `before` is the message that it
    /// has of this deploy already.
    fn calls(&self, message: &Message, before: Option<&Posted>) -> Vec<Call>;

    /// The next request, after these bodies of answers; nothing where it is told.
    fn turn(&self, message: &Message, before: Option<&Posted>, heard: &[Value]) -> Option<Call> {
        self.calls(message, before).into_iter().nth(heard.len())
    }

    /// The message that can be brought up to date later, by what was answered.
    fn posted(&self, _before: Option<&Posted>, _heard: &[Value]) -> Option<Posted> {
        None
    }

    /// What of a call's body may be shown: what it can't do without a secret is left out.
    fn shown(&self, call: &Call) -> Value {
        call.payload.clone()
    }

    /// How long to wait, where the body of an answer says so and no header does.
    fn wait(&self, _body: &str) -> Option<Duration> {
        None
    }

    /// Whether a successful answer means that the message arrived.
    fn accepted(&self, answer: &Answer) -> bool;

    /// What to do about an answer, where the receiver's own word for it does not say that.
    fn hint(&self, _body: &str) -> Option<&'static str> {
        None
    }
}

/// Whether a host is one of a service's, where a name that begins with a dot stands for all below it.
#[must_use]
pub fn is_one_of(host: &str, hosts: &[&str]) -> bool {
    let host = host.to_ascii_lowercase();
    hosts.iter().any(|known| match known.strip_prefix('.') {
        Some(_) => host.ends_with(known),
        None => host == **known,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_named_or_below_a_name() {
        for (host, hosts, is) in [
            ("hooks.slack.com", &["hooks.slack.com"][..], true),
            ("Hooks.Slack.com", &["hooks.slack.com"], true),
            ("evil-hooks.slack.com.example", &["hooks.slack.com"], false),
            ("prod-1.logic.azure.com", &[".logic.azure.com"], true),
            ("logic.azure.com.example", &[".logic.azure.com"], false),
            ("xlogic.azure.com", &[".logic.azure.com"], false),
        ] {
            assert_eq!(is_one_of(host, hosts), is, "{host}");
        }
    }
}
