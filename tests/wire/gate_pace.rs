//! `health-gate` and time: good tries in a row, a flap, and no waiting for what can't come any more.

use std::time::Duration;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};

use crate::process::finish;
use crate::step::{gate, outputs};

#[test]
fn a_flap_starts_the_row_again() {
    let place = Place::new();
    let script = Script::new().any([
        Reply::status(200).times(2),
        Reply::status(503),
        Reply::status(200),
    ]);
    let server = Server::start(script).unwrap();
    finish(gate(&place, &server.url("/"), &["--success-threshold", "3"])).expect(0);
    assert_eq!(
        outputs(&place)["attempts"],
        "6",
        "two, the flap, and three in a row"
    );
}

#[test]
fn a_flap_is_told_when_it_fails() {
    let place = Place::new();
    let script = Script::new().any([Reply::status(200), Reply::status(503)]);
    let server = Server::start(script).unwrap();
    let mut command = place.step("health-gate");
    command.args([
        "--url",
        &server.url("/"),
        "--interval",
        "100ms",
        "--timeout",
        "900ms",
        "--success-threshold",
        "3",
    ]);
    finish(command).expect(3);
    let reason = &outputs(&place)["reason"];
    assert!(reason.ends_with("it was good once and fell back"), "{reason}");
}

#[test]
fn stops_when_the_good_tries_no_longer_fit() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::status(503)])).unwrap();
    let mut command = place.step("health-gate");
    command.args([
        "--url",
        &server.url("/"),
        "--interval",
        "1s",
        "--timeout",
        "6s",
        "--success-threshold",
        "5",
    ]);
    let finished = finish(command).expect(3);
    assert!(
        finished.took < Duration::from_millis(4500),
        "it waited for nothing: {:?}",
        finished.took
    );
    let outputs = outputs(&place);
    assert_eq!(
        outputs["attempts"], "2",
        "a row of five from the third try on would start its last at 6s"
    );
    assert!(
        outputs["reason"].contains("5 more good tries in a row do not fit into the "),
        "{outputs:?}"
    );
}

#[test]
fn tries_are_an_interval_apart() {
    let place = Place::new();
    let server = Server::start(Script::new().any([Reply::status(503).times(2), Reply::status(200)])).unwrap();
    let mut command = place.step("health-gate");
    command.args(["--url", &server.url("/"), "--interval", "1s"]);
    finish(command).expect(0);
    let starts: Vec<Duration> = server.requests().iter().map(|request| request.at).collect();
    for pair in starts.windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(500), "{starts:?}");
    }
}
