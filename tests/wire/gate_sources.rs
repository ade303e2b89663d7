//! Metric sources through the program: what they answer, and what each way of not answering means.

use std::fs;
use std::time::Duration;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use serde_json::json;

use crate::process::{Finished, finish};
use crate::step::{ledger, outputs, report, with_file};

/// A gate that waits for `/ready` and then judges what `/stats` tells.
fn file(server: &Server, rule: &str) -> String {
    format!(
        "version: 1
sources: {{ stats: {{ type: http_json, url: '{0}', value: .errors, timeout: 1s }} }}
wait: {{ timeout: 20s, interval: 100ms, targets: [{{ http: '{1}' }}] }}
watch:
  duration: 2s
  interval: 200ms
  rules: [{{ name: errors, value: {{ source: stats }}, {rule} }}]
",
        server.url("/stats"),
        server.url("/ready")
    )
}

/// A run against these answers of the source.
fn run(place: &Place, replies: impl IntoIterator<Item = Reply>, rule: &str) -> (Server, Finished) {
    let script = Script::new()
        .on("/stats", replies)
        .on("/ready", [Reply::status(200)]);
    let server = Server::start(script).unwrap();
    let finished = finish(with_file(place, "run", &file(&server, rule), &[]));
    (server, finished)
}

fn errors(count: u32) -> Reply {
    Reply::json(200, &json!({"errors": count}))
}

fn waited(server: &Server) -> bool {
    server.requests().iter().any(|request| request.path == "/ready")
}

const LIMIT: &str = "require: '< 100'";

#[test]
fn a_value_under_and_over_the_limit() {
    let place = Place::new();
    run(&place, [errors(3)], LIMIT).1.expect(0);
    assert_eq!(outputs(&place)["verdict"], "pass");
    let place = Place::new();
    let (_, finished) = run(&place, [errors(3).times(3), errors(250)], "abort: '>= 200'");
    finished.expect(3);
    let outputs = outputs(&place);
    assert!(outputs["reason"].contains("errors: 250 >= 200"), "{outputs:?}");
    assert_eq!(report(&place)["watch"]["complete"], false);
}

/// Nothing is waited for when a source will never answer.
#[test]
fn a_source_that_refuses_is_told_before_anything_is_waited_for() {
    for (reply, code, reason) in [
        (Reply::text(401, "who are you"), 7, "answered 401: `who are you`"),
        (Reply::status(403), 7, "answered 403"),
        (Reply::text(400, "parse error"), 2, "answered 400: `parse error`"),
        (Reply::status(404), 2, "answered 404"),
        (
            Reply::redirect(302, "/login"),
            2,
            "answered 302; redirects are not followed",
        ),
    ] {
        let place = Place::new();
        let (server, finished) = run(&place, [reply], LIMIT);
        let finished = finished.expect(code);
        assert!(finished.took < Duration::from_secs(10), "{:?}", finished.took);
        finished.says(&["source `stats`: ", reason]);
        assert!(!waited(&server), "{reason}");
        assert_eq!(server.requests().len(), 1, "{reason}");
        assert_eq!(ledger(&place)[0]["exit"], code);
        let outputs = outputs(&place);
        assert_eq!(outputs["verdict"], "error");
        assert!(outputs["reason"].starts_with("source `stats`: "), "{outputs:?}");
    }
}

/// Files of an earlier run that passed are not left for a later step to read.
#[test]
fn a_source_that_refuses_is_in_every_file_of_the_result() {
    let place = Place::new();
    for name in ["report.json", "junit.xml"] {
        fs::write(place.path().join(name), "passed yesterday").unwrap();
    }
    let server = Server::start(Script::new().on("/stats", [Reply::status(401)])).unwrap();
    let flags = ["--report", "report.json", "--junit", "junit.xml"];
    finish(with_file(&place, "run", &file(&server, LIMIT), &flags)).expect(7);
    let told = report(&place);
    assert_eq!(told["verdict"], "error");
    assert!(
        told["reason"].as_str().unwrap().starts_with("source `stats`: "),
        "{told}"
    );
    let junit = place.read("junit.xml");
    assert!(
        junit.contains("tests=\"1\" failures=\"0\" errors=\"1\""),
        "{junit}"
    );
    assert!(junit.contains("answered 401"), "{junit}");
    let summary = place.read("summary");
    assert!(
        summary.contains("health-gate: error") && summary.contains("answered 401"),
        "{summary}"
    );
}

