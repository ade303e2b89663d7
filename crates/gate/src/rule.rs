//! A rule of an observation: what is measured, what must hold at the end, and what ends it early. Values only.

use std::time::Duration;

use crate::condition::{SubjectKind, Test};
use crate::source::Query;

/// A rule with everything known.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name, unique among the rules.
    pub name: String,
    /// What is measured.
    pub subject: Subject,
    /// What must hold at the end.
    pub require: Option<Clause>,
    /// What ends the observation with a no.
    pub abort: Option<Clause>,
    /// Whether it is only told, and never worsens the verdict.
    pub advisory: bool,
    /// What it means when there is no data at the end.
    pub no_data: NoData,
    /// How many failed measurements in a row it forgives.
    pub max_errors: u32,
}

/// What a rule measures.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// The samples of a probe, by its index.
    Probe(usize),
    /// The share of bad ones among all, from two counts of a source.
    Ratio {
        /// The source's index.
        source: usize,
        /// How many were bad over the window.
        bad: Query,
        /// How many there were over the window.
        total: Query,
    },
    /// A histogram of a source.
    Histogram {
        /// The source's index.
        source: usize,
        /// Its buckets.
        selector: Query,
    },
    /// A number of a source.
    Number {
        /// The source's index.
        source: usize,
        /// What is asked.
        query: Query,
    },
}

/// A condition with what it takes to believe it.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// The condition.
    pub test: Test,
    /// How far back it looks; `None` is the whole observation after the warm-up.
    pub window: Option<Duration>,
    /// For how long it must hold without a break.
    pub hold: Duration,
    /// How many evaluations in a row must agree.
    pub consecutive: u32,
    /// How many bad samples there must be at least.
    pub min_bad: u32,
    /// How many samples there must be at least.
    pub min_samples: u32,
    /// How sure it must be, such as 0.999, given the number of samples.
    pub certain: Option<f64>,
}

/// What no data means for a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NoData {
    /// Nothing is known.
    #[default]
    Inconclusive,
    /// It is fine.
    Pass,
    /// It is a failure.
    Fail,
    /// It is a zero.
    Zero,
}

impl Rule {
    /// The clause whose values are kept over time: what ends the observation, or else what must hold.
    #[must_use]
    pub fn charted(&self) -> Option<&Clause> {
        self.abort.as_ref().or(self.require.as_ref())
    }
}

impl Subject {
    /// The source that is asked, if one is.
    #[must_use]
    pub fn source(&self) -> Option<usize> {
        match self {
            Self::Probe(_) => None,
            Self::Ratio { source, .. } | Self::Histogram { source, .. } | Self::Number { source, .. } => {
                Some(*source)
            }
        }
    }

    /// What conditions fit.
    #[must_use]
    pub fn kind(&self) -> SubjectKind {
        match self {
            Self::Probe(_) => SubjectKind::Probe,
            Self::Ratio { .. } => SubjectKind::Ratio,
            Self::Histogram { .. } => SubjectKind::Histogram,
            Self::Number { .. } => SubjectKind::Number,
        }
    }
}
