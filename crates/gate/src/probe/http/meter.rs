//! A connection under a meter: when the first byte came, no more than so much before the head is complete, and never so
//! much at once that the look's own clock is not asked.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use rustls::AlertDescription;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::net::tls;

/// The most that is read before the head of the answer is complete: the head itself, informational answers before it,
/// and HTTP/2's own frames.
pub(crate) const HEAD_LIMIT: usize = 256 * 1024;

/// The most that one read takes.
const ONE_READ: usize = 16 * 1024;

/// The most reads in a row before others have their turn.
const IN_A_ROW: u8 = 8;

/// What has come in.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    /// When the first byte came.
    pub(crate) first: Cell<Option<Instant>>,
    /// Bytes so far, until the head is complete.
    before_head: Cell<usize>,
    headed: Cell<bool>,
    /// What the server's TLS said when it broke off. HTTP/2 tells it on as text only.
    pub(crate) alert: Cell<Option<AlertDescription>>,
}

impl Readings {
    /// The head is complete.
    pub(crate) fn headed(&self) {
        self.headed.set(true);
    }

    /// Whether more came than a head may have.
    pub(crate) fn too_much(&self) -> bool {
        !self.headed.get() && self.before_head.get() > HEAD_LIMIT
    }
}

/// A connection under a meter.
pub(crate) struct Meter<S> {
    inner: S,
    readings: Rc<Readings>,
    in_a_row: u8,
}

impl<S> Meter<S> {
    pub(crate) fn new(inner: S, readings: Rc<Readings>) -> Self {
        Self {
            inner,
            readings,
            in_a_row: 0,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Meter<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.readings.too_much() {
            return Poll::Ready(Err(io::Error::other("too much before the head is complete")));
        }
        if self.in_a_row >= IN_A_ROW {
            self.in_a_row = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let room = ONE_READ.min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        let Poll::Ready(read) = Pin::new(&mut self.inner).poll_read(context, &mut part) else {
            self.in_a_row = 0;
            return Poll::Pending;
        };
        let count = part.filled().len();
        if let Err(error) = read {
            if let Some(rustls::Error::AlertReceived(alert)) = tls::of_rustls(&error) {
                self.readings.alert.set(Some(*alert));
            }
            return Poll::Ready(Err(error));
        }
        buffer.advance(count);
        self.in_a_row += 1;
        let readings = &self.readings;
        if count > 0 && readings.first.get().is_none() {
            readings.first.set(Some(Instant::now()));
        }
        if !readings.headed.get() {
            let so_far = readings.before_head.get();
            readings.before_head.set(so_far.saturating_add(count));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Meter<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, repeat, sink};
    use tokio::time::timeout;

    fn endless() -> (
        Meter<tokio::io::Join<tokio::io::Repeat, tokio::io::Sink>>,
        Rc<Readings>,
    ) {
        let readings = Rc::new(Readings::default());
        let stream = tokio::io::join(repeat(b'x'), sink());
        (Meter::new(stream, Rc::clone(&readings)), readings)
    }

    #[tokio::test]
    async fn a_head_has_an_end() {
        let (mut meter, readings) = endless();
        let mut read = Vec::new();
        assert!(meter.read_to_end(&mut read).await.is_err());
        assert!(read.len() <= HEAD_LIMIT + ONE_READ && readings.too_much());
        assert!(readings.first.get().is_some());
    }

    #[tokio::test]
    async fn the_clock_is_asked_between_reads() {
        let (mut meter, readings) = endless();
        readings.headed();
        let forever = async {
            let mut buffer = vec![0; 1024];
            loop {
                meter.read_exact(&mut buffer).await.unwrap();
            }
        };
        // Without turns for others this would never end: the stream always has more.
        let ended: Result<(), _> = timeout(Duration::from_millis(5), forever).await;
        assert!(ended.is_err() && !readings.too_much());
    }
}
