//! The leaves of a gate file: what a single text means. Each meaning knows its schema and its reading.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use gha::text;

use crate::spec::fault::Place;
use crate::spec::file::read::{Context, Read};
use crate::spec::node::{Node, Value};
use crate::spec::secret::SecretName;

/// A text with a meaning, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Leaf<T> {
    pub(crate) at: Place,
    pub(crate) value: T,
}

/// What a text can mean.
pub(crate) trait Meaning: Sized {
    /// Whether reading takes so long that a file may hold only some of it.
    const COSTLY: bool = false;

    /// What it means.
    ///
    /// # Errors
    /// A lower-case fragment that quotes the text.
    fn mean(written: &str) -> Result<Self, String>;

    /// What an editor may offer and check.
    fn schema() -> Schema;
}

/// How many costly texts a file may hold.
const MOST_COSTLY: u32 = 400;

impl<T: Meaning> Read for Leaf<T> {
    fn read(node: &Node, key: &str, context: &mut Context<'_>) -> Option<Self> {
        context.costly += u32::from(T::COSTLY);
        let value = match &node.value {
            Value::Scalar(_) if T::COSTLY && context.costly > MOST_COSTLY => Err(format!(
                "`{key}`: a file may hold {MOST_COSTLY} regular expressions"
            )),
            Value::Scalar(written) => T::mean(written).map_err(|reason| format!("`{key}`: {reason}")),
            Value::Unknown => return None,
            Value::Null => Err(format!("`{key}` has no value; give one or leave the key out")),
            Value::List(_) | Value::Map(_) => {
                Err(format!("`{key}` is {}, expected a single value", node.kind()))
            }
        };
        let value = context.faults.keep(node.at, value)?;
        Some(Self { at: node.at, value })
    }
}

impl<T: Meaning> JsonSchema for Leaf<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Leaf".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        T::schema()
    }
}

/// The name of an environment variable that holds a secret. It must be set.
impl Read for SecretName {
    fn read(node: &Node, key: &str, context: &mut Context<'_>) -> Option<Self> {
        let name: Leaf<String> = Leaf::read(node, key, context)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let reason = if name.value.is_empty() || !name.value.chars().all(plain) {
            // Somebody may have written the secret itself.
            format!("`{key}` takes the name of an environment variable, not the secret itself")
        } else if context.env.get(&name.value).is_none() {
            // Names are written in capitals; anything else may be a secret in the wrong place.
            let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            let shown = if name.value.len() <= 60 && name.value.chars().all(plain) {
                format!("`{}`", name.value)
            } else {
                "named here".to_owned()
            };
            format!("`{key}`: the environment variable {shown} is not set or empty")
        } else {
            return Some(Self {
                name: name.value,
                at: node.at,
            });
        };
        context.faults.add(node.at, reason);
        None
    }
}

impl JsonSchema for SecretName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SecretName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^([A-Za-z0-9_]+|.*\\$\\{.*)$"})
    }
}

/// A foreign text in a message.
pub(crate) fn shown(written: &str) -> String {
    text::cut(&text::visible(written), 100)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use regex::Regex;

    use super::*;
    use crate::net::host_port::HostPort;
    use crate::net::resolve::Override;
    use crate::spec::file::amounts::{Certain, Positive, Rate, Share, Window};
    use proptest::prelude::{any, proptest};

    #[test]
    fn texts_are_read_in_their_units() {
        assert_eq!(Rate::mean("30/m").unwrap().0, Duration::from_secs(2));
        assert_eq!(Rate::mean("2 / s").unwrap().0, Duration::from_millis(500));
        assert!((Share::mean("0.1%").unwrap().0 - 0.001).abs() < 1e-12);
        assert!((Share::mean("0.25").unwrap().0 - 0.25).abs() < 1e-12);
        assert_eq!(Certain::mean("off").unwrap().0, None);
        assert_eq!(Window::mean("whole").unwrap().0, None);
        assert_eq!(SocketAddr::mean("::1").unwrap().to_string(), "[::1]:53");
        assert_eq!(SocketAddr::mean("[::1]:5353").unwrap().port(), 5353);
    }

    #[test]
    fn what_is_refused_is_quoted_and_shown_right() {
        fn reason<T: Meaning>(written: &str) -> String {
            T::mean(written)
                .err()
                .unwrap_or_else(|| panic!("{written} was read"))
        }
        for (said, words) in [
            (reason::<Duration>("5"), "`5` has no unit; write `5s`"),
            (reason::<bool>("yes"), "`yes` is neither"),
            (reason::<u32>("+3"), "`+3` is no whole number"),
            (reason::<u32>("1.0"), "`1.0` is no whole number"),
            (reason::<Share>("1"), "`1` is no share"),
            (reason::<Share>("101%"), "`101%` is no share"),
            (reason::<Share>("-1%"), "`-1%` is no share"),
            (reason::<Certain>("10%"), "`10%` is not from 50%"),
            (reason::<Certain>("100%"), "`100%` is not from 50%"),
            (reason::<Rate>("2"), "`2` is no rate"),
            (reason::<Rate>("0/s"), "`0/s` is not between"),
            (reason::<Rate>("1e9/s"), "`1e9/s` is not between"),
            (reason::<Positive>("nan"), "`nan` is no number"),
            (reason::<SocketAddr>("dns.example"), "`dns.example` is no address"),
            (
                reason::<Regex>("a("),
                "`a(` is no regular expression: unclosed group",
            ),
            (reason::<Regex>(r"\w{1000}{1000}"), "is no regular expression"),
        ] {
            assert!(said.contains(words) && !said.contains('\n'), "{said}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), short in "[0-9./%smh:\\[\\] -]{0,12}") {
            for text in [text, short] {
                let _ = (Duration::mean(&text), Share::mean(&text), Certain::mean(&text), Rate::mean(&text));
                let _ = (SocketAddr::mean(&text), HostPort::mean(&text), Override::mean(&text), Regex::mean(&text));
            }
        }
    }
}
