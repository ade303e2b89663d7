//! What is wrong with a rules file, each fault with its place.

use std::collections::BTreeMap;
use std::fmt;

use gha::text;

/// How many faults are told; the rest is counted.
const TOLD: usize = 10;

/// How long one fault may be, in characters.
const LONGEST: usize = 400;

/// A line and a column of a file, both from 1, in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

/// Everything that is wrong with a file, in the order of the file. Shown as one line each: `rules.yml:3:5: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    file: String,
    found: BTreeMap<Place, String>,
}

impl std::error::Error for Faults {}

impl Place {
    /// The first character of a file.
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// The place behind a text.
    pub(super) fn after(text: &str) -> Self {
        let last = text.rsplit('\n').next().unwrap_or_default();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Self {
            line: count(text.matches('\n').count()) + 1,
            column: count(last.chars().count()) + 1,
        }
    }
}

impl From<&serde_saphyr::Location> for Place {
    fn from(location: &serde_saphyr::Location) -> Self {
        Self {
            line: location.line().max(1),
            column: location.column().max(1),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Faults {
    /// A list without faults for a file of this name.
    pub(super) fn none(file: &str) -> Self {
        Self {
            file: text::cut(&text::visible(file), 200),
            found: BTreeMap::new(),
        }
    }

    /// A single fault.
    pub(crate) fn one(file: &str, at: Place, reason: impl AsRef<str>) -> Self {
        let mut faults = Self::none(file);
        faults.add(at, reason);
        faults
    }

    /// Takes in a fault. At one place the first counts: what follows there comes of it.
    pub(super) fn add(&mut self, at: Place, reason: impl AsRef<str>) {
        self.found
            .entry(at)
            .or_insert_with(|| text::cut(&text::visible(reason.as_ref()), LONGEST));
    }

    /// The value, or the fault of getting it.
    pub(super) fn keep<T>(&mut self, at: Place, result: Result<T, String>) -> Option<T> {
        result.map_err(|reason| self.add(at, reason)).ok()
    }

    /// The value, where there are no faults.
    pub(super) fn or<T>(self, value: T) -> Result<T, Self> {
        if self.found.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }

    /// The faults with their places, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (Place, &str)> {
        self.found.iter().map(|(at, reason)| (*at, reason.as_str()))
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (at, reason)) in self.iter().take(TOLD).enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{at}: {reason}", self.file)?;
        }
        match self.found.len().saturating_sub(TOLD) {
            0 => Ok(()),
            more => write!(f, "\n{}: and {more} more", self.file),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_stand_in_the_order_of_the_file_and_many_are_counted() {
        let mut faults = Faults::none("rules\n.yml");
        for line in (1..=13).rev() {
            faults.add(Place { line, column: 2 }, "x\ny");
            faults.add(Place { line, column: 2 }, "a consequence");
        }
        let said = faults.or(()).unwrap_err().to_string();
        assert_eq!(said.lines().count(), 11);
        assert_eq!(said.lines().next(), Some("rules\\n.yml:1:2: x\\ny"));
        assert!(said.ends_with("rules\\n.yml: and 3 more"), "{said}");
    }
}
