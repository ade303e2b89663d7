//! GitLab CI/CD: <https://docs.gitlab.com/ci/variables/predefined_variables/>
//!
//! `CI_COMMIT_REF_NAME` is not read: in a pipeline of a merge request it is the source branch, also a fork's.
//! `CI_OPEN_MERGE_REQUESTS` makes no pull request of a branch's pipeline.

use gha::env::Env;

use super::{Build, Built};
use crate::facts::Repository;

pub(super) fn build(env: &Env) -> Option<Build> {
    (env.get("GITLAB_CI") == Some("true")).then(|| {
        let text = |name| env.get(name).unwrap_or_default();
        let owned = |name| text(name).to_owned();
        let build = Build::new("GitLab CI/CD", &built(env), env.get("CI_COMMIT_SHA"));
        Build {
            event_name: if build.event_name.is_empty() {
                event(text("CI_PIPELINE_SOURCE")).to_owned()
            } else {
                build.event_name
            },
            repository: Repository {
                full_name: owned("CI_PROJECT_PATH"),
                // The name as people see it; CI_PROJECT_NAME is the last part of the path.
                name: env
                    .get("CI_PROJECT_TITLE")
                    .unwrap_or(text("CI_PROJECT_NAME"))
                    .to_owned(),
                description: owned("CI_PROJECT_DESCRIPTION"),
                html_url: owned("CI_PROJECT_URL"),
                license: String::new(),
                default_branch: owned("CI_DEFAULT_BRANCH"),
            },
            commit_date: text("CI_COMMIT_TIMESTAMP").parse().ok(),
            ..build
        }
    })
}

fn built(env: &Env) -> Built<'_> {
    let text = |name| env.get(name).unwrap_or_default();
    // Detached, merged results and merge train alike. The source branch's commit is there in the latter two alone.
    if let Some(number) = env.get("CI_MERGE_REQUEST_IID") {
        return Built::PullRequest {
            number,
            base: text("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"),
            head: text("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"),
            from: "CI_MERGE_REQUEST_IID",
        };
    }
    // Of a repository on GitHub whose pipelines run here. CI_COMMIT_BRANCH is there too, and its source branch.
    let source = text("CI_PIPELINE_SOURCE");
    let number = env.get("CI_EXTERNAL_PULL_REQUEST_IID");
    if number.is_some() || env.get("CI_MERGE_REQUEST_ID").is_some() || event(source) == "pull_request" {
        return Built::PullRequest {
            number: number.unwrap_or_default(),
            base: text("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME"),
            head: text("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA"),
            from: "CI_EXTERNAL_PULL_REQUEST_IID",
        };
    }
    match (env.get("CI_COMMIT_TAG"), env.get("CI_COMMIT_BRANCH")) {
        (Some(name), _) => Built::Tag {
            name,
            from: "CI_COMMIT_TAG",
        },
        (None, Some(name)) => Built::Branch {
            name,
            from: "CI_COMMIT_BRANCH",
        },
        (None, None) => Built::Unknown,
    }
}

