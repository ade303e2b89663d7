//! The lines of versions that floating tags follow: `1.2` follows the versions of its line, `latest` follows all.

use std::cell::OnceCell;
use std::cmp::Ordering;

use crate::tag_prefix;
use crate::version_order::Key;

/// Takes the version out of a tag.
pub(crate) type Order<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The tags of a repository, as far as they are known.
#[derive(Debug)]
pub(crate) struct Lines {
    /// Without their prefix; `None` when the tags are not known.
    tags: Option<Vec<String>>,
    /// The releases among them for rules that read versions as they stand, highest first.
    plain: OnceCell<Vec<(Key, String)>>,
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
        let own = |tag: &String| tag_prefix::strip(tag, prefix).map(str::to_owned);
        Self {
            tags: tags.map(|tags| tags.iter().filter_map(own).collect()),
            plain: OnceCell::new(),
        }
    }

    /// Where a version stands among those for which `same_line` holds, asked of the higher ones alone. `order` takes the
    /// version out of a tag, where a rule does so.
    pub(crate) fn standing<E>(
        &self,
        version: &str,
        order: Option<Order<'_>>,
        mut same_line: impl FnMut(&str) -> Result<bool, E>,
    ) -> Result<Standing, E> {
        let key = |tag: &str| match order {
            Some(order) => Key::parse(&order(tag)?),
            None => Key::parse(tag),
        };
        let Some(own) = key(version).filter(|key| !key.is_prerelease()) else {
            return Ok(Standing::NotARelease);
        };
        let Some(tags) = &self.tags else {
            return Ok(Standing::Unknown);
        };
        let ordered;
        let releases = match order {
            Some(_) => {
                ordered = releases(tags, key);
                &ordered
            }
            None => self.plain.get_or_init(|| releases(tags, key)),
        };
        for (other, tag) in releases {
            match other.compare(&own) {
                Ordering::Less => break,
                Ordering::Greater => {}
                // What a rule takes out may be a part of the version; then the rest decides.
                Ordering::Equal if order.is_some() && is_higher(tag, version) => {}
                Ordering::Equal => continue,
            }
            if same_line(tag)? {
                return Ok(Standing::Below(tag.clone()));
            }
        }
        Ok(Standing::Highest)
    }
}

/// Whether the whole of one tag is a higher version than the whole of another, words before it left out.
fn is_higher(one: &str, other: &str) -> bool {
    let key = |tag: &str| Key::parse(&tag[tag.find(|c: char| c.is_ascii_digit())?..]);
    match (key(one), key(other)) {
        (Some(one), Some(other)) => one.compare(&other) == Ordering::Greater,
        _ => one != other,
    }
}

/// The releases among tags, highest first.
fn releases(tags: &[String], key: impl Fn(&str) -> Option<Key>) -> Vec<(Key, String)> {
    let release = |tag: &String| Some((key(tag).filter(|key| !key.is_prerelease())?, tag.clone()));
    let mut releases: Vec<_> = tags.iter().filter_map(release).collect();
    releases.sort_by(|(one, _), (other, _)| other.compare(one));
    releases
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
            .standing(version, None, |tag| Ok::<_, Infallible>(tag.starts_with(line)))
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
        assert_eq!(lines.standing("v1.0.0", None, all), Ok(Standing::Highest));
        assert_eq!(
            lines.standing("v0.9.0", None, all),
            Ok(Standing::Below("v1.0.0".to_owned()))
        );
    }

    #[test]
    fn tags_that_nobody_knows_prove_nothing() {
        let lines = Lines::new(None, "");
        assert_eq!(
            lines.standing("v1.0.0", None, |_| Ok::<_, Infallible>(true)),
            Ok(Standing::Unknown)
        );
    }

    #[test]
    fn versions_may_have_to_be_taken_out_of_tags() {
        let tags = ["release-7.1", "release-7.2", "x"].map(str::to_owned);
        let lines = Lines::new(Some(&tags), "");
        let order = |tag: &str| tag.strip_prefix("release-").map(str::to_owned);
        let all = |_: &str| Ok::<_, Infallible>(true);
        assert_eq!(
            lines.standing("release-7.1", Some(&order), all),
            Ok(Standing::Below("release-7.2".to_owned()))
        );
        assert_eq!(
            lines.standing("release-7.2", Some(&order), all),
            Ok(Standing::Highest)
        );
        assert_eq!(
            lines.standing("release-7.1", None, all),
            Ok(Standing::NotARelease)
        );
        let major = |tag: &str| Some(tag.strip_prefix("release-")?.split('.').next()?.to_owned());
        assert_eq!(
            lines.standing("release-7.1", Some(&major), all),
            Ok(Standing::Below("release-7.2".to_owned()))
        );
        assert_eq!(
            lines.standing("release-7.2", Some(&major), all),
            Ok(Standing::Highest)
        );
    }
}
