//! The edge to AWS: one file for each kind of thing that is read or changed. Nothing is decided here.
//!
//! Reads are repeated by the SDK. Writes are not: who wrote looks at what failed, and slows down where S3 asks for it.

use std::cell::Cell;
use std::error::Error;
use std::path::Path;
use std::rc::Rc;

use aws::config::SdkConfig;
use aws::reason::{self, Kind, Reason};
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use gha::text;
use tokio::sync::Semaphore;

mod age;
pub mod cloudfront;
pub mod copies;
pub mod deletes;
mod foreign;
mod headers;
pub mod listing;
pub mod multipart;
#[cfg(test)]
mod near;
pub mod reads;
pub mod writes;

pub use writes::Condition;

use foreign::Said;

/// The folder, under the prefix, of what is no file of the site.
pub const STATE: &str = ".deploy-actions/";

/// The bucket of a site.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Reads, which are repeated.
    read: aws_sdk_s3::Client,
    /// Writes, which are not.
    write: aws_sdk_s3::Client,
    /// Its name.
    name: String,
    /// Where it is instead of AWS.
    endpoint: Option<String>,
    /// What all keys begin with: empty, or ending in `/`.
    prefix: String,
    dialect: Dialect,
    /// Turns of parts of large files.
    parts: Rc<Semaphore>,
}

/// What the store does not know. Found out by the first request that it refuses, and asked for no more.
#[derive(Clone, Debug, Default)]
pub struct Dialect {
    /// No conditions of writes.
    unconditional: Cell<bool>,
    /// No checksums of its own beside that of the signature.
    plain: Cell<bool>,
    /// No deletes of many objects at once.
    one_by_one: Cell<bool>,
}

/// How a bucket is reached.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    /// Its name.
    pub bucket: &'a str,
    /// What all keys begin with: empty, or ending in `/`.
    pub prefix: &'a str,
    /// Where the store is instead of AWS. The bucket's name is in the path of requests there and not in their host.
    pub endpoint: Option<&'a str>,
}

/// A call that failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", reason.text)]
pub struct Refused {
    /// Why, and whether asking again can help.
    pub reason: Reason,
    /// The service's code, such as `PreconditionFailed`.
    pub code: Option<String>,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// Whether the call may have been done all the same.
    pub unknown: bool,
    /// What answered in place of S3, inert, where something did.
    pub foreign: Option<String>,
}

impl Refused {
    /// Whether the service's code is this.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether it may pass. A conflict of two conditional writes says nothing of who was first: the next try hears that
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>).
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.reason.kind == Kind::Passing
            || self.is("OperationAborted")
            || self.is("ConditionalRequestConflict")
    }

    /// Whether the store asks to be asked less often.
    #[must_use]
    pub fn is_slow_down(&self) -> bool {
        matches!(self.status, Some(503 | 429)) || self.is("SlowDown")
    }

    /// Whether a condition did not hold: somebody else was there first.
    #[must_use]
    pub fn is_condition(&self) -> bool {
        self.status == Some(412) || self.is("PreconditionFailed")
    }

    /// Whether the object or bucket is not there.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.status == Some(404)
    }

    /// A condition that did not hold, where the store does not say so itself.
    fn condition(call: &str) -> Self {
        Self {
            reason: Reason {
                kind: Kind::Question,
                text: format!("`{call}` was not done: somebody else was there first"),
            },
            code: Some("PreconditionFailed".to_owned()),
            status: Some(412),
            unknown: false,
            foreign: None,
        }
    }

    /// An answer that can't be used.
    fn unusable(call: &str, why: &str) -> Self {
        Self {
            reason: Reason {
                kind: Kind::Passing,
                text: format!("the answer to `{call}` can't be used: {}", text::line(why)),
            },
            code: None,
            status: None,
            unknown: false,
            foreign: None,
        }
    }

    /// A call that was not begun, because the run ends.
    pub(crate) fn stopped() -> Self {
        Self {
            reason: Reason {
                kind: Kind::Question,
                text: "the run was stopped before".to_owned(),
            },
            code: None,
            status: None,
            unknown: false,
            foreign: None,
        }
    }

    /// A file that can't be read any more.
    pub(crate) fn unread(path: &Path, why: &str) -> Self {
        Self {
            reason: Reason {
                kind: Kind::Question,
                text: format!(
                    "failed to read `{}`: {}",
                    text::line(&path.display().to_string()),
                    text::line(why)
                ),
            },
            code: None,
            status: None,
            unknown: false,
            foreign: None,
        }
    }

    /// Whether the store does not know what it was asked for.
    fn is_foreign_word(&self) -> bool {
        self.status == Some(501) || self.is("NotImplemented") || self.is("XNotImplemented")
    }
}

