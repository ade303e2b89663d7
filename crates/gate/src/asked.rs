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
/// there were any at all. What is missing in any other way, such as a wrong pointer into a document, is no data.
pub(crate) fn see_ratio(
    bad: Option<&Result<Reading, Trouble>>,
    total: Option<&Result<Reading, Trouble>>,
) -> Seen {
    let total = match traffic(total) {
        Ok(total) => total,
        Err(seen) => return seen,
    };
    let share = |bad: f64| {
        Seen::Value(Measured::Share(Share {
            bad: bad.max(0.0),
            total,
        }))
    };
    if let Some(Ok(reading)) = bad
        && reading.value == Value::Absent
    {
        return share(0.0);
    }
    match see(bad, number) {
        Seen::Value(Measured::Number(bad)) => share(bad),
        Seen::Nothing(why) => Seen::Nothing(format!("`bad`: {why}")),
        other => other,
    }
}

/// How many there were in all, or what is seen where there were none.
pub(crate) fn traffic(total: Option<&Result<Reading, Trouble>>) -> Result<f64, Seen> {
    match see(total, number) {
        Seen::Value(Measured::Number(total)) if total > 0.0 && total.is_finite() => Ok(total),
        Seen::Value(_) => Err(Seen::Nothing("no traffic".to_owned())),
        other => Err(other),
    }
}

/// A number, and nothing of a histogram.
pub(crate) fn number(value: &Value) -> Option<Measured> {
    match value {
        Value::Number(number) => Some(Measured::Number(*number)),
        Value::Buckets(_) | Value::Absent | Value::Nothing => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Answer = Result<Reading, Trouble>;

    fn ratio(bad: Answer, total: Answer) -> Seen {
        see_ratio(Some(&bad), Some(&total))
    }

    fn share(bad: f64, total: f64) -> Seen {
        Seen::Value(Measured::Share(Share { bad, total }))
    }

    #[test]
    fn only_an_absent_series_of_bad_ones_is_zero() {
        let all = || Ok(Reading::number(1000.0));
        assert_eq!(ratio(Ok(Reading::number(900.0)), all()), share(900.0, 1000.0));
        assert_eq!(
            ratio(Ok(Reading::absent("no such series")), all()),
            share(0.0, 1000.0)
        );
        let trouble = Trouble::passing("answered 503");
        assert_eq!(ratio(Err(trouble.clone()), all()), Seen::Trouble(trouble));
        for (bad, why) in [
            (
                Reading::nothing("the answer has no `/errors`"),
                "`bad`: the answer has no `/errors`",
            ),
            (Reading::number(f64::NAN), "`bad`: the source has none"),
            (
                Reading {
                    value: Value::Buckets(Vec::new()),
                    notes: Vec::new(),
                },
                "`bad`: the source has none",
            ),
        ] {
            assert_eq!(ratio(Ok(bad), all()), Seen::Nothing(why.to_owned()));
        }
        assert_eq!(
            see_ratio(None, Some(&all())),
            Seen::Nothing("`bad`: not asked".to_owned())
        );
    }

    #[test]
    fn without_traffic_nothing_is_zero() {
        for (total, why) in [
            (Reading::number(0.0), "no traffic"),
            (Reading::number(-1.0), "no traffic"),
            (Reading::number(f64::INFINITY), "no traffic"),
            (Reading::number(f64::NAN), "the source has none"),
            (Reading::absent("no such series"), "no such series"),
            (Reading::nothing("`/requests` is null"), "`/requests` is null"),
        ] {
            let seen = ratio(Ok(Reading::absent("no such series")), Ok(total));
            assert_eq!(seen, Seen::Nothing(why.to_owned()));
        }
    }
}
