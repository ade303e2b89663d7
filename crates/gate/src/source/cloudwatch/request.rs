//! A question as CloudWatch takes it. Pure.

use std::time::Duration;

use aws_sdk_cloudwatch::types::{self, Dimension, MetricDataQuery, MetricStat};
use jiff::Timestamp;

use crate::source::{Metric, Query, Question};
use crate::trouble::Trouble;

/// Seconds of the finest period that metrics of AWS have.
const MINUTE: i64 = 60;

/// The longest window: beyond some days CloudWatch keeps coarser points only.
const LONGEST: i64 = 24 * 60 * MINUTE;

/// A window in seconds since 1970, both ends on whole minutes; the end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Span {
    /// The window that ends `offset` before `at`, at the last whole minute.
    pub(super) fn of(window: Duration, at: Timestamp, offset: Duration) -> Result<Self, Trouble> {
        let length = i64::try_from(window.as_secs()).unwrap_or(i64::MAX);
        if window.subsec_nanos() != 0 || length % MINUTE != 0 || !(MINUTE..=LONGEST).contains(&length) {
            return Err(Trouble::question(format!(
                "a window of `{}` can't be asked of CloudWatch: it takes whole minutes, from `1m` to `24h`",
                crate::source::window(window)
            )));
        }
        let late = i64::try_from(offset.as_secs()).unwrap_or(i64::MAX);
        let end = at.as_second().saturating_sub(late).div_euclid(MINUTE) * MINUTE;
        Ok(Self {
            start: end - length,
            end,
        })
    }

    /// How long it is, in seconds.
    pub(super) fn length(self) -> i64 {
        self.end - self.start
    }
}

/// How the points of a window become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A point a minute, added up.
    Sum,
    /// A point a minute, the highest.
    Highest,
    /// A point a minute, the lowest.
    Lowest,
    /// One point for the whole window, made by CloudWatch out of all observations: a mean or a percentile of minutes' means or
    /// percentiles would be another number.
    Whole,
}

impl Shape {
    /// The shape of a question's answer.
    pub(super) fn of(query: &Query) -> Self {
        match query {
            Query::Metric(metric) => match metric.statistic.as_str() {
                "Sum" | "SampleCount" => Self::Sum,
                "Maximum" => Self::Highest,
                "Minimum" => Self::Lowest,
                _ => Self::Whole,
            },
            Query::Text(_) | Query::Buckets(_) => Self::Whole,
        }
    }

    /// The period of the points, in seconds.
    pub(super) fn period(self, span: Span) -> i64 {
        match self {
            Self::Sum | Self::Highest | Self::Lowest => MINUTE,
            Self::Whole => span.length(),
        }
    }
}

/// Why a question can't be put to CloudWatch.
pub(super) fn accepts(query: &Query) -> Result<(), String> {
    match query {
        Query::Text(text) if text.trim().is_empty() => Err("the expression is empty".to_owned()),
        Query::Text(_) => Ok(()),
        Query::Metric(metric) => metric_is_whole(metric),
        Query::Buckets(_) => Err(
            "CloudWatch has no buckets: ask for a percentile by its statistic, such as `p95`, or for a share by `PR(:0.3)`".to_owned(),
        ),
    }
}

fn metric_is_whole(metric: &Metric) -> Result<(), String> {
    for (what, given) in [
        ("namespace", &metric.namespace),
        ("name", &metric.name),
        ("statistic", &metric.statistic),
    ] {
        if given.trim().is_empty() {
            return Err(format!("the metric has no {what}"));
        }
    }
    let known = ["Average", "IQM", "Maximum", "Minimum", "SampleCount", "Sum"];
    let meant = known
        .iter()
        .find(|name| name.eq_ignore_ascii_case(&metric.statistic));
    match meant {
        Some(name) if *name != metric.statistic => Err(format!(
            "there is no statistic `{}`; it is written `{name}`",
            metric.statistic
        )),
        _ => Ok(()),
    }
}

/// The windows that questions are about, each with the places of its questions.
pub(super) fn by_window(questions: &[Question]) -> Vec<(Duration, Vec<usize>)> {
    let mut windows: Vec<(Duration, Vec<usize>)> = Vec::new();
    for (place, question) in questions.iter().enumerate() {
        match windows.iter_mut().find(|(window, _)| *window == question.window) {
            Some((_, places)) => places.push(place),
            None => windows.push((question.window, vec![place])),
        }
    }
    windows
}

/// The name of the question at a place of a call; it begins with a small letter, as CloudWatch wants it.
pub(super) fn id(place: usize) -> String {
    format!("q{place}")
}

/// The question at a place of a call; none for what [`accepts`] refuses.
pub(super) fn query(place: usize, query: &Query, span: Span) -> Option<MetricDataQuery> {
    accepts(query).ok()?;
    let period = i32::try_from(Shape::of(query).period(span)).ok()?;
    let asked = MetricDataQuery::builder().id(id(place)).return_data(true);
    Some(match query {
        Query::Metric(metric) => {
            let stat = MetricStat::builder()
                .metric(named(metric))
                .stat(&metric.statistic)
                .period(period)
                .build();
            asked.metric_stat(stat).build()
        }
        // Where an expression takes a period, it takes seconds.
        Query::Text(text) => {
            let expression = text.trim().replace("{{window}}", &span.length().to_string());
            asked.expression(expression).period(period).build()
        }
        Query::Buckets(_) => return None,
    })
}

/// A metric as the SDK names it.
fn named(metric: &Metric) -> types::Metric {
    let dimensions = metric
        .dimensions
        .iter()
        .map(|(name, value)| Dimension::builder().name(name).value(value).build());
    types::Metric::builder()
        .namespace(&metric.namespace)
        .metric_name(&metric.name)
        .set_dimensions(Some(dimensions.collect()).filter(|dimensions: &Vec<_>| !dimensions.is_empty()))
        .build()
}