/// `CI_PIPELINE_SOURCE` in GitHub's words (<https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable>).
/// A pipeline of another pipeline (`parent_pipeline`, `pipeline`) does not say what started that one.
fn event(source: &str) -> &'static str {
    match source {
        "push" => "push",
        "merge_request_event" | "external_pull_request_event" => "pull_request",
        "schedule" => "schedule",
        "api" | "chat" | "trigger" | "web" => "workflow_dispatch",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{HEAD, SHA, check, read};

    const ALWAYS: [(&str, &str); 9] = [
        ("GITLAB_CI", "true"),
        ("CI_COMMIT_SHA", SHA),
        ("CI_COMMIT_TIMESTAMP", "2026-11-21T18:04:39+02:00"),
        ("CI_PROJECT_PATH", "shop/api/backend"),
        ("CI_PROJECT_NAME", "backend"),
        ("CI_PROJECT_TITLE", "Backend"),
        ("CI_PROJECT_DESCRIPTION", "What the shop stands on"),
        ("CI_PROJECT_URL", "https://gitlab.example/shop/api/backend"),
        ("CI_DEFAULT_BRANCH", "main"),
    ];

    #[test]
    fn each_kind_of_pipeline() {
        let on_main = |source| {
            [
                ("CI_PIPELINE_SOURCE", source),
                ("CI_COMMIT_BRANCH", "main"),
                ("CI_COMMIT_REF_NAME", "main"),
            ]
        };
        let main = |event| (event, "refs/heads/main", "CI_COMMIT_BRANCH", "");
        check(
            &ALWAYS,
            &[
                ("push", &on_main("push"), main("push")),
                ("schedule", &on_main("schedule"), main("schedule")),
                ("web", &on_main("web"), main("workflow_dispatch")),
                ("API", &on_main("api"), main("workflow_dispatch")),
                ("trigger token", &on_main("trigger"), main("workflow_dispatch")),
                ("child", &on_main("parent_pipeline"), main("")),
                ("of another project", &on_main("pipeline"), main("")),
                (
                    "branch with an open merge request",
                    &[
                        ("CI_PIPELINE_SOURCE", "push"),
                        ("CI_COMMIT_BRANCH", "fix/cart"),
                        ("CI_OPEN_MERGE_REQUESTS", "shop/api/backend!7"),
                    ],
                    ("push", "refs/heads/fix/cart", "CI_COMMIT_BRANCH", ""),
                ),
                (
                    "tag",
                    &[
                        ("CI_PIPELINE_SOURCE", "push"),
                        ("CI_COMMIT_TAG", "v1.2.3"),
                        ("CI_COMMIT_REF_NAME", "v1.2.3"),
                    ],
                    ("push", "refs/tags/v1.2.3", "CI_COMMIT_TAG", ""),
                ),
            ],
        );
    }

    #[test]
    fn each_kind_of_merge_request() {
        let of = |source, kind, head| {
            [
                ("CI_PIPELINE_SOURCE", source),
                ("CI_MERGE_REQUEST_EVENT_TYPE", kind),
                ("CI_MERGE_REQUEST_ID", "90210"),
                ("CI_MERGE_REQUEST_IID", "7"),
                ("CI_MERGE_REQUEST_REF_PATH", "refs/merge-requests/7/head"),
                // A fork's main: GitLab names it here.
                ("CI_COMMIT_REF_NAME", "main"),
                ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "main"),
                ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
                ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", head),
            ]
        };
        let seven = (
            "pull_request",
            "refs/pull/7/merge",
            "CI_MERGE_REQUEST_IID",
            "main",
        );
        let detached = of("merge_request_event", "detached", "");
        let merged_results = of("merge_request_event", "merged_result", HEAD);
        let train = of("merge_request_event", "merge_train", HEAD);
        check(
            &ALWAYS,
            &[
                ("detached", &detached, seven),
                ("merged results", &merged_results, seven),
                ("merge train", &train, seven),
                ("child", &of("parent_pipeline", "detached", ""), seven),
            ],
        );
        assert_eq!(read(&ALWAYS, &detached).head_sha, "");
        assert_eq!(read(&ALWAYS, &merged_results).head_sha, HEAD);
        assert_eq!(read(&ALWAYS, &train).sha, SHA);
    }

    #[test]
    fn pull_request_on_github() {
        let own = [
            ("CI_PIPELINE_SOURCE", "external_pull_request_event"),
            ("CI_COMMIT_BRANCH", "main"),
            ("CI_EXTERNAL_PULL_REQUEST_IID", "12"),
            ("CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME", "main"),
            ("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA", SHA),
        ];
        let twelve = (
            "pull_request",
            "refs/pull/12/merge",
            "CI_EXTERNAL_PULL_REQUEST_IID",
            "main",
        );
        check(&ALWAYS, &[("external", &own, twelve)]);
        assert_eq!(read(&ALWAYS, &own).head_sha, "");
    }

    #[test]
    fn a_merge_request_without_number_is_no_branch() {
        let own = [
            ("CI_PIPELINE_SOURCE", "merge_request_event"),
            ("CI_COMMIT_BRANCH", "main"),
        ];
        check(&ALWAYS, &[("closed", &own, ("pull_request", "", "", ""))]);
        let name_alone = [("CI_PIPELINE_SOURCE", "pipeline"), ("CI_COMMIT_REF_NAME", "main")];
        check(
            &ALWAYS,
            &[("neither branch nor tag", &name_alone, ("", "", "", ""))],
        );
    }

    #[test]
    fn project_and_date() {
        let build = read(&ALWAYS, &[]);
        assert_eq!(build.repository.full_name, "shop/api/backend");
        assert_eq!(build.repository.name, "Backend");
        assert_eq!(build.repository.description, "What the shop stands on");
        assert_eq!(
            build.repository.html_url,
            "https://gitlab.example/shop/api/backend"
        );
        assert_eq!(build.repository.default_branch, "main");
        assert_eq!(build.commit_date.unwrap().to_string(), "2026-11-21T16:04:39Z");
        assert_eq!(build.git_ref, "");
    }
}
