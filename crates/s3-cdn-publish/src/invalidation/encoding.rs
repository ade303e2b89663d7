//! How a path is written in an invalidation: as browsers ask for it, or cut to a wildcard where that can't be written.
//!
//! Two rules meet here. Browsers encode the path set of the URL standard
//! (<https://url.spec.whatwg.org/#path-percent-encode-set>) and leave the rest as it is. CloudFront wants what RFC 1738 calls
//! unsafe encoded, and nothing else
//! (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html>): it compares
//! text, so `%7E` is not `~`. Where both agree, a path has one form. Where they don't, no exact form is sure to reach what
//! is cached, and only a wildcard before that character does.
//!
//! Limits: links that are written in another way than a browser would write them (`%2d` for `-`, lower-case hex digits)
//! are entries of their own in the cache, and nothing here knows of them.

use std::fmt::Write as _;

/// The longest path of an invalidation, in characters
/// (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html>).
pub const LONGEST: usize = 4000;

/// A path, or the beginning of paths, as it is written in an invalidation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// This path.
    Exact(String),
    /// All paths that begin like this, because the whole path can't be written.
    Beginning(String),
}

/// What becomes of a byte of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// It stays.
    Plain,
    /// It is percent-encoded.
    Encoded,
    /// It has no form that is sure.
    Unsure,
}

/// A path, which begins with `/`, as it is written in an invalidation.
#[must_use]
pub fn name(path: &str) -> Name {
    let mut written = String::with_capacity(path.len());
    for byte in path.bytes() {
        let before = written.len();
        match class(byte) {
            Class::Unsure => return Name::Beginning(written),
            kind => push(&mut written, byte, kind),
        }
        // The wildcard of a path that is cut has to fit too.
        if written.len() > LONGEST {
            written.truncate(before.min(LONGEST - 1));
            return Name::Beginning(cut(written));
        }
    }
    Name::Exact(written)
}

/// A path with the characters that have no sure form left as they are, to be compared with beginnings.
#[must_use]
pub fn comparable(path: &str) -> String {
    let mut written = String::with_capacity(path.len());
    for byte in path.bytes() {
        push(&mut written, byte, class(byte));
    }
    written
}

/// The longest part of a text from its beginning, up to `length`, that does not end within an encoded character.
#[must_use]
pub fn whole(text: &str, length: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = length.min(bytes.len());
    loop {
        let within = (1..=2).find(|back| *back <= end && bytes[end - back] == b'%');
        match within {
            Some(back) => end -= back,
            // A character of several bytes is several codes: a cut between them is inside of it.
            None if end >= 3 && is_continued(&bytes[end..]) => end -= 3,
            None => return end,
        }
    }
}

fn cut(mut text: String) -> String {
    let end = whole(&text, text.len());
    text.truncate(end);
    text
}

/// Whether a text begins with the code of a byte that continues a character (`%80` to `%BF`).
fn is_continued(bytes: &[u8]) -> bool {
    matches!(bytes, [b'%', b'8' | b'9' | b'A' | b'B', _, ..])
}

fn push(written: &mut String, byte: u8, kind: Class) {
    if kind == Class::Encoded {
        // Writing to a string does not fail.
        let _ = write!(written, "%{byte:02X}");
    } else {
        written.push(char::from(byte));
    }
}

