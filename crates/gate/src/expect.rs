//! What an answer must look like. Every rule must hold; the first that does not is the reason.

use std::str::FromStr;

use regex::Regex;
use serde_json::Value;

use gha::text;

use crate::answer::Answer;
use crate::expression::{Expression, Unjudged};
use crate::finding::{FaultKind, Finding};
use crate::status_set::StatusSet;
use crate::version::Version;

/// How much of a value is quoted in a reason, in characters.
const QUOTED: usize = 120;

/// The rules for an answer. `E` is how expressions are held: compiled, or as written in a gate file.
#[derive(Clone, Debug)]
pub struct Expect<E = Expression> {
    /// The status codes that are good.
    pub status: StatusSet,
    /// Texts that the body must contain.
    pub body: Vec<String>,
    /// Patterns that the body must match.
    pub matches: Vec<Regex>,
    /// Rules for a JSON body.
    pub json: Vec<JsonRule<E>>,
    /// Headers.
    pub headers: Vec<Header>,
    /// The version that must serve.
    pub version: Option<Version>,
}

/// A rule for a JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonRule<E = Expression> {
    /// A field and its value.
    Field(JsonField),
    /// An expression that must be true.
    Expression(E),
}

/// A field of a JSON body and its value: `/status=ok`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonField {
    /// A JSON pointer (RFC 6901).
    pub pointer: String,
    /// The value: JSON, or the text of a string.
    pub value: String,
}

/// A header and, if any, a text that its value must contain: `content-type: application/json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The name, in any case.
    pub name: String,
    /// What the value must contain.
    pub contains: Option<String>,
}

/// Why a rule can't be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RuleError {
    /// Not a pointer and a value.
    #[error("`{0}` is no JSON pointer with a value; write for example `/status=ok` or `/checks/db=true`")]
    Json(String),
    /// Not a header.
    #[error("`{0}` is no header; write for example `content-type: application/json`, or a name alone")]
    Header(String),
}

impl FromStr for JsonField {
    type Err = RuleError;

