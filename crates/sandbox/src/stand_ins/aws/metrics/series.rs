//! One metric's data points, and the statistics of a period.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::input::{list, text};

/// What names a metric: two with other dimensions are two metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) namespace: String,
    pub(super) metric: String,
    dimensions: Vec<(String, String)>,
}

/// A value that came so often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datum {
    /// Seconds since 1970.
    at: f64,
    /// From when on it can be read.
    seen: Duration,
    value: f64,
    count: f64,
}

#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: Name,
    data: Vec<Datum>,
}

impl Name {
    pub(super) fn new(namespace: &str, metric: &str, dimensions: &[(&str, &str)]) -> Self {
        let mut dimensions: Vec<(String, String)> = dimensions
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        dimensions.sort();
        Self {
            namespace: namespace.to_owned(),
            metric: metric.to_owned(),
            dimensions,
        }
    }

    /// Of a value with `MetricName` and `Dimensions`.
    pub(super) fn of(namespace: &str, named: &Value) -> Self {
        let dimensions: Vec<(&str, &str)> = list(named, "Dimensions")
            .iter()
            .map(|dimension| (text(dimension, "Name"), text(dimension, "Value")))
            .collect();
        Self::new(namespace, text(named, "MetricName"), &dimensions)
    }

    /// Whether it has a dimension of that name, and value if one is given.
    pub(super) fn has(&self, filter: &Value) -> bool {
        self.dimensions.iter().any(|(name, value)| {
            *name == text(filter, "Name") && (filter["Value"].is_null() || *value == text(filter, "Value"))
        })
    }

    pub(super) fn shown(&self) -> Value {
        let dimensions = self.dimensions.iter();
        let dimensions = dimensions.map(|(name, value)| json!({ "Name": name, "Value": value }));
        json!({
            "Namespace": self.namespace,
            "MetricName": self.metric,
            "Dimensions": dimensions.collect::<Vec<_>>(),
        })
    }
}

impl Datum {
    pub(super) fn one(at: f64, seen: Duration, value: f64) -> Self {
        Self {
            at,
            seen,
            value,
            count: 1.0,
        }
    }

    /// What a member of `PutMetricData` holds: a value, values with counts, or a summary of values.
    pub(super) fn all(datum: &Value, at: f64, seen: Duration) -> Vec<Self> {
        let of = |value, count| Self {
            at,
            seen,
            value,
            count,
        };
        let number = |value: &Value| value.as_f64().unwrap_or_default();
        let summary = &datum["StatisticValues"];
        if summary.is_object() {
            let [count, sum] = [&summary["SampleCount"], &summary["Sum"]].map(number);
            let [lowest, highest] = [&summary["Minimum"], &summary["Maximum"]].map(number);
            if count <= 2.0 {
                return vec![of(sum / count.max(1.0), count.max(1.0))];
            }
            // Both ends, and the rest at its mean: count, sum and ends are as given.
            let rest = count - 2.0;
            return vec![
                of(lowest, 1.0),
                of(highest, 1.0),
                of((sum - lowest - highest) / rest, rest),
            ];
        }
        let values = list(datum, "Values");
        if values.is_empty() {
            return vec![of(number(&datum["Value"]), 1.0)];
        }
        let counts = list(datum, "Counts");
        let counted = values.iter().enumerate();
        counted
            .map(|(index, value)| of(number(value), counts.get(index).map_or(1.0, number)))
            .collect()
    }
}

impl Series {
    pub(super) fn new(name: Name) -> Self {
        Self {
            name,
            data: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, datum: Datum) {
        self.data.push(datum);
    }

    /// A statistic of each period that has data, by the period's start; none for one that there is not.
    pub(super) fn statistic(
        &self,
        statistic: &str,
        period: f64,
        span: (f64, f64),
        now: Duration,
    ) -> Option<Vec<(f64, f64)>> {
        let mut buckets: Vec<(f64, Vec<Datum>)> = Vec::new();
        let start = (span.0 / period).floor() * period;
        for datum in self.data.iter().filter(|datum| datum.seen <= now) {
            if datum.at < start || datum.at >= span.1 {
                continue;
            }
            let begin = (datum.at / period).floor() * period;
            match buckets.iter_mut().find(|(known, _)| *known == begin) {
                Some((_, data)) => data.push(*datum),
                None => buckets.push((begin, vec![*datum])),
            }
        }
        buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        buckets
            .into_iter()
            .map(|(begin, data)| Some((begin, reduce(statistic, data)?)))
            .collect()
    }
}

fn reduce(statistic: &str, mut data: Vec<Datum>) -> Option<f64> {
    let count: f64 = data.iter().map(|datum| datum.count).sum();
    let sum: f64 = data.iter().map(|datum| datum.value * datum.count).sum();
    data.sort_by(|one, other| one.value.total_cmp(&other.value));
    match statistic {
        "SampleCount" => Some(count),
        "Sum" => Some(sum),
        "Average" => Some(sum / count),
        "Minimum" => data.first().map(|datum| datum.value),
        "Maximum" => data.last().map(|datum| datum.value),
        _ => {
            let percent: f64 = statistic.strip_prefix('p')?.parse().ok()?;
            let rank = (0.0..=100.0)
                .contains(&percent)
                .then_some(percent / 100.0 * count)?;
            let mut below = 0.0;
            let found = data.iter().find(|datum| {
                below += datum.count;
                below >= rank
            });
            found.map(|datum| datum.value)
        }
    }
}
