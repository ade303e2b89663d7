use std::time::Duration;

use super::*;
use crate::source::Reading;
use aws_sdk_cloudwatch::config::{BehaviorVersion, Credentials, SharedCredentialsProvider};
use aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput;
use aws_sdk_cloudwatch::types::{self, Dimension, MessageData, MetricDataResult, StatusCode};
use proptest::prelude::{any, prop, proptest};
use sandbox::http::{Reply, Script, Server};

const SPAN: Span = Span { start: 600, end: 900 };

fn metric(statistic: &str) -> Metric {
    Metric {
        namespace: "App".to_owned(),
        name: "Requests".to_owned(),
        dimensions: vec![("Service".to_owned(), "api".to_owned())],
        statistic: statistic.to_owned(),
    }
}

fn result(label: &str, status: StatusCode, points: &[(i64, f64)]) -> MetricDataResult {
    let (times, values): (Vec<_>, Vec<_>) = points.iter().copied().unzip();
    MetricDataResult::builder()
        .id("q0")
        .label(label)
        .status_code(status)
        .set_timestamps(Some(times.into_iter().map(DateTime::from_secs).collect()))
        .set_values(Some(values))
        .build()
}

fn read_pages(shape: Shape, pages: Vec<Vec<MetricDataResult>>) -> Result<Reading, Trouble> {
    let mut all = Pages::default();
    for page in pages {
        all.add(
            GetMetricDataOutput::builder()
                .set_metric_data_results(Some(page))
                .build(),
        );
    }
    answer::read(&all, 0, shape, SPAN)
}

fn points(shape: Shape, points: &[(i64, f64)]) -> Result<Reading, Trouble> {
    read_pages(shape, vec![vec![result("a", StatusCode::Complete, points)]])
}

#[test]
fn a_window_is_of_whole_minutes_and_ends_before_the_asking() {
    let at: Timestamp = "2026-11-22T10:00:59Z".parse().unwrap();
    let span = |seconds| Span::of(Duration::from_millis(seconds), at, OFFSET);
    let end = at.as_second() - 59 - 120;
    assert_eq!(
        span(300_000),
        Ok(Span {
            start: end - 300,
            end
        })
    );
    assert_eq!(span(60_000), Ok(Span { start: end - 60, end }));
    for refused in [0, 1, 30_000, 90_000, 60_001, 86_460_000] {
        let trouble = span(refused).expect_err("not of whole minutes");
        assert_eq!(trouble.kind, TroubleKind::Question, "{refused}");
    }
}

#[test]
fn each_statistic_has_its_way_to_one_number() {
    let minutes = [(600, 4.0), (660, 1.0), (840, 3.0)];
    // Before the window, half out of it, and after it.
    let around = [(540, 100.0), (870, 100.0), (900, 100.0)];
    let all: Vec<_> = minutes.iter().chain(&around).copied().collect();
    for (shape, value) in [(Shape::Sum, 8.0), (Shape::Highest, 4.0), (Shape::Lowest, 1.0)] {
        assert_eq!(points(shape, &all), Ok(Reading::number(value)), "{shape:?}");
    }
    assert_eq!(points(Shape::Whole, &[(600, 0.25)]), Ok(Reading::number(0.25)));
    for (statistic, shape, period) in [
        ("Sum", Shape::Sum, 60),
        ("SampleCount", Shape::Sum, 60),
        ("Maximum", Shape::Highest, 60),
        ("Minimum", Shape::Lowest, 60),
        ("Average", Shape::Whole, 300),
        ("p95", Shape::Whole, 300),
        ("PR(:0.3)", Shape::Whole, 300),
    ] {
        let query = Query::Metric(metric(statistic));
        assert_eq!(Shape::of(&query), shape, "{statistic}");
        let asked = request::query(7, &query, SPAN).unwrap();
        let stat = asked.metric_stat().unwrap();
        assert_eq!(
            (asked.id(), stat.stat(), stat.period()),
            (Some("q7"), Some(statistic), Some(period))
        );
    }
}

