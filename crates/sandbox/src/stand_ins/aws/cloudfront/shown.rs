//! Distributions and invalidations as XML.

use std::time::Duration;

use jiff::Timestamp;

use super::NAMESPACE;
use super::distribution::{Distribution, Kept};
use super::invalidations::Invalidation;
use crate::stand_ins::aws::home::Home;
use crate::stand_ins::aws::hosting::answered::{Answered, leaf};

/// The version of every configuration: nothing changes it.
const ETAG: &str = "E2QWRUHSANDBOX";

pub(super) fn distribution(kept: &Kept, home: &Home, now: Duration) -> Answered {
    let Distribution { id, domain, .. } = &kept.distribution;
    let mut text = String::new();
    leaf(&mut text, "Id", id);
    leaf(
        &mut text,
        "ARN",
        &format!("arn:aws:cloudfront::{}:distribution/{id}", home.account),
    );
    leaf(&mut text, "Status", "Deployed");
    leaf(&mut text, "LastModifiedTime", &time(Duration::ZERO, home));
    leaf(
        &mut text,
        "InProgressInvalidationBatches",
        &kept.in_progress(now).count().to_string(),
    );
    leaf(&mut text, "DomainName", domain);
    text.push_str("<DistributionConfig>");
    members(&mut text, &kept.distribution, home);
    text.push_str("</DistributionConfig>");
    Answered::xml(200, "Distribution", NAMESPACE, &text).header("etag", ETAG)
}

pub(super) fn config(kept: &Kept, home: &Home) -> Answered {
    let mut text = String::new();
    members(&mut text, &kept.distribution, home);
    Answered::xml(200, "DistributionConfig", NAMESPACE, &text).header("etag", ETAG)
}

fn members(text: &mut String, distribution: &Distribution, home: &Home) {
    let Distribution {
        id,
        aliases,
        bucket,
        origin_path,
        root,
        tags,
        ..
    } = distribution;
    leaf(text, "CallerReference", id);
    text.push_str("<Aliases>");
    leaf(text, "Quantity", &aliases.len().to_string());
    if !aliases.is_empty() {
        text.push_str("<Items>");
        for alias in aliases {
            leaf(text, "CNAME", alias);
        }
        text.push_str("</Items>");
    }
    text.push_str("</Aliases>");
    leaf(text, "DefaultRootObject", root.as_deref().unwrap_or_default());
    text.push_str("<Origins><Quantity>1</Quantity><Items><Origin>");
    leaf(text, "Id", "site");
    leaf(
        text,
        "DomainName",
        &format!("{bucket}.s3.{}.amazonaws.com", home.region),
    );
    leaf(text, "OriginPath", origin_path);
    text.push_str("<CustomHeaders><Quantity>0</Quantity></CustomHeaders>");
    text.push_str("<S3OriginConfig><OriginAccessIdentity></OriginAccessIdentity></S3OriginConfig>");
    text.push_str("</Origin></Items></Origins><DefaultCacheBehavior>");
    leaf(text, "TargetOriginId", "site");
    leaf(text, "ViewerProtocolPolicy", "redirect-to-https");
    // `CachingOptimized`, a managed policy.
    leaf(text, "CachePolicyId", "658327ea-f89d-4fab-a63d-7e88639e58f6");
    text.push_str("</DefaultCacheBehavior>");
    if let Some(page) = &distribution.fallback {
        text.push_str("<CustomErrorResponses><Quantity>1</Quantity><Items><CustomErrorResponse>");
        leaf(text, "ErrorCode", "404");
        leaf(text, "ResponsePagePath", page);
        leaf(text, "ResponseCode", "200");
        text.push_str("</CustomErrorResponse></Items></CustomErrorResponses>");
    }
    leaf(text, "Comment", "");
    leaf(text, "Enabled", "true");
    if let Some(header) = tags {
        text.push_str("<CacheTagConfig>");
        leaf(text, "HeaderName", header);
        text.push_str("</CacheTagConfig>");
    }
}

/// The members of an invalidation.
pub(super) fn invalidation(invalidation: &Invalidation, home: &Home, now: Duration) -> String {
    let mut text = String::new();
    leaf(&mut text, "Id", &invalidation.id);
    leaf(&mut text, "Status", invalidation.status_at(now));
    leaf(&mut text, "CreateTime", &time(invalidation.created, home));
    text.push_str("<InvalidationBatch><Paths>");
    leaf(&mut text, "Quantity", &invalidation.paths.len().to_string());
    text.push_str("<Items>");
    for path in &invalidation.paths {
        leaf(&mut text, "Path", path);
    }
    text.push_str("</Items></Paths>");
    leaf(&mut text, "CallerReference", &invalidation.reference);
    text.push_str("</InvalidationBatch>");
    text
}

/// A moment of the clock.
pub(super) fn time(moment: Duration, home: &Home) -> String {
    // Times of a test are far from where `as` saturates.
    Timestamp::from_millisecond((home.time(moment) * 1000.0) as i64)
        .map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}
