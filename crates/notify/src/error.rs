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
    #[error(
        "`slack-token` is set, and neither `--slack-channel` nor `--slack-info-channel` says where to post"
    )]
    NoChannel,
    /// The file of routes is none.
    #[error("the routes of `{name}` can't be used: {reason}")]
    Routes {
        /// The file.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A token that can be none.
    #[error("`{0}` holds a line end, a blank, or another character that no token has")]
    Token(String),
    /// A token of somebody else.
    #[error("`{0}` holds an address, or the secret of another service")]
    Swapped(String),
    /// A token of GitHub, and no commit that it could be about.
    #[error("`github-token` is set, and `GITHUB_REPOSITORY` and `GITHUB_SHA` do not say what it is about")]
    NoRepository,
    /// What names no channel.
    #[error("`{0}` is no channel of Slack")]
    Channel(String),
    /// The secret is no server of mail.
    #[error("`{0}` is no address of a mail server")]
    NoServer(String),
    /// A name without a password.
    #[error("`{0}` has a name and no password")]
    NoPassword(String),
    /// A server, and nobody who gets mail, or from nobody.
    #[error("`smtp-url` is set, and `--{0}` is not")]
    NoMail(&'static str),
    /// A key for a webhook that is not there.
    #[error("`webhook-secret` is set, and there is no `webhook-url` to sign for")]
    NoWebhook,
    /// A key that anybody guesses.
    #[error("a key of `webhook-secret` is shorter than 8 characters")]
    ShortKey,
    /// A key that no receiver would take.
    #[error(
        "a key of `webhook-secret` begins with `whsec_`, and is not followed by 24 to 64 bytes in base64"
    )]
    BrokenKey,
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
    /// No receiver to check.
    #[error("no receiver is configured, so there is nothing to check; set {0}")]
    NoneToCheck(String),
    /// Credentials that do not work.
    #[error("not everybody can be told: {0}")]
    Refused(String),
    /// The secret is no address.
    #[error("`{0}` is not an address that starts with `https://`")]
    Address(String),
    /// The address has a password that can't be told from what stands around it.
    #[error("`{0}` has an `@` both before and behind its host, so where its password ends can't be said")]
    Password(String),
    /// The address has no TLS.
    #[error("`{0}` is an address without TLS")]
    Plain(String),
    /// The address is of another service.
    #[error("the host of `{name}` is `{host}`, which is none of the service's ({known})")]
    Host {
        /// The input.
        name: String,
        /// The address's host.
        host: String,
        /// The hosts that are.
        known: String,
    },
    /// A connector of Teams, which are retired.
    #[error("`{0}` is the address of an Office 365 connector, and these were retired")]
    Connector(String),
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
            Self::Routes { .. } => "the page of `notify` has an example",
            Self::Token(_) => "check what it holds: one token and nothing else",
            Self::Swapped(said) if said.contains("slack") => {
                "check that secrets are not swapped; a token of a Slack app is the bot token, which begins with `xoxb-`"
            }
            Self::Swapped(_) => {
                "check that secrets are not swapped; this is one token or key, and no address"
            }
            Self::NoRepository => "leave it out outside of a workflow, or set both",
            Self::NoServer(_) => {
                "for example `smtps://user:password@mail.example.com`, with `@`, `:` and `/` in a password as `%40`, `%3A` and `%2F`"
            }
            Self::NoPassword(_) => {
                "write it behind the name, with `@`, `:` and `/` as `%40`, `%3A` and `%2F`"
            }
            Self::NoMail(_) => "for example `--email-to ops@example.com --email-from deploys@example.com`",
            Self::NoWebhook => "set `webhook-url`, or leave `webhook-secret` out",
            Self::BrokenKey => "copy the whole key, as your receiver has it",
            Self::ShortKey => {
                "make one of 24 bytes or more, for example `whsec_` and what `openssl rand -base64 32` prints"
            }
            Self::NotConfigured { .. } => "pass its secret to this step, or require another",
            Self::Refused(_) => {
                "replace what was refused, or look why it can't be reached, and run `notify check` again"
            }
            Self::NoReceiver(_) | Self::NoneToCheck(_) => "check that the secrets are passed to this step",
            Self::Password(_) => "write `@`, `:` and `/` in a name or password as `%40`, `%3A` and `%2F`",
            Self::Address(said) if said == "webhook-url" => {
                "it is the whole address that your receiver listens on, for example `https://hooks.example.com/deploys`"
            }
            Self::Address(said) if said.ends_with("-url") => {
                "it is where the service's API is; leave it out for the usual one"
            }
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
            Self::Undelivered(_) => {
                "check the address or token and what was answered, then run this step again"
            }
            Self::Http(_) => "check `SSL_CERT_FILE`, `HTTPS_PROXY` and `NO_PROXY`",
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match error {
            Error::Undelivered(_) => Exit::Failed,
            Error::Refused(_) => Exit::Access,
            _ => Exit::Usage,
        };
        let help = error.help();
        Self::new(exit, error).help(help)
    }
}
