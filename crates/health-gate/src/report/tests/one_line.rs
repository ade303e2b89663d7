//! What a person sees who reads one line: which target, which limit, and how many rules were cut short.

use gha::mask::Masker;
use serde_json::json;

use super::forms::rising;
use super::*;

#[test]
fn a_chart_names_the_limits_that_are_about_its_values() {
    let minute = |written: &str, subject: &Subject| Clause {
        window: Some(secs(60)),
        ..clause(written, subject)
    };
    let charted = |require: &str, abort: &str| {
        let probe = Subject::Probe(0);
        let rules = vec![rule(
            "latency",
            Subject::Probe(0),
            Some(clause(require, &probe)),
            Some(minute(abort, &probe)),
        )];
        let mut observation = judged_by(rules, 1, Duration::ZERO);
        sampled(&mut observation, (0..120).map(|_| Some(200)));
        judge(&mut observation, 60, |_| unreachable!());
        judge(&mut observation, 120, |_| unreachable!());
        watched(&observation, true).summary().fit(0)
    };
    let same = charted("p95 < 300ms", "p95 > 500ms");
    let lines = "    line [200, 200]\n    line [300, 300]\n    line [500, 500]\n```";
    let said = "_The flat lines are `require p95 < 300ms` and `abort p95 > 500ms in 60s`; the other line is what was measured._";
    assert!(same.contains(lines) && same.contains(said), "{same}");
    let other = charted("p95 < 300ms", "p99 > 500ms");
    let said = "_The flat line is `abort p99 > 500ms in 60s`; the other line is what was measured._";
    assert!(other.contains(said), "{other}");
}

#[test]
fn the_target_is_named_wherever_one_line_is_all_that_is_seen() {
    let observation = rising("error-rate");
    let record = Record::new(Vec::new(), vec![looked("probe")]);
    let ended = observed(600, false);
    let watched = |run: &Run| {
        let watched = Watched {
            observation: &observation,
            ending: Some(&ended),
            took: secs(600),
        };
        report_of(run, &record, None, Some(watched), Vec::new())
    };
    let report = watched(&Run {
        target: "http://probe/health".to_owned(),
        environment: Some("production".to_owned()),
        ..run()
    });
    assert_eq!(
        report.headline(),
        "http://probe/health (production): error-rate: 4.5% (9 of 200) > 4% in 60s"
    );
    let summary = report.summary().fit(0);
    assert!(
        summary.contains("fail\n\n`http://probe/health` in production: error-rate: 4.5%"),
        "{summary}"
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        (&json["target"], &json["environment"]),
        (&json!("http://probe/health"), &json!("production"))
    );
    assert_eq!(
        (&json["rules"][0]["target"], &json["rules"][1]["target"]),
        (&json!("http://probe/health"), &json!(null)),
        "a source's rule looks at no address"
    );
    assert_eq!(watched(&run()).headline(), report.reason);
}

#[test]
fn rules_that_were_cut_short_share_a_line() {
    let failed = || rule("burst", number(), None, Some(clause("> 1", &number())));
    let other = |n: u8| {
        rule(
            &format!("other-{n}"),
            number(),
            Some(clause("< 10", &number())),
            None,
        )
    };
    let mut observation = judged_by(vec![other(1), failed(), other(2), other(3)], 0, Duration::ZERO);
    judge(&mut observation, 60, |_| Ok(Reading::number(5.0)));
    let report = watched(&observation, false);
    let said: Vec<String> = report
        .annotations()
        .into_iter()
        .map(|one| format!("{}: {}", one.title, one.message))
        .collect();
    assert_eq!(
        said,
        [
            "burst: fail: 5 > 1 in the whole 1m",
            "health-gate: 3 rules were cut short before a decision: other-1, other-2, other-3"
        ]
    );
    // Where nothing failed, a cancel did it, and a skipped test would be green.
    let mut observation = judged_by(vec![other(1)], 0, Duration::ZERO);
    judge(&mut observation, 60, |_| Ok(Reading::number(5.0)));
    let report = watched(&observation, false);
    let junit = report.junit(&Masker::default());
    assert!(junit.contains("<error type=\"inconclusive\""), "{junit}");
    assert_eq!(report.annotations().len(), 1);
}

#[test]
fn what_the_failure_tells_is_not_told_again() {
    let limit = |name: &str, written: &str| rule(name, number(), Some(clause(written, &number())), None);
    let advisory = Rule {
        advisory: true,
        ..limit("hint", "< 1")
    };
    let beside = |rules: Vec<Rule>, complete, of_cut| -> Vec<String> {
        let mut observation = judged_by(rules, 0, Duration::ZERO);
        judge(&mut observation, 60, |_| Ok(Reading::number(5.0)));
        let beside = watched(&observation, complete).annotations_beside(of_cut);
        beside.into_iter().map(|one| one.message).collect()
    };
    let two = || vec![limit("error-rate", "< 9"), limit("p95", "< 8")];
    assert_eq!(
        beside(two(), false, true),
        ["2 rules were cut short before a decision: error-rate, p95"],
        "the failure tells of the cancel alone"
    );
    let failed = || vec![limit("a", "< 1"), limit("b", "< 2")];
    assert_eq!(
        beside(failed(), true, false),
        ["fail: 5 and not < 2 in the whole 1m"]
    );
    assert_eq!(
        beside(failed(), true, true).len(),
        2,
        "cancelled as it had failed"
    );
    assert_eq!(
        beside(vec![advisory], true, false),
        ["fail: 5 and not < 1 in the whole 1m"],
        "the failure tells that nothing counts"
    );
}
