//! The version that serves: the check that the new release is what answers, and not the old one that never went
//! away.

use std::str::FromStr;

use serde_json::Value;

use crate::answer::Answer;
use crate::expect::quoted;

/// The version that must serve, and where an answer names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The version or commit.
    pub wanted: String,
    /// Where to look.
    pub at: VersionAt,
}

/// Where an answer names its version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VersionAt {
    /// In the usual places: the header `x-version`, the usual fields at the top of a JSON body, or a body that is nothing
    /// but a version.
    #[default]
    Usual,
    /// A field of a JSON body.
    Json(String),
    /// A header.
    Header(String),
    /// The whole body, blanks at its ends left out.
    Body,
}

/// Fields in which services name their version, looked for at the top of a JSON body.
const VERSION_FIELDS: [&str; 2] = ["version", "release"];

/// Fields in which services name their commit.
const COMMIT_FIELDS: [&str; 6] = ["commit", "sha", "revision", "git_sha", "gitCommit", "commit_sha"];

/// The field of a build's number, which counts where no version is named: `2` is not version 2.
const BUILD_FIELD: &str = "build";

/// The text is no place.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{0}` is no place for a version; write for example `/version`, `header:x-version`, `body` or `usual`"
)]
pub struct VersionAtError(String);

impl FromStr for VersionAt {
    type Err = VersionAtError;

    fn from_str(place: &str) -> Result<Self, Self::Err> {
        match place {
            "usual" => Ok(Self::Usual),
            "body" => Ok(Self::Body),
            pointer if pointer.starts_with('/') => Ok(Self::Json(pointer.to_owned())),
            other => match other.strip_prefix("header:").map(str::trim) {
                Some(name) if !name.is_empty() => Ok(Self::Header(name.to_owned())),
                _ => Err(VersionAtError(gha::text::cut(&gha::text::visible(other), 40))),
            },
        }
    }
}

impl Version {
    /// Why an answer is not from the wanted version; `None` where it is.
    #[must_use]
    pub fn fault(&self, answer: &Answer) -> Option<String> {
        let seen = self.at.read(answer);
        if seen.iter().any(|seen| same(&self.wanted, seen)) {
            return None;
        }
        Some(match seen.first() {
            Some(seen) => format!(
                "serves version {}, expected {}",
                quoted(seen),
                quoted(&self.wanted)
            ),
            None => format!(
                "names no version {}, expected {}",
                self.at.place(),
                quoted(&self.wanted)
            ),
        })
    }
}

impl VersionAt {
    /// What the answer names there.
    fn read(&self, answer: &Answer) -> Vec<String> {
        let body = || String::from_utf8_lossy(&answer.body).trim().to_owned();
        let header = |name: &str| answer.header(name).map(str::to_owned);
        match self {
            Self::Json(pointer) => answer
                .json()
                .and_then(|json| json.pointer(pointer).and_then(scalar))
                .into_iter()
                .collect(),
            Self::Header(name) => header(name).into_iter().collect(),
            Self::Body => Some(body()).filter(|body| !body.is_empty()).into_iter().collect(),
            Self::Usual => {
                let json = answer.json().unwrap_or_default();
                let named = |field: &str| json.get(field).and_then(scalar);
                let whole = body();
                let whole = Some(whole)
                    .filter(|body| (1..=80).contains(&body.len()) && !body.contains(char::is_whitespace));
                let mut found: Vec<String> = header("x-version").into_iter().collect();
                found.extend(VERSION_FIELDS.into_iter().filter_map(named));
                found.extend(named(BUILD_FIELD).filter(|_| found.is_empty()));
                found.extend(COMMIT_FIELDS.into_iter().filter_map(named));
                found.extend(whole.filter(|_| !json.is_object()));
                found
            }
        }
    }

    /// The place, for a reason.
    fn place(&self) -> String {
        match self {
            Self::Usual => "in the usual places".to_owned(),
            Self::Json(pointer) => format!("at {}", quoted(pointer)),
            Self::Header(name) => format!("in header {}", quoted(name)),
            Self::Body => "in its body".to_owned(),
        }
    }
}

