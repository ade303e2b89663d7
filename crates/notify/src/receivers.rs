//! Who is told: the receivers that are configured, with their addresses checked.

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use gha::context::Context;
use gha::edge::environment;
use gha::interface::SecretSpec;
use gha::{Failure, Runner, text};

use crate::channel::discord::{self, Discord};
use crate::channel::email::{self, Email, NoServer, Server};
use crate::channel::pagerduty::PagerDuty;
use crate::channel::slack::{self, Slack};
use crate::channel::slack_bot::{self, SlackBot};
use crate::channel::teams::{self, Teams};
use crate::channel::webhook::{Key, Webhook};
use crate::channel::{Channel, is_one_of};
use crate::cli::{
    DISCORD, PAGERDUTY, RECEIVERS, Receivers, SLACK, SLACK_TOKEN, SMTP, TEAMS, WEBHOOK, WEBHOOK_SECRET,
};
use crate::error::Error;
use crate::message::Message;
use crate::state::{Posted, State};

/// The names of all receivers, as they stand in results.
pub(crate) const NAMES: [&str; 6] = ["slack", "slack-token", "teams", "discord", "pagerduty", "webhook"];

/// The shortest key of a webhook, in characters: less is guessed, and could not be hidden in a log.
const SHORTEST_KEY: usize = 8;

/// The receivers that are configured.
///
/// # Errors
/// When a secret can't be read, or is not what it should be.
pub(crate) async fn configured(
    flags: &Receivers,
    about: &str,
    runner: &Runner,
) -> Result<Vec<Receiver>, Failure> {
    let mut all = over_http(flags, about, runner).await?;
    if let Some(address) = runner.secret(&SMTP, flags.smtp_url_file.as_deref()).await? {
        all.push(Receiver::Mail(email(
            address.expose_secret(),
            flags,
            about,
            runner,
        )?));
    }
    Ok(all)
}

/// Who gets mail by this server.
fn email(address: &str, flags: &Receivers, about: &str, runner: &Runner) -> Result<Email, Error> {
    let plain = |url: &Url| flags.allow_http || is_loopback(url);
    let server = Server::read(address, plain).map_err(|wrong| match wrong {
        NoServer::Address => Error::NoServer,
        NoServer::Password => Error::NoPassword,
    })?;
    if let Some((_, password)) = &server.credentials {
        // It stands in no message of a server as a part of the address, but alone.
        runner.mask(password.expose_secret());
    }
    if flags.email_to.is_empty() {
        return Err(Error::NoMail("email-to"));
    }
    let context = runner.context();
    let run = format!("{about} {} {}", context.run_id, context.repository);
    let digest: [u8; 32] = Sha256::digest(run).into();
    let thread: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    Ok(Email {
        server,
        from: flags.email_from.clone().ok_or(Error::NoMail("email-from"))?,
        to: flags.email_to.clone(),
        id: uuid::Uuid::from_bytes(environment::random()).simple().to_string(),
        thread,
        date: environment::now().into(),
    })
}

/// Somebody who is told.
pub(crate) enum Receiver {
    /// By requests of HTTP.
    Http(Box<dyn Channel>),
    /// By mail.
    Mail(Email),
}

impl Receiver {
    /// Its name in results.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Http(channel) => channel.name(),
            Self::Mail(_) => email::NAME,
        }
    }

    /// The message that it has of this deploy already.
    pub(crate) fn before<'a>(&self, state: Option<&'a State>) -> Option<&'a Posted> {
        match self {
            Self::Http(channel) => state?.of(channel.name(), channel.place()),
            Self::Mail(_) => None,
        }
    }

    /// Whether a message is for it.
    pub(crate) fn hears(&self, message: &Message, before: Option<&Posted>) -> bool {
        match self {
            Self::Http(channel) => channel.turn(message, before, &[]).is_some(),
            Self::Mail(_) => true,
        }
    }

    /// What it would get, without secrets.
    pub(crate) fn shown(&self, message: &Message, before: Option<&Posted>) -> Vec<String> {
        match self {
            Self::Http(channel) => {
                let calls = channel.calls(message, before);
                let shown = calls.iter().map(|call| channel.shown(call));
                shown
                    .map(|body| serde_json::to_string_pretty(&body).unwrap_or_default())
                    .collect()
            }
            Self::Mail(_) => vec![format!(
                "Subject: {}\n\n{}",
                email::subject(message),
                email::plain(message)
            )],
        }
    }
}

