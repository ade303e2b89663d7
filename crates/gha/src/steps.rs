//! The steps of a canary: weights and how long each is watched, such as `10% 5m, 50% 5m, 100%`.
//!
//! A weight is whole or has one decimal: a thousandth is the least share that all that divides traffic can have.
//! How a weight is written for a load balancer or a mesh is the tools' own.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::{duration, text};

/// The most steps.
const MOST: usize = 50;

/// The share of the requests that the new version gets, in tenths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weight(u16);

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The new version's share.
    pub weight: Weight,
    /// How long it is watched with this share; only the last step may have none.
    pub hold: Option<Duration>,
}

/// Steps that rise and end in 100%.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steps(Vec<Step>);

/// What is wrong with steps.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StepsError {
    /// There are none.
    #[error("there are no steps; write for example `10% 5m, 50% 5m, 100%`")]
    None,
    /// Too many.
    #[error("there are {0} steps, more than {MOST}")]
    TooMany(usize),
    /// Not a weight and a duration.
    #[error("step `{0}` is no weight with a duration; write for example `10% 5m`")]
    Grammar(String),
    /// Not a weight.
    #[error(
        "`{0}` is no weight; write a percentage above 0% and up to 100%, with at most one decimal, such as `10%` or `0.5%`"
    )]
    Weight(String),
    /// Not a duration.
    #[error("step `{step}`: {why}")]
    Duration {
        /// The step.
        step: String,
        /// What is wrong with its duration.
        why: duration::DurationError,
    },
    /// A step without a duration that is not the last.
    #[error("step `{0}` has no duration, and only the last may have none; write for example `{0} 5m`")]
    NoDuration(Weight),
    /// A step that does not rise.
    #[error("step `{next}` follows `{before}`; weights must rise")]
    Falls {
        /// The weight before.
        before: Weight,
        /// The weight that is no higher.
        next: Weight,
    },
    /// The end is missing.
    #[error("the last step is `{0}`; it must be `100%`")]
    NoEnd(Weight),
    /// A weight that no step has.
    #[error("no step has the weight `{asked}`; the steps are `{steps}`")]
    NoSuchStep {
        /// The weight that was asked for.
        asked: Weight,
        /// The steps.
        steps: Steps,
    },
}

impl Weight {
    /// No request; no step has it.
    pub const NONE: Self = Self(0);

    /// All requests.
    pub const FULL: Self = Self(1000);

    /// A share in tenths of a percent; none above [`Self::FULL`].
    #[must_use]
    pub fn of_tenths(tenths: u16) -> Option<Self> {
        (tenths <= Self::FULL.0).then_some(Self(tenths))
    }

    /// The share in tenths of a percent.
    #[must_use]
    pub fn tenths(self) -> u16 {
        self.0
    }

    /// The share in percent.
    #[must_use]
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 10.0
    }
}

impl FromStr for Weight {
    type Err = StepsError;

    fn from_str(text: &str) -> Result<Self, StepsError> {
        let refuse = || StepsError::Weight(shown(text));
        let number = text.strip_suffix('%').ok_or_else(refuse)?;
        let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |text: &str, most| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 3) || !digits(tenths, 1) {
            return Err(refuse());
        }
        let weight = format!("{whole}{tenths}").parse().map_err(|_| refuse())?;
        if weight == 0 || weight > Self::FULL.0 {
            return Err(refuse());
        }
        Ok(Self(weight))
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, tenths) = (self.0 / 10, self.0 % 10);
        match tenths {
            0 => write!(f, "{whole}%"),
            tenths => write!(f, "{whole}.{tenths}%"),
        }
    }
}

impl Steps {
    /// The steps, in order; there is at least one.
    #[must_use]
    pub fn as_slice(&self) -> &[Step] {
        &self.0
    }

    /// How long all steps are watched together.
    #[must_use]
    pub fn total(&self) -> Duration {
        total(&self.0)
    }

    /// The steps up to the one with this weight, for `--until`.
    ///
    /// # Errors
    /// When no step has it.
    pub fn until(&self, weight: Weight) -> Result<&[Step], StepsError> {
        self.split(weight).map(|(done, _)| done)
    }

    /// The steps after the one with this weight, for `promote`.
    ///
    /// # Errors
    /// When no step has it.
    pub fn after(&self, weight: Weight) -> Result<&[Step], StepsError> {
        self.split(weight).map(|(_, rest)| rest)
    }

    fn split(&self, weight: Weight) -> Result<(&[Step], &[Step]), StepsError> {
        let at = self.0.iter().position(|step| step.weight == weight);
        let at = at.ok_or_else(|| StepsError::NoSuchStep {
            asked: weight,
            steps: self.clone(),
        })?;
        Ok(self.0.split_at(at + 1))
    }
}

/// How long steps are watched together.
#[must_use]
pub fn total(steps: &[Step]) -> Duration {
    steps
        .iter()
        .filter_map(|step| step.hold)
        .fold(Duration::ZERO, Duration::saturating_add)
}

impl FromStr for Steps {
    type Err = StepsError;

    fn from_str(text: &str) -> Result<Self, StepsError> {
        if text.trim().is_empty() {
            return Err(StepsError::None);
        }
        let count = text.split(',').count();
        if count > MOST {
            return Err(StepsError::TooMany(count));
        }
        let steps: Vec<Step> = text.split(',').map(step).collect::<Result<_, _>>()?;
        for pair in steps.windows(2) {
            let (before, next) = (pair[0], pair[1].weight);
            if before.hold.is_none() {
                return Err(StepsError::NoDuration(before.weight));
            }
            if next <= before.weight {
                let before = before.weight;
                return Err(StepsError::Falls { before, next });
            }
        }
        match steps.last() {
            Some(last) if last.weight == Weight::FULL => Ok(Self(steps)),
            Some(last) => Err(StepsError::NoEnd(last.weight)),
            None => Err(StepsError::None),
        }
    }
}

fn step(text: &str) -> Result<Step, StepsError> {
    let mut words = text.split_whitespace();
    let (weight, hold, rest) = (words.next(), words.next(), words.next());
    let weight = weight.filter(|_| rest.is_none());
    let weight = weight.ok_or_else(|| StepsError::Grammar(shown(text)))?.parse()?;
    let hold = hold.map(duration::parse).transpose();
    let hold = hold.map_err(|why| StepsError::Duration {
        step: shown(text.trim()),
        why,
    })?;
    Ok(Step { weight, hold })
}

/// As [`Steps`] are read.
impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{}", step.weight)?;
            if let Some(hold) = step.hold {
                write!(f, " {}", duration::exact(hold))?;
            }
        }
        Ok(())
    }
}

fn shown(foreign: &str) -> String {
    text::cut(&text::visible(foreign), 60)
}

#[cfg(test)]
mod tests;
