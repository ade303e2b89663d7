//! The tries of one target, as many as a report holds: the first and the last ones, and between them those at which
//! something changed.

use std::time::Duration;

use crate::until_ready::Attempt;
use gha::text;
use serde::Serialize;

use super::millis;

/// How long a reason is kept, in characters.
const REASON: usize = 400;

/// One try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Try {
    /// Its number, from 1.
    pub number: u32,
    /// When it started, in milliseconds from the start of the wait.
    #[serde(rename = "at_ms", serialize_with = "millis")]
    pub at: Duration,
    /// How long it took, in milliseconds.
    #[serde(rename = "took_ms", serialize_with = "millis")]
    pub took: Duration,
    /// Whether it was good.
    pub good: bool,
    /// Good ones in a row, this one included.
    pub streak: u32,
    /// The answer's HTTP status, if there was one.
    pub status: Option<u16>,
    /// `good`, or what was wrong. Holds foreign text.
    pub reason: String,
}

/// The tries of one target.
#[derive(Clone, Debug)]
pub struct Tries {
    limit: usize,
    count: u32,
    kept: Vec<Try>,
}

/// A row of a table of tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row<'a> {
    /// A try.
    Try(&'a Try),
    /// So many tries that are not shown.
    More(u32),
}

impl Try {
    /// An attempt as it is kept.
    #[must_use]
    pub fn of(attempt: &Attempt) -> Self {
        Self {
            number: attempt.number,
            at: attempt.started,
            took: attempt.took,
            good: attempt.look.finding.is_good(),
            streak: attempt.streak,
            status: attempt.look.status,
            reason: text::cut(attempt.look.finding.text(), REASON),
        }
    }

    /// What it found, as one line.
    #[must_use]
    pub fn text(&self) -> String {
        match (self.good, self.status) {
            (true, Some(status)) => format!("good ({status}), {} in a row", self.streak),
            (true, None) => format!("good, {} in a row", self.streak),
            (false, _) => self.reason.clone(),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.good == other.good && self.reason == other.reason
    }
}

impl Tries {
    /// No tries yet; at most so many are kept.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit: limit.max(4),
            count: 0,
            kept: Vec::new(),
        }
    }

    /// Takes in a try.
    pub fn push(&mut self, one: Try) {
        self.count += 1;
        self.kept.push(one);
        if self.kept.len() > self.limit {
            let left_out = self.least();
            self.kept.remove(left_out);
        }
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Those that are kept.
    #[must_use]
    pub fn kept(&self) -> &[Try] {
        &self.kept
    }

    /// Which one tells least: one in the middle that is like the one before it.
    fn least(&self) -> usize {
        let ends = self.limit / 5;
        (ends.max(1)..self.kept.len() - ends.max(1))
            .find(|index| self.kept[*index].is_like(&self.kept[index - 1]))
            .unwrap_or(self.kept.len() / 2)
    }
}

/// The rows of a table: so many of the beginning, as many of the end, as many changes between them, and what is left out.
#[must_use]
pub fn rows(tries: &[Try], most: usize) -> Vec<Row<'_>> {
    let (mut rows, mut changes, mut before) = (Vec::new(), 0, None::<&Try>);
    for (index, one) in tries.iter().enumerate() {
        let at_an_end = index < most || index + most >= tries.len();
        let changed = before.is_some_and(|before| !one.is_like(before));
        before = Some(one);
        if !at_an_end {
            if !changed || changes == most {
                continue;
            }
            changes += 1;
        }
        let last = match rows.last() {
            Some(Row::Try(last)) => last.number,
            _ => 0,
        };
        if one.number > last + 1 {
            rows.push(Row::More(one.number - last - 1));
        }
        rows.push(Row::Try(one));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{FaultKind, Finding};
    use crate::probe::Look;
    use proptest::prelude::{any, proptest};

    fn attempt(number: u32, good: bool) -> Try {
        let finding = if good {
            Finding::Good
        } else {
            Finding::bad(FaultKind::Status, "answered 503")
        };
        Try::of(&Attempt {
            target: 0,
            number,
            started: Duration::from_secs(number.into()),
            took: Duration::from_millis(3),
            look: Look::without_answer(finding),
            streak: u32::from(good),
        })
    }

    fn numbers(rows: &[Row<'_>]) -> Vec<String> {
        rows.iter()
            .map(|row| match row {
                Row::Try(one) => one.number.to_string(),
                Row::More(more) => format!("+{more}"),
            })
            .collect()
    }

    #[test]
    fn the_ends_and_the_changes_are_kept() {
        let mut tries = Tries::new(20);
        for number in 1..=1000 {
            tries.push(attempt(number, number == 500));
        }
        let kept: Vec<u32> = tries.kept().iter().map(|one| one.number).collect();
        assert_eq!((tries.count(), kept.len()), (1000, 20));
        for number in [1, 2, 3, 4, 500, 501, 997, 998, 999, 1000] {
            assert!(kept.contains(&number), "{number} of {kept:?}");
        }
    }

    #[test]
    fn one_that_changes_all_the_time_is_bounded_too() {
        let mut tries = Tries::new(10);
        for number in 1..=1000 {
            tries.push(attempt(number, number % 2 == 0));
        }
        let kept: Vec<u32> = tries.kept().iter().map(|one| one.number).collect();
        assert_eq!((kept.len(), kept[0], kept[9]), (10, 1, 1000));
    }

    #[test]
    fn what_a_table_leaves_out_is_counted() {
        let tries: Vec<Try> = (1..=12).map(|number| attempt(number, number == 7)).collect();
        assert_eq!(
            numbers(&rows(&tries, 2)),
            ["1", "2", "+4", "7", "8", "+2", "11", "12"]
        );
        assert_eq!(rows(&tries[..3], 2).len(), 3);
    }

    proptest! {
        #[test]
        fn rows_and_gaps_add_up(goods in proptest::collection::vec(any::<bool>(), 0..300), limit in 0usize..60, most in 0usize..20) {
            let mut tries = Tries::new(limit);
            let mut number = 0;
            for good in &goods {
                number += 1;
                tries.push(attempt(number, *good));
            }
            assert!(tries.kept().len() <= limit.max(4));
            let shown = rows(tries.kept(), most);
            let sum: u32 = shown.iter().map(|row| match row { Row::Try(_) => 1, Row::More(more) => *more }).sum();
            assert!(sum <= number);
            assert!(most == 0 || sum == number, "{sum} of {number}");
        }
    }
}
