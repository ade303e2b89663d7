//! What the cloud was asked: each call with its time and how it ended, for assertions on pace, order and parameters.

use std::time::Duration;

use serde_json::Value;

/// How a call ended for the one who made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It was done and answered.
    Done,
    /// It was refused with this code.
    Refused(String),
    /// It was done, but the connection broke before the answer.
    Lost,
    /// The connection broke, and nothing was done.
    Reset,
    /// No answer came, and nothing was done.
    Hung,
}

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When, on the cloud's clock.
    pub at: Duration,
    /// The service as IAM names it.
    pub service: &'static str,
    /// Such as `UpdateService`.
    pub operation: String,
    /// The whole input.
    pub input: Value,
    /// Whose keys signed it; none where they were refused.
    pub by: Option<String>,
    /// How it ended.
    pub end: End,
}

impl Entry {
    /// Whether it may have changed something: its name is not that of a question.
    #[must_use]
    pub fn writes(&self) -> bool {
        const QUESTIONS: [&str; 8] = [
            "Describe",
            "List",
            "Get",
            "BatchGet",
            "Filter",
            "AssumeRole",
            "Simulate",
            "Lookup",
        ];
        !QUESTIONS.iter().any(|begin| self.operation.starts_with(begin))
    }
}
