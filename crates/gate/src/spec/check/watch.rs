//! `watch`: probes, rules, and whether the time is enough for them.

use std::time::Duration;

use gha::{duration, text};

use crate::rule::{Clause, Rule, Subject};
use crate::spec::check::clauses::{in_time, most_in_a_row};
use crate::spec::check::rules::{Known, Placed, THE_PROBE, presets, rule};
use crate::spec::check::sources::Table;
use crate::spec::check::targets::target;
use crate::spec::fault::{Faults, Place};
use crate::spec::file::read::Given;
use crate::spec::file::targets as file_targets;
use crate::spec::file::watch as file;
use crate::spec::names::is_name;
use crate::spec::wait::{LIMITS, SHORTEST_INTERVAL};
use crate::spec::watch::{INTERVAL, PROBE_INTERVAL, Probe, Watch};

/// CloudWatch counts whole minutes.
const MINUTE: Duration = Duration::from_secs(60);

/// Checks an observation.
pub(crate) fn watch(raw: &file::Watch, table: &Table, compares: bool, faults: &mut Faults) -> Option<Watch> {
    raw.given.need("duration", "`watch`", faults);
    times(raw, faults);
    let probes = probes(raw, faults);
    let names: Vec<(String, bool)> = probes
        .iter()
        .map(|(name, probe)| {
            (
                name.clone(),
                probe.as_ref().is_none_or(|probe| probe.target.has_status()),
            )
        })
        .collect();
    let known = Known::new(table, &names, raw.signals.as_ref(), faults);
    let mut placed = rules(raw, &known, faults);
    if !compares && !raw.given.has("rules") && !raw.given.has("preset") {
        faults.add(
            raw.given.at,
            "`watch` judges nothing; add `rules` or a `preset`, such as `preset: slo-default`",
        );
    }
    let duration = raw.duration.as_ref()?.value;
    let warmup = raw.warmup.as_ref().map_or(Duration::ZERO, |warmup| warmup.value);
    let judged = duration.saturating_sub(warmup);
    for placed in &mut placed {
        placed.shorten(judged);
        if !judged.is_zero() {
            fit(placed, judged, &probes, table, faults);
        }
    }
    Some(Watch {
        duration,
        warmup,
        interval: raw
            .interval
            .as_ref()
            .map_or(INTERVAL.min(duration), |interval| interval.value),
        probes: probes
            .into_iter()
            .map(|(_, probe)| probe)
            .collect::<Option<_>>()?,
        rules: placed.into_iter().map(|placed| placed.rule).collect(),
    })
}

fn times(raw: &file::Watch, faults: &mut Faults) {
    let show = duration::exact;
    if let Some(interval) = raw
        .interval
        .as_ref()
        .filter(|interval| interval.value < SHORTEST_INTERVAL)
    {
        let reason = format!(
            "`interval` is {}, and must be at least {}",
            show(interval.value),
            show(SHORTEST_INTERVAL)
        );
        faults.add(interval.at, reason);
    }
    let Some(whole) = &raw.duration else { return };
    if whole.value.is_zero() {
        faults.add(whole.at, "`duration` must be more than zero");
    } else if let Some(warmup) = raw.warmup.as_ref().filter(|warmup| warmup.value >= whole.value) {
        let reason = format!(
            "`warmup` is {}, and must be shorter than the `duration` of {}",
            show(warmup.value),
            show(whole.value)
        );
        faults.add(warmup.at, reason);
    } else if let Some(interval) = raw
        .interval
        .as_ref()
        .filter(|interval| interval.value > whole.value)
    {
        let reason = format!(
            "`interval` is {}, and longer than the `duration` of {}",
            show(interval.value),
            show(whole.value)
        );
        faults.add(interval.at, reason);
    }
}

/// The probes by name; `None` where a fault was told.
fn probes(raw: &file::Watch, faults: &mut Faults) -> Vec<(String, Option<Probe>)> {
    let one = raw.given.has("probe").then(|| {
        let one = raw.probe.as_ref().map(|one| &one.0);
        (THE_PROBE.to_owned(), raw.given.place("probe"), one)
    });
    let several = raw
        .probes
        .iter()
        .flat_map(|probes| &probes.0)
        .map(|(key, probe)| (key.name.clone(), key.at, probe.as_ref().map(|probe| &probe.0)));
    let mut probes: Vec<(String, Option<Probe>)> = Vec::new();
    for (name, at, raw) in one.into_iter().chain(several) {
        if !is_name(&name) {
            let shown = text::cut(&name, 80);
            faults.add(
                at,
                format!(
                    "`{shown}` can't name a probe; write small letters, digits, `_` and `-`, a letter first"
                ),
            );
        } else if probes.iter().any(|(known, _)| *known == name) {
            faults.add(at, format!("a second probe is named `{name}`"));
        }
        let probe = raw.and_then(|raw| probe(&name, raw, faults));
        probes.push((name, probe));
    }
    probes
}

