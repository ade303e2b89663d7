//! What is known about the run: plain values, read by the edge from a runner's environment, a payload file or flags.
//! Nothing here decides on a tag.

use jiff::Timestamp;
use serde_json::Value;

/// The event that is built for.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Name of the event, such as `push`.
    pub event_name: String,
    /// Full ref, such as `refs/heads/main`; empty when the event has none.
    pub git_ref: String,
    /// Full commit hash.
    pub sha: String,
    /// The event's payload; [`Value::Null`] when there is none
    /// (<https://docs.github.com/en/webhooks/webhook-events-and-payloads>).
    pub payload: Value,
    /// What labels say about the repository.
    pub repository: Repository,
    /// The time of the run.
    pub now: Timestamp,
    /// The commit's time where the payload does not hold it; the time of the run is the last resort.
    pub commit_date: Option<Timestamp>,
}

/// What labels say about a repository. Empty text is text that is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repository {
    /// `owner/name`.
    pub full_name: String,
    /// Name without the owner.
    pub name: String,
    /// The one-line description.
    pub description: String,
    /// Address of its page.
    pub html_url: String,
    /// SPDX identifier of its licence.
    pub license: String,
    /// The branch that is checked out when none is named.
    pub default_branch: String,
}

impl Repository {
    /// Reads the payload's `repository`; `full_name` (`owner/name`) and `server_url` stand in where it is silent.
    #[must_use]
    pub fn from_payload(payload: &Value, full_name: &str, server_url: &str) -> Self {
        let about = &payload["repository"];
        let known = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let or = |value: String, other: &str| if value.is_empty() { other.to_owned() } else { value };
        let full_name = or(full_name.to_owned(), &known(&about["full_name"]));
        let page = match (full_name.as_str(), server_url.trim_end_matches('/')) {
            ("", _) | (_, "") => String::new(),
            (name, server) => format!("{server}/{name}"),
        };
        Self {
            name: or(
                known(&about["name"]),
                full_name.rsplit('/').next().unwrap_or_default(),
            ),
            description: known(&about["description"]),
            html_url: or(known(&about["html_url"]), &page),
            license: known(&about["license"]["spdx_id"]),
            default_branch: known(&about["default_branch"]),
            full_name,
        }
    }
}

/// What is being built, as the rules see it: the ref and commit after the event's peculiarities.
#[derive(Debug, Clone)]
pub(crate) struct Subject<'a> {
    pub(crate) facts: &'a Facts,
    /// Full ref; for `pull_request_target` that of the pull request instead of its base.
    pub(crate) git_ref: String,
    pub(crate) sha: String,
    pub(crate) short_sha: String,
    pub(crate) commit_date: Timestamp,
}

impl<'a> Subject<'a> {
    /// `head`: on pull requests take the head commit instead of the merge commit.
    pub(crate) fn new(facts: &'a Facts, head: bool, short_sha_length: usize) -> Self {
        let event = facts.event_name.as_str();
        let payload = &facts.payload;
        // GITHUB_REF of this event is the base branch, whose tag must not be given to somebody's pull request.
        let git_ref = match &payload["number"] {
            Value::Number(number) if event.contains("pull_request_target") => {
                format!("refs/pull/{number}/merge")
            }
            _ => facts.git_ref.clone(),
        };
        let sha = payload["pull_request"]["head"]["sha"]
            .as_str()
            .filter(|_| head && event.contains("pull_request"))
            .unwrap_or(&facts.sha)
            .to_owned();
        let short_sha = sha.chars().take(short_sha_length).collect();
        let commit_date = commit_date(payload, &sha)
            .or(facts.commit_date)
            .unwrap_or(facts.now);
        Self {
            facts,
            git_ref,
            sha,
            short_sha,
            commit_date,
        }
    }

    /// The branch, when the ref is one.
    pub(crate) fn branch(&self) -> Option<&str> {
        self.git_ref.strip_prefix("refs/heads/")
    }

