//! `health-gate` judges what is answered: status, header, body, JSON, version, redirects.

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use sandbox::stand_ins::web::Release;
use serde_json::json;

use crate::commands::named;
use crate::process::finish;
use crate::step::{LEDGER, gate, hopeless_gate, ledger, outputs};

fn serve(reply: Reply) -> Server {
    Server::start(Script::new().any([reply])).unwrap()
}

/// One good answer that the given rules must take.
#[track_caller]
fn passes(reply: Reply, rules: &[&str]) {
    let (place, server) = (Place::new(), serve(reply));
    finish(gate(&place, &server.url("/health"), rules)).expect(0);
    assert_eq!(server.requests().len(), 1, "{rules:?}");
}

/// An answer that the given rules must refuse, for this reason.
#[track_caller]
fn refuses(reply: Reply, rules: &[&str], reason: &str) {
    let (place, server) = (Place::new(), serve(reply));
    finish(hopeless_gate(&place, &server.url("/health"), rules)).expect(3);
    let said = &outputs(&place)["reason"];
    assert!(
        said.starts_with("not ready after ") && said.contains(reason),
        "{said}"
    );
    assert_eq!(outputs(&place)["verdict"], "fail");
}

#[test]
fn waits_for_a_service_that_comes_up() {
    let place = Place::new();
    let script = Script::new().on(
        "GET /health",
        [Reply::status(503).times(3), Reply::text(200, "ok")],
    );
    let server = Server::start(script).unwrap();
    let finished = finish(gate(&place, &server.url("/health"), &[])).expect(0);
    let outputs = outputs(&place);
    assert_eq!(
        (outputs["verdict"].as_str(), outputs["attempts"].as_str()),
        ("pass", "4")
    );
    assert!(
        outputs["reason"].starts_with("ready after 4 tries in "),
        "{outputs:?}"
    );
    let took: u128 = outputs["duration-ms"].parse().unwrap();
    assert!((300..=finished.took.as_millis()).contains(&took), "{took}");
    assert_eq!(server.requests().len(), 4);
    let last = &ledger(&place)[0];
    assert_eq!(
        (&last["status"], &last["exit"], &last["facts"]["attempts"]),
        (&json!("done"), &json!(0), &json!(4))
    );
    assert_eq!(last["target"], server.url("/health"));
    assert_eq!(outputs["result"], serde_json::to_string(last).unwrap());
    let summary = place.read("summary");
    assert!(
        summary.contains("✅ health-gate: pass") && summary.contains("answered 503, expected 2xx"),
        "{summary}"
    );
}

#[test]
fn waits_for_the_version_that_was_deployed() {
    let place = Place::new();
    let service = Release::new("1.2.2", "1.2.3")
        .starting(1)
        .old_for(2)
        .serve()
        .unwrap();
    finish(gate(&place, &service.health(), &["--expect-version", "v1.2.3"]))
        .expect(0)
        .says(&["serves version `1.2.2`, expected `v1.2.3`"]);
    assert_eq!(outputs(&place)["attempts"], "4");
}

#[test]
fn the_old_version_is_not_the_new_one() {
    refuses(
        Reply::json(200, &json!({"version": "1.2.2"})),
        &["--expect-version", "1.2.3"],
        "serves version `1.2.2`, expected `1.2.3`",
    );
    passes(
        Reply::status(204).header("x-rev", "0123456"),
        &[
            "--expect-version",
            "0123456789abcdef0123456789abcdef01234567",
            "--version-at",
            "header:x-rev",
        ],
    );
}

#[test]
fn status_codes_and_their_classes() {
    passes(Reply::status(204), &[]);
    passes(Reply::status(401), &["--expect-status", "2xx,401"]);
    passes(
        Reply::status(302).header("location", "/login"),
        &["--expect-status", "300-302"],
    );
    refuses(Reply::status(404), &[], "answered 404, expected 2xx");
    refuses(
        Reply::status(200),
        &["--expect-status", "204"],
        "answered 200, expected 204",
    );
}

