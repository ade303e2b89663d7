//! `type=schedule`: runs started by a schedule, `nightly` unless another pattern is given.

use super::{Answer, Event};
use crate::attributes::Attributes;
use crate::error::Error;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// May hold `date` and `commit_date` expressions, no others.
    pattern: String,
}

impl Schedule {
    pub(super) fn read(attributes: &mut Attributes) -> Self {
        Self {
            pattern: attributes.take("pattern").unwrap_or_else(|| "nightly".to_owned()),
        }
    }

    pub(super) fn answer(&self, event: &Event<'_>) -> Result<Answer, Error> {
        if !event.subject.facts.event_name.contains("schedule") {
            return Ok(Answer::Nothing("the event is not `schedule`".into()));
        }
        Ok(Answer::Tag {
            text: event.expressions.fill_dates(&self.pattern)?,
            latest: false,
        })
    }
}
