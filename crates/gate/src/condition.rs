//! Conditions as people write them: `< 1%`, `p95 < 300ms`, `count(5xx) >= 10`, `failing`. Pure.

use std::fmt;
use std::time::Duration;

use crate::status_set::StatusSet;

mod read;
#[cfg(test)]
mod tests;

/// A condition as it was written. What a left-out measure means depends on what is measured: [`Condition::on`] tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    measure: Option<Measure>,
    comparison: Option<(Op, Amount)>,
    written: String,
}

/// What is compared with the threshold.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// The share of bad ones, from 0 to 1.
    ErrorRate,
    /// A percentile of latency, in seconds; 0 < percent < 100.
    Percentile(f64),
    /// How many samples of a probe were bad.
    CountBad,
    /// How many samples of a probe answered with such a status.
    CountStatus(StatusSet),
    /// The number that a source answers.
    Number,
    /// For how long a probe has been failing without a good answer in between.
    Failing,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    Other,
}

/// A threshold as written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Amount {
    Plain(f64),
    Percent(f64),
    Time(Duration),
}

/// What a condition is put to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    /// The gate's own samples of a probe.
    Probe,
    /// Two counts of a source: bad ones and all.
    Ratio,
    /// A histogram of a source.
    Histogram,
    /// One number of a source.
    Number,
}

/// A condition with everything known: the measure, and the threshold in the measure's unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// What is compared.
    pub measure: Measure,
    /// How.
    pub op: Op,
    /// With what: a share from 0 to 1, seconds, a count, or a number. Not used by [`Measure::Failing`].
    pub threshold: f64,
    /// The condition as it was written, for people.
    pub written: String,
}

/// Why a condition can't be read, or can't be put to its subject.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ConditionError {
    /// Not a condition.
    #[error(
        "`{0}` is no condition; write for example `error_rate < 1%`, `p95 < 300ms`, `count(5xx) >= 10` or `failing`"
    )]
    Unreadable(String),
    /// A percentile without a unit of time.
    #[error("`{0}` compares a latency with a number that has no unit; write for example `p95 < 300ms`")]
    NoUnit(String),
    /// A share that is no share.
    #[error("`{0}` compares a share with a number that is none; write for example `< 1%` or `< 0.01`")]
    NoShare(String),
    /// A count or a number with a unit.
    #[error("`{0}` compares a number with an amount that has a unit; write for example `>= 10`")]
    Unit(String),
    /// An exact comparison of what is never exact.
    #[error("`{0}`: a share or a latency is never exactly something; use `<`, `<=`, `>` or `>=`")]
    Exact(String),
    /// The measure does not fit.
    #[error("`{written}` does not fit: {subject} take{s} {takes}", s = if subject.ends_with('s') { "" } else { "s" })]
    Subject {
        /// The condition.
        written: String,
        /// What it was put to.
        subject: &'static str,
        /// What fits there.
        takes: &'static str,
    },
}

impl Condition {
    /// The condition put to a subject.
    ///
    /// # Errors
    /// When measure, unit or operator do not fit there.
    pub fn on(&self, subject: SubjectKind) -> Result<Test, ConditionError> {
        let written = || self.written.clone();
        let misfit = || ConditionError::Subject {
            written: written(),
            subject: subject.name(),
            takes: subject.takes(),
        };
        let measure = self
            .measure
            .clone()
            .or_else(|| subject.usual())
            .ok_or_else(misfit)?;
        if !subject.fits(&measure) {
            return Err(misfit());
        }
        let Some((op, amount)) = self.comparison else {
            return Ok(Test {
                measure,
                op: Op::AtLeast,
                threshold: 0.0,
                written: written(),
            });
        };
        let exact = matches!(op, Op::Equal | Op::Other);
        let threshold = match (&measure, amount) {
            (Measure::ErrorRate | Measure::Percentile(_), _) if exact => {
                return Err(ConditionError::Exact(written()));
            }
            (Measure::ErrorRate, Amount::Percent(percent)) if (0.0..=100.0).contains(&percent) => {
                percent / 100.0
            }
            (Measure::ErrorRate, Amount::Plain(share)) if (0.0..1.0).contains(&share) => share,
            (Measure::ErrorRate, _) => return Err(ConditionError::NoShare(written())),
            (Measure::Percentile(_), Amount::Time(limit)) => limit.as_secs_f64(),
            (Measure::Percentile(_), _) => return Err(ConditionError::NoUnit(written())),
            (Measure::Number, Amount::Percent(percent)) => percent / 100.0,
            (_, Amount::Plain(number)) => number,
            (_, _) => return Err(ConditionError::Unit(written())),
        };
        Ok(Test {
            measure,
            op,
            threshold,
            written: written(),
        })
    }
}

impl SubjectKind {
    fn name(self) -> &'static str {
        match self {
            Self::Probe => "a probe's samples",
            Self::Ratio => "a ratio",
            Self::Histogram => "a histogram",
            Self::Number => "a count or value",
        }
    }

    fn takes(self) -> &'static str {
        match self {
            Self::Probe => {
                "`error_rate`, a percentile such as `p95`, `count(bad)`, `count(5xx)` or `failing`"
            }
            Self::Ratio => "a share, such as `< 1%`",
            Self::Histogram => "a percentile, such as `p95 < 300ms`",
            Self::Number => "a number, such as `>= 10`",
        }
    }

    /// The measure that is meant where none is written.
    fn usual(self) -> Option<Measure> {
        match self {
            Self::Ratio => Some(Measure::ErrorRate),
            Self::Number => Some(Measure::Number),
            Self::Probe | Self::Histogram => None,
        }
    }

    fn fits(self, measure: &Measure) -> bool {
        match self {
            Self::Probe => *measure != Measure::Number,
            Self::Ratio => *measure == Measure::ErrorRate,
            Self::Histogram => matches!(measure, Measure::Percentile(_)),
            Self::Number => *measure == Measure::Number,
        }
    }
}

impl Op {
    /// Whether `left op right`.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "`==` was asked for, and counts are whole")]
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
            Self::Equal => left == right,
            Self::Other => left != right,
        }
    }

    /// Whether it asks for something small: `<` and `<=`.
    #[must_use]
    pub fn is_upper_limit(self) -> bool {
        matches!(self, Self::Less | Self::AtMost)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}
