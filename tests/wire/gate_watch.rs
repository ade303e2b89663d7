//! `health-gate watch`: what ends it at once, what is judged at the end, and what nobody can know.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use black_box::Place;
use sandbox::http::{Reply, Script, Server};
use serde_json::Value;

use crate::process::{Finished, finish};
use crate::step::{outputs, report, watch};

fn serve(replies: impl IntoIterator<Item = Reply>) -> Server {
    Server::start(Script::new().any(replies)).unwrap()
}

/// A server whose every nth answer is this one, and 200 otherwise.
fn every(nth: usize, reply: fn() -> Reply) -> Server {
    let count = AtomicUsize::new(0);
    Server::start_with(move |_| match (count.fetch_add(1, Ordering::Relaxed) + 1) % nth {
        0 => reply(),
        _ => Reply::status(200),
    })
    .unwrap()
}

/// A watch that is much shorter than its duration, because a rule ended it.
#[track_caller]
fn aborts(server: &Server, flags: &[&str]) -> Place {
    let place = Place::new();
    let long = ["--duration", "10m", "--rate", "20/s"];
    let finished = finish(watch(&place, &server.url("/"), &[&long, flags].concat())).expect(3);
    assert!(finished.took < Duration::from_secs(30), "{:?}", finished.took);
    assert_eq!(outputs(&place)["verdict"], "fail");
    assert_eq!(report(&place)["watch"]["complete"], false);
    place
}

/// A watch that lasts its whole time.
#[track_caller]
fn lasts(server: &Server, code: i32, flags: &[&str]) -> (Place, Finished) {
    let place = Place::new();
    let short = ["--duration", "3s", "--rate", "40/s"];
    let finished = finish(watch(&place, &server.url("/"), &[&short, flags].concat())).expect(code);
    assert!(finished.took >= Duration::from_secs(3), "{:?}", finished.took);
    assert_eq!(report(&place)["watch"]["complete"], true);
    (place, finished)
}

fn reason(place: &Place) -> String {
    outputs(place)["reason"].clone()
}

