//! The tags of one image as they come together: the first is the version, the others follow, `latest` ends the list.

use std::collections::HashMap;

/// A tag of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    /// Other builds get it too.
    pub(crate) floating: bool,
}

/// Tags, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Version {
    tags: Vec<Tag>,
    /// Where a tag stands among them.
    places: HashMap<String, usize>,
    latest: bool,
}

impl Version {
    /// Only the first tag decides on `latest`, also when it was not the first to be asked for.
    pub(crate) fn add(&mut self, tag: Tag, latest: bool) {
        if self.tags.is_empty() {
            self.latest = latest;
        }
        match self.places.get(&tag.name) {
            Some(&place) => self.tags[place].floating |= tag.floating,
            None => {
                self.places.insert(tag.name.clone(), self.tags.len());
                self.tags.push(tag);
            }
        }
    }

    /// Whether the tag `latest` is due.
    pub(crate) fn is_latest(&self) -> bool {
        self.latest
    }

    /// The first tag; empty when there is none.
    pub(crate) fn main(&self) -> &str {
        self.tags.first().map_or("", |tag| &tag.name)
    }

    pub(crate) fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// The tag to deploy by: the first that stands for this build alone, else the first.
    pub(crate) fn firmest(&self) -> Option<&str> {
        let immutable = self.tags.iter().find(|tag| !tag.floating);
        immutable.or(self.tags.first()).map(|tag| tag.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(tags: &[(&str, bool, bool)]) -> Version {
        let mut version = Version::default();
        for &(name, floating, latest) in tags {
            let name = name.to_owned();
            version.add(Tag { name, floating }, latest);
        }
        version
    }

    #[test]
    fn first_tag_is_the_version_and_decides() {
        let empty = Version::default();
        assert_eq!(
            (empty.main(), empty.is_latest(), empty.firmest()),
            ("", false, None)
        );
        let version = version(&[
            ("a", false, false),
            ("b", true, true),
            ("a", true, true),
            ("b", true, false),
        ]);
        assert_eq!((version.main(), version.is_latest()), ("a", false));
        let names: Vec<&str> = version.tags().iter().map(|tag| tag.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn a_tag_that_floats_by_one_rule_floats() {
        assert!(version(&[("a", false, false), ("a", true, false)]).tags()[0].floating);
    }

    #[test]
    fn what_is_deployed_stands_for_this_build_alone() {
        assert_eq!(
            version(&[("1", true, false), ("1.2.3", false, false)]).firmest(),
            Some("1.2.3")
        );
        assert_eq!(version(&[("main", true, false)]).firmest(), Some("main"));
    }
}
