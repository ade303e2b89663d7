//! Addresses of GitHub's API: the three questions, and where an answer may send us. Pure.

use gha::edge::http::Url;
use gha::text;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::ApiError;

/// What a part of a path may not hold as it is: all but the characters that RFC 3986 calls unreserved. A slash within a
/// part has to become `%2F`
/// (<https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#404-not-found-for-an-existing-resource>).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The API's address as it is told, else that of the server: another server's token must not go to github.com.
pub(super) fn of_server(api: Option<&str>, server: Option<&str>) -> String {
    let server = server.map_or("https://github.com", |server| server.trim().trim_end_matches('/'));
    match api {
        Some(api) => api.to_owned(),
        None if server.eq_ignore_ascii_case("https://github.com") => "https://api.github.com".to_owned(),
        None => format!("{server}/api/v3"),
    }
}

/// Where the API is: `https://api.github.com`, or `https://HOST/api/v3` on GitHub Enterprise Server.
pub(super) fn base(address: &str) -> Result<Url, ApiError> {
    let refuse = |why| Err(ApiError::Address(why));
    let Ok(url) = Url::parse(address.trim()) else {
        return refuse("is no address");
    };
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return refuse("is no address of a web server");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("holds a user or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("holds a `?` or a `#`");
    }
    Ok(url)
}

/// The address of a repository: `/repos/{owner}/{repo}` below the base.
pub(super) fn repository(base: &Url, full_name: &str) -> Result<Url, ApiError> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name != "."
            && name != ".."
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    match full_name.split_once('/') {
        Some((owner, name)) if is_name(owner) && is_name(name) => Ok(below(base, &["repos", owner, name])),
        _ => Err(ApiError::Repository(text::cut(&text::visible(full_name), 100))),
    }
}

/// The address of a commit, with one of its files at most: they are not asked for, and a large commit has megabytes.
pub(super) fn commit(repository: &Url, sha: &str) -> Url {
    let mut url = below(repository, &["commits", &encoded(sha)]);
    url.set_query(Some("per_page=1"));
    url
}

/// The address of the tags that begin with a prefix. Ref and prefix are one part of the path; an address that ends in a
/// slash would be answered with 404.
pub(super) fn tags(repository: &Url, prefix: &str) -> Url {
    let part = encoded(&format!("tags/{prefix}"));
    below(repository, &["git", "matching-refs", &part])
}

/// The address that a redirect names, from the one that was asked. It stays with the scheme: without TLS anybody on the
/// way could read and change what is sent.
pub(super) fn redirect(asked: &Url, location: Option<&str>) -> Result<Url, String> {
    let Some(location) = location else {
        return Err("it names no address".to_owned());
    };
    let Ok(url) = asked.join(location) else {
        return Err("it names an address that is none".to_owned());
    };
    if url.scheme() != asked.scheme() {
        return Err(format!(
            "it goes from `{}` to `{}`",
            asked.scheme(),
            text::cut(&text::visible(url.scheme()), 20)
        ));
    }
    Ok(url)
}

/// Whether two addresses lead to the same server: the token is for one alone.
pub(super) fn same_origin(a: &Url, b: &Url) -> bool {
    a.origin() == b.origin()
}

/// An address below another, from parts that are encoded.
fn below(base: &Url, parts: &[&str]) -> Url {
    let path = [base.path().trim_end_matches('/'), &parts.join("/")].join("/");
    let mut url = base.clone();
    url.set_path(&path);
    url
}

