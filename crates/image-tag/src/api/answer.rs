//! What to do after a request, and what an answer says. Pure: the policy of all three questions.
//!
//! 5xx, 429 and a broken connection are tried again; 401, 403 and 404 say the same again. A limit of requests says when
//! it ends (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit>).

use std::time::Duration;

use gha::text;
use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::error::Why;

#[cfg(test)]
mod tests;

/// How often a question is asked at most.
pub(super) const TRIES: u32 = 3;
/// How many redirects are followed.
pub(super) const REDIRECTS: u32 = 3;
/// How much of a message is shown, in characters.
const MESSAGE: usize = 200;

/// A whole answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// What came of one request.
#[derive(Clone, Debug)]
pub(super) enum Tried {
    /// An answer.
    Answer(Answer),
    /// None, or not all of one.
    Failed(String),
    /// More than may be read.
    TooLarge(usize),
}

/// How far a question has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course<'a> {
    /// Tries so far, this one included.
    pub(super) tries: u32,
    /// Redirects so far.
    pub(super) redirects: u32,
    /// Whether a version of the API was asked for.
    pub(super) versioned: bool,
    /// What is left of the time for the question.
    pub(super) left: Duration,
    /// How long to wait before the next try where the answer does not say.
    pub(super) backoff: Duration,
    /// The wall clock.
    pub(super) now: Timestamp,
    /// The token, which a foreign text must not show.
    pub(super) token: &'a str,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Read the answer.
    Read,
    /// Ask where it says.
    Follow,
    /// Ask for no version: that one is no more, or not yet.
    Unversioned,
    /// Ask again after this time.
    Again(Duration),
    /// Give up.
    GiveUp(Why),
}

/// What to do after a request.
pub(super) fn next(tried: &Tried, course: &Course<'_>) -> Next {
    let again = |wait: Duration, why: Why| {
        if course.tries < TRIES && wait < course.left {
            Next::Again(wait)
        } else {
            Next::GiveUp(why)
        }
    };
    let answer = match tried {
        Tried::Answer(answer) => answer,
        Tried::TooLarge(limit) => return Next::GiveUp(Why::TooLarge(*limit)),
        Tried::Failed(reason) => {
            let (reason, tries) = (shown(reason, course.token), course.tries);
            return again(course.backoff, Why::NoAnswer { reason, tries });
        }
    };
    match answer.status {
        200 => Next::Read,
        301 | 302 | 307 | 308 if course.redirects < REDIRECTS => Next::Follow,
        301 | 302 | 307 | 308 => Next::GiveUp(Why::Redirect(format!(
            "{REDIRECTS} times is all that is followed"
        ))),
        // <https://docs.github.com/en/rest/about-the-rest-api/api-versions>: 410 for a version that has ended, and 400 for
        // one that the server does not know. What is read here is in every version.
        400 | 410 if course.versioned => Next::Unversioned,
        429 => again(answer.wait(course), answer.why(course)),
        500..=599 => again(answer.wait(course), answer.why(course)),
        _ => Next::GiveUp(answer.why(course)),
    }
}

impl Answer {
    /// A header's value, if it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, Why> {
        serde_json::from_slice(&self.body).map_err(|error| Why::Unreadable(error.to_string()))
    }

    /// Why a question failed with this answer.
    fn why(&self, course: &Course<'_>) -> Why {
        let status = self.status;
        let message = self.message(course.token);
        if self.is_limited(&message) {
            let until = self
                .pause(course.now)
                .and_then(|pause| course.now.checked_add(pause).ok());
            return Why::Limited {
                status,
                message,
                until,
            };
        }
        Why::Refused {
            status,
            message,
            permissions: self
                .header("x-accepted-github-permissions")
                .filter(|_| status == 403)
                .map(|need| shown(need, course.token)),
            tries: course.tries,
        }
    }

    /// Whether it speaks of a limit of requests; 403 means that as well as a missing permission.
    fn is_limited(&self, message: &str) -> bool {
        let spent = self.header("x-ratelimit-remaining") == Some("0") || self.header("retry-after").is_some();
        self.status == 429
            || self.status == 403 && (spent || message.to_ascii_lowercase().contains("rate limit"))
    }

    /// How long to wait before the next try: what the answer says, and never less than the backoff.
    fn wait(&self, course: &Course<'_>) -> Duration {
        self.pause(course.now).unwrap_or_default().max(course.backoff)
    }

    /// How long the server wants to be left alone, if it says so.
    fn pause(&self, now: Timestamp) -> Option<Duration> {
        let until = |at: Timestamp| Duration::try_from(at.duration_since(now)).unwrap_or_default();
        if let Some(after) = self.header("retry-after").map(str::trim) {
            // <https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>: seconds, or a date in one of three forms.
            let seconds = after.bytes().all(|b| b.is_ascii_digit()) && !after.is_empty();
            return if seconds {
                // More than fits is for ever: it must not become a short wait.
                Some(Duration::from_secs(after.parse().unwrap_or(u64::MAX)))
            } else {
                let date = Timestamp::try_from(httpdate::parse_http_date(after).ok()?);
                date.ok().map(until)
            };
        }
        if self.header("x-ratelimit-remaining") != Some("0") {
            return None;
        }
        let reset: i64 = self.header("x-ratelimit-reset")?.trim().parse().ok()?;
        Timestamp::from_second(reset).ok().map(until)
    }

    /// What the server says about a refusal: the `message` of GitHub's JSON, or a plain text.
    fn message(&self, token: &str) -> String {
        let plain = || {
            let is_plain = self
                .header("content-type")
                .is_some_and(|kind| kind.starts_with("text/plain"));
            is_plain.then(|| String::from_utf8_lossy(&self.body).into_owned())
        };
        let json: Option<Value> = serde_json::from_slice(&self.body).ok();
        let message = json.and_then(|json| json["message"].as_str().map(str::to_owned));
        shown(message.or_else(plain).unwrap_or_default().trim(), token)
    }
}

/// Foreign text for a message: the token hidden before the text is cut, so that no half of it is left.
pub(super) fn shown(text: &str, token: &str) -> String {
    let hidden = if token.is_empty() {
        text.to_owned()
    } else {
        text.replace(token, "***")
    };
    text::cut(&text::visible(&hidden), MESSAGE)
}

/// The time of a commit by its committer, of GitHub's answer about it.
pub(super) fn commit_date(commit: &Value) -> Result<Timestamp, Why> {
    let date = commit["commit"]["committer"]["date"].as_str();
    date.and_then(|date| date.parse().ok())
        .ok_or_else(|| Why::Unreadable("it has no date of the committer".to_owned()))
}
