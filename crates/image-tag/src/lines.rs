//! The lines of versions that floating tags follow: `1.2` follows the versions of its line, `latest` follows all.

use std::cmp::Ordering;

use crate::tag_prefix;
use crate::version_order::Key;

/// The releases among a repository's tags, as far as they are known.
#[derive(Debug)]
pub(crate) struct Lines {
    /// Highest first; `None` when the tags are not known.
    releases: Option<Vec<(Key, String)>>,
}

/// Where a version stands among the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing higher is there.
    Highest,
    /// This tag, without the prefix, is higher.
    Below(String),
    /// It is no version, or only comes before a release.
    NotARelease,
    /// The repository's tags are not known.
    Unknown,
}

impl Lines {
    /// `tags`: of the repository, with their prefix.
    pub(crate) fn new(tags: Option<&[String]>, prefix: &str) -> Self {
        let release = |tag: &String| {
            let tag = tag_prefix::strip(tag, prefix)?;
            let key = Key::parse(tag)?;
            (!key.is_prerelease()).then(|| (key, tag.to_owned()))
        };
        let releases = tags.map(|tags| {
            let mut releases: Vec<_> = tags.iter().filter_map(release).collect();
            releases.sort_by(|(one, _), (other, _)| other.compare(one));
            releases
        });
        Self { releases }
    }

    /// Where a version stands among those for which `same_line` holds, asked of the higher ones alone.
    pub(crate) fn standing<E>(
        &self,
        version: &str,
        mut same_line: impl FnMut(&str) -> Result<bool, E>,
    ) -> Result<Standing, E> {
        let Some(key) = Key::parse(version).filter(|key| !key.is_prerelease()) else {
            return Ok(Standing::NotARelease);
        };
        let Some(releases) = &self.releases else {
            return Ok(Standing::Unknown);
        };
        for (other, tag) in releases {
            if other.compare(&key) != Ordering::Greater {
                break;
            }
            if same_line(tag)? {
                return Ok(Standing::Below(tag.clone()));
            }
        }
        Ok(Standing::Highest)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn standing(version: &str, line: &str) -> Standing {
        let tags = [
            "v1.0.0",
            "v1.2.9",
            "v1.10.0",
            "v2.0.0",
            "v3.0.0-rc.1",
            "x",
            "web/v9.0.0",
        ]
        .map(str::to_owned);
        Lines::new(Some(&tags), "")
            .standing(version, |tag| Ok::<_, Infallible>(tag.starts_with(line)))
            .unwrap()
    }

    #[test]
    fn highest_of_its_line() {
        let below = |tag: &str| Standing::Below(tag.to_owned());
        for (version, line, expected) in [
            ("v2.0.0", "", Standing::Highest),
            ("v2.0.1", "", Standing::Highest),
            ("v1.2.10", "", below("v2.0.0")),
            ("v1.2.10", "v1.2.", Standing::Highest),
            ("v1.2.8", "v1.2.", below("v1.2.9")),
            ("v1.9.0", "v1.", below("v1.10.0")),
            ("2.0.0", "", Standing::Highest),
            ("v3.0.0-rc.1", "", Standing::NotARelease),
            ("nightly", "", Standing::NotARelease),
        ] {
            assert_eq!(standing(version, line), expected, "{version} {line}");
        }
    }

    #[test]
    fn only_tags_of_the_prefix_count() {
        let tags = ["v9.0.0", "api/v1.0.0", "web/v9.0.0"].map(str::to_owned);
        let lines = Lines::new(Some(&tags), "api/");
        let all = |_: &str| Ok::<_, Infallible>(true);
        assert_eq!(lines.standing("v1.0.0", all), Ok(Standing::Highest));
        assert_eq!(
            lines.standing("v0.9.0", all),
            Ok(Standing::Below("v1.0.0".to_owned()))
        );
    }

    #[test]
    fn tags_that_nobody_knows_prove_nothing() {
        let lines = Lines::new(None, "");
        assert_eq!(
            lines.standing("v1.0.0", |_| Ok::<_, Infallible>(true)),
            Ok(Standing::Unknown)
        );
    }
}
