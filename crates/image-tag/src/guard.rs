//! The `require` input: what must hold of the ref before anything is built.
//!
//! Every line must hold; within a line `|` stands between rules of which one is enough.

use glob::{MatchOptions, Pattern};

use crate::error::{Error, Input, shown};
use crate::list;
use crate::subject::Subject;
use crate::version_order;

const RULES: &str = "`semver-tag`, `prerelease-tag`, `tag:GLOB`, `default-branch`, `branch:GLOB`, `pull-request`, `event:NAME`";

/// In a pattern `*` and `?` don't match `/`, as in a workflow's filters.
pub(crate) const GLOB: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    /// A tag `MAJOR.MINOR.PATCH` with or without a `v`, and nothing behind it.
    SemverTag,
    /// A tag that is the semantic version of a pre-release.
    PrereleaseTag,
    Tag(Pattern),
    DefaultBranch,
    Branch(Pattern),
    PullRequest,
    Event(String),
}

/// Refuses a subject that does not meet every line of the input.
pub(crate) fn check(input: &str, subject: &Subject<'_>) -> Result<(), Error> {
    let lines = list::lines(input).map_err(|source| Error::List {
        input: Input::Require,
        source,
    })?;
    let alternatives = lines
        .iter()
        .map(|line| Ok((line, read(line)?)))
        .collect::<Result<Vec<_>, Error>>()?;
    for (line, rules) in alternatives {
        if !rules.iter().any(|rule| holds(rule, subject)) {
            return Err(Error::Refused {
                git_ref: shown(git_ref(subject)),
                rule: shown(line),
                why: why(&rules, subject),
            });
        }
    }
    Ok(())
}

fn read(line: &str) -> Result<Vec<Rule>, Error> {
    line.split('|').map(|rule| rule_of(rule.trim())).collect()
}

fn rule_of(text: &str) -> Result<Rule, Error> {
    let unknown = || Error::Word {
        input: Input::Require,
        word: shown(text),
        known: RULES,
    };
    let pattern = |glob: &str| {
        Pattern::new(glob).map_err(|error| Error::Glob {
            input: Input::Require,
            glob: shown(glob),
            problem: error.msg,
        })
    };
    Ok(match text.split_once(':') {
        None => match text {
            "semver-tag" => Rule::SemverTag,
            "prerelease-tag" => Rule::PrereleaseTag,
            "default-branch" => Rule::DefaultBranch,
            "pull-request" => Rule::PullRequest,
            _ => return Err(unknown()),
        },
        Some((_, "")) => return Err(unknown()),
        Some(("tag", glob)) => Rule::Tag(pattern(glob)?),
        Some(("branch", glob)) => Rule::Branch(pattern(glob)?),
        Some(("event", name)) => Rule::Event(name.to_owned()),
        Some(_) => return Err(unknown()),
    })
}

fn holds(rule: &Rule, subject: &Subject<'_>) -> bool {
    let semver = |release: bool| {
        let key = subject.tag().and_then(version_order::Key::parse);
        key.is_some_and(|key| key.is_semver() && key.is_prerelease() != release)
    };
    match rule {
        // Build metadata makes another version of the same number.
        Rule::SemverTag => semver(true) && !subject.tag().unwrap_or_default().contains('+'),
        Rule::PrereleaseTag => semver(false),
        Rule::Tag(glob) => subject.tag().is_some_and(|tag| glob.matches_with(tag, GLOB)),
        Rule::Branch(glob) => subject
            .branch()
            .is_some_and(|branch| glob.matches_with(branch, GLOB)),
        Rule::PullRequest => subject.pull().is_some(),
        Rule::Event(name) => subject.facts.event_name == *name,
        // By the ref alone: an event such as `schedule` says nothing about what was checked out.
        Rule::DefaultBranch => {
            let default = subject.default_branch();
            !default.is_empty() && subject.branch() == Some(default)
        }
    }
}

fn git_ref<'a>(subject: &'a Subject<'_>) -> &'a str {
    if subject.git_ref.is_empty() {
        "(none)"
    } else {
        &subject.git_ref
    }
}

