//! `health-gate` against servers that break off, hang, or never end: each has its reason, and none holds it up.

use std::time::Duration;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};

use crate::process::finish;
use crate::step::{gate, hopeless_gate, outputs};

/// Runs against a server that always answers like this, and gives the reason of the failure.
#[track_caller]
fn reason(reply: Reply, flags: &[&str]) -> String {
    let place = Place::new();
    let server = Server::start(Script::new().any([reply])).unwrap();
    let finished = finish(hopeless_gate(&place, &server.url("/"), flags)).expect(3);
    assert!(finished.took < Duration::from_secs(5), "{:?}", finished.took);
    assert!(!server.requests().is_empty());
    outputs(&place)["reason"].clone()
}

#[test]
fn a_hang_ends_with_the_time_of_a_try() {
    let reason = reason(Reply::hang(), &["--try-timeout", "200ms"]);
    assert!(reason.contains("no complete answer within"), "{reason}");
    assert!(
        !reason.contains("after 1 try"),
        "a hang must not use up the whole time: {reason}"
    );
}

#[test]
fn a_hang_is_not_the_end() {
    let place = Place::new();
    let script = Script::new().any([Reply::hang(), Reply::hang(), Reply::text(200, "ok")]);
    let server = Server::start(script).unwrap();
    finish(gate(&place, &server.url("/"), &["--try-timeout", "200ms"])).expect(0);
    assert_eq!(outputs(&place)["attempts"], "3");
}

#[test]
fn a_reset_and_a_close_are_named() {
    let reset = reason(Reply::reset(), &[]);
    assert!(reason_names_the_connection(&reset), "{reset}");
    let closed = reason(Reply::close(), &[]);
    assert!(reason_names_the_connection(&closed), "{closed}");
}

#[test]
fn a_body_that_is_cut_short_is_no_answer() {
    let cut = reason(
        Reply::text(200, "ok and more").cut_after(2),
        &["--expect-body", "ok"],
    );
    assert!(reason_names_the_connection(&cut), "{cut}");
}

fn reason_names_the_connection(reason: &str) -> bool {
    reason.contains("the connection broke: ") && !reason.contains("http://")
}

#[test]
fn a_body_without_end_is_no_answer() {
    let slow = Reply::text(200, "ok ").endless(Duration::from_millis(20));
    let reason = reason(slow, &["--try-timeout", "200ms", "--expect-body", "ok"]);
    assert!(reason.contains("no complete answer within"), "{reason}");
}

#[test]
fn a_large_body_is_read_up_to_a_limit() {
    let large = |first: &str, last: &str| {
        let filler = "0123456789abcdef".repeat(131_072);
        Reply::text(200, format!("{first}{filler}{last}"))
    };
    let place = Place::new();
    let server = Server::start(Script::new().any([large("ready", "")])).unwrap();
    finish(gate(&place, &server.url("/"), &["--expect-body", "ready"])).expect(0);
    let reason = reason(large("", "ready"), &["--expect-body", "ready"]);
    assert!(
        reason.contains("the body does not contain `ready`, as far as it was read"),
        "{reason}"
    );
}

#[test]
fn the_whole_time_is_kept_while_a_server_hangs() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::hang()])).unwrap();
    let finished = finish(hopeless_gate(&place, &server.url("/"), &["--try-timeout", "1m"])).expect(3);
    assert!(finished.took < Duration::from_secs(5), "{:?}", finished.took);
    assert_eq!(server.requests().len(), 1);
}
