//! One call of an AWS service as values: what every wire format is turned into, and every answer made from.

use std::time::Duration;

use serde_json::Value;

/// A call that was understood.
#[derive(Clone, Debug)]
pub struct Call {
    /// The service as IAM names it: `ecs`, `elasticloadbalancing`, `logs`, `cloudwatch`, `application-autoscaling`, `sts`
    /// and so on.
    pub service: &'static str,
    /// Such as `DescribeServices`.
    pub operation: String,
    /// The input with the member names of the service's model.
    pub input: Value,
    /// When it came, on the cloud's own clock.
    pub now: Duration,
}

/// Why a service refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the HTTP answer.
    pub status: u16,
    /// The code, such as `ServiceNotFoundException`.
    pub code: String,
    /// The service's words.
    pub message: String,
}

impl Refusal {
    /// A refusal of a wrong request: status 400.
    #[must_use]
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// The same with another status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
}

/// What a service says.
pub type Answer = Result<Value, Refusal>;
