//! `type=sha`: the commit's hash.

use super::{Answer, Event};
use crate::attributes::Attributes;
use crate::error::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sha {
    Short,
    Long,
}

impl Sha {
    pub(super) fn read(attributes: &mut Attributes) -> Result<Self, Error> {
        let format = attributes.take("format");
        match format.as_deref() {
            None | Some("short") => Ok(Self::Short),
            Some("long") => Ok(Self::Long),
            Some(other) => Err(attributes.wrong_value("format", other, "`short` or `long`")),
        }
    }

    pub(super) fn answer(self, event: &Event<'_>) -> Answer {
        if event.subject.sha.is_empty() {
            return Answer::Nothing("the commit is not known".into());
        }
        let sha = match self {
            Self::Short => &event.subject.short_sha,
            Self::Long => &event.subject.sha,
        };
        Answer::Tag {
            text: sha.clone(),
            latest: false,
        }
    }
}
