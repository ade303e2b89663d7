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
        let (name, nothing) = match self {
            Self::Branch => (event.subject.branch(), "the ref is not a branch"),
            Self::Tag => (event.subject.tag(), "the ref is not a tag"),
            Self::PullRequest => {
                let number = event
                    .subject
                    .pull()
                    .map(|pull| pull.strip_suffix("/merge").unwrap_or(pull));
                (number, "the ref is not a pull request")
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
