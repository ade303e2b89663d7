//! The forms that a report takes.

use super::*;
use gate::verdict::Verdict;
use gha::command::Level;
use gha::mask::Masker;
use serde_json::json;

/// An observation of ten minutes in which the error rate rises, with a gap.
pub(super) fn rising(name: &str) -> Observation {
    let abort = Clause {
        window: Some(secs(60)),
        ..clause("> 4%", &ratio())
    };
    let mut observation = judged_by(
        vec![
            rule(
                "fine",
                Subject::Probe(0),
                Some(clause("p95 < 300ms", &Subject::Probe(0))),
                None,
            ),
            rule(name, ratio(), None, Some(abort)),
        ],
        1,
        Duration::ZERO,
    );
    sampled(
        &mut observation,
        (0..600).map(|second| (second % 10 > 0).then_some(20 + second % 7)),
    );
    for minute in 1..=10_u32 {
        judge(&mut observation, 60 * u64::from(minute), |query| {
            match (query, minute) {
                (_, 5) => Ok(Reading::nothing("no series")),
                ("bad", _) => Ok(Reading::number(f64::from(minute))),
                _ => Ok(Reading::number(200.0)),
            }
        });
    }
    observation
}

#[test]
fn a_report_is_json_with_a_schema() {
    let report = watched(&rising("error-rate"), false);
    let json: serde_json::Value = serde_json::from_slice(&report.json(&Masker::default()).unwrap()).unwrap();
    assert_eq!(json["schema"], "deploy-actions/health-gate@1");
    assert_eq!(
        (&json["verdict"], &json["reason"]),
        (&json!("fail"), &json!("error-rate: 4.5% (9 of 200) > 4% in 60s"))
    );
    assert_eq!(
        json["watch"],
        json!({"duration_ms": 600_000, "complete": false, "dropped": 0, "crowded": 0, "skipped": 0, "probes": [{
            "name": "probe", "address": "http://probe/health", "samples": 600, "bad": 60, "timed_out": 0, "unmeasured": 0,
            "p95_ms": 26.0,
            "latency": {"n": 540, "p50_ms": 23.0, "p95_ms": 26.0, "p99_ms": 26.0, "max_ms": 26.0},
            "latency_of_failures": {"n": 60, "p50_ms": 2.0, "p95_ms": 2.0, "p99_ms": 2.0, "max_ms": 2.0},
            "last_fault": null,
        }]})
    );
    let rule = &json["rules"][1];
    assert_eq!(
        rule["abort"],
        json!({"condition": "> 4%", "threshold": 0.04, "unit": "share", "limit": "> 4% in 60s", "text": "4.5% (9 of 200)",
            "value": 0.045, "n": 200.0, "bad": 9.0, "window_ms": 60_000, "standing": "failed"})
    );
    assert_eq!(rule["points"][4], json!({"at_ms": 300_000, "value": null}));
    assert_eq!(rule["points"].as_array().unwrap().len(), 10);
}

#[test]
fn a_target_has_its_last_look_and_its_attempts() {
    let (record, _) = record(&[("api", &[bad(503, "down"), good(), bad(500, "oops")])]);
    let report = waited(
        &record,
        Until::All,
        &ending(End::TimedOut { target: 0 }, &[false]),
    );
    let json = serde_json::to_value(&report).unwrap();
    let target = &json["wait"]["targets"][0];
    assert_eq!(
        (
            &target["tries"],
            &target["flaps"],
            &target["streak"],
            &target["ready"]
        ),
        (&json!(3), &json!(1), &json!(0), &json!(false))
    );
    assert_eq!(
        target["phases"],
        json!({"dns_ms": null, "connect_ms": 1.5, "tls_ms": null, "first_byte_ms": null, "total_ms": 12.0})
    );
    assert_eq!(target["answer"], json!({"status": 500, "excerpt": "oops"}));
    assert_eq!(
        target["attempts"][1],
        json!({"number": 2, "at_ms": 5000, "took_ms": 12, "good": true, "streak": 1, "status": 200, "reason": "good"})
    );
    assert_eq!(
        report.headline(),
        "http://api/health is not ready after 3 tries in 12s: answered 500, expected 2xx; it said `oops`; it was good once \
         and fell back"
    );
}

