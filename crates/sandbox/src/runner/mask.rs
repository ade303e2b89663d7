//! Hides secrets in text: a masked value and its encoded forms become `***`.
//!
//! The encoded forms are those the runner registers (`HostContext.cs`, `ValueEncoders.cs` in actions/runner).
//! Matches that touch or overlap become one `***`.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What .NET's `Uri.EscapeDataString` leaves alone.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The values to hide. Only ever grows.
#[derive(Debug, Default)]
pub(crate) struct Masker {
    values: BTreeSet<String>,
}

impl Masker {
    /// Hides `value`, each line of it, and their encoded forms.
    pub(crate) fn add(&mut self, value: &str) {
        self.add_forms(value);
        for line in value.split(['\r', '\n']) {
            self.add_forms(line);
        }
    }

    /// The text with everything secret in it as `***`.
    pub(crate) fn mask(&self, text: &str) -> String {
        let mut spans: Vec<(usize, usize)> = Vec::new();
        for value in &self.values {
            let mut from = 0;
            while let Some(at) = text[from..].find(value.as_str()) {
                let start = from + at;
                spans.push((start, start + value.len()));
                // The next match may overlap this one, so only one character is passed over.
                from = start + text[start..].chars().next().map_or(1, char::len_utf8);
            }
        }
        spans.sort_unstable();
        let mut out = String::with_capacity(text.len());
        let mut end = 0;
        let mut hidden = false;
        for (start, stop) in spans {
            if !hidden || start > end {
                out.push_str(&text[end..start]);
                out.push_str("***");
                hidden = true;
            }
            end = end.max(stop);
        }
        out.push_str(&text[end..]);
        out
    }

    /// Whether masking would change the text.
    pub(crate) fn hides(&self, text: &str) -> bool {
        self.values.iter().any(|value| text.contains(value.as_str()))
    }

    fn add_forms(&mut self, value: &str) {
        if value.trim().is_empty() {
            return;
        }
        let json = serde_json::Value::from(value).to_string();
        let bytes = value.as_bytes();
        let forms = [
            value.to_owned(),
            STANDARD.encode(bytes),
            // A secret inside a longer base64 text starts at one of three offsets.
            STANDARD.encode(bytes.get(1..).unwrap_or(bytes)),
            STANDARD.encode(bytes.get(2..).unwrap_or(bytes)),
            value.replace('"', "\\\""),
            value.replace('\'', "''"),
            json[1..json.len() - 1].to_owned(),
            utf8_percent_encode(value, UNRESERVED).to_string(),
            xml(value),
            value.trim_matches('"').to_owned(),
        ];
        self.values
            .extend(forms.into_iter().filter(|form| !form.trim().is_empty()));
    }
}

fn xml(value: &str) -> String {
    value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&apos;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(secrets: &[&str], text: &str) -> String {
        let mut masker = Masker::default();
        secrets.iter().for_each(|secret| masker.add(secret));
        masker.mask(text)
    }

    #[test]
    fn forms() {
        let table: [(&[&str], &str, &str); 12] = [
            (&[], "nothing to hide", "nothing to hide"),
            (&["s3cret"], "a s3cret b", "a *** b"),
            (&["s3cret"], "s3crets3cret", "***"),
            (&["abc", "bcd"], "xabcdy", "x***y"),
            (&["aba"], "xababay", "x***y"),
            (&["one\ntwo"], "first one then two", "first *** then ***"),
            (&["a b&c"], "?q=a%20b%26c", "?q=***"),
            (&["say \"hi\""], r#"{"x":"say \"hi\""}"#, r#"{"x":"***"}"#),
            (&["hunter2"], "aHVudGVyMg==", "***"),
            (&["<k>"], "&lt;k&gt;", "***"),
            (&[""], "text", "text"),
            (&["  "], "a  b", "a  b"),
        ];
        for (secrets, text, expected) in table {
            assert_eq!(masked(secrets, text), expected, "{secrets:?} in {text}");
        }
    }

    proptest! {
        #[test]
        fn a_secret_never_stays(secret in "[a-zA-Z0-9+/é\"'%]{3,12}", before in ".{0,20}", after in ".{0,20}") {
            let out = masked(&[&secret], &format!("{before}{secret}{after}"));
            prop_assert!(!out.contains(&secret));
            prop_assert!(out.contains("***"));
        }

        #[test]
        fn text_without_secrets_is_kept(text in "[a-m ]*") {
            prop_assert_eq!(masked(&["xyz"], &text), text);
        }
    }
}