impl Bucket {
    /// The way to a bucket.
    #[must_use]
    pub fn new(config: &SdkConfig, reach: Reach<'_>) -> Self {
        let read = aws_sdk_s3::config::Builder::from(config)
            .force_path_style(reach.endpoint.is_some())
            // Checksums as trailers, the default, are refused by stores that are not S3. Contents are sent with their SHA-256.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        let write = read.to_builder().retry_config(RetryConfig::disabled()).build();
        Self {
            read: aws_sdk_s3::Client::from_conf(read),
            write: aws_sdk_s3::Client::from_conf(write),
            name: reach.bucket.to_owned(),
            endpoint: reach.endpoint.map(str::to_owned),
            prefix: reach.prefix.to_owned(),
            dialect: Dialect::default(),
            parts: Rc::new(Semaphore::new(multipart::OF_ALL)),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is instead of AWS.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// What all keys begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether the store was found not to know conditions of writes.
    #[must_use]
    pub fn is_unconditional(&self) -> bool {
        self.dialect.unconditional.get()
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }
}

/// Whether an answer says that the bucket is in another region than the one that was asked
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html>). An answer to `HEAD` has no code.
fn is_elsewhere(status: Option<u16>, code: Option<&str>) -> bool {
    matches!(status, Some(301 | 307))
        || code.is_some_and(|code| {
            [
                "PermanentRedirect",
                "AuthorizationHeaderMalformed",
                "IllegalLocationConstraintException",
            ]
            .contains(&code)
        })
}

/// Why a call failed. `call` is named as IAM names it: `s3:PutObject`.
fn refused<E>(call: &str, error: &SdkError<E, HttpResponse>) -> Refused
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let mut reason = reason::of(call, error);
    let status = error.raw_response().map(|raw| raw.status().as_u16());
    let home = error
        .raw_response()
        .and_then(|raw| raw.headers().get("x-amz-bucket-region"));
    if let Some(home) = home.filter(|_| is_elsewhere(status, error.code())) {
        let home = text::cut(&text::line(home), 40);
        reason = Reason {
            kind: Kind::Question,
            text: format!(
                "`{call}` was refused: the bucket is in region `{home}`, so write `--region {home}`"
            ),
        };
    }
    let unsent = matches!(error, SdkError::ConstructionFailure(_));
    let answered = matches!(error, SdkError::ServiceError(_));
    let foreign = error.raw_response().filter(|_| answered).and_then(|raw| {
        foreign::foreign(&Said {
            status: raw.status().as_u16(),
            code: error.code(),
            body: raw.body().bytes().unwrap_or_default(),
        })
    });
    if let Some(answer) = &foreign {
        reason = Reason {
            kind: Kind::Question,
            text: format!("what answered `{call}` is not S3: {answer}"),
        };
    }
    Refused {
        unknown: !unsent
            && reason.kind != Kind::Access
            && (!answered || status.is_none_or(|status| status >= 500 || status == 200)),
        code: error.code().map(str::to_owned),
        reason,
        status,
        foreign,
    }
}
