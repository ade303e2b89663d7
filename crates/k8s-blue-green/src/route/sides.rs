//! The two versions, by what a route calls them; and the header that always leads to the new one.

use std::fmt;
use std::str::FromStr;

use super::RouteError;
use crate::object::shown;

/// The two versions, by what a route calls them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sides {
    /// The namespace.
    pub namespace: String,
    /// The Service that has the traffic.
    pub stable: String,
    /// The Service of the canary.
    pub canary: String,
}

/// A header whose requests always reach the canary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name, as it was written; compared without regard to case.
    pub name: String,
    /// The value that it must have.
    pub value: String,
}

impl FromStr for Header {
    type Err = RouteError;

    /// `NAME: VALUE`, as a request has it (<https://www.rfc-editor.org/rfc/rfc9110#section-5>).
    fn from_str(text: &str) -> Result<Self, RouteError> {
        let refuse = || RouteError::Header(shown(text));
        let (name, value) = text.split_once(':').ok_or_else(refuse)?;
        let (name, value) = (name.trim_end(), value.trim());
        // What the Gateway API takes as a name of a header, and ingress-nginx too.
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_value = |byte: u8| matches!(byte, b' '..=b'~');
        if name.is_empty() || value.is_empty() || name.len() > 256 || value.len() > 256 {
            return Err(refuse());
        }
        if !name.bytes().all(is_name) || !value.bytes().all(is_value) {
            return Err(refuse());
        }
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// As [`Header`] is read.
impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value() {
        for (text, name, value) in [
            ("canary: true", "canary", "true"),
            ("X-Canary:a b", "X-Canary", "a b"),
            ("x:http://a:1", "x", "http://a:1"),
        ] {
            let header: Header = text.parse().unwrap();
            assert_eq!((header.name.as_str(), header.value.as_str()), (name, value));
        }
        for text in [
            "", "canary", "canary:", ": true", "a b: c", " a: b", "a: é", "a: b\nc",
        ] {
            assert_eq!(
                text.parse::<Header>(),
                Err(RouteError::Header(shown(text))),
                "{text}"
            );
        }
    }
}