/// A part of a path. `.` and `..` would be steps in the path, in their encoded form too, so that a commit of that name
/// asks for one that can't be.
fn encoded(part: &str) -> String {
    match part {
        "" | "." | ".." => format!("{part}%00"),
        part => utf8_percent_encode(part, RESERVED).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    fn org_shop(base_url: &str) -> Url {
        repository(&base(base_url).unwrap(), "org/shop").unwrap()
    }

    #[test]
    fn a_token_goes_to_its_own_server() {
        for (api, server, expected) in [
            (None, None, "https://api.github.com"),
            (None, Some("https://github.com/"), "https://api.github.com"),
            (None, Some("https://ghes.example"), "https://ghes.example/api/v3"),
            (
                Some("https://ghes.example/api/v3"),
                Some("https://x"),
                "https://ghes.example/api/v3",
            ),
        ] {
            assert_eq!(of_server(api, server), expected);
        }
    }

    #[test]
    fn an_address_of_each_question() {
        for (base_url, at) in [
            ("https://api.github.com", "https://api.github.com/repos/org/shop"),
            ("https://api.github.com/", "https://api.github.com/repos/org/shop"),
            (
                "https://ghes.example/api/v3",
                "https://ghes.example/api/v3/repos/org/shop",
            ),
            (
                "https://ghes.example/api/v3/",
                "https://ghes.example/api/v3/repos/org/shop",
            ),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/repos/org/shop"),
        ] {
            assert_eq!(org_shop(base_url).as_str(), at);
        }
        let shop = org_shop("https://x.example/api/v3");
        assert_eq!(
            commit(&shop, "abc").as_str(),
            "https://x.example/api/v3/repos/org/shop/commits/abc?per_page=1"
        );
        for (prefix, part) in [
            ("", "tags%2F"),
            ("v", "tags%2Fv"),
            ("svc/api/", "tags%2Fsvc%2Fapi%2F"),
            ("a b#c?d%2Fe&f", "tags%2Fa%20b%23c%3Fd%252Fe%26f"),
            ("..", "tags%2F.."),
            ("../../x", "tags%2F..%2F..%2Fx"),
            ("é🚀", "tags%2F%C3%A9%F0%9F%9A%80"),
        ] {
            let at = format!("https://x.example/api/v3/repos/org/shop/git/matching-refs/{part}");
            assert_eq!(tags(&shop, prefix).as_str(), at);
        }
    }

    #[test]
    fn what_is_no_base_or_no_repository_is_refused() {
        for address in [
            "",
            "api.github.com",
            "ftp://x.example",
            "https://",
            "https://user:word@x.example",
            "https://x.example/?a=b",
            "https://x.example/#a",
            "file:///etc/passwd",
        ] {
            assert!(matches!(base(address), Err(ApiError::Address(_))), "{address}");
        }
        let base = base("https://x.example").unwrap();
        for name in [
            "",
            "org",
            "org/",
            "/shop",
            "org/shop/x",
            "org/..",
            "./shop",
            "o rg/shop",
            "org/sh%6fp",
            "org/a?b",
            "ö/shop",
        ] {
            assert!(
                matches!(repository(&base, name), Err(ApiError::Repository(_))),
                "{name}"
            );
        }
    }

    #[test]
    fn a_redirect_stays_with_its_scheme() {
        let asked = org_shop("https://x.example/api/v3");
        for (location, at) in [
            (
                Some("https://x.example/repositories/7"),
                Some("https://x.example/repositories/7"),
            ),
            (Some("/repositories/7"), Some("https://x.example/repositories/7")),
            (Some("https://y.example/"), Some("https://y.example/")),
            (Some("http://x.example/repositories/7"), None),
            (Some("file:///etc/passwd"), None),
            (Some("https://"), None),
            (None, None),
        ] {
            assert_eq!(
                redirect(&asked, location).ok().as_ref().map(Url::as_str),
                at,
                "{location:?}"
            );
        }
        let origin = |a: &str| same_origin(&asked, &Url::parse(a).unwrap());
        assert!(origin("https://x.example:443/other"));
        for other in [
            "http://x.example",
            "https://x.example:8443",
            "https://x.example.org",
            "https://y.example",
        ] {
            assert!(!origin(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn foreign_text_stays_one_part_of_the_path(text in any::<String>()) {
            let shop = org_shop("https://x.example/api/v3");
            for (url, parts) in [(commit(&shop, &text), 7), (tags(&shop, &text), 8)] {
                prop_assert_eq!(url.path_segments().unwrap().count(), parts);
                assert!(url.as_str().starts_with("https://x.example/api/v3/repos/org/shop/"));
                assert!(url.fragment().is_none() && url.query().is_none_or(|query| query == "per_page=1"));
            }
            let last = tags(&shop, &text).path_segments().unwrap().next_back().unwrap().to_owned();
            let back = percent_encoding::percent_decode_str(&last).decode_utf8().unwrap().into_owned();
            prop_assert_eq!(back, format!("tags/{text}"));
        }
    }
}
