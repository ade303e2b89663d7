//! Any HTTP address that answers with JSON, as a metric source.
//!
//! Each address is asked once for all questions that make the same of it; `{{window}}` in it becomes the question's
//! window. The text of a question says where in the answer the number stands: a pointer (`/data/rate`), an expression
//! of jq (`.data | .bad / .all`), or nothing where the answer is the number.
//!
//! Redirects are not followed, because a login page is no metric, and the headers would be sent to another host.

use std::time::Duration;

use gha::mask::Masker;
use gha::text;
use jiff::Timestamp;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::answer::BODY_LIMIT;
use crate::probe::http::{AddressError, address, shown};
use crate::source::pick::{Pick, Picks};
use crate::source::{Asking, Query, Question, Reading, Source};
use crate::trouble::{About, Trouble};

/// How much of a refusal is quoted, in characters.
const QUOTED: usize = 160;

/// An address that answers with JSON.
pub struct HttpJson {
    client: Client,
    /// With `{{window}}` in it, and perhaps secrets.
    written: SecretString,
    shown: String,
    headers: HeaderMap,
    masker: Masker,
    picks: Picks,
}

/// Why settings make no source.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HttpJsonError {
    /// The address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A header; its value may be a secret.
    #[error("`{0}` is no header's name, or its value has characters that no header may have")]
    Header(String),
}

impl HttpJson {
    /// An address, and headers that are sent with every question. What `masker` knows is hidden in all that is said of
    /// answers.
    ///
    /// # Errors
    /// When the address is none, or a header is none.
    pub fn new(
        client: Client,
        written: &str,
        headers: &[(String, SecretString)],
        masker: Masker,
    ) -> Result<Self, HttpJsonError> {
        let url = address(&window_filled(written, "0s"))?;
        let mut map = HeaderMap::new();
        map.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            let refuse = || HttpJsonError::Header(text::cut(&text::visible(name), 100));
            let header = name.parse::<HeaderName>().map_err(|_| refuse())?;
            let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| refuse())?;
            value.set_sensitive(true);
            map.insert(header, value);
        }
        Ok(Self {
            client,
            written: written.trim().into(),
            shown: shown(&url),
            headers: map,
            masker,
            picks: Picks::of("an HTTP JSON source"),
        })
    }

    /// Asks for a document; nothing where the answer is empty.
    async fn get(&self, written: &str, at: Timestamp) -> Result<Option<Value>, Trouble> {
        let url =
            address(written).map_err(|error| Trouble::question(error.to_string()).about(About::Address))?;
        let request = self.client.get(url).headers(self.headers.clone());
        let broken = |error| Trouble::passing(format!("{}: {}", self.shown, gha::edge::http::reason(error)));
        let response = request.send().await.map_err(broken)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read(response).await.map_err(broken)?;
        if !status.is_success() {
            return Err(self.refused(status, &headers, &body.unwrap_or_default(), at));
        }
        let body = body.ok_or_else(|| {
            let limit = BODY_LIMIT / 1024 / 1024;
            Trouble::question(format!("{} answers with more than {limit} MiB", self.shown))
        })?;
        if body.trim_ascii().is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&body).map(Some).map_err(|_| {
            let begin = self.quoted(&body);
            Trouble::passing(format!("{} answers {begin}, which is not JSON", self.shown))
        })
    }

    /// Another status than one of success.
    fn refused(&self, status: StatusCode, headers: &HeaderMap, body: &[u8], at: Timestamp) -> Trouble {
        let said = if body.trim_ascii().is_empty() {
            String::new()
        } else {
            format!(": {}", self.quoted(body))
        };
        let reason = format!("{} answered {}{said}", self.shown, status.as_u16());
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Trouble::access(reason),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                Trouble::passing(reason).pause(pause(headers, at))
            }
            _ if status.is_server_error() => Trouble::passing(reason).pause(pause(headers, at)),
            _ if status.is_redirection() => {
                Trouble::question(format!("{reason}; redirects are not followed")).about(About::Address)
            }
            _ => Trouble::question(reason).about(About::Address),
        }
    }

    /// The beginning of a body in a reason.
    fn quoted(&self, body: &[u8]) -> String {
        let hidden = self.masker.hide(&String::from_utf8_lossy(body));
        format!("`{}`", text::cut(&text::visible(hidden.trim()), QUOTED))
    }
}

