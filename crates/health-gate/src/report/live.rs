//! What is drawn again in place on a terminal, and what a log gets after a long silence. Pure.

use std::time::Duration;

use gate::course::Standing;
use gate::finding::Finding;
use gha::duration;
use gha::edge::live::{Line, Tone};

use super::record::{Probe, Record, RuleRow, Target};
use super::value::trimmed;

/// How wide a column of names may become.
const NAMES: usize = 24;

/// How wide a column of addresses may become.
const ADDRESSES: usize = 32;

/// How many probes have a line each.
const PROBES: usize = 10;

/// The lines of the table: targets while they are waited for, then rules and probes, then the time that is left.
#[must_use]
pub fn lines(record: &Record, is_watching: bool, left: Duration) -> Vec<Line> {
    let mut lines: Vec<Line> = if is_watching {
        let width = width(record.rules().iter().map(|rule| rule.name.as_str()), NAMES);
        let rules = record.rules().iter().map(|rule| rule_line(rule, width));
        rules.chain(probe_lines(record.probes())).collect()
    } else {
        let width = width(record.targets().iter().map(|target| target.name.as_str()), NAMES);
        let targets = record.targets().iter();
        targets.map(|target| target_line(target, width)).collect()
    };
    let samples = if is_watching {
        format!("{}, ", samples(record))
    } else {
        String::new()
    };
    lines.push(Line {
        tone: Tone::Faint,
        text: format!("  {samples}{} left", duration::display(whole_seconds(left))),
    });
    lines
}

/// How far it is, in a few words: what is missing or worst, and the time that is left.
#[must_use]
pub fn heartbeat(record: &Record, is_watching: bool, left: Duration) -> String {
    let left = duration::display(whole_seconds(left));
    if is_watching {
        let worst = worst(record.rules());
        let worst = worst.map_or_else(String::new, |rule| {
            format!("; {}: {}, limit {}", rule.name, rule.text, rule.limits)
        });
        return format!("{}{worst}; {left} left", samples(record));
    }
    let targets = record.targets();
    let ready = targets.iter().filter(|target| target.is_ready()).count();
    let open = targets.iter().find(|target| !target.is_ready());
    let open = open.map_or_else(String::new, |target| {
        let name = if targets.len() == 1 {
            String::new()
        } else {
            format!("{ready} of {} targets ready; {}: ", targets.len(), target.name)
        };
        let row = match (target.streak(), target.wanted()) {
            (0, _) => String::new(),
            (streak, wanted) => format!(", {streak} of {wanted} in a row"),
        };
        format!("{name}{}{row}; ", last(target))
    });
    format!("{open}{left} left")
}

/// The rule that stands worst, if one does not stand well.
fn worst(rules: &[RuleRow]) -> Option<&RuleRow> {
    let rank = |rule: &&RuleRow| match rule.standing {
        Standing::Failed(_) => 4,
        Standing::Trouble(_) => 3,
        Standing::Bad(_) => 2,
        Standing::Unknown(_) => 1,
        Standing::Well | Standing::Waiting => 0,
    };
    // Of equals the first, as `max_by_key` would take the last.
    rules.iter().rev().max_by_key(rank)
}

fn target_line(target: &Target, width: usize) -> Line {
    let (tone, sign) = match &target.latest {
        None => (Tone::Faint, '·'),
        Some(_) if target.is_ready() => (Tone::Good, '✓'),
        Some(_) if target.streak() > 0 => (Tone::Unsure, '●'),
        Some(_) => (Tone::Bad, '✗'),
    };
    Line {
        tone,
        text: format!(
            "{sign} {}  {}/{} in a row, try {}  {}",
            padded(&target.name, width, NAMES),
            target.streak().min(target.wanted()),
            target.wanted(),
            target.tries.count(),
            last(target)
        ),
    }
}

fn rule_line(rule: &RuleRow, width: usize) -> Line {
    let (tone, sign) = match rule.standing {
        Standing::Waiting => (Tone::Faint, '·'),
        Standing::Well => (Tone::Good, '✓'),
        Standing::Unknown(_) => (Tone::Unsure, '?'),
        Standing::Bad(_) => (Tone::Unsure, '●'),
        Standing::Trouble(_) => (Tone::Unsure, '!'),
        Standing::Failed(_) => (Tone::Bad, '✗'),
    };
    Line {
        tone,
        text: format!(
            "{sign} {}  {}  {}  (limit {})",
            padded(&rule.name, width, NAMES),
            rule.sparkline,
            rule.text,
            rule.limits
        ),
    }
}

