//! What a server answers: a response, or a fault in its place.

use std::time::Duration;

use serde_json::Value;

/// One answer of a script.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(crate) kind: Kind,
    pub(crate) delay: Duration,
    /// How many requests it answers before the next one's turn.
    pub(crate) times: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Response(Response),
    Raw(Raw),
    Hang,
    Reset,
    Close,
}

#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) delivery: Delivery,
}

/// Bytes as they are, in place of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Raw {
    pub(crate) begin: Vec<u8>,
    pub(crate) then: Then,
}

/// What comes after the bytes.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// The connection closes.
    Close,
    /// Nothing until the client leaves or the server is dropped.
    Hold,
    /// These again and again with this pause in between, without end.
    Again(Vec<u8>, Duration),
}

/// How the body is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Delivery {
    Whole,
    /// The length is announced, but only so many bytes are sent before the connection closes.
    Cut(usize),
    /// The body again and again with this pause in between, without end.
    Endless(Duration),
}

impl Reply {
    /// An empty response.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::bytes(status, Vec::new())
    }

    /// A response with a text.
    #[must_use]
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        Self::bytes(status, text.into().into_bytes()).header("content-type", "text/plain; charset=utf-8")
    }

    /// A response with JSON.
    #[must_use]
    pub fn json(status: u16, value: &Value) -> Self {
        Self::bytes(status, value.to_string().into_bytes()).header("content-type", "application/json")
    }

    /// A response with bytes and no content type.
    #[must_use]
    pub fn bytes(status: u16, body: Vec<u8>) -> Self {
        let response = Response {
            status,
            headers: Vec::new(),
            body,
            delivery: Delivery::Whole,
        };
        Self::of(Kind::Response(response))
    }

    /// A redirect.
    #[must_use]
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("location", location)
    }

    /// These bytes in place of an answer, whether they are HTTP or not; then the connection closes. Over TLS they go out
    /// unencrypted, which no client takes.
    #[must_use]
    pub fn raw(begin: impl Into<Vec<u8>>) -> Self {
        Self::of(Kind::Raw(Raw {
            begin: begin.into(),
            then: Then::Close,
        }))
    }

    /// As [`Reply::raw`], but the connection stays open and silent after the bytes.
    #[must_use]
    pub fn raw_held(begin: impl Into<Vec<u8>>) -> Self {
        Self::of(Kind::Raw(Raw {
            begin: begin.into(),
            then: Then::Hold,
        }))
    }

    /// As [`Reply::raw`], but after the bytes come others again and again with a pause in between, without end.
    #[must_use]
    pub fn raw_endless(begin: impl Into<Vec<u8>>, again: impl Into<Vec<u8>>, pause: Duration) -> Self {
        Self::of(Kind::Raw(Raw {
            begin: begin.into(),
            then: Then::Again(again.into(), pause),
        }))
    }

    /// Nothing at all until the client leaves or the server is dropped.
    #[must_use]
    pub fn hang() -> Self {
        Self::of(Kind::Hang)
    }

    /// A TCP reset in place of an answer.
    #[must_use]
    pub fn reset() -> Self {
        Self::of(Kind::Reset)
    }

    /// The connection closes in place of an answer.
    #[must_use]
    pub fn close() -> Self {
        Self::of(Kind::Close)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Kind::Response(response) = &mut self.kind {
            response.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Sends only the first `bytes` of the announced body, then closes.
    #[must_use]
    pub fn cut_after(self, bytes: usize) -> Self {
        self.delivered(Delivery::Cut(bytes))
    }

    /// Sends the body again and again with a pause in between, without end.
    #[must_use]
    pub fn endless(self, pause: Duration) -> Self {
        self.delivered(Delivery::Endless(pause))
    }

    /// Waits before it answers.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Answers so many requests before the next reply's turn; one without this.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            delay: Duration::ZERO,
            times: 1,
        }
    }

    fn delivered(mut self, delivery: Delivery) -> Self {
        if let Kind::Response(response) = &mut self.kind {
            response.delivery = delivery;
        }
        self
    }
}