#[test]
fn outputs_are_numbers_and_one_line() {
    let outputs = watched(&rising("error-rate"), false).outputs();
    let expected = [
        ("verdict", json!("fail")),
        ("reason", json!("error-rate: 4.5% (9 of 200) > 4% in 60s")),
        ("failed-rules", json!(["error-rate"])),
        ("error-rate", json!("0.1000")),
        ("p95-ms", json!("26")),
        ("samples", json!(600)),
        ("duration-ms", json!(12_000)),
    ];
    assert_eq!(outputs, expected);
    let rules = vec![
        rule("rate", ratio(), Some(clause("< 50%", &ratio())), None),
        rule("slow", histogram(), Some(clause("p95 < 1s", &histogram())), None),
    ];
    let mut observation = judged_by(rules, 0, Duration::ZERO);
    judge(&mut observation, 60, |query| {
        Ok(match query {
            "bad" => Reading::number(1.0),
            "total" => Reading::number(3.0),
            _ => Reading {
                value: gate::source::Value::Buckets(vec![gate::source::Bucket {
                    bound: 0.25,
                    count: 9.0,
                }]),
                notes: Vec::new(),
            },
        })
    });
    let outputs = watched(&observation, true).outputs();
    assert!(outputs.contains(&("error-rate", json!("0.3333"))), "{outputs:?}");
    assert!(outputs.contains(&("p95-ms", json!("250"))), "{outputs:?}");
    let (record, _) = record(&[("api", &[good()])]);
    let outputs = waited(&record, Until::All, &ending(End::Ready, &[true])).outputs();
    let names: Vec<&str> = outputs.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["verdict", "reason", "failed-rules", "attempts", "duration-ms"],
        "what was not measured has no output"
    );
}

#[test]
fn a_page_has_ten_annotations_at_most() {
    let rules: Vec<Rule> = (1..=12)
        .map(|n| Rule {
            advisory: n == 1,
            ..rule(
                &format!("rule-{n}"),
                number(),
                None,
                Some(clause("> 1", &number())),
            )
        })
        .collect();
    let mut observation = judged_by(rules, 0, Duration::ZERO);
    judge(&mut observation, 60, |_| Ok(Reading::number(5.0)));
    let annotations = watched(&observation, false).annotations();
    assert_eq!(annotations.len(), 10);
    let first = &annotations[0];
    assert_eq!(
        (first.level, first.title.as_str(), first.message.as_str()),
        (Level::Error, "rule-2", "fail: 5 > 1 in the whole 1m")
    );
    assert_eq!(
        annotations[9].message,
        "3 more rules did not pass; the report has them"
    );
    let mut observation = judged_by(
        vec![rule("few", number(), Some(clause("> 1", &number())), None)],
        0,
        Duration::ZERO,
    );
    judge(&mut observation, 60, |_| Ok(Reading::nothing("no series")));
    let annotations = watched(&observation, true).annotations();
    assert_eq!((annotations.len(), annotations[0].level), (1, Level::Warning));
}

#[test]
fn the_summary_says_first_what_failed() {
    let summary = watched(&rising("error-rate"), false).summary().fit(0);
    let expected = "
### ❌ health-gate: fail

error-rate: 4.5% (9 of 200) &gt; 4% in 60s

| rule | value | limit | n | window | over time | verdict |
| --- | --- | --- | --- | --- | --- | --- |
| `error-rate` | 4\\.5% (9 of 200) | abort &gt; 4% in 60s | 200 | 60s | ▂▃▃▄·▆▆▇██ | ❌ fail |
| `fine` | p95 26ms of 540 | p95 &lt; 300ms | 540 | 10m | ▂▂▂▂▂▂▂▂▂▂ | ⚠️ inconclusive |

- `error-rate`: 4\\.5% (9 of 200) &gt; 4% in 60s
- 1 rule was cut short before a decision: fine

```mermaid
xychart-beta
    title \"error-rate, percent\"
    x-axis \"minutes\" 1 --> 4
    y-axis \"percent\" 0 --> 4.95
    line [0.5, 1, 1.5, 2]
    line [4, 4, 4, 4]
```
```mermaid
xychart-beta
    title \"error-rate, percent\"
    x-axis \"minutes\" 6 --> 10
    y-axis \"percent\" 0 --> 4.95
    line [3, 3.5, 4, 4.5, 4.5]
    line [4, 4, 4, 4, 4]
```

_The flat line is `abort > 4% in 60s`; the other line is what was measured._

_Without data for 1 of 10 points, so drawn in parts._
";
    assert!(summary.starts_with(expected), "{summary}");
}

#[test]
fn the_summary_of_a_wait_has_its_tries() {
    let looks: Vec<Look> = (0..300).map(|_| bad(503, "down </details> ```")).collect();
    let (one, _) = record(&[("api", &looks)]);
    let summary = waited(&one, Until::All, &ending(End::TimedOut { target: 0 }, &[false]))
        .summary()
        .fit(0);
    assert!(
        summary.starts_with("\n### ❌ health-gate: fail\n\n`http://api/health`: not ready after 300 tries in 12s: answered 503"),
        "{summary}"
    );
    assert!(
        summary.contains("| 100 |")
            && summary.contains("| … |  | 100 more |  |")
            && summary.contains("| 201 |"),
        "{summary}"
    );
    assert!(!summary.contains("| 101 |"));
    assert!(summary.contains("Last answer: 503") && summary.contains("````text\ndown </details> ```\n````"));
    let (several, _) = record(&[("api", &looks[..1]), ("db", &[good()])]);
    let summary = waited(
        &several,
        Until::All,
        &ending(End::TimedOut { target: 0 }, &[false, true]),
    )
    .summary()
    .fit(0);
    assert!(
        summary.contains("| `api` | ❌ not ready | 1 | 0 | 12ms | answered 503, expected 2xx;")
            && summary.contains("| `db` | ✅ ready | 1 | 0 | 12ms | good |")
            && summary.contains("<details><summary>Tries of db</summary>"),
        "{summary}"
    );
}

