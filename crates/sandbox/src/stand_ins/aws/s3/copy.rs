//! `CopyObject`, most often onto itself: that is how headers of an object change.

use super::buckets::Buckets;
use super::object::{Content, Encryption, Object};
use super::sums::{Algorithm, Checksum, base64, hex};
use super::write::{encrypted, etag, kind};
use super::{Answer, Work, headers};
use crate::stand_ins::aws::hosting::address;
use crate::stand_ins::aws::hosting::answered::{Refused, leaf, refused};

/// The largest object that one copy takes.
const LARGEST: u64 = 5 * 1024 * 1024 * 1024;

impl Buckets {
    pub(super) fn copy(&mut self, work: &Work<'_>) -> Answer {
        let head = work.head;
        headers::allowed(head)?;
        let (from_bucket, from_key) = source(head.header("x-amz-copy-source").unwrap_or_default())?;
        let target = self.bucket(&work.ask.bucket)?;
        headers::conditions(work, target.objects.get(&work.ask.key))?;
        let from = self.bucket(&from_bucket)?;
        let Some(from) = from.objects.get(&from_key) else {
            return Err(headers::missing(&from_key));
        };
        source_conditions(work, from)?;
        if from.size > LARGEST {
            return Err(refused(
                400,
                "InvalidRequest",
                "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
            ));
        }
        let replaces = match head.header("x-amz-metadata-directive") {
            None | Some("COPY") => false,
            Some("REPLACE") => true,
            Some(_) => return Err(refused(400, "InvalidArgument", "Unknown metadata directive.")),
        };
        let itself = from_bucket == work.ask.bucket && from_key == work.ask.key;
        if itself && !replaces && !changes(work, from)? {
            return Err(refused(
                400,
                "InvalidRequest",
                "This copy request is illegal because it is trying to copy an object to itself without changing the \
                 object's metadata, storage class, website redirect location or encryption attributes.",
            ));
        }
        let object = copied(work, from, replaces)?;
        let mut text = String::new();
        leaf(&mut text, "LastModified", &work.time(work.now));
        leaf(&mut text, "ETag", &format!("\"{}\"", object.etag));
        if let Some(checksum) = &object.checksum {
            leaf(&mut text, "ChecksumType", kind(checksum));
            leaf(
                &mut text,
                &format!("Checksum{}", checksum.algorithm.name()),
                &checksum.value,
            );
        }
        let answered = encrypted(work.xml("CopyObjectResult", &text), &object.encryption);
        let target = self.bucket(&work.ask.bucket)?;
        target.objects.insert(work.ask.key.clone(), object);
        Ok(answered)
    }
}

/// Bucket and key of a source, which is percent-encoded; a bare `+` is a space.
fn source(text: &str) -> Result<(String, String), Refused> {
    let wrong = || {
        refused(
            400,
            "InvalidArgument",
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        )
    };
    let (path, version) = match text.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version)),
        None => (text, None),
    };
    if version.is_some() {
        return Err(refused(501, "NotImplemented", "There are no versions here."));
    }
    let path = address::decoded(&path.replace('+', " ")).ok_or_else(wrong)?;
    let path = path.strip_prefix('/').unwrap_or(&path);
    match path.split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
            Ok((bucket.to_owned(), key.to_owned()))
        }
        _ => Err(wrong()),
    }
}

fn source_conditions(work: &Work<'_>, from: &Object) -> Result<(), Refused> {
    let header = |name: &str| work.head.header(name);
    if header("x-amz-copy-source-if-match").is_some_and(|etag| !headers::same(etag, &from.etag)) {
        return Err(headers::failed("x-amz-copy-source-If-Match"));
    }
    if header("x-amz-copy-source-if-none-match").is_some_and(|etag| headers::same(etag, &from.etag)) {
        return Err(headers::failed("x-amz-copy-source-If-None-Match"));
    }
    Ok(())
}

/// Whether a copy onto itself changes anything but metadata.
fn changes(work: &Work<'_>, from: &Object) -> Result<bool, Refused> {
    let asked = |name: &str| work.head.header(name).is_some();
    Ok(
        asked("x-amz-storage-class") && headers::class(work.head)? != from.class
            || asked("x-amz-server-side-encryption")
            || asked("x-amz-website-redirect-location")
            || asked("x-amz-checksum-algorithm"),
    )
}

fn copied(work: &Work<'_>, from: &Object, replaces: bool) -> Result<Object, Refused> {
    const REDIRECT: &str = "x-amz-website-redirect-location";

    let own = headers::served(work.head)?;
    let served = if replaces {
        own
    } else {
        // All is taken over except where a website sends its visitors.
        let mut served = from.headers.clone();
        served.remove(REDIRECT);
        served.extend(own.get(REDIRECT).map(|to| (REDIRECT.to_owned(), to.clone())));
        served
    };
    let encryption = headers::encryption(work)?;
    // A copy is written in one piece, whatever its source was.
    let etag = match (from.content.md5(), &encryption) {
        (Some(md5), encryption) => etag(&md5, encryption, work),
        (None, Encryption::S3) if from.parts.is_none() && from.encryption == Encryption::S3 => {
            from.etag.clone()
        }
        (None, encryption) => {
            let digest = Algorithm::Sha256.of_bytes(from.etag.as_bytes());
            let opaque = hex(&digest[..16]);
            etag(opaque.as_bytes(), encryption, work)
                .chars()
                .take(32)
                .collect()
        }
    };
    Ok(Object {
        etag,
        size: from.size,
        content: from.content.clone(),
        headers: served,
        modified: work.now,
        checksum: checksum(work, from)?,
        class: headers::class(work.head)?,
        encryption,
        parts: None,
    })
}

/// The checksum of a copy: of the kind that is asked for, or of its source's, over the whole.
fn checksum(work: &Work<'_>, from: &Object) -> Result<Option<Checksum>, Refused> {
    let asked = match work.head.header("x-amz-checksum-algorithm") {
        None => None,
        Some(name) => Some(Algorithm::of(name).ok_or_else(|| {
            refused(
                400,
                "InvalidRequest",
                "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]",
            )
        })?),
    };
    let old = from.checksum.as_ref();
    let Some(algorithm) = asked.or(old.map(|old| old.algorithm)) else {
        return Ok(None);
    };
    let as_it_was = old.filter(|old| old.algorithm == algorithm && !old.composite);
    Ok(match (&from.content, as_it_was) {
        (_, Some(old)) => Some(old.clone()),
        (Content::Whole(bytes), None) => Some(Checksum {
            algorithm,
            value: base64(&algorithm.of_bytes(bytes)),
            composite: false,
        }),
        // Its bytes are gone here, not there.
        (Content::Digest { .. }, None) => old.cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_percent_encoded() {
        for (text, expected) in [
            ("b/k", Some(("b", "k"))),
            ("/b/a%2Bc%20d/%C3%A9", Some(("b", "a+c d/é"))),
            ("b/a+b", Some(("b", "a b"))),
            ("b", None),
            ("b/", None),
            ("b/%FF", None),
        ] {
            let expected = expected.map(|(bucket, key)| (bucket.to_owned(), key.to_owned()));
            assert_eq!(source(text).ok(), expected, "{text}");
        }
    }
}
