//! CloudFront as a publisher of sites meets it: distributions in front of buckets, invalidations with their limits and states,
//! and an edge with a cache, so that a test sees what a visitor gets.
//!
//! The API is [2020-05-31](https://docs.aws.amazon.com/cloudfront/latest/APIReference/Welcome.html). Limits: distributions
//! are made by a test's hands; one origin and one behaviour each, which forwards no query and no cookie; one edge for the
//! whole world; no compression, no functions.

mod ask;
mod batch;
mod distribution;
mod edge;
mod freshness;
mod invalidations;
mod paths;
mod shown;

use std::time::Duration;

use super::hosting::answered::{Answered, Refused, leaf};
use super::protocol::Keys;
use crate::http::Request;
use crate::stand_ins::aws::call::Refusal;

pub(crate) use ask::Ask;
pub(crate) use batch::paths_of;
pub use distribution::{Distribution, Distributions};
pub use edge::Visit;
pub use invalidations::Invalidation;

/// The namespace of its XML.
const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

/// The ARN of who signed.
///
/// # Errors
/// As CloudFront refuses.
pub(crate) fn check(request: &Request, keys: &Keys, now: Duration) -> Result<String, Refused> {
    let signer = keys.signer(request, "cloudfront", now);
    signer.map(|identity| identity.arn).map_err(|refusal| {
        let code = match refusal.code.as_str() {
            "MissingAuthenticationTokenException" => "MissingAuthenticationToken",
            "UnrecognizedClientException" => "InvalidClientTokenId",
            "ExpiredTokenException" => "ExpiredToken",
            _ => "SignatureDoesNotMatch",
        };
        Refusal::new(code, refusal.message).status(403).into()
    })
}

/// A refusal as CloudFront writes it.
pub(crate) fn error(refused: &Refused, id: &str) -> Answered {
    let Refusal {
        status,
        code,
        message,
    } = &refused.refusal;
    let mut text = String::from("<Error>");
    leaf(
        &mut text,
        "Type",
        if *status < 500 { "Sender" } else { "Receiver" },
    );
    leaf(&mut text, "Code", code);
    leaf(&mut text, "Message", message);
    text.push_str("</Error>");
    leaf(&mut text, "RequestId", id);
    let mut answered = Answered::xml(*status, "ErrorResponse", NAMESPACE, &text);
    answered.code = Some(code.clone());
    answered
}
