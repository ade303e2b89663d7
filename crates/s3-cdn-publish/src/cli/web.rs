//! How visitors and the CDN know a site, as people write it: its address, its path, the distribution, the most paths of an
//! invalidation, its cache tag. Pure.

use aws::flags::address;
use gha::edge::http::Url;
use gha::reproduce::quote;
use gha::text;

use crate::invalidation::{Limits, tags};

/// The longest id of a distribution that is believed; today's have 13 or 14 characters.
const ID: usize = 64;

/// The address of a site.
///
/// # Errors
/// When it is none of HTTP, or holds credentials, which would be shown wherever it is.
pub(super) fn site_url(text: &str) -> Result<String, String> {
    let example = "write for example `--site-url https://www.example.com`";
    let url = address(text).map_err(|why| format!("{why}; {example}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "it is shown to everybody, so it holds no credentials; {example}"
        ));
    }
    Ok(text.to_owned())
}

/// A path under which visitors see a site.
///
/// # Errors
/// When it does not begin with a slash, or is no path.
pub(super) fn url_path(text: &str) -> Result<String, String> {
    let (why, instead) = match Url::parse(text) {
        Ok(url) if url.has_host() => (
            "it is an address, and the path alone is wanted",
            url.path().to_owned(),
        ),
        _ if text.contains(['?', '#', '*']) || text.chars().any(char::is_control) => (
            "a folder is wanted, so that it has no `?`, `#` and `*`",
            "/docs/".to_owned(),
        ),
        _ if text.contains("//") || text.split('/').any(|part| matches!(part, "." | "..")) => {
            ("it has an empty part, a `.` or a `..`", "/docs/".to_owned())
        }
        _ if !text.starts_with('/') => ("a path begins with `/`", format!("/{}", text.trim())),
        _ => return Ok(text.to_owned()),
    };
    let instead = text::cut(&text::line(&instead), 80);
    Err(format!("{why}; write `--url-path {}`", quote(&instead)))
}

/// The id of a distribution.
///
/// # Errors
/// When it is none.
pub(super) fn distribution_id(text: &str) -> Result<String, String> {
    let is_id = |id: &str| (1..=ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_id(text) {
        return Ok(text.to_owned());
    }
    // `arn:aws:cloudfront::ACCOUNT:distribution/ID`, as policies have it.
    let arn = text.strip_prefix("arn:").and_then(|arn| arn.rsplit_once("/"));
    if let Some((_, id)) = arn.filter(|(arn, id)| arn.ends_with(":distribution") && is_id(id)) {
        return Err(format!("the id alone is wanted; write `--distribution-id {id}`"));
    }
    Err("an id is of letters and digits, and not a domain name; write for example `--distribution-id E2EXAMPLE`".to_owned())
}

/// The most paths of an invalidation, within what CloudFront takes.
///
/// # Errors
/// When it is no count, or not one of these.
pub(super) fn max_paths(text: &str) -> Result<usize, String> {
    let most = Limits::MOST;
    let count = text.parse().ok().filter(|count| (1..=most).contains(count));
    count.ok_or_else(|| {
        format!("CloudFront takes from 1 to {most} paths at once; write for example `--max-paths 100`")
    })
}

/// A cache tag.
///
/// # Errors
/// When CloudFront takes no such tag.
pub(super) fn cache_tag(text: &str) -> Result<String, String> {
    tags::check(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn a_site_has_an_address() {
        for good in [
            "https://www.example.com",
            "http://127.0.0.1:8080/docs/",
            "https://x/?a=b",
        ] {
            assert_eq!(site_url(good).as_deref(), Ok(good));
        }
        for wrong in [
            "",
            "nope",
            "www.example.com",
            "javascript:alert(1)",
            "file:///x",
            "https://u:p@x",
        ] {
            let refused = site_url(wrong).unwrap_err();
            assert!(
                refused.contains("; write for example `--site-url https://"),
                "{wrong}: {refused}"
            );
        }
    }

    #[test]
    fn a_path_begins_with_a_slash() {
        for good in ["/", "/docs", "/docs/", "/é/a b"] {
            assert_eq!(url_path(good).as_deref(), Ok(good));
        }
        for (wrong, instead) in [
            ("docs", "write `--url-path /docs`"),
            ("docs/", "write `--url-path /docs/`"),
            ("a b", "write `--url-path '/a b'`"),
            ("https://www.example.com/docs/", "write `--url-path /docs/`"),
            ("https://www.example.com", "write `--url-path /`"),
            ("//www.example.com/docs", "write `--url-path /docs/`"),
            ("/docs/*", "write `--url-path /docs/`"),
            ("/docs?x", "write `--url-path /docs/`"),
            ("/a/../b", "write `--url-path /docs/`"),
            ("", "write `--url-path /`"),
        ] {
            let refused = url_path(wrong).unwrap_err();
            assert!(refused.ends_with(&format!("; {instead}")), "{wrong}: {refused}");
        }
    }

    #[test]
    fn a_distribution_is_named_by_its_id() {
        for good in ["E2EXAMPLE", "EDFDVBD632BHDS5"] {
            assert_eq!(distribution_id(good).as_deref(), Ok(good));
        }
        for (wrong, instead) in [
            ("", "E2EXAMPLE"),
            ("d111111abcdef8.cloudfront.net", "E2EXAMPLE"),
            ("E2/../x", "E2EXAMPLE"),
            ("E2 ", "E2EXAMPLE"),
            ("arn:aws:cloudfront::123456789012:distribution/E3", "E3"),
            ("arn:aws:cloudfront::123456789012:function/E3", "E2EXAMPLE"),
        ] {
            let refused = distribution_id(wrong).unwrap_err();
            let instead = format!("`--distribution-id {instead}`");
            assert!(
                refused.contains("; write ") && refused.ends_with(&instead),
                "{wrong}: {refused}"
            );
        }
    }

    #[test]
    fn paths_are_as_many_as_cloudfront_takes() {
        for (good, count) in [("1", 1), ("100", 100), ("3000", 3000)] {
            assert_eq!(max_paths(good), Ok(count));
        }
        for wrong in ["", "0", "3001", "-1", "1e3", "99999999999999999999"] {
            assert!(max_paths(wrong).unwrap_err().contains("1 to 3000"), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(said in any::<String>()) {
            let _ = site_url(&said);
            let _ = url_path(&said);
            let _ = distribution_id(&said);
            let _ = distribution_id(&format!("arn:{said}"));
            let _ = max_paths(&said);
        }
    }
}
