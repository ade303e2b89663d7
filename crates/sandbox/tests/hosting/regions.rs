//! Signatures, and buckets that are elsewhere.

use sandbox::stand_ins::aws::Object;

use crate::client::{heard, hosting, s3, signed};

#[test]
fn only_what_is_signed_well_is_done() {
    let hosting = hosting();
    let right = signed(
        &hosting,
        "s3",
        "PUT /site/a%20b?x-id=PutObject",
        &[("x-amz-meta-m", "1")],
        b"x",
    );
    assert_eq!(heard(hosting.hear(&right)).status, 200);
    let mut bare = right.clone();
    bare.headers.retain(|(name, _)| name != "authorization");
    let mut other = right.clone();
    other.path = "/site/b".to_owned();
    let mut more = right.clone();
    more.headers.push(("x-amz-acl".to_owned(), "private".to_owned()));
    let mut stranger = right.clone();
    let (_, authorization) = stranger.headers.last_mut().unwrap();
    *authorization = authorization.replace("AKIASANDBOX000000001", "AKIASTRANGER");
    for (request, code) in [
        (bare, "AccessDenied"),
        (other, "SignatureDoesNotMatch"),
        (more, "AccessDenied"),
        (stranger, "InvalidAccessKeyId"),
    ] {
        assert_eq!(heard(hosting.hear(&request)).refusal(), (403, code));
    }
    let unsigned = [("x-amz-content-sha256", "UNSIGNED-PAYLOAD")];
    assert_eq!(s3(&hosting, "PUT /site/u", &unsigned, b"x").status, 200);
    hosting.settings(|settings| settings.unsigned_payload = false);
    assert_eq!(
        s3(&hosting, "PUT /site/u", &unsigned, b"x").refusal(),
        (400, "InvalidArgument")
    );
}

#[test]
fn a_bucket_elsewhere_says_where_it_is() {
    let hosting = hosting();
    hosting.stock(|stock| {
        stock.s3.create_in("far", "us-west-2");
        stock.s3.put("far", "k", Object::new("x"));
    });
    let asked = |line: &str, region: &str| s3(&hosting, line, &[("region", region)], b"");
    let away = asked("GET /far/k", "eu-central-1");
    assert_eq!(away.refusal(), (301, "PermanentRedirect"));
    assert_eq!(away.header("x-amz-bucket-region"), Some("us-west-2"));
    let wrong = asked("GET /far/k", "us-east-1");
    assert_eq!(wrong.refusal(), (400, "AuthorizationHeaderMalformed"));
    assert_eq!(wrong.element("Region"), Some("us-west-2"));
    assert_eq!(asked("GET /far/k", "us-west-2").body, "x");
    assert_eq!(
        asked("HEAD /far", "us-west-2").header("x-amz-bucket-region"),
        Some("us-west-2")
    );
    assert_eq!(
        asked("GET /none/k", "eu-central-1").refusal(),
        (404, "NoSuchBucket")
    );
}
