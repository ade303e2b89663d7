//! Which of two git tags is the newer version, for tags that follow the highest.
//!
//! A tag is a semantic version where it is one (<https://semver.org>, with one `v` before it at most), otherwise a
//! version of PEP 440 (<https://peps.python.org/pep-0440/>), otherwise none. A repository may have changed from `v1.2`
//! to `v1.2.3`, so that the two kinds stand in one order, by their numbers.

use std::cmp::Ordering;

use crate::types::{pep440, semver};

/// A place in the order of versions. There is no `Eq`, as different texts may have the same place.
#[derive(Debug, Clone)]
pub(crate) enum Key {
    Semver(::semver::Version),
    Pep440(pep440_rs::Version),
}

/// What comes after what among versions of the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Prerelease,
    Release,
    /// A release with a local part, `1.0+ubuntu.1`.
    Local,
    Postrelease,
}

impl Key {
    /// Reads a tag's name; `None` when it is no version.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        let semver = semver::parse(tag).map(Self::Semver);
        semver.or_else(|| pep440::parse(tag).map(Self::Pep440))
    }

    /// Whether it is a semantic version.
    pub(crate) fn is_semver(&self) -> bool {
        matches!(self, Self::Semver(_))
    }

    /// Whether it comes before the release that it is named after: `1.2.3-rc.1`, `1.2rc1`, `1.2.dev4`. A post-release
    /// does not.
    pub(crate) fn is_prerelease(&self) -> bool {
        match self {
            Self::Semver(version) => !version.pre.is_empty(),
            Self::Pep440(version) => version.any_prerelease(),
        }
    }

    /// The order of two versions. Build metadata of a semantic version does not count, a local version of PEP 440 does,
    /// each as its specification has it.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let numbers = self.numbers().cmp(&other.numbers());
        numbers
            .then_with(|| self.rank().cmp(&other.rank()))
            .then_with(|| match (self, other) {
                (Self::Semver(one), Self::Semver(other)) => one.cmp_precedence(other),
                (Self::Pep440(one), Self::Pep440(other)) => one.cmp(other),
                _ if self.rank() == Rank::Release => Ordering::Equal,
                // Candidates of different kinds have no order, but sorting needs one.
                _ => other.is_semver().cmp(&self.is_semver()),
            })
    }

    fn rank(&self) -> Rank {
        match self {
            Self::Semver(version) if version.pre.is_empty() => Rank::Release,
            Self::Semver(_) => Rank::Prerelease,
            Self::Pep440(version) if version.is_pre() => Rank::Prerelease,
            // With what is on its way to it, `1.0.post1.dev1`.
            Self::Pep440(version) if version.is_post() => Rank::Postrelease,
            Self::Pep440(version) if version.is_dev() => Rank::Prerelease,
            Self::Pep440(version) if version.is_local() => Rank::Local,
            Self::Pep440(_) => Rank::Release,
        }
    }

    /// Epoch and numbers; zeros at the end do not count.
    fn numbers(&self) -> (u64, Vec<u64>) {
        let (epoch, mut numbers) = match self {
            Self::Semver(version) => (0, vec![version.major, version.minor, version.patch]),
            Self::Pep440(version) => (version.epoch(), version.release().to_vec()),
        };
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        (epoch, numbers)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Ascending, as `npm`'s semver and `@renovatebot/pep440` have it; what stands in one row has one place.
    const SEMVER: [&[&str]; 9] = [
        &["0.9.9", "v0.9.9"],
        &["1.0.0-0", "v1.0.0-0+x"],
        &["1.0.0-alpha"],
        &["1.0.0-alpha.1"],
        &["1.0.0-rc.2"],
        &["1.0.0-rc.10"],
        &["1.0.0", "v1.0.0", "1.0.0+b.1", "1.0.0+b.2"],
        &["1.0.10"],
        &["10.0.0"],
    ];
    const PEP440: [&[&str]; 16] = [
        &["1.0.dev4", "v1.0dev4"],
        &["1.0a1.dev1"],
        &["1.0a1", "1.0-alpha.1"],
        &["1.0a1.post1"],
        &["1.0b2"],
        &["1.0rc2", "1.0c2"],
        &["1.0rc10"],
        &["1.0", "1", "1.0.0", "v1.0"],
        &["1.0+abc"],
        &["1.0+5"],
        &["1.0.post1.dev1"],
        &["1.0.post1", "1.0-1"],
        &["1.0.1"],
        &["2012.4"],
        &["2012.10"],
        &["1!0.1"],
    ];

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap()
    }

    #[test]
    fn order() {
        for rows in [&SEMVER[..], &PEP440[..]] {
            let keys: Vec<(usize, &str, Key)> = rows
                .iter()
                .enumerate()
                .flat_map(|(place, row)| row.iter().map(move |text| (place, *text, key(text))))
                .collect();
            for (place, text, key) in &keys {
                for (other_place, other_text, other) in &keys {
                    assert_eq!(key.compare(other), place.cmp(other_place), "{text} {other_text}");
                }
            }
        }
    }

    #[test]
    fn kinds() {
        for (text, is_semver, is_prerelease) in [
            ("1.2.3", true, false),
            ("v1.2.3-rc.1+b", true, true),
            ("1.2.3-1", true, true),
            ("1.2", false, false),
            ("v1", false, false),
            ("V1.2.3", false, false),
            ("1.2.3rc1", false, true),
            ("1.2.dev4", false, true),
            ("1.2.post1", false, false),
            ("1.2.3.4", false, false),
            ("01.2.3", false, false),
        ] {
            let key = key(text);
            assert_eq!(
                (key.is_semver(), key.is_prerelease()),
                (is_semver, is_prerelease),
                "{text}"
            );
        }
        for text in [
            "",
            "latest",
            "release-1.2.3",
            "vv1.2.3",
            "1.2.x",
            "svc/1.2.3",
            "nightly-2024",
        ] {
            assert!(Key::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn both_kinds_stand_in_one_order() {
        for (one, other, expected) in [
            ("1.2", "1.2.3", Ordering::Less),
            ("v2.0", "1.9.9", Ordering::Greater),
            ("1.2.0", "1.2", Ordering::Equal),
            ("1.2.3", "1.2.3.post1", Ordering::Less),
            ("1.2.3", "1.2.3rc1", Ordering::Greater),
            ("2024.05.01", "1.2.3", Ordering::Greater),
        ] {
            assert_eq!(key(one).compare(&key(other)), expected, "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = Key::parse(&text);
        }

        #[test]
        fn order_is_total(
            texts in prop::array::uniform3("[0-2]([.][0-2]){0,2}(a1|rc2|-rc[.]1)?(-1|[.]post2)?([.]dev1)?([+][ab1]{1,2})?"),
        ) {
            let keys: Vec<Key> = texts.iter().filter_map(|text| Key::parse(text)).collect();
            if let [a, b, c] = &keys[..] {
                prop_assert_eq!(a.compare(b), b.compare(a).reverse());
                if a.compare(b) == b.compare(c) {
                    prop_assert_eq!(a.compare(c), a.compare(b));
                }
                if a.compare(b) == Ordering::Equal {
                    prop_assert_eq!(a.compare(c), b.compare(c));
                }
            }
        }
    }
}
