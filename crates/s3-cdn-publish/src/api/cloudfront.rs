//! CloudFront: what a distribution is made of, and its invalidations.
//!
//! Needs `cloudfront:CreateInvalidation` and `cloudfront:GetInvalidation`, and for [`CloudFront::distribution`]
//! `cloudfront:GetDistribution`: the one call that tells the configuration, the distribution's own name and whether it is
//! deployed. All three are granted on the ARN of a distribution.
//!
//! All calls may be repeated, by the SDK and by callers: the same reference is the same invalidation.

use std::error::Error;

use aws::config::SdkConfig;
use aws::reason::{self, Kind, Reason};
use aws_sdk_cloudfront::config::{Builder, Region};
use aws_sdk_cloudfront::types::{Invalidation, InvalidationBatch, Paths};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use gha::text;

use crate::invalidation::wait::Answer;
pub use distribution::{Distribution, ErrorPage, Origin};

mod distribution;

/// Where CloudFront is, which is no service of a region.
const HOME: &str = "us-east-1";

/// The client.
#[derive(Clone, Debug)]
pub struct CloudFront {
    client: aws_sdk_cloudfront::Client,
}

impl CloudFront {
    /// The client for this configuration, whose region says which part of AWS it is.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let mut builder = Builder::from(config);
        if config.region().is_none() {
            builder = builder.region(Region::from_static(HOME));
        }
        Self {
            client: aws_sdk_cloudfront::Client::from_conf(builder.build()),
        }
    }

    /// Reads a distribution.
    ///
    /// # Errors
    /// When there is none, or it can't be read.
    pub async fn distribution(&self, id: &str) -> Result<Distribution, Reason> {
        const CALL: &str = "cloudfront:GetDistribution";
        let nothing = || Reason {
            kind: Kind::Question,
            text: nothing(CALL),
        };
        let answer = match self.client.get_distribution().id(id).send().await {
            Ok(answer) => answer,
            Err(error) if is_unreadable(&error) => return Err(nothing()),
            Err(error) => return Err(known(&error, id, "").unwrap_or_else(|| reason::of(CALL, &error))),
        };
        let found = answer.distribution.as_ref().and_then(Distribution::of);
        found.ok_or_else(nothing)
    }

    /// Creates an invalidation, or finds the one that has this reference and these items already.
    pub async fn create(&self, distribution: &str, reference: &str, items: &[String]) -> Answer {
        let batch = match batch(reference, items) {
            Ok(batch) => batch,
            Err(reason) => return Answer::Refused(reason),
        };
        let asked = self
            .client
            .create_invalidation()
            .distribution_id(distribution)
            .invalidation_batch(batch)
            .send()
            .await;
        match asked {
            Ok(answer) => created(answer.invalidation.as_ref()),
            Err(error) if error.code() == Some("TooManyInvalidationsInProgress") => Answer::Crowded,
            Err(error) => failed("cloudfront:CreateInvalidation", &error, distribution, ""),
        }
    }

    /// How an invalidation stands.
    pub async fn status(&self, distribution: &str, id: &str) -> Answer {
        let asked = self
            .client
            .get_invalidation()
            .distribution_id(distribution)
            .id(id)
            .send()
            .await;
        match asked {
            Ok(answer) => match answer.invalidation {
                Some(found) => Answer::Status {
                    complete: is_complete(&found.status),
                },
                None => Answer::Passing(nothing("cloudfront:GetInvalidation")),
            },
            Err(error) => failed("cloudfront:GetInvalidation", &error, distribution, id),
        }
    }
}

fn batch(reference: &str, items: &[String]) -> Result<InvalidationBatch, Reason> {
    let wrong = |error: &dyn std::fmt::Display| Reason {
        kind: Kind::Question,
        text: format!("can't ask for `cloudfront:CreateInvalidation`: {error}"),
    };
    let quantity = i32::try_from(items.len()).map_err(|error| wrong(&error))?;
    let paths = Paths::builder()
        .quantity(quantity)
        .set_items(Some(items.to_vec()))
        .build()
        .map_err(|error| wrong(&error))?;
    InvalidationBatch::builder()
        .caller_reference(reference)
        .paths(paths)
        .build()
        .map_err(|error| wrong(&error))
}

fn created(found: Option<&Invalidation>) -> Answer {
    match found {
        Some(found) if !found.id.is_empty() => Answer::Created {
            id: found.id.clone(),
            complete: is_complete(&found.status),
        },
        _ => Answer::Passing(nothing("cloudfront:CreateInvalidation")),
    }
}

/// What an answer is that says nothing. The invalidation may be there all the same.
fn nothing(call: &str) -> String {
    format!("the answer to `{call}` can't be read: is there another service at that address?")
}

/// Whether an answer calls itself a good one and is none.
fn is_unreadable<E>(error: &SdkError<E, HttpResponse>) -> bool {
    error
        .raw_response()
        .is_some_and(|response| response.status().is_success())
}

/// CloudFront says `Completed`; some stand-ins say it in capitals.
fn is_complete(status: &str) -> bool {
    status.eq_ignore_ascii_case("Completed")
}

fn failed<E>(call: &str, error: &SdkError<E, HttpResponse>, distribution: &str, invalidation: &str) -> Answer
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if is_unreadable(error) {
        return Answer::Passing(nothing(call));
    }
    let reason = known(error, distribution, invalidation).unwrap_or_else(|| reason::of(call, error));
    match reason.kind {
        Kind::Passing => Answer::Passing(reason.text),
        Kind::Question | Kind::Access => Answer::Refused(reason),
    }
}

/// What a person understands better than the service's own words.
fn known<E: ProvideErrorMetadata>(
    error: &SdkError<E, HttpResponse>,
    distribution: &str,
    invalidation: &str,
) -> Option<Reason> {
    let quoted = |id: &str| text::cut(&text::line(id), 80);
    let message = error.message().unwrap_or_default();
    let text = match error.code()? {
        "NoSuchDistribution" => format!(
            "there is no distribution `{}` in this account",
            quoted(distribution)
        ),
        "NoSuchInvalidation" => format!(
            "there is no invalidation `{}` of distribution `{}`",
            quoted(invalidation),
            quoted(distribution)
        ),
        "InvalidationBatchAlreadyExists" => used(),
        // What CloudFront says in fact to a reference that it knows with other paths.
        "InvalidArgument" if message.contains("caller reference that was used") => used(),
        _ => return None,
    };
    Some(Reason {
        kind: Kind::Question,
        text,
    })
}

fn used() -> String {
    "`cloudfront:CreateInvalidation` was refused: its reference was used for other paths before".to_owned()
}

#[cfg(test)]
mod tests;
