//! Masks: the forms in which a secret could appear in a log, and their removal from our own text.
//!
//! The runner hides a registered value in everything that the job prints from then on, so a mask is registered
//! before the value is first used. It adds some encodings itself; the rest stands here.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::markdown;

/// What stands where a secret stood.
pub const HIDDEN: &str = "***";

/// Lines and path segments shorter than this are not masked on their own: `}` or `true` would be hidden everywhere.
const SHORTEST_PART: usize = 8;

/// A password in an address shorter than this is not masked on its own.
const SHORTEST_PASSWORD: usize = 6;

/// A segment of an address that is as long as this is masked whatever it is made of.
const SURELY_NO_WORD: usize = 20;

/// Every form of a secret worth masking, longest first: the value, its lines, and their percent-encoded,
/// percent-decoded, JSON-escaped and base64 forms; of an address also each long part of its path and query, because
/// the secret of an incoming webhook is its path.
#[must_use]
pub fn forms(secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    let whole = secret.trim();
    if whole.is_empty() {
        return found;
    }
    found.push(secret.to_owned());
    let lines = whole
        .lines()
        .map(str::trim)
        .filter(|line| line.len() >= SHORTEST_PART);
    let parts: Vec<&str> = [whole]
        .into_iter()
        .chain(lines)
        .chain(address_parts(whole))
        .collect();
    for part in parts {
        found.push(part.to_owned());
        found.push(utf8_percent_encode(part, NON_ALPHANUMERIC).to_string());
        found.push(percent_decode_str(part).decode_utf8_lossy().into_owned());
        found.push(json_escaped(part));
        found.push(markdown::plain(part));
        let decoded = percent_decode_str(part).collect::<Vec<u8>>();
        for bytes in [part.as_bytes(), &decoded] {
            for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
                found.push(engine.encode(bytes));
            }
            found.extend(within_base64(bytes));
        }
    }
    found.retain(|form| !form.trim().is_empty());
    found.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    found.dedup();
    found
}

/// What a secret is within a longer text in base64, as that of a name and a password is: it begins at one of three places of four
/// characters, and of those at its ends a part belongs to its neighbours.
fn within_base64(secret: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for before in 0..3 {
        let whole = [&[0; 2][..before], secret].concat();
        let (first, end) = ((before * 8).div_ceil(6), whole.len() * 8 / 6);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&whole);
            let inside = encoded.get(first..end).unwrap_or_default();
            found.extend((inside.len() >= SHORTEST_PART).then(|| inside.to_owned()));
        }
    }
    found
}

/// The path after the host, each long segment of it, and each long value of the query, if the secret is an address.
fn address_parts(secret: &str) -> Vec<&str> {
    let Some((_, rest)) = secret.split_once("://") else {
        return Vec::new();
    };
    if secret.contains(char::is_whitespace) {
        return Vec::new();
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let credentials = authority
        .rsplit_once('@')
        .map(|(user, _)| user)
        .unwrap_or_default();
    // Whatever it is made of.
    let password = credentials.split_once(':').map(|(_, password)| password);
    let password = password.filter(|password| password.len() >= SHORTEST_PASSWORD);
    let segments = path
        .split(['/', '?', '&', '=', '#'])
        .chain(credentials.split(':'));
    let random: Vec<&str> = segments.filter(|part| is_random(part)).collect();
    // A path of ordinary words is no secret, and hiding it would hide the words.
    let path = Some(path).filter(|path| path.len() >= SHORTEST_PART && !random.is_empty());
    path.into_iter().chain(random).chain(password).collect()
}

/// Whether a segment looks made by a machine. `services` or `production` would be hidden in every other line, and the
/// runner drops outputs that hold a masked word.
fn is_random(part: &str) -> bool {
    let any = |wanted: fn(&u8) -> bool| part.as_bytes().iter().any(wanted);
    let mixed = any(u8::is_ascii_digit) || (any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase));
    (part.len() >= SHORTEST_PART && mixed) || part.len() >= SURELY_NO_WORD
}

/// The inside of the value's JSON string.
fn json_escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The secrets known so far, to be removed from every text of ours before it leaves the process.
#[derive(Clone, Default)]
pub struct Masker {
    forms: Vec<String>,
}

