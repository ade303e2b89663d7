//! What other CI systems than GitHub Actions say about a build, read from the environment. Nothing here decides on a
//! tag.
//!
//! One system is one file. All follow the same order: first everything that marks a pull request, then the tag, then
//! the branch. Several systems name a pull request of a fork by the fork's branch (`main`!), and it must never pass
//! for a push to ours. So whatever is marked as a pull request is one, and its ref is its number's or empty; a name
//! that could be a branch's or a tag's is neither.

mod buildkite;
mod circleci;
mod gitlab;
mod jenkins;
mod ref_name;

use gha::env::Env;
use jiff::Timestamp;

use crate::facts::Repository;
use crate::remote::remote;

/// What a CI system says about its build. Empty text is text that is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Build {
    /// The system's name for messages, such as `GitLab CI/CD`.
    pub(crate) system: &'static str,
    /// In GitHub's words, as the rules know them: `push`, `pull_request`, `merge_group`, `schedule`,
    /// `workflow_dispatch` (by hand or API); empty where not known. It is `pull_request` for all that is marked as
    /// one, also where [`Self::git_ref`] is empty: the checkout's branch must not stand in there.
    pub(crate) event_name: String,
    /// Full ref: `refs/heads/…`, `refs/tags/…`, `refs/pull/N/merge` (pull and merge requests of all systems; N is
    /// the number people see, GitLab's iid).
    pub(crate) git_ref: String,
    /// Full commit hash.
    pub(crate) sha: String,
    /// Head commit of a pull request's branch where it differs from `sha`.
    pub(crate) head_sha: String,
    /// The branch a pull request goes to, without `refs/heads/`.
    pub(crate) base_ref: String,
    /// The repository, as far as known. Its licence never is.
    pub(crate) repository: Repository,
    /// The commit's time.
    pub(crate) commit_date: Option<Timestamp>,
    /// The variable that the ref was read from, for `explain`; empty when there is no ref.
    pub(crate) ref_from: &'static str,
}

/// The system this process runs in, if it is one of those known. GitHub's own runner is not asked here.
///
/// Jenkins comes last: a job of another system may hold `JENKINS_URL` to start something there.
pub(crate) fn recognised(env: &Env) -> Option<Build> {
    gitlab::build(env)
        .or_else(|| circleci::build(env))
        .or_else(|| buildkite::build(env))
        .or_else(|| jenkins::build(env))
}

/// What a build is of, as its system names it. `from` is the variable that says so.
enum Built<'a> {
    /// `number` is empty where there is none.
    PullRequest {
        number: &'a str,
        base: &'a str,
        head: &'a str,
        from: &'static str,
    },
    Tag {
        name: &'a str,
        from: &'static str,
    },
    Branch {
        name: &'a str,
        from: &'static str,
    },
    Unknown,
}

impl Build {
    /// A build of what `built` says, at `commit`.
    fn new(system: &'static str, built: &Built<'_>, commit: Option<&str>) -> Self {
        let sha = hash(commit.unwrap_or_default());
        let build = Self {
            system,
            sha,
            ..Self::default()
        };
        match *built {
            Built::PullRequest {
                number,
                base,
                head,
                from,
            } => {
                let head = hash(head);
                Self {
                    event_name: "pull_request".to_owned(),
                    head_sha: if head == build.sha { String::new() } else { head },
                    base_ref: base.strip_prefix("refs/heads/").unwrap_or(base).to_owned(),
                    ..build.at(ref_name::pull_request(number), from)
                }
            }
            Built::Tag { name, from } => build.at(ref_name::tag(name), from),
            Built::Branch { name, from } => build.at(ref_name::branch(name), from),
            Built::Unknown => build,
        }
    }

    fn at(self, git_ref: String, from: &'static str) -> Self {
        Self {
            ref_from: if git_ref.is_empty() { "" } else { from },
            git_ref,
            ..self
        }
    }
}

/// A full commit hash (SHA-1 or SHA-256) as it is; empty for anything else, such as `HEAD`.
fn hash(text: &str) -> String {
    let full = matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if full { text.to_owned() } else { String::new() }
}

