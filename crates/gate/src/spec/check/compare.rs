//! `compare`: two arms, and settings that make a decision possible.

use std::time::Duration;

use gha::{duration, text};

use crate::compare::SettingsError;
use crate::spec::check::rules::{Known, is_rule_name};
use crate::spec::comparison::{Arm, Comparison};
use crate::spec::fault::Faults;
use crate::spec::file::amounts::{Positive, Share};
use crate::spec::file::compare as file;
use crate::spec::file::leaf::Leaf;
use crate::spec::file::query::Ratio;

/// The length of an interval that is counted.
const INTERVAL: Duration = Duration::from_secs(60);

/// Fewer intervals leave no degree of freedom to see how much they scatter.
const FEWEST_INTERVALS: u32 = 3;

/// Checks a comparison. `judged` is the time that is judged, where it is known.
pub(crate) fn comparison(
    raw: &file::Compare,
    known: &Known<'_>,
    judged: Option<Duration>,
    faults: &mut Faults,
) -> Option<Comparison> {
    for key in ["name", "canary", "baseline"] {
        raw.given.need(key, "a comparison", faults);
    }
    if let Some(name) = raw.name.as_ref().filter(|name| !is_rule_name(&name.value)) {
        let shown = text::cut(&text::visible(&name.value), 80);
        faults.add(
            name.at,
            format!("`{shown}` can't name a comparison; write small letters, digits, `_` and `-`"),
        );
    }
    let canary = raw.canary.as_ref().and_then(|arm| self::arm(arm, known, faults));
    let baseline = raw
        .baseline
        .as_ref()
        .and_then(|arm| self::arm(arm, known, faults));
    if canary.is_some() && canary == baseline {
        faults.add(
            raw.given.place("baseline"),
            "`canary` and `baseline` ask the same",
        );
    }
    let positive =
        |value: &Option<Leaf<Positive>>, usual| value.as_ref().map_or(usual, |value| value.value.0);
    let share = |value: &Option<Leaf<Share>>, usual| value.as_ref().map_or(usual, |value| value.value.0);
    let (fail_ratio, pass_ratio) = (positive(&raw.fail_ratio, 1.0), positive(&raw.pass_ratio, 2.0));
    if pass_ratio <= fail_ratio {
        let key = if raw.given.has("pass_ratio") {
            "pass_ratio"
        } else {
            "fail_ratio"
        };
        let reason = format!("`pass_ratio` {pass_ratio} must be larger than `fail_ratio` {fail_ratio}");
        faults.add(raw.given.place(key), reason);
    }
    let alpha = share(&raw.alpha, 0.05);
    if !(0.0001..0.5).contains(&alpha) {
        faults.add(
            raw.given.place("alpha"),
            format!("`alpha` is {alpha}, and must be from 0.0001 up to, not including, 0.5"),
        );
    }
    let interval = raw.interval.as_ref().map_or(INTERVAL, |interval| interval.value);
    let min_intervals = raw.min_intervals.as_ref().map_or(5, |count| count.value);
    if interval < Duration::from_secs(1) {
        faults.add(raw.given.place("interval"), "`interval` must be at least 1s");
    } else if min_intervals < FEWEST_INTERVALS {
        faults.add(
            raw.given.place("min_intervals"),
            format!("`min_intervals` must be at least {FEWEST_INTERVALS}"),
        );
    } else if let Some(judged) = judged.filter(|judged| interval.saturating_mul(min_intervals) > *judged) {
        let show = duration::exact;
        let reason = format!(
            "{min_intervals} intervals of {} do not fit in the {} that are judged; lower `interval` or raise `duration`",
            show(interval),
            show(judged)
        );
        faults.add(raw.given.place("interval"), reason);
    }
    let whole_minutes = [&canary, &baseline]
        .into_iter()
        .flatten()
        .any(|arm| known.table.counts_minutes(arm.source));
    if whole_minutes && !interval.as_millis().is_multiple_of(INTERVAL.as_millis()) {
        faults.add(
            raw.given.place("interval"),
            "CloudWatch counts whole minutes; make `interval` some of them",
        );
    }
    let comparison = Comparison {
        name: raw.name.clone()?.value,
        canary: canary?,
        baseline: baseline?,
        fail_ratio,
        pass_ratio,
        alpha,
        ignore_below: share(&raw.ignore_below, 0.001),
        min_intervals,
        min_bad: raw.min_bad.as_ref().map_or(5, |count| count.value),
        interval,
        advisory: raw.advisory.as_ref().is_some_and(|advisory| advisory.value),
    };
    if let Err(error) = comparison.settings(1).check() {
        let key = match error {
            SettingsError::FailRatio(_) => Some("fail_ratio"),
            SettingsError::IgnoreBelow(_) => Some("ignore_below"),
            SettingsError::Count {
                name, value, most, ..
            } if value > most => Some(name),
            SettingsError::Count { name: "min_bad", .. } => Some("min_bad"),
            // Told above.
            SettingsError::PassRatio { .. } | SettingsError::Alpha { .. } | SettingsError::Count { .. } => {
                None
            }
        };
        if let Some(key) = key {
            faults.add(raw.given.place(key), error.to_string());
        }
    }
    Some(comparison)
}

fn arm(raw: &Ratio, known: &Known<'_>, faults: &mut Faults) -> Option<Arm> {
    let (source, bad, total) = known.ratio(raw, faults)?;
    Some(Arm { source, bad, total })
}
