//! Objects: what a write must say of its body, conditions, copies, deletes, listings.

use std::time::Duration;

use sandbox::stand_ins::aws::{Conditions, Content, Encryption, Object};

use crate::client::{hosting, s3};

#[test]
fn a_body_that_is_not_as_it_was_said_is_refused_and_changes_nothing() {
    let hosting = hosting();
    hosting.stock(|stock| stock.s3.put("site", "k", Object::new("old")));
    let zeros = "0".repeat(64);
    let long = "m".repeat(2100);
    for (headers, code) in [
        (vec![("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")], "BadDigest"),
        (vec![("content-md5", "no md5")], "InvalidDigest"),
        (vec![("x-amz-checksum-crc32", "AAAAAA==")], "BadDigest"),
        (vec![("x-amz-checksum-crc32", "AAAA")], "InvalidRequest"),
        (vec![("x-amz-sdk-checksum-algorithm", "CRC32")], "InvalidRequest"),
        (
            vec![
                ("x-amz-checksum-crc32", "AAAAAA=="),
                ("x-amz-checksum-sha1", "AAAAAA=="),
            ],
            "InvalidRequest",
        ),
        (
            vec![("x-amz-content-sha256", zeros.as_str())],
            "XAmzContentSHA256Mismatch",
        ),
        (vec![("x-amz-meta-long", long.as_str())], "MetadataTooLarge"),
        (
            vec![("x-amz-acl", "public-read")],
            "AccessControlListNotSupported",
        ),
        (vec![("x-amz-storage-class", "CHEAP")], "InvalidStorageClass"),
        (
            vec![("x-amz-website-redirect-location", "index.html")],
            "InvalidRedirectLocation",
        ),
    ] {
        let answer = s3(&hosting, "PUT /site/k", &headers, b"new");
        assert_eq!(answer.refusal(), (400, code), "{headers:?}");
    }
    assert_eq!(
        hosting.stock(|stock| stock.s3.object("site", "k").unwrap().text()),
        "old"
    );
}

