//! Objects that are written whole, in one request.

use std::path::Path;
use std::time::Duration;

use aws_runtime::auth::PayloadSigningOverride;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::ChecksumAlgorithm;
use aws_smithy_types::timeout::TimeoutConfig;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::headers::headed;
use super::{Bucket, Refused, refused};
use crate::etag::Etag;
use crate::headers::Headers;
use crate::hex::Hex;

/// What must hold for a write to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// Nothing.
    None,
    /// Nothing is there yet.
    New,
    /// What is there is what was read.
    Same(&'a Etag),
}

/// A content to be written.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// Bytes at hand.
    Bytes(&'a Bytes),
    /// A file of so many bytes, which is read as it is sent.
    File(&'a Path, u64),
}

/// What is to be written, and how it is served.
#[derive(Clone, Copy, Debug)]
pub struct Put<'a> {
    /// Its key, without the prefix.
    pub key: &'a str,
    /// Its content.
    pub body: Body<'a>,
    /// The SHA-256 of the content, by which S3 knows whether it came whole.
    pub sha256: [u8; 32],
    /// What it is served with.
    pub headers: &'a Headers,
    /// What must hold.
    pub condition: Condition<'a>,
}

/// What a write of nothing may take.
const LEAST: Duration = Duration::from_secs(30);

/// The slowest way to a bucket that is waited for, in bytes a second.
const SLOWEST: u64 = 128 * 1024;

/// How much of a file is read at once.
const BUFFER: usize = 64 * 1024;

impl Bucket {
    /// Writes an object.
    ///
    /// # Errors
    /// When it was not written, or that is not known.
    pub async fn put(&self, put: Put<'_>) -> Result<Etag, Refused> {
        let said = self.put_once(put).await;
        match said {
            // The checksum is one of S3; the signature holds the same SHA-256.
            Err(refused) if self.is_refused_word(&refused, put.condition) => self.put_once(put).await,
            said => said,
        }
    }

    /// Whether the store does not know something of the request that it can do without; it is left out from then on.
    pub(super) fn is_refused_word(&self, refused: &Refused, condition: Condition<'_>) -> bool {
        if !refused.is_foreign_word() {
            return false;
        }
        if condition != Condition::None && !self.dialect.unconditional.get() {
            self.dialect.unconditional.set(true);
            return true;
        }
        !self.dialect.plain.replace(true)
    }

    async fn put_once(&self, put: Put<'_>) -> Result<Etag, Refused> {
        let call = "s3:PutObject";
        let condition = self.condition(put.key, put.condition).await?;
        let mut request = self.write.put_object().bucket(&self.name).key(self.key(put.key));
        request = headed!(request, put.headers);
        request = match condition {
            Condition::None => request,
            Condition::New => request.if_none_match("*"),
            Condition::Same(etag) => request.if_match(etag.quoted()),
        };
        if !self.dialect.plain.get() {
            request = request
                .checksum_algorithm(ChecksumAlgorithm::Sha256)
                .checksum_sha256(STANDARD.encode(put.sha256));
        }
        let (body, size) = match put.body {
            Body::Bytes(bytes) => (ByteStream::from(bytes.clone()), bytes.len() as u64),
            Body::File(path, size) => (file(path, 0, size).await?, size),
        };
        let sent = request
            .content_length(i64::try_from(size).unwrap_or(i64::MAX))
            .body(body)
            .customize()
            .interceptor(Hashed(put.sha256))
            .config_override(aws_sdk_s3::config::Config::builder().timeout_config(time_for(size)))
            .send()
            .await;
        let answer = sent.map_err(|error| refused(call, &error))?;
        Ok(Etag::new(answer.e_tag().unwrap_or_default()))
    }

    /// A condition as the store takes it. One that knows none is asked first, which leaves a moment in which another may write.
    pub(super) async fn condition<'a>(
        &self,
        key: &str,
        condition: Condition<'a>,
    ) -> Result<Condition<'a>, Refused> {
        if condition == Condition::None || !self.dialect.unconditional.get() {
            return Ok(condition);
        }
        let was = match condition {
            Condition::Same(etag) => Some(etag),
            Condition::New | Condition::None => None,
        };
        if self.is_as_it_was(key, was).await? {
            Ok(Condition::None)
        } else {
            Err(Refused::condition("s3:PutObject"))
        }
    }
}

/// So many bytes of a file, as a body that is read as it is sent.
///
/// # Errors
/// When it can't be opened.
pub(super) async fn file(path: &Path, from: u64, length: u64) -> Result<ByteStream, Refused> {
    ByteStream::read_from()
        .path(path)
        .offset(from)
        .length(Length::Exact(length))
        .buffer_size(BUFFER)
        .build()
        .await
        .map_err(|error| Refused::unread(path, &error.to_string()))
}

/// How long a write of so many bytes may take.
pub(super) fn time_for(size: u64) -> TimeoutConfig {
    let longest = LEAST + Duration::from_secs(size / SLOWEST);
    TimeoutConfig::builder()
        .operation_attempt_timeout(longest)
        .operation_timeout(longest)
        .build()
}

/// Signs a content by a SHA-256 that is known, so that it is not read once more.
#[derive(Debug)]
pub(super) struct Hashed(pub(super) [u8; 32]);

impl Intercept for Hashed {
    fn name(&self) -> &'static str {
        "Hashed"
    }

    fn modify_before_signing(
        &self,
        _: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let hash = Hex(&self.0).to_string();
        bag.interceptor_state()
            .store_put(PayloadSigningOverride::Precomputed(hash));
        Ok(())
    }
}
