//! GitHub's REST API: three questions about one repository. The only file of this tool that talks to the network; what
//! there is to decide is decided by the pure modules below it.
//!
//! With [`gha::edge::http`] as all tools have it (proxies, private authorities, one TLS stack): three GETs are not worth a
//! client of GitHub's API, which would bring a second HTTP stack without proxies.

mod address;
mod answer;
mod error;
mod pages;
#[cfg(test)]
mod tests;

use std::time::Duration;

use gha::Runner;
use gha::edge::cancel::Cancel;
use gha::edge::environment;
use gha::edge::http::{self, Url};
use jiff::Timestamp;
use reqwest::Client;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::Instant;

use self::answer::{Answer, Course, Next, Tried};
pub(crate) use self::error::ApiError;
use self::error::{Question, Why};

/// The version of the API that is asked for
/// (<https://docs.github.com/en/rest/about-the-rest-api/api-versions>). The older of the two that there are, because no
/// GitHub Enterprise Server in use is without it.
const VERSION: &str = "2022-11-28";
/// What GitHub recommends to ask for
/// (<https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#media-types>), and what its own
/// description of the API says that it answers.
const MEDIA_TYPES: &str = "application/vnd.github+json, application/json";
/// How many pages a list may have. GitHub gives all tags on one.
const PAGES: usize = 100;
/// How much of a refusal is read, in bytes; its message is at the beginning.
const REFUSAL: usize = 64 * 1024;

/// What is waited for and read at most.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Opening a connection.
    connect: Duration,
    /// One request and the whole of its answer.
    one_try: Duration,
    /// A question, with all its tries, waits and pages.
    budget: Duration,
    /// The wait before the second try; it doubles. What is waited is between a half and the whole of it.
    backoff: Duration,
    /// An answer, in bytes; a repository with 20 000 tags has about this.
    answer: usize,
}

const LIMITS: Limits = Limits {
    connect: Duration::from_secs(3),
    one_try: Duration::from_secs(5),
    budget: Duration::from_secs(15),
    backoff: Duration::from_millis(500),
    answer: 8 * 1024 * 1024,
};

/// GitHub's REST API for one repository.
pub(crate) struct Api {
    client: Client,
    cancel: Cancel,
    base: Url,
    repository: Url,
    full_name: String,
    token: SecretString,
    authorization: HeaderValue,
    limits: Limits,
}

impl Api {
    /// The API that `GITHUB_API_URL` names, else `https://api.github.com`. Nothing is sent yet.
    pub(crate) fn new(runner: &Runner, token: SecretString, full_name: &str) -> Result<Self, ApiError> {
        Self::with(runner, token, full_name, LIMITS)
    }

