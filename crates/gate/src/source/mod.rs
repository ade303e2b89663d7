//! Metric sources: systems that answer a question with a number. One kind is one file.

use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;

use crate::trouble::Trouble;

#[cfg(feature = "cloudwatch")]
pub mod cloudwatch;
pub mod compose;
pub mod datadog;
pub mod exec;
mod fetch;
pub mod http_json;
pub mod pick;
pub mod prometheus;

/// What is asked of a source: something over the window that ends at the time of asking.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What is asked.
    pub query: Query,
    /// How far back it reaches from the time of asking.
    pub window: Duration,
}

/// A query in the form its source understands.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// In the source's own language, such as PromQL. The window stands in it as `{{window}}`; [`Question::text`] fills
    /// it in.
    Text(String),
    /// One metric by its name: CloudWatch.
    Metric(Metric),
    /// The buckets of a histogram by its selector, such as `http_request_duration_seconds_bucket{app="api"}`: Prometheus.
    Buckets(String),
}

/// A metric as CloudWatch names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Such as `AWS/ApplicationELB`.
    pub namespace: String,
    /// Such as `HTTPCode_Target_5XX_Count`.
    pub name: String,
    /// Names and values, such as `TargetGroup` and its identity.
    pub dimensions: Vec<(String, String)>,
    /// `Sum`, `Average`, `Maximum`, `p95`, …
    pub statistic: String,
}

/// What a source answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The value.
    pub value: Value,
    /// What the source warns of, and hints why there is nothing. Foreign text, made inert.
    pub notes: Vec<String>,
}

/// A value, or nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number; never NaN, which is [`Value::Nothing`]. It may be infinite.
    Number(f64),
    /// The counts of a histogram over the window, cumulative, in rising order of their bounds; the last bound is infinite.
    Buckets(Vec<Bucket>),
    /// No series or no points, from a source that has none of what never happened: the only one that a ratio may count as
    /// zero bad ones.
    Absent,
    /// No data, such as NaN or nothing where the number should stand. Not zero.
    Nothing,
}

/// A bucket of a histogram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Its upper bound, in the metric's unit (seconds by Prometheus' convention).
    pub bound: f64,
    /// How many observations are at or below the bound.
    pub count: f64,
}

impl Question {
    /// The text of a query with its window filled in, as whole seconds or milliseconds: `60s`, `1500ms`.
    #[must_use]
    pub fn text(&self, query: &str) -> String {
        query.replace("{{window}}", &window(self.window))
    }
}

/// A window as PromQL writes it.
#[must_use]
pub fn window(window: Duration) -> String {
    if window.subsec_millis() == 0 {
        format!("{}s", window.as_secs())
    } else {
        format!("{}ms", window.as_millis())
    }
}

impl Reading {
    /// A number; NaN is nothing.
    #[must_use]
    pub fn number(number: f64) -> Self {
        Self {
            value: if number.is_nan() {
                Value::Nothing
            } else {
                Value::Number(number)
            },
            notes: Vec::new(),
        }
    }

    /// No series or no points, and why that may be. For sources alone that keep nothing of what never happened.
    #[must_use]
    pub fn absent(hint: impl Into<String>) -> Self {
        Self {
            value: Value::Absent,
            notes: vec![hint.into()],
        }
    }

    /// Nothing, and why that may be.
    #[must_use]
    pub fn nothing(hint: impl Into<String>) -> Self {
        Self {
            value: Value::Nothing,
            notes: vec![hint.into()],
        }
    }
}

/// The answers to some questions, in their order.
pub type Answers = Vec<Result<Reading, Trouble>>;

/// An asking in progress.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Answers> + 'a>>;

/// A system that answers questions with numbers. The engine limits the time of an asking.
pub trait Source {
    /// The source for people: its kind and address without secrets.
    fn shown(&self) -> &str;

    /// Why a question can't be put to this source at all; asked once, before anything is measured.
    ///
    /// # Errors
    /// A lower-case fragment that says what this source takes instead.
    fn accepts(&self, query: &Query) -> Result<(), String>;

    /// Asks all questions about the same instant. There are as many answers as questions.
    fn ask<'a>(&'a self, questions: &'a [Question], at: Timestamp) -> Asking<'a>;
}
