//! CircleCI: <https://circleci.com/docs/reference/variables/>
//!
//! Projects of the older kind (GitHub OAuth, Bitbucket Cloud) build pushes, and pull requests of forks on a branch
//! `pull/7`. `CIRCLE_PULL_REQUEST` only says there that the branch also has an open pull request, so it stays a
//! branch. Projects of the GitHub App also build on events of pull requests, whoever's branch that is: there the same
//! variable makes a pull request.

use gha::env::Env;

use super::{Build, Built, ref_name, repository_at};
use crate::facts::Repository;

pub(super) fn build(env: &Env) -> Option<Build> {
    (env.get("CIRCLECI") == Some("true")).then(|| Build {
        repository: repository(env),
        ..Build::new("CircleCI", &built(env), env.get("CIRCLE_SHA1"))
    })
}

fn built(env: &Env) -> Built<'_> {
    let (tag, branch) = (env.get("CIRCLE_TAG"), env.get("CIRCLE_BRANCH"));
    let of = |number, from| Built::PullRequest {
        number,
        base: "",
        head: "",
        from,
    };
    if let Some(number) = env.get("CIRCLE_PR_NUMBER") {
        return of(number, "CIRCLE_PR_NUMBER");
    }
    if let Some(number) = branch.and_then(ref_name::number) {
        return of(number, "CIRCLE_BRANCH");
    }
    // Set for forks alone; without a number above, there is none.
    if env.get("CIRCLE_PR_USERNAME").is_some() || env.get("CIRCLE_PR_REPONAME").is_some() {
        return of("", "CIRCLE_PR_NUMBER");
    }
    match (tag, branch, env.get("CIRCLE_PULL_REQUEST")) {
        (Some(name), ..) => Built::Tag {
            name,
            from: "CIRCLE_TAG",
        },
        (None, _, Some(page)) if !builds_pushes_alone(env) => {
            of(page.rsplit('/').next().unwrap_or_default(), "CIRCLE_PULL_REQUEST")
        }
        (None, Some(name), _) => Built::Branch {
            name,
            from: "CIRCLE_BRANCH",
        },
        (None, None, _) => Built::Unknown,
    }
}

/// Whether this is a project of GitHub OAuth or Bitbucket Cloud. Those have the organisation's name in their slug and
/// so in the job's address (`https://circleci.com/gh/org/shop/15`); the others have `circleci` and an id
/// (<https://circleci.com/docs/guides/integration/github-apps-integration/>).
fn builds_pushes_alone(env: &Env) -> bool {
    let address = env.get("CIRCLE_BUILD_URL").unwrap_or_default();
    address
        .split('/')
        .any(|part| matches!(part, "gh" | "github" | "bb" | "bitbucket"))
}

fn repository(env: &Env) -> Repository {
    let found = repository_at(env.get("CIRCLE_REPOSITORY_URL"));
    if !found.full_name.is_empty() {
        return found;
    }
    let name = env.get("CIRCLE_PROJECT_REPONAME").unwrap_or_default();
    Repository {
        full_name: match env.get("CIRCLE_PROJECT_USERNAME") {
            Some(owner) if !name.is_empty() => format!("{owner}/{name}"),
            _ => String::new(),
        },
        name: name.to_owned(),
        ..Repository::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHA, check, read};

    const ALWAYS: [(&str, &str); 4] = [
        ("CIRCLECI", "true"),
        ("CIRCLE_SHA1", SHA),
        ("CIRCLE_PROJECT_USERNAME", "org"),
        ("CIRCLE_PROJECT_REPONAME", "shop"),
    ];
    const OAUTH: (&str, &str) = ("CIRCLE_BUILD_URL", "https://circleci.com/gh/org/shop/15");
    const APP: (&str, &str) = (
        "CIRCLE_BUILD_URL",
        "https://circleci.com/circleci/Vbz3Ycb3FyyuPkVKgkXrP7/6sgB9Y4yjmQXbCVkC2yLQv/15",
    );
    const PAGE: &str = "https://github.com/org/shop/pull/7";

    #[test]
    fn each_kind_of_build() {
        let main = ("", "refs/heads/main", "CIRCLE_BRANCH", "");
        check(
            &ALWAYS,
            &[
                ("push", &[OAUTH, ("CIRCLE_BRANCH", "main")], main),
                ("push, app", &[APP, ("CIRCLE_BRANCH", "main")], main),
                (
                    "tag",
                    &[OAUTH, ("CIRCLE_TAG", "v1.2.3")],
                    ("", "refs/tags/v1.2.3", "CIRCLE_TAG", ""),
                ),
                (
                    "branch with an open pull request",
                    &[
                        OAUTH,
                        ("CIRCLE_BRANCH", "main"),
                        ("CIRCLE_PULL_REQUEST", PAGE),
                        ("CIRCLE_PULL_REQUESTS", PAGE),
                    ],
                    main,
                ),
                (
                    "pull request, app",
                    &[APP, ("CIRCLE_BRANCH", "main"), ("CIRCLE_PULL_REQUEST", PAGE)],
                    ("pull_request", "refs/pull/7/merge", "CIRCLE_PULL_REQUEST", ""),
                ),
                (
                    "pull request without a number, app",
                    &[
                        APP,
                        ("CIRCLE_BRANCH", "main"),
                        ("CIRCLE_PULL_REQUEST", "https://x/y"),
                    ],
                    ("pull_request", "", "", ""),
                ),
            ],
        );
    }

    #[test]
    fn forks() {
        let seven = |from| ("pull_request", "refs/pull/7/merge", from, "");
        check(
            &ALWAYS,
            &[
                (
                    "fork",
                    &[
                        OAUTH,
                        ("CIRCLE_BRANCH", "pull/7"),
                        ("CIRCLE_PR_NUMBER", "7"),
                        ("CIRCLE_PR_USERNAME", "mallory"),
                        ("CIRCLE_PR_REPONAME", "shop"),
                        ("CIRCLE_PULL_REQUEST", PAGE),
                    ],
                    seven("CIRCLE_PR_NUMBER"),
                ),
                (
                    "started by API",
                    &[OAUTH, ("CIRCLE_BRANCH", "pull/7/head")],
                    seven("CIRCLE_BRANCH"),
                ),
                (
                    "fork without a number",
                    &[
                        OAUTH,
                        ("CIRCLE_BRANCH", "main"),
                        ("CIRCLE_PR_USERNAME", "mallory"),
                    ],
                    ("pull_request", "", "", ""),
                ),
            ],
        );
    }

    #[test]
    fn repository_by_address_or_by_name() {
        let ssh = [("CIRCLE_REPOSITORY_URL", "git@github.com:org/shop.git")];
        let build = read(&ALWAYS, &ssh);
        assert_eq!(build.repository.full_name, "org/shop");
        assert_eq!(build.repository.html_url, "https://github.com/org/shop");
        let build = read(&ALWAYS, &[]);
        assert_eq!(build.repository.full_name, "org/shop");
        assert_eq!(build.repository.name, "shop");
        assert_eq!(build.repository.html_url, "");
        assert_eq!(build.sha, SHA);
    }
}
