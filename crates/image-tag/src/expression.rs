//! Expressions within inputs: `{{branch}}`, `{{date 'YYYYMMDD' tz='Asia/Tokyo'}}`, `{{#if tag}}…{{/if}}`.
//!
//! The language is Handlebars. Values are put in as they are: docker/metadata-action escapes them for HTML, which
//! turns a branch `a=b` into `a&#x3D;b`. Values are data, an expression within one stays text.

mod backslashes;
mod date;
mod engine;
mod value;

use std::rc::Rc;

use handlebars::Context;
use semver::Version;
use serde_json::{Value, json};

use crate::error::{Error, Input};
use crate::subject::Subject;
use crate::types::semver as semver_type;
use crate::version_order;

use engine::Engine;
pub(crate) use engine::in_force;

/// Fills in expressions for one subject.
pub(crate) struct Expressions {
    engine: Rc<Engine>,
    values: Context,
}

impl Expressions {
    pub(crate) fn new(subject: &Subject<'_>) -> Self {
        let engine = Engine::new(subject.facts.now, subject.commit_date, subject.mode);
        Self {
            engine: Rc::new(engine),
            values: Context::from(values(subject)),
        }
    }

    /// The same for another subject of the same time.
    pub(crate) fn of(&self, subject: &Subject<'_>) -> Self {
        Self {
            engine: Rc::clone(&self.engine),
            values: Context::from(values(subject)),
        }
    }

    /// Fills in the expressions that are known everywhere.
    pub(crate) fn fill(&self, input: Input, text: &str) -> Result<String, Error> {
        self.engine.with_dates(input, text, &self.values)
    }

    /// Fills in `date` and `commit_date` alone, as in the pattern of a schedule.
    pub(crate) fn fill_dates(&self, text: &str) -> Result<String, Error> {
        self.engine.with_dates(Input::Tags, text, &Context::null())
    }

    /// Fills in the parts of a version, and nothing else.
    pub(crate) fn fill_version(&self, pattern: &str, parts: Value) -> Result<String, Error> {
        self.engine
            .without_dates(Input::Tags, pattern, &Context::from(parts))
    }

    /// The time zones that were asked for and are not known, each once.
    pub(crate) fn unknown_zones(&self) -> Vec<String> {
        self.engine.unknown_zones()
    }
}

