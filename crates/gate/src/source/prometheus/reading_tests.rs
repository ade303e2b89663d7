//! Bodies as Prometheus writes them, read.

use std::time::Duration;

use proptest::prelude::{any, prop, proptest};
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::{Value as Json, json};

use super::{answer, buckets};
use crate::source::fetch::Answer;
use crate::source::{Bucket, Reading, Value};
use crate::trouble::{Trouble, TroubleKind};
use gha::mask::Masker;

const ENDPOINT: &str = "https://host/prom/api/v1/query";

fn given(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
    let headers = headers.iter().map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        )
    });
    Answer {
        status,
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
    }
}

fn numbered(answer: &Answer, query: &str) -> Result<Reading, Trouble> {
    answer::number(answer::data(answer, ENDPOINT, &Masker::default())?, query)
}

fn success(kind: &str, result: Json) -> String {
    json!({"status": "success", "data": {"resultType": kind, "result": result}}).to_string()
}

pub(super) fn vector(values: &[&str]) -> String {
    let series = values
        .iter()
        .enumerate()
        .map(|(index, value)| json!({"metric": {"instance": index.to_string()}, "value": [1.5, value]}));
    success("vector", series.collect())
}

fn bucketed(pairs: &[(&str, &str)]) -> Result<Reading, Trouble> {
    let series = pairs
        .iter()
        .map(|(le, count)| json!({"metric": {"le": le}, "value": [1, count]}));
    let body = success("vector", series.collect());
    buckets::read(answer::data(
        &given(200, &[], &body),
        ENDPOINT,
        &Masker::default(),
    )?)
}

#[test]
fn numbers_are_read_and_nothing_is_not_zero() {
    for (body, value, note) in [
        (vector(&["4.4489"]), Value::Number(4.4489), ""),
        (vector(&["0"]), Value::Number(0.0), ""),
        (vector(&["+Inf"]), Value::Number(f64::INFINITY), ""),
        (vector(&["-Inf"]), Value::Number(f64::NEG_INFINITY), ""),
        (vector(&["1e-05"]), Value::Number(1e-5), ""),
        (success("scalar", json!([1.5, "7"])), Value::Number(7.0), ""),
        (vector(&[]), Value::Absent, "at least 4 x the scrape interval"),
        (vector(&["NaN"]), Value::Nothing, "NaN: no traffic"),
        (
            success("scalar", json!([1, "NaN"])),
            Value::Nothing,
            "NaN: no traffic",
        ),
    ] {
        let reading = numbered(&given(200, &[], &body), "sum(rate(x[5m]))").unwrap();
        assert_eq!(reading.value, value, "{body}");
        match note {
            "" => assert!(reading.notes.is_empty(), "{reading:?}"),
            note => assert!(reading.notes[0].contains(note), "{reading:?}"),
        }
    }
    let reading = numbered(&given(200, &[], &vector(&[])), "up").unwrap();
    assert_eq!(
        reading.notes,
        ["no such series, or none with a point in the last 5 minutes"]
    );
}

#[test]
fn warnings_are_handed_on() {
    let mut body: Json = serde_json::from_str(&vector(&["1"])).unwrap();
    body["warnings"] = json!(["one store\nis down"]);
    body["infos"] = json!(["metric might not be a counter"]);
    let reading = numbered(&given(200, &[], &body.to_string()), "up").unwrap();
    assert_eq!(
        reading.notes,
        ["one store\\nis down", "metric might not be a counter"]
    );
}

#[test]
fn what_is_no_number_says_why() {
    let native = success(
        "vector",
        json!([{"metric": {}, "histogram": [1, {"count": "1"}]}]),
    );
    let failed =
        |kind: &str, error: &str| json!({"status": "error", "errorType": kind, "error": error}).to_string();
    let parse = failed("bad_data", "1:5: parse error: unexpected \"}\"\n");
    let execution = failed("execution", "found duplicate series");
    let timeout = failed("timeout", "query timed out");
    let matrix = success("matrix", json!([]));
    let string = success("string", json!([1, "x"]));
    for (status, headers, body, kind, pause, words) in [
        (
            200,
            &[][..],
            vector(&["1", "2"]),
            TroubleKind::Question,
            None,
            "2 series and not one number, such as `{instance=0}`",
        ),
        (200, &[], native, TroubleKind::Question, None, "native histogram"),
        (
            200,
            &[],
            vector(&["x"]),
            TroubleKind::Question,
            None,
            "without a number",
        ),
        (
            200,
            &[],
            matrix,
            TroubleKind::Question,
            None,
            "points over a range",
        ),
        (200, &[], string, TroubleKind::Question, None, "a text"),
        (
            200,
            &[],
            parse.clone(),
            TroubleKind::Question,
            None,
            "the query is refused: `1:5",
        ),
        (
            200,
            &[],
            timeout.clone(),
            TroubleKind::Passing,
            None,
            "query timed out",
        ),
        (
            200,
            &[],
            "<html>log in</html>".to_owned(),
            TroubleKind::Question,
            None,
            "login page",
        ),
        (
            200,
            &[],
            json!({"status": "success"}).to_string(),
            TroubleKind::Question,
            None,
            "another service",
        ),
        (
            302,
            &[("location", "https://sso/?t=1")],
            String::new(),
            TroubleKind::Question,
            None,
            "`https://sso/`",
        ),
        (
            400,
            &[],
            parse,
            TroubleKind::Question,
            None,
            "parse error: unexpected \"}\"`",
        ),
        (
            400,
            &[],
            "plain".to_owned(),
            TroubleKind::Question,
            None,
            "`plain`",
        ),
        (401, &[], String::new(), TroubleKind::Access, None, "answered 401"),
        (
            403,
            &[],
            "no".to_owned(),
            TroubleKind::Access,
            None,
            "answered 403: `no`",
        ),
        (
            404,
            &[],
            "404 page not found".to_owned(),
            TroubleKind::Question,
            None,
            "no Prometheus API at `https://host/prom/api/v1/query`",
        ),
        (
            405,
            &[],
            String::new(),
            TroubleKind::Question,
            None,
            "answered 405",
        ),
        (
            422,
            &[],
            execution,
            TroubleKind::Passing,
            None,
            "found duplicate series",
        ),
        (
            429,
            &[("retry-after", "11")],
            String::new(),
            TroubleKind::Passing,
            Some(11),
            "answered 429",
        ),
        (503, &[], timeout, TroubleKind::Passing, None, "query timed out"),
        (
            502,
            &[],
            "bad gateway".to_owned(),
            TroubleKind::Passing,
            None,
            "`bad gateway`",
        ),
    ] {
        let trouble = numbered(&given(status, headers, &body), "up").expect_err(&body);
        assert_eq!(
            (trouble.kind, trouble.pause),
            (kind, pause.map(Duration::from_secs)),
            "{trouble:?}"
        );
        assert!(trouble.reason.contains(words), "{words} in {trouble:?}");
    }
}

