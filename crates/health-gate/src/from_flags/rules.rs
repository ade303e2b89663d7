//! Rules from the conditions of `--require` and `--abort`.

use crate::cli::Watch;
use crate::document::Document;

/// Rules from conditions. Those about the same measure are one rule, which is named like the measure.
pub(super) fn rules(document: &mut Document, flags: &Watch) {
    let requires = flags.require.iter().map(|written| (written.as_str(), true));
    let aborts = flags.abort.iter().map(|written| (written.as_str(), false));
    let mut rules: Vec<(String, Option<&str>, Option<&str>)> = Vec::new();
    for (written, is_require) in requires.chain(aborts) {
        let name = rule_name(written);
        // A rule of a preset's name would take its place, and here nobody gave a name.
        let name = if flags.preset.is_empty() {
            name
        } else {
            format!("own-{name}")
        };
        let has_room = |rule: &(String, Option<&str>, Option<&str>)| {
            rule.0 == name
                && if is_require {
                    rule.1.is_none()
                } else {
                    rule.2.is_none()
                }
        };
        let known = rules.iter().position(has_room);
        let index = known.unwrap_or_else(|| {
            let same = rules.iter().filter(|rule| rule.0.starts_with(&name)).count();
            let name = if same == 0 {
                name
            } else {
                format!("{name}-{}", same + 1)
            };
            rules.push((name, None, None));
            rules.len() - 1
        });
        if is_require {
            rules[index].1 = Some(written);
        } else {
            rules[index].2 = Some(written);
        }
    }
    if rules.is_empty() {
        return;
    }
    document.open("rules", "");
    for (name, require, abort) in rules {
        let flag = if require.is_some() { "require" } else { "abort" };
        document.open("", flag);
        document.value("name", flag, &name);
        document.value("from", flag, "probe");
        for (key, clause) in [("require", require), ("abort", abort)] {
            let Some(written) = clause else { continue };
            let flag = if key == "require" { "require" } else { "abort" };
            let samples = flags.min_samples.filter(|_| takes_samples(flag, written));
            let samples = samples.map(|samples| samples.to_string());
            let (when, time) = match written.split_once(" for ") {
                Some((when, time)) => (when.trim(), Some(time.trim())),
                None => (written, None),
            };
            if time.is_none() && samples.is_none() {
                document.value(key, flag, written);
                continue;
            }
            document.open(key, flag);
            document.value("when", flag, when);
            document.maybe("for", flag, time);
            document.maybe("min_samples", "min-samples", samples.as_deref());
            document.close();
        }
        document.close();
    }
    document.close();
}

/// Whether `--min-samples` is for a condition: a share that is required, or a percentile. An `abort` on a share or a count
/// has no use for more samples: it would only come later.
pub(super) fn takes_samples(flag: &str, condition: &str) -> bool {
    let measure = rule_name(condition);
    let percentile = measure.strip_prefix('p');
    percentile.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        || flag == "require" && measure == "error-rate"
}

/// The name of a rule: what its condition measures, in letters that a name may have.
fn rule_name(condition: &str) -> String {
    let measure = condition
        .split(['<', '>', '=', '!'])
        .next()
        .unwrap_or_default()
        .split(" for ")
        .next()
        .unwrap_or_default();
    let mut name = String::new();
    for c in measure.trim().to_ascii_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_matches('-');
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() < 40 {
        name.to_owned()
    } else {
        "rule".to_owned()
    }
}