/// The values that expressions may use.
fn values(subject: &Subject<'_>) -> Value {
    let is_default = subject.is_default_branch();
    let history = subject.facts.history.as_ref();
    let version = subject.version_text();
    let key = version.and_then(version_order::Key::parse);
    let parsed = version.and_then(semver_type::parse);
    let part = |part: fn(&Version) -> String| parsed.as_ref().map(part).unwrap_or_default();
    let mut values = json!({
        "branch": subject.branch().unwrap_or_default(),
        "tag": subject.tag().unwrap_or_default(),
        "sha": subject.short_sha,
        "base_ref": subject.base_ref(),
        // Text, not truth values: `{{#if is_default_branch}}` holds for both, as it always did.
        "is_default_branch": is_default.to_string(),
        "is_not_default_branch": (!is_default).to_string(),
        "describe": history.map(|history| subject.describe(history)).unwrap_or_default(),
        "distance": history.map(|history| history.distance.to_string()).unwrap_or_default(),
        "commit_count": history.map(|history| history.commit_count.to_string()).unwrap_or_default(),
        "prerelease": part(|version| version.pre.to_string()),
        "build": part(|version| version.build.to_string()),
        "is_prerelease": key.is_some_and(|key| key.is_prerelease()).to_string(),
    });
    if subject.mode.is_native()
        && let Value::Object(values) = &mut values
    {
        for (name, text) in [
            ("version", part(semver_type::without_build)),
            ("major", part(|version| version.major.to_string())),
            ("minor", part(|version| version.minor.to_string())),
            ("patch", part(|version| version.patch.to_string())),
        ] {
            values.insert(name.to_owned(), text.into());
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::facts::{Facts, Repository};
    use crate::request::Request;

    fn facts(git_ref: &str) -> Facts {
        let payload = json!({"base_ref": "refs/heads/main", "repository": {"default_branch": "main"}});
        Facts {
            event_name: "push".to_owned(),
            git_ref: git_ref.to_owned(),
            sha: "860c1904a1ce19322e91ac35af1ab07466440c37".to_owned(),
            repository: Repository::from_json(&payload["repository"], "org/app", ""),
            payload,
            now: "2020-01-10T00:30:00Z".parse().unwrap(),
            commit_date: Some("2024-11-13T13:42:28Z".parse().unwrap()),
            ..Facts::default()
        }
    }

    fn fill(git_ref: &str, text: &str) -> Result<String, Error> {
        let (facts, request) = (facts(git_ref), Request::default());
        Expressions::new(&Subject::new(&facts, &request)).fill(Input::Tags, text)
    }

    #[test]
    fn values() {
        for (git_ref, text, expected) in [
            (
                "refs/heads/main",
                "{{branch}}|{{tag}}|{{sha}}|{{base_ref}}",
                "main||860c190|",
            ),
            (
                "refs/tags/v1",
                "{{branch}}|{{tag}}|{{sha}}|{{base_ref}}",
                "|v1|860c190|main",
            ),
            (
                "refs/heads/main",
                "{{is_default_branch}} {{is_not_default_branch}}",
                "true false",
            ),
            (
                "refs/heads/dev",
                "{{is_default_branch}} {{is_not_default_branch}}",
                "false true",
            ),
            ("refs/heads/dev", "a{{nope}}{{a.b}}{{version}}b", "ab"),
            (
                "refs/heads/a=&<>\"'`b",
                "{{branch}} {{{branch}}}",
                "a=&<>\"'`b a=&<>\"'`b",
            ),
            ("refs/heads/{{sha}}", "{{branch}}", "{{sha}}"),
            (
                "refs/tags/v1",
                "{{#if tag}}t-{{tag}}{{else}}b-{{branch}}{{/if}}",
                "t-v1",
            ),
            (
                "refs/tags/v1",
                "no {expression} }} here",
                "no {expression} }} here",
            ),
            ("refs/tags/v1", r"\{{sha}}", "{{sha}}"),
            ("refs/tags/v1", "{{date 'YYYYMMDD-HHmmss'}}", "20200110-003000"),
            (
                "refs/tags/v1",
                "{{date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}}",
                "20200110-093000",
            ),
            (
                "refs/tags/v1",
                "{{ commit_date \"YYYY\" tz=\"europe/berlin\" }}",
                "2024",
            ),
            (
                "refs/tags/v1",
                "{{commit_date YYYY-MM-DD-HHmmSS}}",
                "2024-11-13T13:42:28Z",
            ),
            ("refs/tags/v1", r"{{date 'YYYY\TMM\nDD'}}", "2020T01n10"),
            (
                "refs/heads/main",
                "{{branch 'x'}}{{#if (is_default_branch)}}-y{{/if}}",
                "main-y",
            ),
            ("refs/heads/main", "{{#branch}}<{{this}}>{{/branch}}", "<main>"),
            ("refs/tags/v1", "{{date ''}}", "2020-01-10T00:30:00Z"),
            (
                "refs/tags/v1",
                "{{date 'ZZ z'}}{{date 'ZZ z' tz='Mars/Base'}}",
                "+0000 UTC+0000 ",
            ),
        ] {
            assert_eq!(fill(git_ref, text).unwrap(), expected, "{git_ref} {text}");
        }
    }

    #[test]
    fn broken_expressions() {
        let nested = format!("{}x{}", "{{#if tag}}".repeat(100_000), "{{/if}}".repeat(100_000));
        let parentheses = format!("{{{{{}x{}}}}}", "(a ".repeat(100_000), ")".repeat(100_000));
        for (text, expected) in [
            ("{{branch", "it can't be read at line 1, column 9"),
            ("{{#if tag}}x", "it can't be read"),
            ("{{#if tag}}x{{/unless}}", "is closing"),
            ("{{date}}", "`date` needs a format in quotes"),
            ("{{date 2020}}", "`date` needs a format in quotes"),
            ("{{date 'YYYY' zone='UTC'}}", "`date` has no attribute `zone`"),
            ("{{date 'YYYY' tz=''}}", "must be a zone in quotes"),
            ("{{date 'YYYY' tz=UTC}}", "must be a zone in quotes"),
            ("{{nope 'x'}}", "nope"),
            ("{{> x}}", "partials"),
            ("{{#*inline \"a\"}}{{> a}}{{/inline}}{{> a}}", "partials"),
            ("{{#if tag}}{{> x}}{{/if}}", "partials"),
            (&nested, "more than 50"),
            (&parentheses, "more than 50"),
        ] {
            let message = fill("refs/tags/v1", text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text:.60}: {message:.300}");
            assert!(!message.contains('\n') && message.len() < 500, "{message:.600}");
        }
    }

    #[test]
    fn many_expressions_side_by_side_are_not_deep() {
        let text = "#([{{sha}}".repeat(1000);
        assert_eq!(fill("refs/tags/v1", &text).unwrap(), "#([860c190".repeat(1000));
    }

    #[test]
    fn unknown_zones_are_told_once() {
        let (facts, request) = (facts("refs/heads/main"), Request::default());
        let expressions = Expressions::new(&Subject::new(&facts, &request));
        for _ in 0..2 {
            expressions
                .fill(
                    Input::Tags,
                    "{{date 'YYYY' tz='Mars/Base'}}{{date 'YYYY' tz='UTC'}}",
                )
                .unwrap();
        }
        assert_eq!(expressions.unknown_zones(), ["Mars/Base"]);
    }

    #[test]
    fn a_schedule_knows_the_dates_alone() {
        let (facts, request) = (facts("refs/heads/main"), Request::default());
        let expressions = Expressions::new(&Subject::new(&facts, &request));
        assert_eq!(
            expressions
                .fill_dates("{{branch}}{{sha}}{{date 'YYYY'}}")
                .unwrap(),
            "2020"
        );
    }

    proptest! {
        #[test]
        fn no_template_panics(text in any::<String>()) {
            let _ = fill("refs/heads/main", &format!("{{{{{text}"));
        }

        #[test]
        fn template_like_text_never_panics(text in "(\\{\\{|\\}\\}|#if |/if|else|date|branch|'|\"|~|>|\\*|\\(|\\)| |=|tz|[a-z\\\\]){0,20}") {
            let _ = fill("refs/heads/main", &text);
        }

        #[test]
        fn values_stay_as_they_are(branch in any::<String>()) {
            prop_assert_eq!(fill(&format!("refs/heads/{branch}"), "{{branch}}").unwrap(), branch);
        }
    }
}
