//! What a request says about the object it writes: headers to serve it with, metadata, class, encryption, conditions.

use std::collections::BTreeMap;

use super::Work;
use super::object::{Encryption, Object};
use crate::http::Request;
use crate::stand_ins::aws::hosting::Conditions;
use crate::stand_ins::aws::hosting::answered::{Refused, refused};

/// [System-defined metadata](https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html) that a writer sets.
const SYSTEM: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-website-redirect-location",
];

/// Bytes of names and values of metadata together.
const METADATA: usize = 2048;

const CLASSES: [&str; 9] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
    "OUTPOSTS",
];

/// What an object is served with, as the request has it.
pub(super) fn served(head: &Request) -> Result<BTreeMap<String, String>, Refused> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    let mut metadata = 0;
    for (name, value) in &head.headers {
        let name = name.to_ascii_lowercase();
        if let Some(own) = name.strip_prefix("x-amz-meta-") {
            metadata += own.len() + value.len();
        } else if !SYSTEM.contains(&name.as_str()) {
            continue;
        }
        let value = match name.as_str() {
            // It is how the body travelled, and no property of the object.
            "content-encoding" => {
                let codings = value.split(',').map(str::trim);
                let kept: Vec<&str> = codings.filter(|coding| *coding != "aws-chunked").collect();
                kept.join(",")
            }
            _ => value.clone(),
        };
        if !value.is_empty() || name.starts_with("x-amz-meta-") {
            headers.insert(name, value);
        }
    }
    if metadata > METADATA {
        let mut wrong = refused(
            400,
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
        );
        wrong.more.push(("Size", metadata.to_string()));
        wrong.more.push(("MaxSizeAllowed", METADATA.to_string()));
        return Err(wrong);
    }
    if let Some(to) = headers.get("x-amz-website-redirect-location")
        && !["/", "http://", "https://"]
            .iter()
            .any(|begin| to.starts_with(begin))
    {
        return Err(refused(
            400,
            "InvalidRedirectLocation",
            "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
        ));
    }
    let kind = "binary/octet-stream".to_owned();
    headers.entry("content-type".to_owned()).or_insert(kind);
    Ok(headers)
}

/// The storage class that is asked for.
pub(super) fn class(head: &Request) -> Result<String, Refused> {
    let class = head.header("x-amz-storage-class").unwrap_or("STANDARD");
    if !CLASSES.contains(&class) {
        return Err(refused(
            400,
            "InvalidStorageClass",
            "The storage class you specified is not valid",
        ));
    }
    Ok(class.to_owned())
}

/// The encryption that is asked for.
pub(super) fn encryption(work: &Work<'_>) -> Result<Encryption, Refused> {
    let key = work.head.header("x-amz-server-side-encryption-aws-kms-key-id");
    match work.head.header("x-amz-server-side-encryption") {
        None | Some("AES256") if key.is_none() => Ok(Encryption::S3),
        Some("aws:kms" | "aws:kms:dsse") => {
            let key = key.map_or_else(|| work.home.arn("kms", "alias/aws/s3"), str::to_owned);
            Ok(Encryption::Kms(key))
        }
        None | Some("AES256") => Err(refused(
            400,
            "InvalidArgument",
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
        )),
        Some(_) => Err(refused(
            400,
            "InvalidEncryptionAlgorithmError",
            "The encryption request you specified is not valid. Supported values: AES256, aws:kms.",
        )),
    }
}

/// What no writer may ask for here.
pub(super) fn allowed(head: &Request) -> Result<(), Refused> {
    let has = |begin: &str| head.headers.iter().any(|(name, _)| name.starts_with(begin));
    let canned = head.header("x-amz-acl");
    if has("x-amz-grant-") || canned.is_some_and(|acl| acl != "bucket-owner-full-control") {
        return Err(refused(
            400,
            "AccessControlListNotSupported",
            "The bucket does not allow ACLs",
        ));
    }
    let unknown = [
        "x-amz-tagging",
        "x-amz-object-lock-",
        "x-amz-server-side-encryption-customer-",
    ];
    if unknown.iter().any(|begin| has(begin)) {
        return Err(refused(
            501,
            "NotImplemented",
            "A header you provided implies functionality that is not implemented.",
        ));
    }
    Ok(())
}

/// Whether what is there fits `If-Match` and `If-None-Match`
/// ([conditional writes](https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html)).
pub(super) fn conditions(work: &Work<'_>, there: Option<&Object>) -> Result<(), Refused> {
    let (matches, none) = (work.head.header("if-match"), work.head.header("if-none-match"));
    if matches.is_none() && none.is_none() {
        return Ok(());
    }
    match work.settings.conditions {
        Conditions::Ignored => return Ok(()),
        Conditions::Kept => {}
        Conditions::Refused => {
            return Err(refused(
                501,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented.",
            ));
        }
    }
    match (none, there) {
        (None, _) => {}
        (Some("*"), None) => {}
        (Some("*"), Some(_)) => return Err(failed("If-None-Match")),
        (Some(_), _) => {
            return Err(refused(
                501,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented: If-None-Match with an ETag.",
            ));
        }
    }
    match (matches, there) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(missing(&work.ask.key)),
        (Some(etag), Some(object)) if same(etag, &object.etag) => Ok(()),
        (Some(_), Some(_)) => Err(failed("If-Match")),
    }
}

/// Whether a condition names this `ETag`.
pub(super) fn same(condition: &str, etag: &str) -> bool {
    let mut given = condition.split(',').map(|one| one.trim().trim_matches('"'));
    given.any(|given| given == "*" || given == etag)
}

pub(super) fn failed(condition: &str) -> Refused {
    let mut wrong = refused(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    );
    wrong.more.push(("Condition", condition.to_owned()));
    wrong
}

pub(super) fn missing(key: &str) -> Refused {
    let mut wrong = refused(404, "NoSuchKey", "The specified key does not exist.");
    wrong.more.push(("Key", key.to_owned()));
    wrong
}
