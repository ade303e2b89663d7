//! Objects that are copied from one key to another inside the bucket, without their content going over the network.

use std::time::Duration;

use aws_sdk_s3::types::MetadataDirective;
use aws_smithy_types::timeout::TimeoutConfig;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::headers::headed;
use super::{Bucket, Condition, Refused, refused};
use crate::etag::Etag;
use crate::headers::Headers;

/// The largest object that one request copies (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>).
pub const LARGEST: u64 = 5 * 1024 * 1024 * 1024;

/// What stays as it is in `x-amz-copy-source`, which is an address.
const SOURCE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What is copied, and how it is served then.
#[derive(Clone, std::marker::Copy, Debug)]
pub struct Copy<'a> {
    /// The key of the source, without the prefix.
    pub from: &'a str,
    /// The key of the copy, without the prefix.
    pub to: &'a str,
    /// The size of the source, in bytes: how long it may take goes by it.
    pub size: u64,
    /// What the copy is served with; none for what the source is served with.
    pub headers: Option<&'a Headers>,
    /// The source's ETag, if it must be what was read.
    pub source: Option<&'a Etag>,
    /// What must hold of what is there under the copy's key.
    pub there: Condition<'a>,
}

/// What a copy of nothing may take.
const LEAST: Duration = Duration::from_secs(30);

/// The slowest copying inside a bucket that is waited for, in bytes a second.
const SLOWEST: u64 = 8 * 1024 * 1024;

impl Bucket {
    /// Copies an object.
    ///
    /// # Errors
    /// When it was not copied, or that is not known; `PreconditionFailed` when source or target are not what was read.
    pub async fn copy(&self, copy: Copy<'_>) -> Result<Etag, Refused> {
        match self.copy_once(copy).await {
            Err(refused) if self.is_refused_word(&refused, copy.there) => {
                let there = Condition::None;
                self.copy_once(Copy { there, ..copy }).await
            }
            said => said,
        }
    }

    async fn copy_once(&self, copy: Copy<'_>) -> Result<Etag, Refused> {
        let call = "s3:PutObject";
        let Copy {
            from,
            to,
            size,
            headers,
            source,
            there,
        } = copy;
        let path = format!("{}/{}", self.name, self.key(from));
        let mut request = self
            .write
            .copy_object()
            .bucket(&self.name)
            .key(self.key(to))
            .copy_source(utf8_percent_encode(&path, SOURCE).to_string())
            .set_copy_source_if_match(source.map(Etag::quoted));
        request = match there {
            Condition::None => request,
            Condition::New => request.if_none_match("*"),
            Condition::Same(etag) => request.if_match(etag.quoted()),
        };
        if let Some(headers) = headers {
            request = headed!(request, headers).metadata_directive(MetadataDirective::Replace);
        }
        let longest = LEAST + Duration::from_secs(size / SLOWEST);
        let times = TimeoutConfig::builder()
            .operation_attempt_timeout(longest)
            .operation_timeout(longest)
            .build();
        let sent = request
            .customize()
            .config_override(aws_sdk_s3::config::Config::builder().timeout_config(times))
            .send()
            .await;
        let answer = sent.map_err(|error| refused(call, &error))?;
        let result = answer.copy_object_result();
        let etag = result.and_then(|result| result.e_tag());
        etag.map(Etag::new)
            .ok_or_else(|| Refused::unusable(call, "it names no ETag"))
    }
}
