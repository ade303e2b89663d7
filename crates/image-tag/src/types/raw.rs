//! `type=raw`: a text of the user's own, with expressions.

use super::{Answer, Event};
use crate::attributes::Attributes;
use crate::error::{Error, Input};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raw {
    value: String,
}

impl Raw {
    pub(super) fn read(attributes: &mut Attributes) -> Result<Self, Error> {
        Ok(Self {
            value: attributes.required("value", "type=raw,value=stable")?,
        })
    }

    pub(super) fn answer(&self, event: &Event<'_>) -> Result<Answer, Error> {
        Ok(Answer::Tag {
            text: event.expressions.fill(Input::Tags, &self.value)?,
            latest: false,
        })
    }
}
