//! Secrets of a gate file are in nothing that is written, also when target and source say them back.

use std::fs;
use std::path::Path;

use black_box::Place;
use sandbox::http::{Reply, Request, Server};

use crate::process::finish;
use crate::step::with_file;

/// All of them as they are given, and as they may come back.
const SECRETS: [&str; 9] = [
    "target-token-8f2c",
    "source-token-91ab",
    "pass-of-address-77",
    "user-of-address-42",
    "key-in-query-5d1e",
    "source-key-in-query-3c",
    // Base64 of the user and password, and of the tokens' ends.
    "dXNlci1vZi1hZGRyZXNzLTQyOnBhc3Mtb2YtYWRkcmVzcy03Nw",
    "dGFyZ2V0LXRva2VuLThmMmM",
    "c291cmNlLXRva2VuLTkxYWI",
];

/// Says everything back that it was sent, in all the places that a client may quote.
fn echo(request: &Request, status: u16) -> Reply {
    let said: Vec<&str> = request.headers.iter().map(|(_, value)| value.as_str()).collect();
    let said = format!("{} {}", request.path, said.join(" "));
    let plain: String = said
        .chars()
        .filter(|c| c.is_ascii_graphic() || *c == ' ')
        .collect();
    Reply::text(status, format!("you sent {said}"))
        .header("x-said", &plain)
        .header("location", &format!("/login?back={}", request.path))
}

/// Everything that a run wrote, without the lines that tell the runner what to hide.
fn written(folder: &Path, log: &str) -> String {
    let mut all: String = log
        .lines()
        .filter(|line| !line.starts_with("::add-mask::"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("gate.yml") {
                all.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap()));
            }
        }
    }
    all
}

/// Runs a command with a file that has secrets wherever one can have them.
#[track_caller]
fn says_none(name: &str, status: u16, source_status: u16, expect: &str, flags: &[&str]) -> String {
    let place = Place::new();
    let server = Server::start_with(move |request| match request.path_only() {
        "/stats" => echo(request, source_status),
        _ => echo(request, status),
    })
    .unwrap();
    let target = server
        .url("/health?key=key-in-query-5d1e")
        .replace("//", "//user-of-address-42:pass-of-address-77@");
    let file = format!(
        "version: 1
sources:
  stats:
    type: http_json
    url: '{}?key=source-key-in-query-3c'
    headers_env: {{ Authorization: SOURCE_TOKEN }}
    value: .errors
    timeout: 500ms
wait:
  timeout: 700ms
  interval: 100ms
  targets:
    - {{ name: api, http: '{target}', headers_env: {{ X-Token: TARGET_TOKEN }}, {expect} }}
watch:
  duration: 1s
  interval: 200ms
  probe: {{ http: '{target}', headers_env: {{ X-Token: TARGET_TOKEN }}, rate: 10/s, {expect} }}
  rules:
    - {{ name: share, from: probe, require: count(bad) == 0 }}
    - {{ name: errors, value: {{ source: stats }}, require: '< 100', max_errors: 0 }}
",
        server.url("/stats")
    );
    let mut command = with_file(&place, name, &file, flags);
    command
        .env("SOURCE_TOKEN", "Bearer source-token-91ab")
        .env("TARGET_TOKEN", "target-token-8f2c");
    let finished = finish(command);
    // They were sent, or else there would be nothing to hide.
    let sent = server.requests();
    assert!(!sent.is_empty(), "{}", finished.log());
    for request in &sent {
        let is_source = request.path_only() == "/stats";
        let (header, value) = if is_source {
            ("authorization", "Bearer source-token-91ab")
        } else {
            ("x-token", "target-token-8f2c")
        };
        assert_eq!(request.header(header), Some(value));
        assert!(request.path.contains("key-in-query"), "{}", request.path);
    }
    let all = written(place.path(), &finished.log());
    for secret in SECRETS {
        if let Some(at) = all.find(secret) {
            let from = all[..at].char_indices().rev().nth(200).map_or(0, |(at, _)| at);
            panic!("`{secret}` is in …{}", &all[from..at + secret.len()]);
        }
    }
    all
}

const FILES: [&str; 4] = ["--report", "report.json", "--junit", "junit.xml"];

#[test]
fn of_a_wait_whose_target_says_them_back() {
    let all = says_none("run", 500, 503, "", &FILES);
    assert!(
        all.contains("you sent /health?key=***"),
        "what was said is quoted, without what is secret in it: {all}"
    );
    for expect in [
        "expect: { headers: { x-said: nothing-like-it } }",
        "expect: { body: nothing-like-it }",
        "expect: { json: .status }",
        "expect: { version: 1.2.3, version_at: header:x-said }",
        "expect: { version: 1.2.3, version_at: body }",
    ] {
        says_none("run", 200, 503, expect, &FILES);
    }
    says_none("run", 302, 503, "", &FILES);
}

#[test]
fn of_a_watch_whose_source_says_them_back() {
    let all = says_none("run", 200, 503, "", &FILES);
    assert!(all.contains("you sent /stats?key=***"), "{all}");
    says_none("run", 200, 200, "", &FILES);
    says_none("run", 200, 401, "", &FILES);
    says_none("run", 200, 400, "", &FILES);
}

#[test]
fn of_the_other_commands() {
    says_none("check", 500, 500, "", &FILES);
    says_none("validate", 500, 401, "", &["--ask"]);
    says_none("run", 500, 503, "", &["--log-format", "json"]);
    says_none("run", 500, 503, "", &["--output", "json"]);
}

/// A connection string where a host is wanted, and a header without its name: both are wrong, and not to be repeated.
#[test]
fn of_a_flag_that_is_wrong() {
    let password = "pass-of-place-31";
    let connection = format!("redis://:{password}@127.0.0.1:6379");
    for (flag, value) in [
        ("--redis", connection.as_str()),
        ("--postgres", &format!("postgres://app:{password}@db:5432/app")),
        ("--tcp", &connection),
        ("--grpc", &connection),
        ("--tls", &connection),
        ("--header", password),
        ("--resolve", &format!("app:{password}@db")),
    ] {
        let place = Place::new();
        let mut command = place.step("health-gate");
        let target: &[&str] = if matches!(flag, "--header" | "--resolve") {
            &["check", "--url", "http://127.0.0.1:9/"]
        } else {
            &["check"]
        };
        command
            .args(target)
            .args([flag, value, "--report", "report.json"]);
        let finished = finish(command).expect(2);
        let all = written(place.path(), &finished.log());
        assert!(!all.contains(password), "{flag}: {all}");
    }
}
