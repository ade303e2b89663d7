//! What Datadog answered, read as a number or as nothing. Pure.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value as Json;

use gha::mask::Masker;

use crate::source::Reading;
use crate::source::fetch::Answer;
use crate::trouble::{About, Trouble};

#[derive(Debug, Deserialize)]
struct Scalar {
    data: Option<Data>,
}

#[derive(Debug, Deserialize)]
struct Data {
    attributes: Attributes,
}

#[derive(Debug, Deserialize)]
struct Attributes {
    columns: Option<Vec<Column>>,
}

/// A column of numbers, or of the groups that they belong to.
#[derive(Debug, Deserialize)]
struct Column {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    values: Vec<Json>,
}

/// Reads an answer. `endpoint` is the address for people.
pub(super) fn read(answer: &Answer, endpoint: &str, masker: &Masker) -> Result<Reading, Trouble> {
    let said = errors(&answer.body);
    let words = answer.words(said.as_deref(), masker);
    match answer.status {
        200..300 if said.is_some() => Err(Trouble::question(format!("the query is refused{words}"))),
        200..300 => number(answer),
        300..400 => Err(Trouble::question(format!(
            "answered {} to {}: is it the address of the API, such as `https://api.datadoghq.eu`?",
            answer.status,
            answer.location()
        ))
        .about(About::Address)),
        401 | 403 => Err(Trouble::access(format!(
            "access denied: answered {}{words}; both keys must be of this site, the application key's with the scope `timeseries_query`",
            answer.status
        ))),
        404 => Err(
            Trouble::question(format!("no Datadog API at `{endpoint}`: answered 404")).about(About::Address),
        ),
        400 | 422 => Err(Trouble::question(format!("the query is refused{words}"))),
        429 => Err(
            Trouble::passing("answered 429: the organisation's limit of queries is used up")
                .pause(pause(answer)),
        ),
        408 | 500.. => {
            Err(Trouble::passing(format!("answered {}{words}", answer.status)).pause(answer.retry_after()))
        }
        status => Err(Trouble::question(format!("answered {status}{words}")).about(About::Address)),
    }
}

/// The number, of the only column of numbers and its only row.
fn number(answer: &Answer) -> Result<Reading, Trouble> {
    let scalar: Scalar = serde_json::from_slice(&answer.body).map_err(|_| {
        Trouble::question(
            "answered 200 with something else than a scalar: is it a login page, or another service?",
        )
    })?;
    let Some(columns) = scalar.data.and_then(|data| data.attributes.columns) else {
        return Ok(Reading::nothing("the answer holds no columns"));
    };
    let rows: Vec<&Json> = columns
        .iter()
        .filter(|column| column.kind != "group")
        .flat_map(|column| &column.values)
        .collect();
    match rows.as_slice() {
        [] | [Json::Null] => Ok(Reading::absent(
            "no data in the window: a wrong metric or tag, or nothing was reported",
        )),
        [one] => one
            .as_f64()
            .map(Reading::number)
            .ok_or_else(|| Trouble::question("the query gives a value that is no number")),
        rows => Err(Trouble::question(format!(
            "the query gives {} groups and not one number: take `by {{…}}` out of it",
            rows.len()
        ))),
    }
}

/// What an answer says went wrong: a text, or a list of them.
fn errors(body: &[u8]) -> Option<String> {
    let body: Json = serde_json::from_slice(body).ok()?;
    let text = match body.get("errors")? {
        Json::String(text) => text.clone(),
        Json::Array(texts) => {
            let texts: Vec<&str> = texts
                .iter()
                .filter_map(|one| one.as_str().or_else(|| one.get("detail")?.as_str()))
                .collect();
            texts.join("; ")
        }
        _ => return None,
    };
    Some(text).filter(|text| !text.trim().is_empty())
}

/// How long until the limit is lifted, in seconds (<https://docs.datadoghq.com/api/latest/rate-limits/>).
fn pause(answer: &Answer) -> Option<Duration> {
    let reset = answer
        .header("x-ratelimit-reset")
        .and_then(|value| value.trim().parse().ok());
    reset.map(Duration::from_secs).or_else(|| answer.retry_after())
}
