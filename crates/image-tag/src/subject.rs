//! What is being built, as the rules see it: the ref and the commit after the event's peculiarities.
//!
//! In compatible mode an event is read as docker/metadata-action reads it. In native mode it is read as a person means
//! it: a pull request stays a pull request when it is closed or in a merge queue, and a `workflow_run` is about what
//! its run was about. A pull request of a fork never passes for a branch of this repository, whatever its branch is
//! called.

use jiff::Timestamp;
use serde_json::Value;

use crate::facts::Facts;
use crate::mode::Mode;
use crate::request::Request;
use crate::tag_prefix;
use crate::version_from::Found;
use crate::version_order;

const HEADS: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";
const PULLS: &str = "refs/pull/";

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
    tag_prefix: &'a str,
    short_sha_length: usize,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(facts: &'a Facts, request: &'a Request) -> Self {
        let mode = request.mode;
        let (git_ref, built) = match mode {
            Mode::Compatible => (compatible_ref(facts), facts.sha.clone()),
            Mode::Native => native(facts),
        };
        let head = request.pull_request_head.unwrap_or(mode.is_native());
        let sha = head_sha(facts).filter(|_| head).map_or(built, str::to_owned);
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
            tag_prefix: &request.tag_prefix,
            short_sha_length: request.short_sha_length,
        };
        subject.set_sha(sha);
        subject
    }

    /// The same with another commit.
    pub(crate) fn at(&self, sha: String) -> Self {
        let mut other = self.clone();
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

    /// A text that begins with a git tag, without the prefix of those that count.
    pub(crate) fn without_prefix<'t>(&self, text: &'t str) -> &'t str {
        tag_prefix::strip(text, self.tag_prefix).unwrap_or(text)
    }

    /// Why there is no git tag.
    pub(crate) fn no_tag(&self) -> String {
        match self.git_ref.strip_prefix(TAGS) {
            Some(_) => format!("the tag is none of `{}`", self.tag_prefix),
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

/// GITHUB_REF of `pull_request_target` is the base branch, whose tag must not be given to somebody's pull request, also
/// where its number is not known.
fn compatible_ref(facts: &Facts) -> String {
    if !facts.event_name.contains("pull_request_target") {
        return facts.git_ref.clone();
    }
    match &facts.payload["number"] {
        Value::Number(number) => format!("{PULLS}{number}/merge"),
        _ => String::new(),
    }
}

/// The ref and the commit an event is about, as a person would say.
fn native(facts: &Facts) -> (String, String) {
    let payload = &facts.payload;
    let as_given = || (facts.git_ref.clone(), facts.sha.clone());
    let event = facts.event_name.as_str();
    let number = payload["pull_request"]["number"]
        .as_u64()
        .or_else(|| payload["number"].as_u64())
        .filter(|_| event.contains("pull_request"));
    if let Some(number) = number {
        return (format!("{PULLS}{number}/merge"), facts.sha.clone());
    }
    match event {
        // Its ref is the base branch.
        "pull_request_target" => (String::new(), facts.sha.clone()),
        "merge_group" => {
            let queued = queued_pull(facts.git_ref.as_str()).or_else(|| {
                let head = payload["merge_group"]["head_ref"].as_str()?;
                queued_pull(head)
            });
            queued.map_or_else(as_given, |number| {
                (format!("{PULLS}{number}/merge"), facts.sha.clone())
            })
        }
        "release" if facts.git_ref.is_empty() => match payload["release"]["tag_name"].as_str() {
            Some(tag) => (format!("{TAGS}{tag}"), facts.sha.clone()),
            None => as_given(),
        },
        "workflow_run" => workflow_run(facts).unwrap_or_else(as_given),
        _ => as_given(),
    }
}

/// The number in `refs/heads/gh-readonly-queue/BASE/pr-NUMBER-COMMIT`
/// (<https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue>).
fn queued_pull(git_ref: &str) -> Option<&str> {
    let queued = git_ref.strip_prefix(HEADS)?.strip_prefix("gh-readonly-queue/")?;
    let (number, _) = queued.rsplit_once("/pr-")?.1.split_once('-')?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(number)
}

/// What the run was about that this one follows: its own ref is always the default branch's last commit
/// (<https://docs.github.com/en/webhooks/webhook-events-and-payloads#workflow_run>).
fn workflow_run(facts: &Facts) -> Option<(String, String)> {
    let run = &facts.payload["workflow_run"];
    let sha = run["head_sha"].as_str()?.to_owned();
    if let Some(number) = run["pull_requests"][0]["number"].as_u64() {
        return Some((format!("{PULLS}{number}/merge"), sha));
    }
    let head = run["head_branch"].as_str().unwrap_or_default();
    let of_a_pull = run["event"]
        .as_str()
        .is_none_or(|event| event.contains("pull_request"));
    let here = facts.payload["repository"]["full_name"].as_str();
    let of_a_fork = here.is_none() || run["head_repository"]["full_name"].as_str() != here;
    // A fork may call its branch `main`. Only the commit is certain then.
    if of_a_pull || of_a_fork || head.is_empty() {
        return Some((String::new(), sha));
    }
    let is_tag = version_order::Key::parse(head).is_some_and(|key| key.is_semver())
        && facts
            .tags
            .as_ref()
            .is_none_or(|tags| tags.iter().any(|tag| tag == head));
    Some((format!("{}{head}", if is_tag { TAGS } else { HEADS }), sha))
}

/// The head commit of a pull request's branch.
fn head_sha(facts: &Facts) -> Option<&str> {
    let of_payload = facts.payload["pull_request"]["head"]["sha"].as_str();
    of_payload
        .or(Some(facts.head_sha.as_str()).filter(|sha| !sha.is_empty()))
        .filter(|_| facts.event_name.contains("pull_request"))
}

/// The commit that is built where the payload does not tell its time.
pub(crate) fn undated(facts: &Facts, request: &Request) -> Option<String> {
    let sha = Subject::new(facts, request).sha;
    let unknown = !sha.is_empty() && commit_date(&facts.payload, &sha).is_none();
    unknown.then_some(sha)
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
    fn native_events_are_what_a_person_means() {
        let fork = json!({"repository": {"full_name": "org/app"}, "workflow_run": {"event": "push",
            "head_branch": "main", "head_sha": "aaaaaaaaaa", "head_repository": {"full_name": "evil/app"}}});
        let run = |event: &str, branch: &str, pulls: Value| {
            json!({"repository": {"full_name": "org/app"}, "workflow_run": {"event": event, "head_branch": branch,
                "head_sha": "aaaaaaaaaa", "head_repository": {"full_name": "org/app"}, "pull_requests": pulls}})
        };
        let closed = json!({"number": 15, "action": "closed", "pull_request": {"number": 15, "merged": true,
            "head": {"sha": "3370e228f220"}}});
        let queue = "refs/heads/gh-readonly-queue/release/2.x/pr-104-aabbcc";
        for (event, git_ref, payload, expected, sha) in [
            (
                "pull_request",
                "refs/heads/main",
                closed,
                "refs/pull/15/merge",
                "3370e22",
            ),
            ("merge_group", queue, json!({}), "refs/pull/104/merge", "860c190"),
            (
                "merge_group",
                "refs/heads/x",
                json!({}),
                "refs/heads/x",
                "860c190",
            ),
            (
                "release",
                "",
                json!({"release": {"tag_name": "v2.0.0"}}),
                "refs/tags/v2.0.0",
                "860c190",
            ),
            (
                "release",
                "refs/tags/v1",
                json!({"release": {"tag_name": "v2"}}),
                "refs/tags/v1",
                "860c190",
            ),
            (
                "workflow_run",
                "refs/heads/main",
                run("push", "dev", json!([])),
                "refs/heads/dev",
                "aaaaaaa",
            ),
            (
                "workflow_run",
                "refs/heads/main",
                run("push", "v1.2.3", json!([])),
                "refs/tags/v1.2.3",
                "aaaaaaa",
            ),
            (
                "workflow_run",
                "refs/heads/main",
                run("pull_request", "main", json!([])),
                "",
                "aaaaaaa",
            ),
            (
                "workflow_run",
                "refs/heads/main",
                run("pull_request", "x", json!([{"number": 7}])),
                "refs/pull/7/merge",
                "aaaaaaa",
            ),
            ("workflow_run", "refs/heads/main", fork, "", "aaaaaaa"),
            (
                "workflow_run",
                "refs/heads/main",
                json!({}),
                "refs/heads/main",
                "860c190",
            ),
            ("push", "refs/heads/main", json!({}), "refs/heads/main", "860c190"),
        ] {
            let facts = facts(event, git_ref, payload);
            assert_eq!(
                told(&facts, Mode::Native),
                (expected.to_owned(), sha.to_owned()),
                "{facts:?}"
            );
        }
    }

    #[test]
    fn what_a_workflow_run_calls_a_version_must_be_a_tag_where_tags_are_known() {
        let payload = json!({"repository": {"full_name": "org/app"}, "workflow_run": {"event": "push",
            "head_branch": "v1.2.3", "head_sha": "aaaaaaaaaa", "head_repository": {"full_name": "org/app"}}});
        let known = |tag: &str| Facts {
            tags: Some(vec![tag.to_owned()]),
            ..facts("workflow_run", "refs/heads/main", payload.clone())
        };
        assert_eq!(told(&known("v1.2.3"), Mode::Native).0, "refs/tags/v1.2.3");
        assert_eq!(told(&known("v1.2.4"), Mode::Native).0, "refs/heads/v1.2.3");
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
