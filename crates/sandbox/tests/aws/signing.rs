//! A client of the clouds without a socket, which signs its requests itself.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sandbox::http::Request;
use sandbox::stand_ins::aws::{Cloud, Heard};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const DAY: &str = "20260101";
const TIME: &str = "20260101T000000Z";

/// Calls an operation of ECS with the cloud's own keys: what is heard.
pub(crate) fn call(cloud: &Cloud, operation: &str, input: &Value) -> Heard {
    let environment = cloud.environment();
    let known = |name: &str| {
        let found = environment.iter().find(|(known, _)| *known == name);
        found.unwrap().1.clone()
    };
    let body = input.to_string().into_bytes();
    let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
    let signed = "host;x-amz-date;x-amz-target";
    let canonical = format!(
        "POST\n/\n\nhost:cloud\nx-amz-date:{TIME}\nx-amz-target:{target}\n\n{signed}\n{}",
        hex(&Sha256::digest(&body))
    );
    let scope = format!("{DAY}/{}/ecs/aws4_request", known("AWS_REGION"));
    let text = format!(
        "AWS4-HMAC-SHA256\n{TIME}\n{scope}\n{}",
        hex(&Sha256::digest(canonical))
    );
    let first = format!("AWS4{}", known("AWS_SECRET_ACCESS_KEY")).into_bytes();
    let parts = [DAY, &known("AWS_REGION"), "ecs", "aws4_request", &text];
    let signature = hex(&parts.iter().fold(first, |key, part| keyed(&key, part)));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
        known("AWS_ACCESS_KEY_ID")
    );
    let headers = [
        ("host", "cloud"),
        ("x-amz-date", TIME),
        ("x-amz-target", &target),
        ("content-type", "application/x-amz-json-1.1"),
        ("authorization", &authorization),
    ];
    cloud.hear(&Request {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        body,
        at: Duration::ZERO,
    })
}

/// Status and code of an answer; no code for one that is well.
pub(crate) fn answered(heard: &Heard) -> (u16, Option<String>) {
    let Heard::Answer { status, body, .. } = heard else {
        panic!("no answer: {heard:?}");
    };
    let body: Value = serde_json::from_slice(body).unwrap();
    let code = body["__type"]
        .as_str()
        .map(|code| code.rsplit('#').next().unwrap().to_owned());
    (*status, code)
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
