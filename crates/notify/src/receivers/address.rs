//! Addresses of receivers: with TLS or of this machine, and of the service that they are for. No error repeats one, because most are secret.

use gha::text;
use reqwest::Url;

use crate::channel::is_one_of;
use crate::error::Error;

/// The address of a service: one of its hosts, or one that the user allows. `said` is what the user calls it.
pub(super) fn of_service(
    said: &str,
    written: &str,
    hosts: &[&str],
    (allow_host, allow_http): (&[String], bool),
) -> Result<Url, Error> {
    let url = plain(said, written, allow_http)?;
    let host = url.host_str().unwrap_or_default();
    if is_one_of(host, &["webhook.office.com", ".webhook.office.com"]) {
        return Err(Error::Connector(said.to_owned()));
    }
    let allowed: Vec<&str> = allow_host.iter().map(String::as_str).collect();
    if is_loopback(&url) || is_one_of(host, hosts) || is_one_of(host, &allowed) {
        return Ok(url);
    }
    Err(Error::Host {
        name: said.to_owned(),
        host: text::cut(&text::visible(host), 100),
        known: hosts.join(", "),
    })
}

/// An address with TLS, or of this machine.
pub(super) fn plain(said: &str, written: &str, allow_http: bool) -> Result<Url, Error> {
    let url = Url::parse(written).map_err(|_| Error::Address(said.to_owned()))?;
    if may_hold_half_a_password(&url) {
        return Err(Error::Password(said.to_owned()));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_http || is_loopback(&url) => Ok(url),
        "http" => Err(Error::Plain(said.to_owned())),
        _ => Err(Error::Address(said.to_owned())),
    }
}

/// Whether a name or password may have an `@` and a `/` in it as they are: then the host is the middle of the password.
fn may_hold_half_a_password(url: &Url) -> bool {
    let has_name = !url.username().is_empty() || url.password().is_some();
    let behind = [Some(url.path()), url.query(), url.fragment()];
    has_name && behind.into_iter().flatten().any(|part| part.contains('@'))
}

/// Whether an address is of this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::{discord, slack, teams};

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
            ("https://ada:secret@example.com/x", false, true),
            ("https://example.com/@x", false, true),
            ("https://ada:a@secret/b@example.com/x", false, false),
            ("https://ada@secret?b@example.com/x", false, false),
        ] {
            let address = plain("webhook-url", secret, allow_http);
            assert_eq!(address.is_ok(), good, "{secret}");
            let said = address.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!said.contains("secret"));
        }
    }

    #[test]
    fn an_address_is_of_its_service() {
        let allowed = ["relay.example.com".to_owned()];
        for (hosts, secret, good) in [
            (&slack::HOSTS[..], "https://hooks.slack.com/services/secret", true),
            (&slack::HOSTS, "https://relay.example.com/services/secret", true),
            (&slack::HOSTS, "https://discord.com/api/webhooks/1/secret", false),
            (&discord::HOSTS, "https://discord.com/api/webhooks/1/secret", true),
            (
                &teams::HOSTS,
                "https://prod-1.westeurope.logic.azure.com/w?sig=secret",
                true,
            ),
            (
                &teams::HOSTS,
                "https://acme.webhook.office.com/webhookb2/secret",
                false,
            ),
        ] {
            let address = of_service("slack-webhook", secret, hosts, (&allowed, false));
            assert_eq!(address.is_ok(), good, "{secret}");
            let said = address.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(!said.contains("secret"), "{said}");
        }
    }
}
