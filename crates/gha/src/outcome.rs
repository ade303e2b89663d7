//! What a run came to: the values that become outputs, the result object, the ledger line and the message.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::exit::Exit;

/// The state in which a run left its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// What was asked for holds now.
    Done,
    /// It held already.
    Unchanged,
    /// It failed, and the earlier version serves again.
    RolledBack,
    /// It failed; the earlier version serves.
    Failed,
    /// Too little is known to say.
    Inconclusive,
    /// A newer run took over.
    Superseded,
    /// Somebody else holds the target.
    Locked,
    /// A signal ended it.
    Cancelled,
    /// It failed and a person must act.
    NeedsHuman,
}

impl Status {
    /// The status that goes with an exit code when nothing more is known.
    #[must_use]
    pub fn of(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::Done,
            Exit::Bug | Exit::Usage | Exit::Failed | Exit::Access | Exit::OfCommand(_) => Self::Failed,
            Exit::Inconclusive => Self::Inconclusive,
            Exit::NeedsHuman => Self::NeedsHuman,
            Exit::Locked => Self::Locked,
            Exit::Interrupted | Exit::Terminated => Self::Cancelled,
        }
    }

    /// Whether the run did what it was asked for.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Done | Self::Unchanged)
    }

    /// The word in the result object.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unchanged => "unchanged",
            Self::RolledBack => "rolled-back",
            Self::Failed => "failed",
            Self::Inconclusive => "inconclusive",
            Self::Superseded => "superseded",
            Self::Locked => "locked",
            Self::Cancelled => "cancelled",
            Self::NeedsHuman => "needs-human",
        }
    }
}

/// A place to look at next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What is there.
    pub text: String,
    /// Its address, without secrets.
    pub url: String,
}

/// What a tool says about its run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The state of the target.
    pub status: Status,
    /// One line for a person: what happened, on what, and why.
    pub headline: String,
    /// The facts behind it, in the order in which a reader wants them. Keys are output names where there is one.
    pub facts: Map<String, Value>,
    /// Places to look at next.
    pub links: Vec<Link>,
    /// The command line that undoes what was done.
    pub undo: Option<String>,
    /// What was acted on: an address, a service, an image. Names the thing in the ledger.
    pub target: Option<String>,
    /// The deployment environment, as the user calls it.
    pub environment: Option<String>,
    /// Whether nothing was done, because nothing was to be done: such a run leaves no ledger line and no output, so
    /// that nobody takes it for a deploy.
    pub dry_run: bool,
}

impl Outcome {
    /// An outcome with nothing but a status and a headline.
    #[must_use]
    pub fn new(status: Status, headline: impl Into<String>) -> Self {
        Self {
            status,
            headline: headline.into(),
            facts: Map::new(),
            links: Vec::new(),
            undo: None,
            target: None,
            environment: None,
            dry_run: false,
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// Names what was acted on.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_what_is_written() {
        for status in [
            Status::Done,
            Status::Unchanged,
            Status::RolledBack,
            Status::Failed,
            Status::Inconclusive,
            Status::Superseded,
            Status::Locked,
            Status::Cancelled,
            Status::NeedsHuman,
        ] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.word());
        }
    }
}