/// What the address of the remote tells about a repository.
fn repository_at(address: Option<&str>) -> Repository {
    let Some(remote) = address.and_then(remote) else {
        return Repository::default();
    };
    Repository {
        name: remote.full_name.rsplit('/').next().unwrap_or_default().to_owned(),
        full_name: remote.full_name,
        html_url: remote.html_url,
        ..Repository::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// The commit that is built, and the head of a pull request's branch.
    pub(super) const SHA: &str = "7c1f0f2a9d3b4e5f60718293a4b5c6d7e8f90123";
    pub(super) const HEAD: &str = "3370e228f2209994d57af4427fe64e71bb79ac96";

    /// Event, ref, variable of the ref, base.
    pub(super) type Expected = (&'static str, &'static str, &'static str, &'static str);

    /// One kind of build: its name, its variables beside those that all builds have, and what follows.
    pub(super) type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], Expected);

    pub(super) fn read(always: &[(&str, &str)], own: &[(&str, &str)]) -> Build {
        let env = always.iter().chain(own).copied().collect();
        recognised(&env).expect("a known system")
    }

    pub(super) fn check(always: &[(&str, &str)], rows: &[Row<'_>]) {
        for (kind, own, expected) in rows {
            let build = read(always, own);
            let found = (
                build.event_name.as_str(),
                build.git_ref.as_str(),
                build.ref_from,
                build.base_ref.as_str(),
            );
            assert_eq!(found, *expected, "{kind}");
        }
    }

    #[test]
    fn other_machines_are_none() {
        for own in [
            &[][..],
            &[("CI", "true")],
            &[("GITHUB_ACTIONS", "true"), ("GITHUB_REF", "refs/heads/main")],
            &[("JENKINS_URL", "https://jenkins.example/")],
            &[("GITLAB_CI", ""), ("CIRCLECI", "false"), ("BUILDKITE", "0")],
        ] {
            assert_eq!(recognised(&own.iter().copied().collect()), None, "{own:?}");
        }
    }

    #[test]
    fn a_job_that_knows_a_jenkins_is_not_one_of_jenkins() {
        let own = [
            ("JENKINS_URL", "https://jenkins.example/"),
            ("BUILD_ID", "3"),
            ("CI_COMMIT_BRANCH", "main"),
        ];
        assert_eq!(read(&[("GITLAB_CI", "true")], &own).system, "GitLab CI/CD");
    }

    #[test]
    fn only_full_hashes_are_commits() {
        assert_eq!(hash(SHA), SHA);
        assert_eq!(hash(&SHA.repeat(2)[..64]).len(), 64);
        for text in ["", "HEAD", "7c1f0f2", "main", &SHA.replace('7', "x")] {
            assert_eq!(hash(text), "", "{text}");
        }
    }

    /// What marks each system.
    const SYSTEMS: [&[(&str, &str)]; 4] = [
        &[("GITLAB_CI", "true")],
        &[("CIRCLECI", "true")],
        &[("BUILDKITE", "true")],
        &[("JENKINS_URL", "https://jenkins.example/"), ("BUILD_ID", "3")],
    ];

    /// Every variable that is read.
    const READ: &[&str] = &[
        "CI_PIPELINE_SOURCE",
        "CI_COMMIT_TAG",
        "CI_COMMIT_BRANCH",
        "CI_COMMIT_SHA",
        "CI_COMMIT_TIMESTAMP",
        "CI_MERGE_REQUEST_IID",
        "CI_MERGE_REQUEST_ID",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA",
        "CI_PROJECT_URL",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME",
        "CI_EXTERNAL_PULL_REQUEST_IID",
        "CI_PROJECT_PATH",
        "CIRCLE_TAG",
        "CIRCLE_BRANCH",
        "CIRCLE_PR_NUMBER",
        "CIRCLE_PR_USERNAME",
        "CIRCLE_PULL_REQUEST",
        "CIRCLE_BUILD_URL",
        "CIRCLE_SHA1",
        "CIRCLE_REPOSITORY_URL",
        "CIRCLE_PROJECT_USERNAME",
        "BUILDKITE_TAG",
        "BUILDKITE_BRANCH",
        "BUILDKITE_PULL_REQUEST",
        "BUILDKITE_PULL_REQUEST_REPO",
        "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
        "BUILDKITE_COMMIT",
        "BUILDKITE_SOURCE",
        "BUILDKITE_REPO",
        "BUILDKITE_MERGE_QUEUE_BASE_BRANCH",
        "BUILDKITE_PIPELINE_DEFAULT_BRANCH",
        "TAG_NAME",
        "BRANCH_NAME",
        "BRANCH_IS_PRIMARY",
        "CHANGE_ID",
        "CHANGE_TARGET",
        "GIT_BRANCH",
        "GIT_COMMIT",
        "GIT_URL",
        "GIT_URL_1",
        "ghprbPullId",
        "gitlabMergeRequestIid",
        "GERRIT_CHANGE_NUMBER",
        "GERRIT_EVENT_TYPE",
    ];

    /// What each system sets on pull requests alone; one of these is enough.
    const MARKS: [&[&str]; 4] = [
        &[
            "CI_MERGE_REQUEST_IID",
            "CI_MERGE_REQUEST_ID",
            "CI_EXTERNAL_PULL_REQUEST_IID",
        ],
        &["CIRCLE_PR_NUMBER", "CIRCLE_PR_USERNAME", "CIRCLE_PR_REPONAME"],
        &[
            "BUILDKITE_PULL_REQUEST",
            "BUILDKITE_PULL_REQUEST_REPO",
            "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
        ],
        &[
            "CHANGE_ID",
            "CHANGE_TARGET",
            "ghprbPullId",
            "gitlabMergeRequestIid",
            "BITBUCKET_PULL_REQUEST_ID",
            "pullRequestId",
            "GERRIT_CHANGE_NUMBER",
        ],
    ];

    /// Text as systems write it, and any other.
    fn text() -> impl Strategy<Value = String> {
        const USUAL: &[&str] = &[
            "main",
            "v1.2.3",
            "7",
            "false",
            "true",
            "pull/7",
            "origin/main",
            "refs/tags/v1.2.3",
            "detached",
            SHA,
            "https://git.example/o/r.git",
            "push",
            "schedule",
            "change-merged",
            "",
        ];
        prop_oneof![
            prop::sample::select(USUAL).prop_map(str::to_owned),
            "\\PC{0,12}",
            any::<String>(),
        ]
    }

    fn environment() -> impl Strategy<Value = (usize, BTreeMap<&'static str, String>)> {
        let variables = prop::collection::btree_map(prop::sample::select(READ), text(), 0..12);
        (0..SYSTEMS.len(), variables)
    }

    fn env_of(system: usize, variables: BTreeMap<&'static str, String>) -> Env {
        let marks = SYSTEMS[system]
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        marks.chain(variables).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn a_ref_is_empty_or_well_formed((system, variables) in environment()) {
            let build = recognised(&env_of(system, variables)).expect("a known system");
            let number = |pull: &str| pull.strip_suffix("/merge").is_some_and(|n| n.parse::<u128>().is_ok());
            let well_formed = match build.git_ref.splitn(3, '/').collect::<Vec<_>>()[..] {
                ["refs", "heads" | "tags", name] => ref_name::is_well_formed(name),
                ["refs", "pull", pull] => number(pull) && build.event_name == "pull_request",
                _ => build.git_ref.is_empty(),
            };
            prop_assert!(well_formed, "{}", build.git_ref);
            prop_assert_eq!(build.git_ref.is_empty(), build.ref_from.is_empty());
            prop_assert!(build.sha.is_empty() || build.sha.len() >= 40);
        }

        #[test]
        fn a_pull_request_is_never_a_push(
            (system, mut variables) in environment(),
            mark in any::<prop::sample::Index>(),
            value in "[1-9][0-9]{0,4}|main|7x|@|\\PC{1,8}",
        ) {
            prop_assume!(value != "false");
            // The one build of a change that is of a branch: the branch it was merged into.
            variables.remove("GERRIT_EVENT_TYPE");
            variables.insert(MARKS[system][mark.index(MARKS[system].len())], value);
            let build = recognised(&env_of(system, variables)).expect("a known system");
            prop_assert_eq!(build.event_name, "pull_request");
            prop_assert!(build.git_ref.is_empty() || build.git_ref.starts_with("refs/pull/"), "{}", build.git_ref);
        }
    }
}
