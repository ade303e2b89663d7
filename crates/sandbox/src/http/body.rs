//! The body of a reply as a stream, with the faults that lie in it.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::reply::{Delivery, Response};

/// A body under way.
#[derive(Debug)]
pub(crate) enum Sending {
    Whole(Option<Bytes>),
    /// The part that is sent, the length that was announced, and whether the part has had time to leave.
    Cut {
        part: Option<Bytes>,
        announced: u64,
        flushed: bool,
    },
    Endless {
        chunk: Bytes,
        pause: Duration,
        waiting: Option<Pin<Box<Sleep>>>,
    },
}

impl Sending {
    /// All of a body.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self::Whole(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }

    /// The first bytes of a body, which is announced whole.
    pub(crate) fn cut(bytes: &Bytes, at: usize) -> Self {
        // One byte is always missing, or else nothing would be cut.
        let part = bytes.slice(..at.min(bytes.len().saturating_sub(1)));
        Self::Cut {
            part: Some(part),
            announced: bytes.len().max(1) as u64,
            flushed: false,
        }
    }

    pub(crate) fn new(response: &Response) -> Self {
        let bytes = Bytes::from(response.body.clone());
        match response.delivery {
            Delivery::Whole => Self::whole(bytes),
            Delivery::Cut(at) => Self::cut(&bytes, at),
            Delivery::Endless(pause) => {
                let chunk = if bytes.is_empty() {
                    Bytes::from_static(b".")
                } else {
                    bytes
                };
                Self::Endless {
                    chunk,
                    pause,
                    waiting: None,
                }
            }
        }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Cut { part, flushed, .. } => {
                if let Some(part) = part.take().filter(|part| !part.is_empty()) {
                    return Poll::Ready(Some(Ok(Frame::data(part))));
                }
                if !*flushed {
                    // An error drops what is still buffered; a body that waits makes hyper write it out first.
                    *flushed = true;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(Some(Err(io::Error::other("cut short on purpose"))))
            }
            Self::Endless {
                chunk,
                pause,
                waiting,
            } => {
                if let Some(sleep) = waiting {
                    std::task::ready!(sleep.as_mut().poll(context));
                }
                *waiting = Some(Box::pin(sleep(*pause)));
                Poll::Ready(Some(Ok(Frame::data(chunk.clone()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Cut { announced, .. } => SizeHint::with_exact(*announced),
            Self::Endless { .. } => SizeHint::default(),
        }
    }
}
