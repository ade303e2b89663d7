//! What is wrong with observations and comparisons, each told at its line and column.

use super::wrong;

/// The first line about a file that is a watch with a probe.
fn watch(written: &str) -> String {
    wrong(&format!("version: 1\nwatch:\n  probe: {{http: 'https://x'}}\n  {written}\nsources: {{p: {{type: prometheus, url: 'http://p'}}, c: {{type: cloudwatch}}, d: {{type: exec, program: x}}}}\n")).remove(0)
}

#[test]
fn observations() {
    for (written, said) in [
        (
            "rules: [{name: a, from: probe, abort: 'error_rate > 5%'}]",
            "3:3: `watch` needs `duration`",
        ),
        ("duration: 5m", "3:3: `watch` judges nothing"),
        (
            "duration: 5m\n  warmup: 5m\n  preset: severity",
            "5:11: `warmup` is 5m, and must be shorter than the `duration` of 5m",
        ),
        (
            "duration: 5m\n  interval: 6m\n  preset: severity",
            "5:13: `interval` is 6m, and longer",
        ),
        (
            "duration: 1m\n  preset: steady",
            "5:11: `abort` of rule `health` of preset `steady`: `for` is 2m",
        ),
        (
            "duration: 15m\n  rules: [{name: a, from: prob, abort: failing}]",
            "5:27: there is no probe or signal `prob`; did you mean `probe`?",
        ),
        (
            "duration: 15m\n  rules: [{name: a, from: probe}]",
            "5:11: a rule needs `require` or `abort`",
        ),
        (
            "duration: 15m\n  rules: [{name: a, abort: failing}]",
            "5:11: a rule measures nothing",
        ),
        (
            "duration: 15m\n  rules: [{name: a b, from: probe, abort: 'error_rate > 5%'}]",
            "5:18: `a b` can't name a rule",
        ),
        (
            "duration: 15m\n  rules: [{name: a, from: probe, abort: failing}]",
            "5:41: `failing` needs a time",
        ),
        (
            "duration: 15m\n  rules: [{name: a, from: probe, require: failing}]",
            "5:43: `failing` can end an observation",
        ),
        (
            "duration: 15m\n  rules: [{name: a, from: probe, abort: '> 5%'}]",
            "5:41: `> 5%` does not fit: a probe's samples take",
        ),
        (
            "duration: 15m\n  rules: [{name: a, from: probe, require: 'error_rate > 1%'}]",
            "5:43: `error_rate > 1%` requires errors, and a share is one of bad ones; write for example `< 1%`",
        ),
        (
            "duration: 15m\n  rules: [{name: a, from: probe, abort: {when: 'error_rate <= 99%', window: 5m}}]",
            "5:48: `error_rate <= 99%` ends it where there are few errors",
        ),
        (
            "duration: 15m\n  rules: [{name: a, from: probe, abort: 'p95 > 300'}]",
            "5:41: `p95 > 300` compares a latency with a number that has no unit",
        ),
        (
            "duration: 15m\n  rules: [{name: a, from: probe, abort: {when: 'error_rate > 5%', window: 20m}}]",
            "5:75: `abort` of rule `a`: its window of 20m is longer",
        ),
        (
            "duration: 15m\n  rules: [{name: a, from: probe, abort: {when: 'p95 > 1s', window: 30s}}]",
            "5:41: `abort` of rule `a` needs 59 samples, and the probe makes 30 in 30s",
        ),
        (
            "duration: 15m\n  rules: [{name: a, from: probe, require: 'error_rate < 0%'}]",
            "5:43: `error_rate < 0%` can never hold",
        ),
        (
            "duration: 15m\n  rules: [{name: a, from: probe, require: {when: 'p95 < 1s', certain: 99%}}]",
            "5:71: `certain` means nothing for a percentile",
        ),
        (
            "duration: 15m\n  rules: [{name: a, count: {source: x, query: y}, abort: '> 1'}]",
            "5:37: there is no source `x` in `sources`",
        ),
        (
            "duration: 15m\n  rules: [{name: a, count: {source: p}, abort: '> 1'}]",
            "5:28: this source needs a `query`",
        ),
        (
            "duration: 15m\n  rules: [{name: a, count: {source: p, query: {namespace: a, metric: b}}, abort: '> 1'}]",
            "5:47: a map with `namespace`",
        ),
        (
            "duration: 15m\n  rules: [{name: a, count: {source: c, query: {namespace: a}}, abort: '> 1'}]",
            "5:47: a metric needs `metric`",
        ),
        (
            "duration: 15m\n  rules: [{name: a, count: {source: c, query: x}, abort: {when: '> 1', window: 90s}}]",
            "5:80: `abort` of rule `a`: its window is 1m30s, and CloudWatch counts whole minutes",
        ),
        (
            "duration: 15m\n  rules: [{name: a, histogram: {source: d, selector: x}, require: 'p95 < 1s'}]",
            "5:54: a `histogram` reads the buckets",
        ),
        (
            "duration: 15m\n  rules: [{name: a, ratio: {source: p, bad: x}, require: '< 1%'}]",
            "5:28: a share needs `total`",
        ),
        (
            "duration: 15m\n  rules: [{name: a, ratio: {source: p, bad: x, total: x}, require: '< 1%'}]",
            "5:55: `bad` and `total` ask the same",
        ),
        (
            "duration: 15m\n  signals: {probe: {from: probe}}\n  preset: severity",
            "5:13: `probe` names a probe too",
        ),
        (
            "duration: 15m\n  probes: {probe: {tcp: 'a:1'}}\n  preset: severity",
            "5:12: a second probe is named `probe`",
        ),
    ] {
        let line = watch(written);
        assert!(line.starts_with(&format!("gate.yml:{said}")), "{written}: {line}");
    }
}

