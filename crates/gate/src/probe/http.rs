//! An HTTP target: connected, answered in full, as expected, and soon enough. Redirects are not followed unless asked for,
//! because a login page answers 200 too.

use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap,
    HeaderName, HeaderValue, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};

use tokio::sync::Semaphore;

use gha::duration;
use gha::edge::http::Url;
use gha::mask::Masker;
use gha::text;

use crate::answer::{Answer, BODY_LIMIT};
use crate::expect::{Expect, quoted};
use crate::finding::{Fault, FaultKind, Finding};
use crate::net::progress::Progress;
use crate::net::resolve::Way;
use crate::net::{Network, Origin, fault};
use crate::probe::{Look, Looking, Probe};

mod address;
mod exchange;
mod hops;
mod meter;
#[cfg(test)]
mod tests;

pub use address::{AddressError, address, shown};
use exchange::{Ask, LARGE_BODIES, Room, exchange};
use hops::Hop;

/// How much of a body is shown, in characters.
const EXCERPT: usize = 512;

/// What is offered by ALPN (RFC 7301), the preferred first.
const PROTOCOLS: [&str; 2] = ["h2", "http/1.1"];

/// An HTTP target.
pub struct Http {
    network: Network,
    url: Url,
    shown: String,
    method: Method,
    /// Sent to every origin.
    common: HeaderMap,
    /// Sent to the target's own origin alone.
    own: HeaderMap,
    body: Bytes,
    follow: u8,
    body_limit: usize,
    max_latency: Option<Duration>,
    min_days: Option<i64>,
    expect: Expect,
    masker: Masker,
    /// What all looks share for large bodies.
    large_bodies: Semaphore,
}

/// A header can't be sent. Its value is not told, for it may be a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HeaderError {
    /// The name is none (RFC 9110, section 5.6.2).
    #[error("{0} is no name of a header")]
    Name(String),
    /// The value holds a line end or another control character.
    #[error("the value of header `{0}` holds a character that no header can hold")]
    Value(String),
    /// The connection sets it itself.
    #[error("header `{0}` is set by the connection itself")]
    Connection(String),
}

