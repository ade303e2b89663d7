//! Why a deploy stopped half way, and what that asks for.

use gha::Exit;

use crate::api::Refused;
use crate::error::Error;

/// Why a deploy stopped.
#[derive(Debug)]
pub enum Stopped {
    /// The new version is no good, or can't be judged: what was done is undone.
    Failed {
        /// Whether it failed (3), could not be judged (4), or could not be asked (7).
        exit: Exit,
        /// Why.
        reason: String,
    },
    /// A call that failed, or somebody else's change.
    Error(Box<Error>),
}

impl Stopped {
    /// The new version failed.
    #[must_use]
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Failed {
            exit: Exit::Failed,
            reason: reason.into(),
        }
    }

    /// Whether somebody else has the target now, so that nothing of it is this run's to undo.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        matches!(self, Self::Error(error) if matches!(**error, Error::Foreign { .. } | Error::Lost { .. }))
    }

    /// The call that failed in a way that may pass, if that is why.
    #[must_use]
    pub fn passing(&self) -> Option<&Refused> {
        match self {
            Self::Error(error) => match &**error {
                Error::Refused { refused, .. } => Some(refused).filter(|refused| refused.may_pass()),
                _ => None,
            },
            Self::Failed { .. } => None,
        }
    }

    /// Why, in a line.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Failed { reason, .. } => reason.clone(),
            Self::Error(error) => error.to_string(),
        }
    }

    /// The exit code, where all is as it was before.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Failed { exit, .. } => *exit,
            Self::Error(error) => error.exit(),
        }
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}