/// | characters | browsers | CloudFront wants | here |
/// |---|---|---|---|
/// | letters, digits, `- . _ / ! $ & ' ( ) , : ; = @` | as they are | as they are | plain |
/// | controls, space, `" # % < > \ ^ { }`, backtick, beyond ASCII | encoded | encoded | encoded |
/// | `?` | encoded, or a query would begin | a query would begin | encoded |
/// | `~ [ ]` and the vertical line | as they are | encoded (and then `%7E` is not what was asked for) | unsure |
/// | `*` | as it is | a wildcard; `%2A` is another path | unsure |
/// | `+` | as it is, or `%2B`, as S3 reads `+` as a space | as it is | unsure |
///
/// A backslash in a link is a slash to browsers, and a `%` begins a code, so files with them in their names are only ever
/// asked for by their codes.
fn class(byte: u8) -> Class {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => Class::Plain,
        b'-' | b'.' | b'_' | b'/' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b',' | b':' | b';' | b'='
        | b'@' => Class::Plain,
        b'~' | b'[' | b']' | b'|' | b'*' | b'+' => Class::Unsure,
        _ => Class::Encoded,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn exact(path: &str) -> Name {
        Name::Exact(path.to_owned())
    }

    fn beginning(path: &str) -> Name {
        Name::Beginning(path.to_owned())
    }

    #[test]
    fn every_character_of_ascii_has_its_form() {
        // What Chrome, Firefox and Safari ask for, written down by hand, and what RFC 1738 (2.2) calls unsafe.
        let browsers_encode = |c: char| c.is_ascii_control() || " \"#<>?^`{}%\\".contains(c);
        let rfc_unsafe = |c: char| c.is_ascii_control() || " <>\"#%{}|\\^~[]`".contains(c);
        for c in (0u8..128).map(char::from) {
            let path = format!("/a{c}b");
            let code = format!("/a%{:02X}b", u32::from(c));
            let expected = match (browsers_encode(c), rfc_unsafe(c)) {
                _ if c == '?' => exact(&code),
                _ if c == '*' || c == '+' => beginning("/a"),
                (true, true) => exact(&code),
                (false, false) => exact(&path),
                _ => beginning("/a"),
            };
            assert_eq!(name(&path), expected, "{c:?}");
        }
    }

    #[test]
    fn names_of_real_files() {
        for (path, expected) in [
            ("/index.html", exact("/index.html")),
            ("/a b.html", exact("/a%20b.html")),
            ("/100%.html", exact("/100%25.html")),
            ("/café/é.html", exact("/caf%C3%A9/%C3%A9.html")),
            ("/日本.html", exact("/%E6%97%A5%E6%9C%AC.html")),
            ("/a&b=c,d;e@f:g!(h)'$.html", exact("/a&b=c,d;e@f:g!(h)'$.html")),
            ("/line\nbreak", exact("/line%0Abreak")),
            ("/what?.html", exact("/what%3F.html")),
            ("/static/runtime~main.js", beginning("/static/runtime")),
            ("/~me/index.html", beginning("/")),
            ("/photo[1].jpg", beginning("/photo")),
            ("/c++.html", beginning("/c")),
            ("/a*b", beginning("/a")),
            ("/é~", beginning("/%C3%A9")),
        ] {
            assert_eq!(name(path), expected, "{path:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let longest = format!("/{}", "a".repeat(LONGEST - 1));
        assert_eq!(name(&longest), exact(&longest));
        assert_eq!(name(&format!("{longest}b")), beginning(&longest[..LONGEST - 1]));
        let Name::Beginning(cut) = name(&format!("/{}", "é".repeat(1000))) else {
            panic!("6,001 characters fit nowhere");
        };
        assert_eq!(cut, format!("/{}", "%C3%A9".repeat((LONGEST - 2) / 6)));
    }

    #[test]
    fn a_part_ends_between_characters() {
        for (text, length, end) in [
            ("/ab", 2, 2),
            ("/ab", 9, 3),
            ("/a%20b", 3, 2),
            ("/a%20b", 4, 2),
            ("/a%20b", 5, 5),
            ("/a%C3%A9b", 5, 2),
            ("/a%C3%A9b", 7, 2),
            ("/a%C3%A9b", 8, 8),
        ] {
            assert_eq!(whole(text, length), end, "{text} {length}");
        }
    }

    proptest! {
        #[test]
        fn a_name_can_be_sent(path in "/(.|\\PC|[~*\\[éü日 ]){0,1500}") {
            let (text, is_exact) = match name(&path) {
                Name::Exact(text) => (text, true),
                Name::Beginning(text) => (text, false),
            };
            prop_assert!(text.starts_with('/') && text.len() + usize::from(!is_exact) <= LONGEST);
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
            let never = "~*+[]|?# \"<>\\^`{}";
            prop_assert!(!text.contains(|c| never.contains(c)));
            prop_assert!(comparable(&path).starts_with(&text));
            if is_exact {
                let back = percent_encoding::percent_decode_str(&text).decode_utf8().unwrap();
                prop_assert_eq!(back, path);
            }
        }

        #[test]
        fn no_cut_panics(text in any::<String>(), length in 0usize..64) {
            let end = whole(&text, length);
            prop_assert!(end <= length);
        }
    }
}
