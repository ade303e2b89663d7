//! Who is told: the receivers that are configured, by flags and in a file, and which of them a message is for.

use gha::context::Context;
use gha::interface::SecretSpec;
use gha::{Failure, Runner};

use crate::channel::email::{self, Email};
use crate::channel::{Channel, github, slack, slack_bot};
use crate::cli::{RECEIVERS, Receivers as Flags};
use crate::message::Message;
use crate::phase::Phase;
use crate::routes::{self, Given, Routes};
use crate::state::{Posted, State};

mod address;
mod declared;
mod flags;
mod making;
mod token;

use making::Making;

/// The names of the receivers that flags configure, as they stand in results.
pub(crate) const NAMES: [&str; 13] = [
    slack::NAME,
    slack::INFO,
    slack_bot::NAME,
    slack_bot::INFO,
    "teams",
    "discord",
    "pagerduty",
    email::NAME,
    "webhook",
    github::status::NAME,
    github::comment::NAME,
    github::deployment::NAME,
    github::release_notes::NAME,
];

/// Somebody who is told.
pub(crate) struct Receiver {
    /// The name in results and routes.
    pub(crate) name: String,
    /// How.
    pub(crate) way: Way,
}

/// How somebody is told.
pub(crate) enum Way {
    /// By requests of HTTP.
    Http(Box<dyn Channel>),
    /// By mail.
    Mail(Box<Email>),
}

/// All who may be told, and the routes to them.
pub(crate) struct Receivers {
    /// All.
    pub(crate) all: Vec<Receiver>,
    /// The names of those whom nothing about this deploy can concern, by the routes.
    aside: Vec<String>,
    routes: Routes,
}

/// A receiver that a message is for, with the message that it has of this deploy already.
pub(crate) type Taken<'a> = (&'a Receiver, Option<&'a Posted>);

/// The receivers that are configured.
///
/// # Errors
/// When a secret or the file of routes can't be read, or is not what it should be.
pub(crate) async fn configured(
    flags: &Flags,
    message: &Message,
    runner: &Runner,
) -> Result<Receivers, Failure> {
    let given = flags.routes.as_ref().map(routes::given).transpose()?;
    let claimed = match &given {
        Some(Given::File(file)) => file.variables(),
        _ => Vec::new(),
    };
    let making = Making {
        claimed: &claimed,
        about: &message.about.to_string(),
        allow_host: &flags.allow_host,
        slack_url: &flags.slack_url,
        pagerduty_url: &flags.pagerduty_url,
        allow_http: flags.allow_http,
        runner,
    };
    let mut all = flags::over_http(flags, &making).await?;
    all.extend(flags::by_mail(flags, &making).await?);
    all.extend(flags::on_github(flags, message, &making).await?);
    let mut aside = Vec::new();
    let routes = match given {
        None => Routes::everything(),
        Some(Given::BySeverity) => {
            let names: Vec<&str> = all.iter().map(|receiver| receiver.name.as_str()).collect();
            Routes::by_severity(&names)
        }
        Some(Given::File(file)) => {
            let (declared, others) = declared::all(&file, &message.known(), &making).await?;
            all.extend(declared);
            aside = others;
            file.routes
        }
    };
    for name in all
        .iter()
        .map(|receiver| &receiver.name)
        .filter(|name| !routes.lead_to(name))
    {
        runner.warn(&format!("`{name}` is configured, and no route leads to it"));
    }
    Ok(Receivers { all, aside, routes })
}

impl Receivers {
    /// Those that a message is for: by a route, because what they have of this deploy must be brought up to date, or because an alert of
    /// theirs ends.
    pub(crate) fn taken<'a>(&'a self, message: &Message, state: Option<&'a State>) -> Vec<Taken<'a>> {
        let of_now = |receiver: &'a Receiver| (receiver, receiver.before(state));
        let is_for = |(receiver, before): &Taken<'_>| {
            let is_of_it = self.routes.concern(&message.known(), &receiver.name);
            let ends = message.phase == Phase::Succeeded && receiver.has_alerts() && is_of_it;
            let is_taken = self.routes.take(message, &receiver.name) || before.is_some() || ends;
            is_taken && receiver.hears(message, *before)
        };
        self.all.iter().map(of_now).filter(is_for).collect()
    }

    /// Whether somebody is configured.
    pub(crate) fn are_there(&self) -> bool {
        !self.all.is_empty() || !self.aside.is_empty()
    }

    /// Whether somebody of this name is configured.
    pub(crate) fn has(&self, name: &str) -> bool {
        let is_there = self.all.iter().any(|receiver| receiver.name == name);
        is_there || self.aside.iter().any(|aside| aside == name)
    }

    /// Whom a route names for a message, and nothing configures.
    pub(crate) fn absent(&self, message: &Message) -> Vec<String> {
        let mut absent: Vec<String> = self.routes.named(message).map(str::to_owned).collect();
        absent.retain(|name| !self.has(name));
        absent.dedup();
        absent
    }

    /// Whether there are receivers, and no route leads this message to one of them.
    pub(crate) fn leave_out(&self, message: &Message) -> bool {
        let takes = |receiver: &Receiver| {
            let hears = receiver.hears(message, None) && !receiver.is_record();
            hears && self.routes.take(message, &receiver.name)
        };
        self.routes.are_given() && self.are_there() && !self.all.iter().any(takes)
    }
}

