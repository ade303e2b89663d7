//! Jenkins: <https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables>, and on each server
//! under `/env-vars.html/`.
//!
//! Multibranch jobs set `BRANCH_NAME`, with `TAG_NAME` or `CHANGE_*`
//! (<https://plugins.jenkins.io/branch-api/>). Other jobs have what the git plugin says, `GIT_BRANCH`
//! (<https://plugins.jenkins.io/git/>); it is read where it says whether it is a branch or a tag: `origin/main`,
//! `refs/tags/v1.2.3`. A bare name is what the plugin gives when no branch of that name was found, and what some
//! plugins for pull requests put there instead: the source branch, also a fork's.
//!
//! `TAG_TIMESTAMP` is not the commit's time: of an annotated tag it is the tagger's. What started a build is in no
//! variable of Jenkins itself.

use gha::env::Env;

use super::{Build, Built, ref_name, repository_at};
use crate::facts::Repository;

/// What marks a pull request: its number, the branch it goes to, the commit of its own branch.
const CHANGES: [(&str, &str, &str); 6] = [
    ("CHANGE_ID", "CHANGE_TARGET", ""),
    // https://plugins.jenkins.io/ghprb/; it also sets GIT_BRANCH to the source branch.
    ("ghprbPullId", "ghprbTargetBranch", "ghprbActualCommit"),
    // https://plugins.jenkins.io/gitlab-plugin/; empty on a push.
    (
        "gitlabMergeRequestIid",
        "gitlabTargetBranch",
        "gitlabMergeRequestLastCommit",
    ),
    // https://plugins.jenkins.io/bitbucket-push-and-pull-request/
    ("BITBUCKET_PULL_REQUEST_ID", "BITBUCKET_TARGET_BRANCH", ""),
    // https://plugins.jenkins.io/stash-pullrequest-builder/ and those it comes from.
    ("pullRequestId", "targetBranch", "sourceCommitHash"),
    // https://plugins.jenkins.io/gerrit-trigger/
    (GERRIT, "GERRIT_BRANCH", "GERRIT_PATCHSET_REVISION"),
];
const GERRIT: &str = "GERRIT_CHANGE_NUMBER";

pub(super) fn build(env: &Env) -> Option<Build> {
    // JENKINS_URL is there only where the administrator set the address.
    let server = env.get("JENKINS_URL").or(env.get("JENKINS_HOME"));
    (server.is_some() && env.get("BUILD_ID").is_some()).then(|| {
        let primary = env.get("BRANCH_IS_PRIMARY") == Some("true");
        let default_branch = env.get("BRANCH_NAME").filter(|_| primary).unwrap_or_default();
        Build {
            repository: Repository {
                default_branch: default_branch.to_owned(),
                // Numbered where a job has several remotes.
                ..repository_at(env.get("GIT_URL").or(env.get("GIT_URL_1")))
            },
            ..Build::new("Jenkins", &built(env), env.get("GIT_COMMIT"))
        }
    })
}

fn built(env: &Env) -> Built<'_> {
    if let Some(change) = change(env) {
        return change;
    }
    match (env.get("BRANCH_NAME"), env.get("TAG_NAME")) {
        // Both say the same for a tag. A TAG_NAME of its own is a parameter or the name of an image's tag.
        (Some(branch), Some(name)) if branch == name => Built::Tag {
            name,
            from: "TAG_NAME",
        },
        (Some(name), _) => Built::Branch {
            name,
            from: "BRANCH_NAME",
        },
        (None, _) => env.get("GIT_BRANCH").map_or(Built::Unknown, by_git_branch),
    }
}

fn change(env: &Env) -> Option<Built<'_>> {
    let text = |name| env.get(name).unwrap_or_default();
    // What is built then is the branch that the change is in now.
    let merged = env.get("GERRIT_EVENT_TYPE") == Some("change-merged");
    let found = CHANGES
        .iter()
        .filter(|(number, ..)| !(*number == GERRIT && merged))
        .find(|(number, ..)| env.get(number).is_some());
    match found {
        Some((number, base, head)) => Some(Built::PullRequest {
            number: text(number),
            base: text(base),
            head: text(head),
            from: number,
        }),
        // A multibranch source that gives no number.
        None => env.get("CHANGE_TARGET").map(|base| Built::PullRequest {
            number: "",
            base,
            head: "",
            from: "CHANGE_ID",
        }),
    }
}

