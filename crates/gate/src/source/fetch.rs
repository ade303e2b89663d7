//! One request to a metric source by HTTP: its answer whole and bounded, or why there is none.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};

use gha::mask::Masker;
use gha::text;

use crate::expect::quoted;
use crate::trouble::Trouble;

/// The most that an answer may hold, in bytes. An answer to a question of ours is a few hundred.
pub(super) const LIMIT: usize = 1024 * 1024;

/// An answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Sends a request and reads the answer.
pub(super) async fn fetch(request: RequestBuilder) -> Result<Answer, Trouble> {
    let lost = |error| {
        let reason = text::visible(&gha::edge::http::reason(error));
        Trouble::passing(text::cut(&reason, 300))
    };
    let mut response = request.send().await.map_err(lost)?;
    let mut answer = begun(&mut response);
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if answer.body.len() + chunk.len() > LIMIT {
            return Err(Trouble::question(
                "the answer is over 1 MiB: ask for one number, not for many series",
            ));
        }
        answer.body.extend_from_slice(&chunk);
    }
    Ok(answer)
}

fn begun(response: &mut Response) -> Answer {
    Answer {
        status: response.status().as_u16(),
        headers: std::mem::take(response.headers_mut()),
        body: Vec::new(),
    }
}

impl Answer {
    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long to wait by `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date, which is measured by the clock of
    /// the server that named it.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let value = self.header(RETRY_AFTER.as_str())?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let (now, then) = (date(self.header(DATE.as_str())?)?, date(value)?);
        Duration::try_from(then.duration_since(now)).ok()
    }

    /// Where a redirect leads, without its query, which may hold a token.
    pub(super) fn location(&self) -> String {
        let location = self.header(LOCATION.as_str()).unwrap_or_default();
        quoted(location.split(['?', '#']).next().unwrap_or_default())
    }

    /// What a source says of an error in its own words, known secrets hidden; or the beginning of the body.
    pub(super) fn words(&self, said: Option<&str>, masker: &Masker) -> String {
        let body = String::from_utf8_lossy(&self.body);
        match said.unwrap_or(&body).trim() {
            "" => String::new(),
            said => format!(": {}", quoted(&masker.hide(said))),
        }
    }
}

/// A date of HTTP, in one of its three forms (RFC 9110, section 5.6.7).
fn date(written: &str) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(written.trim()).ok()?).ok()
}

/// Notes of a source: a few of them, each bounded and inert.
pub(super) fn notes<'a>(said: impl IntoIterator<Item = &'a str>, masker: &Masker) -> Vec<String> {
    let shown = |note: &str| text::cut(&text::visible(&masker.hide(note)), 200);
    said.into_iter().take(5).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn answer(headers: &[(&'static str, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_str(value).unwrap(),
            )
        });
        Answer {
            headers: headers.collect(),
            ..Answer::default()
        }
    }

    #[test]
    fn a_pause_is_read() {
        let now = ("date", "Sun, 22 Nov 2026 10:00:00 GMT");
        for (headers, seconds) in [
            (&[("retry-after", "7")][..], Some(7)),
            (&[now, ("retry-after", "Sun, 22 Nov 2026 10:01:30 GMT")], Some(90)),
            (
                &[now, ("retry-after", "Sunday, 22-Nov-26 10:01:30 GMT")],
                Some(90),
            ),
            (&[now, ("retry-after", "Sun Nov 22 10:01:30 2026")], Some(90)),
            (&[now, ("retry-after", "Sun, 22 Nov 2026 09:00:00 GMT")], None),
            (&[("retry-after", "Sun, 22 Nov 2026 10:01:30 GMT")], None),
            (&[("retry-after", "soon")], None),
            (&[], None),
        ] {
            let pause = answer(headers).retry_after();
            assert_eq!(pause, seconds.map(Duration::from_secs), "{headers:?}");
        }
    }

    #[test]
    fn foreign_words_are_one_line_without_secrets() {
        let mut masker = Masker::default();
        let _ = masker.add("very-secret-token");
        let mut foreign = answer(&[("location", "https://login.example/?token=x")]);
        foreign.body = b"bad\nvery-secret-token".to_vec();
        assert_eq!(foreign.words(None, &masker), ": `bad\\n***`");
        assert_eq!(foreign.words(Some(" "), &masker), "");
        assert_eq!(foreign.location(), "`https://login.example/`");
    }
}
