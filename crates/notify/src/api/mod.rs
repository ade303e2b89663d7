//! Posting: the one place that talks to receivers. No error of it names more of an address than the host, because the
//! rest is the secret.

use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Client, Url};
use serde_json::Value;

use gha::Runner;
use gha::edge::{environment, http};
use gha::env::Env;

use crate::channel::{Call, Channel, Fate, Heard};
use crate::cli::INTERFACE;
use crate::delivery::{Answer, Next, next, retry_after};
use crate::error::Error;
use crate::message::Message;
use crate::state::Posted;

mod github;
mod smtp;

pub use smtp::{deliver as mail, log_in};

/// How much of an answer is read, in bytes.
const READ: usize = 256 * 1024;

/// The longest that opening a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The receiver's name.
    pub receiver: String,
    /// Whether it arrived, or is left out for a good reason.
    pub delivered: bool,
    /// How: `sent`, `updated`, `left-out`, or `failed`.
    pub how: &'static str,
    /// How often it was sent; of several requests, the one that was sent most often.
    pub tries: u32,
    /// Why it did not arrive; empty where it did. Holds foreign text.
    pub reason: String,
    /// The message, where a later one may take its place; also of a delivery of which a part did not arrive.
    pub posted: Option<Posted>,
}

/// What is told to one receiver.
#[derive(Clone, Copy)]
pub struct Telling<'a> {
    /// Its name.
    pub name: &'a str,
    /// The receiver.
    pub channel: &'a dyn Channel,
    /// What is told.
    pub message: &'a Message,
    /// The message that it has of this deploy already.
    pub before: Option<&'a Posted>,
}

/// How long it may take: all of it, and one try.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// All of it.
    pub budget: Duration,
    /// One try.
    pub one_try: Duration,
}

/// The client for these addresses.
///
/// # Errors
/// When the certificate authorities or the proxy can't be used.
pub fn client(urls: &[Url], limits: Limits, env: &Env) -> Result<Client, Error> {
    let tls = http::speaks_tls(urls, env);
    // Well below a try's time: only a connect that failed is known not to have arrived.
    let connect = (limits.one_try / 2).min(CONNECT);
    Ok(http::client(&INTERFACE, tls, connect)?)
}

/// Tells a receiver: sends what it is to be sent, one after the other, each until it arrives, it can't, or the budget is used up. The log
/// hears of every try that is followed by another.
pub async fn deliver(client: &Client, telling: Telling<'_>, limits: Limits, runner: &Runner) -> Delivery {
    let Telling {
        name,
        channel,
        message,
        before,
    } = telling;
    let mut line = Line::to((name, channel), client, limits, runner);
    let mut heard = Vec::new();
    let mut reason = String::new();
    while let Some(call) = channel.turn(message, before, &heard) {
        match line.arrive(&call).await {
            Ok(answer) => heard.push(answer),
            Err(why) => {
                reason = why;
                break;
            }
        }
    }
    let posted = channel.posted(before, &heard);
    let delivered = reason.is_empty();
    let how = match channel.fate(before, &heard) {
        _ if !delivered => "failed",
        Fate::Sent => "sent",
        Fate::Updated => "updated",
        Fate::Left(why) => {
            reason = why;
            "left-out"
        }
    };
    // Two receivers of one kind are told apart by their names.
    let named = |posted: Posted| Posted {
        channel: name.to_owned(),
        ..posted
    };
    Delivery {
        receiver: name.to_owned(),
        delivered,
        how,
        tries: line.tries,
        reason,
        posted: posted.map(named),
    }
}

/// Asks a receiver what its channel asks to know whether the credentials work.
///
/// # Errors
/// With the reason why there is no good answer.
pub async fn ask(
    client: &Client,
    receiver: (&str, &dyn Channel),
    call: &Call,
    limits: Limits,
    runner: &Runner,
) -> Result<Heard, String> {
    Line::to(receiver, client, limits, runner).arrive(call).await
}

/// The way to one receiver.
struct Line<'a> {
    client: &'a Client,
    name: &'a str,
    channel: &'a dyn Channel,
    limits: Limits,
    begin: Instant,
    tries: u32,
    runner: &'a Runner,
}

impl<'a> Line<'a> {
    fn to(
        (name, channel): (&'a str, &'a dyn Channel),
        client: &'a Client,
        limits: Limits,
        runner: &'a Runner,
    ) -> Self {
        Self {
            client,
            name,
            channel,
            limits,
            begin: Instant::now(),
            tries: 0,
            runner,
        }
    }

    fn left(&self) -> Duration {
        self.limits.budget.saturating_sub(self.begin.elapsed())
    }

