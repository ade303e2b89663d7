//! The ref of a detached HEAD, from the refs that point at its commit.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::tag_order::best_first;
use crate::tag_prefix;

/// A full ref, empty where nothing tells it, and why that one.
///
/// Runners check out a commit and leave behind the ref that they fetched it by: `actions/checkout` a tag,
/// `refs/remotes/pull/N/merge` or `refs/remotes/origin/BRANCH`.
pub(super) fn git_ref(
    names: &BTreeSet<String>,
    prefix: &str,
    remotes: &[String],
    default_branch: Option<&str>,
) -> (String, &'static str) {
    let tag = names
        .iter()
        .filter_map(|name| name.strip_prefix("refs/tags/"))
        .filter(|tag| tag_prefix::strip(tag, prefix).is_some())
        .min_by(|a, b| best_first(a, b));
    if let Some(tag) = tag {
        return (format!("refs/tags/{tag}"), "the tag points at HEAD");
    }
    let pull = names.iter().filter_map(|name| pull_request(name)).max();
    if let Some(number) = pull {
        return (
            format!("refs/pull/{number}/merge"),
            "the pull request's ref points at HEAD",
        );
    }
    let remote = names
        .iter()
        .filter_map(|name| remote_branch(name, remotes))
        .min_by_key(|&(remote, branch)| {
            let default = Some(branch) == default_branch;
            (Reverse(remote == "origin"), Reverse(default), remote, branch)
        });
    if let Some((_, branch)) = remote {
        return (format!("refs/heads/{branch}"), "a remote's branch points at HEAD");
    }
    let local = names.iter().filter(|name| name.starts_with("refs/heads/")).min();
    match local {
        Some(local) => (local.clone(), "the branch points at HEAD"),
        None => (String::new(), "HEAD is detached and no ref points at it"),
    }
}

/// Number of the pull request that a ref is the merge or the head of.
fn pull_request(name: &str) -> Option<u64> {
    let rest = name
        .strip_prefix("refs/remotes/pull/")
        .or_else(|| name.strip_prefix("refs/pull/"))?;
    let (number, kind) = rest.split_once('/')?;
    let number = number.parse().ok()?;
    matches!(kind, "merge" | "head").then_some(number)
}

/// Remote and branch. The name of a remote may have slashes, so the configured ones are tried first.
fn remote_branch<'a>(name: &'a str, remotes: &[String]) -> Option<(&'a str, &'a str)> {
    let rest = name.strip_prefix("refs/remotes/")?;
    let known = remotes
        .iter()
        .filter(|remote| {
            rest.strip_prefix(remote.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        })
        .map(String::len)
        .max();
    let (remote, branch) = rest.split_at_checked(known.or_else(|| rest.find('/'))?)?;
    let branch = branch.strip_prefix('/')?;
    (branch != "HEAD").then_some((remote, branch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &str, default_branch: Option<&str>) -> String {
        let names: BTreeSet<String> = names.split_whitespace().map(str::to_owned).collect();
        let remotes = ["origin".to_owned(), "team/a".to_owned()];
        git_ref(&names, "", &remotes, default_branch).0
    }

    #[test]
    fn what_is_most_telling_wins() {
        let tag = "refs/tags/latest refs/tags/v1.9.0 refs/tags/v1.10.0 refs/tags/v2.0.0-rc.1";
        let pull = "refs/remotes/pull/9/head refs/remotes/pull/42/merge";
        let remote = "refs/remotes/a/early refs/remotes/origin/HEAD refs/remotes/origin/fix/it";
        let local = "refs/heads/b refs/heads/a";
        for (names, expected) in [
            (format!("{local} {remote} {pull} {tag}"), "refs/tags/v1.10.0"),
            (format!("{local} {remote} {pull}"), "refs/pull/42/merge"),
            (format!("{local} {remote}"), "refs/heads/fix/it"),
            (local.to_owned(), "refs/heads/a"),
            (String::new(), ""),
            ("refs/pull/7/head".to_owned(), "refs/pull/7/merge"),
            ("refs/remotes/origin/HEAD refs/remotes/x/HEAD".to_owned(), ""),
            ("refs/remotes/pull/x/merge".to_owned(), "refs/heads/x/merge"),
            ("refs/remotes/team/a/dev".to_owned(), "refs/heads/dev"),
            ("refs/remotes/team/dev".to_owned(), "refs/heads/dev"),
            ("refs/remotes/origin refs/stash refs/notes/x".to_owned(), ""),
        ] {
            assert_eq!(of(&names, None), expected, "{names}");
        }
    }

    #[test]
    fn only_tags_of_the_prefix_count() {
        let names = BTreeSet::from(["refs/tags/api/v1.0.0", "refs/tags/web/v2.0.0"].map(str::to_owned));
        assert_eq!(git_ref(&names, "api/", &[], None).0, "refs/tags/api/v1.0.0");
        assert_eq!(git_ref(&names, "x/", &[], None).0, "");
    }

    #[test]
    fn the_default_branch_is_first_of_its_remote() {
        let names = "refs/remotes/origin/dev refs/remotes/origin/main";
        assert_eq!(of(names, Some("main")), "refs/heads/main");
        assert_eq!(of(names, None), "refs/heads/dev");
    }
}
