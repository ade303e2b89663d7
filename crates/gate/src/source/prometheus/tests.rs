//! Whole askings, put to scripted servers.

use std::time::Duration;

use super::reading_tests::vector;
use super::*;
use crate::trouble::TroubleKind;
use sandbox::http::{Reply, Script, Server};
use serde_json::json;

fn options(url: &str, credentials: Credentials) -> Options {
    Options {
        url: url.parse().unwrap(),
        credentials,
        headers: vec![("X-Scope-OrgID".to_owned(), "tenant-secret".into())],
        offset: Duration::from_secs(30),
        timeout: Duration::from_secs(5),
    }
}

fn client() -> Client {
    let interface = gha::interface::Interface::named("demo");
    let builder = gha::edge::http::builder(&interface, false, Duration::from_secs(5)).unwrap();
    builder.no_proxy().build().unwrap()
}

fn prometheus(url: &str, credentials: Credentials) -> Prometheus {
    Prometheus::new(client(), options(url, credentials)).unwrap()
}

fn asked(query: Query) -> Question {
    Question {
        query,
        window: Duration::from_secs(90),
    }
}

fn form(body: &str) -> Vec<(String, String)> {
    let url = Url::parse(&format!("http://x/?{body}")).unwrap();
    url.query_pairs().into_owned().collect()
}

fn at() -> Timestamp {
    "2026-11-22T10:00:00.25Z".parse().unwrap()
}

#[tokio::test]
async fn all_questions_are_of_one_moment_under_the_path_of_the_address() {
    let script = Script::new().on(
        "POST /prom/api/v1/query",
        [Reply::bytes(200, vector(&["3"]).into_bytes())],
    );
    let server = Server::start(script).unwrap();
    let source = prometheus(
        &server.url("/prom/?dedup=true"),
        Credentials::Bearer("token-secret\n".into()),
    );
    let questions = [
        asked(Query::Text("sum(increase(x{a=\"b&c\"}[{{window}}]))".to_owned())),
        asked(Query::Text("1".to_owned())),
        asked(Query::Text("2".to_owned())),
    ];
    let answers = source.ask(&questions, at()).await;
    assert_eq!(answers, vec![Ok(Reading::number(3.0)); 3]);
    let mut requests = server.requests();
    requests.sort_by_key(|request| std::cmp::Reverse(request.body.len()));
    assert_eq!(
        form(&requests[0].text()),
        [
            ("query", "sum(increase(x{a=\"b&c\"}[90s]))"),
            ("time", "1795341570.250"),
            ("timeout", "4500ms")
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    for request in &requests {
        assert_eq!(request.path, "/prom/api/v1/query?dedup=true");
        assert_eq!(request.header("authorization"), Some("Bearer token-secret"));
        assert_eq!(request.header("x-scope-orgid"), Some("tenant-secret"));
        assert!(request.text().contains("time=1795341570.250"));
    }
    assert_eq!(
        source.shown(),
        format!("Prometheus at {}?…", server.url("/prom/"))
    );
}

#[tokio::test]
async fn a_user_of_the_address_or_apart_from_it_is_basic_authentication() {
    let echo = |request: &sandbox::http::Request| {
        let said = format!(
            "who is {}, with tenant-secret?",
            request.header("authorization").unwrap_or_default()
        );
        Reply::text(400, said)
    };
    let server = Server::start_with(echo).unwrap();
    let address = server.url("/").replace("http://", "http://ann:pass%2Dword@");
    let basic = Credentials::Basic {
        user: "ann".to_owned(),
        password: "pass-word".into(),
    };
    for source in [
        prometheus(&address, Credentials::None),
        prometheus(&server.url("/"), basic.clone()),
    ] {
        let answers = source.ask(&[asked(Query::Text("1".to_owned()))], at()).await;
        let reason = answers[0].as_ref().unwrap_err().reason.clone();
        // YW5uOnBhc3Mtd29yZA== is ann:pass-word.
        assert_eq!(
            server.requests().last().unwrap().header("authorization"),
            Some("Basic YW5uOnBhc3Mtd29yZA==")
        );
        assert!(reason.contains("who is Basic ***, with ***?"), "{reason}");
        assert!(!source.shown().contains("ann"), "{}", source.shown());
    }
    let client = client();
    let twice = Prometheus::new(client.clone(), options(&address, basic)).err();
    assert_eq!(twice, Some(OptionsError::TwoUsers));
    let mut broken = options("http://x/", Credentials::None);
    broken.headers = vec![("a b".to_owned(), "x".into())];
    assert_eq!(
        Prometheus::new(client, broken).err(),
        Some(OptionsError::Header("a b".to_owned()))
    );
}

#[tokio::test]
async fn an_empty_histogram_says_whether_it_is_known() {
    for (labels, note) in [
        (json!(["__name__", "le"]), "the series are there"),
        (json!([]), "no such series within a day"),
    ] {
        let known = json!({"status": "success", "data": labels});
        // A warning does not hide the reason.
        let warned = r#""success","warnings":["a part is missing"]"#;
        let empty = vector(&[]).replacen(r#""success""#, warned, 1);
        let script = Script::new()
            .on("/api/v1/query", [Reply::bytes(200, empty.into_bytes())])
            .on("/api/v1/labels", [Reply::json(200, &known)]);
        let server = Server::start(script).unwrap();
        let source = prometheus(&server.url("/"), Credentials::None);
        let answers = source
            .ask(&[asked(Query::Buckets(" x_bucket{a=\"b\"} ".to_owned()))], at())
            .await;
        let reading = answers[0].as_ref().unwrap();
        assert_eq!(reading.value, Value::Nothing);
        assert!(reading.notes[0].starts_with(note), "{reading:?}");
        assert_eq!(reading.notes[1], "a part is missing");
        let requests = server.requests();
        assert_eq!(
            form(&requests[0].text())[0].1,
            "sum by (le) (increase(x_bucket{a=\"b\"}[90s]))"
        );
        assert_eq!(
            form(&requests[1].text())[0],
            ("match[]".to_owned(), "x_bucket{a=\"b\"}".to_owned())
        );
    }
}

#[tokio::test]
async fn an_answer_without_end_is_left() {
    let endless = Reply::bytes(200, vec![b' '; 64 * 1024]).endless(Duration::ZERO);
    let server = Server::start(Script::new().any([endless])).unwrap();
    let source = prometheus(&server.url("/"), Credentials::None);
    let answers = source.ask(&[asked(Query::Text("1".to_owned()))], at()).await;
    let trouble = answers[0].as_ref().unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Question);
    assert!(trouble.reason.contains("over 1 MiB"), "{trouble:?}");
}

#[tokio::test]
async fn nobody_there_may_pass() {
    for reply in [
        Reply::reset(),
        Reply::close(),
        Reply::bytes(200, vec![b' '; 100]).cut_after(10),
    ] {
        let server = Server::start(Script::new().any([reply])).unwrap();
        let source = prometheus(&server.url("/"), Credentials::None);
        let answers = source.ask(&[asked(Query::Text("1".to_owned()))], at()).await;
        assert_eq!(answers[0].as_ref().unwrap_err().kind, TroubleKind::Passing);
    }
}
