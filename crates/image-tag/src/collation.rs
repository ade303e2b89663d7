//! The order of labels: that of JavaScript's `localeCompare`, by which docker/metadata-action sorts them.
//!
//! Punctuation comes before digits before letters, a letter's case only decides between keys that are else the same.
//! Characters outside ASCII, which label keys hardly have, come last by their code. The whole of Unicode's collation
//! would be half a megabyte of tables for eight known keys and a few of the user's.

use std::cmp::Ordering;

/// ASCII in the root order of <https://www.unicode.org/charts/collation/>, lower case only.
const ORDER: &str = "\t\n\x0b\x0c\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz";

/// Compares two keys.
pub(crate) fn compare(one: &str, other: &str) -> Ordering {
    let weights = |text: &str| -> Vec<(u32, u32)> { text.chars().map(weight).collect() };
    weights(one)
        .cmp(&weights(other))
        .then_with(|| {
            let lower_first =
                |text: &str| -> Vec<bool> { text.chars().map(|c| c.is_ascii_uppercase()).collect() };
            lower_first(one).cmp(&lower_first(other))
        })
        .then_with(|| one.cmp(other))
}

/// Place in the order, then the code for what has none.
fn weight(c: char) -> (u32, u32) {
    let place = ORDER
        .bytes()
        .position(|known| char::from(known) == c.to_ascii_lowercase());
    match place.and_then(|place| u32::try_from(place).ok()) {
        Some(place) => (place, 0),
        None => (u32::MAX, c.into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order_of_keys() {
        // As `localeCompare` sorts them.
        let expected = [
            "_u",
            "a-b",
            "a.b",
            "alpha",
            "Alpha",
            "alphas",
            "com.x",
            "org.opencontainers.image.created",
            "org.opencontainers.image.description",
            "Zeta",
        ];
        let mut keys = expected;
        keys.reverse();
        keys.sort_by(|one, other| compare(one, other));
        assert_eq!(keys, expected);
        assert_eq!(compare("é", "Zeta"), Ordering::Greater);
    }

    proptest! {
        #[test]
        fn only_the_same_is_equal(one in "[aAbB.é_-]{0,4}", other in "[aAbB.é_-]{0,4}") {
            prop_assert_eq!(compare(&one, &other) == Ordering::Equal, one == other);
            prop_assert_eq!(compare(&one, &other), compare(&other, &one).reverse());
        }
    }
}
