//! `type=ref`: the name of the branch, the git tag or the pull request. The ref decides, not the event's name.

use super::{Answer, Event};
use crate::attributes::Attributes;
use crate::error::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ref {
    Branch,
    Tag,
    PullRequest,
}

impl Ref {
    pub(super) fn read(attributes: &mut Attributes) -> Result<Self, Error> {
        let event = attributes.required("event", "type=ref,event=branch")?;
        match event.as_str() {
            "branch" => Ok(Self::Branch),
            "tag" => Ok(Self::Tag),
            "pr" => Ok(Self::PullRequest),
            _ => Err(attributes.wrong_value("event", &event, "`branch`, `tag` or `pr`")),
        }
    }

    pub(super) fn answer(self, event: &Event<'_>) -> Answer {
        let subject = event.subject;
        let (name, nothing) = match self {
            Self::Branch => (subject.branch(), "the ref is not a branch".into()),
            Self::Tag => (subject.tag(), subject.no_tag().into()),
            Self::PullRequest => {
                let number = subject
                    .pull()
                    .map(|pull| pull.strip_suffix("/merge").unwrap_or(pull));
                (number, "the ref is not a pull request".into())
            }
        };
        match name {
            Some(name) => Answer::Tag {
                text: name.to_owned(),
                latest: self == Self::Tag,
            },
            None => Answer::Nothing(nothing),
        }
    }
}