impl Receiver {
    fn http(name: &str, channel: impl Channel + 'static) -> Self {
        Self {
            name: name.to_owned(),
            way: Way::Http(Box::new(channel)),
        }
    }

    /// The message that it has of this deploy already.
    pub(crate) fn before<'a>(&self, state: Option<&'a State>) -> Option<&'a Posted> {
        match &self.way {
            Way::Http(channel) => state?.of(&self.name, channel.place()),
            Way::Mail(_) => None,
        }
    }

    /// Whether it has something to do with a message.
    fn hears(&self, message: &Message, before: Option<&Posted>) -> bool {
        match &self.way {
            Way::Http(channel) => channel.turn(message, before, &[]).is_some(),
            Way::Mail(_) => true,
        }
    }

    fn has_alerts(&self) -> bool {
        matches!(&self.way, Way::Http(channel) if channel.has_alerts())
    }

    /// Whether it keeps a record of what is, where all others call somebody.
    fn is_record(&self) -> bool {
        matches!(&self.way, Way::Http(channel) if channel.github().is_some())
    }

    /// What it would get, without secrets.
    pub(crate) fn shown(&self, message: &Message, before: Option<&Posted>) -> Vec<String> {
        match &self.way {
            Way::Http(channel) => {
                let calls = channel.calls(message, before);
                let shown = calls.iter().map(|call| channel.shown(call));
                shown
                    .map(|body| serde_json::to_string_pretty(&body).unwrap_or_default())
                    .collect()
            }
            Way::Mail(_) => vec![format!(
                "Subject: {}\n\n{}",
                email::subject(message),
                email::plain(message)
            )],
        }
    }
}

/// What would configure a receiver: inputs in a workflow, variables elsewhere.
pub(crate) fn names(runner: &Runner) -> String {
    let in_runner = runner.env().in_runner();
    let name = |spec: &SecretSpec| match in_runner {
        true => format!("`{}`", spec.name),
        false => format!("`{}`", spec.env),
    };
    let names: Vec<String> = RECEIVERS.iter().map(name).collect();
    let (last, others) = names
        .split_last()
        .map_or(("", &[][..]), |(last, others)| (&**last, others));
    let input = if in_runner { "input " } else { "" };
    format!("{input}{} or {last}", others.join(", "))
}

/// Why a run has no secrets, where it has none by GitHub's rules
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request>).
pub(crate) fn withheld(context: &Context) -> Option<&'static str> {
    let is_request = matches!(
        context.event_name.as_str(),
        "pull_request" | "pull_request_review" | "pull_request_review_comment"
    );
    // Without the event nobody knows; a fork that was deleted is `null`.
    let head = context.payload.pointer("/pull_request/head");
    let is_ours = |head: &serde_json::Value| {
        let name = head
            .pointer("/repo/full_name")
            .and_then(serde_json::Value::as_str);
        name.is_some_and(|name| name.eq_ignore_ascii_case(&context.repository))
    };
    if is_request && head.is_some_and(|head| !is_ours(head)) {
        return Some("a pull request from a fork");
    }
    let by_dependabot = context.actor == "dependabot[bot]" && context.event_name != "pull_request_target";
    by_dependabot.then_some("a run of Dependabot")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gha::env::Env;

    #[test]
    fn a_fork_and_dependabot_are_told_apart_from_a_mistake() {
        let of = |event: &str, actor: &str, head: &str| {
            let env: Env = [
                ("GITHUB_EVENT_NAME", event),
                ("GITHUB_ACTOR", actor),
                ("GITHUB_REPOSITORY", "acme/shop"),
            ]
            .into_iter()
            .collect();
            let payload = format!(r#"{{"pull_request":{{"head":{{"repo":{head}}}}}}}"#);
            withheld(&Context::of(&env, Some(Ok(payload.into_bytes()))))
        };
        let (own, fork) = (r#"{"full_name":"Acme/shop"}"#, r#"{"full_name":"eve/shop"}"#);
        assert_eq!(of("pull_request", "ada", own), None);
        assert_eq!(
            of("pull_request", "eve", fork),
            Some("a pull request from a fork")
        );
        // The fork was deleted.
        assert_eq!(
            of("pull_request", "eve", "null"),
            Some("a pull request from a fork")
        );
        // These have the secrets of the repository.
        assert_eq!(of("pull_request_target", "eve", fork), None);
        assert_eq!(of("push", "ada", "null"), None);
        assert_eq!(
            of("pull_request", "dependabot[bot]", own),
            Some("a run of Dependabot")
        );
    }
}
