//! What is being built, as the rules see it: the ref and the commit after the event's peculiarities.

use jiff::Timestamp;
use serde_json::Value;

use crate::error::shown;
use crate::event_ref;
use crate::facts::{Facts, History};
use crate::mode::Mode;
use crate::request::Request;
use crate::tag_prefix;
use crate::version_from::Found;

pub(crate) const HEADS: &str = "refs/heads/";
pub(crate) const TAGS: &str = "refs/tags/";
pub(crate) const PULLS: &str = "refs/pull/";

/// What the rules are about.
#[derive(Debug, Clone)]
pub(crate) struct Subject<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) mode: Mode,
    /// Full ref; empty where there is none.
    pub(crate) git_ref: String,
    pub(crate) sha: String,
    pub(crate) short_sha: String,
    pub(crate) commit_date: Timestamp,
    /// A version from elsewhere where the ref is no tag.
    pub(crate) version: Option<Found>,
    /// Its commit is another than the event's.
    imagined: bool,
    /// Its commit is the head of a pull request's branch.
    of_head: bool,
    tag_prefix: &'a str,
    short_sha_length: usize,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(facts: &'a Facts, request: &'a Request) -> Self {
        let mode = request.mode;
        let (of_event, built) = match mode {
            Mode::Compatible => (event_ref::compatible_ref(facts), facts.sha.clone()),
            Mode::Native => event_ref::native(facts),
        };
        let git_ref = if facts.ref_given {
            facts.git_ref.clone()
        } else {
            of_event
        };
        let head = request.pull_request_head.unwrap_or(mode.is_native());
        let head = event_ref::head_sha(facts).filter(|_| head && !facts.sha_given);
        let of_head = head.is_some();
        let sha = match head {
            _ if facts.sha_given => facts.sha.clone(),
            Some(head) => head.to_owned(),
            None => built,
        };
        let commit_date = commit_date(&facts.payload, &sha)
            .or(facts.commit_date)
            .unwrap_or(facts.now);
        let mut subject = Self {
            facts,
            mode,
            git_ref,
            sha: String::new(),
            short_sha: String::new(),
            commit_date,
            version: None,
            imagined: false,
            of_head,
            tag_prefix: &request.tag_prefix,
            short_sha_length: request.short_sha_length,
        };
        subject.set_sha(sha);
        subject
    }

    /// The same with another commit.
    pub(crate) fn at(&self, sha: String) -> Self {
        let mut other = self.clone();
        other.imagined = true;
        other.set_sha(sha);
        other
    }

    /// The same with another git tag, given without the prefix that all have.
    pub(crate) fn with_tag(&self, tag: &str) -> Self {
        Self {
            git_ref: format!("{TAGS}{}{tag}", self.tag_prefix),
            ..self.clone()
        }
    }

    fn set_sha(&mut self, sha: String) {
        self.short_sha = sha.chars().take(self.short_sha_length).collect();
        self.sha = sha;
    }

    /// The branch, when the ref is one.
    pub(crate) fn branch(&self) -> Option<&str> {
        self.git_ref.strip_prefix(HEADS)
    }

    /// The git tag, when the ref is one that counts, without the prefix that those have.
    pub(crate) fn tag(&self) -> Option<&str> {
        tag_prefix::strip(self.git_ref.strip_prefix(TAGS)?, self.tag_prefix)
    }

    /// What `git describe` says, without the prefix of the tags that count.
    pub(crate) fn describe(&self, history: &History) -> String {
        let said = &history.describe;
        let said = tag_prefix::strip(said, self.tag_prefix).unwrap_or(said);
        // It names the commit unless that has the tag.
        match (self.imagined, history.distance) {
            (true, 1..) => format!("{said}{}", self.short_sha),
            _ => said.to_owned(),
        }
    }

    /// Whether the commit that tags name is the head of a pull request, of which the merge is built.
    pub(crate) fn is_of_unmerged_head(&self) -> bool {
        self.of_head && self.sha != self.facts.sha
    }

    /// The same with another version, where it does not come from the git tag.
    pub(crate) fn with_version(&self, text: &str) -> Self {
        let version = self.version.clone().map(|found| Found {
            text: text.to_owned(),
            ..found
        });
        Self {
            version,
            ..self.clone()
        }
    }

    /// Whether the event itself says that this is no release for everybody.
    pub(crate) fn is_marked_prerelease(&self) -> bool {
        self.mode.is_native() && self.facts.payload["release"]["prerelease"] == true
    }

    /// Why there is no git tag.
    pub(crate) fn no_tag(&self) -> String {
        match self.git_ref.strip_prefix(TAGS) {
            Some(tag) => format!("the tag `{}` is none of `{}`", shown(tag), self.tag_prefix),
            None => "the ref is not a tag".to_owned(),
        }
    }

    /// What versions are read from: the git tag, or a version from elsewhere.
    pub(crate) fn version_text(&self) -> Option<&str> {
        self.tag()
            .or_else(|| self.version.as_ref().map(|found| found.text.as_str()))
    }

    /// What follows `refs/pull/`, such as `15/merge`.
    pub(crate) fn pull(&self) -> Option<&str> {
        self.git_ref.strip_prefix(PULLS)
    }

    /// The branch a tag was pushed from, as far as GitHub says, or the one a pull request goes to.
    pub(crate) fn base_ref(&self) -> &str {
        let payload = &self.facts.payload;
        let base = if self.git_ref.starts_with(TAGS) {
            payload["base_ref"].as_str()
        } else if self.pull().is_some() {
            let merge_group = payload["merge_group"]["base_ref"]
                .as_str()
                .filter(|_| self.mode.is_native());
            let known = Some(self.facts.base_ref.as_str()).filter(|base| !base.is_empty());
            payload["pull_request"]["base"]["ref"]
                .as_str()
                .or(merge_group)
                .or(known)
        } else {
            None
        };
        base.map(|base| base.strip_prefix(HEADS).unwrap_or(base))
            .unwrap_or_default()
    }

    /// Whether nothing tells the commit's time.
    pub(crate) fn is_undated(&self) -> bool {
        self.facts.commit_date.is_none() && commit_date(&self.facts.payload, &self.sha).is_none()
    }

    /// The default branch's name; empty when it is not known.
    pub(crate) fn default_branch(&self) -> &str {
        let of_event = self.facts.payload["repository"]["default_branch"].as_str();
        of_event.unwrap_or(&self.facts.repository.default_branch)
    }

    /// True on the default branch, and for the events GitHub only ever runs on its last commit. The original
    /// counts `create` among these, which also fires for every other branch and for tags; here it does not.
    pub(crate) fn is_default_branch(&self) -> bool {
        let default = self.default_branch();
        let on_it = !default.is_empty() && self.branch() == Some(default);
        // Elsewhere a schedule may build any branch.
        let of_github = !self.facts.of_other_ci;
        on_it
            || ["discussion", "issues", "schedule"]
                .iter()
                .any(|event| of_github && self.facts.event_name.contains(event))
    }
}

