//! [AWS JSON](https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html). Times are numbers of seconds, as they are
//! in the values themselves.

use serde_json::{Value, json};

use super::{Asked, Wire, unreadable};
use crate::http::{Reply, Request};
use crate::stand_ins::aws::call::Refusal;

const TYPE: &str = "application/x-amz-json-1.1";

/// What stands before the dot of `X-Amz-Target`.
const SERVICES: [(&str, &str); 7] = [
    ("AmazonEC2ContainerServiceV20141113", "ecs"),
    ("Logs_20140328", "logs"),
    ("AnyScaleFrontendService", "application-autoscaling"),
    ("AmazonEC2ContainerRegistry_V20150921", "ecr"),
    ("GraniteServiceVersion20100801", "cloudwatch"),
    ("secretsmanager", "secretsmanager"),
    ("AmazonSSM", "ssm"),
];

pub(super) fn decode(request: &Request) -> Result<Asked, Refusal> {
    let target = request.header("x-amz-target").unwrap_or_default();
    let (prefix, operation) = target.split_once('.').unwrap_or((target, ""));
    let Some((_, service)) = SERVICES.iter().find(|(known, _)| *known == prefix) else {
        return Err(Refusal::new("UnknownOperationException", "").status(404));
    };
    let input = match request.body.is_empty() {
        true => json!({}),
        false => serde_json::from_slice(&request.body).map_err(unreadable)?,
    };
    match input {
        Value::Object(_) => Ok(Asked {
            service,
            operation: operation.to_owned(),
            input,
            wire: Wire::Json,
        }),
        _ => Err(unreadable("the body is no JSON object")),
    }
}

pub(super) fn output(output: &Value) -> Reply {
    Reply::bytes(200, output.to_string().into_bytes()).header("content-type", TYPE)
}

pub(super) fn error(refusal: &Refusal) -> Reply {
    let body = json!({ "__type": refusal.code, "message": refusal.message });
    Reply::bytes(refusal.status, body.to_string().into_bytes()).header("content-type", TYPE)
}
