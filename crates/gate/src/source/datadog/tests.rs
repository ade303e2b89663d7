use std::time::Duration;

use super::*;
use crate::source::Value;
use crate::source::fetch::Answer;
use crate::trouble::TroubleKind;
use proptest::prelude::{any, proptest};
use sandbox::http::{Reply, Script, Server};

const API_KEY: &str = "0123456789abcdef0123456789abcdef";
const APPLICATION_KEY: &str = "fedcba9876543210fedcba9876543210";

fn read(status: u16, headers: &[(&'static str, &str)], body: &str) -> Result<Reading, Trouble> {
    let headers = headers.iter().map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        )
    });
    let answer = Answer {
        status,
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
    };
    let mut masker = Masker::default();
    let _ = masker.add(API_KEY);
    answer::read(&answer, "https://api.example/api/v2/query/scalar", &masker)
}

fn scalar(columns: serde_json::Value) -> String {
    json!({"data": {"type": "scalar_response", "attributes": {"columns": columns}}}).to_string()
}

#[test]
fn one_number_or_nothing() {
    for (columns, value) in [
        (
            json!([{"name": "q", "type": "number", "values": [0.5], "meta": {"unit": null}}]),
            Value::Number(0.5),
        ),
        (json!([{"name": "q", "values": [7]}]), Value::Number(7.0)),
        (
            json!([{"name": "q", "type": "number", "values": [null]}]),
            Value::Absent,
        ),
        (
            json!([{"name": "q", "type": "number", "values": []}]),
            Value::Absent,
        ),
        (json!([]), Value::Absent),
    ] {
        let reading = read(200, &[], &scalar(columns.clone())).unwrap();
        assert_eq!(reading.value, value, "{columns}");
        assert_eq!(reading.notes.is_empty(), value != Value::Absent, "{columns}");
    }
    for body in [
        r#"{"data":null,"errors":null}"#,
        r#"{"data":{"attributes":{}}}"#,
        "{}",
    ] {
        assert_eq!(read(200, &[], body).unwrap().value, Value::Nothing, "{body}");
    }
}

#[test]
fn what_is_no_number_says_why() {
    let groups = scalar(json!([
        {"name": "env", "type": "group", "values": [["a"], ["b"]]},
        {"name": "q", "type": "number", "values": [1, 2]}
    ]));
    let many = format!("{{\"errors\":[\"bad {API_KEY} query\",{{\"detail\":\"twice\"}}]}}");
    for (status, headers, body, kind, pause, words) in [
        (
            200,
            &[][..],
            groups.as_str(),
            TroubleKind::Question,
            None,
            "2 groups",
        ),
        (200, &[], "<html>", TroubleKind::Question, None, "login page"),
        (
            200,
            &[],
            r#"{"errors":"no such function"}"#,
            TroubleKind::Question,
            None,
            "`no such function`",
        ),
        (
            302,
            &[("location", "/login?next=x")],
            "",
            TroubleKind::Question,
            None,
            "answered 302 to `/login`",
        ),
        (
            400,
            &[],
            many.as_str(),
            TroubleKind::Question,
            None,
            "`bad *** query; twice`",
        ),
        (
            403,
            &[],
            r#"{"errors":["Forbidden"]}"#,
            TroubleKind::Access,
            None,
            "`timeseries_query`",
        ),
        (401, &[], "", TroubleKind::Access, None, "answered 401"),
        (404, &[], "", TroubleKind::Question, None, "no Datadog API"),
        (
            429,
            &[("x-ratelimit-reset", "42")],
            "",
            TroubleKind::Passing,
            Some(42),
            "429",
        ),
        (
            429,
            &[("retry-after", "9")],
            "",
            TroubleKind::Passing,
            Some(9),
            "429",
        ),
        (
            503,
            &[("retry-after", "3")],
            "down",
            TroubleKind::Passing,
            Some(3),
            "answered 503: `down`",
        ),
        (
            500,
            &[],
            r#"{"errors":["Internal"]}"#,
            TroubleKind::Passing,
            None,
            "`Internal`",
        ),
        (418, &[], "", TroubleKind::Question, None, "answered 418"),
    ] {
        let trouble = read(status, headers, body).expect_err(body);
        assert_eq!(
            (trouble.kind, trouble.pause),
            (kind, pause.map(Duration::from_secs)),
            "{trouble:?}"
        );
        assert!(trouble.reason.contains(words), "{trouble:?}");
    }
}

