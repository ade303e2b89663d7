//! The one line that says why a rule has its verdict, and which of several speaks.

use super::*;
use gate::source::{Bucket, Value};
use gate::verdict::Verdict;

/// The verdict and the reason of one rule under what a source answers each minute.
fn judged(rule: Rule, minutes: u64, answer: impl Fn(&str) -> Result<Reading, Trouble>) -> (Verdict, String) {
    let mut observation = judged_by(vec![rule], 1, Duration::ZERO);
    for minute in 1..=minutes {
        judge(&mut observation, 60 * minute, &answer);
    }
    let report = watched(&observation, observation.settled().is_none());
    assert_eq!(report.verdict, report.rules[0].verdict);
    assert!(
        report.reason.starts_with(&format!("{}: ", report.rules[0].name)) || report.verdict == Verdict::Pass
    );
    (report.verdict, report.rules[0].reason.clone())
}

fn abort_in_a_row() -> Clause {
    Clause {
        window: Some(secs(60)),
        consecutive: 2,
        min_bad: 5,
        ..clause("> 2%", &ratio())
    }
}

#[test]
fn a_rule_that_failed() {
    let counts = |bad: f64, total: f64| {
        move |query: &str| Ok(Reading::number(if query == "bad" { bad } else { total }))
    };
    let failed = |rule: Rule, minutes, answer: &dyn Fn(&str) -> Result<Reading, Trouble>| {
        let (verdict, reason) = judged(rule, minutes, answer);
        assert_eq!(verdict, Verdict::Fail, "{reason}");
        reason
    };
    let error_rate = rule("error-rate", ratio(), None, Some(abort_in_a_row()));
    assert_eq!(
        failed(error_rate.clone(), 2, &counts(19.0, 600.0)),
        "3.2% (19 of 600) > 2% in 2 windows in a row of 60s"
    );
    let certain = Clause {
        certain: Some(0.999),
        ..abort_in_a_row()
    };
    assert_eq!(
        failed(
            rule("error-rate", ratio(), None, Some(certain)),
            1,
            &counts(90.0, 100.0)
        ),
        "90% (90 of 100) > 2% in 60s, beyond doubt (99.9%)"
    );
    let require = rule("error-rate", ratio(), Some(clause("< 1%", &ratio())), None);
    assert_eq!(
        failed(require, 10, &counts(15.0, 900.0)),
        "1.7% (15 of 900) and not < 1% in the whole 10m"
    );
    let held = Clause {
        window: Some(secs(60)),
        hold: secs(60),
        ..clause(">= 10", &number())
    };
    assert_eq!(
        failed(
            rule("5xx-burst", number(), None, Some(held)),
            2,
            &counts(0.0, 12.0)
        ),
        "12 >= 10 for 1m"
    );
    let missing = Rule {
        no_data: NoData::Fail,
        ..rule("alive", number(), None, Some(clause("< 1", &number())))
    };
    assert_eq!(
        failed(missing, 1, &|_| Ok(Reading::nothing("no such series"))),
        "no data: no such series; the rule says that this is bad (`no_data`)"
    );
    let slow = rule(
        "latency",
        histogram(),
        Some(clause("p95 < 100ms", &histogram())),
        None,
    );
    assert_eq!(
        failed(slow, 10, &|_| Ok(buckets())),
        "p95 between 250ms and 500ms and not < 100ms in the whole 10m"
    );
}

fn buckets() -> Reading {
    let bucket = |bound, count| Bucket { bound, count };
    Reading {
        value: Value::Buckets(vec![
            bucket(0.25, 90.0),
            bucket(0.5, 99.0),
            bucket(f64::INFINITY, 100.0),
        ]),
        notes: Vec::new(),
    }
}

#[test]
fn a_probe_that_keeps_failing() {
    let failing = Clause {
        hold: secs(120),
        ..clause("failing", &Subject::Probe(0))
    };
    let mut observation = judged_by(
        vec![rule("health", Subject::Probe(0), None, Some(failing))],
        1,
        Duration::ZERO,
    );
    sampled(&mut observation, [Some(10); 10].into_iter().chain([None; 131]));
    judge(&mut observation, 140, |_| Ok(Reading::number(0.0)));
    let report = watched(&observation, false);
    assert_eq!(report.reason, "health: failing for 2m10s, 2m is the limit");
    assert_eq!(report.failed_rules(), ["health"]);
}