/// Two rules on two sources, of which `broken` refuses and counts only where it is not advisory.
#[test]
fn a_source_of_advisory_rules_alone_may_refuse() {
    for (advisory, code) in [(true, 0), (false, 7)] {
        let script = Script::new()
            .on("/stats", [errors(3)])
            .on("/broken", [Reply::status(403)]);
        let (place, server) = (Place::new(), Server::start(script).unwrap());
        let file = format!(
            "version: 1
sources:
  stats: {{ type: http_json, url: '{}', value: .errors }}
  broken: {{ type: http_json, url: '{}', value: .errors }}
watch:
  duration: 1s
  interval: 200ms
  rules:
    - {{ name: errors, value: {{ source: stats }}, require: '< 100' }}
    - {{ name: extra, value: {{ source: broken }}, require: '< 100', advisory: {advisory} }}
",
            server.url("/stats"),
            server.url("/broken")
        );
        let finished = finish(with_file(&place, "run", &file, &[])).expect(code);
        assert_eq!(
            outputs(&place)["verdict"],
            if advisory { "pass" } else { "error" }
        );
        if advisory {
            finished.says(&["source broken: ", "answered 403", "only advisory rules ask it"]);
        }
    }
}

#[test]
fn a_token_that_is_withdrawn_ends_the_watch() {
    let place = Place::new();
    let (server, finished) = run(&place, [errors(3).times(4), Reply::status(401)], LIMIT);
    finished.expect(7).says(&["answered 401"]);
    assert!(waited(&server));
    let outputs = outputs(&place);
    assert_eq!(outputs["verdict"], "error");
    assert_eq!(report(&place)["watch"]["complete"], false);
}

#[test]
fn trouble_that_passes_is_asked_again() {
    let place = Place::new();
    let (server, finished) = run(
        &place,
        [
            Reply::status(503),
            errors(3).times(2),
            Reply::status(500),
            Reply::reset(),
            errors(3),
        ],
        LIMIT,
    );
    finished.expect(0).says(&["asked again later"]);
    assert!(server.requests().len() > 5, "{}", server.requests().len());
}

#[test]
fn a_source_that_stays_away_is_an_error_and_no_pass() {
    for reply in [Reply::status(503), Reply::reset(), Reply::text(200, "<html>")] {
        let place = Place::new();
        let (_, finished) = run(&place, [reply], "require: '< 100', max_errors: 0");
        finished.expect(4);
        let outputs = outputs(&place);
        assert_eq!(outputs["verdict"], "error");
        assert!(outputs["reason"].starts_with("errors: "), "{outputs:?}");
    }
    let place = Place::new();
    let (_, finished) = run(&place, [Reply::hang()], "require: '< 100', max_errors: 0");
    finished.expect(4);
    assert_eq!(outputs(&place)["verdict"], "error");
}

#[test]
fn no_data_is_inconclusive_unless_the_file_says_what_it_means() {
    let empty = || Reply::json(200, &json!({"requests": 5}));
    for (rule, code, verdict) in [
        (LIMIT, 4, "inconclusive"),
        ("require: '< 100', no_data: fail", 3, "fail"),
        ("require: '< 100', no_data: pass", 0, "pass"),
        ("require: '< 100', no_data: zero", 0, "pass"),
        ("require: '> 100', no_data: zero", 3, "fail"),
    ] {
        let place = Place::new();
        let (_, finished) = run(&place, [empty()], rule);
        finished.expect(code);
        let outputs = outputs(&place);
        assert_eq!(outputs["verdict"], verdict, "{rule}: {outputs:?}");
    }
    let place = Place::new();
    let (_, finished) = run(&place, [Reply::status(204)], LIMIT);
    finished.expect(4);
    assert!(
        outputs(&place)["reason"].contains("no data"),
        "{:?}",
        outputs(&place)
    );
}

#[test]
fn an_advisory_rule_is_told_and_changes_nothing() {
    let place = Place::new();
    let (_, finished) = run(&place, [errors(500)], "require: '< 100', advisory: true");
    // Nothing is left that counts.
    finished.expect(0);
    let outputs = outputs(&place);
    assert_eq!(outputs["verdict"], "pass");
    assert!(
        outputs["reason"].contains("advisory and not passed: errors"),
        "{outputs:?}"
    );
}

#[test]
fn the_window_of_a_question_is_in_its_address() {
    let place = Place::new();
    let script = Script::new().any([errors(1)]);
    let server = Server::start(script).unwrap();
    let file = format!(
        "version: 1
sources: {{ stats: {{ type: http_json, url: '{}?last={{{{window}}}}', value: .errors }} }}
watch:
  duration: 2s
  interval: 500ms
  rules: [{{ name: errors, value: {{ source: stats }}, abort: {{ when: '> 5', window: 1s }} }}]
",
        server.url("/stats")
    );
    finish(with_file(&place, "run", &file, &[])).expect(0);
    let asked: Vec<String> = server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    assert!(asked.contains(&"/stats?last=1s".to_owned()), "{asked:?}");
}
