//! Questions of a bench to the server itself, which is no part of S3: `GET /__stats`, `POST /__reset`, `POST /__clear`.
//!
//! No bucket's name begins with `_`.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::answered::Answered;
use super::handle::Shared;
use crate::http::Request;

/// The answer, where it is such a question.
pub(super) fn answer(head: &Request, shared: &Shared) -> Option<Answered> {
    let question = head.path.strip_prefix("/__")?;
    let mut inside = shared.lock();
    match (head.method.as_str(), question) {
        ("GET", "stats") => {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for entry in &inside.log {
                let name = match entry.status {
                    503 => "SlowDown503",
                    403 => "Fail403",
                    _ => entry.operation,
                };
                *counts.entry(name.to_owned()).or_default() += 1;
            }
            let mut answered = Answered::empty(200).header("content-type", "application/json");
            answered.body = Bytes::from(serde_json::to_string(&counts).unwrap_or_default());
            Some(answered)
        }
        ("POST", "reset") => {
            inside.log.clear();
            Some(Answered::empty(200))
        }
        ("POST", "clear") => {
            inside.log.clear();
            inside.stock.s3.empty();
            Some(Answered::empty(200))
        }
        _ => None,
    }
}
