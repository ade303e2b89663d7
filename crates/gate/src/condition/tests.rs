//! Conditions that fit and such that do not.

use super::*;
use proptest::prelude::{any, proptest};

fn on(written: &str, subject: SubjectKind) -> Result<(Measure, Op, f64), String> {
    let condition: Condition = written
        .parse()
        .map_err(|error: ConditionError| error.to_string())?;
    let test = condition.on(subject).map_err(|error| error.to_string())?;
    Ok((test.measure, test.op, test.threshold))
}

#[test]
fn conditions_are_read_in_their_units() {
    use SubjectKind::{Histogram, Number, Probe, Ratio};
    for (written, subject, expected) in [
        ("< 1%", Ratio, (Measure::ErrorRate, Op::Less, 0.01)),
        (
            "error_rate<=0.005",
            Probe,
            (Measure::ErrorRate, Op::AtMost, 0.005),
        ),
        ("p95 < 300ms", Probe, (Measure::Percentile(95.0), Op::Less, 0.3)),
        (
            "p99.9 >= 1m30s",
            Histogram,
            (Measure::Percentile(99.9), Op::AtLeast, 90.0),
        ),
        (">= 10", Number, (Measure::Number, Op::AtLeast, 10.0)),
        ("value > -1.5", Number, (Measure::Number, Op::More, -1.5)),
        ("< 80%", Number, (Measure::Number, Op::Less, 0.8)),
        ("== 0", Number, (Measure::Number, Op::Equal, 0.0)),
        ("count(bad) > 3", Probe, (Measure::CountBad, Op::More, 3.0)),
        (
            "count(5xx) >= 10",
            Probe,
            (Measure::CountStatus("5xx".parse().unwrap()), Op::AtLeast, 10.0),
        ),
        ("failing", Probe, (Measure::Failing, Op::AtLeast, 0.0)),
    ] {
        assert_eq!(on(written, subject), Ok(expected), "{written}");
    }
}

#[test]
fn what_does_not_fit_says_what_would() {
    use SubjectKind::{Histogram, Number, Probe, Ratio};
    for (written, subject, reason) in [
        ("", Ratio, "`` is no condition"),
        ("1%", Ratio, "is no condition"),
        ("< one", Ratio, "is no condition"),
        ("< 1%%", Ratio, "is no condition"),
        ("< inf", Number, "is no condition"),
        ("=> 10", Number, "is no condition"),
        ("p0 < 1s", Probe, "is no condition"),
        ("p100 < 1s", Probe, "is no condition"),
        ("count(9xx) > 1", Probe, "is no condition"),
        ("< 1", Ratio, "compares a share"),
        ("< 300ms", Ratio, "compares a share"),
        ("< 101%", Ratio, "compares a share"),
        ("p95 < 300", Probe, "no unit; write for example `p95 < 300ms`"),
        ("p95 < 3%", Histogram, "no unit"),
        (">= 10s", Number, "has a unit"),
        ("== 1%", Ratio, "never exactly"),
        ("< 1%", Probe, "a probe's samples take `error_rate`"),
        ("p95 < 1s", Ratio, "a ratio takes a share"),
        ("failing", Number, "a count or value takes a number"),
        ("< 1%", Histogram, "a histogram takes a percentile"),
    ] {
        let error = on(written, subject).expect_err(written);
        assert!(error.contains(reason), "{written}: {error}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        if let Ok(condition) = text.parse::<Condition>() {
            for subject in [SubjectKind::Probe, SubjectKind::Ratio, SubjectKind::Histogram, SubjectKind::Number] {
                let _ = condition.on(subject);
            }
        }
    }
}