#[test]
fn points_become_one_number_by_what_they_are() {
    for (query, expected) in [
        ("sum:requests{status:5xx}.as_count()", "sum"),
        ("sum:connections{*}", "avg"),
        ("sum:requests{*}.as_rate()", "avg"),
        ("count:trace.http.request{*}", "sum"),
        ("max:latency{*}", "max"),
        ("min:free{*}", "min"),
        ("p95:trace.http.request{service:api}", "percentile"),
        ("p99.9:x{*}", "percentile"),
        ("pods:x", "avg"),
        ("", "avg"),
    ] {
        assert_eq!(aggregator(query), expected, "{query}");
    }
}

#[test]
fn sites_are_hosts() {
    for name in ["datadoghq.eu", " app.datadoghq.eu", "api.datadoghq.eu "] {
        assert_eq!(
            site(name).unwrap().as_str(),
            "https://api.datadoghq.eu/",
            "{name}"
        );
    }
    for name in ["", "eu", "https://datadoghq.eu", "a.b/c", "u:p@a.b"] {
        assert!(site(name).is_err(), "{name}");
    }
}

fn client() -> Client {
    let interface = gha::interface::Interface::named("demo");
    let builder = gha::edge::http::builder(&interface, false, Duration::from_secs(5)).unwrap();
    builder.no_proxy().build().unwrap()
}

fn datadog(url: &str) -> Result<Datadog, OptionsError> {
    let options = Options {
        url: url.parse().unwrap(),
        api_key: API_KEY.into(),
        application_key: format!(" {APPLICATION_KEY}\n").into(),
        offset: Duration::from_secs(60),
        timeout: Duration::from_secs(5),
    };
    Datadog::new(client(), options)
}

#[tokio::test]
async fn the_request_is_what_datadog_documents() {
    let reply = Reply::bytes(
        200,
        scalar(json!([{"type": "number", "values": [3]}])).into_bytes(),
    );
    let script = Script::new().on("POST /base/api/v2/query/scalar", [reply]);
    let server = Server::start(script).unwrap();
    let source = datadog(&server.url("/base/")).unwrap();
    let question = Question {
        query: Query::Text("sum:x{*}.as_count().rollup(sum, {{window}})".to_owned()),
        window: Duration::from_secs(300),
    };
    let answers = source
        .ask(
            &[question.clone(), question],
            "2026-11-22T10:00:00Z".parse().unwrap(),
        )
        .await;
    assert_eq!(answers, vec![Ok(Reading::number(3.0)), Ok(Reading::number(3.0))]);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].header("dd-api-key"), Some(API_KEY));
    assert_eq!(requests[0].header("dd-application-key"), Some(APPLICATION_KEY));
    assert_eq!(
        requests[0].json(),
        json!({"data": {"type": "scalar_request", "attributes": {
            "from": 1_795_341_240_000_i64, "to": 1_795_341_540_000_i64,
            "queries": [{"data_source": "metrics", "name": "q", "query": "sum:x{*}.as_count().rollup(sum, 300)", "aggregator": "sum"}],
            "formulas": [{"formula": "q"}],
        }}})
    );
    assert!(!source.shown().contains("base"), "{}", source.shown());
}

#[tokio::test]
async fn nobody_there_may_pass_and_other_kinds_of_questions_do_not() {
    let source = datadog("http://127.0.0.1:1/").unwrap();
    let ask = |query| Question {
        query,
        window: Duration::from_secs(60),
    };
    let questions = [
        ask(Query::Text("avg:x{*}".to_owned())),
        ask(Query::Buckets("x".to_owned())),
    ];
    let answers = source.ask(&questions, Timestamp::UNIX_EPOCH).await;
    let kinds: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.map_err(|trouble| trouble.kind))
        .collect();
    assert_eq!(kinds, [Err(TroubleKind::Passing), Err(TroubleKind::Question)]);
    assert!(source.accepts(&questions[0].query).is_ok());
    assert!(source.accepts(&questions[1].query).is_err());
    assert!(source.accepts(&Query::Text(" ".to_owned())).is_err());
}

#[test]
fn keys_that_no_header_holds_are_refused() {
    let options = |key: &str| Options {
        url: site("datadoghq.com").unwrap(),
        api_key: API_KEY.into(),
        application_key: key.into(),
        offset: Duration::ZERO,
        timeout: Duration::from_secs(1),
    };
    for key in ["", " ", "a\nb"] {
        let error = Datadog::new(client(), options(key)).err();
        assert_eq!(error, Some(OptionsError::Key("application key")), "{key:?}");
    }
}

proptest! {
    #[test]
    fn no_answer_panics_or_breaks_a_line(status in 200..600_u16, body in any::<String>()) {
        for body in [body.clone(), scalar(json!([{"values": [body]}])), json!({"errors": [body]}).to_string()] {
            if let Err(trouble) = read(status, &[], &body) {
                assert!(!trouble.reason.contains('\n'));
            }
        }
    }
}