    fn from_str(rule: &str) -> Result<Self, Self::Err> {
        let split = rule
            .split_once('=')
            .filter(|(pointer, _)| pointer.starts_with('/'));
        let (pointer, value) =
            split.ok_or_else(|| RuleError::Json(text::cut(&text::visible(rule), QUOTED)))?;
        Ok(Self {
            pointer: pointer.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl FromStr for Header {
    type Err = RuleError;

    fn from_str(rule: &str) -> Result<Self, Self::Err> {
        let (name, value) = match rule.split_once(':') {
            Some((name, value)) => (name.trim(), Some(value.trim()).filter(|value| !value.is_empty())),
            None => (rule.trim(), None),
        };
        // The token of RFC 9110, section 5.6.2.
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(token) {
            return Err(RuleError::Header(text::cut(&text::visible(rule), QUOTED)));
        }
        Ok(Self {
            name: name.to_owned(),
            contains: value.map(str::to_owned),
        })
    }
}

impl Expect {
    /// Judges an answer.
    #[must_use]
    pub fn judge(&self, answer: &Answer) -> Finding {
        let rules = [
            self.status(answer),
            self.headers(answer),
            self.body(answer),
            self.matches(answer),
            self.json(answer),
            self.version(answer),
        ];
        rules.into_iter().flatten().next().unwrap_or(Finding::Good)
    }

    fn status(&self, answer: &Answer) -> Option<Finding> {
        if self.status.holds(answer.status) {
            return None;
        }
        // Its query may hold a token.
        let redirect = answer
            .header("location")
            .map(|target| target.split(['?', '#']).next().unwrap_or_default())
            .filter(|_| (300..400).contains(&answer.status));
        Some(match redirect {
            Some(target) => Finding::bad(
                FaultKind::Redirect,
                format!(
                    "answered {} to {}, expected {}",
                    answer.status,
                    quoted(target),
                    self.status
                ),
            ),
            None => Finding::bad(
                FaultKind::Status,
                format!("answered {}, expected {}", answer.status, self.status),
            ),
        })
    }

    fn headers(&self, answer: &Answer) -> Option<Finding> {
        self.headers.iter().find_map(|rule| {
            let reason = match (answer.header(&rule.name), &rule.contains) {
                (None, _) => format!("header `{}` is missing", rule.name),
                (Some(value), Some(part)) if !value.contains(part.as_str()) => {
                    format!(
                        "header `{}` is {}, expected {}",
                        rule.name,
                        quoted(value),
                        quoted(part)
                    )
                }
                _ => return None,
            };
            Some(Finding::bad(FaultKind::Content, reason))
        })
    }

    fn body(&self, answer: &Answer) -> Option<Finding> {
        let body = String::from_utf8_lossy(&answer.body);
        let missing = self.body.iter().find(|part| !body.contains(part.as_str()))?;
        Some(Finding::bad(
            FaultKind::Content,
            format!("the body does not contain {}{}", quoted(missing), part(answer)),
        ))
    }

    fn matches(&self, answer: &Answer) -> Option<Finding> {
        if self.matches.is_empty() {
            return None;
        }
        let body = String::from_utf8_lossy(&answer.body);
        let pattern = self.matches.iter().find(|pattern| !pattern.is_match(&body))?;
        Some(Finding::bad(
            FaultKind::Content,
            format!(
                "the body does not match {}{}",
                quoted(pattern.as_str()),
                part(answer)
            ),
        ))
    }

    fn json(&self, answer: &Answer) -> Option<Finding> {
        if self.json.is_empty() {
            return None;
        }
        let Some(body) = answer.json() else {
            let reason = if answer.cut {
                "the body is longer than is read, and so not read as JSON"
            } else {
                "the body is not JSON"
            };
            return Some(Finding::bad(FaultKind::Content, reason));
        };
        self.json.iter().find_map(|rule| match rule {
            JsonRule::Field(field) => field.fault(&body),
            JsonRule::Expression(expression) => unmet(expression, &body),
        })
    }

    fn version(&self, answer: &Answer) -> Option<Finding> {
        let version = self.version.as_ref()?;
        version
            .fault(answer)
            .map(|reason| Finding::bad(FaultKind::Version, reason))
    }
}

impl JsonField {
    /// Why a body does not have the value.
    fn fault(&self, body: &Value) -> Option<Finding> {
        let reason = match body.pointer(&self.pointer) {
            None => format!("the body has no {}", quoted(&self.pointer)),
            Some(value) if !same(value, &self.value) => {
                format!(
                    "{} is {}, expected {}",
                    quoted(&self.pointer),
                    quoted(&value.to_string()),
                    quoted(&self.value)
                )
            }
            Some(_) => return None,
        };
        Some(Finding::bad(FaultKind::Content, reason))
    }
}

/// Why an expression does not hold for a body. One that is late says nothing about the body.
fn unmet(expression: &Expression, body: &Value) -> Option<Finding> {
    match expression.holds(body) {
        Ok(true) => None,
        Ok(false) => Some(Finding::bad(
            FaultKind::Content,
            format!("{} is not true of the body", quoted(expression.written())),
        )),
        Err(Unjudged::Failed(reason)) => Some(Finding::bad(FaultKind::Content, reason)),
        Err(unjudged) => Some(Finding::Unmeasured(unjudged.into())),
    }
}

/// Which part of a body was looked at, where that is not all of it.
fn part(answer: &Answer) -> &'static str {
    if answer.cut { ", as far as it was read" } else { "" }
}

/// Whether a JSON value is the written one: the text of a string, or the same JSON.
fn same(value: &Value, written: &str) -> bool {
    value.as_str() == Some(written)
        || serde_json::from_str::<Value>(written).is_ok_and(|wanted| wanted == *value)
}

/// Foreign text in a reason.
pub(crate) fn quoted(value: &str) -> String {
    format!("`{}`", text::cut(&text::visible(value), QUOTED))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            headers: vec![(
                "content-type".to_owned(),
                "application/json; charset=utf-8".to_owned(),
            )],
            body: body.as_bytes().to_vec(),
            ..Answer::default()
        }
    }

    fn expect(body: &[&str], json: &[&str], headers: &[&str]) -> Expect {
        Expect {
            status: "2xx".parse().unwrap(),
            body: body.iter().map(|text| (*text).to_owned()).collect(),
            matches: vec![],
            json: json
                .iter()
                .map(|rule| JsonRule::Field(rule.parse().unwrap()))
                .collect(),
            headers: headers.iter().map(|rule| rule.parse().unwrap()).collect(),
            version: None,
        }
    }

    #[test]
    fn the_first_broken_rule_is_the_reason() {
        let good = answer(200, r#"{"status":"ok","n":3,"db":{"up":true},"a/b":null}"#);
        for (rules, given, reason) in [
            (expect(&[], &[], &[]), good.clone(), "good"),
            (
                expect(
                    &["ok"],
                    &["/status=ok", "/n=3", "/db/up=true", "/a~1b=null"],
                    &["Content-Type: json"],
                ),
                good.clone(),
                "good",
            ),
            (
                expect(&[], &[], &[]),
                answer(503, ""),
                "answered 503, expected 2xx",
            ),
            (
                expect(&["ready"], &[], &[]),
                good.clone(),
                "the body does not contain `ready`",
            ),
            (
                expect(&[], &["/status=up"], &[]),
                good.clone(),
                "`/status` is `\"ok\"`, expected `up`",
            ),
            (
                expect(&[], &["/n=4"], &[]),
                good.clone(),
                "`/n` is `3`, expected `4`",
            ),
            (
                expect(&[], &["/nope=1"], &[]),
                good.clone(),
                "the body has no `/nope`",
            ),
            (
                expect(&[], &["/x=1"], &[]),
                answer(200, "<html>"),
                "the body is not JSON",
            ),
            (
                expect(&[], &[], &["x-id"]),
                good.clone(),
                "header `x-id` is missing",
            ),
            (
                expect(&[], &[], &["content-type: text/html"]),
                good,
                "header `content-type` is `application/json; charset=utf-8`, expected `text/html`",
            ),
        ] {
            assert_eq!(rules.judge(&given).text(), reason);
        }
    }

    #[test]
    fn a_redirect_shows_where_to() {
        let mut login = answer(302, "");
        login.headers.push((
            "location".to_owned(),
            "https://login.example.com/\u{1b}".to_owned(),
        ));
        let finding = expect(&[], &[], &[]).judge(&login);
        assert_eq!(
            finding.text(),
            "answered 302 to `https://login.example.com/\\u{1b}`, expected 2xx"
        );
    }

    #[test]
    fn rules_that_are_none_are_refused() {
        for rule in ["status=ok", "/status", "", ".status == \"ok\""] {
            assert!(
                rule.parse::<JsonField>()
                    .unwrap_err()
                    .to_string()
                    .contains("/status=ok"),
                "{rule}"
            );
        }
        for rule in ["", ": x", "a b: c", "a\nb"] {
            assert!(rule.parse::<Header>().is_err(), "{rule}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics_or_breaks_a_reason(body in any::<Vec<u8>>(), text in any::<String>()) {
            let mut given = answer(200, "");
            given.body = body;
            let rules = expect(&[&text], &["/a=b"], &[]);
            assert!(!rules.judge(&given).text().contains('\n'));
        }
    }
}
