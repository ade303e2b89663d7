//! [CloudWatch](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html): data points, questions about
//! them, and alarms with the states that a test gives them.
//!
//! Limits: alarms do not judge data by themselves; of metric math there are the four operations, `FILL` and brackets; no
//! search, no anomaly detection, no high-resolution periods.

mod alarms;
mod math;
mod query;
mod series;

use std::time::Duration;

use serde_json::{Value, json};

use super::call::{Answer, Call, Refusal};
use super::home::Home;
use super::input::{Paging, list, text};
use alarms::Alarm;
use series::{Datum, Name, Series};

/// All metrics and alarms of the cloud.
#[derive(Clone, Debug)]
pub struct Metrics {
    home: Home,
    series: Vec<Series>,
    alarms: Vec<Alarm>,
    lag: Duration,
}

const METRICS: Paging = Paging {
    size: "MaxResults",
    usual: 500,
    marker: ("NextToken", "NextToken"),
};

impl Metrics {
    /// None yet.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self {
            home,
            series: Vec::new(),
            alarms: Vec::new(),
            lag: Duration::ZERO,
        }
    }

    /// Points can be read so long after they were recorded: CloudWatch takes up to some minutes.
    pub fn lag(&mut self, lag: Duration) {
        self.lag = lag;
    }

    /// Answers one call.
    pub fn answer(&mut self, call: &Call) -> Answer {
        let (input, now) = (&call.input, call.now);
        match call.operation.as_str() {
            "PutMetricData" => self.put_data(input, now),
            "GetMetricData" => self.get_data(input, now),
            "ListMetrics" => Ok(self.list_metrics(input)),
            "PutMetricAlarm" => self.put_alarm(input, now),
            "DescribeAlarms" => Ok(self.describe_alarms(input, now)),
            "SetAlarmState" => self.set_alarm_state(input, now),
            "DeleteAlarms" => Ok(self.delete_alarms(input)),
            other => Err(Refusal::new("UnknownOperationException", other)),
        }
    }

    /// Records one value of a metric now, as the service does that it is about: `AWS/ApplicationELB`, `RequestCount`, …
    pub fn record(
        &mut self,
        namespace: &str,
        metric: &str,
        dimensions: &[(&str, &str)],
        now: Duration,
        value: f64,
    ) {
        let name = Name::new(namespace, metric, dimensions);
        let (at, seen) = (self.home.time(now), now + self.lag);
        self.series_of(name).add(Datum::one(at, seen, value));
    }

    fn series_of(&mut self, name: Name) -> &mut Series {
        let at = self.series.iter().position(|series| series.name == name);
        let at = at.unwrap_or_else(|| {
            self.series.push(Series::new(name));
            self.series.len() - 1
        });
        &mut self.series[at]
    }

    fn put_data(&mut self, input: &Value, now: Duration) -> Answer {
        let namespace = text(input, "Namespace");
        if namespace.is_empty() {
            return Err(missing("Namespace"));
        }
        let (usual, seen) = (self.home.time(now), now + self.lag);
        for datum in list(input, "MetricData") {
            let metric = text(datum, "MetricName");
            if metric.is_empty() {
                return Err(missing("MetricData.member.1.MetricName"));
            }
            let at = datum["Timestamp"].as_f64().unwrap_or(usual);
            let data = Datum::all(datum, at, seen);
            let name = Name::of(namespace, datum);
            let series = self.series_of(name);
            data.into_iter().for_each(|datum| series.add(datum));
        }
        Ok(json!({}))
    }

    fn list_metrics(&self, input: &Value) -> Value {
        let (namespace, metric) = (text(input, "Namespace"), text(input, "MetricName"));
        let dimensions = list(input, "Dimensions");
        let found = self.series.iter().filter(|series| {
            (namespace.is_empty() || series.name.namespace == namespace)
                && (metric.is_empty() || series.name.metric == metric)
                && dimensions.iter().all(|filter| series.name.has(filter))
        });
        METRICS.of(
            input,
            "Metrics",
            found.map(|series| series.name.shown()).collect(),
        )
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(Home::default())
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::new("MissingParameter", format!("The parameter {name} is required."))
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("ValidationError", message)
}

#[cfg(test)]
mod tests;