/// Those that are told by HTTP.
async fn over_http(flags: &Receivers, about: &str, runner: &Runner) -> Result<Vec<Receiver>, Failure> {
    let mut all: Vec<Box<dyn Channel>> = Vec::new();
    if let Some(secret) = runner.secret(&SLACK, flags.slack_webhook_file.as_deref()).await? {
        let url = of_service(SLACK.name, secret.expose_secret(), &slack::HOSTS, flags)?;
        let mentions = flags.slack_mention.clone();
        all.push(Box::new(Slack { url, mentions }));
    }
    if let Some(token) = runner
        .secret(&SLACK_TOKEN, flags.slack_token_file.as_deref())
        .await?
    {
        let channel = flags.slack_channel.clone().ok_or(Error::NoChannel)?;
        if !slack_bot::is_channel(&channel) {
            return Err(Error::Channel(text::cut(&text::line(&channel), 40)).into());
        }
        all.push(Box::new(SlackBot {
            url: of_service("slack-url", &flags.slack_url, &slack_bot::HOSTS, flags)?,
            token,
            channel,
            mentions: flags.slack_mention.clone(),
        }));
    }
    if let Some(secret) = runner.secret(&TEAMS, flags.teams_webhook_file.as_deref()).await? {
        let url = of_service(TEAMS.name, secret.expose_secret(), &teams::HOSTS, flags)?;
        let envelope = flags.teams_envelope;
        all.push(Box::new(Teams { url, envelope }));
    }
    if let Some(secret) = runner
        .secret(&DISCORD, flags.discord_webhook_file.as_deref())
        .await?
    {
        let url = of_service(DISCORD.name, secret.expose_secret(), &discord::HOSTS, flags)?;
        all.push(Box::new(Discord { url }));
    }
    if let Some(key) = runner
        .secret(&PAGERDUTY, flags.pagerduty_key_file.as_deref())
        .await?
    {
        all.push(Box::new(PagerDuty {
            url: plain("pagerduty-url", &flags.pagerduty_url, flags.allow_http)?,
            key,
            about: about.to_owned(),
        }));
    }
    let keys = runner
        .secret(&WEBHOOK_SECRET, flags.webhook_secret_file.as_deref())
        .await?;
    let webhook = runner.secret(&WEBHOOK, flags.webhook_url_file.as_deref()).await?;
    match webhook {
        Some(secret) => all.push(Box::new(Webhook {
            url: plain(WEBHOOK.name, secret.expose_secret(), flags.allow_http)?,
            id: format!("msg_{}", uuid::Uuid::from_bytes(environment::random()).simple()),
            timestamp: environment::now().as_second(),
            trace_id: runner.trace().to_string(),
            repository: runner.context().repository.clone(),
            keys: signing(keys.as_ref(), runner)?,
        })),
        None if keys.is_some() => return Err(Error::NoWebhook.into()),
        None => {}
    }
    Ok(all.into_iter().map(Receiver::Http).collect())
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

/// The keys, each of which is a secret of its own.
fn signing(keys: Option<&SecretString>, runner: &Runner) -> Result<Vec<Key>, Error> {
    let keys = keys.map(|keys| keys.expose_secret()).unwrap_or_default();
    let mut all = Vec::new();
    for key in keys.split_whitespace() {
        if key.len() < SHORTEST_KEY {
            return Err(Error::ShortKey);
        }
        runner.mask(key);
        all.push(Key::read(key));
    }
    Ok(all)
}

/// Why a run has no secrets, where it has none by GitHub's rules
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request>).
pub(crate) fn withheld(context: &Context) -> Option<&'static str> {
    let is_request = matches!(
        context.event_name.as_str(),
        "pull_request" | "pull_request_review" | "pull_request_review_comment"
    );
    let head = context.payload.pointer("/pull_request/head/repo/full_name");
    let head = head.and_then(serde_json::Value::as_str).unwrap_or_default();
    if is_request && !head.eq_ignore_ascii_case(&context.repository) {
        return Some("a pull request from a fork");
    }
    let by_dependabot = context.actor == "dependabot[bot]" && context.event_name != "pull_request_target";
    by_dependabot.then_some("a run of Dependabot")
}

