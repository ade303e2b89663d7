//! The stand-in for GitHub answers as the real one: refusals in its words, pages where they are wanted.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test does")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use sandbox::http::Reply;
use sandbox::stand_ins::github::{COMMIT, GitHub, refusal};
use serde_json::{Value, json};

/// Status, head and JSON of one question below `/repos/org/shop`.
fn ask(github: &GitHub, token: &str, path: &str) -> (u16, String, Value) {
    let api = github.api();
    let (host, base) = api.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET /{base}/repos/org/shop{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (
        head[9..12].parse().unwrap(),
        head.to_owned(),
        serde_json::from_str(body).unwrap_or_default(),
    )
}

#[test]
fn it_knows_its_repository_and_its_token() {
    let github = GitHub::open("t0ken")
        .unwrap()
        .about("license", Value::Null)
        .committed("2024-01-02T03:04:05Z");
    let (status, _, about) = ask(&github, "t0ken", "");
    assert_eq!(
        (status, &about["full_name"], &about["license"]),
        (200, &json!("org/shop"), &Value::Null)
    );
    let (_, _, commit) = ask(&github, "t0ken", &format!("/commits/{COMMIT}?per_page=1"));
    assert_eq!(commit["commit"]["committer"]["date"], "2024-01-02T03:04:05Z");
    for (token, path, status, message) in [
        ("wrong", "", 401, "Bad credentials"),
        ("t0ken", "/commits/main", 422, "No commit found for SHA: main"),
        ("t0ken", "/commits/a/b", 404, "Not Found"),
        ("t0ken", "/git/matching-refs/tags/v", 404, "Not Found"),
    ] {
        let (answered, _, body) = ask(&github, token, path);
        assert_eq!((answered, &body["message"]), (status, &json!(message)), "{path}");
    }
    assert_eq!(github.requests().len(), 6);
}

#[test]
fn tags_come_by_prefix_and_in_pages() {
    let open = || GitHub::open("t").unwrap().tagged(["v1", "v2", "svc/v1", "v3"]);
    let refs = |github: &GitHub, path: &str| {
        let (status, head, body) = ask(github, "t", path);
        assert_eq!(status, 200);
        let names = body
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["ref"].as_str().unwrap().to_owned());
        let link = head
            .lines()
            .find_map(|line| line.strip_prefix("link: ").map(str::to_owned));
        (names.collect::<Vec<_>>(), link)
    };
    let whole = open();
    assert_eq!(
        refs(&whole, "/git/matching-refs/tags%2Fsvc%2F"),
        (vec!["refs/tags/svc/v1".to_owned()], None)
    );
    assert_eq!(refs(&whole, "/git/matching-refs/tags%2Fx").0.len(), 0);
    let paged = open().paged(2);
    let (first, link) = refs(&paged, "/git/matching-refs/tags%2Fv");
    let link = link.unwrap();
    assert!(
        first.len() == 2 && link.ends_with("/git/matching-refs/tags%2Fv?page=2>; rel=\"next\""),
        "{link}"
    );
    let (second, link) = refs(&paged, "/git/matching-refs/tags%2Fv?page=2");
    assert_eq!((second, link), (vec!["refs/tags/v3".to_owned()], None));
    assert_eq!(ask(&open().empty(), "t", "/git/matching-refs/tags%2Fv").0, 409);
}

#[test]
fn faults_come_first_and_in_order() {
    let github = GitHub::open("t")
        .unwrap()
        .replying(Reply::status(502))
        .replying(refusal(403, "no"));
    let statuses: Vec<u16> = (0..3).map(|_| ask(&github, "t", "").0).collect();
    assert_eq!(statuses, [502, 403, 200]);
}
