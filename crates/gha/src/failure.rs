//! A run that did not do what it was asked for: why, what to do, and what is known all the same.

use std::error::Error;

use crate::exit::Exit;
use crate::outcome::{Outcome, Status};

/// A failed run. Messages are lower-case fragments that chain; help is added where the error becomes a failure.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What failed, on what, and why; the sources are printed behind it.
    pub error: Box<dyn Error + Send + Sync>,
    /// What to do about it.
    pub help: Option<String>,
    /// What is known about the target all the same; its status and headline speak of the failure.
    pub outcome: Box<Outcome>,
}

impl Failure {
    /// A failure of which nothing is known but its reason.
    pub fn new(exit: Exit, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error = error.into();
        let outcome = Box::new(Outcome::new(Status::of(exit), chain(error.as_ref())));
        Self {
            exit,
            error,
            help: None,
            outcome,
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds what is known, keeping status and headline of the failure.
    #[must_use]
    pub fn knowing(mut self, known: Outcome) -> Self {
        let Outcome { status, headline, .. } = *self.outcome;
        self.outcome = Box::new(Outcome {
            status,
            headline,
            ..known
        });
        self
    }
}

/// An error and its sources as one line: `failed to x: because of y: root cause`.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries repeat the source in their own message.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("failed to read `{0}`")]
    struct Outer(&'static str, #[source] std::io::Error);

    #[test]
    fn the_chain_names_every_cause_once() {
        let error = Outer("gate.yml", std::io::Error::other("access denied"));
        assert_eq!(chain(&error), "failed to read `gate.yml`: access denied");
    }

    #[test]
    fn knowing_keeps_the_reason() {
        let known = Outcome::new(Status::Done, "other")
            .fact("attempts", 3)
            .target("http://x");
        let failure = Failure::new(Exit::Failed, "no answer").knowing(known);
        assert_eq!(failure.outcome.status, Status::Failed);
        assert_eq!(failure.outcome.headline, "no answer");
        assert_eq!(failure.outcome.facts["attempts"], 3);
    }
}
