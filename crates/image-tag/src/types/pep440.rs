//! `type=pep440`: the version of a Python package (<https://peps.python.org/pep-0440/>) from the git tag or from
//! `value=`, put into a pattern.
//!
//! What counts as a version is what `@renovatebot/pep440` accepts, which docker/metadata-action uses: one leading `v`
//! and all spellings of the PEP, no blanks around it. Numbers may go up to 2^64 - 1. Pre-, post- and development
//! releases ignore the pattern and give their whole version; only `{{raw}}` alone is kept.

use pep440_rs::Version;
use serde_json::json;

use super::source::VersionSource;
use super::{Answer, Event};
use crate::attributes::Attributes;
use crate::error::Error;
use crate::expression;
use crate::warning::Warning;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pep440 {
    pattern: String,
    source: VersionSource,
}

impl Pep440 {
    pub(super) fn read(attributes: &mut Attributes) -> Result<Self, Error> {
        Ok(Self {
            pattern: attributes.required("pattern", "type=pep440,pattern={{version}}")?,
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
            warnings.push(Warning::NotPep440 { value: raw });
            return Ok(Answer::Nothing("it is not a version of PEP 440".into()));
        };
        let is_final = !version.any_prerelease() && !version.is_post();
        let pattern = expression::in_force(&self.pattern, is_final);
        Ok(Answer::Tag {
            text: event.expressions.fill_version(pattern, parts(&raw, &version))?,
            latest: is_final,
        })
    }
}

/// Reads a version. Blanks around it, which the library forgives, make it none.
pub(crate) fn parse(text: &str) -> Option<Version> {
    if text.contains(|c: char| c.is_ascii_whitespace()) {
        return None;
    }
    text.parse().ok()
}

/// The values a pattern may use. Missing numbers are 0.
fn parts(raw: &str, version: &Version) -> serde_json::Value {
    let number = |at| version.release().get(at).copied().unwrap_or_default();
    json!({
        "raw": raw,
        "version": normalized(version),
        "major": number(0),
        "minor": number(1),
        "patch": number(2),
    })
}

/// The normal form of the PEP, but that the parts of a local version (`+ubuntu.1`) stand behind commas, which is how
/// docker/metadata-action prints that list; in a tag they become `-`.
fn normalized(version: &Version) -> String {
    let local: Vec<String> = version.local().iter().map(ToString::to_string).collect();
    let public = version.clone().without_local();
    if local.is_empty() {
        public.to_string()
    } else {
        format!("{public}+{}", local.join(","))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Cleaned text and numbers as `@renovatebot/pep440` has them.
    #[test]
    fn versions() {
        for (text, version, numbers) in [
            ("1", "1", [1, 0, 0]),
            ("2012.4", "2012.4", [2012, 4, 0]),
            ("1.2.3.4", "1.2.3.4", [1, 2, 3]),
            ("v1.2.3", "1.2.3", [1, 2, 3]),
            ("V1.2.3", "1.2.3", [1, 2, 3]),
            ("2020.01.007", "2020.1.7", [2020, 1, 7]),
            ("1!2.3", "1!2.3", [2, 3, 0]),
            ("0!1.0", "1.0", [1, 0, 0]),
            ("v1.2.3rc2", "1.2.3rc2", [1, 2, 3]),
            ("1.1beta2", "1.1b2", [1, 1, 0]),
            ("1.0-ALPHA.3", "1.0a3", [1, 0, 0]),
            ("1.0c", "1.0rc0", [1, 0, 0]),
            ("1.0preview-1", "1.0rc1", [1, 0, 0]),
            ("1.0a.", "1.0a0", [1, 0, 0]),
            ("1.2post1", "1.2.post1", [1, 2, 0]),
            ("1.2-1", "1.2.post1", [1, 2, 0]),
            ("1.2.r", "1.2.post0", [1, 2, 0]),
            ("1.0dev4", "1.0.dev4", [1, 0, 0]),
            ("1.0a1.post2.dev3", "1.0a1.post2.dev3", [1, 0, 0]),
            ("1.0+ubuntu.1", "1.0+ubuntu,1", [1, 0, 0]),
            ("1.0+ABC_007-x", "1.0+abc,7,x", [1, 0, 0]),
            // Where JavaScript has other numbers.
            (
                "1.20240131120000123",
                "1.20240131120000123",
                [1, 20_240_131_120_000_123, 0],
            ),
            ("1.0+1e5", "1.0+1e5", [1, 0, 0]),
            ("18446744073709551615", "18446744073709551615", [u64::MAX, 0, 0]),
        ] {
            let parts = parts(text, &parse(text).unwrap());
            let [major, minor, patch] = numbers;
            assert_eq!(
                parts,
                json!({"raw": text, "version": version, "major": major, "minor": minor, "patch": patch})
            );
        }
        for text in [
            "",
            "v",
            "vv1",
            "=1.0",
            " 1.0",
            "1.0 ",
            "1.0\n",
            "\u{a0}1.0",
            "1.",
            ".1",
            "1.2.*",
            "*",
            "1.0-",
            "1.0--1",
            "1!",
            "!1",
            "1!2!3",
            "1e3",
            "1.0x1",
            "latest",
            "release-1.0",
            "1.0+",
            "1.0+a..b",
            "1.0+é",
            "١.٢",
            "１",
            "1.0poſt1",
            "1.0/1",
            "18446744073709551616",
        ] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            if let Some(version) = parse(&text) {
                parts(&text, &version);
            }
        }

        #[test]
        fn normal_form_reads_back(
            text in "v?([0-9]!)?[0-9]{1,3}([.][0-9]{1,3}){0,4}([-_.]?(a|rc|beta|pre)[-_.]?[0-9]?)?([-_.]?(post|rev)[0-9]?)?([-_.]?dev[0-9]?)?([+][a-z0-9]{1,5})?",
        ) {
            let version = parse(&text).unwrap();
            let normal = normalized(&version);
            prop_assert_eq!(parse(&normal.replace(',', ".")), Some(version.clone()), "{}", &normal);
        }
    }
}