impl Http {
    /// A GET of `url`. `agent` is how the program names itself. `traceparent` is sent with every request, so that the
    /// target's own traces can be joined. What `masker` knows is hidden in all that is said about an answer.
    #[must_use]
    pub fn new(
        network: Network,
        url: Url,
        agent: &str,
        traceparent: &str,
        expect: Expect,
        masker: Masker,
    ) -> Self {
        let mut common = HeaderMap::new();
        common.insert(ACCEPT, HeaderValue::from_static("*/*"));
        common.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        common.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let traced = HeaderName::from_static("traceparent");
        for (name, value) in [(USER_AGENT, agent), (traced, traceparent)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                common.insert(name, value);
            }
        }
        let credentials = address::credentials(&url).map(|value| (AUTHORIZATION, value));
        Self {
            network,
            shown: shown(&url),
            method: Method::GET,
            common,
            own: credentials.into_iter().collect(),
            body: Bytes::new(),
            follow: 0,
            body_limit: BODY_LIMIT,
            max_latency: None,
            min_days: None,
            expect,
            masker,
            url,
            large_bodies: Semaphore::new(LARGE_BODIES),
        }
    }

    /// Another method than GET.
    #[must_use]
    pub fn method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// One more header, in place of one that is sent anyway. It may be a secret: it is never shown, and not sent to
    /// another origin by a redirect. That its value is hidden where a target repeats it is the masker's part.
    ///
    /// # Errors
    /// When it can't be sent.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, HeaderError> {
        let of_connection = [
            CONNECTION,
            CONTENT_LENGTH,
            HOST,
            PROXY_AUTHORIZATION,
            TE,
            TRAILER,
            TRANSFER_ENCODING,
            UPGRADE,
        ];
        let header = HeaderName::try_from(name).map_err(|_| HeaderError::Name(quoted(name)))?;
        if of_connection.contains(&header) {
            return Err(HeaderError::Connection(header.to_string()));
        }
        let value = HeaderValue::try_from(value).map_err(|_| HeaderError::Value(header.to_string()));
        let mut value = value?;
        value.set_sensitive(true);
        self.own.insert(header, value);
        Ok(self)
    }

    /// A body to send.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { body, ..self }
    }

    /// The most redirects that are followed; none by default. The answer at their end is judged.
    #[must_use]
    pub fn follow(self, follow: u8) -> Self {
        Self { follow, ..self }
    }

    /// The most bytes that are read of a body, at most [`BODY_LIMIT`].
    #[must_use]
    pub fn body_limit(self, bytes: usize) -> Self {
        let body_limit = bytes.min(BODY_LIMIT);
        Self { body_limit, ..self }
    }

    /// The longest that a good answer may take, from the start of the look to the end of the body.
    #[must_use]
    pub fn max_latency(self, max_latency: Duration) -> Self {
        let max_latency = Some(max_latency);
        Self { max_latency, ..self }
    }

    /// The fewest whole days for which every certificate that is presented must still be valid.
    #[must_use]
    pub fn min_days(self, min_days: i64) -> Self {
        let min_days = Some(min_days);
        Self { min_days, ..self }
    }

    /// Looks at the target at each of the places that are asked for, and gives the answer of the last one.
    async fn looked(&self, progress: &Progress) -> Result<Look, Fault> {
        let unusable = || fault(FaultKind::Protocol, "the address can't be asked");
        let origin = Origin::of(&self.url).ok_or_else(unusable)?;
        let ways = self.network.ways(&origin, progress).await?;
        let resolved = progress.elapsed();
        let mut seen = None;
        let room = Room::of(&self.large_bodies);
        for way in &ways {
            progress.again(way.place(&ways));
            let begin = progress.elapsed();
            let look = self.at(&origin, way, &room, progress).await;
            let look = look.map_err(|fault| progress.placed(fault))?;
            let took = resolved + progress.elapsed().saturating_sub(begin);
            let look = self.in_time(look, took);
            if !look.finding.is_good() {
                let finding = match look.finding {
                    Finding::Bad(fault) => Finding::Bad(progress.placed(fault)),
                    finding => finding,
                };
                return Ok(Look { finding, ..look });
            }
            seen = Some(look);
        }
        seen.ok_or_else(unusable)
    }

    /// Asks one place, follows where it leads, and judges what is at the end.
    async fn at(
        &self,
        origin: &Origin,
        way: &Way,
        room: &Room<'_>,
        progress: &Progress,
    ) -> Result<Look, Fault> {
        let mut path: Vec<String> = Vec::new();
        let mut hop = Hop {
            url: address::bare(&self.url),
            method: self.method.clone(),
            body: !self.body.is_empty(),
            elsewhere: false,
            shown: String::new(),
        };
        let mut left = false;
        loop {
            let answer = self.answer(&hop, (origin, way), (left, room), progress).await;
            let answer = answer.map_err(|fault| Fault {
                reason: after(fault.reason, &path),
                ..fault
            })?;
            let next = hops::next(&hop.url, &hop.method, hop.body, &answer);
            let Some(next) = next.filter(|_| path.len() < usize::from(self.follow)) else {
                let look = self.seen(&answer);
                let finding = match look.finding {
                    Finding::Bad(fault) => Finding::bad(fault.kind, after(fault.reason, &path)),
                    finding => finding,
                };
                return Ok(Look { finding, ..look });
            };
            path.push(self.masker.hide(&next.shown));
            left = left || next.elsewhere;
            hop = next;
        }
    }

    /// The answer of one hop. `left` is whether the path has left the target's own origin.
    async fn answer(
        &self,
        hop: &Hop,
        (origin, way): (&Origin, &Way),
        (left, room): (bool, &Room<'_>),
        progress: &Progress,
    ) -> Result<Answer, Fault> {
        let here = Origin::of(&hop.url).filter(|here| here != origin);
        let (origin, way) = match here {
            None => (origin.clone(), way.clone()),
            Some(other) => {
                // How many addresses must be good is asked of the target, not of where it leads.
                let way = self.network.way(&other, progress).await?;
                (other, way)
            }
        };
        let mut headers = self.common.clone();
        if !left {
            headers.extend(self.own.clone());
        }
        let ask = Ask {
            url: &hop.url,
            method: &hop.method,
            headers,
            body: if hop.body { self.body.clone() } else { Bytes::new() },
            limit: self.body_limit,
            room,
        };
        let opened = self.network.open(&origin, &way, &PROTOCOLS, progress).await?;
        exchange(opened, ask, progress).await
    }

    /// What an answer tells. It is judged as it is, and spoken of as masked.
    fn seen(&self, answer: &Answer) -> Look {
        let masked = self.masked(answer);
        let finding = match self.expect.judge(answer) {
            Finding::Bad(fault) => match self.expect.judge(&masked) {
                Finding::Bad(masked) => Finding::Bad(masked),
                _ => Finding::bad(fault.kind, "the answer is not as expected"),
            },
            other => other,
        };
        let excerpt = Some(text::excerpt(&masked.body, EXCERPT));
        Look {
            status: Some(answer.status),
            excerpt,
            ..Look::without_answer(finding)
        }
    }

    /// A good look that took too long is none.
    fn in_time(&self, look: Look, took: Duration) -> Look {
        let Some(most) = self
            .max_latency
            .filter(|most| took > *most && look.finding.is_good())
        else {
            return look;
        };
        let (took, most) = (duration::display(took), duration::display(most));
        let reason = format!("the answer took {took}, expected at most {most}");
        Look {
            finding: Finding::bad(FaultKind::Slow, reason),
            ..look
        }
    }

    /// An answer with every known secret in it hidden, before anything of it is cut.
    fn masked(&self, answer: &Answer) -> Answer {
        if self.masker.is_empty() {
            return answer.clone();
        }
        let hide = |(name, value): &(String, String)| (name.clone(), self.masker.hide(value));
        Answer {
            headers: answer.headers.iter().map(hide).collect(),
            body: self
                .masker
                .hide(&String::from_utf8_lossy(&answer.body))
                .into_bytes(),
            ..answer.clone()
        }
    }
}

impl Probe for Http {
    fn target(&self) -> &str {
        &self.shown
    }

    fn look(&self, limit: Duration) -> Looking<'_> {
        // The clock starts here and not when the look is first polled, which the engine's may be before.
        let progress = Progress::wanting(self.min_days);
        Box::pin(async move { progress.look(limit, Box::pin(self.looked(&progress))).await })
    }
}

/// A reason with the redirects that led to it.
fn after(reason: String, path: &[String]) -> String {
    if path.is_empty() {
        return reason;
    }
    let path = text::cut(&path.join(", "), 300);
    format!("{reason} (after {path})")
}