#[test]
fn nothing_is_not_zero() {
    for shape in [Shape::Sum, Shape::Highest, Shape::Lowest, Shape::Whole] {
        for given in [&[(0, 1.0)], &[(600, f64::NAN)]] {
            let reading = points(shape, given).unwrap();
            assert_eq!(reading.value, Value::Nothing, "{shape:?} {given:?}");
        }
        // What never happened has no points, and may have no result.
        assert_eq!(points(shape, &[]).unwrap().value, Value::Absent);
        assert_eq!(read_pages(shape, vec![]).unwrap().value, Value::Absent);
        assert_eq!(read_pages(shape, vec![vec![]]).unwrap().value, Value::Absent);
    }
}

#[test]
fn a_series_goes_on_over_pages_and_two_are_refused() {
    let part = |label, status, point| result(label, status, &[(point, 1.0)]);
    let pages = vec![
        vec![part("a", StatusCode::PartialData, 600)],
        vec![part("a", StatusCode::Complete, 660)],
    ];
    assert_eq!(read_pages(Shape::Sum, pages), Ok(Reading::number(2.0)));
    for pages in [
        vec![vec![
            part("a", StatusCode::Complete, 600),
            part("b", StatusCode::Complete, 600),
        ]],
        vec![vec![
            part("a", StatusCode::Complete, 600),
            part("a", StatusCode::Complete, 600),
        ]],
        vec![
            vec![part("a", StatusCode::Complete, 600)],
            vec![part("b", StatusCode::Complete, 600)],
        ],
    ] {
        let trouble = read_pages(Shape::Sum, pages).unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Question);
        assert!(trouble.reason.contains("2 series"), "{trouble:?}");
    }
}

#[test]
fn what_is_not_whole_is_no_number() {
    for (status, kind) in [
        (StatusCode::PartialData, TroubleKind::Passing),
        (StatusCode::InternalError, TroubleKind::Passing),
        (StatusCode::Forbidden, TroubleKind::Access),
    ] {
        let read = read_pages(Shape::Sum, vec![vec![result("a", status, &[(600, 1.0)])]]);
        assert_eq!(read.unwrap_err().kind, kind);
    }
    let many = points(Shape::Whole, &[(600, 1.0), (600, 2.0)]).unwrap_err();
    assert!(
        many.reason.contains("2 points") && many.reason.contains("`{{window}}`"),
        "{many:?}"
    );
}

#[test]
fn messages_are_handed_on() {
    let message = MessageData::builder()
        .code("MaxMetricsExceeded")
        .value("only\n500")
        .build();
    let mut pages = Pages::default();
    let page = GetMetricDataOutput::builder()
        .metric_data_results(result("a", StatusCode::Complete, &[(600, 1.0)]))
        .messages(message);
    pages.add(page.build());
    let reading = answer::read(&pages, 0, Shape::Sum, SPAN).unwrap();
    assert_eq!(reading.notes, ["MaxMetricsExceeded: only\\n500"]);
}

#[test]
fn questions_are_taken_or_refused_beforehand() {
    let text = |text: &str| Query::Text(text.to_owned());
    let mut nameless = metric("Sum");
    nameless.name = " ".to_owned();
    for (query, refused) in [
        (text("SUM(SEARCH('{App} x', 'Sum'))"), None),
        (text(" "), Some("is empty")),
        (Query::Metric(metric("p99.9")), None),
        (Query::Metric(metric("sum")), Some("it is written `Sum`")),
        (Query::Metric(nameless), Some("has no name")),
        (Query::Buckets("x".to_owned()), Some("no buckets")),
    ] {
        match (request::accepts(&query), refused) {
            (Ok(()), None) => assert!(request::query(0, &query, SPAN).is_some()),
            (Err(reason), Some(words)) => assert!(reason.contains(words), "{reason}"),
            (accepted, _) => panic!("{query:?}: {accepted:?}"),
        }
    }
    let expression = request::query(0, &text("SEARCH('x', 'Sum', {{window}})"), SPAN).unwrap();
    assert_eq!(expression.expression(), Some("SEARCH('x', 'Sum', 300)"));
    assert_eq!(expression.period(), Some(300));
}

