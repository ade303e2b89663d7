//! A rule's values as a Mermaid chart (<https://mermaid.js.org/syntax/xyChart.html>), which GitHub draws in a summary.
//!
//! A chart has no gaps: each number of a line takes the next place. So a series that was not measured for a while is
//! drawn as several charts, one for each stretch without a gap, and the text says so. The other lines are the limits; a
//! chart can't name its lines, so the text below it does.

use gha::markdown;

use super::rules::{ClauseReport, RuleReport};
use super::series::{Point, spans};
use super::value::{Unit, trimmed};

/// How many points a chart has at most; more can't be told apart at the width it is drawn.
const POINTS: usize = 60;

/// How many stretches of one series are drawn.
const STRETCHES: usize = 3;

/// The largest number that is drawn: a longer one is no text that anyone reads.
const LARGEST: f64 = 1e12;

/// The charts of a rule as fenced blocks of Markdown; none where there are less than two points in a row.
#[must_use]
pub fn charts(rule: &RuleReport) -> Option<String> {
    let clause = rule.charted()?;
    let limits = limits(rule, clause);
    let (factor, unit) = scale(clause.unit, rule, &limits);
    let heights: Vec<f64> = limits.iter().map(|(_, limit)| limit.threshold * factor).collect();
    let scaled: Vec<Point> = rule
        .points
        .iter()
        .map(|point| Point {
            value: point.value.map(|value| value * factor),
            ..*point
        })
        .collect();
    let values = spans(&scaled, POINTS, clause.worse);
    let known = || values.iter().flatten().copied().chain(heights.iter().copied());
    if known().any(|value| !value.is_finite() || value.abs() > LARGEST) {
        return None;
    }
    let (low, high) = known().fold((0.0_f64, 0.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let high = if high > low {
        high + (high - low) * 0.1
    } else {
        low + 1.0
    };
    let span = Span::of(&rule.points, values.len())?;
    let mut stretches = unbroken(&values);
    let all = stretches.len();
    stretches.sort_by_key(|stretch| std::cmp::Reverse(stretch.len()));
    stretches.truncate(STRETCHES);
    stretches.sort_by_key(|stretch| stretch.start);
    let title = format!("{}, {unit}", safe(&rule.name));
    let mut text = String::new();
    for stretch in stretches {
        let line: Vec<String> = values[stretch.clone()]
            .iter()
            .flatten()
            .map(|value| digits(*value))
            .collect();
        let flat: String = heights
            .iter()
            .map(|height| format!("    line [{}]\n", vec![digits(*height); line.len()].join(", ")))
            .collect();
        text.push_str(&format!(
            "```mermaid\nxychart-beta\n    title \"{title}\"\n    x-axis \"{}\" {} --> {}\n    y-axis \"{unit}\" {} --> {}\n    \
             line [{}]\n{flat}```\n",
            span.unit,
            span.at(stretch.start),
            span.at(stretch.end - 1),
            digits(low),
            digits(high),
            line.join(", "),
        ));
    }
    if !text.is_empty() {
        text.push_str(&format!("\n_{}_\n", legend(&limits)));
    }
    let gaps = values.iter().filter(|value| value.is_none()).count();
    if gaps > 0 && !text.is_empty() {
        let left_out = if all > STRETCHES {
            "; the longest are drawn"
        } else {
            ""
        };
        text.push_str(&format!(
            "\n_Without data for {gaps} of {} points, so drawn in parts{left_out}._\n",
            values.len()
        ));
    }
    (!text.is_empty()).then_some(text)
}

/// The clauses whose limits are drawn, with their words: those about what the values are.
fn limits<'a>(rule: &'a RuleReport, charted: &ClauseReport) -> Vec<(&'static str, &'a ClauseReport)> {
    let both = [("require", &rule.require), ("abort", &rule.abort)];
    both.into_iter()
        .filter_map(|(word, clause)| Some((word, clause.as_ref()?)))
        .filter(|(_, clause)| clause.measure == charted.measure)
        .collect()
}

/// Which line is which.
fn legend(limits: &[(&'static str, &ClauseReport)]) -> String {
    let named: Vec<String> = limits
        .iter()
        .map(|(word, clause)| markdown::code(&format!("{word} {}", clause.limit)))
        .collect();
    match &named[..] {
        [one] => format!("The flat line is {one}; the other line is what was measured."),
        several => format!(
            "The flat lines are {}; the other line is what was measured.",
            several.join(" and ")
        ),
    }
}

/// What a value is multiplied by, and the unit it has then.
fn scale(unit: Unit, rule: &RuleReport, limits: &[(&'static str, &ClauseReport)]) -> (f64, &'static str) {
    let largest = rule
        .points
        .iter()
        .filter_map(|point| point.value)
        .chain(limits.iter().map(|(_, clause)| clause.threshold))
        .fold(0.0, f64::max);
    match unit {
        Unit::Share => (100.0, "percent"),
        Unit::Seconds if largest < 10.0 => (1000.0, "milliseconds"),
        Unit::Seconds => (1.0, "seconds"),
        Unit::Count => (1.0, "count"),
        Unit::Number => (1.0, "value"),
    }
}

/// The time axis of so many values.
struct Span {
    from: f64,
    each: f64,
    unit: &'static str,
}

impl Span {
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of an observation, and sixty values"
    )]
    fn of(points: &[Point], values: usize) -> Option<Self> {
        let (first, last) = (points.first()?.at_ms as f64, points.last()?.at_ms as f64);
        let (length, unit) = if last - first > 120_000.0 {
            (60_000.0, "minutes")
        } else {
            (1000.0, "seconds")
        };
        let steps = values.checked_sub(1).filter(|steps| *steps > 0)?;
        Some(Self {
            from: first / length,
            each: (last - first) / length / steps as f64,
            unit,
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "one of sixty values")]
    fn at(&self, index: usize) -> String {
        trimmed(self.from + self.each * index as f64, 2)
    }
}

/// The stretches of two and more values without a gap.
fn unbroken(values: &[Option<f64>]) -> Vec<std::ops::Range<usize>> {
    let mut stretches = Vec::new();
    let mut start = 0;
    for index in 0..=values.len() {
        if values.get(index).copied().flatten().is_none() {
            if index >= start + 2 {
                stretches.push(start..index);
            }
            start = index + 1;
        }
    }
    stretches
}

/// A number as the chart's grammar takes it: no exponent.
fn digits(value: f64) -> String {
    trimmed(value, 4)
}

/// A name as it may stand inside a chart's quotes: letters and digits, and little beside them. Everything else, such as
/// a quote, a `%%` (a comment) or a `#` (an entity), would end or change the text.
fn safe(name: &str) -> String {
    let shown: String = name
        .chars()
        .take(60)
        .map(|c| {
            if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ') {
                c
            } else {
                '_'
            }
        })
        .collect();
    match shown.trim() {
        "" => "rule".to_owned(),
        shown => shown.to_owned(),
    }
}
