//! `type=semver`: a semantic version (<https://semver.org>) from the git tag or from `value=`, put into a pattern.
//!
//! What counts as a version is what npm's `semver.valid` accepts: one leading `v`, all three numbers, none above 2^53,
//! 256 characters at most. A pre-release ignores the pattern and gives its whole version, so that it never moves `1.2`;
//! only `{{raw}}` alone is kept. Build metadata is not part of `{{version}}`.

use regress::Regex;
use semver::Version;
use serde_json::json;

use super::{Answer, Event};
use crate::attributes::Attributes;
use crate::error::{Error, Input, shown};
use crate::expression;
use crate::warning::Warning;

/// The largest number that is exact in JavaScript.
const LARGEST: u64 = (1 << 53) - 1;
const LONGEST: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Semver {
    pattern: String,
    /// In place of the git tag, with expressions.
    value: Option<String>,
    /// An ECMAScript expression whose first group is the version.
    find: Option<String>,
}

impl Semver {
    pub(super) fn read(attributes: &mut Attributes) -> Result<Self, Error> {
        let mut given = |key| attributes.take(key).filter(|text| !text.is_empty());
        let (value, find) = (given("value"), given("match"));
        Ok(Self {
            pattern: attributes.required("pattern", "type=semver,pattern={{version}}")?,
            value,
            find,
        })
    }

    pub(super) fn answer(&self, event: &Event<'_>, warnings: &mut Vec<Warning>) -> Result<Answer, Error> {
        let given = match (&self.value, event.subject.tag()) {
            (Some(value), _) => event.expressions.fill(Input::Tags, value)?,
            (None, Some(tag)) => tag.to_owned(),
            (None, None) => return Ok(Answer::Nothing("the ref is not a tag")),
        };
        let raw = match &self.find {
            Some(pattern) => find(pattern, given, warnings)?,
            None => given,
        };
        let raw = raw.replace('/', "-");
        let Some(version) = parse(&raw) else {
            warnings.push(Warning::NotSemver { value: raw });
            return Ok(Answer::Nothing("it is not a semantic version"));
        };
        let is_release = version.pre.is_empty();
        let pattern = if is_release || expression::is_raw(&self.pattern) {
            &self.pattern
        } else {
            "{{version}}"
        };
        let text = event.expressions.fill_version(pattern, parts(&raw, &version))?;
        Ok(Answer::Tag {
            text,
            latest: is_release,
        })
    }
}

/// The first group of the expression's first match; the whole text with a warning where there is no match.
fn find(pattern: &str, text: String, warnings: &mut Vec<Warning>) -> Result<String, Error> {
    let unusable = |problem: String| Error::Regex {
        pattern: shown(pattern),
        problem,
    };
    let regex = Regex::new(pattern).map_err(|error| unusable(error.to_string()))?;
    let Some(found) = regex.find(&text) else {
        warnings.push(Warning::NoMatch {
            pattern: pattern.to_owned(),
            value: text.clone(),
        });
        return Ok(text);
    };
    match found.captures.first() {
        Some(Some(group)) => Ok(text[group.clone()].to_owned()),
        Some(None) => Err(unusable(format!(
            "its first group is not part of the match in `{}`",
            shown(&text)
        ))),
        None => Err(unusable("it has no group to take the version from".to_owned())),
    }
}

fn parse(raw: &str) -> Option<Version> {
    let trimmed = raw.trim();
    let version = Version::parse(trimmed.strip_prefix('v').unwrap_or(trimmed)).ok()?;
    let largest = version.major.max(version.minor).max(version.patch);
    (largest <= LARGEST && trimmed.len() <= LONGEST).then_some(version)
}

/// The values a pattern may use; lists as JavaScript prints them.
fn parts(raw: &str, version: &Version) -> serde_json::Value {
    let core = format!("{}.{}.{}", version.major, version.minor, version.patch);
    json!({
        "raw": raw,
        "version": if version.pre.is_empty() { core } else { format!("{core}-{}", version.pre) },
        "major": version.major,
        "minor": version.minor,
        "patch": version.patch,
        "prerelease": version.pre.replace('.', ","),
        "build": version.build.replace('.', ","),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::expression::Expressions;
    use crate::facts::{Facts, Repository, Subject};

    #[test]
    fn versions() {
        for text in [
            "1.2.3",
            "v1.2.3",
            "0.0.0",
            "v1.2.3-rc.1+b.5",
            "1.2.3--x",
            "1.2.3-0",
            "9007199254740991.0.0",
        ] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "1",
            "1.2",
            "V1.2.3",
            "vv1.2.3",
            "=1.2.3",
            "v01.2.3",
            "1.2.3rc1",
            "1.2.3.4",
            "1.2.3-01",
            "1.2.3-",
            "p1-v1.0.0",
            "9007199254740992.0.0",
            "20200110",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
        assert!(parse(&format!("1.2.3-{}", "a".repeat(251))).is_none());
    }

    #[test]
    fn patterns_see_the_parts() {
        let facts = Facts {
            event_name: "push".to_owned(),
            git_ref: "refs/heads/main".to_owned(),
            sha: String::new(),
            payload: serde_json::Value::Null,
            repository: Repository::default(),
            now: jiff::Timestamp::UNIX_EPOCH,
            commit_date: None,
        };
        let subject = Subject::new(&facts, false, 7);
        let event = Event {
            subject: &subject,
            expressions: &Expressions::new(&subject),
        };
        for (value, pattern, expected, latest) in [
            (
                "v1.2.3+build.5",
                "{{version}}|{{raw}}|{{major}}.{{minor}}.{{patch}}",
                "1.2.3|v1.2.3+build.5|1.2.3",
                true,
            ),
            (
                "v1.2.3+build.5",
                "{{build}}{{prerelease}}{{branch}}",
                "build,5",
                true,
            ),
            ("v1.2.3-rc.1+b", "{{major}}", "1.2.3-rc.1", false),
            ("v1.2.3-rc.1+b", "{{raw}}", "v1.2.3-rc.1+b", false),
            ("v1.2.3-rc.1", "v{{raw}}", "1.2.3-rc.1", false),
            ("1.2.3-fix/42", "{{version}}", "1.2.3-fix-42", false),
        ] {
            let semver = Semver {
                pattern: pattern.to_owned(),
                value: Some(value.to_owned()),
                find: None,
            };
            let answer = semver.answer(&event, &mut Vec::new()).unwrap();
            assert_eq!(
                answer,
                Answer::Tag {
                    text: expected.to_owned(),
                    latest
                },
                "{value} {pattern}"
            );
        }
    }

    #[test]
    fn group_of_a_match() {
        let mut warnings = Vec::new();
        let mut found = |pattern: &str| find(pattern, "p1/v1.0.0".to_owned(), &mut warnings);
        assert_eq!(found(r"v(\d.\d.\d)$").unwrap(), "1.0.0");
        assert_eq!(found(r"(?<=/)(.*)").unwrap(), "v1.0.0");
        assert_eq!(found("^z(.*)").unwrap(), "p1/v1.0.0");
        assert!(found("v.*").unwrap_err().to_string().contains("no group"));
        assert!(
            found("(z)|p")
                .unwrap_err()
                .to_string()
                .contains("not part of the match")
        );
        assert!(found("(").unwrap_err().to_string().contains("can't be used"));
        assert_eq!(warnings.len(), 1);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), pattern in "[a-z0-9.()|*+?\\\\\\[\\]{}^$]{0,12}") {
            let _ = parse(&text);
            let _ = find(&pattern, text.chars().take(20).collect(), &mut Vec::new());
        }
    }
}
