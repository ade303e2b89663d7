//! What can be wrong with what was asked for. Each names the flag or the line.

use gate::compare::SettingsError;
use gate::setup::SetupError;
use gha::{Exit, Failure};

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No target.
    #[error("there is nothing to look at: give `--url`, `--tcp`, `--postgres` or another target")]
    NoTarget,
    /// A gate file without targets and probes, of which one look is wanted.
    #[error("nothing in this file can be looked at once: it has no targets and no probes")]
    NothingAtOnce,
    /// Flags that make no sense.
    #[error("{0}")]
    Flags(String),
    /// A gate file that makes no sense.
    #[error("{0}")]
    File(String),
    /// No gate file.
    #[error("there is no gate file: give `--file`")]
    NoGateFile,
    /// A variable without a file.
    #[error("`--var` is for a gate file, and there is no `--file`")]
    NoFile,
    /// A rule for answers beside a target that has none.
    #[error("`--{0}` looks at an answer, and only `--url` has one")]
    NoAnswer(&'static str),
    /// An empty version would let any version pass.
    #[error("`--expect-version` is empty, which would let any version pass")]
    EmptyVersion,
    /// A preset that judges what no flag measures.
    #[error("`--preset`: `canary` judges crashes too, and no flag counts them")]
    Canary,
    /// A number of samples without a condition that takes it.
    #[error("`--min-samples` is for a percentile, or a share that is required, and there is none")]
    NoSamples,
    /// A version has to be given and is not.
    #[error("`--require-version` is set and there is no `--expect-version`")]
    VersionRequired,
    /// Half a pair. It is not shown: it may be a secret.
    #[error("`--{flag}`: what is given is no name and value with `{between}` between them")]
    NoPair {
        /// The flag.
        flag: &'static str,
        /// What stands between name and value.
        between: char,
    },
    /// The steps take longer than the whole.
    #[error("`--timeout` {timeout} is shorter than the file's steps, which take up to {steps}")]
    Shorter {
        /// The whole.
        timeout: String,
        /// The steps.
        steps: String,
    },
    /// A comparison that can't work.
    #[error("failed to set up the comparisons: {0}")]
    Comparison(#[from] SettingsError),
    /// Something can't be made.
    #[error(transparent)]
    Setup(SetupError),
}

impl Error {
    /// What to do.
    fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoTarget => {
                "for example `--url https://example.com/health`, or in a workflow `url: https://example.com/health`"
            }
            Self::NothingAtOnce => {
                "`health-gate validate -f FILE --ask` asks its sources once; `run` judges what they answer"
            }
            Self::NoAnswer(_) => "use `--url` for a service that speaks HTTP, or leave the rule out",
            Self::NoGateFile => "for example `-f gate.yml`, or in a workflow `file: gate.yml`",
            Self::NoFile => "name the file, such as `-f gate.yml`, or leave `--var` out",
            Self::EmptyVersion => {
                "give the version, for example `--expect-version 1.2.3`, or leave the flag out"
            }
            Self::Canary => {
                "use `--preset slo-default`, which has the same limits for errors and latency; or in a gate file a signal `crashes`, or `preset: {name: canary, without: [crashes]}`"
            }
            Self::NoSamples => "give one, such as `--require 'error_rate < 1%'`, or leave it out",
            Self::VersionRequired => {
                "look why the earlier step gave no version, or give one: `--expect-version 1.2.3`"
            }
            Self::Shorter { .. } => "raise `--timeout`, or leave it out",
            Self::Setup(SetupError::Http(_)) => "check `SSL_CERT_FILE`, `HTTPS_PROXY` and `NO_PROXY`",
            Self::Flags(_) | Self::File(_) | Self::NoPair { .. } | Self::Comparison(_) | Self::Setup(_) => {
                return None;
            }
        })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let help = error.help();
        let failure = Self::new(Exit::Usage, error);
        match help {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}
