//! Labels and annotations: the eight of the OCI image specification that an event can tell
//! (<https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md>), and the user's own.
//!
//! One that nothing is known for is there with an empty value, as docker/metadata-action has it, so that the one
//! of a base image does not show through. In native mode it is left out: an empty claim helps nobody.

use std::collections::BTreeMap;

use crate::collation;
use crate::error::{Error, Input};
use crate::expression::Expressions;
use crate::list;
use crate::subject::Subject;
use crate::warning::Warning;

/// A key and its value; the value may hold anything, line ends too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Such as `org.opencontainers.image.title`.
    pub key: String,
    /// Its text.
    pub value: String,
}

impl Label {
    /// `key=value` on one line: a run of control characters, such as a line end in a description, becomes a space.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = String::with_capacity(self.key.len() + self.value.len() + 1);
        let mut within_run = false;
        for c in self.key.chars().chain(['=']).chain(self.value.chars()) {
            let ends_lines = c.is_control() && c != '\t' || matches!(c, '\u{2028}' | '\u{2029}');
            if !ends_lines {
                line.push(c);
            } else if !within_run {
                line.push(' ');
            }
            within_run = ends_lines;
        }
        line
    }
}

/// All of them, sorted by key; the user's own win. `own`: the user's, one `key=value` a line, of this input.
pub(crate) fn all(
    subject: &Subject<'_>,
    expressions: &Expressions,
    version: &str,
    input: Input,
    own: &str,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Label>, Error> {
    let mut labels: BTreeMap<String, String> = of_event(subject, version)
        .into_iter()
        .filter(|(_, value)| !(subject.mode.is_native() && value.is_empty()))
        .map(|(name, value)| (format!("org.opencontainers.image.{name}"), value))
        .collect();
    let lines = list::lines(own).map_err(|source| Error::List { input, source })?;
    for line in lines {
        match expressions.fill(input, &line)?.split_once('=') {
            Some((key, value)) if !key.is_empty() => {
                labels.insert(key.to_owned(), value.to_owned());
            }
            _ => warnings.push(Warning::NoLabel { input, line }),
        }
    }
    let mut labels: Vec<Label> = labels
        .into_iter()
        .map(|(key, value)| Label { key, value })
        .collect();
    labels.sort_by(|one, other| collation::compare(&one.key, &other.key));
    Ok(labels)
}

fn of_event(subject: &Subject<'_>, version: &str) -> [(&'static str, String); 8] {
    let repository = &subject.facts.repository;
    [
        ("title", repository.name.clone()),
        ("description", repository.description.clone()),
        ("url", repository.html_url.clone()),
        ("source", repository.html_url.clone()),
        ("version", version.to_owned()),
        (
            "created",
            subject.facts.now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        ),
        ("revision", subject.sha.clone()),
        ("licenses", repository.license.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::facts::{Facts, Repository};
    use crate::mode::Mode;
    use crate::request::Request;

    fn labels(
        mode: Mode,
        payload: Value,
        input: &str,
        warnings: &mut Vec<Warning>,
    ) -> Result<Vec<Label>, Error> {
        let facts = Facts {
            event_name: "push".to_owned(),
            git_ref: "refs/heads/a=b".to_owned(),
            sha: "860c190".to_owned(),
            repository: Repository::from_json(&payload["repository"], "org/app", "https://github.com"),
            payload,
            ..Facts::default()
        };
        let request = Request {
            mode,
            ..Request::default()
        };
        let subject = Subject::new(&facts, &request);
        let expressions = Expressions::new(&subject);
        all(&subject, &expressions, "1.2.3", Input::Labels, input, warnings)
    }

    fn lines(payload: Value, input: &str) -> Vec<String> {
        labels(Mode::Compatible, payload, input, &mut Vec::new())
            .unwrap()
            .iter()
            .map(Label::line)
            .collect()
    }

    #[test]
    fn eight_labels_also_when_nothing_is_known() {
        let expected = [
            "org.opencontainers.image.created=1970-01-01T00:00:00.000Z",
            "org.opencontainers.image.description=",
            "org.opencontainers.image.licenses=",
            "org.opencontainers.image.revision=860c190",
            "org.opencontainers.image.source=https://github.com/org/app",
            "org.opencontainers.image.title=app",
            "org.opencontainers.image.url=https://github.com/org/app",
            "org.opencontainers.image.version=1.2.3",
        ];
        assert_eq!(lines(Value::Null, ""), expected);
    }

    #[test]
    fn native_labels_say_something_or_are_not_there() {
        let labels = labels(Mode::Native, Value::Null, "x=", &mut Vec::new()).unwrap();
        let keys: Vec<&str> = labels
            .iter()
            .map(|label| label.key.rsplit('.').next().unwrap())
            .collect();
        assert_eq!(
            keys,
            ["created", "revision", "source", "title", "url", "version", "x"]
        );
    }

    #[test]
    fn own_labels_win_and_may_hold_anything() {
        let input = "x={{branch}}\norg.opencontainers.image.title=My=App\nj={\"a\":1,\"b\":2}\nempty=";
        let lines = lines(Value::Null, input);
        for expected in [
            "x=a=b",
            "org.opencontainers.image.title=My=App",
            "j={\"a\":1,\"b\":2}",
            "empty=",
        ] {
            assert!(lines.iter().any(|line| line == expected), "{expected}: {lines:?}");
        }
        assert_eq!(lines.len(), 11);
    }

    #[test]
    fn lines_without_a_key_are_told() {
        let mut warnings = Vec::new();
        let labels = labels(Mode::Compatible, Value::Null, "foo\n=x", &mut warnings);
        assert_eq!(labels.unwrap().len(), 8);
        let expected = ["foo", "=x"].map(|line| Warning::NoLabel {
            input: Input::Labels,
            line: line.to_owned(),
        });
        assert_eq!(warnings, expected);
    }

    #[test]
    fn expressions_of_a_payload_stay_text() {
        let payload =
            json!({"repository": {"description": "A \"quoted\", multi\r\n\nline = {{branch}}\0 🪐"}});
        let lines = lines(payload, "");
        assert_eq!(
            lines[1],
            "org.opencontainers.image.description=A \"quoted\", multi line = {{branch}}  🪐"
        );
    }

    proptest! {
        #[test]
        fn one_line_a_label(description in any::<String>(), key in "[a-z\n\r\u{2028}]{1,5}") {
            let payload = json!({"repository": {"description": description, "license": {"spdx_id": description}}});
            for line in lines(payload, &format!("\"{key}=1\"")) {
                prop_assert!(!line.contains(|c: char| c.is_control() && c != '\t'), "{line:?}");
            }
        }
    }
}
