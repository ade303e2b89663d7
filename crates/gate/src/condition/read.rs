//! Reading a condition: an optional measure, an operator and an amount; or the one word `failing`.

use std::str::FromStr;

use gha::{duration, text};

use super::{Amount, Condition, ConditionError, Measure, Op};

impl FromStr for Condition {
    type Err = ConditionError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let written = text::cut(&text::visible(written.trim()), 100);
        let refuse = || ConditionError::Unreadable(written.clone());
        if written == "failing" {
            return Ok(Self {
                measure: Some(Measure::Failing),
                comparison: None,
                written,
            });
        }
        let start = written.find(['<', '>', '=', '!']).ok_or_else(refuse)?;
        let (left, rest) = written.split_at(start);
        let (op, amount) = operator(rest).ok_or_else(refuse)?;
        let measure = match left.trim() {
            "" => None,
            name => Some(measure(name).ok_or_else(refuse)?),
        };
        Ok(Self {
            measure,
            comparison: Some((op, read_amount(amount.trim()).ok_or_else(refuse)?)),
            written,
        })
    }
}

/// The operator at the start, and the rest.
fn operator(rest: &str) -> Option<(Op, &str)> {
    // The longer ones first.
    let known = [
        ("<=", Op::AtMost),
        (">=", Op::AtLeast),
        ("==", Op::Equal),
        ("!=", Op::Other),
        ("<", Op::Less),
        (">", Op::More),
    ];
    known
        .into_iter()
        .find_map(|(sign, op)| rest.strip_prefix(sign).map(|rest| (op, rest)))
}

fn measure(name: &str) -> Option<Measure> {
    if let Some(inside) = name
        .strip_prefix("count(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return match inside.trim() {
            "bad" => Some(Measure::CountBad),
            codes => codes.parse().ok().map(Measure::CountStatus),
        };
    }
    match name {
        "error_rate" => Some(Measure::ErrorRate),
        "value" => Some(Measure::Number),
        _ => {
            let digits = name.strip_prefix('p')?;
            let plain = digits.starts_with(|c: char| c.is_ascii_digit())
                && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
            let percent: f64 = digits.parse().ok().filter(|_| plain)?;
            (percent > 0.0 && percent < 100.0).then_some(Measure::Percentile(percent))
        }
    }
}

fn read_amount(amount: &str) -> Option<Amount> {
    let number = |text: &str| {
        let plain = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.'));
        let number: f64 = text.trim_end().parse().ok().filter(|_| plain)?;
        number.is_finite().then_some(number)
    };
    match amount.strip_suffix('%') {
        Some(percent) => number(percent).map(Amount::Percent),
        None => number(amount)
            .map(Amount::Plain)
            .or_else(|| duration::parse(amount).ok().map(Amount::Time)),
    }
}
