//! What is asked of the sources, and what their answers mean for who asked. Pure.

use std::time::Duration;

use crate::measured::{Measured, Seen, Share};
use crate::source::{Question, Reading, Value};
use crate::trouble::Trouble;

/// What is asked of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The source, by its index.
    pub source: usize,
    /// The question; its window ends at the instant.
    pub question: Question,
    /// The instant that it is about, from the start of the observation.
    pub at: Duration,
}

/// What came of asking.
pub type Answered = (Asked, Result<Reading, Trouble>);

/// The answer to a question, where it was asked.
pub(crate) fn answer_to<'a>(answers: &'a [Answered], asked: &Asked) -> Option<&'a Result<Reading, Trouble>> {
    let (_, answer) = answers.iter().find(|(known, _)| known == asked)?;
    Some(answer)
}

/// What one answer shows, where `value` finds something in it.
pub(crate) fn see(
    answer: Option<&Result<Reading, Trouble>>,
    value: impl Fn(&Value) -> Option<Measured>,
) -> Seen {
    match answer {
        None => Seen::Nothing("not asked".to_owned()),
        Some(Err(trouble)) => Seen::Trouble(trouble.clone()),
        Some(Ok(reading)) => value(&reading.value).map_or_else(
            || {
                let hint = reading.notes.first();
                Seen::Nothing(hint.map_or("the source has none", String::as_str).to_owned())
            },
            Seen::Value,
        ),
    }
}

/// Bad ones and all of them. A healthy service has no series of its errors yet: that is zero bad ones, but only where
/// there were any at all.
pub(crate) fn see_ratio(
    bad: Option<&Result<Reading, Trouble>>,
    total: Option<&Result<Reading, Trouble>>,
) -> Seen {
    let total = match see(total, number) {
        Seen::Value(Measured::Number(total)) if total > 0.0 && total.is_finite() => total,
        Seen::Value(_) => return Seen::Nothing("no traffic".to_owned()),
        other => return other,
    };
    match see(bad, number) {
        Seen::Value(Measured::Number(bad)) => Seen::Value(Measured::Share(Share {
            bad: bad.max(0.0),
            total,
        })),
        Seen::Value(_) | Seen::Nothing(_) => Seen::Value(Measured::Share(Share { bad: 0.0, total })),
        Seen::Trouble(trouble) => Seen::Trouble(trouble),
    }
}

/// A number, and nothing of a histogram.
pub(crate) fn number(value: &Value) -> Option<Measured> {
    match value {
        Value::Number(number) => Some(Measured::Number(*number)),
        Value::Buckets(_) | Value::Nothing => None,
    }
}
