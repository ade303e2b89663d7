//! `PutObject`: the body is checked against all that the request says of it, and then it is there at once.

use super::buckets::Bucket;
use super::intake::Taken;
use super::object::{Content, Encryption, Object};
use super::sums::{Algorithm, Checksum, base64, hex, unbase64};
use super::{Answer, Work, headers};
use crate::stand_ins::aws::hosting::answered::{Answered, Refused, refused};

/// The largest body of one request.
const LARGEST: u64 = 5 * 1024 * 1024 * 1024;

/// A checksum that a request brought and that fits: its algorithm and value.
pub(super) type Brought = Option<(Algorithm, String)>;

impl Bucket {
    pub(super) fn put(&mut self, work: &Work<'_>) -> Answer {
        headers::allowed(work.head)?;
        let served = headers::served(work.head)?;
        let brought = body(work)?;
        headers::conditions(work, self.objects.get(&work.ask.key))?;
        let checksum = match brought {
            Some((algorithm, value)) => Some((algorithm, value)),
            None if work.settings.compatible => None,
            None => default_sum(work.taken),
        };
        let encryption = headers::encryption(work)?;
        let object = Object {
            etag: etag(&work.taken.md5, &encryption, work),
            size: work.taken.size,
            content: work.taken.content.clone(),
            headers: served,
            modified: work.now,
            checksum: checksum.map(|(algorithm, value)| Checksum {
                algorithm,
                value,
                composite: false,
            }),
            class: headers::class(work.head)?,
            encryption,
            parts: None,
        };
        let answered = written(Answered::empty(200), &object);
        self.objects.insert(work.ask.key.clone(), object);
        Ok(answered)
    }
}

/// The checksum that S3 adds by itself.
pub(super) fn default_sum(taken: &Taken) -> Brought {
    let value = taken.sum(Algorithm::Crc64nvme)?;
    Some((Algorithm::Crc64nvme, base64(value)))
}

/// The headers of an answer to a write.
pub(super) fn written(answered: Answered, object: &Object) -> Answered {
    let mut answered = answered.header("etag", format!("\"{}\"", object.etag));
    if let Some(checksum) = &object.checksum {
        answered = answered
            .header(&checksum.algorithm.header(), checksum.value.clone())
            .header("x-amz-checksum-type", kind(checksum));
    }
    encrypted(answered, &object.encryption)
}

pub(super) fn kind(checksum: &Checksum) -> &'static str {
    if checksum.composite {
        "COMPOSITE"
    } else {
        "FULL_OBJECT"
    }
}

pub(super) fn encrypted(answered: Answered, encryption: &Encryption) -> Answered {
    match encryption {
        Encryption::S3 => answered.header("x-amz-server-side-encryption", "AES256"),
        Encryption::Kms(key) => answered
            .header("x-amz-server-side-encryption", "aws:kms")
            .header("x-amz-server-side-encryption-aws-kms-key-id", key.clone()),
    }
}

/// The `ETag` of a body that came in one piece: its MD5, and under a key of KMS something that is none.
pub(super) fn etag(md5: &[u8], encryption: &Encryption, work: &Work<'_>) -> String {
    match encryption {
        Encryption::S3 => hex(md5),
        Encryption::Kms(key) => {
            let salted = [
                md5,
                key.as_bytes(),
                work.ask.key.as_bytes(),
                &work.now.as_nanos().to_be_bytes(),
            ];
            hex(&Algorithm::Sha256.of_bytes(&salted.concat())[..16])
        }
    }
}

/// Checks a body against what the request says of it; the checksum that it brought, if it did.
pub(super) fn body(work: &Work<'_>) -> Result<Brought, Refused> {
    let (head, taken) = (work.head, work.taken);
    if head.header("content-length").is_none() {
        return Err(refused(
            411,
            "MissingContentLength",
            "You must provide the Content-Length HTTP header.",
        ));
    }
    if taken.size > LARGEST {
        return Err(refused(
            400,
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
        ));
    }
    let hash = head.header("x-amz-content-sha256").unwrap_or_default();
    let streaming = hash.starts_with("STREAMING-");
    if streaming && work.settings.compatible {
        let message = format!("{hash} not implemented");
        return Err(refused(501, "NotImplemented", &message));
    }
    let announced = head.header("x-amz-decoded-content-length");
    if streaming && announced.and_then(|length| length.parse().ok()) != Some(taken.size) {
        return Err(refused(
            400,
            "IncompleteBody",
            "You did not provide the number of bytes specified by the Content-Length HTTP header",
        ));
    }
    if let Some(given) = head.header("content-md5") {
        match unbase64(given) {
            Some(md5) if md5 == taken.md5 => {}
            Some(md5) if md5.len() == 16 => {
                return Err(refused(
                    400,
                    "BadDigest",
                    "The Content-MD5 you specified did not match what we received.",
                ));
            }
            _ => {
                return Err(refused(
                    400,
                    "InvalidDigest",
                    "The Content-MD5 you specified was invalid.",
                ));
            }
        }
    }
    let named = hash.to_ascii_lowercase();
    if hash.len() == 64 && taken.sha256.as_deref().map(hex) != Some(named) {
        return Err(refused(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ));
    }
    if work.settings.compatible {
        return Ok(None);
    }
    checksum(work)
}

/// The checksum in a header or trailer.
fn checksum(work: &Work<'_>) -> Result<Brought, Refused> {
    let Some(trailers) = &work.taken.trailers else {
        return Err(refused(
            400,
            "MalformedTrailerError",
            "The request contained trailing data that was not well-formed.",
        ));
    };
    let promised = work.head.header("x-amz-trailer");
    if let Some(promised) = promised
        && !trailers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(promised))
    {
        return Err(refused(
            400,
            "MalformedTrailerError",
            "The request contained trailing data that was not well-formed or did not conform to our published schema.",
        ));
    }
    let given = work.head.headers.iter().chain(trailers);
    let brought: Vec<(Algorithm, &str)> = given
        .filter_map(|(name, value)| Some((Algorithm::of_header(name)?, value.as_str())))
        .collect();
    let named = work.head.header("x-amz-sdk-checksum-algorithm");
    let (algorithm, value) = match (&brought[..], named) {
        ([], None) => return Ok(None),
        ([one], _) => *one,
        ([], Some(_)) => {
            return Err(refused(
                400,
                "InvalidRequest",
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
            ));
        }
        _ => {
            return Err(refused(
                400,
                "InvalidRequest",
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
    };
    let (Some(bytes), Some(sum)) = (
        unbase64(value).filter(|bytes| bytes.len() == algorithm.width()),
        work.taken.sum(algorithm),
    ) else {
        let message = format!("Value for {} header is invalid.", algorithm.header());
        return Err(refused(400, "InvalidRequest", &message));
    };
    if bytes != sum {
        let message = format!(
            "The {} you specified did not match the calculated checksum.",
            algorithm.name()
        );
        return Err(refused(400, "BadDigest", &message));
    }
    Ok(Some((algorithm, value.to_owned())))
}

impl Content {
    /// The MD5 of the bytes, where they are there.
    pub(super) fn md5(&self) -> Option<Vec<u8>> {
        use md5::{Digest as _, Md5};

        match self {
            Self::Whole(bytes) => Some(Md5::digest(bytes).to_vec()),
            Self::Digest { .. } => None,
        }
    }
}
