//! `type=semver`: a semantic version (<https://semver.org>) from the git tag or from `value=`, put into a pattern.
//!
//! What counts as a version is what npm's `semver.valid` accepts: one leading `v`, all three numbers, none above 2^53,
//! 256 characters at most. A pre-release ignores the pattern and gives its whole version, so that it never moves `1.2`;
//! only `{{raw}}` alone is kept. Build metadata is not part of `{{version}}`.

use semver::Version;
use serde_json::json;

use super::source::VersionSource;
use super::{Answer, Event};
use crate::attributes::Attributes;
use crate::error::Error;
use crate::expression;
use crate::warning::Warning;

/// The largest number that is exact in JavaScript.
const LARGEST: u64 = (1 << 53) - 1;
const LONGEST: usize = 256;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Semver {
    pattern: String,
    source: VersionSource,
}

impl Semver {
    pub(super) fn read(attributes: &mut Attributes) -> Result<Self, Error> {
        Ok(Self {
            pattern: attributes.required("pattern", "type=semver,pattern={{version}}")?,
            source: VersionSource::read(attributes),
        })
    }

    /// Where the version is read from.
    pub(super) fn version_source(&self) -> &VersionSource {
        &self.source
    }

    pub(super) fn answer(&self, event: &Event<'_>, warnings: &mut Vec<Warning>) -> Result<Answer, Error> {
        let Some(raw) = self.source.text(event, warnings)? else {
            return Ok(event.no_version());
        };
        let Some(version) = parse(&raw) else {
            warnings.push(Warning::NotSemver { value: raw });
            return Ok(Answer::Nothing("it is not a semantic version".into()));
        };
        let is_release = version.pre.is_empty();
        let pattern = expression::in_force(&self.pattern, is_release);
        let text = event.expressions.fill_version(pattern, parts(&raw, &version))?;
        Ok(Answer::Tag {
            text,
            latest: is_release,
        })
    }
}

/// Reads what npm's `semver.valid` accepts.
pub(crate) fn parse(raw: &str) -> Option<Version> {
    let trimmed = raw.trim();
    let version = Version::parse(trimmed.strip_prefix('v').unwrap_or(trimmed)).ok()?;
    let largest = version.major.max(version.minor).max(version.patch);
    (largest <= LARGEST && trimmed.len() <= LONGEST).then_some(version)
}

/// The version without build metadata.
pub(crate) fn without_build(version: &Version) -> String {
    let core = format!("{}.{}.{}", version.major, version.minor, version.patch);
    if version.pre.is_empty() {
        core
    } else {
        format!("{core}-{}", version.pre)
    }
}

/// The values a pattern may use; lists as JavaScript prints them.
fn parts(raw: &str, version: &Version) -> serde_json::Value {
    json!({
        "raw": raw,
        "version": without_build(version),
        "major": version.major,
        "minor": version.minor,
        "patch": version.patch,
        "prerelease": version.pre.replace('.', ","),
        "build": version.build.replace('.', ","),
        "loose": true,
        "includePrerelease": false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::facts::Facts;
    use crate::request::Request;
    use crate::subject::Subject;
    use crate::worlds::World;

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
            git_ref: "refs/heads/main".to_owned(),
            ..Facts::default()
        };
        let request = Request::default();
        let here = World::new(Subject::new(&facts, &request));
        let event = here.event();
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
                source: VersionSource::of(value),
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

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