/// What the git plugin says it built.
fn by_git_branch(name: &str) -> Built<'_> {
    let from = "GIT_BRANCH";
    let of_remote = name
        .strip_prefix("origin/")
        .or_else(|| name.strip_prefix("refs/remotes/origin/"));
    let number = ref_name::number(of_remote.or_else(|| name.strip_prefix("refs/")).unwrap_or(name));
    if let Some(number) = number {
        return Built::PullRequest {
            number,
            base: "",
            head: "",
            from,
        };
    }
    match (
        of_remote.or_else(|| name.strip_prefix("refs/heads/")),
        name.strip_prefix("refs/tags/"),
    ) {
        (Some(name), _) => Built::Branch { name, from },
        (None, Some(name)) => Built::Tag { name, from },
        (None, None) => Built::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{HEAD, Row, SHA, check, read};

    const ALWAYS: [(&str, &str); 4] = [
        ("JENKINS_URL", "https://jenkins.example/"),
        ("BUILD_ID", "15"),
        ("GIT_COMMIT", SHA),
        ("GIT_URL", "https://bot:secret@git.example/org/shop.git"),
    ];

    #[test]
    fn multibranch() {
        check(
            &ALWAYS,
            &[
                (
                    "branch",
                    &[
                        ("BRANCH_NAME", "main"),
                        ("BRANCH_IS_PRIMARY", "true"),
                        ("GIT_BRANCH", "main"),
                    ],
                    ("", "refs/heads/main", "BRANCH_NAME", ""),
                ),
                (
                    "tag",
                    &[
                        ("BRANCH_NAME", "v1.2.3"),
                        ("TAG_NAME", "v1.2.3"),
                        ("TAG_TIMESTAMP", "1795255479000"),
                        ("GIT_BRANCH", "v1.2.3"),
                    ],
                    ("", "refs/tags/v1.2.3", "TAG_NAME", ""),
                ),
                (
                    "an image's tag in the job's own environment",
                    &[("BRANCH_NAME", "main"), ("TAG_NAME", "v1.2.3")],
                    ("", "refs/heads/main", "BRANCH_NAME", ""),
                ),
                (
                    "pull request",
                    &[
                        ("BRANCH_NAME", "PR-7"),
                        ("CHANGE_ID", "7"),
                        ("CHANGE_TARGET", "main"),
                        ("CHANGE_BRANCH", "main"),
                        ("CHANGE_FORK", "mallory"),
                        ("GIT_BRANCH", "PR-7"),
                    ],
                    ("pull_request", "refs/pull/7/merge", "CHANGE_ID", "main"),
                ),
                (
                    "merge request of GitLab",
                    &[
                        ("BRANCH_NAME", "MR-7-merge"),
                        ("CHANGE_ID", "7"),
                        ("CHANGE_TARGET", "main"),
                    ],
                    ("pull_request", "refs/pull/7/merge", "CHANGE_ID", "main"),
                ),
                (
                    "change without a number",
                    &[("BRANCH_NAME", "main"), ("CHANGE_TARGET", "main")],
                    ("pull_request", "", "", "main"),
                ),
                (
                    "branch called like a pull request",
                    &[("BRANCH_NAME", "PR-7")],
                    ("", "refs/heads/PR-7", "BRANCH_NAME", ""),
                ),
            ],
        );
    }

    #[test]
    fn other_jobs() {
        let seven = ("pull_request", "refs/pull/7/merge", "GIT_BRANCH", "");
        let cases = [
            ("origin/main", ("", "refs/heads/main", "GIT_BRANCH", "")),
            ("origin/fix/cart", ("", "refs/heads/fix/cart", "GIT_BRANCH", "")),
            (
                "refs/remotes/origin/main",
                ("", "refs/heads/main", "GIT_BRANCH", ""),
            ),
            ("refs/heads/main", ("", "refs/heads/main", "GIT_BRANCH", "")),
            ("refs/tags/v1.2.3", ("", "refs/tags/v1.2.3", "GIT_BRANCH", "")),
            ("origin/pr/7/merge", seven),
            ("origin/merge-requests/7", seven),
            ("refs/pull/7/head", seven),
            ("pr/7/merge", seven),
            // Neither a branch nor a tag for certain: the checkout knows.
            ("main", ("", "", "", "")),
            ("v1.2.3", ("", "", "", "")),
            ("mallory/main", ("", "", "", "")),
            ("origin/HEAD", ("", "", "", "")),
            ("detached", ("", "", "", "")),
        ];
        for (name, expected) in cases {
            check(&ALWAYS, &[(name, &[("GIT_BRANCH", name)], expected)]);
        }
    }

    #[test]
    fn plugins_for_pull_requests() {
        let gerrit = [
            ("GIT_BRANCH", "origin/main"),
            ("GERRIT_CHANGE_NUMBER", "4711"),
            ("GERRIT_BRANCH", "main"),
        ];
        let patch_set = [&gerrit[..], &[("GERRIT_EVENT_TYPE", "patchset-created")]].concat();
        let merged = [&gerrit[..], &[("GERRIT_EVENT_TYPE", "change-merged")]].concat();
        let rows: [Row<'_>; 6] = [
            (
                "ghprb, where GIT_BRANCH is the fork's branch",
                &[
                    ("GIT_BRANCH", "main"),
                    ("ghprbPullId", "7"),
                    ("ghprbTargetBranch", "main"),
                ],
                ("pull_request", "refs/pull/7/merge", "ghprbPullId", "main"),
            ),
            (
                "merge request of GitLab's plugin",
                &[
                    ("GIT_BRANCH", "origin/main"),
                    ("gitlabMergeRequestIid", "7"),
                    ("gitlabTargetBranch", "main"),
                ],
                (
                    "pull_request",
                    "refs/pull/7/merge",
                    "gitlabMergeRequestIid",
                    "main",
                ),
            ),
            (
                "push of GitLab's plugin",
                &[
                    ("GIT_BRANCH", "origin/main"),
                    ("gitlabMergeRequestIid", ""),
                    ("gitlabTargetBranch", "main"),
                ],
                ("", "refs/heads/main", "GIT_BRANCH", ""),
            ),
            (
                "Bitbucket",
                &[
                    ("GIT_BRANCH", "origin/main"),
                    ("pullRequestId", "7"),
                    ("targetBranch", "main"),
                ],
                ("pull_request", "refs/pull/7/merge", "pullRequestId", "main"),
            ),
            (
                "Gerrit, to review",
                &patch_set,
                (
                    "pull_request",
                    "refs/pull/4711/merge",
                    "GERRIT_CHANGE_NUMBER",
                    "main",
                ),
            ),
            (
                "Gerrit, merged",
                &merged,
                ("", "refs/heads/main", "GIT_BRANCH", ""),
            ),
        ];
        check(&ALWAYS, &rows);
    }

    #[test]
    fn commit_head_and_repository() {
        let build = read(&ALWAYS, &[("ghprbPullId", "7"), ("ghprbActualCommit", HEAD)]);
        assert_eq!((build.sha.as_str(), build.head_sha.as_str()), (SHA, HEAD));
        assert_eq!(build.repository.full_name, "org/shop");
        assert_eq!(build.repository.html_url, "https://git.example/org/shop");
        assert_eq!(build.commit_date, None);
        let primary = [("BRANCH_NAME", "trunk"), ("BRANCH_IS_PRIMARY", "true")];
        assert_eq!(read(&ALWAYS, &primary).repository.default_branch, "trunk");
        let several = [("GIT_URL", ""), ("GIT_URL_1", "git@git.example:org/api.git")];
        assert_eq!(read(&ALWAYS, &several).repository.full_name, "org/api");
    }

    #[test]
    fn recognised_without_an_address() {
        let home = [("JENKINS_HOME", "/var/jenkins_home"), ("BUILD_ID", "15")];
        assert_eq!(read(&home, &[]).system, "Jenkins");
    }
}
