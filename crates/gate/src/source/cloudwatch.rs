//! Amazon CloudWatch, by `GetMetricData`
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>): all questions of the same
//! window in one call.
//!
//! The newest minute is incomplete for a while, so a window ends some time before the asking. A metric that never had a
//! point does not exist for CloudWatch, such as the count of errors of a healthy service; a misspelt one looks the same.
//! So what exists under its name is looked up once and said beside "nothing". Needs `cloudwatch:GetMetricData`, and
//! `cloudwatch:ListMetrics` for that hint.

mod answer;
mod request;
mod similar;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::time::Duration;

use aws::config::SdkConfig;
use aws::reason::{self, Kind, Reason};
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::ScanBy;
use jiff::Timestamp;

use crate::source::{Answers, Asking, Metric, Query, Question, Source, Value};
use crate::trouble::{Trouble, TroubleKind};
use answer::Pages;
use request::{Shape, Span};

/// The most questions that one call takes.
const AT_ONCE: usize = 500;

/// The most pages of an answer that are read; one has up to 100,800 points.
const PAGES: usize = 20;

/// By how much a window ends before the time of asking where nothing else is said: the points of load balancers come up to
/// two minutes late.
pub const OFFSET: Duration = Duration::from_secs(120);

/// CloudWatch in one region, as one account sees it.
pub struct CloudWatch {
    client: Client,
    shown: String,
    offset: Duration,
    /// What was found about metrics without data, so that each is looked up once.
    hints: RefCell<Vec<(Metric, String)>>,
}

impl CloudWatch {
    /// CloudWatch as `config` reaches it. `offset` is how far before the time of asking a window ends, see [`OFFSET`].
    #[must_use]
    pub fn new(config: &SdkConfig, offset: Duration) -> Self {
        let region = config
            .region()
            .map_or("an unknown region".to_owned(), ToString::to_string);
        Self {
            client: Client::new(config),
            shown: format!("CloudWatch in {}", gha::text::visible(&region)),
            offset,
            hints: RefCell::default(),
        }
    }

    async fn all(&self, questions: &[Question], at: Timestamp) -> Answers {
        let mut answers: Vec<_> = questions
            .iter()
            .map(|_| Err(Trouble::passing("not asked")))
            .collect();
        for (window, places) in request::by_window(questions) {
            let span = match Span::of(window, at, self.offset) {
                Ok(span) => span,
                Err(trouble) => {
                    places
                        .iter()
                        .for_each(|&place| answers[place] = Err(trouble.clone()));
                    continue;
                }
            };
            for some in places.chunks(AT_ONCE) {
                let asked: Vec<_> = some.iter().map(|&place| &questions[place]).collect();
                let read = self.some(&asked, span).await;
                some.iter()
                    .zip(read)
                    .for_each(|(&place, answer)| answers[place] = answer);
            }
        }
        for (question, answer) in questions.iter().zip(&mut answers) {
            if let (Query::Metric(metric), Ok(reading)) = (&question.query, answer)
                && matches!(reading.value, Value::Absent | Value::Nothing)
            {
                reading.notes.extend(self.hint(metric).await);
            }
        }
        answers
    }

    /// The answers to questions about one window. A call is refused whole for the fault of one question; then each is asked
    /// alone, so that the reason stands where it belongs.
    async fn some(&self, questions: &[&Question], span: Span) -> Answers {
        match self.call(questions, span).await {
            Ok(pages) => read(questions, span, &pages),
            Err(trouble) if trouble.kind == TroubleKind::Question && questions.len() > 1 => {
                let mut answers = Vec::with_capacity(questions.len());
                for question in questions {
                    let alone = self.call(&[question], span).await;
                    answers.extend(match alone {
                        Ok(pages) => read(&[question], span, &pages),
                        Err(trouble) => vec![Err(trouble)],
                    });
                }
                answers
            }
            Err(trouble) => questions.iter().map(|_| Err(trouble.clone())).collect(),
        }
    }

    /// One call with all its pages.
    async fn call(&self, questions: &[&Question], span: Span) -> Result<Pages, Trouble> {
        let queries: Vec<_> = questions
            .iter()
            .enumerate()
            .filter_map(|(place, question)| request::query(place, &question.query, span))
            .collect();
        if queries.is_empty() {
            return Ok(Pages::default());
        }
        let (mut pages, mut token) = (Pages::default(), None);
        for _ in 0..PAGES {
            let page = self
                .client
                .get_metric_data()
                .set_metric_data_queries(Some(queries.clone()))
                .start_time(DateTime::from_secs(span.start))
                .end_time(DateTime::from_secs(span.end))
                .scan_by(ScanBy::TimestampAscending)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| trouble(reason::of("cloudwatch:GetMetricData", &error)))?;
            token = page.next_token().map(str::to_owned);
            pages.add(page);
            if token.is_none() {
                return Ok(pages);
            }
        }
        Err(Trouble::question(format!(
            "CloudWatch gives more than {PAGES} pages of points: ask for fewer series"
        )))
    }

    /// What there is under the name of a metric without data.
    async fn hint(&self, metric: &Metric) -> Option<String> {
        let known = |hints: &[(Metric, String)]| {
            let found = hints.iter().find(|(known, _)| known == metric);
            found.map(|(_, hint)| hint.clone())
        };
        if let Some(hint) = known(&self.hints.borrow()) {
            return Some(hint);
        }
        let listed = self
            .client
            .list_metrics()
            .namespace(&metric.namespace)
            .metric_name(&metric.name)
            .send()
            .await;
        let hint = match listed {
            Ok(listed) => similar::hint(metric, listed.metrics(), listed.next_token().is_some()),
            Err(error) => match reason::of("cloudwatch:ListMetrics", &error) {
                Reason {
                    kind: Kind::Passing, ..
                } => return None,
                reason => format!("whether the metric exists is not known: {}", reason.text),
            },
        };
        self.hints.borrow_mut().push((metric.clone(), hint.clone()));
        Some(hint)
    }
}

impl Source for CloudWatch {
    fn shown(&self) -> &str {
        &self.shown
    }

    fn accepts(&self, query: &Query) -> Result<(), String> {
        request::accepts(query)
    }

    fn ask<'a>(&'a self, questions: &'a [Question], at: Timestamp) -> Asking<'a> {
        Box::pin(self.all(questions, at))
    }
}

/// The answers to the questions of a call, out of its pages.
fn read(questions: &[&Question], span: Span, pages: &Pages) -> Answers {
    let one = |(place, question): (usize, &&Question)| match request::accepts(&question.query) {
        Ok(()) => answer::read(pages, place, Shape::of(&question.query), span),
        Err(reason) => Err(Trouble::question(reason)),
    };
    questions.iter().enumerate().map(one).collect()
}

/// Why a call failed, as trouble.
fn trouble(reason: Reason) -> Trouble {
    match reason.kind {
        Kind::Passing => Trouble::passing(reason.text),
        Kind::Question => Trouble::question(reason.text),
        Kind::Access => Trouble::access(reason.text),
    }
}