    fn with(runner: &Runner, token: SecretString, full_name: &str, limits: Limits) -> Result<Self, ApiError> {
        // Not the runner's context, which takes github.com where the address is unusable: another server's token must
        // not go there.
        let base = address::base(&address::of_server(
            runner.env().get("GITHUB_API_URL"),
            runner.env().get("GITHUB_SERVER_URL"),
        ))?;
        let repository = address::repository(&base, full_name)?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| ApiError::Token)?;
        authorization.set_sensitive(true);
        let tls = http::speaks_tls([&base], runner.env());
        Ok(Self {
            client: http::client(runner.interface(), tls, limits.connect)?,
            cancel: runner.cancel().clone(),
            base,
            repository,
            full_name: full_name.to_owned(),
            token,
            authorization,
            limits,
        })
    }

    /// What the repository is: an object
    /// (<https://docs.github.com/en/rest/repos/repos#get-a-repository>).
    pub(crate) async fn repository(&self) -> Result<Value, ApiError> {
        let question = Question::Repository(self.full_name.clone());
        let (_, answer) = self
            .ask(&question, self.repository.clone(), Instant::now())
            .await?;
        let value = answer.json().and_then(|value| {
            let no_object = Why::Unreadable("it is no object".to_owned());
            if value.is_object() {
                Ok(value)
            } else {
                Err(no_object)
            }
        });
        value.map_err(|why| self.unanswered(&question, why))
    }

    /// When a commit was made, by its committer
    /// (<https://docs.github.com/en/rest/commits/commits#get-a-commit>).
    pub(crate) async fn commit_date(&self, sha: &str) -> Result<Timestamp, ApiError> {
        self.commit(sha, answer::commit_date).await
    }

    /// The commit that a ref leads to, `tags/v1.2.3` or `heads/main`, past annotated tags.
    pub(crate) async fn commit_of(&self, git_ref: &str) -> Result<String, ApiError> {
        let hash = |commit: &Value| Ok(commit["sha"].as_str().unwrap_or_default().to_owned());
        self.commit(git_ref, hash).await
    }

    /// Asks for a commit by its hash or ref, and takes something out of the answer.
    async fn commit<T>(
        &self,
        named: &str,
        take: impl FnOnce(&Value) -> Result<T, Why>,
    ) -> Result<T, ApiError> {
        let question = Question::Commit {
            sha: named.to_owned(),
            repository: self.full_name.clone(),
        };
        let url = address::commit(&self.repository, named);
        let (_, answer) = self.ask(&question, url, Instant::now()).await?;
        let taken = answer.json().and_then(|commit| take(&commit));
        taken.map_err(|why| self.unanswered(&question, why))
    }

    /// The names of all tags that begin with a prefix, without `refs/tags/`, in the order of GitHub's list
    /// (<https://docs.github.com/en/rest/git/refs#list-matching-references>). None in a repository without a commit.
    pub(crate) async fn tags(&self, prefix: &str) -> Result<Vec<String>, ApiError> {
        let question = Question::Tags {
            prefix: prefix.to_owned(),
            repository: self.full_name.clone(),
        };
        let begin = Instant::now();
        let mut tags: Vec<String> = Vec::new();
        let mut next = Some(address::tags(&self.repository, prefix));
        for _ in 0..PAGES {
            let Some(url) = next else {
                return Ok(tags);
            };
            let (asked, answer) = match self.ask(&question, url, begin).await {
                Err(error) if is_empty_repository(&error) => return Ok(Vec::new()),
                asked => asked?,
            };
            let unreadable = |reason: &str| self.unanswered(&question, Why::Unreadable(reason.to_owned()));
            let page = answer.json().map_err(|why| self.unanswered(&question, why))?;
            tags.extend(pages::tags(&page, prefix).map_err(unreadable)?);
            let links = answer.headers.get_all("link").iter();
            next = pages::next(&asked, links.filter_map(|link| link.to_str().ok()))
                .map_err(|reason| unreadable(&reason))?;
        }
        match next {
            Some(_) => Err(self.unanswered(&question, Why::Pages(PAGES))),
            None => Ok(tags),
        }
    }

    /// Asks until there is an answer to read; with it comes the address that gave it.
    async fn ask(
        &self,
        question: &Question,
        mut url: Url,
        begin: Instant,
    ) -> Result<(Url, Answer), ApiError> {
        let (mut tries, mut redirects, mut versioned) = (1, 0, true);
        loop {
            let left = || self.limits.budget.saturating_sub(begin.elapsed());
            let limit = self.limits.one_try.min(left());
            let tried = self.cancel.guard(self.send(&url, versioned, limit)).await?;
            let course = Course {
                tries,
                redirects,
                versioned,
                left: left(),
                backoff: backoff(self.limits.backoff, tries, environment::random()[0]),
                now: environment::now(),
                token: self.token.expose_secret(),
            };
            match (answer::next(&tried, &course), tried) {
                (Next::Read, Tried::Answer(answer)) => return Ok((url, answer)),
                (Next::Follow, Tried::Answer(answer)) => {
                    redirects += 1;
                    url = address::redirect(&url, answer.header("location"))
                        .map_err(|reason| self.unanswered(question, Why::Redirect(reason)))?;
                }
                (Next::Unversioned, _) => versioned = false,
                (Next::Again(wait), _) => {
                    tries += 1;
                    self.cancel.guard(tokio::time::sleep(wait)).await?;
                }
                (Next::GiveUp(why), _) => return Err(self.unanswered(question, why)),
                (Next::Read | Next::Follow, _) => {
                    let why = Why::Unreadable("there is none".to_owned());
                    return Err(self.unanswered(question, why));
                }
            }
        }
    }

    /// One request, within its time.
    async fn send(&self, url: &Url, versioned: bool, limit: Duration) -> Tried {
        let in_time = tokio::time::timeout(limit, self.exchange(url, versioned)).await;
        in_time.unwrap_or_else(|_| Tried::Failed("no complete answer in time".to_owned()))
    }

    /// One request.
    async fn exchange(&self, url: &Url, versioned: bool) -> Tried {
        let mut request = self.client.get(url.clone()).header(ACCEPT, MEDIA_TYPES);
        if versioned {
            request = request.header("x-github-api-version", VERSION);
        }
        if address::same_origin(url, &self.base) {
            request = request.header(AUTHORIZATION, self.authorization.clone());
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Tried::Failed(reason(url, error)),
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let limit = if status == 200 {
            self.limits.answer
        } else {
            REFUSAL
        };
        match body(response, limit).await {
            Ok((_, true)) if status == 200 => Tried::TooLarge(limit),
            Ok((body, _)) => Tried::Answer(Answer {
                status,
                headers,
                body,
            }),
            // A refusal is one without its words too.
            Err(_) if status != 200 => Tried::Answer(Answer {
                status,
                headers,
                body: Vec::new(),
            }),
            Err(error) => Tried::Failed(http::reason(error)),
        }
    }

    /// The error of a question.
    fn unanswered(&self, question: &Question, why: Why) -> ApiError {
        let host = self.base.host_str().unwrap_or_default();
        ApiError::Unanswered {
            question: question.clone(),
            host: self
                .base
                .port()
                .map_or(host.to_owned(), |port| format!("{host}:{port}")),
            why: Box::new(why),
        }
    }
}

/// A body up to a limit, and whether there is more.
async fn body(mut response: reqwest::Response, limit: usize) -> Result<(Vec<u8>, bool), reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = limit - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok((body, true));
        }
    }
    Ok((body, false))
}

/// Why a request got no answer; a proxy that stands between is named.
fn reason(url: &Url, error: reqwest::Error) -> String {
    let proxy = http::proxy(url).filter(|_| error.is_connect());
    let reason = http::reason(error);
    proxy.map_or(reason.clone(), |proxy| {
        format!("the proxy `{proxy}` did not let it through: {reason}")
    })
}

/// The wait before the next try: from a half to the whole, by a random byte, so that many jobs do not come back at once.
fn backoff(first: Duration, tries: u32, random: u8) -> Duration {
    let jitter = 0.5 + f64::from(random) / 510.0;
    first
        .saturating_mul(1 << tries.saturating_sub(1).min(8))
        .mul_f64(jitter)
}

/// Whether a question about refs failed because there is no commit at all
/// (<https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-your-git-database>: 409).
fn is_empty_repository(error: &ApiError) -> bool {
    let ApiError::Unanswered { why, .. } = error else {
        return false;
    };
    matches!(why.as_ref(), Why::Refused { status: 409, message, .. } if message.to_ascii_lowercase().contains("empty"))
}
