//! What a message is about: what is deployed where, the same for each deploy of it. Messages, incidents and marks are kept under it.
//! Pure.

use std::fmt;

use gha::text;
use serde::{Deserialize, Serialize};

/// The longest part of its name, in characters.
const PART: usize = 80;

/// What is deployed where, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The repository, as `acme/shop`; empty outside of a run.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub repository: String,
    /// What the user calls the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

impl Subject {
    /// Whether both may be the same: nothing that both know differs.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        let repository = |subject: &Self| Some(subject.repository.clone());
        let same = |one: Option<String>, two: Option<String>| {
            let is_known = |part: &String| !part.is_empty();
            match (one.filter(is_known), two.filter(is_known)) {
                (Some(one), Some(two)) => one == two,
                _ => true,
            }
        };
        same(repository(self), repository(other))
            && same(self.service.clone(), other.service.clone())
            && same(self.environment.clone(), other.environment.clone())
    }
}

/// As `acme/shop/production`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            Some(&self.repository),
            self.service.as_ref(),
            self.environment.as_ref(),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .map(|part| text::cut(&text::visible(part), PART))
            .collect();
        match parts.is_empty() {
            true => f.write_str("deploy"),
            false => f.write_str(&parts.join("/")),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// `repository service environment`, `-` for what is not known.
    pub(crate) fn subject(written: &str) -> Subject {
        let mut parts = written
            .split(' ')
            .map(|part| Some(part.to_owned()).filter(|part| part != "-"));
        let mut next = || parts.next().flatten();
        Subject {
            repository: next().unwrap_or_default(),
            service: next(),
            environment: next(),
        }
    }

    #[test]
    fn what_is_not_known_agrees_with_all() {
        for (one, other, agrees) in [
            ("acme/shop web production", "acme/shop web production", true),
            ("acme/shop web production", "acme/shop web -", true),
            ("acme/shop - production", "acme/shop web -", true),
            ("- - production", "acme/shop web production", true),
            ("- - -", "acme/shop web production", true),
            ("acme/shop web staging", "acme/shop web production", false),
            ("acme/shop api -", "acme/shop web production", false),
            ("acme/blog - -", "acme/shop - -", false),
        ] {
            let (one, other) = (subject(one), subject(other));
            assert_eq!(
                (one.agrees(&other), other.agrees(&one)),
                (agrees, agrees),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn its_name_is_what_is_known() {
        for (written, name) in [
            ("acme/shop web production", "acme/shop/web/production"),
            ("acme/shop - production", "acme/shop/production"),
            ("- - -", "deploy"),
        ] {
            assert_eq!(subject(written).to_string(), name);
        }
    }
}
