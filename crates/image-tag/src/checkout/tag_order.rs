//! Which of several tags on one commit names it best.

use std::cmp::Ordering;

use semver::Version;

/// Semantic versions first: releases before pre-releases, higher before lower. Then by name, so that the order is
/// the same everywhere.
pub(super) fn best_first(a: &str, b: &str) -> Ordering {
    let rank = |version: &Option<Version>| match version {
        Some(version) if version.pre.is_empty() => 0,
        Some(_) => 1,
        None => 2,
    };
    let (left, right) = (version(a), version(b));
    rank(&left)
        .cmp(&rank(&right))
        .then_with(|| match (&left, &right) {
            (Some(left), Some(right)) => right.cmp_precedence(left),
            _ => Ordering::Equal,
        })
        .then_with(|| a.cmp(b))
}

/// The semantic version that a tag ends in, behind a `v` and behind `name-`, `path/` or `package@`.
fn version(tag: &str) -> Option<Version> {
    let behind = |(at, found): (usize, &str)| at + found.len();
    std::iter::once(0)
        .chain(tag.match_indices(['/', '-', '@']).map(behind))
        .find_map(|start| {
            let text = tag.get(start..)?;
            Version::parse(text.strip_prefix('v').unwrap_or(text)).ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_then_candidates_then_names() {
        let best = [
            "api-v2.0.0",
            "svc/v1.10.0",
            "v1.9.0",
            "1.2.3",
            "@shop/web@1.0.0",
            "v3.0.0-rc.2",
            "v3.0.0-rc.1",
            "latest",
            "v1",
        ];
        let mut tags = best;
        tags.reverse();
        tags.sort_by(|a, b| best_first(a, b));
        assert_eq!(tags, best);
    }

    #[test]
    fn the_version_is_the_longest_that_reads_as_one() {
        for (tag, expected) in [
            ("v1.2.3-4.5.6", Some("1.2.3-4.5.6")),
            ("release-2024-1.2.3", Some("1.2.3")),
            ("é-v1.2.3", Some("1.2.3")),
            ("v1.2", None),
            ("", None),
        ] {
            assert_eq!(
                version(tag).map(|version| version.to_string()).as_deref(),
                expected,
                "{tag}"
            );
        }
    }
}
