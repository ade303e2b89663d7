//! Valid tags: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
//! (<https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests>).
//!
//! Runs of other characters become one `-`, as docker/metadata-action does it. What that leaves invalid is mended
//! here: `.` and `-` at the start are dropped, a tag that is too long is cut, and one of which nothing is left gets a
//! name at all; the last two by a hash of the text they stand for, so that different branches keep different tags.

use sha2::{Digest as _, Sha256};

/// Characters of a tag at most.
const LONGEST: usize = 128;

/// Hexadecimal characters that tell cut tags apart.
const HASH_LENGTH: usize = 8;

/// What had to be done beyond replacing characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mended {
    /// `.` or `-` was dropped at the start.
    Start,
    /// The end was replaced by a hash.
    Cut,
    /// Nothing was left, so that the tag is a hash.
    Hashed,
}

/// Makes a tag of any text; `None` for empty text.
pub(crate) fn from_text(text: &str) -> Option<(String, Option<Mended>)> {
    if text.is_empty() {
        return None;
    }
    let replaced = replace_runs(text);
    let started = replaced.trim_start_matches(['.', '-']);
    Some(if started.is_empty() {
        (short_hash(text), Some(Mended::Hashed))
    } else if started.len() > LONGEST {
        let kept = &started[..LONGEST - HASH_LENGTH - 1];
        (
            format!("{}-{}", kept.trim_end_matches(['.', '-']), short_hash(text)),
            Some(Mended::Cut),
        )
    } else if started.len() < replaced.len() {
        (started.to_owned(), Some(Mended::Start))
    } else {
        (replaced, None)
    })
}

/// The result is ASCII.
fn replace_runs(text: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut within_run = false;
    for c in text.chars() {
        let allowed = c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if allowed {
            replaced.push(c);
        } else if !within_run {
            replaced.push('-');
        }
        within_run = !allowed;
    }
    replaced
}

fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .take(HASH_LENGTH / 2)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_valid(tag: &str) -> bool {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let starts = tag
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
        starts && tag.len() <= LONGEST && tag.bytes().all(allowed)
    }

    fn tag(text: &str) -> String {
        from_text(text).unwrap().0
    }

    #[test]
    fn characters_are_replaced() {
        let cases = [
            ("main", "main"),
            ("feature/=x", "feature-x"),
            ("feature/", "feature-"),
            ("a///b  c", "a-b-c"),
            ("a-/-b", "a---b"),
            ("v1.2.3+build.5", "v1.2.3-build.5"),
            ("q'uote&<>\"`", "q-uote-"),
            ("_x", "_x"),
        ];
        for (text, expected) in cases {
            assert_eq!(from_text(text), Some((expected.to_owned(), None)), "{text}");
        }
    }

    #[test]
    fn starts_are_mended() {
        for (text, expected) in [
            ("-lead", "lead"),
            (".x", "x"),
            ("ünïcode/日本", "n-code-"),
            ("=a", "a"),
        ] {
            assert_eq!(
                from_text(text),
                Some((expected.to_owned(), Some(Mended::Start))),
                "{text}"
            );
        }
    }

    #[test]
    fn nothing_left_is_a_hash() {
        assert_eq!(
            from_text("+"),
            Some(("a318c242".to_owned(), Some(Mended::Hashed)))
        );
        assert_ne!(tag("日本"), tag("🪐"));
        assert_eq!(from_text(""), None);
    }

    #[test]
    fn long_tags_stay_apart() {
        let [one, other] = ["1", "2"].map(|end| tag(&format!("{}{end}", "a".repeat(200))));
        assert_eq!(one.len(), LONGEST);
        assert_eq!(one[..LONGEST - HASH_LENGTH], other[..LONGEST - HASH_LENGTH]);
        assert_ne!(one, other);
        assert_eq!(tag(&"a".repeat(LONGEST)), "a".repeat(LONGEST));
    }

    proptest! {
        #[test]
        fn every_tag_is_valid(text in any::<String>()) {
            if let Some((tag, _)) = from_text(&text) {
                prop_assert!(is_valid(&tag), "{tag:?}");
            } else {
                prop_assert!(text.is_empty());
            }
        }

        #[test]
        fn long_tags_are_valid(text in "[a./é-]{100,300}") {
            prop_assert!(is_valid(&tag(&text)));
        }

        #[test]
        fn valid_tags_stay_as_they_are(text in "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}") {
            prop_assert_eq!(from_text(&text), Some((text, None)));
        }
    }
}