#[test]
fn a_hint_tells_a_typing_error_from_silence() {
    let listed = |dimensions: &[(&str, &str)]| {
        let dimension = |(name, value): &(&str, &str)| Dimension::builder().name(*name).value(*value).build();
        types::Metric::builder()
            .set_dimensions(Some(dimensions.iter().map(dimension).collect()))
            .build()
    };
    let (api, web) = (listed(&[("Service", "api")]), listed(&[("Service", "web")]));
    let arn = listed(&[("Topic", "arn:aws:sns:eu-west-1:123456789012:x")]);
    for (found, more, words) in [
        (vec![web.clone(), api], false, "exists and has no points"),
        (vec![], false, "within two weeks"),
        (vec![web.clone()], true, "was not looked at"),
        (vec![web.clone()], false, "there is one with `Service=web`"),
        (vec![listed(&[])], false, "there is one with no dimensions"),
        (vec![arn], false, "`Topic=arn:aws:sns:eu-west-1:<account>:x`"),
        (
            vec![web; 5],
            false,
            "there are some with `Service=web`, `Service=web`, `Service=web` and 2 more",
        ),
    ] {
        let hint = similar::hint(&metric("Sum"), &found, more);
        assert!(hint.contains(words), "{hint}");
    }
}

/// An answer as the mock server moto gave it for five minutes from 11:22 on, written as CBOR by Python's `cbor2`: `q0` is 37,
/// 36, 35, 34 and 33, `q1` 17.5 for the whole, `q2` nothing.
const ANSWER: &str = concat!(
    "a1714d657472696344617461526573756c747383a5624964627130654c6162656c6c52657175657374732053756d6a54696d657374616d707385c11a",
    "6b02d058c11a6b02d094c11a6b02d0d0c11a6b02d10cc11a6b02d1486656616c75657385fb4042800000000000fb4042000000000000fb4041800000",
    "000000fb4041000000000000fb40408000000000006a537461747573436f646568436f6d706c657465a5624964627131654c6162656c705265717565",
    "73747320417665726167656a54696d657374616d707381c11a6b02d0586656616c75657381fb40318000000000006a537461747573436f646568436f",
    "6d706c657465a5624964627132654c6162656c6b526571657374732053756d6a54696d657374616d7073806656616c756573806a537461747573436f",
    "646568436f6d706c657465",
);

/// `{"__type": "com.amazonaws.cloudwatch#AccessDenied", "message": "User: arn:aws:iam::123456789012:user/x"}`.
const DENIED: &str = concat!(
    "a2665f5f747970657825636f6d2e616d617a6f6e6177732e636c6f756477617463682341636365737344656e696564676d6573736167657826557365",
    "723a2061726e3a6177733a69616d3a3a3132333435363738393031323a757365722f78",
);

/// `{"__type": "ValidationError", "message": "Error in expression 'q0': syntax"}`.
const INVALID: &str = concat!(
    "a2665f5f747970656f56616c69646174696f6e4572726f72676d65737361676578204572726f7220696e2065787072657373696f6e20277130273a20",
    "73796e746178",
);

/// One metric `Reqests` of `App` with `Service=web`.
const LISTED: &str = concat!(
    "a1674d65747269637381a3694e616d657370616365634170706a4d65747269634e616d6567526571657374736a44696d656e73696f6e7381a2644e61",
    "6d6567536572766963656556616c756563776562",
);

/// Answers by the protocol that the SDK speaks to CloudWatch (<https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>).
fn cbor(status: u16, hex: &str) -> Reply {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let body = hex.as_bytes().chunks(2).map(byte).collect();
    Reply::bytes(status, body)
        .header("smithy-protocol", "rpc-v2-cbor")
        .header("content-type", "application/cbor")
}

const DATA: &str = "/service/GraniteServiceVersion20100801/operation/GetMetricData";
const LIST: &str = "/service/GraniteServiceVersion20100801/operation/ListMetrics";

/// The configuration of the `aws` crate with keys of this test.
async fn cloudwatch(server: &Server) -> CloudWatch {
    let interface = gha::interface::Interface::named("demo");
    let settings = aws::config::Settings {
        interface: &interface,
        region: Some("eu-west-1"),
        endpoint: Some(&server.url("")),
        connect: Duration::from_secs(5),
        attempt: Duration::from_secs(5),
        call: Duration::from_secs(10),
        attempts: 1,
    };
    let config = aws::config::load(&settings).await.unwrap();
    let keys = Credentials::new("key-of-a-test", "secret-of-a-test", None, None, "test");
    let config = config
        .into_builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .build();
    CloudWatch::new(&config, OFFSET)
}

