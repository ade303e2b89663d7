//! Prometheus, and what speaks its API: Thanos, Mimir, VictoriaMetrics, Amazon Managed Prometheus behind a signing proxy.
//!
//! All questions of an asking go to the server side by side, with the same `time`, so that a ratio is of one moment.

mod answer;
mod buckets;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod tests;

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretString};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use gha::mask::Masker;
use gha::text;

use crate::probe::http::shown;
use crate::source::fetch::{self, Answer};
use crate::source::{Answers, Asking, Query, Question, Reading, Source, Value, window};
use crate::trouble::Trouble;

/// How many questions are with the server at a time; its own limit is 20 for everybody by default
/// (`--query.max-concurrency`).
const SIDE_BY_SIDE: usize = 8;

/// How far back a selector is looked for when its window has nothing.
const KNOWN_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Values of headers that are shorter than this are not hidden.
const SHORTEST_SECRET: usize = 6;

/// Where a Prometheus is and how it is asked.
pub struct Options {
    /// Its address, with the path under which it stands, if any: `https://host/prom/`. A user and a password in it are
    /// sent as basic authentication.
    pub url: Url,
    /// Who asks.
    pub credentials: Credentials,
    /// More headers, such as `X-Scope-OrgID`.
    pub headers: Vec<(String, SecretString)>,
    /// How far before the time of asking the data is looked at: for series that arrive late.
    pub offset: Duration,
    /// The longest that one question may take, on the server too.
    pub timeout: Duration,
}

/// Who asks.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// Nobody in particular, or who the address names.
    None,
    /// A bearer token.
    Bearer(SecretString),
    /// Basic authentication.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: SecretString,
    },
}

/// Why options can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OptionsError {
    /// A header's name or value.
    #[error("`{0}` is no header's name, or its value has characters that a header can't hold")]
    Header(String),
    /// Two users.
    #[error("the address of Prometheus holds a user, and another is given apart from it; give one")]
    TwoUsers,
}

/// A Prometheus.
pub struct Prometheus {
    client: Client,
    url: Url,
    shown: String,
    headers: HeaderMap,
    offset: Duration,
    timeout: Duration,
    masker: Masker,
}

impl Prometheus {
    /// A Prometheus at an address. `client` follows no redirects.
    ///
    /// # Errors
    /// When a header can't be sent or the user is named twice.
    pub fn new(client: Client, options: Options) -> Result<Self, OptionsError> {
        let (mut url, mut masker, mut headers) = (options.url, Masker::default(), HeaderMap::new());
        let credentials = match (of_address(&mut url), options.credentials) {
            (Credentials::None, given) => given,
            (of_address, Credentials::None) => of_address,
            _ => return Err(OptionsError::TwoUsers),
        };
        if let Some(authorization) = authorization(&credentials, &mut masker) {
            insert(&mut headers, AUTHORIZATION.as_str(), &authorization)?;
        }
        for (name, value) in &options.headers {
            // A tenant's number is no secret, and hiding every `1` would hide what is said.
            if value.expose_secret().len() >= SHORTEST_SECRET {
                let _ = masker.add(value.expose_secret());
            }
            insert(&mut headers, name, value.expose_secret())?;
        }
        Ok(Self {
            client,
            shown: format!("Prometheus at {}", shown(&url)),
            url,
            headers,
            offset: options.offset,
            timeout: options.timeout,
            masker,
        })
    }

    /// Whether the server has had a series of this selector within a day. A wrong selector is told from a service that has
    /// not counted yet by asking for the names of what is there, without the points.
    ///
    /// # Errors
    /// When the server can't be asked or refuses the selector.
    pub async fn knows(&self, selector: &str, at: Timestamp) -> Result<bool, Trouble> {
        let form = [
            ("match[]", selector.trim().to_owned()),
            ("start", seconds(before(at, KNOWN_WITHIN))),
            ("end", seconds(at)),
            ("limit", "1".to_owned()),
        ];
        let (answer, endpoint) = self.post("api/v1/labels", &form).await?;
        let told = answer::data::<Vec<String>>(&answer, &endpoint, &self.masker)?;
        Ok(!told.data.is_empty())
    }

    async fn one(&self, question: &Question, at: Timestamp) -> Result<Reading, Trouble> {
        match &question.query {
            Query::Text(text) => {
                let query = question.text(text);
                answer::number(self.query(&query, at).await?, &query)
            }
            Query::Buckets(selector) => {
                let query = buckets::query(selector, &window(question.window));
                let mut reading = buckets::read(self.query(&query, at).await?)?;
                if reading.value == Value::Nothing {
                    // Before what the server warns of: the first note is the reason that is told.
                    reading.notes.insert(0, self.why_empty(selector, at).await);
                }
                Ok(reading)
            }
            Query::Metric(_) => Err(Trouble::question(NOT_BY_NAME)),
        }
    }

