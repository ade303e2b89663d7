//! Whether the numbers of a JSON text came through: `serde_json` holds a number as 64 bits, and what does not fit would
//! go to ECS as another number.

use serde_json::Value;

use crate::task_definition::READ_ONLY;

/// The first number of a JSON text that its value holds as another one, as it was written. Numbers of read-only keys
/// don't count: they are sent nowhere, and ECS writes its times with fractions. The text must have been read into the
/// value by a reader that refuses a key that stands twice.
pub(crate) fn lost<'a>(text: &'a str, value: &Value) -> Option<&'a str> {
    let mut held = Vec::new();
    collect(value, &mut held);
    written(text)
        .into_iter()
        .zip(held)
        .find(|(number, held)| !number.read_only && decimal(number.text) != decimal(held))
        .map(|(number, _)| number.text)
}

/// A number as it stands in a text.
struct Written<'a> {
    text: &'a str,
    /// Whether it is the value of a read-only key.
    read_only: bool,
}

/// The numbers of a text that is JSON, in their order.
fn written(text: &str) -> Vec<Written<'_>> {
    let mut numbers = Vec::new();
    let mut last_string = "";
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        let from = &rest[start..];
        let length = if from.starts_with('"') {
            let length = string(from);
            last_string = from[..length].trim_matches('"');
            length
        } else {
            let number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
            let length = from.find(|c: char| !number(c)).unwrap_or(from.len());
            let read_only = READ_ONLY.contains(&last_string);
            numbers.push(Written {
                text: &from[..length],
                read_only,
            });
            length
        };
        rest = &from[length..];
    }
    numbers
}

/// The length of the string that a text begins with, its quotes included.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The numbers of a value, in the order in which they are written.
fn collect(value: &Value, numbers: &mut Vec<String>) {
    match value {
        Value::Number(number) => numbers.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, numbers)),
        Value::Object(members) => members.values().for_each(|member| collect(member, numbers)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// A number as sign, digits without zeros at either end, and the power of ten of its last digit.
fn decimal(number: &str) -> Option<(bool, String, i64)> {
    let (negative, number) = number
        .strip_prefix('-')
        .map_or((false, number), |number| (true, number));
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let zeros = i64::try_from(digits.len() - significant.len()).ok()?;
    let significant = significant.trim_start_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let power = exponent
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(zeros)?;
    Some((negative, significant.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn first_lost(text: &str) -> Option<&str> {
        lost(text, &serde_json::from_str(text).unwrap())
    }

    #[test]
    fn numbers_that_fit_are_kept() {
        for text in [
            r#"{"a": 1, "b": [-2, 0.5, 1e3, 1.50, 18446744073709551615, -0, 0.0]}"#,
            r#"{"a": "1.00000000000000000000001", "b\"": 3}"#,
            r#"{"registeredAt": 1.70531234512345678901E9, "cpu": 256}"#,
        ] {
            assert_eq!(first_lost(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_that_do_not_fit_are_named() {
        for (text, number) in [
            (r#"{"a": 18446744073709551617}"#, "18446744073709551617"),
            (
                r#"{"a": [1, 0.12345678901234567890123]}"#,
                "0.12345678901234567890123",
            ),
            (
                r#"{"registeredAt": 1, "a": 36893488147419103233}"#,
                "36893488147419103233",
            ),
        ] {
            assert_eq!(first_lost(text), Some(number), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_and_what_is_printed_are_kept(whole in any::<i64>(), float in any::<f64>()) {
            let value = serde_json::json!({"a\\\"1": whole, "b": [float, "7", {"c": whole}]});
            let text = value.to_string();
            assert_eq!(lost(&text, &value), None);
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = lost(&text, &Value::Null);
            let _ = decimal(&text);
            assert!(string(&text) <= text.len());
        }
    }
}
