//! [`GetMetricData`](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html).

use std::time::Duration;

use serde_json::{Value, json};

use super::super::call::{Answer, Refusal};
use super::super::input::{list, text};
use super::series::Name;
use super::{Metrics, invalid, math, missing};

/// Queries of one call.
const MOST_QUERIES: usize = 500;
/// Points of one page.
const MOST_POINTS: u64 = 100_800;

/// A query's answer: its points by time.
pub(super) type Points = Vec<(f64, f64)>;

impl Metrics {
    pub(super) fn get_data(&self, input: &Value, now: Duration) -> Answer {
        let queries = list(input, "MetricDataQueries");
        let (Some(start), Some(end)) = (input["StartTime"].as_f64(), input["EndTime"].as_f64()) else {
            return Err(missing("StartTime and EndTime"));
        };
        if queries.len() > MOST_QUERIES {
            return Err(invalid(format!("At most {MOST_QUERIES} queries can be asked")));
        }
        if start >= end {
            return Err(invalid(
                "The parameter StartTime must be less than the parameter EndTime.",
            ));
        }
        let mut answers: Vec<(&Value, Points)> = Vec::new();
        for query in queries.iter().filter(|query| !query["MetricStat"].is_null()) {
            answers.push((query, self.points(query, (start, end), now)?));
        }
        for query in queries.iter().filter(|query| query["MetricStat"].is_null()) {
            let known: Vec<(&str, &Points)> = answers
                .iter()
                .map(|(query, points)| (text(query, "Id"), points))
                .collect();
            let points = math::evaluate(text(query, "Expression"), &known)
                .map_err(|what| invalid(format!("Error in expression '{}': {what}", text(query, "Id"))))?;
            answers.push((query, points));
        }
        let oldest_first = input["ScanBy"] == "TimestampAscending";
        let place = |id: &str| queries.iter().position(|query| text(query, "Id") == id);
        answers.sort_by_key(|(query, _)| place(text(query, "Id")));
        let shown = answers
            .into_iter()
            .filter(|(query, _)| query["ReturnData"] != false);
        paged(
            input,
            shown
                .map(|(query, points)| (query, sorted(points, oldest_first)))
                .collect(),
        )
    }

    fn points(&self, query: &Value, span: (f64, f64), now: Duration) -> Result<Points, Refusal> {
        let stat = &query["MetricStat"];
        let metric = &stat["Metric"];
        let Some(period) = stat["Period"]
            .as_f64()
            .filter(|period| *period >= 60.0 && period % 60.0 == 0.0)
        else {
            return Err(invalid("The period must be a multiple of 60 seconds"));
        };
        let name = Name::of(text(metric, "Namespace"), metric);
        let Some(series) = self.series.iter().find(|series| series.name == name) else {
            return Ok(Vec::new());
        };
        let statistic = text(stat, "Stat");
        series.statistic(statistic, period, span, now).ok_or_else(|| {
            invalid(format!(
                "The value {statistic} for parameter Stat is not supported."
            ))
        })
    }
}

fn sorted(mut points: Points, oldest_first: bool) -> Points {
    points.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    if !oldest_first {
        points.reverse();
    }
    points
}

/// A page of results: a series that does not fit goes on in the next one, and its status says so.
fn paged(input: &Value, answers: Vec<(&Value, Points)>) -> Answer {
    let most = input["MaxDatapoints"]
        .as_u64()
        .unwrap_or(MOST_POINTS)
        .clamp(1, MOST_POINTS) as usize;
    let skip: usize = match text(input, "NextToken") {
        "" => 0,
        token => token
            .parse()
            .map_err(|_| Refusal::new("InvalidNextToken", "The next token is invalid"))?,
    };
    let total: usize = answers.iter().map(|(_, points)| points.len()).sum();
    let (mut before, end) = (0, skip + most);
    let mut results = Vec::new();
    for (query, points) in answers {
        let (from, to) = (before, before + points.len());
        before = to;
        // A series without points belongs to the first page.
        if (to <= skip && skip > 0) || from >= end {
            continue;
        }
        let page = points
            .get(skip.saturating_sub(from)..points.len().min(end - from))
            .unwrap_or_default();
        let label = match text(query, "Label") {
            "" => text(&query["MetricStat"]["Metric"], "MetricName"),
            label => label,
        };
        results.push(json!({
            "Id": query["Id"],
            "Label": if label.is_empty() { text(query, "Id") } else { label },
            "Timestamps": page.iter().map(|(at, _)| *at).collect::<Vec<f64>>(),
            "Values": page.iter().map(|(_, value)| *value).collect::<Vec<f64>>(),
            "StatusCode": if to > end { "PartialData" } else { "Complete" },
        }));
    }
    let mut output = json!({ "MetricDataResults": results, "Messages": [] });
    if total > end {
        output["NextToken"] = json!(end.to_string());
    }
    Ok(output)
}
