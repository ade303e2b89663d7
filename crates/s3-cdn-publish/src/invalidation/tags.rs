//! Invalidation by cache tags: all objects that were sent with a tag leave the cache, wherever they are.
//!
//! The distribution names a header of the origin's answers; with S3 it is the metadata of the objects
//! (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-by-tags.html>). A tag counts as one path.
//!
//! Limits: objects that were cached before they had the tag are not reached.

use super::{Covers, Invalidation, Limits};

/// The longest tag, in characters
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html>).
pub const LONGEST: usize = 256;

/// Why a text is no tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// There is none.
    #[error("a cache tag is empty")]
    Empty,
    /// It is too long.
    #[error("a cache tag of {0} characters is longer than {LONGEST}")]
    Long(usize),
    /// It holds what a tag can't.
    #[error("the cache tag `{tag}` holds {found}, which no tag has")]
    Character {
        /// The tag, in a form that can be printed.
        tag: String,
        /// What is wrong, in words.
        found: String,
    },
    /// There are too many.
    #[error("{0} cache tags are more than the {most} that one invalidation takes", most = Limits::MOST)]
    Many(usize),
}

/// The invalidation of these tags. Case does not count for CloudFront, so it does not count here.
///
/// # Errors
/// When one of them is no tag.
pub fn tags<'a>(tags: impl IntoIterator<Item = &'a str>) -> Result<Invalidation, TagError> {
    let mut items = Vec::new();
    for tag in tags {
        check(tag)?;
        items.push(format!("#{}", tag.to_ascii_lowercase()));
    }
    items.sort();
    items.dedup();
    if items.len() > Limits::MOST {
        return Err(TagError::Many(items.len()));
    }
    let covers = if items.is_empty() {
        Covers::Nothing
    } else {
        Covers::Tags
    };
    Ok(Invalidation {
        items,
        covers,
        why: "all objects with these cache tags".to_owned(),
        ..Invalidation::default()
    })
}

/// Whether a text can be a tag.
///
/// # Errors
/// When it can't.
pub fn check(tag: &str) -> Result<(), TagError> {
    let character = |found: String| TagError::Character {
        tag: gha::text::cut(&gha::text::line(tag), 40),
        found,
    };
    if tag.is_empty() {
        return Err(TagError::Empty);
    }
    // A wildcard is taken for itself by CloudFront; who writes one means more than that.
    if tag.contains('*') {
        return Err(character("a `*`".to_owned()));
    }
    if tag.contains(',') {
        return Err(character("a comma".to_owned()));
    }
    if let Some(odd) = tag.chars().find(|c| !c.is_ascii_graphic()) {
        return Err(character(format!("`{}`", odd.escape_default())));
    }
    match tag.len() {
        length if length > LONGEST => Err(TagError::Long(length)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_items_once() {
        let invalidation = tags(["html", "product:TV", "HTML"]).unwrap();
        assert_eq!(invalidation.items, ["#html", "#product:tv"]);
        assert_eq!(invalidation.covers, Covers::Tags);
        assert_eq!((invalidation.cost(), invalidation.wildcards()), (2, 0));
        assert!(invalidation.price().starts_with("2 tags; "));
        assert_eq!(invalidation.widened(), None);
        assert!(tags([]).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        let long = "a".repeat(LONGEST + 1);
        for (tag, words) in [
            ("", "empty"),
            ("a,b", "a comma"),
            ("a b", "` `"),
            ("a*", "a `*`"),
            ("é", r"\u{e9}"),
            ("a\nb", r"\n"),
            (long.as_str(), "257 characters"),
        ] {
            let error = tags([tag]).unwrap_err().to_string();
            assert!(error.contains(words) && !error.contains('\n'), "{tag:?}: {error}");
        }
        assert!(check(&long[..LONGEST]).is_ok());
        let many: Vec<String> = (0..=Limits::MOST).map(|number| format!("t{number}")).collect();
        assert_eq!(
            tags(many.iter().map(String::as_str)),
            Err(TagError::Many(Limits::MOST + 1))
        );
    }
}