/// The commit that is built where nothing tells its time.
pub(crate) fn undated(facts: &Facts, request: &Request) -> Option<String> {
    let subject = Subject::new(facts, request);
    let known = !subject.sha.is_empty();
    (known && subject.is_undated()).then_some(subject.sha)
}

/// The commit's own time, from a push's payload.
fn commit_date(payload: &Value, sha: &str) -> Option<Timestamp> {
    let commits = payload["commits"].as_array().into_iter().flatten();
    let commit = commits
        .chain([&payload["head_commit"]])
        .find(|commit| commit["id"] == sha)?;
    commit["timestamp"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::Repository;

    const SHA: &str = "860c1904a1ce19322e91ac35af1ab07466440c37";

    fn facts(event_name: &str, git_ref: &str, payload: Value) -> Facts {
        Facts {
            event_name: event_name.to_owned(),
            git_ref: git_ref.to_owned(),
            sha: SHA.to_owned(),
            repository: Repository::from_json(&payload["repository"], "org/app", "https://github.com"),
            payload,
            ..Facts::default()
        }
    }

    fn request(mode: Mode) -> Request {
        Request {
            mode,
            ..Request::default()
        }
    }

    /// Ref and short commit.
    fn told(facts: &Facts, mode: Mode) -> (String, String) {
        let request = request(mode);
        let subject = Subject::new(facts, &request);
        (subject.git_ref, subject.short_sha)
    }

    #[test]
    fn pull_request_target_is_about_the_pull_request() {
        let facts = facts("pull_request_target", "refs/heads/main", json!({"number": 15}));
        assert_eq!(told(&facts, Mode::Compatible).0, "refs/pull/15/merge");
        let unknown = self::facts("pull_request_target", "refs/heads/main", Value::Null);
        assert_eq!(told(&unknown, Mode::Compatible).0, "");
        assert_eq!(told(&unknown, Mode::Native).0, "");
    }

    #[test]
    fn head_commit_when_asked_and_in_native_mode() {
        let payload = json!({"pull_request": {"number": 15, "head": {"sha": "3370e228f220"}}});
        let facts = facts("pull_request", "refs/pull/15/merge", payload);
        for (mode, head, expected) in [
            (Mode::Compatible, None, "860c190"),
            (Mode::Compatible, Some(true), "3370e22"),
            (Mode::Native, None, "3370e22"),
            (Mode::Native, Some(false), "860c190"),
        ] {
            let request = Request {
                pull_request_head: head,
                ..request(mode)
            };
            assert_eq!(
                Subject::new(&facts, &request).short_sha,
                expected,
                "{mode:?} {head:?}"
            );
        }
    }

    #[test]
    fn commit_date_is_the_one_of_this_commit() {
        let payload = json!({
            "commits": [{"id": "other", "timestamp": "2001-01-01T00:00:00Z"}],
            "head_commit": {"id": SHA, "timestamp": "2022-04-19T11:04:39+02:00"},
        });
        let (facts, request) = (facts("push", "refs/heads/main", payload), Request::default());
        let subject = Subject::new(&facts, &request);
        assert_eq!(subject.commit_date.to_string(), "2022-04-19T09:04:39Z");
    }

    #[test]
    fn default_branch_by_event_and_ref() {
        let payload = json!({"repository": {"default_branch": "main"}});
        let cases = [
            ("push", "refs/heads/main", true),
            ("push", "refs/heads/dev", false),
            ("push", "refs/tags/main", false),
            ("issues", "refs/heads/main", true),
            ("schedule", "refs/heads/dev", true),
            ("create", "refs/heads/dev", false),
            ("create", "refs/tags/v1.0.0", false),
            ("release", "", false),
        ];
        for (event, git_ref, expected) in cases {
            let (facts, request) = (facts(event, git_ref, payload.clone()), Request::default());
            let found = Subject::new(&facts, &request).is_default_branch();
            assert_eq!(found, expected, "{event} {git_ref}");
        }
    }

    #[test]
    fn schedules_of_other_systems_build_any_branch() {
        let facts = Facts {
            of_other_ci: true,
            ..facts(
                "schedule",
                "refs/heads/1.x",
                json!({"repository": {"default_branch": "main"}}),
            )
        };
        assert!(!Subject::new(&facts, &Request::default()).is_default_branch());
    }

    #[test]
    fn default_branch_is_unknown_without_a_payload() {
        let (facts, request) = (facts("push", "refs/heads/", Value::Null), Request::default());
        assert!(!Subject::new(&facts, &request).is_default_branch());
    }

    #[test]
    fn base_of_a_queued_pull_request() {
        let payload = json!({"merge_group": {"base_ref": "refs/heads/main"}});
        let facts = facts(
            "merge_group",
            "refs/heads/gh-readonly-queue/main/pr-104-aabbcc",
            payload,
        );
        let (native, compatible) = (request(Mode::Native), request(Mode::Compatible));
        assert_eq!(Subject::new(&facts, &native).base_ref(), "main");
        assert_eq!(Subject::new(&facts, &compatible).base_ref(), "");
    }
}