fn rules(place: &Place) -> Vec<String> {
    let report = report(place);
    let rules = report["rules"].as_array().unwrap().iter();
    rules
        .map(|rule| rule["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_healthy_target_passes() {
    let server = serve([Reply::status(200)]);
    let (place, _) = lasts(
        &server,
        0,
        &[
            "--require",
            "error_rate < 10%",
            "--require",
            "count(bad) == 0",
            "--require",
            "p95 < 5s",
            "--abort",
            "count(5xx) >= 1",
        ],
    );
    let outputs = outputs(&place);
    assert_eq!(
        (outputs["verdict"].as_str(), outputs["failed-rules"].as_str()),
        ("pass", "[]")
    );
    assert_eq!(outputs["error-rate"], "0.0000");
    assert!(reason(&place).starts_with("4 rules held for "), "{outputs:?}");
    let samples: usize = outputs["samples"].parse().unwrap();
    assert_eq!(
        samples,
        server.requests().len(),
        "every look is one request and one sample"
    );
    let p95: f64 = outputs["p95-ms"].parse().unwrap();
    assert!(p95 > 0.0 && p95 < 5000.0, "{p95}");
}

#[test]
fn an_error_rate_ends_it_at_once_with_value_limit_and_count() {
    let server = serve([Reply::status(500)]);
    let place = aborts(&server, &["--abort", "error_rate > 5%"]);
    let reason = reason(&place);
    assert!(
        reason.starts_with("error-rate: 100% (") && reason.contains(") > 5% in "),
        "{reason}"
    );
    let outputs = outputs(&place);
    assert_eq!(outputs["failed-rules"], "[\"error-rate\"]");
    let samples = &outputs["samples"];
    assert!(reason.contains(&format!("({samples} of {samples})")), "{reason}");
}

#[test]
fn what_is_required_is_judged_at_the_end() {
    let server = every(4, || Reply::status(503));
    let (place, _) = lasts(&server, 3, &["--require", "error_rate < 10%"]);
    let reason = reason(&place);
    assert!(
        reason.starts_with("error-rate: ") && reason.contains(" and not < 10% in the whole "),
        "{reason}"
    );
    let rate: f64 = outputs(&place)["error-rate"].parse().unwrap();
    assert!((0.2..=0.3).contains(&rate), "{rate}");
}

#[test]
fn the_latency_of_a_slow_target_is_measured() {
    let server = serve([Reply::status(200).delay(Duration::from_millis(150))]);
    let (place, _) = lasts(&server, 3, &["--require", "p95 < 100ms"]);
    let reason = reason(&place);
    assert!(
        reason.starts_with("p95: ") && reason.contains("100ms"),
        "{reason}"
    );
    let p95: f64 = outputs(&place)["p95-ms"].parse().unwrap();
    assert!(p95 >= 150.0, "{p95}");
    assert_eq!(
        outputs(&place)["error-rate"],
        "0.0000",
        "slow is not an error by itself"
    );
}

#[test]
fn server_errors_are_counted() {
    let server = serve([
        Reply::status(200).times(5),
        Reply::status(404).times(20),
        Reply::status(500),
    ]);
    let place = aborts(&server, &["--abort", "count(5xx) >= 10"]);
    let reason = reason(&place);
    assert!(
        reason.starts_with("count-5xx: ") && reason.contains(">= 10 in "),
        "{reason}"
    );
    assert!(
        server.requests().len() >= 35,
        "the ones with 404 do not count: {}",
        server.requests().len()
    );
    let counted = report(&place)["rules"][0]["abort"]["value"].as_f64().unwrap();
    assert!(counted >= 10.0, "{counted}");
}

#[test]
fn failing_without_a_break_for_a_time() {
    let down = serve([Reply::status(200).times(3), Reply::reset()]);
    let place = aborts(&down, &["--abort", "failing for 1s"]);
    let reason = reason(&place);
    assert!(reason.starts_with("failing: failing for "), "{reason}");
    let flapping = every(2, Reply::reset);
    lasts(&flapping, 0, &["--abort", "failing for 2s"]);
}

#[test]
fn without_samples_nothing_is_known() {
    let server = serve([Reply::status(200)]);
    let place = Place::new();
    let flags = [
        "--duration",
        "1s",
        "--warmup",
        "500ms",
        "--rate",
        "1/m",
        "--require",
        "count(bad) == 0",
    ];
    finish(watch(&place, &server.url("/"), &flags)).expect(4);
    let outputs = outputs(&place);
    assert_eq!(outputs["verdict"], "inconclusive");
    assert!(outputs["reason"].starts_with("count-bad: no data"), "{outputs:?}");
    assert_eq!(outputs["failed-rules"], "[]");
    let place = Place::new();
    let flags = [&flags[..], &["--on-inconclusive", "fail"]].concat();
    finish(watch(&place, &server.url("/"), &flags)).expect(3);
    assert_eq!(crate::step::outputs(&place)["verdict"], "inconclusive");
}

#[test]
fn a_rule_that_can_never_have_enough_samples_is_refused_before_anything_is_looked_at() {
    let server = serve([Reply::status(200)]);
    let place = Place::new();
    let flags = ["--duration", "10s", "--require", "error_rate < 1%"];
    finish(watch(&place, &server.url("/"), &flags))
        .expect(2)
        .says(&["needs 299 samples, and the probe makes 10 in 10s"]);
    assert!(server.requests().is_empty());
}

#[test]
fn the_rate_is_kept_while_the_target_hangs() {
    let server = serve([Reply::hang()]);
    let (place, _) = lasts(
        &server,
        3,
        &["--try-timeout", "1s", "--require", "error_rate < 50%"],
    );
    let watched = &report(&place)["watch"];
    let count = |name: &str| watched[name].as_u64().unwrap();
    let probe = &watched["probes"][0];
    let samples = probe["samples"].as_u64().unwrap();
    assert_eq!(samples + count("skipped"), 120, "3s at 40/s: {watched}");
    assert!(
        samples > 40,
        "one after the other there would be three: {watched}"
    );
    assert_eq!(probe["timed_out"], samples, "{watched}");
    assert_eq!(outputs(&place)["error-rate"], "1.0000");
    assert!(
        probe["p95_ms"].as_f64().unwrap() >= 1000.0,
        "those without an answer took at least the time of a look: {watched}"
    );
}

#[test]
fn a_stall_shows_in_the_latency_of_all_looks_that_fell_into_it() {
    let server = Server::start_with(|request| match request.at {
        at if at < Duration::from_millis(1500) => Reply::status(200).delay(Duration::from_millis(1500) - at),
        _ => Reply::status(200),
    })
    .unwrap();
    let (place, _) = lasts(
        &server,
        3,
        &["--require", "p50 < 50ms", "--require", "p75 < 200ms"],
    );
    assert!(reason(&place).starts_with("p75: "), "{}", reason(&place));
}

#[test]
fn presets_are_rules() {
    let server = serve([Reply::status(500)]);
    let place = aborts(&server, &["--preset", "steady"]);
    assert_eq!(rules(&place), ["health", "error-rate", "server-errors"]);
    let place = aborts(&server, &["--preset", "slo-default"]);
    assert!(rules(&place).contains(&"p95".to_owned()), "{:?}", rules(&place));
    let place = aborts(&server, &["--preset", "severity"]);
    assert_eq!(outputs(&place)["failed-rules"], "[\"error-rate-critical\"]");
    // What nobody can measure is not left out without a word.
    let place = Place::new();
    let finished = finish(watch(
        &place,
        &server.url("/"),
        &["--preset", "canary", "--duration", "10m"],
    ))
    .expect(2);
    finished.says(&["crashes"]);
}

#[test]
fn a_warm_up_is_kept_and_not_judged() {
    let server = serve([Reply::status(503).times(10), Reply::status(200)]);
    let (place, _) = lasts(
        &server,
        0,
        &[
            "--warmup",
            "1500ms",
            "--require",
            "count(bad) == 0",
            "--abort",
            "error_rate > 5%",
        ],
    );
    let probe: &Value = &report(&place)["watch"]["probes"][0];
    assert_eq!(probe["bad"], 10, "they are in the report");
}
