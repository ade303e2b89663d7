//! Uploads in parts that are under way.

use std::collections::BTreeMap;
use std::time::Duration;

use super::buckets::Bucket;
use super::intake::Taken;
use super::object::{Content, Encryption};
use super::sums::Algorithm;
use super::{Answer, Work, headers};
use crate::stand_ins::aws::hosting::answered::{Answered, Refused, leaf, refused};

/// One upload.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(super) key: String,
    pub(super) begun: Duration,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) class: String,
    pub(super) encryption: Encryption,
    /// The checksum that was asked for; S3's own where none was.
    pub(super) algorithm: Option<Algorithm>,
    /// Whether the checksum of the whole is of its parts' checksums.
    pub(super) composite: bool,
    pub(super) parts: BTreeMap<u16, Part>,
}

/// One part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(super) etag: String,
    pub(super) taken: Taken,
    pub(super) modified: Duration,
}

impl Upload {
    pub(super) fn sum(&self) -> Algorithm {
        self.algorithm.unwrap_or(Algorithm::Crc64nvme)
    }

    /// Lets go of the bytes of all parts once they are more than are kept.
    pub(super) fn lighten(&mut self, keep: u64) {
        let size: u64 = self.parts.values().map(|part| part.taken.size).sum();
        if size <= keep {
            return;
        }
        for part in self.parts.values_mut() {
            part.taken.content = Content::Digest {
                sha256: String::new(),
                size: part.taken.size,
            };
        }
    }
}

impl Bucket {
    pub(super) fn begin_upload(&mut self, work: &Work<'_>, id: String) -> Answer {
        headers::allowed(work.head)?;
        let (algorithm, composite) = asked_sum(work)?;
        let upload = Upload {
            key: work.ask.key.clone(),
            begun: work.now,
            headers: headers::served(work.head)?,
            class: headers::class(work.head)?,
            encryption: headers::encryption(work)?,
            algorithm,
            composite,
            parts: BTreeMap::new(),
        };
        let mut text = String::new();
        leaf(&mut text, "Bucket", &work.ask.bucket);
        leaf(&mut text, "Key", &work.ask.key);
        leaf(&mut text, "UploadId", &id);
        let mut answered = work.xml("InitiateMultipartUploadResult", &text);
        if let Some(algorithm) = algorithm {
            let kind = if composite { "COMPOSITE" } else { "FULL_OBJECT" };
            answered = answered
                .header("x-amz-checksum-algorithm", algorithm.name())
                .header("x-amz-checksum-type", kind);
        }
        self.uploads.insert(id, upload);
        Ok(answered)
    }

    pub(super) fn abort_upload(&mut self, work: &Work<'_>) -> Answer {
        self.upload(work)?;
        self.uploads
            .remove(work.ask.query("uploadId").unwrap_or_default());
        Ok(Answered::empty(204))
    }

    /// The upload that a request names.
    pub(super) fn upload(&mut self, work: &Work<'_>) -> Result<&mut Upload, Refused> {
        let id = work.ask.query("uploadId").unwrap_or_default();
        let upload = self.uploads.get_mut(id);
        upload.filter(|upload| upload.key == work.ask.key).ok_or_else(|| {
            refused(
                404,
                "NoSuchUpload",
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
            )
        })
    }

    pub(super) fn list_uploads(&self, work: &Work<'_>) -> Answer {
        let prefix = work.ask.query("prefix").unwrap_or_default();
        let mut text = String::new();
        leaf(&mut text, "Bucket", &work.ask.bucket);
        leaf(&mut text, "Prefix", prefix);
        leaf(&mut text, "MaxUploads", "1000");
        leaf(&mut text, "IsTruncated", "false");
        let mut uploads: Vec<_> = self.uploads.iter().collect();
        uploads.sort_by_key(|(id, upload)| (upload.key.clone(), (*id).clone()));
        for (id, upload) in uploads {
            if !upload.key.starts_with(prefix) {
                continue;
            }
            text.push_str("<Upload>");
            leaf(&mut text, "Key", &upload.key);
            leaf(&mut text, "UploadId", id);
            leaf(&mut text, "StorageClass", &upload.class);
            leaf(&mut text, "Initiated", &work.time(upload.begun));
            text.push_str("</Upload>");
        }
        Ok(work.xml("ListMultipartUploadsResult", &text))
    }
}

/// The checksum that an upload asks for, and whether it is to be of the parts' checksums.
fn asked_sum(work: &Work<'_>) -> Result<(Option<Algorithm>, bool), Refused> {
    let invalid = || {
        refused(
            400,
            "InvalidRequest",
            "Checksum algorithm or type provided is unsupported.",
        )
    };
    if work.settings.compatible {
        return Ok((None, false));
    }
    let algorithm = match work.head.header("x-amz-checksum-algorithm") {
        None => None,
        Some(name) => Some(Algorithm::of(name).ok_or_else(invalid)?),
    };
    let sum = algorithm.unwrap_or(Algorithm::Crc64nvme);
    let composite = match work.head.header("x-amz-checksum-type") {
        None => sum != Algorithm::Crc64nvme,
        Some("COMPOSITE") if sum != Algorithm::Crc64nvme => true,
        Some("FULL_OBJECT") if sum.adds_up() => false,
        Some(_) => return Err(invalid()),
    };
    Ok((algorithm, composite))
}
