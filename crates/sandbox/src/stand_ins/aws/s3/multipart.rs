//! `CompleteMultipartUpload`: parts become an object.

use bytes::Bytes;
use roxmltree::Document;

use super::buckets::Bucket;
use super::object::{Content, Encryption, Object};
use super::sums::{Algorithm, Checksum, base64, hex, unbase64};
use super::uploads::{Part, Upload};
use super::write::{encrypted, kind};
use super::{Answer, Work, headers};
use crate::stand_ins::aws::hosting::answered::{Refused, leaf, refused};

/// The least that a part holds which is not the last.
const LEAST: u64 = 5 * 1024 * 1024;

/// A part as the request names it.
struct Named {
    number: u16,
    etag: String,
    /// Its checksum with the algorithm's name.
    sum: Option<(String, String)>,
}

impl Bucket {
    pub(super) fn complete_upload(&mut self, work: &Work<'_>) -> Answer {
        let upload = self.upload(work)?.clone();
        let named = read(work.taken.bytes()).ok_or_else(|| {
            refused(
                400,
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our published schema",
            )
        })?;
        let parts = chosen(&upload, &named)?;
        headers::conditions(work, self.objects.get(&work.ask.key))?;
        let object = joined(work, &upload, &parts)?;
        let mut text = String::new();
        leaf(
            &mut text,
            "Location",
            &format!("/{}/{}", work.ask.bucket, work.ask.key),
        );
        leaf(&mut text, "Bucket", &work.ask.bucket);
        leaf(&mut text, "Key", &work.ask.key);
        leaf(&mut text, "ETag", &format!("\"{}\"", object.etag));
        if let Some(checksum) = &object.checksum {
            leaf(
                &mut text,
                &format!("Checksum{}", checksum.algorithm.name()),
                &checksum.value,
            );
            leaf(&mut text, "ChecksumType", kind(checksum));
        }
        let answered = encrypted(
            work.xml("CompleteMultipartUploadResult", &text),
            &object.encryption,
        );
        self.objects.insert(work.ask.key.clone(), object);
        self.uploads
            .remove(work.ask.query("uploadId").unwrap_or_default());
        Ok(answered)
    }
}

/// The parts that the request names, as they were uploaded.
fn chosen<'a>(upload: &'a Upload, named: &[Named]) -> Result<Vec<&'a Part>, Refused> {
    if !named.is_sorted_by(|one, next| one.number < next.number) {
        return Err(refused(
            400,
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
        ));
    }
    let mut parts = Vec::new();
    for (at, named) in named.iter().enumerate() {
        let part = upload.parts.get(&named.number);
        let Some(part) = part.filter(|part| part.etag == named.etag.trim_matches('"')) else {
            return Err(refused(
                400,
                "InvalidPart",
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the \
                 specified entity tag may not match the part's entity tag.",
            ));
        };
        check_sum(upload, part, named, at + 1)?;
        parts.push(part);
    }
    let large = |part: &&Part| part.taken.size >= LEAST;
    if !parts.iter().rev().skip(1).all(large) {
        return Err(refused(
            400,
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size",
        ));
    }
    Ok(parts)
}

fn check_sum(upload: &Upload, part: &Part, named: &Named, at: usize) -> Result<(), Refused> {
    let Some((name, value)) = &named.sum else {
        return match upload.algorithm.filter(|_| upload.composite) {
            None => Ok(()),
            Some(algorithm) => {
                let message = format!(
                    "The upload was created using a {} checksum. The complete request must include the checksum for \
                     each part. It was missing for part {at} in the request.",
                    algorithm.name().to_lowercase()
                );
                Err(refused(400, "InvalidRequest", &message))
            }
        };
    };
    let algorithm = Algorithm::of(name).filter(|algorithm| *algorithm == upload.sum());
    let sum = algorithm.and_then(|algorithm| part.taken.sum(algorithm));
    if sum.is_some() && sum == unbase64(value).as_deref() {
        return Ok(());
    }
    Err(refused(
        400,
        "InvalidPart",
        "One or more of the specified parts could not be found. The part's checksum may not match.",
    ))
}

fn joined(work: &Work<'_>, upload: &Upload, parts: &[&Part]) -> Result<Object, Refused> {
    let size = parts.iter().map(|part| part.taken.size).sum();
    let mut whole = Some(Vec::new());
    for part in parts {
        match (&part.taken.content, &mut whole) {
            (Content::Whole(bytes), Some(whole)) => whole.extend_from_slice(bytes),
            _ => whole = None,
        }
    }
    let digests: Vec<u8> = parts.iter().flat_map(|part| part.taken.md5.clone()).collect();
    let etag = match &upload.encryption {
        Encryption::S3 => {
            use md5::{Digest as _, Md5};

            hex(&Md5::digest(&digests))
        }
        Encryption::Kms(_) => hex(&Algorithm::Sha256.of_bytes(&digests)[..16]),
    };
    Ok(Object {
        etag: format!("{etag}-{}", parts.len()),
        size,
        content: match whole {
            Some(whole) => Content::Whole(Bytes::from(whole)),
            None => Content::Digest {
                sha256: String::new(),
                size,
            },
        },
        headers: upload.headers.clone(),
        modified: work.now,
        checksum: checksum(work, upload, parts)?,
        class: upload.class.clone(),
        encryption: upload.encryption.clone(),
        parts: Some(parts.len()),
    })
}

fn checksum(work: &Work<'_>, upload: &Upload, parts: &[&Part]) -> Result<Option<Checksum>, Refused> {
    if work.settings.compatible {
        return Ok(None);
    }
    let algorithm = upload.sum();
    let sums = parts
        .iter()
        .filter_map(|part| Some((part.taken.sum(algorithm)?, part.taken.size)));
    let value = if upload.composite {
        let all: Vec<u8> = sums.flat_map(|(sum, _)| sum.to_vec()).collect();
        format!("{}-{}", base64(&algorithm.of_bytes(&all)), parts.len())
    } else {
        let empty = algorithm.of_bytes(&[]);
        base64(&sums.fold(empty, |begin, (rest, size)| algorithm.joined(&begin, rest, size)))
    };
    let given = work.head.header(&algorithm.header());
    if given.is_some_and(|given| given.split('-').next() != value.split('-').next()) {
        let message = format!(
            "The {} you specified did not match the calculated checksum.",
            algorithm.name()
        );
        return Err(refused(400, "BadDigest", &message));
    }
    Ok(Some(Checksum {
        algorithm,
        value,
        composite: upload.composite,
    }))
}

/// The parts of a request; none for what is no list of some.
fn read(body: &[u8]) -> Option<Vec<Named>> {
    let document = Document::parse(std::str::from_utf8(body).ok()?).ok()?;
    let root = document.root_element();
    let parts = root.children().filter(|child| child.tag_name().name() == "Part");
    let named: Vec<Named> = parts
        .map(|part| {
            let text = |name: &str| {
                let mut children = part.children();
                children.find(|child| child.tag_name().name() == name)?.text()
            };
            let sum = part.children().find_map(|child| {
                let name = child.tag_name().name().strip_prefix("Checksum")?;
                Some((name.to_owned(), child.text()?.to_owned()))
            });
            Some(Named {
                number: text("PartNumber")?.trim().parse().ok()?,
                etag: text("ETag")?.to_owned(),
                sum,
            })
        })
        .collect::<Option<_>>()?;
    (root.tag_name().name() == "CompleteMultipartUpload" && !named.is_empty()).then_some(named)
}
