//! What is allowed and rarely meant, told before it is done. Pure.

use std::time::Duration;

use gate::condition::Measure;
use gate::observe::MOST_LOOKS;
use gate::rule::Subject;
use gate::spec::Spec;
use gate::spec::wait::Wait;
use gate::spec::watch::Watch;
use gha::duration;

/// Answers up to this long must find room at the rate of a probe; health pages take a tenth of it.
const USUAL: Duration = Duration::from_secs(1);

/// The warnings that a run begins with. `key` names a setting as it was given: a flag, or a key of the file.
#[must_use]
pub fn lines(spec: &Spec, key: &dyn Fn(&str) -> String) -> Vec<String> {
    let wait = spec.wait.iter().filter_map(|wait| few_tries(wait, key));
    let watch = spec.watch.iter();
    wait.chain(watch.clone().flat_map(wrong_way))
        .chain(watch.clone().flat_map(crowds))
        .chain(watch.flat_map(unjudged))
        .chain(only_advisory(spec))
        .collect()
}

/// A time-out up to the interval is one try.
fn few_tries(wait: &Wait, key: &dyn Fn(&str) -> String) -> Option<String> {
    let limits = wait.targets.iter().map(|waited| &waited.limits);
    let limits = limits
        .into_iter()
        .find(|limits| limits.interval >= limits.timeout)?;
    Some(format!(
        "{} {} leaves time for one try only; lower {} ({}) for more",
        key("timeout"),
        duration::exact(limits.timeout),
        key("interval"),
        duration::exact(limits.interval)
    ))
}

/// A latency that must be long, or that ends the run by being short. It may be meant: an answer from a cache is too quick.
fn wrong_way(watch: &Watch) -> Vec<String> {
    let clauses = watch.rules.iter().flat_map(|rule| {
        let both = [("require", &rule.require), ("abort", &rule.abort)];
        both.into_iter()
            .filter_map(move |(word, clause)| Some((&rule.name, word, &clause.as_ref()?.test)))
    });
    clauses
        .filter(|(_, word, test)| {
            matches!(test.measure, Measure::Percentile(_)) && test.op.is_upper_limit() != (*word == "require")
        })
        .map(|(name, word, test)| {
            let wants = if word == "require" {
                "requires slow answers"
            } else {
                "fails the run for quick answers"
            };
            format!(
                "rule {name}: `{word} {}` {wants}; is it the wrong way round?",
                test.written
            )
        })
        .collect()
}

/// A rate at which answers of a usual length find no room.
fn crowds(watch: &Watch) -> Vec<String> {
    let fits = |interval: Duration| interval.saturating_mul(MOST_LOOKS);
    let probes = watch.probes.iter();
    probes
        .filter(|probe| fits(probe.interval) < USUAL.min(probe.try_timeout))
        .map(|probe| {
            format!(
                "probe {}: at this rate answers that take longer than {} can't all be looked at, because the gate makes \
                 {MOST_LOOKS} looks at once",
                probe.name,
                duration::display(fits(probe.interval))
            )
        })
        .collect()
}

/// Probes that may be bad without an effect.
fn unjudged(watch: &Watch) -> Vec<String> {
    let judged = |index: usize| {
        let mut subjects = watch.rules.iter().map(|rule| &rule.subject);
        subjects.any(|subject| matches!(subject, Subject::Probe(probe) if *probe == index))
    };
    let probes = watch.probes.iter().enumerate();
    probes
        .filter(|(index, _)| !judged(*index))
        .map(|(_, probe)| {
            let name = &probe.name;
            format!("probe {name}: no rule judges it; add a rule with `from: {name}`, or leave it out")
        })
        .collect()
}

/// A run whose verdict nothing can make another than inconclusive.
fn only_advisory(spec: &Spec) -> Option<String> {
    let watch = spec.watch.as_ref().filter(|_| spec.wait.is_none())?;
    let mut rules = watch.rules.iter().map(|rule| rule.advisory);
    let mut comparisons = spec.comparisons.iter().map(|one| one.advisory);
    let counts = rules.any(|advisory| !advisory) || comparisons.any(|advisory| !advisory);
    (!counts).then(|| {
        "all rules are `advisory`, so nothing is judged that counts, and the verdict can only be inconclusive".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gha::env::Env;

    fn said(file: &str) -> Vec<String> {
        let file = format!("version: 1\n{file}");
        let spec = gate::spec::read("g.yml", file.as_bytes(), &Env::default(), &[]).unwrap();
        lines(&spec, &|key| format!("`{key}`"))
    }

    #[test]
    fn what_is_rarely_meant_is_told() {
        let watch = |rate: &str, rule: &str| {
            format!(
                "watch: {{duration: 10m, probe: {{http: 'http://x', rate: {rate}}}, rules: [{{name: a, from: probe, {rule}}}]}}"
            )
        };
        for (file, expected) in [
            (
                "wait: {interval: 10s, timeout: 5s, targets: [{tcp: 'x:1'}]}".to_owned(),
                "`timeout` 5s leaves time for one try only; lower `interval` (10s)",
            ),
            (
                "watch: {duration: 5m, probes: {a: {http: 'http://x'}, b: {http: 'http://y'}}, rules: [{name: r, from: a, \
                 require: 'p95 < 1s'}]}"
                    .to_owned(),
                "probe b: no rule judges it; add a rule with `from: b`",
            ),
            (
                watch("1/s", "require: 'p95 < 300ms', advisory: true"),
                "all rules are `advisory`, so nothing is judged",
            ),
            (
                watch("1/s", "require: 'p95 > 300ms'"),
                "rule a: `require p95 > 300ms` requires slow answers",
            ),
            (
                watch("1/s", "abort: 'p95 < 300ms'"),
                "rule a: `abort p95 < 300ms` fails the run for quick",
            ),
            (
                watch("10000/s", "require: 'p95 < 300ms'"),
                "probe probe: at this rate answers that take longer than 51ms",
            ),
        ] {
            let said = said(&file);
            assert!(
                said.len() == 1 && said[0].starts_with(expected),
                "{file}: {said:?}"
            );
        }
        for file in [
            "wait: {interval: 5s, timeout: 10s, targets: [{tcp: 'x:1'}]}".to_owned(),
            watch("500/s", "require: 'p95 < 300ms', abort: 'p95 > 1s'"),
            format!(
                "wait: {{targets: [{{tcp: 'x:1'}}]}}\n{}",
                watch("1/s", "require: 'p95 < 300ms', advisory: true")
            ),
        ] {
            assert_eq!(said(&file), [""; 0], "{file}");
        }
    }
}
