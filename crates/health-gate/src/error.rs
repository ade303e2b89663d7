//! What can be wrong with the flags. Each names the flag and shows one that works.

use gate::probe::http::AddressError;
use gate::probe::tcp::TcpError;
use gha::edge::http::HttpError;
use gha::{Exit, Failure};

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither `--url` nor `--tcp`.
    #[error("there is nothing to look at: give `--url` or `--tcp`")]
    NoTarget,
    /// `--url` is no address.
    #[error("`--url`: {0}")]
    Url(#[from] AddressError),
    /// `--tcp` is no host with a port.
    #[error("`--tcp`: {0}")]
    Tcp(#[from] TcpError),
    /// A rule for answers beside `--tcp`, which has none.
    #[error("`--{0}` looks at an answer, and `--tcp` only opens a connection")]
    NoAnswer(&'static str),
    /// An empty version would let any version pass.
    #[error("`--expect-version` is empty, which would let any version pass")]
    EmptyVersion,
    /// A version has to be given and is not.
    #[error("`--require-version` is set and there is no `--expect-version`")]
    VersionRequired,
    /// The tries would be too close together.
    #[error("`--interval` must be at least 100ms")]
    Interval,
    /// No time at all.
    #[error("`--{0}` must be longer than 0s")]
    Zero(&'static str),
    /// The good tries do not fit into the time.
    #[error("{threshold} good tries, {interval} apart, do not fit into `--timeout` {timeout}")]
    TooShort {
        /// How many.
        threshold: u32,
        /// How far apart.
        interval: String,
        /// The time.
        timeout: String,
    },
    /// There is no HTTP client.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl Error {
    /// What to do.
    fn help(&self) -> &'static str {
        match self {
            Self::NoTarget | Self::Url(_) => {
                "for example `--url https://example.com/health`, or in a workflow `url: https://example.com/health`"
            }
            Self::Tcp(_) => "for example `--tcp db.internal:5432`, or in a workflow `tcp: db.internal:5432`",
            Self::NoAnswer(_) => "use `--url` for a service that speaks HTTP, or leave the rule out",
            Self::EmptyVersion => {
                "give the version, for example `--expect-version 1.2.3`, or leave the flag out"
            }
            Self::VersionRequired => {
                "look why the earlier step gave no version, or give one: `--expect-version 1.2.3`"
            }
            Self::Interval => "for example `--interval 5s`, or in a workflow `interval: 5s`",
            Self::Zero(_) => "for example `--timeout 5m --try-timeout 5s`",
            Self::TooShort { .. } => "raise `--timeout`, or lower `--success-threshold` or `--interval`",
            Self::Http(_) => "check `SSL_CERT_FILE`, `HTTPS_PROXY` and `NO_PROXY`",
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let help = error.help();
        Self::new(Exit::Usage, error).help(help)
    }
}
