//! Which [paths](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html) can be
//! invalidated, and what of a cache each means.
//!
//! A path means the address as visitors send it, letter by letter, encoded as they encode it.

/// The longest path.
const LONGEST: usize = 4000;
/// The longest tag.
const LONGEST_TAG: usize = 256;
/// What must be percent-encoded besides what is not ASCII: the unsafe characters of
/// [RFC 1738](https://www.rfc-editor.org/rfc/rfc1738#section-2.2).
const UNSAFE: &str = " \"<>#{}|\\^~[]`";

/// Whether CloudFront takes a path; tags only where the distribution has them.
pub(super) fn valid(path: &str, tags: bool) -> bool {
    if let Some(tag) = path.strip_prefix('#') {
        return tags
            && (1..=LONGEST_TAG).contains(&tag.chars().count())
            && !tag.contains('*')
            && tag.is_ascii();
    }
    let encoded = |text: &str| {
        let mut pieces = text.split('%').skip(1);
        pieces.all(|piece| piece.len() >= 2 && piece.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
    };
    let star = path.find('*');
    path.starts_with('/')
        && path.chars().count() <= LONGEST
        && path
            .chars()
            .all(|character| character.is_ascii_graphic() && !UNSAFE.contains(character))
        && encoded(path)
        && star.is_none_or(|star| star + 1 == path.len())
}

/// Whether it means many things.
pub(super) fn wild(path: &str) -> bool {
    path.ends_with('*')
}

/// Whether it means what is in a cache under an address, with these tags in lower case.
pub(super) fn means(path: &str, address: &str, tags: &[String]) -> bool {
    if let Some(tag) = path.strip_prefix('#') {
        return tags.iter().any(|known| known.eq_ignore_ascii_case(tag));
    }
    match path.strip_suffix('*') {
        Some(begin) => address.starts_with(begin),
        None => address == path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_are_taken() {
        let long = format!("/{}", "a".repeat(4000));
        let tag = format!("#{}", "t".repeat(257));
        for (path, with_tags, without) in [
            ("/", true, true),
            ("/index.html", true, true),
            ("/a/*", true, true),
            ("/caf%C3%A9%20x.html?q=1", true, true),
            ("/a+b&c;(d)!'@,=:$", true, true),
            ("#html", true, false),
            ("index.html", false, false),
            ("", false, false),
            ("/a b", false, false),
            ("/é", false, false),
            ("/runtime~main.js", false, false),
            ("/%7e", true, true),
            ("/%7", false, false),
            ("/*.js", false, false),
            ("/a#b", false, false),
            ("#", false, false),
            ("#a*", false, false),
            (&long, false, false),
            (&tag, false, false),
        ] {
            assert_eq!(
                [valid(path, true), valid(path, false)],
                [with_tags, without],
                "{path}"
            );
        }
    }

    #[test]
    fn a_path_means_one_address_letter_by_letter() {
        let tags = ["html".to_owned()];
        for (path, address, expected) in [
            ("/a", "/a", true),
            ("/a", "/A", false),
            ("/a", "/a/", false),
            ("/a*", "/ab/c", true),
            ("/a*", "/a", true),
            ("/*", "/", true),
            ("/%7Ex", "/~x", false),
            ("/", "/index.html", false),
            ("#HTML", "/x", true),
            ("#htm", "/x", false),
        ] {
            assert_eq!(means(path, address, &tags), expected, "{path} {address}");
        }
    }
}
