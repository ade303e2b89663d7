//! The one line that says why a wait ended, and a run that was cut off.

use super::*;
use gate::verdict::Verdict;

#[test]
fn a_wait_for_one_target() {
    let seen = [bad(503, "database is starting"), good(), bad(503, "down ```")];
    for (looks, end, reason) in [
        (&seen[..2], End::Ready, "ready after 2 tries in 12s"),
        (
            &seen[..1],
            End::TimedOut { target: 0 },
            "not ready after 1 try in 12s: answered 503, expected 2xx; it said `database is starting`",
        ),
        (
            &seen,
            End::TimedOut { target: 0 },
            "not ready after 3 tries in 12s: answered 503, expected 2xx; it said `down ````; it was good once and fell back",
        ),
        (
            &seen[..1],
            End::TooLate {
                target: 0,
                missing: 3,
                left: Duration::from_millis(797),
            },
            "not ready after 1 try in 12s: answered 503, expected 2xx; it said `database is starting`; 3 more good tries in \
             a row do not fit into the 797ms left",
        ),
        (
            &seen[..1],
            End::GaveUp { target: 0 },
            "not ready after 1 try in 12s: answered 503, expected 2xx; it said `database is starting`; such an answer is \
             not waited on",
        ),
        (
            &[],
            End::TimedOut { target: 0 },
            "not ready after 0 tries in 12s: nothing was seen",
        ),
        (
            &[Look::without_answer(Finding::Unmeasured(Trouble::question(
                "no such program",
            )))],
            End::Trouble {
                target: 0,
                trouble: Trouble::question("no such program"),
            },
            "not measured after 1 try in 12s: no such program",
        ),
    ] {
        let (record, _) = record(&[("api", looks)]);
        let ready = end == End::Ready;
        let report = waited(&record, Until::All, &ending(end, &[ready]));
        assert_eq!(report.reason, reason);
        let verdict = match reason.get(..5) {
            Some("ready") => Verdict::Pass,
            Some("not m") => Verdict::Error,
            _ => Verdict::Fail,
        };
        assert_eq!(report.verdict, verdict, "{reason}");
    }
}

#[test]
fn a_wait_for_several_names_them() {
    let (up, down) = ([good(), good()], [refused(), refused()]);
    let (record, _) = record(&[("api", &down), ("db", &up), ("cache", &down)]);
    for (until, end, ready, reason) in [
        (
            Until::All,
            End::TimedOut { target: 0 },
            [false, true, true],
            "api is not ready after 2 tries in 12s: connection refused; db, cache were ready",
        ),
        (
            Until::All,
            End::TimedOut { target: 2 },
            [false, true, false],
            "cache is not ready after 2 tries in 12s: connection refused; api is not ready: connection refused; db was ready",
        ),
        (
            Until::All,
            End::Ready,
            [true, true, true],
            "all 3 targets are ready after 6 tries in 12s",
        ),
        (
            Until::Any,
            End::Ready,
            [false, true, false],
            "db is ready after 6 tries in 12s; any of 3 is enough",
        ),
    ] {
        assert_eq!(waited(&record, until, &ending(end, &ready)).reason, reason);
    }
}

#[test]
fn a_run_that_was_cut_off_is_no_pass() {
    let (record, _) = record(&[("api", &[good(), good()])]);
    let cut = Run {
        cut: Some("cancelled by SIGINT".to_owned()),
        ..run()
    };
    let until = Until::All;
    let waiting = Waited { until, ending: None };
    let report = report_of(&cut, &record, Some(waiting), None, Vec::new());
    assert_eq!(
        (report.verdict, report.reason.as_str()),
        (Verdict::Inconclusive, "cancelled by SIGINT after 2 tries")
    );
    let ready = ending(End::Ready, &[true]);
    let waited = Waited {
        until,
        ending: Some(&ready),
    };
    let report = report_of(&cut, &record, Some(waited), None, Vec::new());
    assert_eq!(
        (report.verdict, report.reason.as_str()),
        (
            Verdict::Inconclusive,
            "cancelled by SIGINT before anything was watched; ready after 2 tries in 12s"
        )
    );
    let mut observation = judged_by(
        vec![rule(
            "latency",
            Subject::Probe(0),
            Some(clause("p95 < 300ms", &Subject::Probe(0))),
            None,
        )],
        1,
        Duration::ZERO,
    );
    sampled(&mut observation, [Some(10); 60]);
    judge(&mut observation, 60, |_| Ok(Reading::number(0.0)));
    let watching = Watched {
        observation: &observation,
        ending: None,
        took: secs(61),
    };
    let report = report_of(&cut, &record, Some(waited), Some(watching), Vec::new());
    assert_eq!(
        (report.verdict, report.reason.as_str()),
        (
            Verdict::Inconclusive,
            "cancelled by SIGINT after 1m1s of watching"
        )
    );
    assert_eq!(
        report.rules[0].reason,
        "cut short before it was decided; last: p95 10ms of 60"
    );
}