#[test]
fn buckets_are_sorted_merged_and_never_fall() {
    let reading = bucketed(&[
        ("+Inf", "9"),
        ("1", "4"),
        ("1e-05", "1"),
        ("1.0", "2"),
        ("5", "5.9"),
    ])
    .unwrap();
    let pairs = [(1e-5, 1.0), (1.0, 6.0), (5.0, 6.0), (f64::INFINITY, 9.0)];
    let expected = pairs.map(|(bound, count)| Bucket { bound, count });
    assert_eq!(reading.value, Value::Buckets(expected.to_vec()));

    let zeros = bucketed(&[("1", "0"), ("+Inf", "0")]).unwrap().value;
    assert!(matches!(zeros, Value::Buckets(buckets) if buckets.len() == 2));
    assert_eq!(bucketed(&[]).unwrap().value, Value::Nothing);
    assert_eq!(
        bucketed(&[("1", "NaN"), ("+Inf", "1")]).unwrap().value,
        Value::Nothing
    );
}

#[test]
fn what_is_no_histogram_says_why() {
    for (pairs, words) in [
        (&[("1", "1"), ("5", "2")][..], "`le=\"+Inf\"` is missing"),
        (&[("a", "1"), ("+Inf", "2")], "bound `a` is no number"),
        (&[("NaN", "1"), ("+Inf", "2")], "bound `NaN` is no number"),
        (&[("1", "x"), ("+Inf", "2")], "bucket of `1` has no count"),
    ] {
        let trouble = bucketed(pairs).expect_err(words);
        assert_eq!(trouble.kind, TroubleKind::Question);
        assert!(trouble.reason.contains(words), "{trouble:?}");
    }
    for (body, words) in [
        (vector(&["1"]), "no label `le`"),
        (
            success("vector", json!([{"metric": {}, "histogram": [1, {}]}])),
            "native histogram",
        ),
        (success("scalar", json!([1, "1"])), "ends in `_bucket`"),
    ] {
        let told = answer::data(&given(200, &[], &body), ENDPOINT, &Masker::default()).unwrap();
        let trouble = buckets::read(told).expect_err(words);
        assert!(trouble.reason.contains(words), "{trouble:?}");
    }
}

proptest! {
    #[test]
    fn no_answer_panics_or_breaks_a_line(status in 200..600_u16, text in any::<String>()) {
        let error = json!({"status": "error", "errorType": "bad_data", "error": text}).to_string();
        for body in [text.clone(), error, vector(&[&text, &text]), vector(&[&text])] {
            let said = match numbered(&given(status, &[], &body), &text) {
                Ok(reading) => reading.notes.join(""),
                Err(trouble) => trouble.reason,
            };
            assert!(!said.contains(['\n', '\u{1b}']), "{said:?}");
        }
    }

    #[test]
    fn buckets_rise_whatever_the_server_says(
        pairs in prop::collection::vec((any::<f64>(), any::<f64>()), 0..20),
    ) {
        let texts: Vec<_> = pairs.iter().map(|(bound, count)| (bound.to_string(), count.to_string())).collect();
        let pairs: Vec<_> = texts.iter().map(|(bound, count)| (bound.as_str(), count.as_str())).collect();
        let all: Vec<_> = pairs.into_iter().chain([("+Inf", "1")]).collect();
        if let Ok(Reading { value: Value::Buckets(buckets), .. }) = bucketed(&all) {
            assert!(buckets.is_sorted_by(|a, b| a.bound < b.bound && a.count <= b.count));
            assert_eq!(buckets.last().map(|bucket| bucket.bound), Some(f64::INFINITY));
        }
    }
}
