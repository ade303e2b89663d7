//! What CloudWatch answered, read as a number or as nothing. Pure.

use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput;
use aws_sdk_cloudwatch::types::{MessageData, MetricDataResult, StatusCode};

use gha::mask::Masker;

use crate::source::cloudwatch::request::{Shape, Span, id};
use crate::source::{Reading, fetch};
use crate::trouble::Trouble;

/// The pages of one call's answer.
#[derive(Debug, Default)]
pub(super) struct Pages {
    pages: Vec<Vec<MetricDataResult>>,
    messages: Vec<String>,
}

impl Pages {
    /// Adds the next page.
    pub(super) fn add(&mut self, page: GetMetricDataOutput) {
        self.messages.extend(said(page.messages()));
        self.pages.push(page.metric_data_results.unwrap_or_default());
    }

    /// The results of one question, page by page. A series goes on over pages; several on one page are several series.
    fn of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = Vec<&'a MetricDataResult>> {
        let own = move |result: &&MetricDataResult| result.id() == Some(id);
        self.pages
            .iter()
            .map(move |page| page.iter().filter(own).collect())
    }
}

/// The answer to the question at a place of the call.
pub(super) fn read(pages: &Pages, place: usize, shape: Shape, span: Span) -> Result<Reading, Trouble> {
    let id = id(place);
    one_series(pages, &id)?;
    let results: Vec<_> = pages.of(&id).flatten().collect();
    // The last page tells how it ended.
    match results.last().and_then(|result| result.status_code()) {
        Some(StatusCode::Forbidden) => {
            return Err(Trouble::access(
                "CloudWatch denies access to this metric: it is of another account",
            ));
        }
        Some(StatusCode::InternalError) => {
            return Err(Trouble::passing("CloudWatch failed to read this metric"));
        }
        Some(StatusCode::PartialData) => {
            return Err(Trouble::passing("CloudWatch gave only a part of the points"));
        }
        _ => {}
    }
    let points: Vec<f64> = results
        .iter()
        .flat_map(|result| complete(result, shape, span))
        .collect();
    let number = match (points.as_slice(), shape) {
        ([], _) => None,
        (points, Shape::Sum) => Some(points.iter().sum()),
        (points, Shape::Highest) => points.iter().copied().reduce(f64::max),
        (points, Shape::Lowest) => points.iter().copied().reduce(f64::min),
        ([one], Shape::Whole) => Some(*one),
        (points, Shape::Whole) => {
            return Err(Trouble::question(format!(
                "the expression gives {} points and not one for the window: leave its period out, or write `{{{{window}}}}` there",
                points.len()
            )));
        }
    };
    let mut reading = match number {
        Some(number) => Reading::number(number),
        None if results.iter().all(|result| result.values().is_empty()) => {
            Reading::absent("no points in the window")
        }
        None => Reading::nothing("no whole point in the window, or NaN only"),
    };
    let messages = results.iter().flat_map(|result| said(result.messages()));
    let messages: Vec<String> = messages.chain(pages.messages.iter().cloned()).collect();
    reading.notes.extend(fetch::notes(
        messages.iter().map(String::as_str),
        &Masker::default(),
    ));
    Ok(reading)
}

/// Refuses what is not one series.
fn one_series(pages: &Pages, id: &str) -> Result<(), Trouble> {
    let on_a_page = pages
        .of(id)
        .map(|results| results.len())
        .max()
        .unwrap_or_default();
    let mut labels: Vec<_> = pages.of(id).flatten().map(MetricDataResult::label).collect();
    labels.sort_unstable();
    labels.dedup();
    match on_a_page.max(labels.len()) {
        0 | 1 => Ok(()),
        series => Err(Trouble::question(format!(
            "the expression gives {series} series and not one: aggregate them, such as by `SUM(SEARCH(…))`"
        ))),
    }
}

/// The points whose periods are whole within the window.
fn complete(result: &MetricDataResult, shape: Shape, span: Span) -> impl Iterator<Item = f64> {
    let period = shape.period(span);
    let points = result.timestamps().iter().zip(result.values());
    points.filter_map(move |(time, value)| {
        let start = time.secs();
        let whole = span.start <= start && start.saturating_add(period) <= span.end;
        // NaN would hide in a highest or lowest.
        (whole && !value.is_nan()).then_some(*value)
    })
}

fn said(messages: &[MessageData]) -> Vec<String> {
    let text = |message: &MessageData| {
        let parts = [message.code(), message.value()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
    };
    messages.iter().map(text).collect()
}
