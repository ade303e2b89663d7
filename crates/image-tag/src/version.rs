//! The tags that came together: the first is the version, the others follow, `latest` ends the list.

/// Tags, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Version {
    tags: Vec<String>,
    latest: bool,
}

impl Version {
    /// Only the first tag decides on `latest`, also when it was not the first to be asked for.
    pub(crate) fn add(&mut self, tag: String, latest: bool) {
        if self.tags.is_empty() {
            self.latest = latest;
        }
        if !self.tags.contains(&tag) {
            self.tags.push(tag);
        }
    }

    /// Whether the tag `latest` is due.
    pub(crate) fn is_latest(&self) -> bool {
        self.latest
    }

    /// The first tag; empty when there is none.
    pub(crate) fn main(&self) -> &str {
        self.tags.first().map_or("", String::as_str)
    }

    pub(crate) fn tags(&self) -> &[String] {
        &self.tags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_tag_is_the_version_and_decides() {
        let mut version = Version::default();
        assert_eq!((version.main(), version.is_latest()), ("", false));
        for (tag, latest) in [("a", false), ("b", true), ("a", true), ("b", false)] {
            version.add(tag.to_owned(), latest);
        }
        assert_eq!((version.main(), version.is_latest()), ("a", false));
        assert_eq!(version.tags(), ["a", "b"]);
    }
}
