//! What was measured, in words: `1.2% (5 of 400)`, `p95 272ms of 900`, `failing for 2m10s`. Pure.

use std::time::Duration;

use crate::condition::{Measure, Test};
use crate::measured::{Latency, Measured};
use gha::duration;
use serde::Serialize;

/// The unit of a rule's numbers in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// A share from 0 to 1.
    Share,
    /// Seconds.
    Seconds,
    /// How many.
    Count,
    /// A number of the source's own.
    Number,
}

impl Unit {
    /// The unit of a condition.
    #[must_use]
    pub fn of(test: &Test) -> Self {
        match test.measure {
            Measure::ErrorRate => Self::Share,
            Measure::Percentile(_) | Measure::Failing => Self::Seconds,
            Measure::CountBad | Measure::CountStatus(_) => Self::Count,
            Measure::Number => Self::Number,
        }
    }
}

/// A value as a person reads it beside its condition.
#[must_use]
pub fn text(test: &Test, measured: &Measured) -> String {
    match (&test.measure, measured) {
        (Measure::ErrorRate, Measured::Share(share)) => match share.rate() {
            Some(rate) => format!(
                "{} ({} of {})",
                percent(rate, test.threshold),
                number(share.bad.round()),
                number(share.total.round())
            ),
            None => "nothing was counted".to_owned(),
        },
        (_, Measured::Share(share)) => {
            format!("{} of {}", number(share.bad.round()), number(share.total.round()))
        }
        (Measure::Percentile(percent), Measured::Latency(latency)) => {
            format!("p{percent} {}", latency_text(latency, test.threshold))
        }
        (_, Measured::Latency(latency)) => latency_text(latency, test.threshold),
        (_, Measured::Number(value)) => number(*value),
        (_, Measured::Failing(seconds)) if *seconds > 0.0 => {
            format!("failing for {}", time(*seconds))
        }
        (_, Measured::Failing(_)) => "not failing".to_owned(),
    }
}

/// The comparison of a condition without its measure: `> 2%` of `error_rate > 2%`.
#[must_use]
pub fn limit(test: &Test) -> &str {
    match test.written.find(['<', '>', '=', '!']) {
        Some(at) => &test.written[at..],
        None => &test.written,
    }
}

/// A window as it is written in files: `60s`, `5m`, `1h30m`.
#[must_use]
pub fn window(length: Duration) -> String {
    if length.as_secs() < 120 && length.subsec_millis() == 0 {
        format!("{}s", length.as_secs())
    } else {
        duration::display(length)
    }
}

/// A number without an exponent, with four digits behind the point at most.
#[must_use]
pub fn number(value: f64) -> String {
    if value.is_infinite() {
        let sign = if value < 0.0 { "-" } else { "" };
        return format!("{sign}infinity");
    }
    if value.abs() >= 1e15 {
        return format!("{value:e}");
    }
    trimmed(value, 4)
}

/// A share as a percentage: one digit behind the point, and more where the limit would look the same.
fn percent(rate: f64, limit: f64) -> String {
    let shown = |value: f64, digits| trimmed(value * 100.0, digits);
    #[expect(clippy::float_cmp, reason = "a value that is the limit looks like it")]
    let is_told_apart = |digits| rate == limit || shown(rate, digits) != shown(limit, digits);
    let is_told_from_zero = |digits| rate <= 0.0 || shown(rate, digits) != "0";
    let digits = (1..4).find(|digits| is_told_apart(*digits) && is_told_from_zero(*digits));
    format!("{}%", shown(rate, digits.unwrap_or(4)))
}

fn latency_text(latency: &Latency, limit: f64) -> String {
    let n = number(latency.n.round());
    #[expect(clippy::float_cmp, reason = "raw samples give one value twice")]
    let is_one = latency.low == latency.high;
    if is_one {
        format!("{} of {n}", beside(latency.high, limit))
    } else if latency.high.is_finite() {
        format!("between {} and {}", time(latency.low), time(latency.high))
    } else {
        format!("over {}", time(latency.low))
    }
}

/// Seconds as a length of time; to the microsecond where the limit would look the same.
fn beside(seconds: f64, limit: f64) -> String {
    let shown = time(seconds);
    #[expect(clippy::float_cmp, reason = "a value that is the limit looks like it")]
    let is_told_apart = seconds == limit || shown != time(limit);
    if is_told_apart {
        shown
    } else {
        format!("{}ms", trimmed(seconds * 1000.0, 3))
    }
}

