//! Why something could not be measured: the asking failed, and nothing is known of what was asked about.

use std::time::Duration;

/// What stood in the way of measuring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Whether it may pass, and whose fault it is.
    pub kind: TroubleKind,
    /// What was asked and what came of it, as a lower-case fragment. Holds foreign text, made inert.
    pub reason: String,
    /// What must be corrected where it lasts.
    pub about: About,
    /// How long the other side asks to be left alone (`Retry-After` and its kin).
    pub pause: Option<Duration>,
}

/// Kinds of trouble. All but [`TroubleKind::Passing`] last: asking again would only burn the time that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// It may pass: no answer, a 5xx, throttling.
    Passing,
    /// The question or the set-up is wrong: a query's syntax, an unknown metric, a program that is not there. Exit 2.
    Question,
    /// Credentials are missing or refused: 401 and 403. Exit 7.
    Access,
}

/// What a lasting trouble is about, for who has to correct it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum About {
    /// What a source is asked, or where in its answer the number stands.
    #[default]
    Query,
    /// Where a source is: what answers there is not its API.
    Address,
    /// A program that is not there, or may not be run.
    Program,
    /// An expression.
    Expression,
    /// How a target is described; its reason says what does not fit.
    Target,
}

impl Trouble {
    /// Trouble that may pass.
    #[must_use]
    pub fn passing(reason: impl Into<String>) -> Self {
        Self::new(TroubleKind::Passing, reason)
    }

    /// A wrong question.
    #[must_use]
    pub fn question(reason: impl Into<String>) -> Self {
        Self::new(TroubleKind::Question, reason)
    }

    /// Refused credentials.
    #[must_use]
    pub fn access(reason: impl Into<String>) -> Self {
        Self::new(TroubleKind::Access, reason)
    }

    fn new(kind: TroubleKind, reason: impl Into<String>) -> Self {
        Self {
            kind,
            reason: reason.into(),
            about: About::default(),
            pause: None,
        }
    }

    /// The same with the time that the other side asks for.
    #[must_use]
    pub fn pause(self, pause: Option<Duration>) -> Self {
        Self { pause, ..self }
    }

    /// The same about something else than the query.
    #[must_use]
    pub fn about(self, about: About) -> Self {
        Self { about, ..self }
    }

    /// Whether asking again would not help.
    #[must_use]
    pub fn lasts(&self) -> bool {
        self.kind != TroubleKind::Passing
    }
}
