//! The services made of the scripted server.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use sandbox::stand_ins::chat::{Channel, Refusal};
use sandbox::stand_ins::web::Release;
use serde_json::{Value, json};

/// Status, head and body of one exchange.
fn exchange(method: &str, url: &str, body: &str) -> (u16, String, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_owned(), body.to_owned())
}

fn health(url: &str) -> (u16, Value) {
    let (status, _, body) = exchange("GET", url, "");
    (status, serde_json::from_str(&body).unwrap())
}

#[test]
fn a_rollout_goes_through_its_stages() {
    let service = Release::new("1.0", "2.0").starting(1).old_for(2).serve().unwrap();
    let seen: Vec<_> = (0..5).map(|_| health(&service.health())).collect();
    let ok = |version: &str| (200, json!({"status": "ok", "version": version}));
    assert_eq!(
        seen,
        [
            (503, json!({"status": "starting"})),
            ok("1.0"),
            ok("1.0"),
            ok("2.0"),
            ok("2.0")
        ]
    );
    assert_eq!(
        exchange("GET", &service.health().replace("health", "else"), "").0,
        404
    );
    assert_eq!(service.requests().len(), 6);
}

#[test]
fn a_broken_release_says_why() {
    let service = Release::new("1.0", "2.0")
        .old_for(1)
        .broken("no database")
        .serve()
        .unwrap();
    assert_eq!(health(&service.health()).0, 200);
    let reason = json!({"status": "error", "version": "2.0", "reason": "no database"});
    assert_eq!(health(&service.health()), (500, reason));
}

#[test]
fn a_channel_takes_and_refuses() {
    let channel = Channel::open().unwrap();
    let channel = channel
        .refusing(Refusal::Limited { retry_after: 2 })
        .refusing(Refusal::Broken);
    let channel = channel.refusing(Refusal::NoService);
    let url = channel.webhook();
    let message = r#"{"text":"hi"}"#;
    let (status, head, _) = exchange("POST", &url, message);
    assert!(status == 429 && head.contains("retry-after: 2"), "{head}");
    assert_eq!(exchange("POST", &url, message).0, 500);
    assert_eq!(exchange("POST", &url, message).2, "no_service");
    assert_eq!(exchange("POST", &url, message).2, "ok");
    assert_eq!(exchange("POST", &url, r#"{"text":""}"#).2, "no_text");
    assert_eq!(exchange("POST", &url, "payload").2, "invalid_payload");
    assert_eq!(exchange("GET", &url, "").0, 400);
    assert_eq!(channel.messages(), [json!({"text": "hi"})]);
    assert_eq!(channel.requests().len(), 7);
}