#[test]
fn chunks_with_a_trailer_are_checked_by_it_and_refused_by_a_compatible_store() {
    let hosting = hosting();
    let put = |sum: &str| {
        let body = format!("9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:{sum}\r\n\r\n");
        let headers = [
            ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
            ("x-amz-decoded-content-length", "9"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
            ("content-encoding", "aws-chunked"),
        ];
        s3(&hosting, "PUT /site/k", &headers, body.as_bytes())
    };
    assert_eq!(put("AAAAAA==").refusal(), (400, "BadDigest"));
    assert_eq!(put("y/Q5Jg==").status, 200);
    hosting.stock(|stock| {
        let object = stock.s3.object("site", "k").unwrap();
        assert_eq!((object.text(), object.size), ("123456789".to_owned(), 9));
        assert_eq!(object.headers.get("content-encoding"), None);
        assert_eq!(object.checksum.as_ref().unwrap().value, "y/Q5Jg==");
    });
    hosting.settings(|settings| settings.compatible = true);
    assert_eq!(put("y/Q5Jg==").refusal(), (501, "NotImplemented"));
}

#[test]
fn conditions_of_writes_hold_are_refused_or_ignored() {
    let hosting = hosting();
    let put = |header: (&str, &str)| s3(&hosting, "PUT /site/k", &[header], b"x").status;
    assert_eq!(put(("if-match", "\"none\"")), 404);
    assert_eq!(put(("if-none-match", "*")), 200);
    assert_eq!(put(("if-none-match", "*")), 412);
    assert_eq!(put(("if-match", "\"none\"")), 412);
    assert_eq!(put(("if-match", "\"9dd4e461268c8034f5c8564e155c67a6\"")), 200);
    assert_eq!(put(("if-none-match", "\"other\"")), 501);
    hosting.settings(|settings| settings.conditions = Conditions::Refused);
    assert_eq!(put(("if-match", "\"none\"")), 501);
    hosting.settings(|settings| settings.conditions = Conditions::Ignored);
    assert_eq!(put(("if-match", "\"none\"")), 200);
}

#[test]
fn reads_have_conditions_and_ranges() {
    let hosting = hosting();
    let etag = hosting.stock(|stock| {
        let object = Object::new("0123456789").header("cache-control", "no-cache");
        stock.s3.put("site", "k", object)
    });
    let quoted = format!("\"{etag}\"");
    let get = |headers: &[(&str, &str)]| s3(&hosting, "GET /site/k", headers, b"");
    assert_eq!(get(&[("if-none-match", &quoted)]).status, 304);
    assert_eq!(
        get(&[("if-match", "\"other\"")]).refusal(),
        (412, "PreconditionFailed")
    );
    let part = get(&[("range", "bytes=2-4")]);
    assert_eq!((part.status, part.body.as_str()), (206, "234"));
    assert_eq!(part.header("content-range"), Some("bytes 2-4/10"));
    assert_eq!(get(&[("range", "bytes=10-")]).refusal(), (416, "InvalidRange"));
    let whole = get(&[("x-amz-checksum-mode", "ENABLED")]);
    assert_eq!(whole.header("x-amz-checksum-crc64nvme"), Some("Ffmx7kz9nB0="));
    assert_eq!(whole.header("cache-control"), Some("no-cache"));
    assert_eq!(
        whole.header("last-modified"),
        Some("Thu, 01 Jan 2026 00:00:00 GMT")
    );
    let head = s3(&hosting, "HEAD /site/none", &[], b"");
    assert_eq!((head.status, head.body.as_str()), (404, ""));
}

#[test]
fn a_copy_onto_itself_must_change_something() {
    let hosting = hosting();
    let etag = hosting.stock(|stock| {
        let object = Object::new("x").header("cache-control", "no-cache");
        stock.s3.put("site", "a +é", object.metadata("m", "1"))
    });
    let source = ("x-amz-copy-source", "site/a%20%2B%C3%A9");
    let copy = |headers: &[(&str, &str)]| {
        let all = [&[source], headers].concat();
        s3(&hosting, "PUT /site/a%20%2B%C3%A9", &all, b"")
    };
    assert_eq!(copy(&[]).refusal(), (400, "InvalidRequest"));
    let wrong = ("x-amz-copy-source-if-match", "\"other\"");
    let replace = ("x-amz-metadata-directive", "REPLACE");
    assert_eq!(copy(&[replace, wrong]).refusal(), (412, "PreconditionFailed"));
    hosting.skip(Duration::from_secs(5));
    let done = copy(&[replace, ("cache-control", "max-age=1")]);
    let quoted = format!("&quot;{etag}&quot;");
    assert_eq!(done.element("ETag"), Some(quoted.as_str()));
    hosting.stock(|stock| {
        let object = stock.s3.object("site", "a +é").unwrap();
        assert_eq!(object.headers["cache-control"], "max-age=1");
        assert_eq!(
            (object.meta("m"), object.modified),
            (None, Duration::from_secs(5))
        );
    });
    let kms = [("x-amz-server-side-encryption", "aws:kms")];
    assert_eq!(copy(&kms).status, 200);
    hosting.stock(|stock| {
        let object = stock.s3.object("site", "a +é").unwrap();
        assert!(matches!(object.encryption, Encryption::Kms(_)));
        assert_ne!(object.etag, etag, "it would be an MD5");
    });
    let missing = [("x-amz-copy-source", "site/none")];
    assert_eq!(
        s3(&hosting, "PUT /site/b", &missing, b"").refusal(),
        (404, "NoSuchKey")
    );
}

#[test]
fn a_batch_of_deletes_says_of_each_key_how_it_went() {
    let hosting = hosting();
    hosting.stock(|stock| {
        for key in ["a", "b", "c"] {
            stock.s3.put("site", key, Object::new(key));
        }
    });
    let body = |items: &str| format!("<Delete><Quiet>true</Quiet>{items}</Delete>");
    let delete = |body: &str, sum: &[(&str, &str)]| s3(&hosting, "POST /site?delete", sum, body.as_bytes());
    let of_a = body("<Object><Key>a</Key></Object>");
    assert_eq!(delete(&of_a, &[]).refusal(), (400, "InvalidRequest"));
    let items = "<Object><Key>a</Key><ETag>other</ETag></Object><Object><Key>b</Key></Object><Object><Key>none</Key></Object>";
    let mixed = body(items);
    let sum = base64_crc32(mixed.as_bytes());
    let answer = delete(&mixed, &[("x-amz-checksum-crc32", &sum)]);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.elements("Code"), ["PreconditionFailed"]);
    assert_eq!(answer.elements("Key"), ["a"]);
    assert_eq!(hosting.stock(|stock| stock.s3.keys("site")), ["a", "c"]);
    let many = body(&"<Object><Key>a</Key></Object>".repeat(1001));
    let sum = base64_crc32(many.as_bytes());
    let answer = delete(&many, &[("x-amz-checksum-crc32", &sum)]);
    assert_eq!(answer.refusal(), (400, "MalformedXML"));
    assert_eq!(s3(&hosting, "DELETE /site/none", &[], b"").status, 204);
    let guarded = s3(&hosting, "DELETE /site/a", &[("if-match", "\"other\"")], b"");
    assert_eq!(guarded.refusal(), (412, "PreconditionFailed"));
}