/// The address of a service: one of its hosts, or one that the user allows. The error does not repeat the address.
fn of_service(name: &'static str, secret: &str, hosts: &[&str], flags: &Receivers) -> Result<Url, Error> {
    let url = plain(name, secret, flags.allow_http)?;
    let host = url.host_str().unwrap_or_default();
    if is_one_of(host, &["webhook.office.com", ".webhook.office.com"]) {
        return Err(Error::Connector(name));
    }
    let allowed: Vec<&str> = flags.allow_host.iter().map(String::as_str).collect();
    if is_loopback(&url) || is_one_of(host, hosts) || is_one_of(host, &allowed) {
        return Ok(url);
    }
    Err(Error::Host {
        name,
        host: text::cut(&text::visible(host), 100),
        known: hosts.join(", "),
    })
}

/// An address with TLS, or of this machine. The error does not repeat it.
fn plain(name: &'static str, written: &str, allow_http: bool) -> Result<Url, Error> {
    let url = Url::parse(written).map_err(|_| Error::Address(name))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_http || is_loopback(&url) => Ok(url),
        "http" => Err(Error::Plain(name)),
        _ => Err(Error::Address(name)),
    }
}

fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser as _;
    use gha::env::Env;

    #[test]
    fn an_address_has_tls_or_is_our_own() {
        for (secret, allow_http, good) in [
            ("https://hooks.slack.com/services/x", false, true),
            ("http://127.0.0.1:80/x", false, true),
            ("http://[::1]:80/x", false, true),
            ("http://example.com/x", false, false),
            ("http://example.com/x", true, true),
            ("file:///etc/passwd", true, false),
            ("hooks.slack.com/services/secret", false, false),
        ] {
            let address = plain("webhook-url", secret, allow_http);
            assert_eq!(address.is_ok(), good, "{secret}");
            let said = address.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!said.contains("secret"));
        }
    }

    #[test]
    fn an_address_is_of_its_service() {
        let cli = Cli::parse_from(["notify", "send", "--allow-host", "relay.example.com"]);
        let Command::Send(send) = cli.command else {
            panic!("it is another command");
        };
        for (spec, hosts, secret, good) in [
            (
                &SLACK,
                &slack::HOSTS[..],
                "https://hooks.slack.com/services/secret",
                true,
            ),
            (
                &SLACK,
                &slack::HOSTS,
                "https://relay.example.com/services/secret",
                true,
            ),
            (
                &SLACK,
                &slack::HOSTS,
                "https://discord.com/api/webhooks/1/secret",
                false,
            ),
            (
                &DISCORD,
                &discord::HOSTS,
                "https://discord.com/api/webhooks/1/secret",
                true,
            ),
            (
                &TEAMS,
                &teams::HOSTS,
                "https://prod-1.westeurope.logic.azure.com/w?sig=secret",
                true,
            ),
            (
                &TEAMS,
                &teams::HOSTS,
                "https://acme.webhook.office.com/webhookb2/secret",
                false,
            ),
        ] {
            let address = of_service(spec.name, secret, hosts, &send.receivers);
            assert_eq!(address.is_ok(), good, "{secret}");
            let said = address.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!said.contains("secret"), "{said}");
        }
    }

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
