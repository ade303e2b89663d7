//! Channels: the places a message goes to. One kind is one file, and each is pure: it makes what is sent and judges
//! what is answered.

use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::Value;

use crate::channel::github::Repository;
use crate::delivery::Answer;
use crate::message::Message;
use crate::state::Posted;

pub mod discord;
pub mod email;
pub mod github;
#[cfg(test)]
mod hostile;
pub mod pagerduty;
pub mod slack;
pub mod slack_bot;
pub mod summary;
pub mod teams;
pub mod webhook;

/// One request by which a receiver is told: a POST of JSON, where nothing else is said.
#[derive(Clone, PartialEq)]
pub struct Call {
    /// What is done.
    pub method: Method,
    /// Where to. Secret as a whole, so that nothing shows it.
    pub url: Url,
    /// Headers beside `content-type`. Some are secret.
    pub headers: Vec<(&'static str, String)>,
    /// The body; `null` where there is none. Texts of the message are inert in it.
    pub payload: Value,
    /// Whether the receiver knows a repeated one, so that it may be sent again when its fate is not known.
    pub repeatable: bool,
    /// Refusals that are answers all the same, by their status.
    pub heeds: &'static [u16],
}

impl Call {
    /// A POST of JSON.
    #[must_use]
    pub fn post(url: Url, payload: Value) -> Self {
        Self {
            method: Method::POST,
            url,
            headers: Vec::new(),
            payload,
            repeatable: false,
            heeds: &[],
        }
    }

    /// The same, which the receiver knows when it comes again.
    #[must_use]
    pub fn repeatable(self) -> Self {
        Self {
            repeatable: true,
            ..self
        }
    }
}

/// What was answered to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The status.
    pub code: u16,
    /// The body; `null` where it is no JSON.
    pub body: Value,
    /// Where the answer goes on, if it has several pages (<https://www.rfc-editor.org/rfc/rfc8288>).
    pub next: Option<Url>,
}

/// What became of a message that a receiver has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is a new one.
    Sent,
    /// It took the place of an earlier one.
    Updated,
    /// It is left out, for this reason: who reads there is told otherwise.
    Left(String),
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
    fn turn(&self, message: &Message, before: Option<&Posted>, heard: &[Heard]) -> Option<Call> {
        self.calls(message, before).into_iter().nth(heard.len())
    }

    /// The message that can be brought up to date later, by what was answered.
    fn posted(&self, _before: Option<&Posted>, _heard: &[Heard]) -> Option<Posted> {
        None
    }

    /// What became of the message, by what was answered.
    fn fate(&self, before: Option<&Posted>, heard: &[Heard]) -> Fate {
        match self.posted(before, heard) {
            Some(posted) if before == Some(&posted) => Fate::Updated,
            _ => Fate::Sent,
        }
    }

    /// What of a call's body may be shown: what it can't do without a secret is left out.
    fn shown(&self, call: &Call) -> Value {
        call.payload.clone()
    }

    /// How long to wait, where the body of an answer says so and no header does.
    fn wait(&self, _body: &str) -> Option<Duration> {
        None
    }

    /// The repository of GitHub that this is about, where octocrab is to send the calls.
    fn github(&self) -> Option<&Repository> {
        None
    }

    /// Whether it has alerts that end when all is well again.
    fn has_alerts(&self) -> bool {
        false
    }

    /// The request that tells whether the credentials work, and changes nothing; none where the service has none.
    fn asks(&self) -> Option<Call> {
        None
    }

    /// As whom we are known, by the answer to that. Foreign text.
    fn is_known_as(&self, _body: &Value) -> Option<String> {
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
