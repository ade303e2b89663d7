//! One object of a bucket.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use md5::Md5;
use sha2::{Digest as _, Sha256};

use super::sums::{Algorithm, Checksum, base64, hex};

/// What a bucket holds under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Without quotes.
    pub etag: String,
    /// In bytes.
    pub size: u64,
    /// The bytes, or what is left of them.
    pub content: Content,
    /// The headers that it is served with, `x-amz-meta-…` and `x-amz-website-redirect-location` among them, in lower case.
    pub headers: BTreeMap<String, String>,
    /// When it was written, on the clock.
    pub modified: Duration,
    /// The checksum beside it.
    pub checksum: Option<Checksum>,
    /// Its storage class.
    pub class: String,
    /// Who encrypts it.
    pub encryption: Encryption,
    /// How many parts it was uploaded in.
    pub parts: Option<usize>,
}

/// The bytes of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// All of them.
    Whole(Bytes),
    /// What remains of many.
    Digest {
        /// Their SHA-256 in hex; empty for an upload in parts.
        sha256: String,
        /// How many they were.
        size: u64,
    },
}

/// How an object is encrypted at rest, which decides what its `ETag` is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// By S3 itself: `AES256`.
    #[default]
    S3,
    /// By a key of KMS, with the key's ARN; its `ETag` is no MD5.
    Kms(String),
}

impl Object {
    /// An object as a plain PUT without any header makes it.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = Bytes::from(bytes.into());
        let checksum = Checksum {
            algorithm: Algorithm::Crc64nvme,
            value: base64(&Algorithm::Crc64nvme.of_bytes(&bytes)),
            composite: false,
        };
        Self {
            etag: hex(&Md5::digest(&bytes)),
            size: bytes.len() as u64,
            content: Content::Whole(bytes),
            headers: BTreeMap::new(),
            modified: Duration::ZERO,
            checksum: Some(checksum),
            class: "STANDARD".to_owned(),
            encryption: Encryption::S3,
            parts: None,
        }
    }

    /// The same with a header, such as `cache-control`.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.to_owned());
        self
    }

    /// The same with metadata: a name without `x-amz-meta-`.
    #[must_use]
    pub fn metadata(self, name: &str, value: &str) -> Self {
        self.header(&format!("x-amz-meta-{name}"), value)
    }

    /// The value of some metadata.
    #[must_use]
    pub fn meta(&self, name: &str) -> Option<&str> {
        self.headers
            .get(&format!("x-amz-meta-{}", name.to_ascii_lowercase()))
            .map(String::as_str)
    }

    /// The bytes; none where only their digest was kept.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.content.bytes()
    }

    /// The bytes as text; foreign ones become U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// The SHA-256 of the bytes in hex; empty where it is not known.
    #[must_use]
    pub fn sha256(&self) -> String {
        match &self.content {
            Content::Whole(bytes) => hex(&Sha256::digest(bytes)),
            Content::Digest { sha256, .. } => sha256.clone(),
        }
    }
}

impl Content {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) => bytes,
            Self::Digest { .. } => &[],
        }
    }
}

impl Default for Content {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}
