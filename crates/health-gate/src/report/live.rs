//! What is drawn again in place on a terminal, and what a log gets after a long silence. Pure.

use std::time::Duration;

use gate::course::Standing;
use gha::duration;
use gha::edge::live::{Line, Tone};

use super::record::{Record, RuleRow, Target};

/// How wide a column of names may become.
const NAMES: usize = 24;

/// The lines of the table: targets while they are waited for, then probes and rules, then the time that is left.
#[must_use]
pub fn lines(record: &Record, is_watching: bool, left: Duration) -> Vec<Line> {
    let mut lines: Vec<Line> = if is_watching {
        let width = width(record.rules().iter().map(|rule| rule.name.as_str()));
        record.rules().iter().map(|rule| rule_line(rule, width)).collect()
    } else {
        let width = width(record.targets().iter().map(|target| target.name.as_str()));
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
        format!("{name}{}; ", last(target))
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
            padded(&target.name, width),
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
            padded(&rule.name, width),
            rule.sparkline,
            rule.text,
            rule.limits
        ),
    }
}

/// What was seen last of a target.
fn last(target: &Target) -> &str {
    let latest = target.latest.as_ref();
    latest.map_or("nothing seen yet", |attempt| attempt.look.finding.text())
}

fn samples(record: &Record) -> String {
    let looks = record.probes().iter().map(|probe| probe.looks);
    let (all, bad) = looks.fold((0, 0), |(all, bad), (n, b)| (all + n, bad + b));
    match (record.probes().len(), all) {
        (0, _) => "no samples of its own".to_owned(),
        (_, 1) => format!("1 sample, {bad} bad"),
        _ => format!("{all} samples, {bad} bad"),
    }
}

fn width<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default()
        .min(NAMES)
}

fn padded(name: &str, width: usize) -> String {
    format!("{:<width$}", gha::text::cut(name, NAMES))
}

fn whole_seconds(time: Duration) -> Duration {
    if time.as_secs() == 0 {
        time
    } else {
        Duration::from_secs(time.as_secs())
    }
}