    /// The git tag, when the ref is one.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.git_ref.strip_prefix("refs/tags/")
    }

    /// What follows `refs/pull/`, such as `15/merge`.
    pub(crate) fn pull(&self) -> Option<&str> {
        self.git_ref.strip_prefix("refs/pull/")
    }

    /// The branch a tag was pushed from, as far as GitHub says, or the one a pull request goes to.
    pub(crate) fn base_ref(&self) -> &str {
        let payload = &self.facts.payload;
        let base = if self.tag().is_some() {
            payload["base_ref"]
                .as_str()
                .map(|base| base.strip_prefix("refs/heads/").unwrap_or(base))
        } else if self.pull().is_some() {
            payload["pull_request"]["base"]["ref"].as_str()
        } else {
            None
        };
        base.unwrap_or_default()
    }

    /// True on the default branch, and for the events GitHub only ever runs on its last commit. The original
    /// counts `create` among these, which also fires for every other branch and for tags; here it does not.
    pub(crate) fn is_default_branch(&self) -> bool {
        let of_event = self.facts.payload["repository"]["default_branch"].as_str();
        let default = of_event.unwrap_or(&self.facts.repository.default_branch);
        let on_it = !default.is_empty() && self.branch() == Some(default);
        on_it
            || ["discussion", "issues", "schedule"]
                .iter()
                .any(|e| self.facts.event_name.contains(e))
    }
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

    fn facts(event_name: &str, git_ref: &str, payload: Value) -> Facts {
        Facts {
            event_name: event_name.to_owned(),
            git_ref: git_ref.to_owned(),
            sha: "860c1904a1ce19322e91ac35af1ab07466440c37".to_owned(),
            repository: Repository::from_payload(&payload, "org/app", "https://github.com"),
            payload,
            now: Timestamp::UNIX_EPOCH,
            commit_date: None,
        }
    }

    #[test]
    fn repository_without_a_payload_is_made_from_its_name() {
        let repository = Repository::from_payload(&Value::Null, "org/app", "https://git.example/");
        assert_eq!(repository.name, "app");
        assert_eq!(repository.html_url, "https://git.example/org/app");
        assert_eq!(repository.description, "");
    }

    #[test]
    fn repository_of_the_payload_wins() {
        let payload = json!({"repository": {"name": "App", "full_name": "org/App", "html_url": "https://x/org/App",
            "description": "it", "license": {"spdx_id": "MIT"}, "default_branch": "main"}});
        let repository = Repository::from_payload(&payload, "", "https://github.com");
        assert_eq!(repository.full_name, "org/App");
        assert_eq!(repository.name, "App");
        assert_eq!(repository.html_url, "https://x/org/App");
        assert_eq!(repository.license, "MIT");
    }

    #[test]
    fn pull_request_target_is_about_the_pull_request() {
        let facts = facts("pull_request_target", "refs/heads/main", json!({"number": 15}));
        assert_eq!(Subject::new(&facts, false, 7).git_ref, "refs/pull/15/merge");
    }

    #[test]
    fn head_commit_only_when_asked() {
        let payload = json!({"pull_request": {"head": {"sha": "3370e228f220"}}});
        let facts = facts("pull_request", "refs/pull/15/merge", payload);
        assert_eq!(Subject::new(&facts, false, 7).short_sha, "860c190");
        assert_eq!(Subject::new(&facts, true, 7).short_sha, "3370e22");
    }

    #[test]
    fn commit_date_is_the_one_of_this_commit() {
        let payload = json!({
            "commits": [{"id": "other", "timestamp": "2001-01-01T00:00:00Z"}],
            "head_commit": {"id": "860c1904a1ce19322e91ac35af1ab07466440c37", "timestamp": "2022-04-19T11:04:39+02:00"},
        });
        let facts = facts("push", "refs/heads/main", payload);
        assert_eq!(
            Subject::new(&facts, false, 7).commit_date.to_string(),
            "2022-04-19T09:04:39Z"
        );
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
            let facts = facts(event, git_ref, payload.clone());
            let found = Subject::new(&facts, false, 7).is_default_branch();
            assert_eq!(found, expected, "{event} {git_ref}");
        }
    }

    #[test]
    fn default_branch_is_unknown_without_a_payload() {
        let facts = facts("push", "refs/heads/", Value::Null);
        assert!(!Subject::new(&facts, false, 7).is_default_branch());
    }
}
