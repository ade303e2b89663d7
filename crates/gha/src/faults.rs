//! What is wrong with a file that a user wrote, each fault with its place. Pure: who parses the file gives the places.

use std::collections::BTreeMap;
use std::fmt;

use crate::text;

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

/// Everything that is wrong with a file, in the order of the file. Shown as one line each: `gate.yml:12:15: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    file: String,
    found: BTreeMap<Place, String>,
}

impl std::error::Error for Faults {}

impl Place {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place behind a text.
    #[must_use]
    pub fn after(text: &str) -> Self {
        let last = text.rsplit('\n').next().unwrap_or_default();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Self {
            line: count(text.matches('\n').count()) + 1,
            column: count(last.chars().count()) + 1,
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
    #[must_use]
    pub fn none(file: &str) -> Self {
        Self {
            file: text::cut(&text::visible(file), 200),
            found: BTreeMap::new(),
        }
    }

    /// A single fault.
    #[must_use]
    pub fn one(file: &str, at: Place, reason: impl AsRef<str>) -> Self {
        let mut faults = Self::none(file);
        faults.add(at, reason);
        faults
    }

    /// Takes in a fault. At one place the first counts: what follows there comes of it.
    pub fn add(&mut self, at: Place, reason: impl AsRef<str>) {
        self.found
            .entry(at)
            .or_insert_with(|| text::cut(&text::visible(reason.as_ref()), LONGEST));
    }

    /// The value, or the fault of getting it.
    pub fn keep<T, E: fmt::Display>(&mut self, at: Place, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(at, error.to_string())).ok()
    }

    /// The value, where there are no faults.
    ///
    /// # Errors
    /// The faults, where there are any, or where there is no value.
    pub fn or<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            _ => Err(self),
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

    fn at(line: u64, column: u64) -> Place {
        Place { line, column }
    }

    #[test]
    fn faults_stand_in_the_order_of_the_file_one_a_line() {
        let mut faults = Faults::none("gate\n.yml");
        faults.add(at(3, 1), "late\nand long");
        faults.add(at(1, 2), "early");
        faults.add(at(3, 1), "a consequence");
        let faults = faults.or(Some(())).unwrap_err();
        assert_eq!(
            faults.to_string(),
            "gate\\n.yml:1:2: early\ngate\\n.yml:3:1: late\\nand long"
        );
    }

    #[test]
    fn many_faults_are_counted() {
        let mut faults = Faults::none("f");
        (1..=13).for_each(|line| faults.add(at(line, 1), "x"));
        let said = faults.to_string();
        assert_eq!(said.lines().count(), 11);
        assert!(said.ends_with("f: and 3 more"), "{said}");
    }

    #[test]
    fn no_faults_give_the_value() {
        assert_eq!(Faults::none("f").or(Some(5)), Ok(5));
        assert_eq!(Place::after("a\nüb"), at(2, 3));
        assert_eq!(Place::after(""), Place::START);
    }

    #[test]
    fn what_follows_at_one_place_is_not_told_again() {
        let mut faults = Faults::none("rules\n.yml");
        for line in (1..=13).rev() {
            faults.add(at(line, 2), "x\ny");
            faults.add(at(line, 2), "a consequence");
        }
        let said = faults.or(Some(())).unwrap_err().to_string();
        assert_eq!(said.lines().count(), 11);
        assert_eq!(said.lines().next(), Some("rules\\n.yml:1:2: x\\ny"));
        assert!(said.ends_with("rules\\n.yml: and 3 more"), "{said}");
    }
}