#[test]
fn comparisons() {
    let arms = "canary: {source: p, bad: a, total: b}, baseline: {source: p, bad: c, total: d}";
    for (written, said) in [
        (format!("{{{arms}}}"), "6:4: a comparison needs `name`"),
        (
            format!("{{name: a, {arms}, pass_ratio: 1}}"),
            "`pass_ratio` 1 must be larger than `fail_ratio` 1",
        ),
        (format!("{{name: a, {arms}, alpha: 50%}}"), "`alpha` is 0.5"),
        (
            format!("{{name: a, {arms}, min_intervals: 2}}"),
            "`min_intervals` must be at least 3",
        ),
        (
            format!("{{name: a, {arms}, fail_ratio: 0.9}}"),
            "`fail_ratio` is `0.9`; below 1 it would fail a canary that is as good as the baseline",
        ),
        (
            format!("{{name: a, {arms}, min_bad: 0}}"),
            "`min_bad` is `0`, which must be from 1 to 1000000",
        ),
        (
            format!("{{name: a, {arms}, ignore_below: 100%}}"),
            "`ignore_below` is `1`, which must be at least 0 and below 1 (100 %)",
        ),
        (
            format!("{{name: a, {arms}, interval: 4m}}"),
            "5 intervals of 4m do not fit in the 15m that are judged",
        ),
        (
            format!("{{name: a, {arms}}}\n - {{name: a, {arms}}}"),
            "a second rule or comparison has this name",
        ),
        (
            "{name: a, canary: {source: p, bad: a, total: b}, baseline: {source: p, bad: a, total: b}}"
                .to_owned(),
            "`canary` and `baseline` ask the same",
        ),
    ] {
        let file = format!(
            "version: 1\nsources: {{p: {{type: prometheus, url: 'http://p'}}}}\nwatch:\n  duration: 15m\ncompare:\n - {written}\n"
        );
        let lines = wrong(&file);
        assert!(
            lines.iter().any(|line| line.contains(said)),
            "{written}: {lines:?}"
        );
    }
}