#[test]
fn headers() {
    let reply = || Reply::text(200, "ok").header("x-ready", "yes, really");
    passes(
        reply(),
        &[
            "--expect-header",
            "X-Ready: yes",
            "--expect-header",
            "content-type",
        ],
    );
    refuses(
        reply(),
        &["--expect-header", "x-ready: no"],
        "header `x-ready` is `yes, really`, expected `no`",
    );
    refuses(
        reply(),
        &["--expect-header", "x-live"],
        "header `x-live` is missing",
    );
}

#[test]
fn bodies() {
    passes(
        Reply::text(200, "all is well"),
        &["--expect-body", "well", "--expect-body", "all"],
    );
    refuses(
        Reply::text(200, "all is well"),
        &["--expect-body", "ready"],
        "the body does not contain `ready`",
    );
}

#[test]
fn json_fields() {
    let reply = || Reply::json(200, &json!({"status": "ok", "checks": {"db": true, "n": 3}}));
    passes(
        reply(),
        &[
            "--expect-json",
            "/status=ok",
            "--expect-json",
            "/checks/db=true",
            "--expect-json",
            "/checks/n=3",
        ],
    );
    refuses(
        reply(),
        &["--expect-json", "/checks/db=false"],
        "`/checks/db` is `true`, expected `false`",
    );
    refuses(
        reply(),
        &["--expect-json", "/cache=ok"],
        "the body has no `/cache`",
    );
    refuses(
        Reply::text(200, "<html>"),
        &["--expect-json", "/a=b"],
        "the body is not JSON",
    );
}

#[test]
fn a_redirect_is_shown_and_not_followed() {
    let place = Place::new();
    let script = Script::new()
        .on(
            "/health",
            [Reply::redirect(302, "/login?next=health&code=s3cr3t#x")],
        )
        .on("/login", [Reply::text(200, "sign in")]);
    let server = Server::start(script).unwrap();
    finish(hopeless_gate(&place, &server.url("/health"), &[]))
        .expect(3)
        .says(&[
            "answered 302 to `/login`, expected 2xx",
            "redirects are not followed",
        ]);
    assert!(server.requests().iter().all(|request| request.path == "/health"));
}

/// A health check's address may hold a key, and a key may be all there is before the `@`.
#[test]
fn what_may_be_a_secret_in_an_address_is_said_nowhere() {
    let (place, server) = (Place::new(), serve(Reply::status(500)));
    let url = server
        .url("/health?key=k3y-of-the-query")
        .replace("//", "//us3r-token:passw0rd-of-it@");
    let finished = finish(hopeless_gate(&place, &url, &[])).expect(3);
    let credentials = "Basic dXMzci10b2tlbjpwYXNzdzByZC1vZi1pdA==";
    assert_eq!(server.requests()[0].header("authorization"), Some(credentials));
    let masks = |line: &&str| !line.starts_with("::add-mask::");
    let log: String = finished.stdout.lines().filter(masks).collect();
    for text in [
        log,
        finished.stderr,
        place.read("output"),
        place.read("summary"),
        place.read(LEDGER),
    ] {
        for secret in ["passw0rd-of-it", "us3r-token", "k3y-of-the-query"] {
            assert!(!text.contains(secret), "`{secret}` is in {text}");
        }
    }
}

#[test]
fn a_short_password_hides_no_verdict() {
    let (place, server) = (Place::new(), serve(Reply::status(200)));
    finish(gate(&place, &server.url("/").replace("//", "//user:pass@"), &[])).expect(0);
    assert_eq!(outputs(&place)["verdict"], "pass");
}

#[test]
fn a_failure_shows_the_last_answer_and_how_to_repeat_it() {
    let (place, server) = (
        Place::new(),
        serve(Reply::text(500, "no connection to the database\nat line 7")),
    );
    let finished = finish(hopeless_gate(&place, &server.url("/health"), &[])).expect(3);
    let finished = finished.says(&[
        "| no connection to the database\n| at line 7\n",
        "reproduce: health-gate wait --url ",
    ]);
    assert_eq!(named(&finished.log(), "error").len(), 1, "{}", finished.log());
    let summary = place.read("summary");
    assert!(
        summary.contains("Last answer: 500") && summary.contains("no connection to the database"),
        "{summary}"
    );
}
