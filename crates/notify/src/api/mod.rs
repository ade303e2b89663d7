//! Posting: the one place that talks to receivers. No error of it names an address, because the address is the
//! secret.

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;

use gha::Runner;
use gha::edge::{environment, http};

use crate::channel::{Call, Channel};
use crate::delivery::{Answer, Next, next, retry_after};
use crate::message::Message;
use crate::state::Posted;

mod smtp;

pub use smtp::deliver as mail;

/// How much of an answer is read, in bytes.
const READ: usize = 256 * 1024;

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The channel.
    pub channel: &'static str,
    /// Whether it arrived.
    pub delivered: bool,
    /// How: `sent`, `updated`, or `failed`.
    pub how: &'static str,
    /// How often it was sent.
    pub tries: u32,
    /// Why it did not arrive; empty where it did. Holds foreign text.
    pub reason: String,
    /// The message, where a later one may take its place; also of a delivery of which a part did not arrive.
    pub posted: Option<Posted>,
}

/// What is told to one receiver.
#[derive(Clone, Copy)]
pub struct Telling<'a> {
    /// The receiver.
    pub channel: &'a dyn Channel,
    /// What is told.
    pub message: &'a Message,
    /// The message that it has of this deploy already.
    pub before: Option<&'a Posted>,
}

/// Tells a receiver: sends what it is to be sent, one after the other, each until it arrives, it can't, or `budget` is used up. The log
/// hears of every try that is followed by another.
pub async fn deliver(
    client: &Client,
    telling: Telling<'_>,
    (budget, try_timeout): (Duration, Duration),
    runner: &Runner,
) -> Delivery {
    let begin = Instant::now();
    let Telling {
        channel,
        message,
        before,
    } = telling;
    let (mut tries, mut heard) = (0, Vec::new());
    let mut reason = String::new();
    while let Some(call) = channel.turn(message, before, &heard) {
        let times = (begin, budget, try_timeout);
        match arrive(client, channel, &call, times, &mut tries, runner).await {
            Ok(body) => heard.push(body),
            Err(why) => {
                reason = why;
                break;
            }
        }
    }
    let posted = channel.posted(before, &heard);
    let delivered = reason.is_empty();
    Delivery {
        channel: channel.name(),
        delivered,
        how: match (delivered, &posted) {
            (false, _) => "failed",
            (true, Some(posted)) if before == Some(posted) => "updated",
            (true, _) => "sent",
        },
        tries,
        reason,
        posted,
    }
}

/// Sends one call until it arrives, or it is known why it does not. Gives the body of the answer.
async fn arrive(
    client: &Client,
    channel: &dyn Channel,
    call: &Call,
    (begin, budget, try_timeout): (Instant, Duration, Duration),
    tries: &mut u32,
    runner: &Runner,
) -> Result<Value, String> {
    let mut nth = 0;
    loop {
        nth += 1;
        *tries += 1;
        let left = budget.saturating_sub(begin.elapsed());
        let answer = post(client, call, try_timeout.min(left), runner).await;
        let left = budget.saturating_sub(begin.elapsed());
        let jitter = f64::from(environment::random()[0]) / 255.0;
        let answer = answer.or_wait(|body| channel.wait(body));
        let accepted = channel.accepted(&answer);
        match (
            next(&answer, accepted, call.repeatable, nth, left, jitter),
            &answer,
        ) {
            (Next::Delivered, Answer::Status { body, .. }) => {
                return Ok(serde_json::from_str(body).unwrap_or_default());
            }
            (Next::Delivered, _) => return Ok(Value::Null),
            (Next::GiveUp(reason), Answer::Status { body, .. }) => {
                let hint = channel.hint(body);
                return Err(hint.map_or(reason.clone(), |hint| format!("{reason}; {hint}")));
            }
            (Next::GiveUp(reason), _) => return Err(reason),
            (Next::Again(wait), _) => {
                runner.info(&format!(
                    "{}: {}; trying again in {}",
                    channel.name(),
                    shown(&answer),
                    gha::duration::display(wait)
                ));
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// One try.
async fn post(client: &Client, call: &Call, limit: Duration, runner: &Runner) -> Answer {
    let proxy = http::proxy(&call.url);
    let mut request = client
        .post(call.url.clone())
        .header("content-type", "application/json")
        .timeout(limit)
        .body(call.payload.to_string());
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() => {
            let reason = http::reason(error);
            return Answer::NotSent(match proxy {
                Some(proxy) => format!("the proxy `{proxy}` did not let it through: {reason}"),
                None => reason,
            });
        }
        Err(error) => return Answer::Unknown(http::reason(error)),
    };
    let code = response.status().as_u16();
    let header = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok());
    let retry_after = retry_after(header, environment::now());
    let mut body = Vec::new();
    while body.len() < READ {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk[..chunk.len().min(READ - body.len())]),
            Ok(None) => break,
            // It has answered; what it would have said more is not needed.
            Err(_) => break,
        }
    }
    Answer::Status {
        code,
        retry_after,
        body: runner.hide(&String::from_utf8_lossy(&body)),
    }
}

/// A try as a fragment for the log.
fn shown(answer: &Answer) -> String {
    match answer {
        Answer::Status { code, .. } => format!("the receiver answered {code}"),
        Answer::NotSent(reason) | Answer::Unknown(reason) => reason.clone(),
    }
}
