//! Texts and headers, which several parts of a gate file hold.

use crate::expect::Header;
use crate::spec::fault::Faults;
use crate::spec::file::leaf::Leaf;
use crate::spec::file::read::{Many, Named};
use crate::spec::node::Key;

/// Headers that carry credentials.
const CREDENTIALS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

/// Headers that belong to the connection, and are not a request's to choose.
const CONNECTION: [&str; 4] = ["content-length", "transfer-encoding", "connection", "upgrade"];

/// A text that must not be empty.
pub(crate) fn filled(raw: Option<&Leaf<String>>, key: &str, faults: &mut Faults) -> Option<String> {
    let raw = raw?;
    if raw.value.trim().is_empty() {
        faults.add(raw.at, format!("`{key}` is empty"));
        return None;
    }
    Some(raw.value.clone())
}

/// Texts that must not be empty.
pub(crate) fn texts(raw: Option<&Many<Leaf<String>>>, key: &str, faults: &mut Faults) -> Vec<String> {
    let each = raw.into_iter().flat_map(|many| &many.0);
    each.filter_map(|one| filled(Some(one), key, faults)).collect()
}

/// Headers whose values stand in the file.
pub(crate) fn plain_headers(raw: Option<&Named<Leaf<String>>>, faults: &mut Faults) -> Vec<(String, String)> {
    let pairs = header_pairs(raw, "headers", faults);
    let mut plain = Vec::new();
    for (name, value) in pairs {
        if CREDENTIALS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
            let reason = format!(
                "`{name}` carries a secret, which stands in no file; name its variable in `headers_env`"
            );
            faults.add(value.at, reason);
        } else if value.value.chars().any(|c| c.is_control() && c != '\t') {
            faults.add(
                value.at,
                format!("the value of header `{name}` holds a control character"),
            );
        } else {
            plain.push((name, value.value));
        }
    }
    plain
}

/// Headers with any kind of value; each name is one and stands there once.
pub(crate) fn header_pairs<T: Clone>(
    raw: Option<&Named<T>>,
    key: &str,
    faults: &mut Faults,
) -> Vec<(String, T)> {
    let mut pairs: Vec<(String, T)> = Vec::new();
    for (Key { at, name }, value) in raw.into_iter().flat_map(|headers| headers.read()) {
        if faults.keep(*at, name.parse::<Header>()).is_none() {
            continue;
        }
        if CONNECTION.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            faults.add(
                *at,
                format!("`{name}` belongs to the connection and can't be chosen"),
            );
        } else if name.contains(':') || pairs.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            faults.add(*at, format!("`{key}` names `{name}` twice or with a `:`"));
        } else {
            pairs.push((name.clone(), value.clone()));
        }
    }
    pairs
}
