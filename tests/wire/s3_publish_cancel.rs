//! `s3-cdn-publish` that is cancelled, or killed: what visitors have is whole, and a second run comes to a good end.

use std::time::{Duration, Instant};

use black_box::Place;
use rustix::process::Signal;
use sandbox::stand_ins::aws::{Fault, Hosting, Turn};

use crate::process::{Finished, Running, finish};
use crate::s3_publish::{build, hosting, served, step};
use crate::step::{ledger, outputs};

/// What the contract gives.
const CONTRACT: Duration = Duration::from_secs(5);

/// A site of version 1, and a publish of version 2 that was sent a signal when all but its page was written.
fn signalled(place: &Place, site: &(Hosting, String), signal: Signal) -> (Finished, Duration) {
    build(place, 1);
    finish(step(place, site, "publish", &[])).expect(0);
    build(place, 2);
    site.0.fault("PutObject index.html", Turn::Every, Fault::Hang);
    let running = Running::start(step(place, site, "publish", &[]));
    running.wait_for("others: 1 done");
    let sent = Instant::now();
    running.signal(signal);
    let finished = running.finish();
    site.0.heal();
    (finished, sent.elapsed())
}

#[test]
fn a_cancel_brings_back_what_visitors_had() {
    for (signal, code, name) in [(Signal::INT, 130, "SIGINT"), (Signal::TERM, 143, "SIGTERM")] {
        let (place, site) = (Place::new(), hosting());
        let (finished, took) = signalled(&place, &site, signal);
        assert!(took < CONTRACT, "{took:?}");
        finished
            .expect(code)
            .says(&[&format!("cancelled by {name}"), "serves again"]);
        assert_eq!(served(&site), "1");
        assert_eq!(site.0.visit(&site.1, "/style.css").text(), "/* 1 */");
        let line = ledger(&place).pop().unwrap();
        assert_eq!(
            (line["status"].as_str(), line["exit"].as_i64()),
            (Some("cancelled"), Some(code.into()))
        );
        assert_eq!(outputs(&place)["changed"], "false");
        finish(step(&place, &site, "publish", &[])).expect(0);
        assert_eq!(served(&site), "2");
    }
}

#[test]
fn after_a_kill_recover_brings_back_what_visitors_had() {
    let (place, site) = (Place::new(), hosting());
    let (finished, _) = signalled(&place, &site, Signal::KILL);
    assert_eq!(finished.code, None);
    assert_eq!(served(&site), "1", "the page was not touched");
    let mut another = step(&place, &site, "recover", &[]);
    another.env("GITHUB_RUN_ID", "8");
    finish(another).expect(6).says(&[
        "another run publishes",
        "https://github.com/acme/shop/actions/runs/7",
    ]);
    finish(step(&place, &site, "recover", &[]))
        .expect(0)
        .says(&["serves whole from s3://site/: 1 file was brought back"]);
    assert_eq!(outputs(&place)["status"], "recovered");
    assert_eq!(site.0.visit(&site.1, "/style.css").text(), "/* 1 */");
    finish(step(&place, &site, "recover", &[]))
        .expect(0)
        .says(&["no run left anything to do"]);
    finish(step(&place, &site, "publish", &[])).expect(0);
    assert_eq!(served(&site), "2");
}

#[test]
fn two_publishes_at_once_are_one() {
    let (place, site) = (Place::new(), hosting());
    build(&place, 1);
    site.0.fault(
        "PutObject index.html",
        Turn::Nth(1),
        Fault::Slow(Duration::from_secs(6)),
    );
    let running = Running::start(step(&place, &site, "publish", &[]));
    running.wait_for("others: 1 done");
    let other = Place::new();
    build(&other, 2);
    let mut second = step(&other, &site, "publish", &[]);
    second.env("GITHUB_RUN_ID", "8");
    finish(second)
        .expect(6)
        .says(&["another run publishes to this bucket", "actions/runs/7"]);
    assert_eq!(ledger(&other)[0]["status"], "locked");
    running.finish().expect(0);
    assert_eq!(served(&site), "1");
}
