//! One trace for all tools of a run: in requests, in the ledger, in events, in JSON logs.

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use serde_json::Value;

use crate::process::finish;
use crate::step::{gate, in_run, ledger, notify};

/// The trace id of a `traceparent` header (<https://www.w3.org/TR/trace-context/#traceparent-header>).
fn trace_of(header: &str) -> &str {
    let fields: Vec<&str> = header.split('-').collect();
    let lengths: Vec<usize> = fields.iter().map(|field| field.len()).collect();
    assert_eq!(lengths, [2, 32, 16, 2], "{header}");
    assert!(
        header
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-')),
        "{header}"
    );
    fields[1]
}

#[test]
fn the_tools_of_a_run_share_it() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::text(200, "ok")])).unwrap();
    let mut tagging = in_run(place.step("image-tag"));
    tagging.args(["--images", "ghcr.io/acme/shop"]);
    finish(tagging).expect(0);
    finish(in_run(gate(&place, &server.url("/health"), &[]))).expect(0);
    let mut telling = in_run(notify(&place, &["--log-format", "json"]));
    telling.env("NOTIFY_WEBHOOK_URL", server.url("/events"));
    let told = finish(telling).expect(0);

    let requests = server.requests();
    let trace = trace_of(requests[0].header("traceparent").unwrap());
    let lines = ledger(&place);
    assert_eq!(lines.len(), 3);
    assert!(
        lines.iter().all(|line| line["trace_id"] == trace),
        "{lines:?} {trace}"
    );
    assert_eq!(requests[1].json()["trace_id"], trace);
    let logged: Vec<Value> = told
        .log()
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        !logged.is_empty() && logged.iter().all(|line| line["trace_id"] == trace),
        "{logged:?}"
    );
}

#[test]
fn another_attempt_has_another() {
    let server = Server::start(Script::new().any([Reply::text(200, "ok")])).unwrap();
    for attempt in ["1", "2"] {
        let place = Place::new();
        let mut command = in_run(gate(&place, &server.url("/health"), &[]));
        command.env("GITHUB_RUN_ATTEMPT", attempt);
        finish(command).expect(0);
    }
    let requests = server.requests();
    let trace = |index: usize| trace_of(requests[index].header("traceparent").unwrap());
    assert_ne!(trace(0), trace(1));
}

#[test]
fn a_given_one_is_joined() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::text(200, "ok")])).unwrap();
    let given = "0af7651916cd43dd8448eb211c80319c";
    let mut command = in_run(gate(&place, &server.url("/health"), &[]));
    command.env("TRACEPARENT", format!("00-{given}-b7ad6b7169203331-01"));
    finish(command).expect(0);
    let header = server.requests()[0].header("traceparent").unwrap().to_owned();
    assert_eq!(trace_of(&header), given);
    assert!(
        !header.contains("b7ad6b7169203331"),
        "a call has an id of its own"
    );
}
