//! A TCP target or a Unix socket: something accepts the connection and, where asked for, says what is expected. That a
//! port is open does not mean that the service behind it is ready; prefer a probe of its protocol where there is a choice.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use regex::bytes::{Regex, RegexBuilder};

use gha::mask::Masker;
use gha::text;

use crate::expect::quoted;
use crate::finding::{Fault, FaultKind, Finding};
use crate::net::place::{Place, PlaceError};
use crate::net::progress::Progress;
use crate::net::tls::Trust;
use crate::net::{Network, fault};
use crate::probe::stream::{Came, Line};
use crate::probe::tcp::payload::Payload;
use crate::probe::{Look, Looking, Probe};

pub mod payload;

/// The most that is read of an answer, in bytes.
pub const ANSWER_LIMIT: usize = 64 * 1024;

/// How much of an answer is shown, in characters.
const EXCERPT: usize = 512;

/// How large a pattern may become when it is compiled, in bytes.
const PATTERN_LIMIT: usize = 1 << 20;

/// A port or a socket, what is sent to it, and what it must say.
#[derive(Clone)]
pub struct Tcp {
    network: Network,
    place: Place,
    send: Option<Payload>,
    expect: Option<Regex>,
    masker: Masker,
    shown: String,
}

/// The text is no pattern.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{pattern}` is no regular expression: {reason}")]
pub struct PatternError {
    /// The text.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Reads a pattern for [`Tcp::expect`] in the syntax of <https://docs.rs/regex>. It is searched for in the bytes, so
/// `^` is the beginning of the answer.
///
/// # Errors
/// When it is no pattern, or one that would need too much memory.
pub fn pattern(written: &str) -> Result<Regex, PatternError> {
    let built = RegexBuilder::new(written).size_limit(PATTERN_LIMIT).build();
    built.map_err(|error| {
        let reason = match &error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            // The last line names the mistake; those before it draw a picture of the pattern.
            error => error.to_string().lines().last().unwrap_or_default().to_owned(),
        };
        PatternError {
            pattern: text::cut(&text::visible(written), 100),
            reason: text::visible(reason.trim_start_matches("error: ")),
        }
    })
}

impl Tcp {
    /// A target that is good as soon as it accepts a connection.
    #[must_use]
    pub fn new(place: Place) -> Self {
        Self {
            network: Network::straight(Trust::nobody()),
            shown: place.to_string(),
            place,
            send: None,
            expect: None,
            masker: Masker::default(),
        }
    }

    /// The same, sending something when the connection is open.
    #[must_use]
    pub fn send(self, payload: Payload) -> Self {
        Self {
            send: Some(payload),
            ..self
        }
    }

    /// The same, good only when the pattern is found in the first [`ANSWER_LIMIT`] bytes of what it says.
    #[must_use]
    pub fn expect(self, pattern: Regex) -> Self {
        Self {
            expect: Some(pattern),
            ..self
        }
    }

    /// The same, hiding what `masker` knows in all that is said about an answer.
    #[must_use]
    pub fn masking(self, masker: Masker) -> Self {
        Self { masker, ..self }
    }

    /// Looks, and leaves what came in `answer`.
    async fn looked(&self, progress: &Progress, answer: &RefCell<Vec<u8>>) -> Result<Look, Fault> {
        let good = Look::without_answer(Finding::Good);
        let mut line = Line::open(&self.network, &self.place, progress).await?;
        if let Some(payload) = &self.send {
            line.send(payload.bytes()).await?;
        }
        let Some(pattern) = &self.expect else {
            return Ok(good);
        };
        let mut came = Vec::new();
        loop {
            let more = line.read(&mut came, ANSWER_LIMIT).await?;
            answer.borrow_mut().clone_from(&came);
            if more == Came::More && pattern.is_match(&came) {
                return Ok(good);
            }
            let end = match more {
                Came::More => continue,
                Came::End => "closed the connection",
                Came::Full => "went on over 64 KiB",
            };
            return Err(self.other(&format!("it {end}"), &came, pattern));
        }
    }

    /// What came is not what was expected.
    fn other(&self, end: &str, came: &[u8], pattern: &Regex) -> Fault {
        let expected = quoted(pattern.as_str());
        let reason = if came.is_empty() {
            format!("{end} and said nothing, expected {expected}")
        } else {
            let said = quoted(&self.said(came));
            format!("{end} after {said}, expected {expected}")
        };
        fault(FaultKind::Content, reason)
    }

    /// It neither said what was expected nor ended.
    fn hung(&self, limit: Duration, hung: Fault, came: &[u8]) -> Fault {
        match &self.expect {
            Some(pattern) if !came.is_empty() => {
                let (said, expected) = (quoted(&self.said(came)), quoted(pattern.as_str()));
                let limit = gha::duration::display(limit);
                let reason = format!("said {said} and nothing more within {limit}, expected {expected}");
                fault(FaultKind::Slow, reason)
            }
            _ => hung,
        }
    }

    /// What came as text, known secrets hidden before anything is cut.
    fn said(&self, came: &[u8]) -> String {
        text::excerpt(
            self.masker.hide(&String::from_utf8_lossy(came)).as_bytes(),
            EXCERPT,
        )
    }
}

impl FromStr for Tcp {
    type Err = PlaceError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        written.parse().map(Self::new)
    }
}

impl fmt::Debug for Tcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcp")
            .field("place", &self.place)
            .field("send", &self.send)
            .field("expect", &self.expect)
            .finish_non_exhaustive()
    }
}

impl Probe for Tcp {
    fn target(&self) -> &str {
        &self.shown
    }

    fn look(&self, limit: Duration) -> Looking<'_> {
        let progress = Progress::default();
        Box::pin(async move {
            let answer = RefCell::new(Vec::new());
            let hung = |hung| {
                let fault = self.hung(limit, hung, &answer.borrow());
                Look::without_answer(fault.into())
            };
            let looked = Box::pin(self.looked(&progress, &answer));
            let look = progress.look_or(limit, looked, hung).await;
            let came = answer.take();
            Look {
                excerpt: (!came.is_empty()).then(|| self.said(&came)),
                ..look
            }
        })
    }
}

#[cfg(test)]
mod tests;