/// What a person needs to know beyond the rule itself.
fn why(rules: &[Rule], subject: &Subject<'_>) -> String {
    let wants_tag = |rule: &Rule| matches!(rule, Rule::SemverTag | Rule::PrereleaseTag | Rule::Tag(_));
    if rules.contains(&Rule::DefaultBranch) && subject.default_branch().is_empty() {
        return "the default branch is not known".to_owned();
    }
    if rules.iter().all(wants_tag) && subject.tag().is_none() {
        return subject.no_tag();
    }
    let [rule] = rules else {
        return "none of its rules holds".to_owned();
    };
    match rule {
        Rule::SemverTag => "it is not `vMAJOR.MINOR.PATCH`".to_owned(),
        Rule::PrereleaseTag => "it is not `vMAJOR.MINOR.PATCH-SOMETHING`".to_owned(),
        Rule::Tag(_) => "the pattern does not fit the tag".to_owned(),
        Rule::Branch(_) if subject.branch().is_none() => "the ref is not a branch".to_owned(),
        Rule::Branch(_) => "the pattern does not fit the branch".to_owned(),
        Rule::PullRequest => "the ref is not a pull request".to_owned(),
        Rule::Event(_) if subject.facts.event_name.is_empty() => "the event is not known".to_owned(),
        Rule::Event(_) => format!("the event is `{}`", shown(&subject.facts.event_name)),
        Rule::DefaultBranch => format!("the default branch is `{}`", shown(subject.default_branch())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::facts::Facts;
    use crate::request::Request;

    fn checked(require: &str, git_ref: &str, prefix: &str) -> Result<(), Error> {
        let facts = Facts {
            event_name: "push".to_owned(),
            git_ref: git_ref.to_owned(),
            payload: json!({"repository": {"default_branch": "main"}}),
            ..Facts::default()
        };
        let request = Request {
            tag_prefix: prefix.to_owned(),
            ..Request::default()
        };
        check(require, &Subject::new(&facts, &request))
    }

    #[test]
    fn rules() {
        for (require, git_ref, expected) in [
            ("", "refs/heads/x", true),
            ("semver-tag", "refs/tags/v1.2.3", true),
            ("semver-tag", "refs/tags/1.2.3", true),
            ("semver-tag", "refs/tags/v1.2.3-rc.1", false),
            ("semver-tag", "refs/tags/v1.2.3+b", false),
            ("semver-tag", "refs/tags/v1.2", false),
            ("semver-tag", "refs/tags/release", false),
            ("semver-tag", "refs/heads/v1.2.3", false),
            ("semver-tag", "", false),
            ("prerelease-tag", "refs/tags/v1.2.3-rc.1", true),
            ("prerelease-tag", "refs/tags/v1.2.3", false),
            ("semver-tag | prerelease-tag", "refs/tags/v1.2.3-rc.1", true),
            ("tag:v*", "refs/tags/v1.2.3", true),
            ("tag:v*", "refs/tags/x/v1.2.3", false),
            ("tag:v*", "refs/heads/v1", false),
            ("default-branch", "refs/heads/main", true),
            ("default-branch", "refs/heads/dev", false),
            ("default-branch", "refs/tags/main", false),
            ("branch:release/*", "refs/heads/release/1.x", true),
            ("branch:release/*", "refs/heads/release/1/x", false),
            ("branch:release/**", "refs/heads/release/1/x", true),
            ("pull-request", "refs/pull/7/merge", true),
            ("event:push", "refs/heads/x", true),
            ("event:schedule", "refs/heads/x", false),
            ("semver-tag\ntag:v*", "refs/tags/v1.2.3", true),
            ("semver-tag\ntag:v*", "refs/tags/1.2.3", false),
            ("# only\nsemver-tag|default-branch", "refs/heads/main", true),
        ] {
            assert_eq!(
                checked(require, git_ref, "").is_ok(),
                expected,
                "{require} {git_ref}"
            );
        }
    }

    #[test]
    fn prefix_is_gone_before_a_rule_sees_the_tag() {
        assert!(checked("semver-tag", "refs/tags/api/v1.2.3", "api/").is_ok());
        assert!(checked("semver-tag", "refs/tags/web/v1.2.3", "api/").is_err());
    }

    #[test]
    fn a_refusal_names_the_ref_and_the_rule() {
        for (require, git_ref, expected) in [
            (
                "semver-tag",
                "refs/heads/main",
                ["`refs/heads/main`", "`semver-tag`", "the ref is not a tag"],
            ),
            (
                "semver-tag",
                "refs/tags/x",
                ["`refs/tags/x`", "`semver-tag`", "it is not `vMAJOR.MINOR.PATCH`"],
            ),
            (
                "event:schedule",
                "refs/heads/x",
                ["`refs/heads/x`", "`event:schedule`", "the event is `push`"],
            ),
            (
                "default-branch",
                "refs/heads/x",
                ["`refs/heads/x`", "`default-branch`", "default branch is `main`"],
            ),
            (
                "tag:v* | branch:x",
                "refs/heads/y",
                ["`refs/heads/y`", "`tag:v* | branch:x`", "none of its rules holds"],
            ),
        ] {
            let message = checked(require, git_ref, "").unwrap_err().to_string();
            for part in expected {
                assert!(message.contains(part), "{message}");
            }
        }
    }

    #[test]
    fn wrong_rules_say_which_there_are() {
        for (require, expected) in [
            ("semver", "`semver-tag`"),
            ("tag:", "`tag:GLOB`"),
            ("tag:[", "pattern"),
            ("tag:v*|", "`semver-tag`"),
            ("\"x", "broken quotes"),
        ] {
            let message = checked(require, "refs/tags/v1.2.3", "").unwrap_err().to_string();
            assert!(message.contains(expected), "{require}: {message}");
        }
    }

    proptest! {
        #[test]
        fn no_rule_panics(require in any::<String>(), git_ref in any::<String>()) {
            let _ = checked(&require, &git_ref, "");
            let _ = checked(&format!("tag:{require}"), &format!("refs/tags/{git_ref}"), "");
        }
    }
}