    /// Sends one call until it arrives, or it is known why it does not. Gives the answer.
    async fn arrive(&mut self, call: &Call) -> Result<Heard, String> {
        let mut nth = 0;
        loop {
            nth += 1;
            self.tries = self.tries.max(nth);
            let limit = self.limits.one_try.min(self.left());
            let (answer, page) = match self.channel.github() {
                Some(repository) => github::send(self.client, repository, call, limit, self.runner).await,
                None => post(self.client, call, limit, self.runner).await,
            };
            let jitter = f64::from(environment::random()[0]) / 255.0;
            let answer = answer.or_wait(|body| self.channel.wait(body));
            let accepted = self.channel.accepted(&answer);
            let answer = match answer {
                Answer::Status {
                    code: code @ 200..=299,
                    ..
                } if page.is_broken && !accepted => Answer::Unknown(format!(
                    "the receiver answered {code}, and the rest of its answer did not come"
                )),
                answer => answer,
            };
            let heed = |code: u16| Heard {
                code,
                body: page.body.clone(),
                next: page.next.clone(),
            };
            if let Answer::Status {
                code,
                retry_after: None,
                ..
            } = &answer
                && call.heeds.contains(code)
            {
                return Ok(heed(*code));
            }
            let next = next(&answer, accepted, call.repeatable, nth, self.left(), jitter);
            match (next, &answer) {
                (Next::Delivered, Answer::Status { code, .. }) => return Ok(heed(*code)),
                (Next::Delivered, _) => return Ok(heed(200)),
                (Next::GiveUp(reason), Answer::Status { body, .. }) => {
                    let hint = self.channel.hint(body);
                    return Err(hint.map_or(reason.clone(), |hint| format!("{reason}; {hint}")));
                }
                (Next::GiveUp(reason), _) => return Err(reason),
                (Next::Again(wait), _) => {
                    let (why, wait_for) = (shown(&answer), gha::duration::display(wait));
                    let name = self.name;
                    self.runner
                        .info(&format!("{name}: {why}; trying again in {wait_for}"));
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }
}

/// What was answered, as it came: what is read and written again must not be hidden in between. Nothing shows it.
#[derive(Default)]
struct Page {
    /// The body; `null` where it is no JSON.
    body: Value,
    /// Where it goes on.
    next: Option<Url>,
    /// Whether its end did not come.
    is_broken: bool,
}

/// One try.
async fn post(client: &Client, call: &Call, limit: Duration, runner: &Runner) -> (Answer, Page) {
    let mut request = client
        .request(call.method.clone(), call.url.clone())
        .timeout(limit);
    if !call.payload.is_null() {
        request = request
            .header("content-type", "application/json")
            .body(call.payload.to_string());
    }
    for (name, value) in &call.headers {
        request = request.header(*name, value);
    }
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) => return (unanswered(error, &call.url), Page::default()),
    };
    let (code, retry_after) = (response.status().as_u16(), wait(response.headers()));
    let (mut body, mut is_broken) = (Vec::new(), false);
    while body.len() < READ && !is_broken {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk[..chunk.len().min(READ - body.len())]),
            Ok(None) => break,
            // It has answered; most receivers say nothing more that is needed.
            Err(_) => is_broken = true,
        }
    }
    let answer = Answer::Status {
        code,
        retry_after,
        body: runner.hide(&String::from_utf8_lossy(&body)),
    };
    let page = Page {
        body: serde_json::from_slice(&body).unwrap_or_default(),
        next: None,
        is_broken,
    };
    (answer, page)
}

/// A try without an answer.
fn unanswered(error: reqwest::Error, url: &Url) -> Answer {
    let is_connect = error.is_connect();
    let reason = http::reason(error);
    match is_connect {
        true => not_sent(reason, url),
        false => Answer::Unknown(reason),
    }
}

/// A try that did not get as far as the receiver.
fn not_sent(reason: String, url: &Url) -> Answer {
    Answer::NotSent(match http::proxy(url) {
        Some(proxy) => format!("the proxy `{proxy}` did not let it through: {reason}"),
        None => format!("no connection to `{}`: {reason}", place(url)),
    })
}

/// The host of an address, which is no secret, with a port of its own.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// How long to wait by an answer's headers.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    retry_after(text(headers, "retry-after"), environment::now())
}

/// A header as text.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A try as a fragment for the log.
fn shown(answer: &Answer) -> String {
    match answer {
        Answer::Status { code, .. } => format!("the receiver answered {code}"),
        Answer::NotSent(reason) | Answer::Unknown(reason) => reason.clone(),
    }
}
