//! Buildkite: <https://buildkite.com/docs/pipelines/configure/environment-variables>
//!
//! `BUILDKITE_BRANCH` of a fork's pull request is the fork's branch, with or without the owner before it
//! (`mallory:main`), so the pull request is asked first. On a tag it is the tag's name.

use gha::env::Env;

use super::{Build, Built, repository_at};
use crate::facts::Repository;

pub(super) fn build(env: &Env) -> Option<Build> {
    (env.get("BUILDKITE") == Some("true")).then(|| {
        let text = |name| env.get(name).unwrap_or_default();
        let build = Build::new("Buildkite", &built(env), env.get("BUILDKITE_COMMIT"));
        let queue = text("BUILDKITE_MERGE_QUEUE_BASE_BRANCH");
        let build = match build.event_name.as_str() {
            "" if !queue.is_empty() => Build {
                event_name: "merge_group".to_owned(),
                base_ref: queue.to_owned(),
                ..build
            },
            "" => Build {
                event_name: event(text("BUILDKITE_SOURCE")).to_owned(),
                ..build
            },
            _ => build,
        };
        Build {
            repository: Repository {
                default_branch: text("BUILDKITE_PIPELINE_DEFAULT_BRANCH").to_owned(),
                ..repository_at(env.get("BUILDKITE_REPO"))
            },
            ..build
        }
    })
}

fn built(env: &Env) -> Built<'_> {
    let branch = env.get("BUILDKITE_BRANCH").unwrap_or_default();
    let number = env
        .get("BUILDKITE_PULL_REQUEST")
        .filter(|number| *number != "false");
    let base = env.get("BUILDKITE_PULL_REQUEST_BASE_BRANCH");
    let of_fork = env.get("BUILDKITE_PULL_REQUEST_REPO").is_some() || branch.contains(':');
    if number.is_some() || base.is_some() || of_fork {
        return Built::PullRequest {
            number: number.unwrap_or_default(),
            base: base.unwrap_or_default(),
            head: "",
            from: "BUILDKITE_PULL_REQUEST",
        };
    }
    match (env.get("BUILDKITE_TAG"), branch) {
        (Some(name), _) => Built::Tag {
            name,
            from: "BUILDKITE_TAG",
        },
        (None, "") => Built::Unknown,
        (None, name) => Built::Branch {
            name,
            from: "BUILDKITE_BRANCH",
        },
    }
}

/// `BUILDKITE_SOURCE` in GitHub's words. A build that another one triggered does not say what started that one.
fn event(source: &str) -> &'static str {
    match source {
        "webhook" => "push",
        "schedule" => "schedule",
        "api" | "ui" => "workflow_dispatch",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHA, check, read};

    const ALWAYS: [(&str, &str); 4] = [
        ("BUILDKITE", "true"),
        ("BUILDKITE_COMMIT", SHA),
        ("BUILDKITE_REPO", "git@github.com:org/shop.git"),
        ("BUILDKITE_PIPELINE_DEFAULT_BRANCH", "main"),
    ];

    #[test]
    fn each_kind_of_build() {
        let on_main = |source| {
            [
                ("BUILDKITE_SOURCE", source),
                ("BUILDKITE_BRANCH", "main"),
                ("BUILDKITE_TAG", ""),
                ("BUILDKITE_PULL_REQUEST", "false"),
                ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", ""),
                ("BUILDKITE_PULL_REQUEST_REPO", ""),
            ]
        };
        let main = |event| (event, "refs/heads/main", "BUILDKITE_BRANCH", "");
        check(
            &ALWAYS,
            &[
                ("push", &on_main("webhook"), main("push")),
                ("schedule", &on_main("schedule"), main("schedule")),
                ("by hand", &on_main("ui"), main("workflow_dispatch")),
                ("API", &on_main("api"), main("workflow_dispatch")),
                ("triggered", &on_main("trigger_job"), main("")),
                (
                    "tag",
                    &[
                        ("BUILDKITE_SOURCE", "webhook"),
                        ("BUILDKITE_BRANCH", "v1.2.3"),
                        ("BUILDKITE_TAG", "v1.2.3"),
                        ("BUILDKITE_PULL_REQUEST", "false"),
                    ],
                    ("push", "refs/tags/v1.2.3", "BUILDKITE_TAG", ""),
                ),
                (
                    "merge queue",
                    &[
                        ("BUILDKITE_SOURCE", "webhook"),
                        ("BUILDKITE_BRANCH", "gh-readonly-queue/main/pr-7-44af8aa"),
                        ("BUILDKITE_MERGE_QUEUE_BASE_BRANCH", "main"),
                        ("BUILDKITE_PULL_REQUEST", "false"),
                    ],
                    (
                        "merge_group",
                        "refs/heads/gh-readonly-queue/main/pr-7-44af8aa",
                        "BUILDKITE_BRANCH",
                        "main",
                    ),
                ),
            ],
        );
    }

    #[test]
    fn pull_requests() {
        let of = |branch, number, repository| {
            [
                ("BUILDKITE_SOURCE", "webhook"),
                ("BUILDKITE_BRANCH", branch),
                ("BUILDKITE_PULL_REQUEST", number),
                ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main"),
                ("BUILDKITE_PULL_REQUEST_REPO", repository),
            ]
        };
        let seven = (
            "pull_request",
            "refs/pull/7/merge",
            "BUILDKITE_PULL_REQUEST",
            "main",
        );
        let (ours, theirs) = (
            "git://github.com/org/shop.git",
            "https://github.com/mallory/shop.git",
        );
        check(
            &ALWAYS,
            &[
                ("own branch", &of("fix/cart", "7", ours), seven),
                ("fork", &of("main", "7", theirs), seven),
                ("fork, prefixed", &of("mallory:main", "7", theirs), seven),
                (
                    "fork without a number",
                    &of("main", "false", theirs),
                    ("pull_request", "", "", "main"),
                ),
                (
                    "fork, rebuilt by branch",
                    &[
                        ("BUILDKITE_BRANCH", "mallory:main"),
                        ("BUILDKITE_PULL_REQUEST", "false"),
                    ],
                    ("pull_request", "", "", ""),
                ),
            ],
        );
    }

    #[test]
    fn commit_and_repository() {
        let build = read(&ALWAYS, &[]);
        assert_eq!(build.sha, SHA);
        assert_eq!(build.repository.full_name, "org/shop");
        assert_eq!(build.repository.html_url, "https://github.com/org/shop");
        assert_eq!(build.repository.default_branch, "main");
        assert_eq!(read(&ALWAYS, &[("BUILDKITE_COMMIT", "HEAD")]).sha, "");
    }
}
