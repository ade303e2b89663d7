//! What Prometheus answered, read as a number or as nothing. Pure.
//!
//! The form of the answers: <https://prometheus.io/docs/prometheus/latest/querying/api/>.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use gha::mask::Masker;

use crate::expect::quoted;
use crate::source::fetch::{self, Answer};
use crate::source::{Reading, Value};
use crate::trouble::{About, Trouble};

/// The answer to every request of the API.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    error_type: Option<String>,
    error: Option<String>,
    #[serde(default = "Vec::new")]
    warnings: Vec<String>,
    #[serde(default = "Vec::new")]
    infos: Vec<String>,
}

/// The result of a query.
#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum Data {
    Vector(Vec<Sample>),
    Scalar(Point),
    String(IgnoredAny),
    Matrix(IgnoredAny),
}

/// A time in seconds and a value as text.
pub(super) type Point = (f64, String);

/// A series at the instant of asking.
#[derive(Debug, Deserialize)]
pub(super) struct Sample {
    #[serde(default)]
    pub(super) metric: BTreeMap<String, String>,
    pub(super) value: Option<Point>,
    /// Of a native histogram, in place of a value.
    histogram: Option<IgnoredAny>,
}

impl Sample {
    /// Its value; none for what is no number in the text form of Prometheus.
    pub(super) fn number(&self) -> Option<f64> {
        self.value.as_ref()?.1.parse().ok()
    }

    /// Whether it is a native histogram.
    pub(super) fn is_histogram(&self) -> bool {
        self.histogram.is_some()
    }
}

/// The data of an answer with what the server warns of.
#[derive(Debug)]
pub(super) struct Told<T> {
    pub(super) data: T,
    pub(super) notes: Vec<String>,
}

/// Reads an answer's data, or why there is none. `endpoint` is the address for people.
pub(super) fn data<T: for<'de> Deserialize<'de>>(
    answer: &Answer,
    endpoint: &str,
    masker: &Masker,
) -> Result<Told<T>, Trouble> {
    let envelope = serde_json::from_slice::<Envelope<T>>(&answer.body).ok();
    match envelope {
        Some(Envelope {
            status,
            data: Some(data),
            warnings,
            infos,
            ..
        }) if (200..300).contains(&answer.status) && status == "success" => {
            let said = warnings.iter().chain(&infos).map(String::as_str);
            Ok(Told {
                data,
                notes: fetch::notes(said, masker),
            })
        }
        envelope => Err(trouble(answer, envelope.as_ref(), endpoint, masker)),
    }
}

/// Why an answer holds no data.
fn trouble<T>(answer: &Answer, envelope: Option<&Envelope<T>>, endpoint: &str, masker: &Masker) -> Trouble {
    let status = answer.status;
    let kind = envelope.and_then(|envelope| envelope.error_type.as_deref());
    let words = answer.words(envelope.and_then(|envelope| envelope.error.as_deref()), masker);
    match status {
        // Some proxies in front answer every error of the API with 200.
        200..300 => match kind {
            Some("bad_data") => Trouble::question(format!("the query is refused{words}")),
            Some(_) => Trouble::passing(format!("the query failed{words}")),
            None => Trouble::question(format!(
                "answered {status} with something else than the API of Prometheus does: is it a login page, or another service?"
            )),
        },
        300..400 => Trouble::question(format!(
            "answered {status} to {}, which is not followed; name the final address",
            answer.location()
        ))
        .about(About::Address),
        401 | 403 => Trouble::access(format!("access denied: answered {status}{words}")),
        404 => Trouble::question(format!("no Prometheus API at `{endpoint}`: answered 404"))
            .about(About::Address),
        400 => Trouble::question(format!("the query is refused{words}")),
        408 | 422 | 429 | 500.. => {
            Trouble::passing(format!("answered {status}{words}")).pause(answer.retry_after())
        }
        _ => Trouble::question(format!("answered {status}{words}")).about(About::Address),
    }
}

/// A number: a scalar, or the only series of a vector.
pub(super) fn number(told: Told<Data>, query: &str) -> Result<Reading, Trouble> {
    let number = match told.data {
        Data::Scalar((_, value)) => Some(value.parse().unwrap_or(f64::NAN)),
        Data::Vector(series) => only(&series)?,
        Data::Matrix(_) => {
            return Err(Trouble::question(
                "the query gives points over a range and not a number: wrap it, such as in `sum(increase(…))`",
            ));
        }
        Data::String(_) => return Err(Trouble::question("the query gives a text and not a number")),
    };
    let mut reading = number.map_or_else(|| Reading::absent(missing(query)), Reading::number);
    if number.is_some() && reading.value == Value::Nothing {
        reading
            .notes
            .push("NaN: no traffic in the window (0/0), or a quantile of no observations".to_owned());
    }
    reading.notes.extend(told.notes);
    Ok(reading)
}

/// The value of the only series, if there is one.
fn only(series: &[Sample]) -> Result<Option<f64>, Trouble> {
    match series {
        [] => Ok(None),
        [one] if one.is_histogram() => Err(Trouble::question(
            "the query gives a native histogram and not a number: wrap it, such as in `histogram_quantile(…)`",
        )),
        [one] => one
            .number()
            .map(Some)
            .ok_or_else(|| Trouble::question("the query gives a series without a number")),
        [first, second, ..] => Err(Trouble::question(format!(
            "the query gives {} series and not one number, such as {} and {}: aggregate them, such as by `sum(…)`",
            series.len(),
            labels(first),
            labels(second)
        ))),
    }
}

/// A series' labels for people.
fn labels(sample: &Sample) -> String {
    let pairs: Vec<String> = sample
        .metric
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    quoted(&format!("{{{}}}", pairs.join(",")))
}

/// Why a query may give nothing.
fn missing(query: &str) -> &'static str {
    if query.contains('[') {
        "no such series, or fewer than two points in the range: it should be at least 4 x the scrape interval"
    } else {
        "no such series, or none with a point in the last 5 minutes"
    }
}