/// The sum that the answer to a wrong one does not tell.
fn base64_crc32(bytes: &[u8]) -> String {
    use base64::Engine as _;

    let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(bytes);
    base64::prelude::BASE64_STANDARD.encode(sum.to_be_bytes())
}

#[test]
fn listings_go_on_where_they_ended_in_the_order_of_bytes() {
    let hosting = hosting();
    let keys = [
        "a/1",
        "a/2",
        "a-b",
        "b",
        "é",
        "z\n",
        "a/3/x",
        "c/1",
        "c/2",
        "\u{ffff}",
        "\u{10000}",
    ];
    hosting.stock(|stock| {
        for key in keys {
            stock.s3.put("site", key, Object::new(key));
        }
    });
    let mut sorted = keys.map(str::to_owned).to_vec();
    sorted.sort_by(|one, other| one.as_bytes().cmp(other.as_bytes()));
    for page in 1..=12 {
        let mut listed: Vec<String> = Vec::new();
        let mut token = String::new();
        loop {
            let line = format!("GET /site?encoding-type=url&list-type=2&max-keys={page}{token}");
            let answer = s3(&hosting, &line, &[], b"");
            listed.extend(answer.elements("Key").into_iter().map(decoded));
            match answer.element("NextContinuationToken") {
                None => break,
                Some(next) => {
                    let next = next.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
                    token = format!("&continuation-token={next}");
                }
            }
        }
        assert_eq!(listed, sorted, "{page}");
    }
    for page in 1..=6 {
        let (mut listed, mut token) = (Vec::new(), String::new());
        loop {
            let line =
                format!("GET /site?delimiter=%2F&encoding-type=url&list-type=2&max-keys={page}{token}");
            let answer = s3(&hosting, &line, &[], b"");
            let mut found: Vec<String> = answer.elements("Key").into_iter().map(decoded).collect();
            // The first prefix is that which was asked for.
            found.extend(
                answer
                    .elements("Prefix")
                    .into_iter()
                    .skip(1)
                    .filter(|text| !text.starts_with('<'))
                    .map(decoded),
            );
            listed.extend(found);
            match answer.element("NextContinuationToken") {
                None => break,
                Some(next) => {
                    let next = next.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
                    token = format!("&continuation-token={next}");
                }
            }
        }
        listed.sort();
        assert_eq!(
            listed,
            ["a-b", "a/", "b", "c/", "z\n", "é", "\u{ffff}", "\u{10000}"],
            "{page}"
        );
    }
    let plain = s3(&hosting, "GET /site?list-type=2&prefix=z", &[], b"");
    assert_eq!(plain.element("Key"), Some("z&#xa;"));
    let after = s3(
        &hosting,
        "GET /site?list-type=2&prefix=a%2F&start-after=a%2F1",
        &[],
        b"",
    );
    assert_eq!(after.elements("Key"), ["a/2", "a/3/x"]);
}

fn decoded(text: &str) -> String {
    let plain = text.replace('+', " ");
    percent_encoding::percent_decode_str(&plain)
        .decode_utf8()
        .unwrap()
        .into_owned()
}

#[test]
fn of_large_objects_only_length_and_digest_are_kept() {
    let hosting = hosting();
    hosting.settings(|settings| settings.keep = 4);
    assert_eq!(s3(&hosting, "PUT /site/k", &[], b"12345").status, 200);
    assert_eq!(
        s3(&hosting, "GET /site/k", &[], b"").refusal(),
        (501, "NotImplemented")
    );
    let head = s3(&hosting, "HEAD /site/k", &[], b"");
    assert_eq!((head.status, head.header("content-length")), (200, Some("5")));
    hosting.stock(|stock| {
        let object = stock.s3.object("site", "k").unwrap();
        let sha256 = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5";
        let digest = Content::Digest {
            sha256: sha256.to_owned(),
            size: 5,
        };
        assert_eq!((&object.content, object.sha256().as_str()), (&digest, sha256));
        assert_eq!(object.etag, "827ccb0eea8a706c4c34a16891f84e7b");
    });
}
