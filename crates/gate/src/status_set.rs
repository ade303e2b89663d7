//! Sets of HTTP status codes as people write them: `2xx`, `200`, `200-204`, several with commas.

use std::fmt;
use std::str::FromStr;

/// A set of status codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusSet {
    ranges: Vec<(u16, u16)>,
    written: String,
}

/// The text is no set of status codes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no set of status codes; write for example `200`, `2xx`, `200-204` or `2xx,401`")]
pub struct StatusSetError(String);

impl StatusSet {
    /// Whether the set holds a code.
    #[must_use]
    pub fn holds(&self, status: u16) -> bool {
        self.ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&status))
    }
}

impl FromStr for StatusSet {
    type Err = StatusSetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || StatusSetError(gha::text::cut(&gha::text::visible(text), 40));
        let code = |text: &str| {
            let valid = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u16>()
                .ok()
                .filter(|code| valid && (100..=599).contains(code))
        };
        let range = |part: &str| match part.split_once('-') {
            Some((first, last)) => {
                Some((code(first.trim())?, code(last.trim())?)).filter(|(first, last)| first <= last)
            }
            None => match part.strip_suffix("xx").or_else(|| part.strip_suffix("XX")) {
                Some(class) if class.len() == 1 => {
                    let class = class
                        .parse::<u16>()
                        .ok()
                        .filter(|class| (1..=5).contains(class))?;
                    Some((class * 100, class * 100 + 99))
                }
                Some(_) => None,
                None => code(part).map(|code| (code, code)),
            },
        };
        let parts = text.split(',').map(str::trim);
        let ranges: Option<Vec<_>> = parts.map(range).collect();
        Ok(Self {
            ranges: ranges.ok_or_else(refuse)?,
            written: text.trim().to_owned(),
        })
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn holds_what_is_written() {
        for (text, inside, outside) in [
            ("200", vec![200], vec![201, 199]),
            ("2xx", vec![200, 299], vec![199, 300]),
            ("2XX, 401", vec![204, 401], vec![400]),
            ("200-204,3xx", vec![200, 204, 302], vec![205]),
        ] {
            let set: StatusSet = text.parse().unwrap();
            assert!(inside.iter().all(|code| set.holds(*code)), "{text}");
            assert!(!outside.iter().any(|code| set.holds(*code)), "{text}");
            assert_eq!(set.to_string(), text);
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "", "2x", "xx", "600", "99", "204-200", "2xx,", "ok", "+20", "6xx", "20xx", "200 201", "２xx",
        ] {
            assert!(text.parse::<StatusSet>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = text.parse::<StatusSet>();
        }
    }
}
