//! Posting: the one place that talks to receivers. No error of it names an address, because the address is the
//! secret.

use std::time::{Duration, Instant};

use reqwest::Client;

use gha::edge::{environment, http};
use gha::{Runner, text};

use crate::channel::{Call, Channel};
use crate::delivery::{Answer, Next, next, retry_after};

/// How much of an answer is kept, in characters.
const BODY: usize = 200;
/// How much of an answer is read, in bytes.
const READ: usize = 16 * 1024;

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The channel.
    pub channel: &'static str,
    /// Whether it arrived.
    pub delivered: bool,
    /// How often it was sent.
    pub tries: u32,
    /// Why it did not arrive; empty where it did. Holds foreign text.
    pub reason: String,
}

/// Tells a receiver: sends its calls, one after the other, each until it arrives, it can't, or `budget` is used up. The log hears of
/// every try that is followed by another.
pub async fn deliver(
    client: &Client,
    channel: &dyn Channel,
    calls: &[Call],
    (budget, try_timeout): (Duration, Duration),
    runner: &Runner,
) -> Delivery {
    let begin = Instant::now();
    let mut tries = 0;
    for call in calls {
        let sent = arrive(
            client,
            channel,
            call,
            (begin, budget, try_timeout),
            &mut tries,
            runner,
        );
        if let Err(reason) = sent.await {
            return Delivery {
                channel: channel.name(),
                delivered: false,
                tries,
                reason,
            };
        }
    }
    Delivery {
        channel: channel.name(),
        delivered: true,
        tries,
        reason: String::new(),
    }
}

/// Sends one call until it arrives, or it is known why it does not.
async fn arrive(
    client: &Client,
    channel: &dyn Channel,
    call: &Call,
    (begin, budget, try_timeout): (Instant, Duration, Duration),
    tries: &mut u32,
    runner: &Runner,
) -> Result<(), String> {
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
        match next(&answer, accepted, channel.repeatable(), nth, left, jitter) {
            Next::Delivered => return Ok(()),
            Next::GiveUp(reason) => return Err(reason),
            Next::Again(wait) => {
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
        body: text::visible(&text::cut(&runner.hide(&String::from_utf8_lossy(&body)), BODY)),
    }
}

/// A try as a fragment for the log.
fn shown(answer: &Answer) -> String {
    match answer {
        Answer::Status { code, .. } => format!("the receiver answered {code}"),
        Answer::NotSent(reason) | Answer::Unknown(reason) => reason.clone(),
    }
}