    /// Why a histogram has nothing in its window.
    async fn why_empty(&self, selector: &str, at: Timestamp) -> String {
        match self.knows(selector, at).await {
            Ok(true) => "the series are there, with fewer than two points in the window: it should be at least 4 x the scrape interval",
            Ok(false) => "no such series within a day: is the name right, does it end in `_bucket`, and is it scraped?",
            Err(_) => "no such series, or fewer than two points in the window: it should be at least 4 x the scrape interval",
        }
        .to_owned()
    }

    async fn query(&self, query: &str, at: Timestamp) -> Result<answer::Told<answer::Data>, Trouble> {
        let form = [
            ("query", query.to_owned()),
            ("time", seconds(at)),
            // A little less than ours, so that the server's own reason arrives.
            ("timeout", format!("{}ms", self.timeout.mul_f64(0.9).as_millis())),
        ];
        let (answer, endpoint) = self.post("api/v1/query", &form).await?;
        answer::data(&answer, &endpoint, &self.masker)
    }

    /// Sends a form, as the API takes it beside a query string; queries are longer than some proxies let an address be.
    async fn post(&self, path: &str, form: &[(&str, String)]) -> Result<(Answer, String), Trouble> {
        let url = below(&self.url, path);
        let endpoint = shown(&url);
        let request = self
            .client
            .post(url)
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(encoded(&self.url, form))
            .timeout(self.timeout);
        Ok((fetch::fetch(request).await?, endpoint))
    }
}

/// Why a metric by its name is refused.
const NOT_BY_NAME: &str =
    "Prometheus takes a query in PromQL or a histogram's selector, and no metric by namespace and dimensions";

impl Source for Prometheus {
    fn shown(&self) -> &str {
        &self.shown
    }

    fn accepts(&self, query: &Query) -> Result<(), String> {
        match query {
            Query::Text(text) | Query::Buckets(text) if text.trim().is_empty() => {
                Err("the query is empty".to_owned())
            }
            Query::Text(_) | Query::Buckets(_) => Ok(()),
            Query::Metric(_) => Err(NOT_BY_NAME.to_owned()),
        }
    }

    fn ask<'a>(&'a self, questions: &'a [Question], at: Timestamp) -> Asking<'a> {
        let at = before(at, self.offset);
        let asked = stream::iter(questions).map(move |question| self.one(question, at));
        Box::pin(asked.buffered(SIDE_BY_SIDE).collect::<Answers>())
    }
}

/// Who an address names, taken out of it.
fn of_address(url: &mut Url) -> Credentials {
    if url.username().is_empty() && url.password().is_none() {
        return Credentials::None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = decoded(url.username());
    let password = decoded(url.password().unwrap_or_default()).into();
    // Both fail only for addresses that can hold neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Credentials::Basic { user, password }
}

/// The value of the header that says who asks; its secret is masked from now on.
fn authorization(credentials: &Credentials, masker: &mut Masker) -> Option<String> {
    match credentials {
        Credentials::None => None,
        Credentials::Bearer(token) => {
            let _ = masker.add(token.expose_secret());
            Some(format!("Bearer {}", token.expose_secret().trim()))
        }
        Credentials::Basic { user, password } => {
            let pair = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
            let _ = masker.add(password.expose_secret());
            let _ = masker.add(&pair);
            Some(format!("Basic {pair}"))
        }
    }
}

/// Adds a header whose value is not shown by anything that prints it.
fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), OptionsError> {
    let refuse = || OptionsError::Header(text::cut(&text::visible(name), 100));
    let header = name.parse::<HeaderName>().map_err(|_| refuse())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| refuse())?;
    value.set_sensitive(true);
    headers.insert(header, value);
    Ok(())
}

/// A path below an address, whose own path and query are kept.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// A form's text. The address serves as the encoder, which is the same for queries and forms.
fn encoded(any: &Url, form: &[(&str, String)]) -> String {
    let mut encoder = any.clone();
    encoder.query_pairs_mut().clear().extend_pairs(form);
    encoder.query().unwrap_or_default().to_owned()
}

/// A time as the API takes it: seconds since 1970 with three places.
fn seconds(at: Timestamp) -> String {
    format!("{:.3}", at.as_millisecond() as f64 / 1000.0)
}

/// A time before another; the earliest there is where it would be before that.
fn before(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}