/// A string or a number as text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        // A fraction has lost digits: `1.10` is read as 1.1.
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// Whether two names mean the same version: equal but for one leading `v`, or the same commit, one of them cut short.
fn same(wanted: &str, seen: &str) -> bool {
    let plain = |text: &str| {
        let text = text.trim();
        let number = text
            .strip_prefix('v')
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        number.unwrap_or(text).to_owned()
    };
    let (wanted, seen) = (plain(wanted), plain(seen));
    let commit = |text: &str| (7..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let cut_short = || {
        let (wanted, seen) = (wanted.to_ascii_lowercase(), seen.to_ascii_lowercase());
        // Without a letter it could be a build's number, of which the beginning is another build.
        let longer = if wanted.len() > seen.len() { &wanted } else { &seen };
        let surely = longer.len() == 40 || longer.bytes().any(|byte| byte.is_ascii_alphabetic());
        let both = commit(&wanted) && commit(&seen) && surely;
        both && (wanted.starts_with(&seen) || seen.starts_with(&wanted))
    };
    wanted == seen || cut_short()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn fault(wanted: &str, at: &str, header: Option<&str>, body: &str) -> Option<String> {
        let headers = header
            .map(|value| ("x-version".to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        let answer = Answer {
            status: 200,
            headers,
            body: body.as_bytes().to_vec(),
            ..Answer::default()
        };
        Version {
            wanted: wanted.to_owned(),
            at: at.parse().unwrap(),
        }
        .fault(&answer)
    }

    #[test]
    fn finds_the_version_where_it_is_named() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        for (wanted, at, header, body) in [
            ("1.2.3", "usual", None, r#"{"version":"1.2.3"}"#),
            ("1.2.3", "usual", None, r#"{"version":"v1.2.3"}"#),
            ("v1.2.3", "usual", Some("1.2.3"), ""),
            ("1.2.3", "usual", None, "1.2.3\n"),
            ("42", "usual", None, r#"{"build":42}"#),
            (sha, "usual", None, r#"{"version":"9","commit":"0123456"}"#),
            ("0123456", "usual", None, &format!("{{\"sha\":\"{sha}\"}}")),
            ("42", "/build/number", None, r#"{"build":{"number":42}}"#),
            ("1.2.3", "header:X-Version", Some("1.2.3"), ""),
            ("1.2.3", "body", None, " 1.2.3 "),
        ] {
            assert_eq!(fault(wanted, at, header, body), None, "{wanted} {at} {body}");
        }
    }

    #[test]
    fn says_what_serves_instead() {
        for (wanted, at, body, reason) in [
            (
                "1.2.4",
                "usual",
                r#"{"version":"1.2.3"}"#,
                "serves version `1.2.3`, expected `1.2.4`",
            ),
            (
                "1.2",
                "usual",
                r#"{"version":"1.2.3"}"#,
                "serves version `1.2.3`, expected `1.2`",
            ),
            (
                "1.2.3",
                "usual",
                r#"{"note":"1.2.3"}"#,
                "names no version in the usual places, expected `1.2.3`",
            ),
            (
                "1.2.3",
                "/v",
                r#"{"version":"1.2.3"}"#,
                "names no version at `/v`, expected `1.2.3`",
            ),
            (
                "012345",
                "usual",
                r#"{"sha":"0123456789"}"#,
                "serves version `0123456789`, expected `012345`",
            ),
            (
                "1.2.3",
                "usual",
                "<html>version 1.2.3</html>",
                "names no version in the usual places, expected `1.2.3`",
            ),
        ] {
            assert_eq!(fault(wanted, at, None, body).as_deref(), Some(reason));
        }
        assert!("version".parse::<VersionAt>().is_err() && "header:".parse::<VersionAt>().is_err());
    }

    proptest! {
        #[test]
        fn only_the_same_version_is_the_same(a in "[0-9]{1,3}\\.[0-9]{1,3}", b in "[0-9]{1,3}\\.[0-9]{1,3}") {
            assert_eq!(fault(&a, "usual", None, &format!("{{\"version\":\"{b}\"}}")).is_none(), a == b);
        }

        #[test]
        fn never_panics(wanted in any::<String>(), body in any::<String>()) {
            let _ = fault(&wanted, "usual", None, &body);
        }
    }
}
