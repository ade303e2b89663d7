//! Other worlds: the same build with another commit or another version. A tag that stays the same in one of them is
//! shared with other builds, and so floats; one that differs in all stands for this build alone.

use crate::expression::Expressions;
use crate::subject::Subject;
use crate::types::Event;

/// Numbers of a version that are varied at most.
const MOST_NUMBERS: usize = 12;

/// Where a version is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// The git tag, which expressions see too.
    GitTag,
    /// What `version-from` found, which expressions see too.
    Elsewhere,
    /// The rule's own `value`.
    Rule,
}

/// A build that rules can be asked about.
pub(crate) struct World<'a> {
    subject: Subject<'a>,
    expressions: Expressions,
    /// What versions are read from in place of what a rule would take.
    instead: Option<String>,
}

impl<'a> World<'a> {
    pub(crate) fn new(subject: Subject<'a>) -> Self {
        Self {
            expressions: Expressions::new(&subject),
            subject,
            instead: None,
        }
    }

    /// The same with another commit.
    pub(crate) fn at_another_commit(&self) -> Self {
        self.with(self.subject.at(another_hash(&self.subject.sha)), None)
    }

    /// The same with another version in the place of the one that is read there.
    pub(crate) fn with_version(&self, version: &str, place: Place) -> Self {
        let subject = match place {
            Place::GitTag => self.subject.with_tag(version),
            Place::Elsewhere => self.subject.with_version(version),
            Place::Rule => self.subject.clone(),
        };
        self.with(subject, Some(version.to_owned()))
    }

    /// Where a rule reads this version.
    pub(crate) fn place(&self, version: &str) -> Place {
        if self.subject.tag() == Some(version) {
            Place::GitTag
        } else if self.subject.version_text() == Some(version) {
            Place::Elsewhere
        } else {
            Place::Rule
        }
    }

    fn with(&self, subject: Subject<'a>, instead: Option<String>) -> Self {
        Self {
            expressions: self.expressions.of(&subject),
            subject,
            instead,
        }
    }

    pub(crate) fn event(&self) -> Event<'_> {
        Event {
            subject: &self.subject,
            expressions: &self.expressions,
            instead: self.instead.as_deref(),
        }
    }
}

/// A hash that differs in every character.
fn another_hash(sha: &str) -> String {
    sha.chars().map(|c| if c == '0' { '1' } else { '0' }).collect()
}

/// The same text with one number after the other made larger: `v1.2` gives `v2.2` and `v1.3`. Build metadata behind a `+`
/// is left as it is, as it makes no other version.
pub(crate) fn neighbours(text: &str) -> Vec<String> {
    let (version, build) = text.split_at(text.find('+').unwrap_or(text.len()));
    let mut neighbours = Vec::new();
    let mut rest = 0;
    while let Some(start) = version[rest..].find(|c: char| c.is_ascii_digit()) {
        let start = rest + start;
        let length = version[start..]
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(version.len() - start);
        let end = start + length;
        if neighbours.len() < MOST_NUMBERS {
            neighbours.push(format!(
                "{}{}{}{build}",
                &version[..start],
                next(&version[start..end]),
                &version[end..]
            ));
        }
        rest = end;
    }
    if neighbours.is_empty() {
        neighbours.push(format!("{version}x{build}"));
    }
    neighbours
}

/// The number after one in decimal digits of any length.
fn next(number: &str) -> String {
    let kept = number.trim_end_matches('9');
    let nines = number.len() - kept.len();
    let zeros = "0".repeat(nines);
    match kept.chars().last().and_then(|digit| digit.to_digit(10)) {
        Some(digit) => format!("{}{}{zeros}", &kept[..kept.len() - 1], digit + 1),
        None => format!("1{zeros}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_number_has_a_neighbour() {
        for (version, expected) in [
            ("v1.2.3", "v2.2.3 v1.3.3 v1.2.4"),
            ("9.99.09", "10.99.09 9.100.09 9.99.10"),
            ("20200110-RC2", "20200111-RC2 20200110-RC3"),
            ("stable", "stablex"),
            ("", "x"),
            ("日本1", "日本2"),
            ("1.2.3+b5", "2.2.3+b5 1.3.3+b5 1.2.4+b5"),
        ] {
            assert_eq!(neighbours(version).join(" "), expected, "{version}");
        }
    }

    #[test]
    fn another_hash_differs_everywhere() {
        assert_eq!(another_hash("0a10"), "1001");
    }

    proptest! {
        #[test]
        fn neighbours_are_others(version in any::<String>()) {
            for neighbour in neighbours(&version) {
                prop_assert_ne!(neighbour, version.clone());
            }
        }

        #[test]
        fn next_is_one_more(number in 0_u64..u64::MAX / 2) {
            prop_assert_eq!(next(&number.to_string()), (number + 1).to_string());
        }
    }
}