#[test]
fn a_rule_that_knew_too_little() {
    let unknown = |rule: Rule, answer: &dyn Fn(&str) -> Result<Reading, Trouble>| {
        let (verdict, reason) = judged(rule, 10, answer);
        assert_eq!(verdict, Verdict::Inconclusive, "{reason}");
        reason
    };
    let few = Clause {
        min_samples: 299,
        ..clause("< 1%", &ratio())
    };
    assert_eq!(
        unknown(rule("error-rate", ratio(), Some(few.clone()), None), &|_| Ok(
            Reading::number(120.0)
        )),
        "120 of the 299 samples it takes; watch longer, send more traffic, or lower `min_samples`"
    );
    assert_eq!(
        unknown(
            rule("5xx", number(), Some(clause("< 1", &number())), None),
            &|_| Ok(Reading::nothing("no such series"))
        ),
        "no data: no such series; if the series exists only after the first error, say `no_data: zero`"
    );
    assert_eq!(
        unknown(rule("error-rate", ratio(), Some(few), None), &|_| Ok(
            Reading::number(0.0)
        )),
        "no data: no traffic; check the query, and that there is traffic"
    );
    assert_eq!(
        unknown(
            rule(
                "latency",
                histogram(),
                Some(clause("p95 < 300ms", &histogram())),
                None
            ),
            &|_| Ok(buckets())
        ),
        "it lies in the bucket from 250ms to 500ms, and the limit 300ms inside it; add a bucket with this bound"
    );
    let own = Clause {
        min_samples: 59,
        ..clause("p95 < 300ms", &Subject::Probe(0))
    };
    let mut observation = judged_by(
        vec![rule("latency", Subject::Probe(0), Some(own), None)],
        1,
        Duration::ZERO,
    );
    sampled(&mut observation, [Some(10); 20]);
    judge(&mut observation, 60, |_| Ok(Reading::number(0.0)));
    assert_eq!(
        watched(&observation, true).reason,
        "latency: 20 of the 59 samples it takes; watch longer, raise the rate, or lower `min_samples`, as a flag `--min-samples`"
    );
}

#[test]
fn a_rule_that_could_not_be_measured() {
    let (verdict, reason) = judged(
        rule("error-rate", ratio(), None, Some(abort_in_a_row())),
        10,
        |_| Err(Trouble::passing("prometheus answered 503")),
    );
    assert_eq!(
        (verdict, reason.as_str()),
        (Verdict::Error, "not measured (10 times): prometheus answered 503")
    );
}

#[test]
fn of_several_rules_the_worst_speaks() {
    let rules = || {
        let advisory = |name: &str, advisory| Rule {
            advisory,
            ..rule(name, number(), None, Some(clause("> 1", &number())))
        };
        vec![
            rule("quiet", number(), Some(clause("< 9", &number())), None),
            advisory("hint", true),
            advisory("one", false),
            advisory("two", false),
        ]
    };
    let mut observation = judged_by(rules(), 0, Duration::ZERO);
    judge(&mut observation, 60, |_| Ok(Reading::number(5.0)));
    let report = watched(&observation, false);
    assert_eq!(report.reason, "one: 5 > 1 in the whole 1m; also failed: two");
    assert_eq!(report.failed_rules(), ["one", "two"]);
    let mut observation = judged_by(rules().into_iter().take(2).collect(), 0, Duration::ZERO);
    judge(&mut observation, 60, |_| Ok(Reading::number(5.0)));
    let report = watched(&observation, true);
    assert_eq!(
        (report.verdict, report.reason.as_str()),
        (
            Verdict::Pass,
            "1 rule held for 10m; advisory and not passed: hint"
        )
    );
    let report = watched(
        &judged_by(rules().into_iter().skip(1).take(1).collect(), 0, Duration::ZERO),
        true,
    );
    assert_eq!(
        (report.verdict, report.reason.as_str()),
        (
            Verdict::Inconclusive,
            "nothing was judged that counts; give rules that are not advisory"
        )
    );
}

#[test]
fn a_comparison_counts_as_a_rule_does() {
    let comparison = |advisory| Comparison {
        name: "canary".to_owned(),
        verdict: Verdict::Fail,
        advisory,
        cut_short: false,
        reason: "3 times the errors of the baseline".to_owned(),
        numbers: vec![("ratio".to_owned(), 3.0)],
    };
    for (advisory, verdict) in [(false, Verdict::Fail), (true, Verdict::Pass)] {
        let (record, _) = record(&[("api", &[good()])]);
        let ready = ending(End::Ready, &[true]);
        let waited = Waited {
            until: Until::All,
            ending: Some(&ready),
        };
        let observation = judged_by(Vec::new(), 0, Duration::ZERO);
        let watched = Watched {
            observation: &observation,
            ending: Some(&observed(60, true)),
            took: secs(60),
        };
        let report = report_of(
            &run(),
            &record,
            Some(waited),
            Some(watched),
            vec![comparison(advisory)],
        );
        assert_eq!(report.verdict, verdict, "{}", report.reason);
        assert_eq!(report.failed_rules().is_empty(), advisory);
    }
}
