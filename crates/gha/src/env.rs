//! The environment as a value, so that everything that reads it can be tested with a table.

use std::collections::BTreeMap;

/// A snapshot of environment variables. A variable that is set but empty counts as absent, because a composite
/// action maps every unset input to an empty string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// The value of `name`, or `None` where it is absent or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// All variables, sorted by name, the empty ones left out.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether this is a step of a workflow. The runner sets `GITHUB_ACTIONS=true`
    /// (<https://docs.github.com/en/actions/reference/workflows-and-actions/variables>).
    #[must_use]
    pub fn in_runner(&self) -> bool {
        self.get("GITHUB_ACTIONS") == Some("true")
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(pairs: T) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_is_absent() {
        let env: Env = [("A", ""), ("B", "x")].into_iter().collect();
        assert_eq!(env.get("A"), None);
        assert_eq!(env.get("B"), Some("x"));
        assert_eq!(env.iter().count(), 1);
    }

    #[test]
    fn only_the_exact_word_makes_a_runner() {
        for (value, expected) in [("true", true), ("false", false), ("1", false), ("", false)] {
            let env: Env = [("GITHUB_ACTIONS", value)].into_iter().collect();
            assert_eq!(env.in_runner(), expected, "{value}");
        }
    }
}
