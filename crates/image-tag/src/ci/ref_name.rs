//! Full refs from the names that CI systems give: well formed, or empty.

/// The ref of a branch; empty when git would not take it. `HEAD` is what a remote's default branch may be called by.
pub(super) fn branch(name: &str) -> String {
    if name == "HEAD" {
        String::new()
    } else {
        within("refs/heads/", name)
    }
}

/// The ref of a tag; empty when git would not take it.
pub(super) fn tag(name: &str) -> String {
    within("refs/tags/", name)
}

/// The ref of a pull request in GitHub's form; empty when `number` is none.
pub(super) fn pull_request(number: &str) -> String {
    if is_number(number) {
        format!("refs/pull/{number}/merge")
    } else {
        String::new()
    }
}

/// The number in what remotes and systems call the branch of a pull request: `pull/7`, `pull/7/head`, `pr/7/merge`,
/// `merge-requests/7/head`, `pull-requests/7/from`.
pub(super) fn number(branch: &str) -> Option<&str> {
    let mut parts = branch.split('/');
    let kind = parts.next()?;
    let number = parts.next()?;
    let end = parts.next().unwrap_or("head");
    let known = matches!(kind, "pull" | "pr" | "merge-requests" | "pull-requests")
        && matches!(end, "head" | "merge" | "from" | "train")
        && parts.next().is_none();
    (known && is_number(number)).then_some(number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit())
}

fn within(space: &str, name: &str) -> String {
    if is_well_formed(name) {
        format!("{space}{name}")
    } else {
        String::new()
    }
}

/// The rules of <https://git-scm.com/docs/git-check-ref-format> for what follows `refs/heads/` or `refs/tags/`.
pub(super) fn is_well_formed(name: &str) -> bool {
    let forbidden = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
    let bad_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    !(name.contains(forbidden)
        || name.contains("..")
        || name.contains("@{")
        || name.ends_with('.')
        || name.split('/').any(bad_part))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_pull_requests() {
        let cases = [
            ("pull/7", Some("7")),
            ("pull/7/head", Some("7")),
            ("pr/7/merge", Some("7")),
            ("merge-requests/7/head", Some("7")),
            ("pull-requests/7/from", Some("7")),
            ("pull/7/head/x", None),
            ("pull/x", None),
            ("pull/", None),
            ("pull", None),
            ("pull/7/fix", None),
            ("fix/7", None),
            ("pull/-7", None),
            ("pull/٧", None),
        ];
        for (branch, expected) in cases {
            assert_eq!(number(branch), expected, "{branch}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn git_agrees(name in "[-a.@{/~:*\\[\\\\ \u{7f}\u{1}é😀]{1,6}(\\.lock|/\\.b|@\\{|)") {
            let status = Command::new("git")
                .args(["check-ref-format", &format!("refs/heads/{name}")])
                .status()
                .unwrap();
            prop_assert_eq!(is_well_formed(&name), status.success(), "{:?}", name);
        }
    }
}
