//! Calls to GitHub, by octocrab: the token for its own host alone, media types and version of the API. It tries nothing again by itself,
//! because it would send a comment twice at once; when to try again is decided as for all receivers.

use std::error::Error as _;
use std::time::Duration;

use gha::Runner;
use gha::edge::{environment, http};
use http_body_util::BodyExt as _;
use octocrab::{Error, Octocrab, OctocrabBuilder};
use reqwest::{Client, Method, Url};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use super::{Page, text, wait};
use crate::channel::Call;
use crate::channel::github::Repository;
use crate::delivery::{Answer, next_page, resets_after};

/// The longest list that is read: a hundred comments of the greatest length.
const READ: usize = 16 * 1024 * 1024;

/// One try, and where the answer goes on.
pub(super) async fn send(
    client: &Client,
    repository: &Repository,
    call: &Call,
    limit: Duration,
    runner: &Runner,
) -> (Answer, Page) {
    let github = match github(client, repository) {
        Ok(github) => github,
        Err(error) => return (Answer::NotSent(error.to_string()), Page::default()),
    };
    match timeout(limit, answered(&github, call, runner)).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(error)) => (unanswered(&error, &call.url), Page::default()),
        Err(_) => (
            Answer::Unknown("no complete answer in time".to_owned()),
            Page::default(),
        ),
    }
}

/// The client, which shares connections and proxies with those of the other receivers.
fn github(client: &Client, repository: &Repository) -> Result<Octocrab, Error> {
    OctocrabBuilder::new()
        .base_uri(repository.api.as_str())?
        .personal_token(repository.token.expose_secret())
        .build_with_reqwest(client.clone())
}

async fn answered(github: &Octocrab, call: &Call, runner: &Runner) -> Result<(Answer, Page), Error> {
    let (url, payload) = (call.url.as_str(), Some(&call.payload));
    let response = match call.method {
        Method::POST => github._post(url, payload).await?,
        Method::PATCH => github._patch(url, payload).await?,
        Method::DELETE => github._delete(url, None::<&()>).await?,
        _ => github._get(url).await?,
    };
    let (head, body) = response.into_parts();
    let body = http_body_util::Limited::new(body, READ);
    let Ok(body) = body.collect().await else {
        let broken = Answer::Unknown("the answer broke off, or is too large".to_owned());
        return Ok((broken, Page::default()));
    };
    let body = body.to_bytes();
    let now = environment::now();
    let left = (
        text(&head.headers, "x-ratelimit-remaining"),
        text(&head.headers, "x-ratelimit-reset"),
    );
    // A clock that is ahead must not make it no wait at all.
    let resets = || resets_after(left, now).filter(|wait| !wait.is_zero());
    let answer = Answer::Status {
        code: head.status.as_u16(),
        retry_after: wait(&head.headers).or_else(resets),
        body: runner.hide(&String::from_utf8_lossy(&body)),
    };
    let page = Page {
        body: serde_json::from_slice(&body).unwrap_or_default(),
        // The token goes to the API's own host alone.
        next: next_page(text(&head.headers, "link")).filter(|page| page.origin() == call.url.origin()),
        is_broken: false,
    };
    Ok((answer, page))
}

/// A try without an answer, by what reqwest says below octocrab.
fn unanswered(error: &Error, url: &Url) -> Answer {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<reqwest::Error>() {
            let reason = http::reason_of(cause);
            return match cause.is_connect() {
                true => super::not_sent(reason, url),
                false => Answer::Unknown(reason),
            };
        }
        source = cause.source();
    }
    Answer::Unknown(gha::failure::chain(error))
}
