//! The two colours of a Service: the label that tells them apart, and the names of what is made for each. Pure.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::object::{self, Labels};

/// The label where nothing names another.
pub const LABEL: &str = "color";

/// The label that every pod of a Deployment has from its controller: the hash of its template
/// (<https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label>).
pub const HASH: &str = "pod-template-hash";

/// The longest name that is also a label's value and a part of a host name
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>).
const LONGEST: usize = 63;

/// One of the two colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Color {
    /// One.
    Blue,
    /// The other.
    Green,
}

impl Color {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Blue, Self::Green];

    /// The colour of that word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|color| color.as_str() == word)
    }

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    /// The colour of the next version. What is live and has no colour counts as blue, unless its name ends like the green one's
    /// would.
    #[must_use]
    pub fn next(live: Option<Self>, deployment: &str) -> Self {
        match live {
            Some(color) => color.other(),
            None if deployment.ends_with("-green") => Self::Blue,
            None => Self::Green,
        }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why the colours of a Service are not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ColorError {
    /// Several labels of the selector look like it.
    #[error(
        "the selector has several labels that may tell colours apart, {0}: name one with `--color-label`"
    )]
    Several(String),
    /// The label has another value.
    #[error(
        "the selector's label `{label}` is `{value}`, and neither `blue` nor `green`: name another with `--color-label`"
    )]
    Other {
        /// The label.
        label: String,
        /// Its value.
        value: String,
    },
    /// The flag is no label.
    #[error("`{0}` is no key of a label")]
    NoLabel(String),
}

/// The label that tells the colours apart: the flag's, else the selector's own whose value is a colour, else [`LABEL`].
///
/// # Errors
/// When the flag is no label, or several labels of the selector may be meant.
pub fn label(flag: Option<&str>, selector: &Labels) -> Result<String, ColorError> {
    if let Some(flag) = flag {
        return if is_key(flag) && flag != HASH {
            Ok(flag.to_owned())
        } else {
            Err(ColorError::NoLabel(object::shown(flag)))
        };
    }
    let colored = selector.iter().filter(|(_, value)| Color::of(value).is_some());
    let keys: Vec<&str> = colored.map(|(key, _)| key.as_str()).collect();
    match keys[..] {
        [] => Ok(LABEL.to_owned()),
        [key] => Ok(key.to_owned()),
        _ if keys.contains(&LABEL) => Ok(LABEL.to_owned()),
        _ => Err(ColorError::Several(object::listed(keys))),
    }
}

/// The colour that a selector names; none where it names none.
///
/// # Errors
/// When the label has another value than a colour.
pub fn named(selector: &Labels, label: &str) -> Result<Option<Color>, ColorError> {
    let Some(value) = selector.get(label) else {
        return Ok(None);
    };
    match Color::of(value) {
        Some(color) => Ok(Some(color)),
        None => Err(ColorError::Other {
            label: object::shown(label),
            value: object::shown(value),
        }),
    }
}

/// A name without its colour: `web-blue` is `web`.
#[must_use]
pub fn base(name: &str) -> &str {
    let stripped = Color::ALL
        .into_iter()
        .find_map(|color| name.strip_suffix(color.as_str())?.strip_suffix('-'));
    stripped.filter(|base| !base.is_empty()).unwrap_or(name)
}

/// The name of what has that colour, after the name of what is live: `web` and `web-blue` become `web-green`.
#[must_use]
pub fn name(live: &str, color: Color) -> String {
    with_end(base(live), color.as_str())
}

/// The name of a Service that leads to the new version alone.
#[must_use]
pub fn preview(service: &str) -> String {
    with_end(service, "preview")
}

/// The name of a Service that a route leads to for the new version.
#[must_use]
pub fn canary(service: &str) -> String {
    with_end(service, "canary")
}

/// A name with an end of ASCII. One that would be too long is cut, and a hash of all of it keeps it apart from others; what was
/// cut once has room for each end, so that its next name is cut at the same place.
#[must_use]
pub fn with_end(base: &str, end: &str) -> String {
    /// Room for the longest end, whichever this one is.
    const ROOM: usize = "-preview".len();
    if base.len() + ROOM.max(end.len() + 1) <= LONGEST {
        return format!("{base}-{end}");
    }
    let hash: String = Sha256::digest(base.as_bytes())
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut kept = String::new();
    let room = LONGEST - ROOM.max(end.len() + 1) - 1 - hash.len();
    for letter in base.chars() {
        if kept.len() + letter.len_utf8() > room {
            break;
        }
        kept.push(letter);
    }
    format!("{}-{hash}-{end}", kept.trim_end_matches(['-', '.']))
}

