//! What a run is going to do, in words: a check that is not made is seen not to be made. Pure.

use gate::expect::JsonRule;
use gate::spec::Spec;
use gate::spec::target::{Http, Kind, Target};
use gate::spec::wait::Waited;
use gate::spec::watch::{Probe, Watch};
use gate::wait::Limits;
use gha::{duration, text};

use crate::report::rules::limit;

/// The lines that a log begins with.
#[must_use]
pub fn lines(spec: &Spec) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(wait) = &spec.wait {
        match &wait.targets[..] {
            [one] => {
                lines.push(format!(
                    "waiting for {} {}",
                    one.target.kind.shown(),
                    pace(&one.limits)
                ));
                lines.push(format!("expecting {}", expected(&one.target.kind)));
            }
            several => {
                let all = duration::exact(wait.timeout);
                let which = match wait.until {
                    gate::wait::Until::All => "all",
                    gate::wait::Until::Any => "any",
                };
                lines.push(format!(
                    "waiting for {which} of {} targets, {all} in all",
                    several.len()
                ));
                lines.extend(several.iter().map(target_line));
            }
        }
    }
    if let Some(watch) = &spec.watch {
        lines.extend(watch_lines(watch));
    }
    for one in &spec.comparisons {
        lines.push(format!(
            "comparing {} every {}: fails over {} times the baseline, passes under {}",
            one.name,
            duration::exact(one.interval),
            one.fail_ratio,
            one.pass_ratio
        ));
    }
    lines
}

/// One line for a dry run: what would be looked at.
#[must_use]
pub fn headline(spec: &Spec) -> String {
    let mut steps = Vec::new();
    if let Some(wait) = &spec.wait {
        steps.push(match &wait.targets[..] {
            [one] => format!("look at {} {}", one.target.kind.shown(), pace(&one.limits)),
            several => format!(
                "wait for {} targets, {} in all",
                several.len(),
                duration::exact(wait.timeout)
            ),
        });
    }
    if let Some(watch) = &spec.watch {
        let counted = [
            counted(watch.rules.len(), "rule"),
            counted(spec.comparisons.len(), "comparison"),
        ];
        let counted: Vec<String> = counted.into_iter().flatten().collect();
        steps.push(format!(
            "watch {} for {}",
            counted.join(" and "),
            duration::exact(watch.duration)
        ));
    }
    format!("dry run: would {}", steps.join(", then "))
}

/// So many of them, if there are any.
fn counted(count: usize, what: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        n => Some(format!("{n} {what}s")),
    }
}

/// What the run is about, for the ledger: one address, or the names.
#[must_use]
pub fn subject(spec: &Spec) -> String {
    let targets: Vec<&Target> = spec.targets().collect();
    match &targets[..] {
        [] => {
            let sources: Vec<&str> = spec.sources.iter().map(|source| source.name.as_str()).collect();
            text::cut(&sources.join(", "), 200)
        }
        [one] => one.kind.shown(),
        several => {
            let mut names: Vec<&str> = Vec::new();
            for target in several {
                if !names.contains(&target.name.as_str()) {
                    names.push(&target.name);
                }
            }
            text::cut(&names.join(", "), 200)
        }
    }
}

fn target_line(waited: &Waited) -> String {
    let target = &waited.target;
    let shown = target.kind.shown();
    let name = if shown == target.name {
        shown
    } else {
        format!("{}: {shown}", target.name)
    };
    format!(
        "{name} {}, expecting {}",
        pace(&waited.limits),
        expected(&target.kind)
    )
}

fn watch_lines(watch: &Watch) -> Vec<String> {
    let warmup = if watch.warmup.is_zero() {
        String::new()
    } else {
        format!(", the first {} not judged", duration::exact(watch.warmup))
    };
    let mut lines = vec![format!(
        "watching for {}{warmup}, judging every {}",
        duration::exact(watch.duration),
        duration::exact(watch.interval)
    )];
    lines.extend(watch.probes.iter().map(probe_line));
    for rule in &watch.rules {
        let clauses = [("require", &rule.require), ("abort", &rule.abort)];
        let clauses: Vec<String> = clauses
            .into_iter()
            .filter_map(|(word, clause)| clause.as_ref().map(|clause| format!("{word} {}", limit(clause))))
            .collect();
        let advisory = if rule.advisory { ", advisory" } else { "" };
        lines.push(format!("rule {}: {}{advisory}", rule.name, clauses.join(", ")));
    }
    lines
}

fn probe_line(probe: &Probe) -> String {
    // The only one has a name that says nothing.
    let name = if probe.name == "probe" {
        String::new()
    } else {
        format!("probe {}: ", probe.name)
    };
    format!(
        "{name}looking at {} every {}, {} for a look, expecting {}",
        probe.target.kind.shown(),
        interval(probe.interval),
        duration::exact(probe.try_timeout),
        expected(&probe.target.kind)
    )
}

