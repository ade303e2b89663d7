//! Receivers, each made of its secret and of what the user says about it.

use std::path::Path;

use gha::edge::environment;
use gha::interface::{SecretSpec, variable};
use gha::{Failure, Runner, text};
use lettre::message::Mailbox;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::address::{is_loopback, of_service, plain};
use super::token;
use crate::channel::discord::{self, Discord};
use crate::channel::email::{Email, NoServer, Server};
use crate::channel::pagerduty::PagerDuty;
use crate::channel::slack::{self, Mention, Slack};
use crate::channel::slack_bot::{self, SlackBot};
use crate::channel::teams::{self, Envelope, Teams};
use crate::channel::webhook::{Key, Webhook};
use crate::error::Error;

/// The shortest key of a webhook, in characters: less is guessed, and could not be hidden in a log.
const SHORTEST_KEY: usize = 8;

/// The shortest password of a mail server that is hidden by itself: less stands in ordinary words, which nobody could read any more.
const SHORTEST_PASSWORD: usize = 6;

/// What all receivers are made with. What a function calls `said` is the user's name for the secret.
#[derive(Clone, Copy)]
pub(super) struct Making<'a> {
    /// What is deployed where.
    pub(super) about: &'a str,
    /// Hosts that an address may have beside those of its service.
    pub(super) allow_host: &'a [String],
    /// Where Slack's API is, where nothing else is said.
    pub(super) slack_url: &'a str,
    /// Where PagerDuty's events go, where nothing else is said.
    pub(super) pagerduty_url: &'a str,
    /// Whether an address may be without TLS.
    pub(super) allow_http: bool,
    /// The variables that a file of routes names: what they hold is for the receivers of the file alone.
    pub(super) claimed: &'a [String],
    /// The runner.
    pub(super) runner: &'a Runner,
}

impl Making<'_> {
    /// The secret of an input, from its file, the input, or its variable.
    pub(super) async fn secret(
        &self,
        spec: &SecretSpec,
        file: Option<&Path>,
    ) -> Result<Option<SecretString>, Failure> {
        let is_claimed = self.claimed.iter().any(|variable| variable == spec.env);
        let is_input = self.runner.env().get(&variable(spec.name)).is_some();
        if is_claimed && !is_input && file.is_none() {
            return Ok(None);
        }
        self.runner.secret(spec, file).await
    }

    fn of_service(&self, said: &str, written: &str, hosts: &[&str]) -> Result<Url, Error> {
        of_service(said, written, hosts, (self.allow_host, self.allow_http))
    }

    /// An address that may have any host.
    pub(super) fn anywhere(&self, said: &str, written: &str) -> Result<Url, Error> {
        plain(said, written, self.allow_http)
    }

    pub(super) fn slack(
        &self,
        said: &str,
        webhook: &SecretString,
        mentions: Vec<Mention>,
    ) -> Result<Slack, Error> {
        let url = self.of_service(said, webhook.expose_secret(), &slack::HOSTS)?;
        Ok(Slack { url, mentions })
    }

    /// A channel where an app posts; `url` is where the API is, and what the user calls that.
    pub(super) fn slack_bot(
        &self,
        said: &str,
        token: SecretString,
        url: Option<(&str, &str)>,
        channel: &str,
        mentions: Vec<Mention>,
    ) -> Result<SlackBot, Error> {
        if !slack_bot::is_channel(channel) {
            // An address of Slack would be a secret.
            let shown = if channel.contains("://") {
                "an address"
            } else {
                channel
            };
            return Err(Error::Channel(text::cut(&text::line(shown), 40)));
        }
        let (said_url, url) = url.unwrap_or(("slack-url", self.slack_url));
        Ok(SlackBot {
            url: self.of_service(said_url, url, &slack_bot::HOSTS)?,
            token: token::checked(said, token, token::SLACK)?,
            channel: channel.to_owned(),
            mentions,
        })
    }

    pub(super) fn teams(
        &self,
        said: &str,
        webhook: &SecretString,
        envelope: Envelope,
    ) -> Result<Teams, Error> {
        let url = self.of_service(said, webhook.expose_secret(), &teams::HOSTS)?;
        Ok(Teams { url, envelope })
    }

    pub(super) fn discord(&self, said: &str, webhook: &SecretString) -> Result<Discord, Error> {
        let url = self.of_service(said, webhook.expose_secret(), &discord::HOSTS)?;
        Ok(Discord { url })
    }

    /// A service of PagerDuty; `url` is where its events go, and what the user calls that.
    pub(super) fn pagerduty(
        &self,
        said: &str,
        key: SecretString,
        url: Option<(&str, &str)>,
    ) -> Result<PagerDuty, Error> {
        let (said_url, url) = url.unwrap_or(("pagerduty-url", self.pagerduty_url));
        Ok(PagerDuty {
            url: self.anywhere(said_url, url)?,
            key: token::checked(said, key, token::PAGERDUTY)?,
        })
    }

    /// A receiver of JSON, with the keys that sign for it.
    pub(super) fn webhook(
        &self,
        said: &str,
        address: &SecretString,
        keys: Option<&SecretString>,
    ) -> Result<Webhook, Error> {
        Ok(Webhook {
            url: self.anywhere(said, address.expose_secret())?,
            id: format!("msg_{}", uuid::Uuid::from_bytes(environment::random()).simple()),
            timestamp: environment::now().as_second(),
            trace_id: self.runner.trace().to_string(),
            repository: self.runner.context().repository.clone(),
            keys: self.signing(keys)?,
        })
    }

    /// The keys, each of which is a secret of its own.
    fn signing(&self, keys: Option<&SecretString>) -> Result<Vec<Key>, Error> {
        let keys = keys.map(|keys| keys.expose_secret()).unwrap_or_default();
        let mut all = Vec::new();
        for key in keys.split_whitespace() {
            if key.len() < SHORTEST_KEY {
                return Err(Error::ShortKey);
            }
            self.runner.mask(key);
            all.push(Key::read(key).ok_or(Error::BrokenKey)?);
        }
        Ok(all)
    }

    /// Who gets mail by this server.
    pub(super) fn email(
        &self,
        said: &str,
        server: &SecretString,
        from: Mailbox,
        to: Vec<Mailbox>,
    ) -> Result<Email, Error> {
        let plain = |url: &Url| self.allow_http || is_loopback(url);
        let server = Server::read(server.expose_secret(), plain).map_err(|wrong| match wrong {
            NoServer::Address => Error::NoServer(said.to_owned()),
            NoServer::Password => Error::NoPassword(said.to_owned()),
        })?;
        if let Some((_, password)) = &server.credentials
            && password.expose_secret().len() >= SHORTEST_PASSWORD
        {
            // It stands in no message of a server as a part of the address, but alone.
            self.runner.mask(password.expose_secret());
        }
        let context = self.runner.context();
        let run = format!("{} {} {}", self.about, context.run_id, context.repository);
        let digest: [u8; 32] = Sha256::digest(run).into();
        let thread: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Ok(Email {
            server,
            from,
            to,
            id: uuid::Uuid::from_bytes(environment::random()).simple().to_string(),
            thread,
            date: environment::now().into(),
        })
    }
}