fn asked(query: Query) -> Question {
    Question {
        query,
        window: Duration::from_secs(300),
    }
}

fn at() -> Timestamp {
    "2026-11-22T11:29:39Z".parse().unwrap()
}

#[tokio::test]
async fn all_questions_of_a_window_are_one_call_and_a_silent_metric_is_looked_up_once() {
    let script = Script::new()
        .on(DATA, [cbor(200, ANSWER)])
        .on(LIST, [cbor(200, LISTED)]);
    let server = Server::start(script).unwrap();
    let source = cloudwatch(&server).await;
    let mut misspelt = metric("Sum");
    misspelt.name = "Reqests".to_owned();
    let mut questions = vec![
        asked(Query::Metric(metric("Sum"))),
        asked(Query::Metric(metric("Average"))),
        asked(Query::Metric(misspelt)),
    ];
    questions.push(Question {
        window: Duration::from_secs(90),
        ..questions[0].clone()
    });
    for _ in 0..2 {
        let answers = source.ask(&questions, at()).await;
        assert_eq!(answers[0], Ok(Reading::number(175.0)));
        assert_eq!(answers[1], Ok(Reading::number(17.5)));
        let silent = answers[2].as_ref().unwrap();
        assert_eq!(silent.value, Value::Absent);
        assert!(
            silent.notes[1].ends_with("there is one with `Service=web`"),
            "{silent:?}"
        );
        assert_eq!(answers[3].as_ref().unwrap_err().kind, TroubleKind::Question);
    }
    let requests = server.requests();
    let paths: Vec<_> = requests.iter().map(sandbox::http::Request::path_only).collect();
    assert_eq!(paths, [DATA, LIST, DATA]);
    let agent = requests[0].header("user-agent").unwrap_or_default();
    assert!(agent.contains("app/deploy-actions-demo"), "{agent}");
    assert_eq!(source.shown(), "CloudWatch in eu-west-1");
}

#[tokio::test]
async fn refusals_are_told_where_they_belong() {
    let server = Server::start(Script::new().on(DATA, [cbor(403, DENIED)])).unwrap();
    let answers = cloudwatch(&server)
        .await
        .ask(&[asked(Query::Metric(metric("Sum")))], at())
        .await;
    let denied = Trouble::access("access denied for `cloudwatch:GetMetricData`");
    assert_eq!(answers, [Err(denied)]);

    // Refused together; then the first alone is, and the second is answered.
    let replies = [cbor(400, INVALID), cbor(400, INVALID), cbor(200, ANSWER)];
    let server = Server::start(Script::new().on(DATA, replies)).unwrap();
    let questions = [
        asked(Query::Text("SUM(".to_owned())),
        asked(Query::Metric(metric("Sum"))),
    ];
    let answers = cloudwatch(&server).await.ask(&questions, at()).await;
    let refused = answers[0].as_ref().unwrap_err();
    assert_eq!(refused.kind, TroubleKind::Question);
    assert!(
        refused.reason.contains("`Error in expression 'q0': syntax`"),
        "{refused:?}"
    );
    assert_eq!(answers[1], Ok(Reading::number(175.0)));
}

#[tokio::test]
async fn nobody_there_may_pass() {
    for reply in [Reply::reset(), Reply::status(503)] {
        let server = Server::start(Script::new().any([reply])).unwrap();
        let answers = cloudwatch(&server)
            .await
            .ask(&[asked(Query::Metric(metric("Sum")))], at())
            .await;
        assert_eq!(
            answers[0].as_ref().unwrap_err().kind,
            TroubleKind::Passing,
            "{answers:?}"
        );
    }
}

proptest! {
    #[test]
    fn no_answer_panics(
        given in prop::collection::vec((any::<i64>(), any::<f64>()), 0..9),
        label in any::<String>(),
    ) {
        for shape in [Shape::Sum, Shape::Highest, Shape::Lowest, Shape::Whole] {
            let page = vec![result(&label, StatusCode::Complete, &given)];
            let within = given.iter().any(|(time, value)| (600..900).contains(time) && !value.is_nan());
            if let Ok(reading) = read_pages(shape, vec![page]) {
                assert!(within || !matches!(reading.value, Value::Number(_)));
            }
        }
    }
}
