//! What kind of store and edge it is.

use std::time::Duration;

/// Settings, which may change at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where buckets are made, and what requests are signed for.
    pub region: String,
    /// A store that speaks S3 as many others do: no `aws-chunked` bodies, no checksums but MD5 and SHA-256 of the signature.
    pub compatible: bool,
    /// What `If-Match` and `If-None-Match` of a write do.
    pub conditions: Conditions,
    /// Whether a body may go unsigned over plain HTTP.
    pub unsigned_payload: bool,
    /// How much later each answer comes, in real time.
    pub latency: Duration,
    /// Requests to S3 in a second of the clock, above which it says `SlowDown`.
    pub rate: Option<u32>,
    /// Of larger objects only length and digest are kept.
    pub keep: u64,
    /// The largest page of a listing.
    pub page: usize,
    /// How long an invalidation is `InProgress`.
    pub invalidation_takes: Duration,
    /// How long after it was asked for an invalidation takes things out of the cache.
    pub invalidation_lag: Duration,
    /// [Paths in progress](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html) of a
    /// distribution.
    pub paths_limit: usize,
    /// The same of paths that end with `*`.
    pub wildcards_limit: usize,
    /// How long the edge keeps a 403 or 404.
    pub error_ttl: Duration,
    /// How long the edge keeps what says nothing about that.
    pub default_ttl: Duration,
}

/// What a store makes of conditions of writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conditions {
    /// As S3.
    Kept,
    /// 501 `NotImplemented`.
    Refused,
    /// It writes anyway.
    Ignored,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: "eu-central-1".to_owned(),
            compatible: false,
            conditions: Conditions::Kept,
            unsigned_payload: true,
            latency: Duration::ZERO,
            rate: None,
            keep: 8 * 1024 * 1024,
            page: 1000,
            invalidation_takes: Duration::from_secs(20),
            invalidation_lag: Duration::ZERO,
            paths_limit: 3000,
            wildcards_limit: 15,
            error_ttl: Duration::from_secs(10),
            default_ttl: Duration::from_hours(24),
        }
    }
}