/// A line for each probe; of many, those that are not good come first.
fn probe_lines(probes: &[Probe]) -> Vec<Line> {
    let mut shown: Vec<&Probe> = probes.iter().collect();
    if probes.len() > PROBES {
        shown.sort_by_key(|probe| probe.now.as_ref().is_none_or(Finding::is_good));
        shown.truncate(PROBES);
    }
    let names = width(shown.iter().map(|probe| probe.name.as_str()), NAMES);
    let addresses = width(shown.iter().map(|probe| probe.address.as_str()), ADDRESSES);
    let mut lines: Vec<Line> = shown
        .into_iter()
        .map(|probe| probe_line(probe, names, addresses))
        .collect();
    if probes.len() > PROBES {
        lines.push(Line {
            tone: Tone::Faint,
            text: format!("  … and {} more probes", probes.len() - PROBES),
        });
    }
    lines
}

fn probe_line(probe: &Probe, names: usize, addresses: usize) -> Line {
    let (tone, sign) = match &probe.now {
        None => (Tone::Faint, '·'),
        Some(Finding::Good) => (Tone::Good, '✓'),
        Some(Finding::Bad(_)) => (Tone::Bad, '✗'),
        Some(Finding::Unmeasured(_)) => (Tone::Unsure, '!'),
    };
    let last = probe.now.as_ref().map_or("nothing seen yet", Finding::text);
    Line {
        tone,
        text: format!(
            "{sign} {}  {}  {}  {}  {last}",
            padded(&probe.name, names, NAMES),
            padded(&probe.address, addresses, ADDRESSES),
            rate(probe.interval),
            counted(probe)
        ),
    }
}

/// How often a probe looks, as gate files say it: `2/s`, `30/m`.
fn rate(interval: Duration) -> String {
    let times = |seconds: f64| seconds / interval.as_secs_f64().max(1e-6);
    let units = [(1.0, "s"), (60.0, "m"), (3600.0, "h")];
    // A little below one, for what an interval loses by being whole nanoseconds.
    let (seconds, unit) = units
        .into_iter()
        .find(|(seconds, _)| times(*seconds) > 0.999)
        .unwrap_or((3600.0, "h"));
    format!("{}/{unit}", trimmed(times(seconds), 2))
}

/// The samples of a probe and its bad ones: `12 samples, 3 bad (25%)`.
fn counted(probe: &Probe) -> String {
    let (samples, bad) = (probe.looks.0 - probe.unmeasured, probe.looks.1);
    let one = if samples == 1 { "sample" } else { "samples" };
    #[expect(clippy::cast_precision_loss, reason = "far fewer samples than 2^52")]
    let share = bad as f64 / samples.max(1) as f64;
    let share = trimmed(share * 100.0, 1);
    let unmeasured = match probe.unmeasured {
        0 => String::new(),
        count => format!(", {count} not measured"),
    };
    format!("{samples} {one}, {bad} bad ({share}%){unmeasured}")
}

/// What was seen last of a target.
fn last(target: &Target) -> &str {
    let latest = target.latest.as_ref();
    latest.map_or("nothing seen yet", |attempt| attempt.look.finding.text())
}

fn samples(record: &Record) -> String {
    let probes = record.probes().iter();
    let looks = probes.map(|probe| (probe.looks.0 - probe.unmeasured, probe.looks.1));
    let (all, bad) = looks.fold((0, 0), |(all, bad), (n, b)| (all + n, bad + b));
    match (record.probes().len(), all) {
        (0, _) => "no samples of its own".to_owned(),
        (_, 1) => format!("1 sample, {bad} bad"),
        _ => format!("{all} samples, {bad} bad"),
    }
}

fn width<'a>(names: impl Iterator<Item = &'a str>, most: usize) -> usize {
    names
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default()
        .min(most)
}

fn padded(name: &str, width: usize, most: usize) -> String {
    format!("{:<width$}", gha::text::cut(name, most))
}

fn whole_seconds(time: Duration) -> Duration {
    if time.as_secs() == 0 {
        time
    } else {
        Duration::from_secs(time.as_secs())
    }
}
