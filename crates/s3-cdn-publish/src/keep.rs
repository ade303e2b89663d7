//! Which releases can be gone back to, and which objects of earlier ones go. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::manifest::{Release, Row};

/// How long what left the site is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// How many releases before the current one can be gone back to.
    pub releases: usize,
    /// For how long after they were replaced releases are kept besides.
    pub grace: Option<Duration>,
}

/// How much a run may delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Most {
    /// So many objects.
    Objects(u64),
    /// So many of a hundred objects that the manifest knows.
    Percent(u8),
}

/// More would be deleted than is allowed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{deletes} of {known} objects would be deleted, and `--max-delete` allows {most}")]
pub struct TooMany {
    /// What would be deleted.
    pub deletes: u64,
    /// What the manifest knows.
    pub known: u64,
    /// What is allowed, in words.
    pub most: String,
}

impl Keep {
    /// The earlier releases that are kept, out of those from the latest to the oldest. A release was current until it
    /// was replaced, or until the one before it in this order came; the first until `current`.
    #[must_use]
    pub fn kept(&self, earlier: &[Release], now: Timestamp, current: Timestamp) -> usize {
        let mut until = current;
        let mut kept = 0;
        for (at, release) in earlier.iter().enumerate() {
            let replaced = release.replaced.unwrap_or(until);
            let in_grace = self.grace.is_some_and(|grace| age(replaced, now) <= grace);
            if at >= self.releases && !in_grace {
                break;
            }
            kept = at + 1;
            until = release.at;
        }
        kept
    }

    /// Whether an object that left the site goes now: no release that is kept has it, and its time is over.
    #[must_use]
    pub fn is_due(&self, row: &Row, kept: &[Release], now: Timestamp) -> bool {
        row.retired.as_ref().is_some_and(|retired| {
            let in_grace = self.grace.is_some_and(|grace| age(retired.at, now) <= grace);
            !in_grace && kept.iter().all(|release| release.id != retired.last)
        })
    }
}

impl Most {
    /// Lets a run delete so many.
    ///
    /// # Errors
    /// When it is too many.
    pub fn allows(self, deletes: u64, known: u64) -> Result<(), TooMany> {
        let (is_allowed, most) = match self {
            Self::Objects(most) => (deletes <= most, most.to_string()),
            Self::Percent(percent) => (
                u128::from(deletes) * 100 <= u128::from(known) * u128::from(percent),
                format!("{percent}%"),
            ),
        };
        if is_allowed {
            return Ok(());
        }
        Err(TooMany { deletes, known, most })
    }
}

impl std::str::FromStr for Most {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| digits.parse::<u64>().ok();
        let said = match text.strip_suffix('%') {
            Some(digits) => number(digits)
                .and_then(|percent| u8::try_from(percent).ok())
                .filter(|percent| *percent <= 100)
                .map(Self::Percent),
            None => number(text).map(Self::Objects),
        };
        said.ok_or_else(|| "a count such as `500`, or a share such as `50%`, at most `100%`".to_owned())
    }
}

fn age(from: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(from)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