#[test]
fn junit_has_a_case_for_each_target_and_rule() {
    let (record, _) = record(&[("api", &[good()]), ("db", &[refused()])]);
    let ready = ending(End::Ready, &[true, false]);
    let waited = Waited {
        until: Until::Any,
        ending: Some(&ready),
    };
    let observation = rising("error <rate> & \"co\"");
    let watched = Watched {
        observation: &observation,
        ending: Some(&observed(600, false)),
        took: secs(600),
    };
    let comparison = Comparison {
        name: "canary".to_owned(),
        verdict: Verdict::Inconclusive,
        advisory: true,
        cut_short: false,
        reason: "too few".to_owned(),
        numbers: Vec::new(),
    };
    let report = report_of(&run(), &record, Some(waited), Some(watched), vec![comparison]);
    assert_eq!(
        report.junit(&Masker::default()),
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="health-gate" tests="5" failures="1" errors="0" time="12.000">
  <testsuite name="health-gate.wait" tests="2" failures="0" errors="0" skipped="1" time="0.012" timestamp="2026-11-22T05:55:46">
    <testcase classname="health-gate.wait" name="api" time="0.012"/>
    <testcase classname="health-gate.wait" name="db" time="0.012">
      <skipped message="connection refused"/>
    </testcase>
  </testsuite>
  <testsuite name="health-gate.watch" tests="3" failures="1" errors="0" skipped="2" time="600.000" timestamp="2026-11-22T05:55:46">
    <testcase classname="health-gate.watch" name="fine" time="600.000">
      <skipped message="cut short before it was decided; last: p95 26ms of 540"/>
    </testcase>
    <testcase classname="health-gate.watch" name="error &lt;rate&gt; &amp; &quot;co&quot;" time="600.000">
      <failure type="fail" message="4.5% (9 of 200) &gt; 4% in 60s">4.5% (9 of 200) &gt; 4% in 60s</failure>
    </testcase>
    <testcase classname="health-gate.watch" name="canary" time="600.000">
      <skipped message="too few"/>
    </testcase>
  </testsuite>
</testsuites>
"#
    );
}

#[test]
fn what_ended_before_it_began_is_neither_a_wait_nor_a_watch() {
    let report = Report::of(&run(), Account::unmeasured("`--url`: `ftp://x` is no address"));
    assert_eq!(
        report.junit(&Masker::default()),
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="health-gate" tests="1" failures="0" errors="1" time="12.000">
  <testsuite name="health-gate" tests="1" failures="0" errors="1" skipped="0" time="12.000" timestamp="2026-11-22T05:55:46">
    <testcase classname="health-gate" name="before the run" time="12.000">
      <error type="error" message="`--url`: `ftp://x` is no address">`--url`: `ftp://x` is no address</error>
    </testcase>
  </testsuite>
</testsuites>
"#
    );
}

#[test]
fn a_requirement_that_was_not_met_is_not_called_met() {
    let failing = rule("queue", number(), Some(clause("< 1", &number())), None);
    let mut observation = judged_by(vec![failing], 0, Duration::ZERO);
    judge(&mut observation, 60, |_| Ok(Reading::number(5.0)));
    let json = serde_json::to_value(watched(&observation, true)).unwrap();
    assert_eq!(
        (
            &json["rules"][0]["verdict"],
            &json["rules"][0]["require"]["standing"]
        ),
        (&json!("fail"), &json!("failed"))
    );
}

#[test]
fn a_secret_is_in_no_file() {
    let secret = "s3cr3t&<token>";
    let mut masker = Masker::default();
    masker.add(secret);
    let leaking = Look::without_answer(Finding::bad(
        FaultKind::Content,
        format!("the body holds `{secret}`"),
    ));
    let (record, _) = record(&[(secret, &[leaking])]);
    let report = waited(
        &record,
        Until::All,
        &ending(End::TimedOut { target: 0 }, &[false]),
    );
    let json = String::from_utf8(report.json(&masker).unwrap()).unwrap();
    for text in [json, report.junit(&masker)] {
        assert!(text.contains("the body holds `***`"), "{text}");
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}
