//! Datadog, by its scalar queries (`POST /api/v2/query/scalar`,
//! <https://docs.datadoghq.com/api/latest/metrics/#query-scalar-data-across-multiple-products>).
//!
//! The older `GET /api/v1/query` gives points at an interval that Datadog picks, and their number over a window would be our
//! guess: wrong for percentiles, and at the window's ends. The scalar query reduces at the source, over exactly the window.
//! Each question is a request of its own: the columns of several in one are not told apart surely when some have no data.

mod answer;
#[cfg(test)]
mod tests;

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use gha::mask::Masker;
use gha::text;

use crate::probe::http::shown;
use crate::source::fetch;
use crate::source::{Answers, Asking, Query, Question, Reading, Source};
use crate::trouble::Trouble;

/// How many questions are asked at a time; an organisation's limit of requests is small and shared.
const SIDE_BY_SIDE: usize = 4;

/// Where a Datadog is and who asks.
pub struct Options {
    /// The address of its API, see [`site`].
    pub url: Url,
    /// The organisation's key (`DD-API-KEY`).
    pub api_key: SecretString,
    /// The person's or service account's key (`DD-APPLICATION-KEY`), with the scope `timeseries_query`.
    pub application_key: SecretString,
    /// How far before the time of asking the window ends: the newest points are still arriving.
    pub offset: Duration,
    /// The longest that one question may take.
    pub timeout: Duration,
}

/// Why options can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OptionsError {
    /// What is no site.
    #[error("`{0}` is no site of Datadog; write for example `datadoghq.eu`")]
    Site(String),
    /// A key that can't be in a header.
    #[error("the {0} of Datadog has characters that a header can't hold, or is empty")]
    Key(&'static str),
}

/// The address of a site's API: `datadoghq.com`, `datadoghq.eu`, `us5.datadoghq.com`
/// (<https://docs.datadoghq.com/getting_started/site/>).
///
/// # Errors
/// When the text is no host's name.
pub fn site(name: &str) -> Result<Url, OptionsError> {
    let refuse = || OptionsError::Site(text::cut(&text::visible(name), 100));
    let host = name.trim().trim_start_matches("app.").trim_start_matches("api.");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if !host.contains('.') || !host.chars().all(plain) {
        return Err(refuse());
    }
    Url::parse(&format!("https://api.{host}/")).map_err(|_| refuse())
}

/// A Datadog.
pub struct Datadog {
    client: Client,
    url: Url,
    shown: String,
    headers: HeaderMap,
    offset: Duration,
    timeout: Duration,
    masker: Masker,
}

impl Datadog {
    /// A Datadog at an address. `client` follows no redirects.
    ///
    /// # Errors
    /// When a key can't be sent.
    pub fn new(client: Client, options: Options) -> Result<Self, OptionsError> {
        let mut masker = Masker::default();
        let mut headers = HeaderMap::new();
        for (what, name, key) in [
            ("API key", "dd-api-key", &options.api_key),
            ("application key", "dd-application-key", &options.application_key),
        ] {
            let key = key.expose_secret().trim();
            let mut value = HeaderValue::from_str(key).map_err(|_| OptionsError::Key(what))?;
            if value.is_empty() {
                return Err(OptionsError::Key(what));
            }
            value.set_sensitive(true);
            let _ = masker.add(key);
            headers.insert(HeaderName::from_static(name), value);
        }
        let mut url = options.url;
        url.set_path(&format!(
            "{}/api/v2/query/scalar",
            url.path().trim_end_matches('/')
        ));
        Ok(Self {
            client,
            shown: format!("Datadog at {}", url.host_str().unwrap_or_default()),
            url,
            headers,
            offset: options.offset,
            timeout: options.timeout,
            masker,
        })
    }

    async fn one(&self, question: &Question, end: Timestamp) -> Result<Reading, Trouble> {
        let Query::Text(text) = &question.query else {
            return Err(Trouble::question(ONLY_TEXT));
        };
        let request = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(body(&query(text, question.window), question.window, end))
            .timeout(self.timeout);
        let answer = fetch::fetch(request).await?;
        answer::read(&answer, &shown(&self.url), &self.masker)
    }
}

/// What it takes.
const ONLY_TEXT: &str = "Datadog takes a query such as `sum:requests{service:api,status:5xx}.as_count()`, and no histogram or metric by its name";

impl Source for Datadog {
    fn shown(&self) -> &str {
        &self.shown
    }

    fn accepts(&self, query: &Query) -> Result<(), String> {
        match query {
            Query::Text(text) if !text.trim().is_empty() => Ok(()),
            Query::Text(_) => Err("the query is empty".to_owned()),
            Query::Metric(_) | Query::Buckets(_) => Err(ONLY_TEXT.to_owned()),
        }
    }

    fn ask<'a>(&'a self, questions: &'a [Question], at: Timestamp) -> Asking<'a> {
        let end = at.checked_sub(self.offset).unwrap_or(Timestamp::MIN);
        let asked = stream::iter(questions).map(move |question| self.one(question, end));
        Box::pin(asked.buffered(SIDE_BY_SIDE).collect::<Answers>())
    }
}

/// A query with its window filled in, as the seconds that `.rollup(…)` takes.
fn query(text: &str, window: Duration) -> String {
    text.trim().replace("{{window}}", &window.as_secs().to_string())
}

/// The request for one number over the window that ends at `end`.
fn body(query: &str, window: Duration, end: Timestamp) -> String {
    let to = end.as_millisecond();
    let from = to.saturating_sub(i64::try_from(window.as_millis()).unwrap_or(i64::MAX));
    json!({"data": {"type": "scalar_request", "attributes": {
        "from": from,
        "to": to,
        "queries": [{
            "data_source": "metrics",
            "name": "q",
            "query": query,
            "aggregator": aggregator(query),
        }],
        "formulas": [{"formula": "q"}],
    }}})
    .to_string()
}

/// How the points of the window become one number: counts are added, the highest is the highest, a percentile is one of
/// all observations and never a mean of percentiles; what is left has a mean.
fn aggregator(query: &str) -> &'static str {
    let space = query.split(':').next().unwrap_or_default().trim_start();
    let percentile = space
        .strip_prefix('p')
        .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.'));
    match space {
        _ if query.contains(".as_count()") => "sum",
        "max" => "max",
        "min" => "min",
        "count" => "sum",
        _ if percentile => "percentile",
        _ => "avg",
    }
}
