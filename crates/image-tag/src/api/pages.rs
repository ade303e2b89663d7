//! Lists over several pages: the address of the next one, and the tags of one. Pure.
//!
//! GitHub documents a `Link` header for matching refs, and gives all of them at once today
//! (<https://github.com/github/docs/issues/3863>); a header that is there is followed.

use gha::edge::http::Url;
use serde_json::Value;

use super::address;

/// The next page as the headers `Link` of an answer name it (<https://www.rfc-editor.org/rfc/rfc8288#section-3>); `None` on
/// the last one.
///
/// # Errors
/// When it is on another server: what is there is no part of this list.
pub(super) fn next<'a>(
    asked: &Url,
    headers: impl IntoIterator<Item = &'a str>,
) -> Result<Option<Url>, String> {
    let Some(target) = headers.into_iter().find_map(next_target) else {
        return Ok(None);
    };
    match asked.join(target) {
        Ok(url) if address::same_origin(asked, &url) => Ok(Some(url)),
        Ok(_) => Err("the next page is on another server".to_owned()),
        Err(_) => Err("the next page's address is none".to_owned()),
    }
}

/// The target with the relation `next` in one header.
fn next_target(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let (parameters, following) = parameters(after);
        if parameters.iter().any(|parameter| is_next(parameter)) {
            return Some(target);
        }
        rest = following;
    }
    None
}

/// The parameters behind a target, up to the comma that ends them, and what follows it. A comma or a semicolon within
/// quotes is text.
fn parameters(text: &str) -> (Vec<&str>, &str) {
    let (mut found, mut begin, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ';' if !quoted => {
                found.push(&text[begin..index]);
                begin = index + 1;
            }
            ',' if !quoted => {
                found.push(&text[begin..index]);
                return (found, &text[index + 1..]);
            }
            _ => {}
        }
    }
    found.push(&text[begin..]);
    (found, "")
}

/// Whether a parameter is `rel` with `next` among its relations.
fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    name.trim().eq_ignore_ascii_case("rel")
        && value
            .trim()
            .trim_matches('"')
            .split_whitespace()
            .any(|relation| relation.eq_ignore_ascii_case("next"))
}

/// The names of a page's tags that begin with the prefix, without `refs/tags/`. Refs of another kind are none.
///
/// # Errors
/// When it is no page of refs.
pub(super) fn tags(page: &Value, prefix: &str) -> Result<Vec<String>, &'static str> {
    let refs = page.as_array().ok_or("it is no list")?;
    let names = refs
        .iter()
        .map(|one| one["ref"].as_str().ok_or("a ref in it has no name"));
    let names: Result<Vec<&str>, _> = names.collect();
    let tags = names?
        .into_iter()
        .filter_map(|name| name.strip_prefix("refs/tags/"));
    Ok(tags
        .filter(|tag| tag.starts_with(prefix))
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use serde_json::json;

    #[test]
    fn the_next_page_is_found() {
        let asked = Url::parse("https://x.example/repos/org/shop").unwrap();
        for (header, page) in [
            (
                r#"<https://x.example/a?page=2>; rel="next", <https://x.example/a?page=9>; rel="last""#,
                Some("https://x.example/a?page=2"),
            ),
            (
                r#"<https://x.example/a?page=1>; rel="prev", <https://x.example/a?page=3>; rel="next""#,
                Some("https://x.example/a?page=3"),
            ),
            (r#"</a?page=2>;rel=next"#, Some("https://x.example/a?page=2")),
            (
                r#"<https://x.example/a,b>; title="x, <y>; rel=\"next\""; REL="last NEXT""#,
                Some("https://x.example/a,b"),
            ),
            (r#"<https://x.example/a>; title="rel=next""#, None),
            (r#"<https://x.example/a>; rel="nextish""#, None),
            (r#"<https://x.example/a"#, None),
            (r#"<https://x.example/a>"#, None),
            ("", None),
        ] {
            let next = next(&asked, [header]).unwrap();
            assert_eq!(next.as_ref().map(Url::as_str), page, "{header}");
        }
        for header in [
            "<https://y.example/a>; rel=next",
            "<http://x.example/a>; rel=next",
            "<https://>; rel=next",
        ] {
            assert!(next(&asked, [header]).is_err(), "{header}");
        }
        let two = [
            "<https://x.example/z>; rel=last",
            "<https://x.example/a>; rel=next",
        ];
        assert!(next(&asked, two).unwrap().is_some());
    }

    #[test]
    fn tags_are_read_by_their_prefix() {
        let page = json!([{"ref": "refs/tags/v1"}, {"ref": "refs/tags/w1"}, {"ref": "refs/heads/v1"}, {"ref": "refs/tags/v1/x"}]);
        assert_eq!(tags(&page, "v").unwrap(), ["v1", "v1/x"]);
        assert_eq!(tags(&page, "").unwrap(), ["v1", "w1", "v1/x"]);
        assert!(tags(&json!([]), "v").unwrap().is_empty());
        for page in [
            json!({"ref": "refs/tags/v1"}),
            json!([{"ref": 1}]),
            json!([null]),
            json!(null),
        ] {
            assert!(tags(&page, "").is_err(), "{page}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics_or_leaves_the_server(header in any::<String>()) {
            let asked = Url::parse("https://x.example/a").unwrap();
            if let Ok(Some(url)) = next(&asked, [header.as_str()]) {
                assert!(address::same_origin(&asked, &url));
            }
        }

        #[test]
        fn a_page_is_found_among_others(before in "[a-z;, \\\\\"]{0,12}", path in "[a-z0-9/?=&,;]{0,20}") {
            let asked = Url::parse("https://x.example/a").unwrap();
            let quoted = before.replace(['\\', '"'], "");
            let header = format!("<https://x.example/first>; title=\"{quoted}\"; rel=\"first\", <https://x.example/{path}>; rel=\"next\"");
            let found = next(&asked, [header.as_str()]).unwrap().unwrap();
            prop_assert_eq!(found, asked.join(&format!("https://x.example/{path}")).unwrap());
        }
    }
}
