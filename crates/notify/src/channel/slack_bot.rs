//! Slack by the token of an app (<https://docs.slack.dev/reference/methods/chat.postMessage>): what is told can be brought up to date,
//! and a failure is answered to in its thread, because a message that is changed notifies nobody.

use gha::text;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::channel::slack::{self, Mention};
use crate::channel::{Call, Channel, Heard};
use crate::delivery::Answer;
use crate::message::Message;
use crate::state::Posted;

/// Where the API is, but for GovSlack (`https://slack-gov.com`).
pub const SLACK: &str = "https://slack.com";

/// Whose hosts it has.
pub const HOSTS: [&str; 2] = ["slack.com", "slack-gov.com"];

/// The name in results, and in what is kept between two commands.
pub const NAME: &str = "slack-token";
/// That of the channel for information.
pub const INFO: &str = "slack-token-info";

/// Why a message can't be changed any more (<https://docs.slack.dev/reference/methods/chat.update#errors>).
const GONE: [&str; 3] = ["message_not_found", "edit_window_closed", "cant_update_message"];

/// A channel in which an app posts.
pub struct SlackBot {
    /// Where the API is.
    pub url: Url,
    /// The app's token.
    pub token: SecretString,
    /// The channel, by its id or `#name`.
    pub channel: String,
    /// Who is mentioned when it failed.
    pub mentions: Vec<Mention>,
}

impl Channel for SlackBot {
    fn name(&self) -> &'static str {
        NAME
    }

    fn place(&self) -> &str {
        &self.channel
    }

    fn calls(&self, message: &Message, before: Option<&Posted>) -> Vec<Call> {
        let Some(before) = before else {
            return vec![self.post(message)];
        };
        let reply = message.phase.is_bad().then(|| self.reply(message, before));
        [self.update(message, before)].into_iter().chain(reply).collect()
    }

    fn turn(&self, message: &Message, before: Option<&Posted>, heard: &[Heard]) -> Option<Call> {
        match heard {
            // It is gone, or too old to be changed.
            [first] if before.is_some() && first.body["ok"] != true => Some(self.post(message)),
            [first, ..] if before.is_some() && first.body["ok"] != true => None,
            _ => self.calls(message, before).into_iter().nth(heard.len()),
        }
    }

    fn posted(&self, before: Option<&Posted>, heard: &[Heard]) -> Option<Posted> {
        let answer = heard.iter().find(|answer| answer.body["ok"] == true)?;
        if let Some(before) = before.filter(|_| heard.first() == Some(answer)) {
            return Some(before.clone());
        }
        let part = |name: &str| answer.body[name].as_str().map(str::to_owned);
        Some(Posted {
            channel: NAME.to_owned(),
            to: self.channel.clone(),
            place: part("channel")?,
            id: part("ts")?,
        })
    }

    fn asks(&self) -> Option<Call> {
        Some(self.call("auth.test", json!({}), true))
    }

    fn is_known_as(&self, body: &Value) -> Option<String> {
        Some(format!(
            "as `{}` of `{}`",
            body["user"].as_str()?,
            body["team"].as_str()?
        ))
    }

    /// An answer of 200 may be a refusal (<https://docs.slack.dev/apis/web-api/using-the-slack-web-api#slack-web-api__evaluating-responses>).
    fn accepted(&self, answer: &Answer) -> bool {
        let Answer::Status { body, .. } = answer else {
            return false;
        };
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let error = body["error"].as_str().unwrap_or_default();
        body["ok"] == true || GONE.contains(&error)
    }

    fn hint(&self, body: &str) -> Option<&'static str> {
        let body: Value = serde_json::from_str(body).ok()?;
        Some(match body["error"].as_str()? {
            "channel_not_found" | "not_in_channel" => {
                "invite the app to the channel (`/invite @app`), and check its id in `slack-channel`"
            }
            "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
                "check `slack-token`: it begins with `xoxb-`"
            }
            "missing_scope" => "give the app the scope `chat:write`, and install it again",
            "is_archived" => "the channel is archived; name another in `slack-channel`",
            _ => return None,
        })
    }
}

impl SlackBot {
    fn post(&self, message: &Message) -> Call {
        let mut payload = slack::mentioning(slack::payload(message), message, &self.mentions);
        payload["channel"] = self.channel.clone().into();
        self.call("chat.postMessage", payload, false)
    }

    fn update(&self, message: &Message, before: &Posted) -> Call {
        let mut payload = slack::payload(message);
        // What is changed must be named by its channel's id; a name is refused.
        payload["channel"] = before.place.clone().into();
        payload["ts"] = before.id.clone().into();
        self.call("chat.update", payload, true)
    }

    fn reply(&self, message: &Message, before: &Posted) -> Call {
        let payload =
            json!({"blocks": [slack::section(&message.headline)], "text": slack::escape(&message.headline)});
        let mut payload = slack::mentioning(payload, message, &self.mentions);
        payload["channel"] = before.place.clone().into();
        payload["thread_ts"] = before.id.clone().into();
        self.call("chat.postMessage", payload, false)
    }

    fn call(&self, method: &str, payload: Value, repeatable: bool) -> Call {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/api/{method}"));
        Call {
            headers: vec![("authorization", format!("Bearer {}", self.token.expose_secret()))],
            repeatable,
            ..Call::post(url, payload)
        }
    }
}

