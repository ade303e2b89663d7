//! Values as the XML of the query format: members as elements, lists as `member`, maps as `entry`.

use jiff::Timestamp;
use serde_json::Value;

/// Members that are maps in the models. All other objects are structures.
const MAPS: [&str; 1] = ["AuthenticationRequestExtraParams"];

/// Members that are times in the models.
const TIMES: [&str; 4] = ["CreatedTime", "Expiration", "CreateDate", "LastUsedDate"];

/// The members of a structure, one after the other.
pub(super) fn members(output: &Value) -> String {
    let mut text = String::new();
    if let Value::Object(members) = output {
        for (name, value) in members {
            element(&mut text, name, value);
        }
    }
    text
}

/// One element with a text.
pub(super) fn leaf(name: &str, value: &str) -> String {
    format!("<{name}>{}</{name}>", escaped(value))
}

fn element(text: &mut String, name: &str, value: &Value) {
    let content = match value {
        Value::Null => return,
        Value::Bool(is) => is.to_string(),
        Value::Number(seconds) if TIMES.contains(&name) => time(seconds.as_f64().unwrap_or_default()),
        Value::Number(number) => number.to_string(),
        Value::String(string) => escaped(string),
        Value::Array(items) => {
            let mut list = String::new();
            for item in items {
                element(&mut list, "member", item);
            }
            list
        }
        Value::Object(entries) if MAPS.contains(&name) => {
            let entry = |(key, value): (&String, &Value)| {
                let value = value.as_str().unwrap_or_default();
                format!("<entry>{}{}</entry>", leaf("key", key), leaf("value", value))
            };
            entries.iter().map(entry).collect()
        }
        Value::Object(_) => members(value),
    };
    text.push_str(&format!("<{name}>{content}</{name}>"));
}

/// Seconds since 1970 as `2026-11-22T10:00:00.250Z`.
fn time(seconds: f64) -> String {
    // Milliseconds, as ELB writes them; `as` saturates.
    Timestamp::from_millisecond((seconds * 1000.0).round() as i64)
        .map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}

/// Text that is no mark-up. What XML 1.0 cannot hold at all becomes U+FFFD.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' | '\n' => escaped.push(character),
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}
