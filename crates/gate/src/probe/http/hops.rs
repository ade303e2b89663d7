//! Where a redirect leads, and what may be sent there. Pure.
//!
//! The rules of RFC 9110, section 15.4, with two of caution: what was sent with the request (credentials, extra headers, a
//! body) stays with its origin, and user and password in a `Location` are foreign text and not sent at all.

use hyper::Method;

use gha::edge::http::Url;

use crate::answer::Answer;
use crate::expect::quoted;

use super::address::{bare, usable};

/// The next request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) url: Url,
    pub(crate) method: Method,
    /// Whether the body goes along.
    pub(crate) body: bool,
    /// Whether it is another scheme, host or port than the one before.
    pub(crate) elsewhere: bool,
    /// The redirect for people, such as "302 to `/login`".
    pub(crate) shown: String,
}

/// Where an answer to a request leads; `None` when it is to be judged as it is.
pub(crate) fn next(from: &Url, method: &Method, body: bool, answer: &Answer) -> Option<Hop> {
    let (method, body) = match answer.status {
        303 if *method == Method::HEAD => (Method::HEAD, false),
        303 => (Method::GET, false),
        // What every browser does with them.
        301 | 302 if *method == Method::POST => (Method::GET, false),
        301 | 302 | 307 | 308 => (method.clone(), body),
        _ => return None,
    };
    let location = answer.header("location")?;
    let url = bare(&from.join(location).ok().filter(usable)?);
    let elsewhere = url.origin() != from.origin();
    if elsewhere && body {
        return None;
    }
    // Its query may hold a token.
    let target = location.split(['?', '#']).next().unwrap_or_default();
    Some(Hop {
        shown: format!("{} to {}", answer.status, quoted(&without_user(target))),
        url,
        method,
        body,
        elsewhere,
    })
}

/// A target without what stands before an `@` in its host.
fn without_user(target: &str) -> String {
    let Some((scheme, rest)) = target.split_once("//") else {
        return target.to_owned();
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}//{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn redirect(status: u16, location: &str) -> Answer {
        Answer {
            status,
            headers: vec![("location".to_owned(), location.to_owned())],
            ..Answer::default()
        }
    }

    fn hop(method: Method, body: bool, status: u16, location: &str) -> Option<(String, Method, bool, bool)> {
        let from = Url::parse("https://user:pass@a.example/x/y?q=1").unwrap();
        let hop = next(&from, &method, body, &redirect(status, location))?;
        Some((hop.url.to_string(), hop.method, hop.body, hop.elsewhere))
    }

    #[test]
    fn leads_to_places_by_the_rules_of_http() {
        let to = |url: &str, method, body, elsewhere| Some((url.to_owned(), method, body, elsewhere));
        let (get, post, head) = (Method::GET, Method::POST, Method::HEAD);
        for (method, body, status, location, expected) in [
            (
                &get,
                false,
                302,
                "z",
                to("https://a.example/x/z", get.clone(), false, false),
            ),
            (
                &get,
                false,
                301,
                "/z?t=1#f",
                to("https://a.example/z?t=1", get.clone(), false, false),
            ),
            (
                &get,
                false,
                308,
                "//b.example",
                to("https://b.example/", get.clone(), false, true),
            ),
            (
                &get,
                false,
                302,
                "http://a.example/",
                to("http://a.example/", get.clone(), false, true),
            ),
            (
                &get,
                false,
                302,
                "https://a.example:8443/",
                to("https://a.example:8443/", get.clone(), false, true),
            ),
            (
                &get,
                false,
                302,
                "https://u:p@a.example/",
                to("https://a.example/", get.clone(), false, false),
            ),
            (
                &post,
                true,
                302,
                "/z",
                to("https://a.example/z", get.clone(), false, false),
            ),
            (
                &post,
                true,
                307,
                "/z",
                to("https://a.example/z", post.clone(), true, false),
            ),
            (&post, true, 307, "https://b.example/", None),
            (
                &post,
                true,
                303,
                "https://b.example/",
                to("https://b.example/", get.clone(), false, true),
            ),
            (
                &head,
                false,
                303,
                "/z",
                to("https://a.example/z", head.clone(), false, false),
            ),
            (&get, false, 302, "ftp://a.example/", None),
            (&get, false, 302, "file:///etc/passwd", None),
            (&get, false, 302, "http://", None),
            (&get, false, 304, "/z", None),
            (&get, false, 200, "/z", None),
        ] {
            assert_eq!(
                hop(method.clone(), body, status, location),
                expected,
                "{status} {location}"
            );
        }
    }

    #[test]
    fn a_hop_is_shown_without_secrets() {
        let from = Url::parse("https://a.example/").unwrap();
        let shown = |location: &str| {
            next(&from, &Method::GET, false, &redirect(302, location))
                .unwrap()
                .shown
        };
        assert_eq!(shown("/login?token=t#f"), "302 to `/login`");
        assert_eq!(shown("https://u:p@b.example/l"), "302 to `https://b.example/l`");
    }

    proptest! {
        #[test]
        fn no_location_panics(location in any::<String>(), status in 300u16..310) {
            let from = Url::parse("https://a.example/").unwrap();
            if let Some(hop) = next(&from, &Method::GET, false, &redirect(status, &location)) {
                assert!(!hop.shown.contains('\n') && hop.url.username().is_empty());
            }
        }
    }
}
