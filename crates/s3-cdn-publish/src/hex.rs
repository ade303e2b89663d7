//! Bytes as hexadecimal digits, and back.

use std::fmt;

/// Bytes that show as hexadecimal digits in lower case.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The bytes of hexadecimal digits in lower case, if it is so many of them.
#[must_use]
pub fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    let lower = |digit: &u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(digit);
    if digits.len() != 2 * N || !digits.iter().all(lower) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(digest in any::<[u8; 32]>()) {
            prop_assert_eq!(bytes(&Hex(&digest).to_string()), Some(digest));
        }

        #[test]
        fn one_text_alone_is_those_bytes(text in any::<String>(), near in "[0-9a-fA-F+é]{3,5}") {
            for text in [text, near] {
                if let Some(read) = bytes::<2>(&text) {
                    prop_assert_eq!(Hex(&read).to_string(), text);
                }
            }
        }
    }
}
