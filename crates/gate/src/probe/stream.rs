//! A connection for a probe of its own protocol: opened, encrypted where asked for, read within bounds. One look, one
//! connection; nothing is kept.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use gha::text;

use crate::expect::quoted;
use crate::finding::{Fault, FaultKind, Finding};
use crate::net::place::Place;
use crate::net::progress::{Progress, Stage};
use crate::net::{Network, Stream, fault, tls};

/// A connection to a place, encrypted or not.
pub(crate) struct Line<'a> {
    network: &'a Network,
    place: &'a Place,
    progress: &'a Progress,
    stream: Box<dyn Stream>,
    asked: Option<Instant>,
}

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// More bytes.
    More,
    /// The other side closed the connection.
    End,
    /// The buffer holds as much as is read of any answer.
    Full,
}

impl<'a> Line<'a> {
    /// Connects.
    pub(crate) async fn open(
        network: &'a Network,
        place: &'a Place,
        progress: &'a Progress,
    ) -> Result<Self, Fault> {
        Ok(Self {
            stream: network.connect(place, progress).await?,
            network,
            place,
            progress,
            asked: None,
        })
    }

    /// Continues in TLS, with a certificate for the host. Over a Unix socket there is none.
    pub(crate) async fn encrypted(self) -> Result<Self, Fault> {
        let Place::Port(at) = self.place else {
            return Ok(self);
        };
        let securing = self.network.secure(self.stream, &at.host, &[], self.progress);
        let stream = Box::new(securing.await?.outcome?);
        Ok(Self { stream, ..self })
    }

    /// Sends all of it.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.progress.goes_on(Stage::Answer(0));
        self.asked.get_or_insert_with(Instant::now);
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|error| self.broken(&error))
    }

    /// Ends the connection in order, so that the other side does not log a broken one.
    pub(crate) async fn close(mut self) {
        // The answer is there; that the farewell arrives is no part of it.
        let _ = self.stream.shutdown().await;
    }

    /// Reads what comes next to the end of `buffer`, which never grows over `most` bytes.
    pub(crate) async fn read(&mut self, buffer: &mut Vec<u8>, most: usize) -> Result<Came, Fault> {
        self.progress.goes_on(Stage::Answer(buffer.len()));
        let begin = *self.asked.get_or_insert_with(Instant::now);
        let mut chunk = [0; 4096];
        let room = most.saturating_sub(buffer.len()).min(chunk.len());
        if room == 0 {
            return Ok(Came::Full);
        }
        let read = match self.stream.read(&mut chunk[..room]).await {
            // TLS that ends without saying so ends all the same: nothing here is believed for being complete.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => 0,
            read => read.map_err(|error| self.broken(&error))?,
        };
        if read == 0 {
            return Ok(Came::End);
        }
        if self.progress.phases().first_byte.is_none() {
            self.progress.first_byte(begin.elapsed());
        }
        buffer.extend_from_slice(&chunk[..read]);
        Ok(Came::More)
    }

    /// What a connection that breaks says about the target. With TLS 1.3 a client learns only here that the server wanted
    /// more of it.
    fn broken(&self, error: &io::Error) -> Fault {
        match tls::of_rustls(error) {
            Some(error) => {
                let reason = tls::broken_off(error, &self.place.to_string());
                fault(FaultKind::Tls, format!("TLS failed: {reason}"))
            }
            None => fault(FaultKind::Connection, format!("the connection broke: {error}")),
        }
    }
}

/// It answered in another protocol than the one it was asked in.
pub(crate) fn foreign(came: &[u8], protocol: &str) -> Finding {
    // A TLS record that holds an alert, of any version (RFC 8446, section 5.1).
    if came.starts_with(&[0x15, 3]) {
        return Finding::bad(FaultKind::Tls, "it wants TLS at this port and was asked without");
    }
    let said = quoted(&text::excerpt(came, 512));
    Finding::bad(
        FaultKind::Protocol,
        format!("answered {said}, which is not {protocol}"),
    )
}

#[cfg(test)]
mod tests;