impl Masker {
    /// Adds a secret and returns those of its forms that are new, to be registered with the runner.
    pub fn add(&mut self, secret: &str) -> Vec<String> {
        let mut new = forms(secret);
        new.retain(|form| !self.forms.contains(form));
        self.forms.extend(new.iter().cloned());
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        self.forms.dedup();
        new
    }

    /// Whether no secret is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// The text with every form of every secret replaced by [`HIDDEN`].
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        self.forms.iter().fold(text.to_owned(), |text, form| {
            if text.contains(form.as_str()) {
                text.replace(form.as_str(), HIDDEN)
            } else {
                text
            }
        })
    }

    /// A JSON value with every string in it, but not its keys, passed through [`Masker::hide`].
    #[must_use]
    pub fn hide_json(&self, value: serde_json::Value) -> serde_json::Value {
        use serde_json::Value;
        match value {
            Value::String(text) => Value::String(self.hide(&text)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.hide_json(item)).collect()),
            Value::Object(fields) => Value::Object(
                fields
                    .into_iter()
                    // Keys are ours, and readers look for them.
                    .map(|(key, item)| (key, self.hide_json(item)))
                    .collect(),
            ),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    #[test]
    fn the_forms_of_a_secret() {
        let found = forms("line one+/=\nanother line");
        for form in [
            "line one+/=\nanother line",
            "line one+/=",
            "another line",
            "line%20one%2B%2F%3D",
            "line one+/=\\nanother line",
            &STANDARD.encode("line one+/=\nanother line"),
            &STANDARD.encode("another line"),
        ] {
            assert!(found.contains(&form.to_owned()), "{form} in {found:?}");
        }
        assert!(forms("").is_empty() && forms(" \n").is_empty());
    }

    #[test]
    fn a_secret_is_masked_within_a_longer_text_in_base64() {
        let mut masker = Masker::default();
        masker.add("BADpassw0rdXY");
        masker.add("https://bob:hunter-two%2b@example.com");
        for user in ["a", "ab", "abc", "abcd"] {
            for said in [
                format!("\0{user}\0BADpassw0rdXY"),
                format!("{user}:BADpassw0rdXY"),
                format!("{user}:hunter-two+"),
                format!("{user}:hunter-two+ and more"),
            ] {
                for engine in [&STANDARD, &URL_SAFE_NO_PAD] {
                    let encoded = engine.encode(&said);
                    let hidden = masker.hide(&encoded);
                    assert!(hidden.contains(HIDDEN), "{said}: {hidden}");
                    // A neighbour's character at each end at most.
                    let left = encoded.len() - (hidden.len() - HIDDEN.len());
                    assert!(left >= 13, "{said}: {hidden}");
                }
            }
        }
    }

    #[test]
    fn an_address_is_masked_in_parts() {
        let found = forms("https://hooks.example.com/services/T0000/B0000/aBcdefghijkl?sig=0123456789");
        for form in [
            "aBcdefghijkl",
            "0123456789",
            "services/T0000/B0000/aBcdefghijkl?sig=0123456789",
        ] {
            assert!(found.contains(&form.to_owned()), "{form} in {found:?}");
        }
        assert!(
            ["services", "T0000"]
                .iter()
                .all(|word| !found.contains(&(*word).to_owned()))
                && !found.contains(&"hooks.example.com".to_owned())
        );
    }

    #[test]
    fn short_lines_are_not_masked() {
        assert!(!forms("{\n  \"key\": \"0123456789\"\n}").contains(&"{".to_owned()));
    }

    #[test]
    fn hides_the_longest_form_first() {
        let mut masker = Masker::default();
        masker.add("short-secret");
        masker.add("short-secret-and-more");
        assert!(masker.add("short-secret").is_empty());
        assert_eq!(
            masker.hide("a short-secret-and-more b short-secret"),
            "a *** b ***"
        );
        assert_eq!(
            masker.hide_json(json!({"k": ["short-secret", 1]})),
            json!({"k": ["***", 1]})
        );
    }

    proptest! {
        #[test]
        fn nothing_of_a_secret_is_left(before in any::<String>(), secret in "[!-~]{8,40}", after in any::<String>()) {
            let mut masker = Masker::default();
            masker.add(&secret);
            assert!(!masker.hide(&format!("{before}{secret}{after}")).contains(&secret));
        }
    }
}
