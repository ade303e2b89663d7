//! What rules read: the `value=` of the rule, or else the git tag. A rule for versions may take the version out of it
//! by `match=`.

use super::Event;
use super::regular_expression::{Found, RegularExpression};
use crate::attributes::Attributes;
use crate::error::{Error, shown};
use crate::warning::Warning;

/// `value=`, or else the git tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// In place of the git tag, with expressions; never empty.
    value: Option<String>,
}

impl Source {
    pub(super) fn read(attributes: &mut Attributes) -> Self {
        Self {
            value: attributes.take("value").filter(|value| !value.is_empty()),
        }
    }

    /// The value, or what versions are read from; `None` where there is neither.
    pub(super) fn text(&self, event: &Event<'_>) -> Result<Option<String>, Error> {
        event.version_text(self.value.as_deref())
    }
}

/// The same for a version, which may be a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VersionSource {
    source: Source,
    /// An ECMAScript expression whose first group is the version.
    find: Option<String>,
}

impl VersionSource {
    pub(super) fn read(attributes: &mut Attributes) -> Self {
        Self {
            source: Source::read(attributes),
            find: attributes.take("match").filter(|pattern| !pattern.is_empty()),
        }
    }

    /// Where the text comes from of which the version may be a part.
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Whether the version is a part of the text.
    pub(super) fn takes_out(&self) -> bool {
        self.find.is_some()
    }

    /// The version in a text; `None` where the expression does not fit.
    pub(super) fn version(&self, text: &str) -> Option<String> {
        let Some(pattern) = &self.find else {
            return Some(text.to_owned());
        };
        let mut warnings = Vec::new();
        let version = first_group(pattern, text.to_owned(), &mut warnings).ok()?;
        warnings.is_empty().then(|| version.replace('/', "-"))
    }

    /// The text to read a version from, in which no version has a `/`. `None` where there is none.
    pub(super) fn text(
        &self,
        event: &Event<'_>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<String>, Error> {
        let Some(text) = self.source.text(event)? else {
            return Ok(None);
        };
        let text = match &self.find {
            Some(pattern) => first_group(pattern, text, warnings)?,
            None => text,
        };
        Ok(Some(text.replace('/', "-")))
    }

    /// A value alone.
    #[cfg(test)]
    pub(super) fn of(value: &str) -> Self {
        Self {
            source: Source {
                value: Some(value.to_owned()),
            },
            find: None,
        }
    }
}

/// The first group of the expression's first match; the whole text with a warning where there is no match.
fn first_group(pattern: &str, text: String, warnings: &mut Vec<Warning>) -> Result<String, Error> {
    let unusable = |problem: String| Error::Regex {
        key: "match",
        pattern: shown(pattern),
        problem,
    };
    let expression = RegularExpression::new(pattern, "").map_err(unusable)?;
    match expression.find(&text, 1) {
        Found::Text(version) => Ok(version),
        Found::Empty => Err(unusable(format!(
            "its first group is not part of the match in `{}`",
            shown(&text)
        ))),
        Found::NoGroup => Err(unusable("it has no group to take the version from".to_owned())),
        Found::NoMatch => {
            warnings.push(Warning::NoMatch {
                pattern: pattern.to_owned(),
                value: text.clone(),
            });
            Ok(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn group_of_a_match() {
        let mut warnings = Vec::new();
        let mut found = |pattern: &str| first_group(pattern, "p1/v1.0.0".to_owned(), &mut warnings);
        assert_eq!(found(r"v(\d.\d.\d)$").unwrap(), "1.0.0");
        assert_eq!(found(r"(?<=/)(.*)").unwrap(), "v1.0.0");
        assert_eq!(found("^z(.*)").unwrap(), "p1/v1.0.0");
        // Slashes and flags mean something in `type=match` alone.
        assert_eq!(found("/V(.*)/i").unwrap(), "p1/v1.0.0");
        assert!(found("v.*").unwrap_err().to_string().contains("no group"));
        assert!(
            found("(z)|p")
                .unwrap_err()
                .to_string()
                .contains("not part of the match")
        );
        assert!(found("(").unwrap_err().to_string().contains("can't be used"));
        assert_eq!(warnings.len(), 2);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), pattern in "[a-z0-9.()|*+?\\\\\\[\\]{}^$]{0,12}") {
            let _ = first_group(&pattern, text.chars().take(20).collect(), &mut Vec::new());
        }
    }
}
