//! Numbers as JavaScript reads them out of text, which is how docker/metadata-action understands `priority` and
//! `group`. Blanks are those of Unicode, otherwise the result is that of `Number(text)`.

/// JavaScript's `Number(text)`: NaN when it is no number.
pub(crate) fn read(text: &str) -> f64 {
    let text = text.trim();
    let decimal = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    match text {
        "" => 0.0,
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        text if decimal => text.parse().unwrap_or(f64::NAN),
        text => with_radix(text),
    }
}

/// `0x1f`, `0o17`, `0b11`; these have no sign.
fn with_radix(text: &str) -> f64 {
    let (radix, digits) = match text.get(..2) {
        Some("0x" | "0X") => (16, &text[2..]),
        Some("0o" | "0O") => (8, &text[2..]),
        Some("0b" | "0B") => (2, &text[2..]),
        _ => return f64::NAN,
    };
    if digits.is_empty() {
        return f64::NAN;
    }
    digits.chars().fold(0.0, |number, digit| {
        digit
            .to_digit(radix)
            .map_or(f64::NAN, |digit| f64::from(digit) + number * f64::from(radix))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers() {
        for (text, expected) in [
            ("", 0.0),
            (" 12 ", 12.0),
            ("-1.5e3", -1500.0),
            (".5", 0.5),
            ("1.", 1.0),
            ("007", 7.0),
            ("0x1F", 31.0),
            ("0o17", 15.0),
            ("0B11", 3.0),
            ("Infinity", f64::INFINITY),
            ("+Infinity", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            let number = read(text);
            assert!(
                (number - expected).abs() < 1e-9 || number == expected,
                "{text}: {number}"
            );
        }
        for text in [
            "x", "inf", "nan", "NaN", "1 2", "infinity", ".", "+", "1e", "-0x1", "0x", "0xg", "0b2", "0o8",
            "1n", "1_000", "०", "é0",
        ] {
            assert!(read(text).is_nan(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), like in "0?[xXoObB]?[0-9a-f+.-]{0,40}") {
            let _ = (read(&text), read(&like));
        }
    }
}