fn probe(name: &str, raw: &file_targets::Target, faults: &mut Faults) -> Option<Probe> {
    let try_timeout = raw
        .try_timeout
        .as_ref()
        .map_or(LIMITS.try_timeout, |limit| limit.value);
    if try_timeout.is_zero() {
        faults.add(
            raw.given.place("try_timeout"),
            "`try_timeout` must be more than zero",
        );
    }
    let target = target(raw, faults)?;
    if raw.given.has("rate") && raw.rate.is_none() {
        // How many samples there will be is not known, so that nothing is said of it.
        return None;
    }
    Some(Probe {
        name: name.to_owned(),
        target,
        interval: raw.rate.as_ref().map_or(PROBE_INTERVAL, |rate| rate.value.0),
        try_timeout,
    })
}

/// The rules of the file and of its presets.
fn rules(raw: &file::Watch, known: &Known<'_>, faults: &mut Faults) -> Vec<Placed> {
    let own = || raw.rules.iter().flatten();
    let names = || own().filter_map(|rule| rule.name.as_ref());
    let replaced = |name: &str| names().any(|own| own.value == name);
    let mut placed = presets(raw.preset.as_ref(), known, &replaced, faults);
    let mut seen: Vec<&str> = Vec::new();
    for one in own() {
        if let Some(name) = &one.name {
            if seen.contains(&name.value.as_str()) {
                let shown = text::cut(&text::visible(&name.value), 80);
                faults.add(name.at, format!("a second rule is named `{shown}`"));
            }
            seen.push(&name.value);
        }
        placed.extend(rule(one, known, faults));
    }
    placed
}

impl Placed {
    /// Windows that nobody wrote are no longer, and no more in a row, than the time that is judged has room for.
    fn shorten(&mut self, judged: Duration) {
        let clauses = [
            (&mut self.rule.require, &self.require),
            (&mut self.rule.abort, &self.abort),
        ];
        for (clause, given) in clauses {
            let Some(clause) = clause else { continue };
            if !given.has("window") {
                clause.window = clause.window.map(|window| window.min(judged));
            }
            if !given.has("consecutive") {
                clause.consecutive = clause.consecutive.min(most_in_a_row(clause, judged));
            }
        }
    }
}

/// Whether the rule's clauses can come true in the time that is judged.
fn fit(
    placed: &Placed,
    judged: Duration,
    probes: &[(String, Option<Probe>)],
    table: &Table,
    faults: &mut Faults,
) {
    let Rule {
        subject,
        require,
        abort,
        ..
    } = &placed.rule;
    let looks = match subject {
        Subject::Probe(index) => probes
            .get(*index)
            .and_then(|(_, probe)| probe.as_ref())
            .map(|probe| probe.interval),
        _ => None,
    };
    let whole_minutes = match subject {
        Subject::Ratio { source, .. } | Subject::Number { source, .. } => table.counts_minutes(*source),
        Subject::Probe(_) | Subject::Histogram { .. } => false,
    };
    for (key, clause, given) in [
        ("require", require, &placed.require),
        ("abort", abort, &placed.abort),
    ] {
        let Some(clause) = clause else { continue };
        let what = format!("`{key}` of {}", placed.what);
        in_time(&what, clause, given, judged, looks, faults);
        // A `require` is judged by its last window in any case.
        if key == "abort" {
            in_a_row(&what, clause, given, judged, faults);
        }
        if whole_minutes {
            minutes(&what, clause.window, given.place("window"), faults);
        }
    }
}

/// Tells that so many windows back to back do not fit into the time that is judged.
fn in_a_row(what: &str, clause: &Clause, given: &Given, judged: Duration, faults: &mut Faults) {
    // A window that is too long by itself is told already.
    let Some(window) = clause.window.filter(|window| *window <= judged) else {
        return;
    };
    if clause.consecutive > most_in_a_row(clause, judged) {
        let reason = format!(
            "{what}: `consecutive` is {}, and so many windows of {} in a row can't come within the {} that are judged",
            clause.consecutive,
            duration::exact(window),
            duration::exact(judged)
        );
        faults.add(given.place("consecutive"), reason);
    }
}

fn minutes(what: &str, window: Option<Duration>, at: Place, faults: &mut Faults) {
    let odd = |window: &Duration| !window.as_millis().is_multiple_of(MINUTE.as_millis());
    if let Some(window) = window.filter(odd) {
        let shown = duration::exact(window);
        faults.add(
            at,
            format!("{what}: its window is {shown}, and CloudWatch counts whole minutes"),
        );
    }
}
