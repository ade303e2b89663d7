//! `type=match`: what a regular expression finds in the git tag or in `value=`, by itself or one of its groups.
//!
//! The pattern is JavaScript's, bare or as `/pattern/flags`. `group` is a number: with the flag `g`, which asks for all
//! matches and not for groups, that of the match, from 0.

use super::regular_expression::{Found, RegularExpression};
use super::source::Source;
use super::{Answer, Event};
use crate::attributes::Attributes;
use crate::error::{Error, shown};
use crate::number;
use crate::warning::Warning;

/// A rule of this type as it would work.
const EXAMPLE: &str = "type=match,pattern=^v(.*)$,group=1";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Match {
    pattern: String,
    source: Source,
    /// As written, a number.
    group: String,
}

impl Match {
    pub(super) fn read(attributes: &mut Attributes) -> Result<Self, Error> {
        let pattern = attributes.required("pattern", EXAMPLE)?;
        let group = attributes.take("group").unwrap_or_else(|| "0".to_owned());
        if number::read(&group).is_nan() {
            return Err(attributes.wrong_value("group", &group, "a number"));
        }
        Ok(Self {
            pattern,
            source: Source::read(attributes),
            group,
        })
    }

    /// Where the version is read from.
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn answer(&self, event: &Event<'_>, warnings: &mut Vec<Warning>) -> Result<Answer, Error> {
        let Some(value) = self.source.text(event)? else {
            return Ok(event.no_version());
        };
        let (pattern, flags) = split(&self.pattern);
        let expression = RegularExpression::new(pattern, flags).map_err(|problem| Error::Regex {
            key: "pattern",
            pattern: shown(&self.pattern),
            problem,
        })?;
        // A number that is no index, such as `1.5`, is a group that no expression has.
        match expression.find(&value, index(&self.group).unwrap_or(usize::MAX)) {
            Found::Text(text) => Ok(Answer::Tag { text, latest: true }),
            Found::Empty | Found::NoGroup => {
                warnings.push(Warning::NoGroup {
                    pattern: self.pattern.clone(),
                    group: self.group.clone(),
                    value,
                });
                Ok(Answer::Nothing("its pattern has no such group".into()))
            }
            Found::NoMatch => {
                warnings.push(Warning::NotMatching {
                    pattern: self.pattern.clone(),
                    value,
                });
                Ok(Answer::Nothing("its pattern does not fit".into()))
            }
        }
    }
}

/// Pattern and flags: `/a/i` is `a` and `i`, where the last slash counts. Slashes with nothing between them, or with a
/// line end behind the first one, are a pattern themselves.
fn split(pattern: &str) -> (&str, &str) {
    let between = pattern
        .strip_prefix('/')
        .filter(|rest| !rest.contains(['\n', '\r', '\u{2028}', '\u{2029}']))
        .and_then(|rest| rest.rsplit_once('/'))
        .filter(|(expression, _)| !expression.is_empty());
    between.unwrap_or((pattern, ""))
}

/// The index that a text is for a JavaScript array: `1`, not `01` or `1.0`.
fn index(text: &str) -> Option<usize> {
    let index: usize = text.parse().ok()?;
    (index.to_string() == text).then_some(index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slashes_and_flags() {
        // Pattern and flags as JavaScript's `/^\/(.+)\/(.*)$/` takes them apart.
        for (text, expected) in [
            ("/a/", ("a", "")),
            ("/a/i", ("a", "i")),
            ("/a/b/gi", ("a/b", "gi")),
            ("///", ("/", "")),
            ("/a/i/", ("a/i", "")),
            ("//", ("//", "")),
            ("//a", ("//a", "")),
            ("/a", ("/a", "")),
            ("a/", ("a/", "")),
            ("x/a/i", ("x/a/i", "")),
            ("/a\n/i", ("/a\n/i", "")),
            ("/a/i\u{2028}", ("/a/i\u{2028}", "")),
            ("/", ("/", "")),
            ("", ("", "")),
        ] {
            assert_eq!(split(text), expected, "{text:?}");
        }
    }

    #[test]
    fn indexes() {
        for (text, expected) in [
            ("0", Some(0)),
            ("12", Some(12)),
            ("", None),
            ("01", None),
            ("+1", None),
            ("-1", None),
            ("1.0", None),
            ("1e0", None),
            ("0x1", None),
            ("Infinity", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(index(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), like in "[/ai\n]{0,8}") {
            for text in [&text, &like] {
                let (pattern, flags) = split(text);
                prop_assert!(pattern.len() + flags.len() <= text.len());
                index(text);
            }
        }
    }
}
