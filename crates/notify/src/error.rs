//! What can be wrong with the flags, and with a delivery that was required.

use gha::edge::http::HttpError;
use gha::{Exit, Failure};

use crate::state::StateError;

/// Why there is no message, or why it did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a status nor a ledger.
    #[error("there is nothing to tell: no `--status`, and no tool of this run has written to the ledger")]
    NothingKnown,
    /// The state is none.
    #[error("`--state` can't be used: {0}")]
    State(#[from] StateError),
    /// Nothing to run.
    #[error("`wrap` has no command to run")]
    NoCommand,
    /// A token without a channel.
    #[error("`slack-token` is set, and `--slack-channel` does not say where to post")]
    NoChannel,
    /// What names no channel.
    #[error("`{0}` is no channel of Slack")]
    Channel(String),
    /// The secret is no server of mail.
    #[error("`smtp-url` is no address of a mail server")]
    NoServer,
    /// A name without a password.
    #[error("`smtp-url` has a name and no password")]
    NoPassword,
    /// A server, and nobody who gets mail, or from nobody.
    #[error("`smtp-url` is set, and `--{0}` is not")]
    NoMail(&'static str),
    /// A key for a webhook that is not there.
    #[error("`webhook-secret` is set, and there is no `webhook-url` to sign for")]
    NoWebhook,
    /// A key that anybody guesses.
    #[error("a key of `webhook-secret` is shorter than 8 characters")]
    ShortKey,
    /// Nobody has the name that is required.
    #[error("`--require {required}` is set, and no such receiver is configured{configured}")]
    NotConfigured {
        /// The name.
        required: String,
        /// Those that are, as the end of a sentence.
        configured: String,
    },
    /// No receiver, and one is required.
    #[error("`--require` is set and no receiver is configured; set {0}")]
    NoReceiver(String),
    /// The secret is no address.
    #[error("`{0}` is not an address that starts with `https://`")]
    Address(&'static str),
    /// The address has no TLS.
    #[error("`{0}` is an address without TLS")]
    Plain(&'static str),
    /// The address is of another service.
    #[error("the host of `{name}` is `{host}`, which is none of the service's ({known})")]
    Host {
        /// The input.
        name: &'static str,
        /// The address's host.
        host: String,
        /// The hosts that are.
        known: String,
    },
    /// A connector of Teams, which are retired.
    #[error("`{0}` is the address of an Office 365 connector, and these were retired")]
    Connector(&'static str),
    /// No time at all.
    #[error("`--{0}` must be longer than 0s")]
    Zero(&'static str),
    /// A required message did not arrive.
    #[error("the message was not delivered: {0}")]
    Undelivered(String),
    /// There is no HTTP client.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl Error {
    /// What to do.
    fn help(&self) -> &'static str {
        match self {
            Self::NothingKnown => {
                "for example `--status failure`, or in a workflow `status: ${{ job.status }}`"
            }
            Self::State(_) => "pass the output `state` of `notify start` as it is, or leave it out",
            Self::NoCommand => "name it after `--`, for example `notify wrap -- bin/deploy --all`",
            Self::NoChannel => "for example `--slack-channel C0123456789`, or `#deploys`",
            Self::Channel(_) => "write its id, as `C0123456789`, or `#name`",
            Self::NoServer => {
                "for example `smtps://user:password@mail.example.com`, with `@`, `:` and `/` in a password as `%40`, `%3A` and `%2F`"
            }
            Self::NoPassword => "write it behind the name, with `@`, `:` and `/` as `%40`, `%3A` and `%2F`",
            Self::NoMail(_) => "for example `--email-to ops@example.com --email-from deploys@example.com`",
            Self::NoWebhook => "set `webhook-url`, or leave `webhook-secret` out",
            Self::ShortKey => {
                "make one of 24 bytes or more, for example `whsec_` and what `openssl rand -base64 32` prints"
            }
            Self::NotConfigured { .. } => "pass its secret to this step, or require another",
            Self::NoReceiver(_) => "check that the secrets are passed to this step",
            Self::Address(_) => {
                "copy the webhook's whole address, for example `https://hooks.slack.com/services/T…/B…/…`"
            }
            Self::Plain(_) => "use `https://`, or set `--allow-http` if the network between is yours",
            Self::Host { .. } => {
                "check that secrets are not swapped; a relay of your own is named with `--allow-host`"
            }
            Self::Connector(_) => {
                "make a workflow in Teams from the template `Post to a channel when a webhook request is received`, and use its address"
            }
            Self::Zero(_) => "for example `--timeout 60s --try-timeout 10s`",
            Self::Undelivered(_) => "check the webhook and what it answered, then run this step again",
            Self::Http(_) => "check `SSL_CERT_FILE`, `HTTPS_PROXY` and `NO_PROXY`",
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = if matches!(error, Error::Undelivered(_)) {
            Exit::Failed
        } else {
            Exit::Usage
        };
        let help = error.help();
        Self::new(exit, error).help(help)
    }
}
