//! The types of `tags` rules, one file each. A type reads its attributes, and for an event answers with the text of a
//! tag or says why it has none. Prefix, suffix, `enable`, `priority` and the grammar of tags are not its business.

mod edge;
mod git_ref;
mod matching;
pub(crate) mod pep440;
mod raw;
mod regular_expression;
mod schedule;
pub(crate) mod semver;
mod sha;
mod source;

use std::borrow::Cow;

use crate::attributes::Attributes;
use crate::error::{Error, Input};
use crate::expression::Expressions;
use crate::subject::Subject;
use crate::version_order::Key;
use crate::warning::Warning;

/// The names of all types, for messages.
const SUPPORTED: &str = "`schedule`, `semver`, `pep440`, `match`, `edge`, `ref`, `raw`, `sha`";

pub(crate) use git_ref::Ref as NamedRef;

/// What types may ask.
pub(crate) struct Event<'a> {
    pub(crate) subject: &'a Subject<'a>,
    pub(crate) expressions: &'a Expressions,
    /// The version to take in place of every other.
    pub(crate) instead: Option<&'a str>,
}

impl Event<'_> {
    /// What a version is read from: the rule's own `value`, else the git tag, else a version from elsewhere.
    pub(crate) fn version_text(&self, value: Option<&str>) -> Result<Option<String>, Error> {
        Ok(match (self.instead, value) {
            (Some(instead), _) => Some(instead.to_owned()),
            (None, Some(value)) => Some(self.expressions.fill(Input::Tags, value)?),
            (None, None) => self.subject.version_text().map(str::to_owned),
        })
    }

    /// The answer where there is no version to read.
    pub(crate) fn no_version(&self) -> Answer {
        Answer::Nothing(self.subject.no_tag().into())
    }
}

/// What a rule says to an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Text for a tag, and whether this is the newest release as far as the rule can tell.
    Tag { text: String, latest: bool },
    /// The rule is about something else, for this reason.
    Nothing(Cow<'static, str>),
}

/// A rule's type with its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    Schedule(schedule::Schedule),
    Semver(semver::Semver),
    Pep440(pep440::Pep440),
    Match(matching::Match),
    Edge(edge::Edge),
    Ref(git_ref::Ref),
    Raw(raw::Raw),
    Sha(sha::Sha),
}

impl Type {
    /// Takes the type and its own attributes out of a rule's.
    pub(crate) fn read(attributes: &mut Attributes) -> Result<Self, Error> {
        let given = attributes.take("type").unwrap_or_else(|| "raw".to_owned());
        Ok(match given.as_str() {
            "schedule" => Self::Schedule(schedule::Schedule::read(attributes)),
            "semver" => Self::Semver(semver::Semver::read(attributes)?),
            "pep440" => Self::Pep440(pep440::Pep440::read(attributes)?),
            "match" => Self::Match(matching::Match::read(attributes)?),
            "edge" => Self::Edge(edge::Edge::read(attributes)),
            "ref" => Self::Ref(git_ref::Ref::read(attributes)?),
            "raw" => Self::Raw(raw::Raw::read(attributes)?),
            "sha" => Self::Sha(sha::Sha::read(attributes)?),
            _ => {
                return Err(Error::UnknownType {
                    entry: attributes.entry(),
                    given,
                    supported: SUPPORTED,
                });
            }
        })
    }

    /// Rules of a higher priority come first, and the first tag is the version.
    pub(crate) fn priority(&self) -> f64 {
        match self {
            Self::Schedule(_) => 1000.0,
            Self::Semver(_) | Self::Pep440(_) => 900.0,
            Self::Match(_) => 800.0,
            Self::Edge(_) => 700.0,
            Self::Ref(_) => 600.0,
            Self::Raw(_) => 200.0,
            Self::Sha(_) => 100.0,
        }
    }

    /// The prefix in place of the flavor's, where the type has one of its own.
    pub(crate) fn prefix(&self) -> Option<&'static str> {
        match self {
            Self::Ref(git_ref::Ref::PullRequest) => Some("pr-"),
            Self::Sha(_) => Some("sha-"),
            _ => None,
        }
    }

    /// What the rule reads a version from, where its type is about versions.
    pub(crate) fn version_text(&self, event: &Event<'_>) -> Result<Option<String>, Error> {
        match self {
            Self::Semver(semver) => semver.version_source().source().text(event),
            Self::Pep440(pep440) => pep440.version_source().source().text(event),
            Self::Match(matching) => matching.source().text(event),
            Self::Ref(git_ref::Ref::Tag) => Ok(event.subject.tag().map(str::to_owned)),
            _ => Ok(None),
        }
    }

    /// Whether versions have to be taken out of what they are read from, by [`Self::order`].
    pub(crate) fn takes_out(&self) -> bool {
        match self {
            Self::Semver(semver) => semver.version_source().takes_out(),
            Self::Pep440(pep440) => pep440.version_source().takes_out(),
            Self::Match(_) => true,
            _ => false,
        }
    }

    /// The version in a text that the rule reads, by which it stands before or after others.
    pub(crate) fn order(&self, text: &str) -> Option<String> {
        match self {
            Self::Semver(semver) => semver.version_source().version(text),
            Self::Pep440(pep440) => pep440.version_source().version(text),
            // What is found may be a part of a version: the whole text decides, without the words before it.
            Self::Match(_) => match Key::parse(text) {
                Some(_) => Some(text.to_owned()),
                None => text
                    .find(|c: char| c.is_ascii_digit())
                    .map(|start| text[start..].to_owned()),
            },
            _ => Some(text.to_owned()),
        }
    }

    /// What kind of ref the type gives the name of.
    pub(crate) fn names_ref(&self) -> Option<NamedRef> {
        match self {
            Self::Ref(named) => Some(*named),
            _ => None,
        }
    }

    /// The answer to an event.
    pub(crate) fn answer(&self, event: &Event<'_>, warnings: &mut Vec<Warning>) -> Result<Answer, Error> {
        match self {
            Self::Schedule(schedule) => schedule.answer(event),
            Self::Semver(semver) => semver.answer(event, warnings),
            Self::Pep440(pep440) => pep440.answer(event, warnings),
            Self::Match(matching) => matching.answer(event, warnings),
            Self::Edge(edge) => Ok(edge.answer(event, warnings)),
            Self::Ref(git_ref) => Ok(git_ref.answer(event)),
            Self::Raw(raw) => raw.answer(event),
            Self::Sha(sha) => Ok(sha.answer(event)),
        }
    }
}
