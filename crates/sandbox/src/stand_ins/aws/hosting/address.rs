//! Paths and queries as they stand in a request line, percent-encoded.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All that [SigV4](https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html) encodes.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The same where slashes stay.
const ENCODED_PATH: &AsciiSet = &ENCODED.remove(b'/');

/// What percent-encoding hides; none for what is no UTF-8.
pub(crate) fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

/// A path as it is signed.
pub(crate) fn encoded_path(path: &str) -> String {
    utf8_percent_encode(path, ENCODED_PATH).to_string()
}

/// A name or value as it is signed.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Path and query of a target, which may begin with scheme and host.
pub(crate) fn split(target: &str) -> (&str, &str) {
    let path = match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => rest.find('/').map_or("/", |at| &rest[at..]),
        _ => target,
    };
    path.split_once('?').unwrap_or((path, ""))
}

/// Names and values of a query, decoded; a name alone has an empty value.
pub(crate) fn pairs(query: &str) -> Option<Vec<(String, String)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(&value.replace('+', " "))?))
        })
        .collect()
}

/// A key in a listing with `encoding-type=url`: as in a form, but slashes stay.
pub(crate) fn encoded_key(key: &str) -> String {
    const KEY: &AsciiSet = &ENCODED_PATH.remove(b'*').remove(b' ');
    utf8_percent_encode(key, KEY).to_string().replace(' ', "+")
}
