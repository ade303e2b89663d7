//! What is taken as a header's value, and what is refused in which words.

use proptest::prelude::{any, prop_assert, proptest};

use super::*;

fn refused<T: std::fmt::Debug>(result: Result<T, String>, words: &str) {
    let said = result.unwrap_err();
    assert!(said.contains(words) && !said.contains('\n'), "{said}");
}

#[test]
fn a_value_is_one_line_of_ascii() {
    assert_eq!(plain("a b"), Ok("a b".to_owned()));
    refused(
        plain("a\r\nSet-Cookie: x"),
        "has a line break in it, which would begin another header",
    );
    refused(plain("a\u{0}"), "printable ASCII");
    refused(plain("é"), "`é` has `é` in it");
    refused(plain(" a"), "blank at an end");
    refused(plain(""), "leave the key out");
    refused(plain(&"a".repeat(2049)), "2049 bytes, and S3 takes 2048");
}

#[test]
fn directives_are_checked() {
    for value in [
        "no-cache",
        "public, max-age=31536000, immutable",
        "s-maxage=60,stale-while-revalidate=30",
        "private=\"set-cookie, x\", max-age=1",
        "community=\"UCI\"",
        "No-Store",
    ] {
        assert_eq!(cache_control(value), Ok(Set::To(value.to_owned())));
    }
    assert_eq!(cache_control("none"), Ok(Set::Nothing));
    refused(cache_control("max-age: 60"), "`max-age: 60` is no directive");
    refused(
        cache_control("max-age=1y"),
        "`max-age=1y` needs a number of seconds",
    );
    refused(cache_control("max-age"), "needs a number of seconds");
    refused(cache_control("maxage=60"), "did you mean `max-age`?");
    refused(cache_control("public; max-age=60"), "is no directive");
    refused(cache_control("imutable"), "did you mean `immutable`?");
    refused(cache_control("public,,private"), "`` is no directive");
    assert!(has_directive("public, Immutable", "immutable"));
    assert!(!has_directive("x=\"a,immutable\"", "immutable"));
}

#[test]
fn other_values_are_checked() {
    assert!(content_type("text/html; charset=utf-8").is_ok());
    refused(content_type("html"), "`html` is no type");
    refused(content_type("text/"), "is no type");
    assert_eq!(content_encoding("none"), Ok(Set::Nothing));
    assert_eq!(content_encoding("br"), Ok(Set::To("br".to_owned())));
    refused(
        content_encoding("aws-chunked"),
        "is no encoding that browsers take",
    );
    refused(content_encoding("gzp"), "did you mean `gzip`?");
    assert!(content_disposition("attachment; filename=\"a.pdf\"").is_ok());
    refused(
        content_disposition("attachment; filename=\"é.pdf\""),
        "filename*=UTF-8''",
    );
    refused(
        content_disposition("download"),
        "neither `inline` nor `attachment`",
    );
    assert!(content_language("en, de-AT").is_ok());
    refused(content_language("english_uk"), "is no language");
    assert!(website_redirect("/new").is_ok());
    refused(website_redirect("new"), "begins with none of");
    refused(storage_class("GLACIER"), "nothing but errors");
    refused(storage_class("STANDARD-IA"), "did you mean `STANDARD_IA`?");
    refused(acl("public"), "is no canned ACL");
    refused(encryption("aes256"), "did you mean `AES256`?");
    assert_eq!(metadata_name("Cache-Tag"), Ok("cache-tag".to_owned()));
    refused(metadata_name("x-amz-meta-a"), "write `a`");
    refused(metadata_name("a b"), "no name of metadata");
    assert_eq!(cache_tags(&["html", "Site:a"]), Ok("html,Site:a".to_owned()));
    refused(cache_tags(&["#html"]), "gets its `#`");
    refused(cache_tags(&["a,b"]), "is no tag");
    refused(cache_tags(&["a"; 51]), "51 tags");
}

proptest! {
    #[test]
    fn what_is_taken_can_begin_no_other_header(value in any::<String>(), near in "[a-z=,;/\" \r\n\té-]{0,30}") {
        for value in [value.as_str(), near.as_str()] {
            let set = |set: Set| match set { Set::To(value) => value, Set::Nothing => String::new() };
            let taken = [
                plain(value), cache_control(value).map(set), content_type(value), content_encoding(value).map(set),
                content_disposition(value), content_language(value), website_redirect(value), storage_class(value),
                acl(value), metadata_name(value), cache_tags(&[value]),
            ];
            for result in taken {
                match result {
                    Ok(taken) => prop_assert!(taken.bytes().all(|b| (b' '..=b'~').contains(&b))),
                    Err(reason) => prop_assert!(!reason.contains(['\n', '\r'])),
                }
            }
        }
    }
}