/// An address with its window filled in.
fn window_filled(written: &str, window: &str) -> String {
    written.replace("{{window}}", window)
}

/// Reads a body; none where it is over the limit.
async fn read(mut response: Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if chunk.len() > BODY_LIMIT - body.len() {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// How long the server asks to be left alone: seconds or a date.
/// <https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>
fn pause(headers: &HeaderMap, at: Timestamp) -> Option<Duration> {
    let written = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = written.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(written).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(at)).unwrap_or_default())
}

impl Source for HttpJson {
    fn shown(&self) -> &str {
        &self.shown
    }

    fn accepts(&self, query: &Query) -> Result<(), String> {
        self.picks.pick(query).map(drop)
    }

    fn ask<'a>(&'a self, questions: &'a [Question], at: Timestamp) -> Asking<'a> {
        let address = |question: &Question| question.text(self.written.expose_secret());
        let get = async move |address: &String| self.get(address, at).await;
        let read = |document: &Option<Value>, pick: &Pick| {
            let Some(document) = document else {
                return Ok(Reading::nothing("the answer is empty"));
            };
            pick.reading(document).map_err(|trouble| Trouble {
                reason: format!("{}: {}", self.shown, self.masker.hide(&trouble.reason)),
                ..trouble
            })
        };
        Box::pin(self.picks.answers(questions, address, get, read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Value as Answer;
    use crate::trouble::TroubleKind;
    use sandbox::http::{Reply, Script, Server};
    use serde_json::json;

    fn client() -> Client {
        let interface = gha::interface::Interface::named("demo");
        let builder = gha::edge::http::builder(&interface, false, Duration::from_secs(5)).unwrap();
        builder.no_proxy().build().unwrap()
    }

    fn source(server: &Server, path: &str) -> HttpJson {
        let mut masker = Masker::default();
        masker.add("hunter2-secret");
        let headers = [("X-Api-Key".to_owned(), "hunter2-secret".into())];
        HttpJson::new(client(), &format!("{}{path}", server.url("/")), &headers, masker).unwrap()
    }

    fn question(query: &str, seconds: u64) -> Question {
        Question {
            query: Query::Text(query.to_owned()),
            window: Duration::from_secs(seconds),
        }
    }

    async fn ask(source: &HttpJson, questions: &[Question]) -> Vec<Result<Reading, Trouble>> {
        // Wed, 21 Oct 2015 07:27:30 GMT
        source
            .ask(questions, Timestamp::from_second(1_445_412_450).unwrap())
            .await
    }

    #[tokio::test]
    async fn one_request_answers_all_questions_of_a_window() {
        let document = json!({"data": {"bad": 1, "all": 4, "none": null}});
        let server = Server::start(Script::new().any([Reply::json(200, &document).times(9)])).unwrap();
        let source = source(&server, "stats?range={{window}}&key=secret");
        assert_eq!(source.shown(), format!("{}?…", server.url("/stats")));
        let questions = [
            question("/data/bad", 60),
            question(".data | .bad / .all", 60),
            question("/data/none", 60),
            question(".data.nope", 300),
            question(".data ==", 300),
        ];
        let answers = ask(&source, &questions).await;
        let value = |index: usize| answers[index].as_ref().unwrap().value.clone();
        assert_eq!([value(0), value(1)], [1.0, 0.25].map(Answer::Number));
        assert_eq!([value(2), value(3)], [Answer::Nothing, Answer::Nothing]);
        assert_eq!(answers[4].as_ref().unwrap_err().kind, TroubleKind::Question);
        let requests = server.requests();
        let paths: Vec<&str> = requests.iter().map(|request| request.path.as_str()).collect();
        assert_eq!(
            paths,
            ["/stats?range=60s&key=secret", "/stats?range=300s&key=secret"]
        );
        assert_eq!(requests[0].header("x-api-key"), Some("hunter2-secret"));
        assert_eq!(requests[0].header("accept"), Some("application/json"));
        assert!(source.accepts(&questions[4].query).is_err());
        assert!(source.accepts(&Query::Buckets("x".to_owned())).is_err());
    }

    #[tokio::test]
    async fn refusals_are_told_apart() {
        use TroubleKind::{Access, Passing, Question as Wrong};
        let date = "Wed, 21 Oct 2015 07:28:00 GMT";
        for (reply, kind, reason, pause) in [
            (Reply::text(401, "no"), Access, "answered 401: `no`", None),
            (Reply::status(403), Access, "answered 403", None),
            (
                Reply::text(400, "bad\nhunter2-secret"),
                Wrong,
                "answered 400: `bad\\n***`",
                None,
            ),
            (Reply::status(404), Wrong, "answered 404", None),
            (
                Reply::redirect(302, "/login"),
                Wrong,
                "answered 302; redirects are not followed",
                None,
            ),
            (
                Reply::status(429).header("retry-after", "7"),
                Passing,
                "answered 429",
                Some(7),
            ),
            (
                Reply::status(429).header("retry-after", date),
                Passing,
                "answered 429",
                Some(30),
            ),
            (
                Reply::status(503).header("retry-after", "soon"),
                Passing,
                "answered 503",
                None,
            ),
            (
                Reply::text(500, "x".repeat(2 * BODY_LIMIT)),
                Passing,
                "answered 500",
                None,
            ),
            (
                Reply::text(200, "<html>"),
                Passing,
                "answers `<html>`, which is not JSON",
                None,
            ),
            (
                Reply::text(200, "1".repeat(BODY_LIMIT + 1)),
                Wrong,
                "answers with more than 1 MiB",
                None,
            ),
            (
                Reply::text(200, "1".repeat(65_536)).endless(Duration::ZERO),
                Wrong,
                "answers with more than 1 MiB",
                None,
            ),
            (
                Reply::json(200, &json!({"a": "hunter2-secret"})),
                Passing,
                ": `/a` is `\"***\"`, expected a number",
                None,
            ),
            (Reply::text(200, "{\"a\": 1}").cut_after(3), Passing, ": ", None),
            (Reply::close(), Passing, ": ", None),
        ] {
            let server = Server::start(Script::new().any([reply])).unwrap();
            let answers = ask(&source(&server, "stats"), &[question("/a", 60)]).await;
            let trouble = answers[0].clone().unwrap_err();
            assert_eq!(trouble.kind, kind, "{trouble:?}");
            assert!(
                trouble.reason.contains(reason) && !trouble.reason.contains("hunter2"),
                "{trouble:?}"
            );
            assert_eq!(trouble.pause, pause.map(Duration::from_secs), "{trouble:?}");
        }
    }

    #[tokio::test]
    async fn an_empty_answer_is_no_data() {
        for reply in [Reply::status(204), Reply::text(200, " \n")] {
            let server = Server::start(Script::new().any([reply])).unwrap();
            let answers = ask(&source(&server, "stats"), &[question("", 60)]).await;
            assert_eq!(answers[0].as_ref().unwrap().value, Answer::Nothing);
        }
    }

    #[test]
    fn settings_that_are_none_are_refused_without_their_secrets() {
        let new = |url: &str, name: &str, value: &str| {
            let headers = [(name.to_owned(), SecretString::from(value))];
            let made = HttpJson::new(client(), url, &headers, Masker::default());
            made.err().map(|error| error.to_string())
        };
        assert_eq!(new("http://example.com/{{window}}", "a", "b"), None);
        assert!(new("example.com", "a", "b").unwrap().contains("is no address"));
        let refused = new("http://example.com", "a", "hunter2\n").unwrap();
        assert!(
            refused.starts_with("`a` is no header") && !refused.contains("hunter2"),
            "{refused}"
        );
        assert!(new("http://example.com", "a b", "").is_some());
    }
}
