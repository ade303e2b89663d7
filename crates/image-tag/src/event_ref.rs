//! What an event is about: its ref and its commit.
//!
//! In compatible mode an event is read as docker/metadata-action reads it. In native mode it is read as a person means
//! it: a pull request stays a pull request when it is closed or in a merge queue, and a `workflow_run` is about what
//! its run was about. A pull request of a fork never passes for a branch of this repository, whatever its branch is
//! called.

use serde_json::Value;

use crate::facts::Facts;
use crate::subject::{HEADS, PULLS, TAGS};
use crate::version_order::Key;

/// GITHUB_REF of `pull_request_target` is the base branch, whose tag must not be given to somebody's pull request, also
/// where its number is not known.
pub(crate) fn compatible_ref(facts: &Facts) -> String {
    if !facts.event_name.contains("pull_request_target") {
        return facts.git_ref.clone();
    }
    match &facts.payload["number"] {
        Value::Number(number) => format!("{PULLS}{number}/merge"),
        _ => String::new(),
    }
}

/// The ref and the commit an event is about, as a person would say.
pub(crate) fn native(facts: &Facts) -> (String, String) {
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
        "merge_group" | "push" => {
            let queued = queued_pull(facts.git_ref.as_str()).or_else(|| {
                let head = payload["merge_group"]["head_ref"].as_str()?;
                queued_pull(head)
            });
            queued.map_or_else(as_given, |number| {
                (format!("{PULLS}{number}/merge"), facts.sha.clone())
            })
        }
        // Nothing is released by these.
        "release" if matches!(payload["action"].as_str(), Some("deleted" | "unpublished")) => {
            (String::new(), facts.sha.clone())
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
    let head = run["head_branch"].as_str().unwrap_or_default();
    let of_a_pull = run["event"]
        .as_str()
        .is_none_or(|event| event.contains("pull_request"));
    // A branch that is pushed to may have pull requests too, and is still that branch.
    if of_a_pull && let Some(number) = run["pull_requests"][0]["number"].as_u64() {
        return Some((format!("{PULLS}{number}/merge"), sha));
    }
    // A fork may call its branch `main`. Only the commit is certain then.
    if of_a_pull || !is_run_of_here(facts) || head.is_empty() {
        return Some((String::new(), sha));
    }
    // A branch may be called `v9.9.9`. Only what is known to be a tag is one, and only what is none is a branch.
    if facts.tags.is_none() && Key::parse(head).is_some_and(|key| key.is_semver()) {
        return Some((String::new(), sha));
    }
    Some((
        format!("{}{head}", if facts.has_tag(head) { TAGS } else { HEADS }),
        sha,
    ))
}

/// Whether the run before was about this repository itself, and not about a fork.
pub(crate) fn is_run_of_here(facts: &Facts) -> bool {
    let here = facts.payload["repository"]["full_name"].as_str();
    here.is_some() && facts.payload["workflow_run"]["head_repository"]["full_name"].as_str() == here
}

/// The head commit of a pull request's branch.
pub(crate) fn head_sha(facts: &Facts) -> Option<&str> {
    let of_payload = facts.payload["pull_request"]["head"]["sha"].as_str();
    of_payload
        .or(Some(facts.head_sha.as_str()).filter(|sha| !sha.is_empty()))
        .filter(|_| facts.event_name.contains("pull_request"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SHA: &str = "860c1904a1ce19322e91ac35af1ab07466440c37";

    fn facts(event_name: &str, git_ref: &str, payload: Value) -> Facts {
        Facts {
            event_name: event_name.to_owned(),
            git_ref: git_ref.to_owned(),
            sha: SHA.to_owned(),
            payload,
            ..Facts::default()
        }
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
                SHA,
            ),
            ("merge_group", queue, json!({}), "refs/pull/104/merge", SHA),
            ("merge_group", "refs/heads/x", json!({}), "refs/heads/x", SHA),
            (
                "release",
                "",
                json!({"release": {"tag_name": "v2.0.0"}}),
                "refs/tags/v2.0.0",
                SHA,
            ),
            (
                "release",
                "refs/tags/v1",
                json!({"release": {"tag_name": "v2"}}),
                "refs/tags/v1",
                SHA,
            ),
            (
                "workflow_run",
                "refs/heads/main",
                run("push", "dev", json!([])),
                "refs/heads/dev",
                "aaaaaaaaaa",
            ),
            (
                "workflow_run",
                "refs/heads/main",
                run("push", "x", json!([{"number": 7}])),
                "refs/heads/x",
                "aaaaaaaaaa",
            ),
            (
                "workflow_run",
                "refs/heads/main",
                run("pull_request", "main", json!([])),
                "",
                "aaaaaaaaaa",
            ),
            (
                "workflow_run",
                "refs/heads/main",
                run("pull_request", "x", json!([{"number": 7}])),
                "refs/pull/7/merge",
                "aaaaaaaaaa",
            ),
            ("push", queue, json!({}), "refs/pull/104/merge", SHA),
            ("release", "refs/tags/v1", json!({"action": "deleted"}), "", SHA),
            ("workflow_run", "refs/heads/main", fork, "", "aaaaaaaaaa"),
            (
                "workflow_run",
                "refs/heads/main",
                json!({}),
                "refs/heads/main",
                SHA,
            ),
            ("push", "refs/heads/main", json!({}), "refs/heads/main", SHA),
        ] {
            let facts = facts(event, git_ref, payload);
            assert_eq!(native(&facts), (expected.to_owned(), sha.to_owned()), "{facts:?}");
        }
    }

    #[test]
    fn what_a_workflow_run_calls_a_version_must_be_known_as_a_tag() {
        let payload = json!({"repository": {"full_name": "org/app"}, "workflow_run": {"event": "push",
            "head_branch": "v1.2.3", "head_sha": "aaaaaaaaaa", "head_repository": {"full_name": "org/app"}}});
        let known = |tag: &str| Facts {
            tags: Some(vec![tag.to_owned()]),
            ..facts("workflow_run", "refs/heads/main", payload.clone())
        };
        assert_eq!(native(&known("v1.2.3")).0, "refs/tags/v1.2.3");
        assert_eq!(native(&known("v1.2.4")).0, "refs/heads/v1.2.3");
        // Nobody knows: it may be either.
        assert_eq!(native(&facts("workflow_run", "refs/heads/main", payload)).0, "");
    }
}
