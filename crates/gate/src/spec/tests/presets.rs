//! Presets: the rules of the requirements, the signals they look for, and what a file can change about them.

use super::{spec, wrong};
use crate::rule::{Rule, Subject};

const PROBE: &str = "{http: 'https://x/'}";

/// The rules of a watch of 15 minutes, each as its name, subject and conditions.
fn rules(rest: &str) -> Vec<String> {
    let watch = spec(&format!("version: 1\nwatch:\n  duration: 15m\n{rest}"))
        .unwrap()
        .watch
        .unwrap();
    watch.rules.iter().map(line).collect()
}

fn line(rule: &Rule) -> String {
    let subject = match rule.subject {
        Subject::Probe(_) => "probe",
        Subject::Ratio { .. } => "ratio",
        Subject::Histogram { .. } => "histogram",
        Subject::Number { .. } => "number",
    };
    let written = |clause: &Option<crate::rule::Clause>| {
        clause.as_ref().map_or("-".to_owned(), |clause| {
            let hold = clause.hold.as_secs();
            let hold = if hold > 0 {
                format!(" for {hold}s")
            } else {
                String::new()
            };
            format!("{}{hold}", clause.test.written)
        })
    };
    format!(
        "{}: {subject}, {}, {}",
        rule.name,
        written(&rule.require),
        written(&rule.abort)
    )
}

#[test]
fn presets_hold_the_thresholds_of_the_requirements() {
    assert_eq!(
        rules(&format!(
            "  probe: {PROBE}\n  preset: {{name: canary, without: crashes}}\n"
        )),
        [
            "error-rate: probe, error_rate < 1%, error_rate > 2%",
            "p95: probe, p95 < 300ms, p95 > 500ms",
            "server-errors: probe, -, count(5xx) > 0",
        ]
    );
    assert_eq!(
        rules(&format!("  probe: {PROBE}\n  preset: steady\n")),
        [
            "health: probe, -, failing for 120s",
            "error-rate: probe, -, error_rate > 5%",
            "server-errors: probe, -, count(5xx) >= 10",
        ]
    );
    assert_eq!(
        rules(&format!("  probe: {PROBE}\n  preset: severity\n")),
        [
            "error-rate-high: probe, error_rate <= 5%, -",
            "error-rate-critical: probe, -, error_rate > 10%",
            "p95-high: probe, p95 <= 3s, -",
        ]
    );
    assert_eq!(
        rules(&format!("  probe: {PROBE}\n  preset: slo-default\n")).len(),
        4,
        "crashes are optional there"
    );
}

#[test]
fn the_limit_for_a_rollback_is_judged_over_two_minutes() {
    let abort = |duration: &str, preset: &str| {
        let written =
            format!("version: 1\nwatch:\n  duration: {duration}\n  probe: {PROBE}\n  preset: {preset}\n");
        let rules = spec(&written).unwrap().watch.unwrap().rules;
        let rule = rules.into_iter().find(|rule| rule.name == "error-rate");
        let abort = rule.unwrap().abort.unwrap();
        (
            abort.window.unwrap().as_secs(),
            abort.consecutive,
            abort.min_bad,
            abort.certain,
        )
    };
    let steady = "{name: steady, without: [health]}";
    assert_eq!(abort("15m", "steady"), (120, 1, 5, Some(0.999)));
    assert_eq!(abort("90s", steady), (90, 1, 5, Some(0.999)));
    assert_eq!(abort("15m", "slo-default"), (60, 2, 5, Some(0.999)));
}

#[test]
fn signals_are_judged_before_the_probe() {
    let signals = "  signals:\n    errors: {ratio: {source: p, bad: a, total: b}}\n    latency: {histogram: {source: p, selector: x_bucket}}\n    server-errors: {count: {source: p, query: c}}\n    crashes: {count: {source: p, query: d}}\n";
    let sources = "sources: {p: {type: prometheus, url: 'http://p'}}\n";
    assert_eq!(
        rules(&format!("{signals}  preset: canary\n{sources}")),
        [
            "error-rate: ratio, < 1%, > 2%",
            "p95: histogram, p95 < 300ms, p95 > 500ms",
            "server-errors: number, -, > 0",
            "crashes: number, == 0, > 0",
        ]
    );
}

#[test]
fn a_rule_of_the_file_replaces_the_presets() {
    let rules = rules(&format!(
        "  probe: {PROBE}\n  preset: steady\n  rules: [{{name: error-rate, from: probe, abort: 'error_rate > 20%'}}]\n"
    ));
    assert_eq!(rules.len(), 3);
    assert_eq!(rules[2], "error-rate: probe, -, error_rate > 20%");
}

#[test]
fn two_presets_keep_all_their_rules() {
    let rules = rules(&format!(
        "  probe: {PROBE}\n  preset: [{{name: canary, without: crashes}}, steady]\n"
    ));
    let names: Vec<&str> = rules.iter().filter_map(|rule| rule.split(':').next()).collect();
    assert_eq!(
        names,
        [
            "error-rate",
            "p95",
            "server-errors",
            "health",
            "steady-error-rate",
            "steady-server-errors"
        ]
    );
}

#[test]
fn what_nothing_measures_is_an_error_that_says_what_to_do() {
    for (rest, said) in [
        (
            "probe: {http: 'https://x/'}\n  preset: canary",
            "gate.yml:5:11: preset `canary` judges `crashes`, and nothing measures it: add a signal `crashes`, or leave it out with `preset: {name: canary, without: [crashes]}`",
        ),
        (
            "probe: {tcp: 'db:1'}\n  preset: steady",
            "gate.yml:5:11: preset `steady` judges `server-errors`",
        ),
        (
            "probes: {a: {tcp: 'a:1'}, b: {tcp: 'b:1'}}\n  preset: severity",
            "gate.yml:5:11: preset `severity` judges `errors`",
        ),
        (
            "probe: {http: 'https://x/'}\n  preset: cannary",
            "gate.yml:5:11: `preset`: there is no preset `cannary`; did you mean `canary`?",
        ),
        (
            "probe: {http: 'https://x/'}\n  preset: {name: steady, without: helth}",
            "gate.yml:5:35: preset `steady` has no rule `helth`; did you mean `health`?",
        ),
        (
            "probe: {http: 'https://x/'}\n  preset: [steady, steady]",
            "gate.yml:5:20: preset `steady` stands here a second time",
        ),
        ("probe: {http: 'https://x/', rate: 20/m}\n  preset: steady", ""),
        (
            "probe: {http: 'https://x/'}\n  signals: {errors: {histogram: {source: p, selector: x}}}\n  preset: severity\nsources: {p: {type: prometheus, url: 'http://p'}}",
            "gate.yml:6:11: preset `severity` judges the signal `errors`: `<= 5%` does not fit",
        ),
    ] {
        let file = format!("version: 1\nwatch:\n  duration: 15m\n  {rest}\n");
        if said.is_empty() {
            assert!(spec(&file).is_ok());
        } else {
            assert!(wrong(&file)[0].starts_with(said), "{:?}", wrong(&file));
        }
    }
}

#[test]
fn too_few_samples_are_told_before_the_watch() {
    let lines = wrong(
        "version: 1\nwatch:\n  duration: 2m\n  probe: {http: 'https://x/', rate: 1/s}\n  rules:\n  - {name: r, from: probe, require: 'error_rate < 1%'}\n",
    );
    assert_eq!(
        lines,
        [
            "gate.yml:6:37: `require` of rule `r` needs 299 samples, and the probe makes 120 in 2m; raise its `rate` at least 2.5 times, raise `duration`, or lower `min_samples`"
        ]
    );
}
