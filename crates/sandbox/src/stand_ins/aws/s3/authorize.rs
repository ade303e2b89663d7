//! Who signed a request to S3, and whether for the right region.
//!
//! S3 signs its own way: the path once encoded, and a hash of the body that the request names
//! ([header-based signatures](https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html)). Limits: no
//! presigned addresses, no signed chunks, no `SigV4A`; dates are not compared with the clock.

use std::fmt::Write as _;
use std::time::Duration;

use crate::http::Request;
use crate::stand_ins::aws::hosting::address;
use crate::stand_ins::aws::hosting::answered::{Refused, refused};
use crate::stand_ins::aws::protocol::{Authorization, Keys};

/// The regions that a request may be signed for.
pub(crate) struct Regions<'a> {
    /// That of the endpoint.
    pub(crate) home: &'a str,
    /// That of the bucket, where there is one.
    pub(crate) bucket: Option<&'a str>,
}

/// The ARN of who signed.
///
/// # Errors
/// As S3 refuses.
pub(crate) fn check(
    head: &Request,
    keys: &Keys,
    regions: &Regions<'_>,
    unsigned_payload: bool,
    now: Duration,
) -> Result<String, Refused> {
    let Some(given) = Authorization::of(head) else {
        return Err(refused(403, "AccessDenied", "Access Denied"));
    };
    let Some(key) = keys.pair(given.key) else {
        return Err(refused(
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ));
    };
    if head.header("x-amz-security-token") != key.token.as_deref() {
        return Err(refused(
            400,
            "InvalidToken",
            "The provided token is malformed or otherwise invalid.",
        ));
    }
    scope(&given, regions)?;
    let hash = payload(head, unsigned_payload)?;
    let unsigned = head
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .find(|name| (name.starts_with("x-amz-") || *name == "host") && !given.signs(name));
    if let Some(header) = unsigned {
        let mut wrong = refused(
            403,
            "AccessDenied",
            "There were headers present in the request which were not signed",
        );
        wrong.more.push(("HeadersNotSigned", header.to_owned()));
        return Err(wrong);
    }
    let canonical = canonical(head, &given, hash);
    if !canonical.is_some_and(|canonical| given.signed_by(&key.secret, head, &canonical)) {
        return Err(refused(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        ));
    }
    if key.expires.is_some_and(|expires| expires <= now) {
        return Err(refused(400, "ExpiredToken", "The provided token has expired."));
    }
    Ok(key.identity.arn.clone())
}

fn scope(given: &Authorization<'_>, regions: &Regions<'_>) -> Result<(), Refused> {
    let right = regions.bucket.unwrap_or(regions.home);
    if given.service != "s3" {
        let message = format!(
            "The authorization header is malformed; incorrect service {:?}. This endpoint belongs to \"s3\".",
            given.service
        );
        return Err(refused(400, "AuthorizationHeaderMalformed", &message));
    }
    if given.region == right {
        return Ok(());
    }
    // Who asks the endpoint of its own region is sent to that of the bucket; who asks it for another is told so.
    let mut wrong = if given.region == regions.home {
        refused(
            301,
            "PermanentRedirect",
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all \
             future requests to this endpoint.",
        )
    } else {
        let message = format!(
            "The authorization header is malformed; the region '{}' is wrong; expecting '{right}'",
            given.region
        );
        refused(400, "AuthorizationHeaderMalformed", &message)
    };
    wrong.more.push(("Region", right.to_owned()));
    wrong.headers.push(("x-amz-bucket-region", right.to_owned()));
    Err(wrong)
}

/// The hash of the body that the request names.
fn payload(head: &Request, unsigned: bool) -> Result<&str, Refused> {
    let Some(hash) = head.header("x-amz-content-sha256") else {
        return Err(refused(
            400,
            "InvalidRequest",
            "Missing required header for this request: x-amz-content-sha256",
        ));
    };
    match hash {
        "UNSIGNED-PAYLOAD" if unsigned => Ok(hash),
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(hash),
        _ if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(hash),
        _ if hash.starts_with("STREAMING-") => Err(refused(
            501,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented: signed chunks.",
        )),
        _ => Err(refused(
            400,
            "InvalidArgument",
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER or a valid sha256 value.",
        )),
    }
}

/// The canonical request; none where the address is no UTF-8.
fn canonical(head: &Request, given: &Authorization<'_>, hash: &str) -> Option<String> {
    let (path, query) = address::split(&head.path);
    let mut pairs: Vec<String> = address::pairs(query)?
        .iter()
        .map(|(name, value)| format!("{}={}", address::encoded(name), address::encoded(value)))
        .collect();
    pairs.sort();
    let path = address::encoded_path(&address::decoded(path)?);
    let mut text = format!("{}\n{path}\n{}\n", head.method, pairs.join("&"));
    for name in given.signed() {
        let values = head
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" "));
        // Nothing can fail in memory.
        let _ = writeln!(text, "{name}:{}", values.collect::<Vec<_>>().join(","));
    }
    let _ = write!(text, "\n{}\n{hash}", given.signed().join(";"));
    Some(text)
}
