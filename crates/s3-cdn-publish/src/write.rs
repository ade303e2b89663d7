//! Writing one object of the site, from the folder or from what the bucket keeps.

use std::path::Path;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::api::copies::{Copy, LARGEST};
use crate::api::multipart;
use crate::api::writes::{Body, Condition, Put};
use crate::api::{Bucket, Refused};
use crate::ask;
use crate::diff::{Found, Step};
use crate::etag::Etag;
use crate::headers::{Headers, HeadersDigest};
use crate::hex::Hex;
use crate::look::STORE;
use crate::target::{Item, Look};

/// Up to which size a file is read before it is sent, in bytes. Larger ones are read as they are sent, so that those under way
/// never fill the memory.
const AT_ONCE: u64 = 128 * 1024;

/// Where the contents of a release come from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A folder of this machine.
    Folder(&'a Path),
    /// What the bucket keeps of earlier releases.
    Store,
}

/// The key of a content in the store.
#[must_use]
pub fn store_key(sha256: &[u8; 32], headers: HeadersDigest) -> String {
    format!("{STORE}{}", store_name(sha256, headers))
}

/// The name of a content in the store.
#[must_use]
pub fn store_name(sha256: &[u8; 32], headers: HeadersDigest) -> String {
    format!("{}-{headers}", Hex(sha256))
}

/// A request that writes bytes at hand, unconditionally.
#[must_use]
pub fn object<'a>(key: &'a str, bytes: &'a Bytes, headers: &'a Headers) -> Put<'a> {
    Put {
        key,
        body: Body::Bytes(bytes),
        sha256: Sha256::digest(bytes).into(),
        headers,
        condition: Condition::None,
    }
}

/// Writes an object of a release as `found` says, if there still is what was found.
///
/// # Errors
/// When it was not written, or that is not known; `PreconditionFailed` when somebody else has written it meanwhile.
pub async fn item(
    bucket: &Bucket,
    source: Source<'_>,
    item: &Item,
    look: &Look,
    found: &Found,
) -> Result<Etag, Refused> {
    let there = match (found.step, &found.etag) {
        // Asked first, for each object, a condition would cost a request more and still leave a moment.
        _ if bucket.is_unconditional() => Condition::None,
        (Step::Add, _) => Condition::New,
        (_, Some(etag)) => Condition::Same(etag),
        (_, None) => Condition::None,
    };
    let headers = &look.headers;
    let said = if found.step == Step::Headers && item.size <= LARGEST {
        let copy = Copy {
            from: &item.key,
            to: &item.key,
            size: item.size,
            headers: Some(headers),
            source: found.etag.as_ref(),
            there,
        };
        bucket.copy(copy).await
    } else {
        match source {
            Source::Folder(root) => {
                let path = root.join(item.key.as_ref());
                from_file(bucket, &path, item, headers, there).await
            }
            Source::Store => {
                let copy = Copy {
                    from: &store_key(&item.sha256, headers.digest()),
                    to: &item.key,
                    size: item.size,
                    headers: Some(headers),
                    source: None,
                    there,
                };
                bucket.copy(copy).await
            }
        }
    };
    match said {
        // The try before may have been done, and its answer lost.
        Err(refused) if refused.is_condition() => match ask::asked(bucket, source, item, look).await? {
            (Step::Adopt, Some((etag, _))) => Ok(etag),
            _ => Err(refused),
        },
        said => said,
    }
}

async fn from_file(
    bucket: &Bucket,
    path: &Path,
    item: &Item,
    headers: &Headers,
    condition: Condition<'_>,
) -> Result<Etag, Refused> {
    let put = |body| Put {
        key: &item.key,
        body,
        sha256: item.sha256,
        headers,
        condition,
    };
    if item.size > multipart::FROM {
        return bucket.put_in_parts(path, put(Body::File(path, item.size))).await;
    }
    if item.size > AT_ONCE {
        return bucket.put(put(Body::File(path, item.size))).await;
    }
    let bytes = std::fs::read(path).map_err(|error| Refused::unread(path, &error.to_string()))?;
    if bytes.len() as u64 != item.size || <[u8; 32]>::from(Sha256::digest(&bytes)) != item.sha256 {
        return Err(Refused::unread(path, "it changed while it was published"));
    }
    bucket.put(put(Body::Bytes(&Bytes::from(bytes)))).await
}