/// Whether a word is a label's key: a name, after a host name and a slash or alone
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>).
fn is_key(word: &str) -> bool {
    let (prefix, name) = match word.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, word),
    };
    let ends = |text: &str, good: fn(u8) -> bool| {
        let bytes = text.as_bytes();
        bytes.first().is_some_and(|byte| good(*byte)) && bytes.last().is_some_and(|byte| good(*byte))
    };
    let is_name = name.len() <= LONGEST
        && ends(name, |byte| byte.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_prefix = prefix.is_none_or(|prefix| {
        prefix.len() <= 253
            && ends(prefix, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            && prefix
                .bytes()
                .all(|byte| lower(byte) || matches!(byte, b'-' | b'.'))
    });
    is_name && is_prefix
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn the_label_is_the_flags_or_the_selectors_or_the_usual_one() {
        let plain = labels(&[("app", "web")]);
        let slot = labels(&[("app", "web"), ("acme.example/slot", "green")]);
        let two = labels(&[("a", "blue"), ("b", "green")]);
        assert_eq!(label(None, &plain).as_deref(), Ok("color"));
        assert_eq!(label(None, &slot).as_deref(), Ok("acme.example/slot"));
        assert_eq!(label(Some("slot"), &slot).as_deref(), Ok("slot"));
        assert!(matches!(label(None, &two), Err(ColorError::Several(_))));
        let usual = labels(&[("team", "blue"), ("color", "green")]);
        assert_eq!(label(None, &usual).as_deref(), Ok("color"));
        for bad in ["", "a b", "-a", "a/b/c", "/a", "a/", "A.b/c", HASH, "a\n"] {
            assert!(
                matches!(label(Some(bad), &plain), Err(ColorError::NoLabel(_))),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_label_with_another_value_is_no_colour() {
        let red = labels(&[("color", "red")]);
        let error = named(&red, "color").expect_err("red").to_string();
        assert!(
            error.contains("`red`") && error.contains("--color-label"),
            "{error}"
        );
        assert_eq!(
            named(&labels(&[("color", "blue")]), "color"),
            Ok(Some(Color::Blue))
        );
        assert_eq!(named(&labels(&[("app", "web")]), "color"), Ok(None));
    }

    #[test]
    fn names_by_colour() {
        for (live, green) in [
            ("web", "web-green"),
            ("web-blue", "web-green"),
            ("web-green", "web-green"),
            ("-blue", "-blue-green"),
            ("blue", "blue-green"),
        ] {
            assert_eq!(name(live, Color::Green), green, "{live}");
        }
        assert_eq!(preview("web"), "web-preview");
    }

    #[test]
    fn the_next_colour_never_takes_the_name_of_what_is_live() {
        for (live, color) in [
            ("web", None),
            ("web-blue", None),
            ("web-green", None),
            ("web-blue", Some(Color::Blue)),
            ("web-green", Some(Color::Green)),
        ] {
            assert_ne!(name(live, Color::next(color, live)), live);
        }
    }

    #[test]
    fn a_name_that_was_cut_stays_the_same_from_colour_to_colour() {
        let long = format!("{}.{}", "w".repeat(39), "x".repeat(40));
        let green = name(&long, Color::Green);
        let blue = name(&green, Color::Blue);
        assert!(green.len() <= LONGEST && green.ends_with("-green"), "{green}");
        assert_eq!(name(&blue, Color::Green), green);
        assert_ne!(green, name(&format!("{long}y"), Color::Green));
    }

    proptest! {
        #[test]
        fn a_name_is_never_too_long(live in "[a-zäß][a-zäß.-]{0,90}") {
            for color in Color::ALL {
                let made = name(&live, color);
                assert!(made.len() <= LONGEST && made.ends_with(color.as_str()));
                assert_eq!(name(&name(&made, color.other()), color), made);
            }
            assert!(preview(&live).len() <= LONGEST);
        }
    }
}
