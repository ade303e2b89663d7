//! Who is told: the receivers that are configured, with their addresses checked.

use reqwest::Url;
use secrecy::ExposeSecret as _;

use gha::edge::environment;
use gha::interface::SecretSpec;
use gha::{Failure, Runner, text};

use crate::channel::discord::{self, Discord};
use crate::channel::pagerduty::PagerDuty;
use crate::channel::slack::{self, Slack};
use crate::channel::teams::{self, Teams};
use crate::channel::webhook::Webhook;
use crate::channel::{Channel, is_one_of};
use crate::cli::{Cli, DISCORD, INTERFACE, PAGERDUTY, SLACK, TEAMS, WEBHOOK};
use crate::error::Error;
use crate::message::Message;

/// The receivers that are configured.
///
/// # Errors
/// When a secret can't be read, or is not what it should be.
pub(crate) async fn configured(
    cli: &Cli,
    message: Option<&Message>,
    runner: &Runner,
) -> Result<Vec<Box<dyn Channel>>, Failure> {
    let mut all: Vec<Box<dyn Channel>> = Vec::new();
    if let Some(secret) = runner.secret(&SLACK, cli.slack_webhook_file.as_deref()).await? {
        let url = of_service(&SLACK, secret.expose_secret(), &slack::HOSTS, cli)?;
        all.push(Box::new(Slack { url }));
    }
    if let Some(secret) = runner.secret(&TEAMS, cli.teams_webhook_file.as_deref()).await? {
        let url = of_service(&TEAMS, secret.expose_secret(), &teams::HOSTS, cli)?;
        let envelope = cli.teams_envelope;
        all.push(Box::new(Teams { url, envelope }));
    }
    if let Some(secret) = runner
        .secret(&DISCORD, cli.discord_webhook_file.as_deref())
        .await?
    {
        let url = of_service(&DISCORD, secret.expose_secret(), &discord::HOSTS, cli)?;
        all.push(Box::new(Discord { url }));
    }
    if let Some(key) = runner
        .secret(&PAGERDUTY, cli.pagerduty_key_file.as_deref())
        .await?
    {
        all.push(Box::new(PagerDuty {
            url: plain("pagerduty-url", &cli.pagerduty_url, cli.allow_http)?,
            key,
            about: message.map(|message| message.about.clone()).unwrap_or_default(),
        }));
    }
    if let Some(secret) = runner.secret(&WEBHOOK, cli.webhook_url_file.as_deref()).await? {
        all.push(Box::new(Webhook {
            url: plain(WEBHOOK.name, secret.expose_secret(), cli.allow_http)?,
            id: format!("msg_{}", uuid::Uuid::from_bytes(environment::random()).simple()),
            timestamp: environment::now().as_second(),
            trace_id: runner.trace().to_string(),
            repository: runner.context().repository.clone(),
        }));
    }
    Ok(all)
}

/// What would configure a receiver: inputs in a workflow, variables elsewhere.
pub(crate) fn names(runner: &Runner) -> String {
    let in_runner = runner.env().in_runner();
    let name = |spec: &SecretSpec| match in_runner {
        true => format!("`{}`", spec.name),
        false => format!("`{}`", spec.env),
    };
    let names: Vec<String> = INTERFACE.secrets.iter().map(name).collect();
    let (last, others) = names
        .split_last()
        .map_or(("", &[][..]), |(last, others)| (&**last, others));
    let input = if in_runner { "input " } else { "" };
    format!("{input}{} or {last}", others.join(", "))
}

/// The address of a service: one of its hosts, or one that the user allows. The error does not repeat the address.
fn of_service(spec: &SecretSpec, secret: &str, hosts: &[&str], cli: &Cli) -> Result<Url, Error> {
    let url = plain(spec.name, secret, cli.allow_http)?;
    let host = url.host_str().unwrap_or_default();
    if is_one_of(host, &["webhook.office.com", ".webhook.office.com"]) {
        return Err(Error::Connector(spec.name));
    }
    let allowed: Vec<&str> = cli.allow_host.iter().map(String::as_str).collect();
    if is_loopback(&url) || is_one_of(host, hosts) || is_one_of(host, &allowed) {
        return Ok(url);
    }
    Err(Error::Host {
        name: spec.name,
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
    use clap::Parser as _;

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
        let cli = Cli::parse_from(["notify", "--allow-host", "relay.example.com"]);
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
            let address = of_service(spec, secret, hosts, &cli);
            assert_eq!(address.is_ok(), good, "{secret}");
            let said = address.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!said.contains("secret"), "{said}");
        }
    }
}
