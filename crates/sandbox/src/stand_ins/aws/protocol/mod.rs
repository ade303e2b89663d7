//! The wire formats of AWS: what a request asks for, and an answer in the format it was asked in.
//!
//! - [AWS JSON 1.1](https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html) by `X-Amz-Target`: ECS, Logs,
//!   Application Auto Scaling, ECR, Secrets Manager, SSM, and CloudWatch for clients that ask so;
//! - [AWS query](https://smithy.io/2.0/aws/protocols/aws-query-protocol.html) by a form with `Action`: ELBv2, STS, IAM;
//! - [RPC v2 CBOR](https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html) by path: CloudWatch.
//!
//! [`decode`] looks at no signature; [`Keys::check`] does. Limits: no compressed bodies, no streams.

mod cbor;
mod json;
mod keys;
mod query;
mod signature;
mod xml;

use serde_json::Value;
use uuid::Uuid;

pub use keys::{Identity, Key, Keys};
pub(crate) use signature::Authorization;

use super::call::{Answer, Refusal};
use crate::http::{Reply, Request};

/// What a request asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The service as IAM names it.
    pub service: &'static str,
    /// Such as `DescribeServices`.
    pub operation: String,
    /// The input with the member names of the service's model.
    pub input: Value,
    /// How to answer.
    pub wire: Wire,
}

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// AWS JSON 1.0 or 1.1.
    Json,
    /// AWS query: a form in, XML out, in the service's namespace.
    Query(&'static str),
    /// RPC v2 CBOR.
    Cbor,
}

/// Reads a request; one that no service understands has its answer at once.
///
/// # Errors
/// The reply to a request of no known service or with a body that can't be read.
pub(super) fn decode(request: &Request) -> Result<Asked, Reply> {
    let (wire, decoded) = if request.header("smithy-protocol") == Some("rpc-v2-cbor") {
        (Wire::Cbor, cbor::decode(request))
    } else if request.header("x-amz-target").is_some() {
        (Wire::Json, json::decode(request))
    } else {
        (Wire::Query(query::NAMESPACE), query::decode(request))
    };
    decoded.map_err(|refusal| wire.encode("", Err(refusal)))
}

impl Wire {
    /// The answer of an operation in this format. Codes of refusals that all services share may be given as JSON services
    /// write them (`ThrottlingException`, `ExpiredTokenException`, `AccessDeniedException`); the query format has its own.
    #[must_use]
    pub fn encode(self, operation: &str, answer: Answer) -> Reply {
        let id = Uuid::new_v4().to_string();
        let reply = match (self, &answer) {
            (Self::Json, Ok(output)) => json::output(output),
            (Self::Json, Err(refusal)) => json::error(refusal),
            (Self::Query(namespace), Ok(output)) => query::output(namespace, operation, output, &id),
            (Self::Query(namespace), Err(refusal)) => query::error(namespace, refusal, &id),
            (Self::Cbor, Ok(output)) => cbor::output(output),
            (Self::Cbor, Err(refusal)) => cbor::error(refusal),
        };
        reply.header("x-amzn-requestid", &id)
    }
}

/// A body that can't be read.
fn unreadable(what: impl std::fmt::Display) -> Refusal {
    Refusal::new("SerializationException", what.to_string())
}

#[cfg(test)]
mod tests;
