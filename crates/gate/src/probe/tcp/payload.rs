//! What a TCP probe sends, as people write it: text with escapes for bytes that have no key.

use std::fmt;
use std::str::FromStr;

/// Bytes to send. They may hold a password, so they are not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Vec<u8>);

/// The text has an escape that is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the escape at character {0} of what is to be sent is none; there are `\\r`, `\\n`, `\\t`, `\\\\` and `\\x` with two hex digits"
)]
pub struct PayloadError(usize);

impl Payload {
    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for Payload {
    type Err = PayloadError;

    /// Reads `\r`, `\n`, `\t`, `\\` and `\xNN`; everything else stands for itself.
    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let mut bytes = Vec::with_capacity(written.len());
        let mut rest = written.chars().enumerate();
        while let Some((at, c)) = rest.next() {
            if c != '\\' {
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            let byte = match rest.next().map(|(_, c)| c) {
                Some('r') => b'\r',
                Some('n') => b'\n',
                Some('t') => b'\t',
                Some('\\') => b'\\',
                Some('x') => {
                    let mut digit = || rest.next().and_then(|(_, c)| c.to_digit(16));
                    let (high, low) = (digit(), digit());
                    let byte = high.zip(low).map(|(high, low)| high * 16 + low);
                    byte.and_then(|byte| u8::try_from(byte).ok())
                        .ok_or(PayloadError(at + 1))?
                }
                _ => return Err(PayloadError(at + 1)),
            };
            bytes.push(byte);
        }
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn escapes_stand_for_bytes() {
        for (written, bytes) in [
            ("", &b""[..]),
            ("PING\\r\\n", b"PING\r\n"),
            ("a\\tb\\\\n", b"a\tb\\n"),
            ("\\x00\\xfF\\x411", b"\0\xffA1"),
            ("\u{e4}", b"\xc3\xa4"),
        ] {
            assert_eq!(written.parse::<Payload>().unwrap().bytes(), bytes, "{written}");
        }
        for (written, at) in [
            ("\\", 1),
            ("ab\\q", 3),
            ("\u{e4}\\x4", 2),
            ("\\x+1", 1),
            ("\\xg0", 1),
        ] {
            assert_eq!(written.parse::<Payload>(), Err(PayloadError(at)), "{written}");
        }
    }

    #[test]
    fn what_is_sent_is_not_shown() {
        let payload: Payload = "AUTH hunter2\\r\\n".parse().unwrap();
        assert_eq!(format!("{payload:?}"), "Payload(14 bytes)");
        let refused = "AUTH hunter2\\q".parse::<Payload>().unwrap_err();
        assert!(!refused.to_string().contains("hunter2"));
    }

    proptest! {
        #[test]
        fn bytes_written_as_escapes_come_back(bytes in any::<Vec<u8>>(), text in any::<String>()) {
            let written: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            assert_eq!(written.parse::<Payload>().unwrap().bytes(), bytes);
            let doubled = text.replace('\\', "\\\\");
            assert_eq!(doubled.parse::<Payload>().unwrap().bytes(), text.as_bytes());
            // Whatever is written is read or refused.
            let _ = text.parse::<Payload>();
        }
    }
}
