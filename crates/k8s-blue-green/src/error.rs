//! What can go wrong that is not about the new version itself, and what of it a person can do.

use gha::{Exit, Failure};

use crate::api::{Refused, Trouble};
use crate::state::StateError;

/// Why it did not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A call that failed.
    #[error("failed to {what}: {refused}")]
    Refused {
        /// What it was for.
        what: String,
        /// Why.
        refused: Refused,
    },
    /// A flag whose value can't be used.
    #[error("`--{flag}`: {reason}")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// There is no such Service.
    #[error("there is no Service `{service}` in namespace `{namespace}`{close}")]
    NoService {
        /// Its name.
        service: String,
        /// The namespace.
        namespace: String,
        /// What there is, in words.
        close: String,
    },
    /// Something of the cluster that can't be worked with.
    #[error("{reason}")]
    Unfit {
        /// What is wrong, on what.
        reason: String,
        /// What to do.
        help: Option<String>,
    },
    /// The state of an earlier run can't be read.
    #[error("Service `{service}`: {error}")]
    State {
        /// The Service.
        service: String,
        /// Why.
        error: StateError,
    },
    /// Another run deploys.
    #[error("{by} deploys to Service `{service}`; nothing was changed")]
    Locked {
        /// The Service.
        service: String,
        /// Who.
        by: String,
    },
    /// Another run took the lock over.
    #[error("{by} took over the lock of Service `{service}`")]
    Lost {
        /// The Service.
        service: String,
        /// Who.
        by: String,
    },
    /// Somebody else changed what this run was about to change.
    #[error("{what} was changed by somebody else; nothing was written over it")]
    Foreign {
        /// What, and how it is now.
        what: String,
    },
    /// Whether a write was done is not known.
    #[error("it is not known whether {what}: {refused}")]
    Unknown {
        /// What was to be done.
        what: String,
        /// Why.
        refused: Refused,
    },
}

impl Error {
    /// A call that failed.
    pub fn refused(what: impl Into<String>) -> impl FnOnce(Refused) -> Self {
        let what = what.into();
        move |refused| Self::Refused { what, refused }
    }

    /// Something of the cluster that can't be worked with.
    pub fn unfit(reason: impl Into<String>) -> Self {
        Self::Unfit {
            reason: reason.into(),
            help: None,
        }
    }

    /// The exit code of a run that ends with it before anything was changed.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused { refused, .. } => match refused.trouble {
                Trouble::Access | Trouble::Passing => Exit::Access,
                Trouble::Question => Exit::Usage,
            },
            Self::Locked { .. } | Self::Lost { .. } | Self::Foreign { .. } => Exit::Locked,
            Self::Unknown { .. } => Exit::NeedsHuman,
            Self::Flag { .. } | Self::NoService { .. } | Self::Unfit { .. } | Self::State { .. } => {
                Exit::Usage
            }
        }
    }

    /// What to do.
    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Refused { refused, .. } | Self::Unknown { refused, .. } => match refused.trouble {
                Trouble::Access => "check the credentials, and that the Role allows this",
                Trouble::Passing => "check the way to the API server, and run it again",
                Trouble::Question => return None,
            },
            Self::NoService { .. } => "check `--service`, `--namespace` and `--context`",
            Self::Locked { .. } => {
                "wait until it has ended (`--lock-timeout`), or take it back with `k8s-blue-green rollback`"
            }
            Self::Foreign { .. } | Self::Lost { .. } => "run `k8s-blue-green status` to see what serves now",
            Self::Unfit { help, .. } => return help.clone(),
            Self::Flag { .. } | Self::State { .. } => return None,
        };
        Some(help.to_owned())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (exit, help) = (error.exit(), error.help());
        let failure = Self::new(exit, error);
        match help {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}
