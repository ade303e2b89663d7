//! The edge to AWS: one file for each kind of thing that is read or changed. Nothing is decided here.
//!
//! Reads are repeated by the SDK. Writes are not: one whose answer is not known has perhaps been done, and its caller looks
//! before it does anything else ([`Refused::unknown`]). Only what was certainly not done (throttling) is tried again.

use std::error::Error;
use std::time::Duration;

use aws::config::SdkConfig;
use aws::reason::{self, Kind, Reason};
use aws::signed_call::{self, Question};
use aws_sdk_ecs::config::retry::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::sleep;

pub mod configuration;
pub mod deployments;
pub mod logs;
pub mod registry;
pub mod roles;
pub mod rules;
pub mod scaling;
pub mod secrets;
pub mod services;
pub mod tags;
pub mod targets;
pub mod task_definitions;
pub mod tasks;

/// How often a throttled write is tried: with the pauses below it outlasts the bucket of the slowest call, one
/// registration a second (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html>).
const WRITES: u32 = 8;

/// From the first try of a throttled write to the second; each pause is twice as long as the one before, up to the longest.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// How often in a row credentials may be refused before a run gives up: a provider has been asked for new ones each time.
pub const DENIALS: u32 = 3;

/// What AWS says to two registrations of one family at once
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html>).
const CONCURRENT: &str = "Too many concurrent attempts";

/// The clients. One that reads, and one that writes, of each service that has both.
#[derive(Clone, Debug)]
pub struct Api {
    config: SdkConfig,
    cluster: String,
    ecs: aws_sdk_ecs::Client,
    ecs_write: aws_sdk_ecs::Client,
    elb: aws_sdk_elasticloadbalancingv2::Client,
    elb_write: aws_sdk_elasticloadbalancingv2::Client,
    scaling: aws_sdk_applicationautoscaling::Client,
    scaling_write: aws_sdk_applicationautoscaling::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
}

/// A call that failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", reason.text)]
pub struct Refused {
    /// Why, and whether asking again can help.
    pub reason: Reason,
    /// The service's code, such as `ServiceNotFoundException`.
    pub code: Option<String>,
    /// Whether the call may have been done all the same: no answer came, or one that says nothing about it.
    pub unknown: bool,
    /// Whether it was not done because of another call at the same time.
    throttled: bool,
}

impl Refused {
    /// Whether the service's code is this.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether it is about credentials or permissions.
    #[must_use]
    pub fn is_access(&self) -> bool {
        self.reason.kind == Kind::Access
    }

    /// Whether it may pass.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.reason.kind == Kind::Passing
    }
}

impl Api {
    /// The clients for one cluster.
    #[must_use]
    pub fn new(config: &SdkConfig, cluster: &str) -> Self {
        let once = config.to_builder().retry_config(RetryConfig::disabled()).build();
        // The SDK shares what it may spend on retries among all clients of the process and lets it run dry in a bad minute.
        // Looks are paced and tried four times at most, so those of the deployment need no such limit.
        let reads = RetryPartition::custom("ecs-deploy")
            .token_bucket(TokenBucket::unlimited())
            .build();
        let ecs = aws_sdk_ecs::config::Builder::from(config).retry_partition(reads);
        Self {
            config: config.clone(),
            cluster: cluster.to_owned(),
            ecs: aws_sdk_ecs::Client::from_conf(ecs.build()),
            ecs_write: aws_sdk_ecs::Client::new(&once),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(config),
            elb_write: aws_sdk_elasticloadbalancingv2::Client::new(&once),
            scaling: aws_sdk_applicationautoscaling::Client::new(config),
            scaling_write: aws_sdk_applicationautoscaling::Client::new(&once),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
        }
    }

    /// What the clients are made of.
    #[must_use]
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Asks a service whose SDK crate is not linked.
    async fn ask(&self, question: Question<'_>) -> Result<Value, Refused> {
        let asked = signed_call::ask(&self.config, question).await;
        asked.map_err(|error| refused(&question.call(), &error))
    }

    /// The region of the services.
    fn region(&self) -> String {
        self.config.region().map(ToString::to_string).unwrap_or_default()
    }
}

/// Why a call failed. `call` is named as IAM names it: `ecs:UpdateService`.
fn refused<E>(call: &str, error: &SdkError<E, HttpResponse>) -> Refused
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let reason = reason::of(call, error);
    let answered = matches!(error, SdkError::ServiceError(_));
    let unsent = matches!(error, SdkError::ConstructionFailure(_));
    let code = error.code().map(str::to_owned);
    let throttled = answered
        && (reason.text.ends_with("is throttled")
            || error.message().is_some_and(|said| said.contains(CONCURRENT)));
    let fault = matches!(error, SdkError::ServiceError(service) if service.raw().status().as_u16() >= 500);
    let without_credentials = reason.kind == Kind::Access;
    Refused {
        unknown: !unsent && !without_credentials && (!answered || fault),
        reason,
        code,
        throttled,
    }
}

/// Writes, and again where throttling kept it from being done.
async fn written<T, F>(mut write: impl FnMut() -> F) -> Result<T, Refused>
where
    F: Future<Output = Result<T, Refused>>,
{
    let mut pause = PAUSE;
    for _ in 1..WRITES {
        match write().await {
            Err(refused) if refused.throttled => sleep(pause).await,
            done => return done,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    write().await
}

/// A time of the SDK.
fn instant(time: &aws_smithy_types::DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

/// A count of the SDK, which are signed and never negative.
fn count(count: i32) -> u32 {
    u32::try_from(count).unwrap_or_default()
}