/// An interval that may be shorter than a millisecond.
fn interval(interval: std::time::Duration) -> String {
    if interval.subsec_nanos().is_multiple_of(1_000_000) {
        duration::exact(interval)
    } else {
        format!("{:.1}ms", interval.as_secs_f64() * 1000.0)
    }
}

/// How often and how long, for the log.
fn pace(limits: &Limits) -> String {
    let row = match limits.success_threshold {
        1 => String::new(),
        n => format!(" until {n} good tries in a row"),
    };
    let show = duration::exact;
    format!(
        "every {}{row}, {} for a try, {} in all",
        show(limits.interval),
        show(limits.try_timeout),
        show(limits.timeout)
    )
}

/// What must be found, as one line.
#[must_use]
pub fn expected(kind: &Kind) -> String {
    match kind {
        Kind::Http(http) => expected_answer(http),
        Kind::Tcp(tcp) => match &tcp.expect {
            Some(pattern) => format!("an answer that matches `{}`", text::cut(pattern.as_str(), 80)),
            None => "a connection".to_owned(),
        },
        Kind::Tls(tls) => match tls.min_days {
            Some(days) => format!("a certificate that is accepted and has {days} days left"),
            None => "a certificate that is accepted".to_owned(),
        },
        Kind::Dns(dns) if !dns.equals.is_empty() => text::cut(&dns.equals.join(", "), 100),
        Kind::Dns(_) => "an answer".to_owned(),
        Kind::Grpc(_) => "SERVING".to_owned(),
        Kind::Postgres(postgres) if postgres.room => "room for a connection".to_owned(),
        Kind::Postgres(_) => "that it accepts connections".to_owned(),
        Kind::Redis(_) => "PONG".to_owned(),
        Kind::Exec(_) => "exit code 0".to_owned(),
        Kind::Compose(compose) if compose.services.is_empty() => {
            "all services running and healthy".to_owned()
        }
        Kind::Compose(compose) => format!(
            "{} running and healthy",
            text::cut(&compose.services.join(", "), 100)
        ),
    }
}

fn expected_answer(http: &Http) -> String {
    let expect = &http.expect;
    let mut rules = vec![format!("status {}", expect.status)];
    rules.extend(expect.headers.iter().map(|header| match &header.contains {
        Some(part) => format!("header {}: {part}", header.name),
        None => format!("header {}", header.name),
    }));
    rules.extend(
        expect
            .body
            .iter()
            .map(|part| format!("body with `{}`", text::cut(part, 80))),
    );
    rules.extend(
        expect
            .matches
            .iter()
            .map(|pattern| format!("body like `{}`", text::cut(pattern.as_str(), 80))),
    );
    rules.extend(expect.json.iter().map(|rule| match rule {
        JsonRule::Field(field) => format!("{}={}", field.pointer, field.value),
        JsonRule::Expression(filter) => text::cut(&filter.text, 80),
    }));
    if let Some(most) = http.max_latency {
        rules.push(format!("within {}", duration::exact(most)));
    }
    if let Some(days) = http.min_days {
        rules.push(format!("a certificate with {days} days left"));
    }
    rules.push(match &expect.version {
        Some(version) => format!("version {}", version.wanted),
        None => "any version".to_owned(),
    });
    rules.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_several_probes_is_named() {
        let file = "version: 1\nwatch:\n  duration: 3s\n  probes: {api: {http: 'http://x', rate: 2/s}, db: {tcp: 'db:1'}}\n  \
                    rules: [{name: a, from: api, abort: 'error_rate > 2%'}]\n";
        let env = gha::env::Env::default();
        let spec = gate::spec::read("g.yml", file.as_bytes(), &env, &[]);
        let said = spec.map(|spec| lines(&spec)).map_err(|faults| faults.to_string());
        assert_eq!(
            said.unwrap(),
            [
                "watching for 3s, judging every 3s",
                "probe api: looking at http://x/ every 500ms, 5s for a look, expecting status 2xx, any version",
                "probe db: looking at db:1 every 1s, 5s for a look, expecting a connection",
                "rule a: abort error_rate > 2% in 3s",
            ]
        );
    }

    #[test]
    fn rules_and_comparisons_are_counted_apart() {
        for (rules, expected) in [
            ("", "dry run: would watch 1 comparison for 30m"),
            (
                "  probe: {http: 'http://x'}\n  rules: [{name: a, from: probe, abort: 'count(5xx) > 9'}]\n",
                "dry run: would watch 1 rule and 1 comparison for 30m",
            ),
        ] {
            let file = format!(
                "version: 1\nsources: {{p: {{type: prometheus, url: 'http://p'}}}}\nwatch:\n  duration: 30m\n{rules}compare:\n  - \
                 {{name: c, canary: {{source: p, bad: a, total: b}}, baseline: {{source: p, bad: c, total: d}}}}\n"
            );
            let env = gha::env::Env::default();
            let spec = gate::spec::read("g.yml", file.as_bytes(), &env, &[]).unwrap();
            assert_eq!(headline(&spec), expected);
        }
    }
}
