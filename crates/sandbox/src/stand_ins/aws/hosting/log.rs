//! What S3 and CloudFront were asked, in the order in which it was done.

use std::time::Duration;

use crate::http::Request;
use crate::stand_ins::aws::log::End;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostingEntry {
    /// When it was done, on the clock.
    pub at: Duration,
    /// `s3` or `cloudfront`.
    pub service: &'static str,
    /// Such as `PutObject`.
    pub operation: &'static str,
    /// The bucket, or the distribution's id.
    pub bucket: String,
    /// The object's key; empty where there is none.
    pub key: String,
    /// The keys of a `DeleteObjects`, the paths of a `CreateInvalidation`.
    pub keys: Vec<String>,
    /// The headers that say something about the call.
    pub headers: Vec<(String, String)>,
    /// Names and values of the query.
    pub query: Vec<(String, String)>,
    /// Bytes of the body, as the object has them.
    pub size: u64,
    /// Whose keys signed it; none where they were refused.
    pub by: Option<String>,
    /// The status of the answer; 0 where there was none.
    pub status: u16,
    /// How it ended.
    pub end: End,
    /// How many calls had been done when it began to arrive. `log[i]` was done before `log[j]` began just if `i < log[j].begun`.
    pub begun: usize,
}

impl HostingEntry {
    /// Whether it may have changed something.
    #[must_use]
    pub fn writes(&self) -> bool {
        writes(self.operation)
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Operation and key, such as `PutObject index.html`.
    #[must_use]
    pub fn line(&self) -> String {
        let keys = self.keys.join(" ");
        let parts = [self.operation, &self.key, &keys];
        let said: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        said.join(" ")
    }
}

pub(super) fn writes(operation: &str) -> bool {
    !["Get", "Head", "List"]
        .iter()
        .any(|begin| operation.starts_with(begin))
}

/// The headers of a request that are worth a line of the log; none is a secret.
pub(super) fn telling(head: &Request) -> Vec<(String, String)> {
    const NAMES: [&str; 8] = [
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-md5",
        "content-type",
        "expires",
        "range",
    ];
    const SILENT: [&str; 2] = ["x-amz-date", "x-amz-security-token"];

    let tells = |name: &str| {
        NAMES.contains(&name)
            || name.starts_with("if-")
            || name.starts_with("x-amz-") && !SILENT.contains(&name)
    };
    head.headers
        .iter()
        .filter(|(name, _)| tells(name))
        .cloned()
        .collect()
}
