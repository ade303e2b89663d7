//! The address of an HTTP target: read, and shown without what may be a secret in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Uri;
use hyper::header::HeaderValue;
use percent_encoding::percent_decode_str;

use gha::edge::http::Url;
use gha::text;

/// The text is no address of an HTTP target.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{shown}` is no address{why}")]
pub struct AddressError {
    /// The text, without what may be a secret in it.
    shown: String,
    why: String,
}

/// Reads an address.
///
/// # Errors
/// When it is no `http` or `https` address with a host.
pub fn address(text: &str) -> Result<Url, AddressError> {
    let text = text.trim();
    let refuse = |why: String| AddressError {
        shown: text::cut(&text::visible(&without_credentials(text)), 200),
        why,
    };
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    if !["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
    {
        return Err(refuse(" with `https://` or `http://` in front".to_owned()));
    }
    if let Some(why) = unwritten(text) {
        return Err(refuse(format!(": {why}")));
    }
    let url = Url::parse(text).map_err(|error| refuse(format!(": {error}")))?;
    if usable(&url) {
        Ok(url)
    } else {
        Err(refuse(" that a request can be made to".to_owned()))
    }
}

/// Characters that a parser would leave out or write otherwise. In a query a space can be meant; before it, it is where two
/// texts were joined.
fn unwritten(text: &str) -> Option<&'static str> {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    if text.chars().any(char::is_control) {
        Some("it holds a control character, such as the end of a line")
    } else if path.contains(char::is_whitespace) {
        Some("it holds a space; in a path write `%20` for one")
    } else {
        None
    }
}

/// Whether a request can be made to an address.
pub(crate) fn usable(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host() && uri(url).is_some()
}

/// An address as a request carries it: without user, password and fragment.
pub(crate) fn uri(url: &Url) -> Option<Uri> {
    bare(url).as_str().parse().ok()
}

/// An address without user, password and fragment.
pub(crate) fn bare(url: &Url) -> Url {
    let mut bare = url.clone();
    // Both fail only for addresses that can hold neither.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare.set_fragment(None);
    bare
}

/// The value of `Authorization` for the user and password of an address (RFC 7617).
pub(crate) fn credentials(url: &Url) -> Option<HeaderValue> {
    let (user, password) = (url.username(), url.password());
    if user.is_empty() && password.is_none() {
        return None;
    }
    let mut pair: Vec<u8> = percent_decode_str(user).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(password.unwrap_or_default()));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// An address as text, valid or not, without what could be a password before its `@` or a token in its query.
fn without_credentials(text: &str) -> String {
    let (text, query) = text
        .split_once(['?', '#'])
        .map_or((text, ""), |(text, _)| (text, "?…"));
    let start = text.find("://").map_or(0, |scheme| scheme + 3);
    let shown = match text.rfind('@') {
        Some(at) if start <= at => format!("{}***{}", &text[..start], &text[at..]),
        _ => text.to_owned(),
    };
    format!("{shown}{query}")
}

/// The address for people: without user, password, and the values of its query, any of which may be a secret.
#[must_use]
pub fn shown(url: &Url) -> String {
    let mut shown = bare(url);
    let query = url.query().is_some_and(|query| !query.is_empty());
    shown.set_query(None);
    format!("{shown}{}", if query { "?…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn an_address_is_shown_without_secrets() {
        let url = address("https://user:pass@example.com:8443/health?token=secret#x").unwrap();
        assert_eq!(shown(&url), "https://example.com:8443/health?…");
        assert_eq!(uri(&url).unwrap(), "https://example.com:8443/health?token=secret");
        for text in [
            "",
            "example.com/health",
            "ftp://example.com",
            "file:///etc/passwd",
            "http://",
            "https://u:secret@",
            "example.com/?token=secret",
            "user:secret@example.com",
        ] {
            let error = address(text).expect_err(text).to_string();
            assert!(
                error.contains("is no address") && !error.contains("secret"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_told() {
        for (text, said) in [
            (
                "x/ok",
                "`x/ok` is no address with `https://` or `http://` in front",
            ),
            (
                "//x/ok",
                "`//x/ok` is no address with `https://` or `http://` in front",
            ),
            (
                "https://x:99999/",
                "`https://x:99999/` is no address: invalid port number",
            ),
            ("http://", "`http://` is no address: empty host"),
            (
                "http://[::1/",
                "`http://[::1/` is no address: invalid IPv6 address",
            ),
            (
                "http://h/ x",
                "`http://h/ x` is no address: it holds a space; in a path write `%20` for one",
            ),
            (
                "http://h/a\nb",
                "`http://h/a\\nb` is no address: it holds a control character, such as the end of a line",
            ),
        ] {
            assert_eq!(address(text).expect_err(text).to_string(), said);
        }
        for text in [
            " https://h/ok\n",
            "HTTP://h/",
            "http://h/q?query=sum(x) > 1",
            "http://h/a%20b",
        ] {
            assert!(address(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn user_and_password_are_sent_as_they_are_meant() {
        let sent = |text: &str| credentials(&address(text).unwrap());
        assert_eq!(sent("http://a.example/"), None);
        for (text, header) in [
            ("http://user:p%40ss@a.example/", "Basic dXNlcjpwQHNz"),
            ("http://user@a.example/", "Basic dXNlcjo="),
            ("http://:pass@a.example/", "Basic OnBhc3M="),
        ] {
            let value = sent(text).unwrap();
            assert!(value == header && value.is_sensitive(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_address_that_is_taken_can_be_asked(path in any::<String>()) {
            if let Ok(url) = address(&format!("http://a.example/{path}")) {
                assert!(uri(&url).is_some_and(|uri| uri.path_and_query().is_some()));
            }
        }
    }
}
