//! What a plain scalar is, as Kubernetes' own reading of YAML has it: that of YAML 1.1 for booleans and octal numbers
//! (<https://github.com/kubernetes-sigs/yaml>, the reading of `kubectl`). So `on` is true, `y` too, and `0644` is 420; the YAML 1.2
//! that other tools read would send the server something else than `kubectl apply` does. Pure.

use serde_json::{Number, Value};

/// The largest number below which Go writes a whole float without an exponent, which the server then reads as an integer.
const WHOLE: f64 = 1e21;

/// Why a scalar has no value in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoValue {
    /// Infinity or no number.
    #[error("has no value in JSON; put it in quotes")]
    NotFinite,
    /// A whole number of more than 64 bits, of which JSON would keep a part.
    #[error("is a whole number of more than 64 bits; put it in quotes")]
    TooLarge,
}

/// The value of a scalar that was written plainly.
pub(super) fn resolve(written: &str) -> Result<Value, NoValue> {
    Ok(match written {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf"
        | "-.Inf" | "-.INF" => return Err(NoValue::NotFinite),
        _ => match number(written)? {
            Some(number) => Value::Number(number),
            None => Value::String(written.to_owned()),
        },
    })
}

fn number(written: &str) -> Result<Option<Number>, NoValue> {
    let begins = |first: u8| first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.');
    if !written.bytes().next().is_some_and(begins) {
        return Ok(None);
    }
    let plain = written.replace('_', "");
    if let Some(whole) = whole(&plain) {
        let narrow = i64::try_from(whole).map(Number::from);
        let number = narrow.or_else(|_| u64::try_from(whole).map(Number::from));
        return number.map(Some).map_err(|_| NoValue::TooLarge);
    }
    if !is_float(&plain) {
        return Ok(None);
    }
    let is_whole = !plain.contains(['.', 'e', 'E']);
    match plain.parse::<f64>() {
        // Too large for Go, too, which leaves it a text.
        Ok(float) if !float.is_finite() => Ok(None),
        Ok(_) if is_whole && plain.len() > 20 => Err(NoValue::TooLarge),
        Ok(float) => Ok(of_float(float)),
        Err(_) => Ok(None),
    }
}

/// A whole number in any of Go's bases: `0x`, `0o`, `0b`, `0` for octal.
fn whole(plain: &str) -> Option<i128> {
    let (sign, digits) = match plain.as_bytes().first()? {
        b'-' => (-1, &plain[1..]),
        b'+' => (1, &plain[1..]),
        _ => (1, plain),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.get(..2) {
        Some("0x") => (16, &lower[2..]),
        Some("0o") => (8, &lower[2..]),
        Some("0b") => (2, &lower[2..]),
        _ if lower.len() > 1 && lower.starts_with('0') => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    Some(sign * i128::from_str_radix(digits, base).ok()?)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(plain: &str) -> bool {
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let has_exponent =
        exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    has_exponent
        && match mantissa.split_once('.') {
            Some(("", fraction)) => digits(fraction),
            Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
            None => digits(mantissa),
        }
}

/// A float as Go writes it: a whole one like an integer.
fn of_float(float: f64) -> Option<Number> {
    if float.fract() == 0.0 && float.abs() < WHOLE {
        let whole = format!("{float:.0}");
        if let Ok(whole) = whole.parse::<i64>() {
            return Some(Number::from(whole));
        }
        if let Ok(whole) = whole.parse::<u64>() {
            return Some(Number::from(whole));
        }
    }
    Number::from_f64(float)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    /// What `kubectl annotate --local` of version 1.37 makes of each, but for 64 bits, which it rounds.
    #[test]
    fn scalars_are_what_kubectl_makes_of_them() {
        for (written, value) in [
            ("y", json!(true)),
            ("Yes", json!(true)),
            ("On", json!(true)),
            ("oN", json!("oN")),
            ("NO", json!(false)),
            ("off", json!(false)),
            ("tRUE", json!("tRUE")),
            ("~", json!(null)),
            ("0644", json!(420)),
            ("0899", json!(899)),
            ("0o17", json!(15)),
            ("0o8", json!("0o8")),
            ("0x1F", json!(31)),
            ("0X1f", json!(31)),
            ("0B1", json!(1)),
            ("+0x1f", json!(31)),
            ("-0644", json!(-420)),
            ("1_000", json!(1000)),
            ("1__0", json!(10)),
            ("1_", json!(1)),
            ("1_0.5", json!(10.5)),
            ("1e3", json!(1000)),
            ("12e03", json!(12000)),
            ("1.0", json!(1)),
            ("1.10", json!(1.1)),
            (".5", json!(0.5)),
            ("+.5", json!(0.5)),
            ("-.5", json!(-0.5)),
            ("1.", json!(1)),
            ("1e21", json!(1e21)),
            ("123456789.0", json!(123456789)),
            ("-0", json!(0)),
            ("08", json!(8)),
            ("0_8", json!(8)),
            ("1e400", json!("1e400")),
            ("2024-01-01", json!("2024-01-01")),
            ("1:30", json!("1:30")),
            ("18446744073709551615", json!(18446744073709551615_u64)),
            ("-9223372036854775808", json!(i64::MIN)),
            ("1.2.3", json!("1.2.3")),
            ("500m", json!("500m")),
            ("-", json!("-")),
            ("0x", json!("0x")),
        ] {
            assert_eq!(resolve(written), Ok(value), "{written}");
        }
        assert_eq!(resolve("18446744073709551616"), Err(NoValue::TooLarge));
        assert_eq!(
            resolve("123456789012345678901234567890123456789012345"),
            Err(NoValue::TooLarge)
        );
        assert_eq!(resolve("-.inf"), Err(NoValue::NotFinite));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in any::<String>(), number in "[-+0-9_.eExob]{0,60}") {
            let _ = resolve(&text);
            let _ = resolve(&number);
        }
    }
}