/// A channel as the user names it, where it can be one.
#[must_use]
pub fn is_channel(named: &str) -> bool {
    let name = named.strip_prefix('#').unwrap_or(named);
    !name.is_empty()
        && name.chars().count() <= 80
        && !name.contains(|c: char| c.is_whitespace() || text::is_hidden(c) || "/:@<>&|\"'".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::JobStatus;
    use crate::message::tests::{entry, message};

    fn bot() -> SlackBot {
        SlackBot {
            url: Url::parse(SLACK).unwrap(),
            token: "xoxb-secret-token".to_owned().into(),
            channel: "#deploys".to_owned(),
            mentions: vec![
                "U1".parse().unwrap(),
                "S2".parse().unwrap(),
                "here".parse().unwrap(),
            ],
        }
    }

    fn failed() -> Message {
        message(
            Some(JobStatus::Failure),
            vec![entry("health-gate", "failed", "x <!channel>")],
        )
        .unwrap()
    }

    fn good() -> Message {
        message(Some(JobStatus::Success), vec![]).unwrap()
    }

    fn there() -> Posted {
        Posted {
            channel: NAME.to_owned(),
            to: "#deploys".to_owned(),
            place: "C1".to_owned(),
            id: "1.5".to_owned(),
        }
    }

    fn ok(ts: &str) -> Value {
        json!({"ok": true, "channel": "C1", "ts": ts})
    }

    /// The methods that are called when these are the answers, and what is kept.
    fn told(message: &Message, before: Option<&Posted>, answers: &[Value]) -> (Vec<String>, Option<Posted>) {
        let (bot, mut methods, mut heard) = (bot(), Vec::new(), Vec::new());
        while let Some(call) = bot.turn(message, before, &heard) {
            methods.push(call.url.path().replace("/api/", ""));
            heard.push(Heard {
                code: 200,
                body: answers[heard.len()].clone(),
                next: None,
            });
        }
        let posted = bot.posted(before, &heard);
        (methods, posted)
    }

    #[test]
    fn a_message_is_posted_and_brought_up_to_date() {
        let (methods, posted) = told(&good(), None, &[ok("1.5")]);
        assert_eq!(
            (methods, posted),
            (vec!["chat.postMessage".to_owned()], Some(there()))
        );
        let (methods, posted) = told(&good(), Some(&there()), &[ok("1.5")]);
        assert_eq!((methods, posted), (vec!["chat.update".to_owned()], Some(there())));
        let update = &bot().calls(&good(), Some(&there()))[0].payload;
        assert_eq!((&update["channel"], &update["ts"]), (&json!("C1"), &json!("1.5")));
    }

    #[test]
    fn a_failure_is_answered_to_in_the_thread_with_those_who_must_know() {
        let (methods, posted) = told(&failed(), Some(&there()), &[ok("1.5"), ok("1.6")]);
        assert_eq!(methods, ["chat.update", "chat.postMessage"]);
        assert_eq!(posted, Some(there()));
        let calls = bot().calls(&failed(), Some(&there()));
        assert_eq!(calls[1].payload["thread_ts"], "1.5");
        let blocks = calls[1].payload["blocks"].to_string();
        assert!(blocks.contains("<@U1> <!subteam^S2> <!here>"), "{blocks}");
        // Where it was changed nobody would hear of it, and where all is well nobody is called.
        assert!(!calls[0].payload.to_string().contains("<@U1>"));
        assert!(
            !bot().calls(&good(), None)[0]
                .payload
                .to_string()
                .contains("<@U1>")
        );
    }

    #[test]
    fn a_message_that_is_gone_is_posted_anew() {
        let gone = json!({"ok": false, "error": "message_not_found"});
        let (methods, posted) = told(&failed(), Some(&there()), &[gone, ok("2.5")]);
        assert_eq!(methods, ["chat.update", "chat.postMessage"]);
        assert_eq!(posted.unwrap().id, "2.5");
    }

    #[test]
    fn a_refusal_has_the_status_200() {
        let answer = |body: &str| Answer::Status {
            code: 200,
            retry_after: None,
            body: body.to_owned(),
        };
        assert!(bot().accepted(&answer(r#"{"ok":true,"channel":"C1","ts":"1"}"#)));
        assert!(!bot().accepted(&answer(r#"{"ok":false,"error":"channel_not_found"}"#)));
        assert!(!bot().accepted(&answer("<html>")));
        let hint = bot().hint(r#"{"ok":false,"error":"not_in_channel"}"#);
        assert!(hint.unwrap().contains("/invite"));
    }

    #[test]
    fn only_ids_and_words_of_slack_are_mentions() {
        for wrong in ["", "U", "u1", "@ada", "<!channel>", "U1>", "U1 U2", "all"] {
            assert!(wrong.parse::<Mention>().is_err(), "{wrong}");
        }
        for wrong in [
            "",
            "#",
            "a b",
            "a\nb",
            "https://hooks.slack.com/services/x",
            "<!here>",
            "@ada",
        ] {
            assert!(!is_channel(wrong), "{wrong}");
        }
        assert!(is_channel("#deploys") && is_channel("C0123456789") && is_channel("#デプロイ"));
    }
}
