//! Amounts of CPU, memory and things, as Kubernetes writes them
//! (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>). Pure.

use std::fmt;

use serde_json::Value;

/// Billionths, the smallest unit that is written.
const WHOLE: i128 = 1_000_000_000;

/// An amount, in billionths of its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

impl Quantity {
    /// Reads an amount: a text, or a number as manifests have it.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// Reads an amount; what is finer than a billionth is cut off.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let end = text
            .bytes()
            .position(|byte| !(byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-')))
            .unwrap_or(text.len());
        let (digits, suffix) = text.split_at(end);
        let (sign, digits) = match digits.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, digits.strip_prefix('+').unwrap_or(digits)),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && part.is_empty() {
            return None;
        }
        let kept = &part[..part.len().min(9)];
        if !part.bytes().all(|byte| byte.is_ascii_digit()) || !whole.bytes().all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        let all: i128 = format!("0{whole}{kept:0<9}").parse().ok()?;
        let (times, over) = scale(suffix)?;
        Some(Self(sign * all.checked_mul(times)? / over))
    }

    /// A number of things.
    #[must_use]
    pub fn count(count: u64) -> Self {
        Self(i128::from(count) * WHOLE)
    }

    /// The sum of two.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of it.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// So many of it.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(i128::from(count)))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MEBI: i128 = WHOLE << 20;
        const MILLI: i128 = WHOLE / 1000;
        match self.0 {
            amount if amount != 0 && amount % MEBI == 0 => write!(f, "{}Mi", amount / MEBI),
            amount if amount % WHOLE == 0 => write!(f, "{}", amount / WHOLE),
            amount if amount % MILLI == 0 => write!(f, "{}m", amount / MILLI),
            amount => write!(f, "{amount}n"),
        }
    }
}

/// What a suffix multiplies by, and divides by.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    let times = |times: i128| Some((times, 1));
    match suffix {
        "n" => Some((1, WHOLE)),
        "u" => Some((1, 1_000_000)),
        "m" => Some((1, 1000)),
        "" => times(1),
        "k" => times(1000),
        "M" => times(1_000_000),
        "G" => times(1_000_000_000),
        "T" => times(1_000_000_000_000),
        "P" => times(1_000_000_000_000_000),
        "E" => times(1_000_000_000_000_000_000),
        "Ki" => times(1 << 10),
        "Mi" => times(1 << 20),
        "Gi" => times(1 << 30),
        "Ti" => times(1 << 40),
        "Pi" => times(1 << 50),
        "Ei" => times(1 << 60),
        _ => {
            let exponent: i32 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
            Some(if exponent < 0 { (1, power) } else { (power, 1) })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_forms_of_the_api() {
        for (one, other) in [
            ("1", "1000m"),
            ("0.5", "500m"),
            (".5", "500m"),
            ("1.", "1"),
            ("1Gi", "1024Mi"),
            ("1.5Gi", "1536Mi"),
            ("1G", "1e9"),
            ("2E", "2000P"),
            ("1e-3", "1m"),
            ("+1k", "1000"),
            ("100000u", "100m"),
        ] {
            assert_eq!(Quantity::parse(one), Quantity::parse(other), "{one}");
            assert!(Quantity::parse(one).is_some(), "{one}");
        }
        for (text, told) in [
            ("1.5Gi", "1536Mi"),
            ("0.25", "250m"),
            ("3", "3"),
            ("0", "0"),
            ("5u", "5000n"),
        ] {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), told);
        }
        assert!(Quantity::parse("1Gi") > Quantity::parse("1G"));
        assert!(Quantity::parse("-1") < Quantity::parse("0"));
        assert_eq!(Quantity::of(&json!(2)), Some(Quantity::count(2)));
        for bad in ["", ".", "x", "1x", "1.2.3", "1-", "Gi", "1 ", "--1", "e3", "1e99"] {
            assert_eq!(Quantity::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_foreign_panics(text in any::<String>(), digits in "[0-9.+-]{0,50}[a-zA-Z0-9+-]{0,4}", count in any::<u64>()) {
            for text in [text, digits] {
                if let Some(quantity) = Quantity::parse(&text) {
                    let _ = quantity.times(count).plus(quantity).minus(quantity);
                }
            }
        }
    }
}
