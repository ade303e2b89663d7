//! Durations as people write them: `300ms`, `5s`, `2m`, `1h30m`. A bare number is refused, because nobody can say
//! later whether it meant seconds or milliseconds.

use std::time::Duration;

/// The longest duration a flag takes: a year. Longer ones are typing errors, and arithmetic with them overflows.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// What is wrong with a written duration.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DurationError {
    /// There is a number and no unit.
    #[error("`{0}` has no unit; write {written}", written = units(.0))]
    NoUnit(String),
    /// The text does not follow the grammar.
    #[error("`{0}` is not a duration; write for example `300ms`, `5s`, `2m` or `1h30m`")]
    Grammar(String),
    /// Longer than a year.
    #[error("`{0}` is longer than a year")]
    TooLong(String),
}

/// The number with the units that can be meant: three digits and more are rarely minutes.
fn units(number: &str) -> String {
    if number.len() < 3 {
        format!("`{number}s` for seconds or `{number}m` for minutes")
    } else {
        format!("`{number}ms` for milliseconds or `{number}s` for seconds")
    }
}

/// Reads a duration: one or more of `<number><unit>` with the units `h`, `m`, `s`, `ms`, largest first, each once.
///
/// # Errors
/// When the text has no unit, another grammar, or is longer than a year.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let shown = || text.chars().take(40).collect::<String>();
    let mut rest = text.trim();
    if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DurationError::NoUnit(shown()));
    }
    let mut total = Duration::ZERO;
    let mut smallest = u64::MAX;
    if rest.is_empty() {
        return Err(DurationError::Grammar(shown()));
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let millis: u64 = match unit {
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1_000,
            "ms" => 1,
            _ => return Err(DurationError::Grammar(shown())),
        };
        if number.is_empty() || millis >= smallest {
            return Err(DurationError::Grammar(shown()));
        }
        smallest = millis;
        let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(millis));
        total = part
            .and_then(|part| total.checked_add(Duration::from_millis(part)))
            .filter(|sum| *sum <= LONGEST)
            .ok_or_else(|| DurationError::TooLong(shown()))?;
        rest = tail;
    }
    Ok(total)
}

/// Writes a duration for a person: `850ms`, `4.2s`, `3m12s`, `1h5m`.
#[must_use]
pub fn display(duration: Duration) -> String {
    let millis = duration.as_millis();
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{millis}ms"),
        1..60 if duration.subsec_millis() >= 50 => format!("{}.{}s", seconds, duration.subsec_millis() / 100),
        1..60 => format!("{seconds}s"),
        60..3600 if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        60..3600 => format!("{}m{}s", seconds / 60, seconds % 60),
        _ if seconds % 3600 < 60 => format!("{}h", seconds / 3600),
        _ => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Writes a duration so that [`parse`] gives it back to the millisecond; for defaults in help texts and for flags.
#[must_use]
pub fn exact(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, millis) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)] {
        if rest >= millis {
            text.push_str(&format!("{}{unit}", rest / millis));
            rest %= millis;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn reads_what_people_write() {
        for (text, millis) in [
            ("300ms", 300),
            ("5s", 5_000),
            ("2m", 120_000),
            ("1h30m", 5_400_000),
            ("0s", 0),
            (" 10s ", 10_000),
            ("90m", 5_400_000),
            ("1m1s1ms", 61_001),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest_and_says_what_works() {
        for text in [
            "",
            "5",
            "5 s",
            "s",
            "5x",
            "-5s",
            "1.5s",
            "5s2m",
            "5s5s",
            "5S",
            "1d",
            "٣s",
            "9999999999999999999h",
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains('`'), "{error}");
        }
        assert_eq!(parse("30"), Err(DurationError::NoUnit("30".to_owned())));
        for (text, said) in [
            (
                "30",
                "`30` has no unit; write `30s` for seconds or `30m` for minutes",
            ),
            (
                "500",
                "`500` has no unit; write `500ms` for milliseconds or `500s` for seconds",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), said);
        }
        assert_eq!(parse("9000h"), Err(DurationError::TooLong("9000h".to_owned())));
    }

    #[test]
    fn shows_a_length_a_person_can_read() {
        for (millis, text) in [
            (0, "0ms"),
            (850, "850ms"),
            (4_230, "4.2s"),
            (5_000, "5s"),
            (60_000, "1m"),
            (192_000, "3m12s"),
            (3_600_000, "1h"),
            (3_900_000, "1h5m"),
        ] {
            assert_eq!(display(Duration::from_millis(millis)), text);
        }
    }

    proptest! {
        #[test]
        fn exact_reads_back(millis in 0u64..31_000_000_000) {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse(&exact(duration)), Ok(duration));
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