/// Seconds as a length of time.
#[must_use]
pub fn time(seconds: f64) -> String {
    Duration::try_from_secs_f64(seconds).map_or_else(|_| "infinity".to_owned(), duration::display)
}

/// A number with so many digits behind the point at most, and no zeros at its end.
#[must_use]
pub fn trimmed(value: f64, digits: usize) -> String {
    let shown = format!("{value:.digits$}");
    let shown = match shown.contains('.') {
        true => shown.trim_end_matches('0').trim_end_matches('.'),
        false => &shown,
    };
    if shown == "-0" { "0" } else { shown }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{Condition, SubjectKind};
    use crate::measured::Share;
    use proptest::prelude::{any, proptest};

    fn test(written: &str, subject: SubjectKind) -> Test {
        written.parse::<Condition>().unwrap().on(subject).unwrap()
    }

    fn shown(written: &str, subject: SubjectKind, measured: Measured) -> String {
        text(&test(written, subject), &measured)
    }

    #[test]
    fn values_are_in_the_words_of_their_condition() {
        use SubjectKind::{Histogram, Number, Probe, Ratio};
        let share = |bad, total| Measured::Share(Share { bad, total });
        let latency = |low, high, n| Measured::Latency(Latency { low, high, n });
        for (written, subject, measured, expected) in [
            ("> 2%", Ratio, share(19.0, 600.0), "3.2% (19 of 600)"),
            ("< 1%", Ratio, share(5.0, 400.0), "1.2% (5 of 400)"),
            ("< 1%", Ratio, share(0.0, 400.0), "0% (0 of 400)"),
            ("< 1%", Ratio, share(1.0, 9000.0), "0.01% (1 of 9000)"),
            ("> 2%", Ratio, share(2.04, 100.0), "2.04% (2 of 100)"),
            ("> 2%", Ratio, share(2.0, 100.0), "2% (2 of 100)"),
            ("> 2%", Ratio, share(100.0, 100.0), "100% (100 of 100)"),
            ("< 1%", Ratio, share(0.0, 0.0), "nothing was counted"),
            ("count(5xx) >= 10", Probe, share(12.0, 600.0), "12 of 600"),
            (
                "p95 < 300ms",
                Probe,
                latency(0.272, 0.272, 900.0),
                "p95 272ms of 900",
            ),
            (
                "p95 > 500ms",
                Probe,
                latency(0.5004, 0.5004, 60.0),
                "p95 500.4ms of 60",
            ),
            (
                "p99.9 < 300ms",
                Histogram,
                latency(0.25, 0.5, 900.0),
                "p99.9 between 250ms and 500ms",
            ),
            (
                "p95 < 3s",
                Histogram,
                latency(5.0, f64::INFINITY, 9.0),
                "p95 over 5s",
            ),
            (">= 10", Number, Measured::Number(12.0), "12"),
            (">= 10", Number, Measured::Number(1.0 / 3.0), "0.3333"),
            (">= 10", Number, Measured::Number(f64::INFINITY), "infinity"),
            (">= 10", Number, Measured::Number(-0.000_01), "0"),
            ("failing", Probe, Measured::Failing(130.0), "failing for 2m10s"),
            ("failing", Probe, Measured::Failing(0.0), "not failing"),
        ] {
            assert_eq!(shown(written, subject, measured), expected);
        }
    }

    #[test]
    fn a_limit_has_no_measure() {
        for (written, subject, expected) in [
            ("error_rate > 2%", SubjectKind::Probe, "> 2%"),
            ("<=1%", SubjectKind::Ratio, "<=1%"),
            ("failing", SubjectKind::Probe, "failing"),
        ] {
            assert_eq!(limit(&test(written, subject)), expected);
        }
        assert_eq!(
            [secs(60), secs(119), secs(300)].map(window),
            ["60s", "119s", "5m"]
        );
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    proptest! {
        #[test]
        fn no_value_panics(a in any::<f64>(), b in any::<f64>(), n in any::<f64>()) {
            for written in ["> 2%", "< 0.5%"] {
                shown(written, SubjectKind::Ratio, Measured::Share(Share { bad: a, total: b }));
            }
            shown("p95 < 1s", SubjectKind::Probe, Measured::Latency(Latency { low: a, high: b, n }));
            shown("> 1", SubjectKind::Number, Measured::Number(a));
            shown("failing", SubjectKind::Probe, Measured::Failing(a));
        }
    }
}
