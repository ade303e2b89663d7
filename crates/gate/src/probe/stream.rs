//! A connection for a probe of its own protocol: opened, encrypted where asked for, read within bounds. One look, one
//! connection; nothing is kept.

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, InvalidMessage};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use gha::text;

use crate::expect::quoted;
use crate::finding::{FaultKind, Finding};
use crate::probe::place::Place;
use crate::probe::{CONNECT_SHARE, Phases};

/// How much of a try's time a look may take by itself: less than all of it, so that a look which hangs can still tell
/// how far it came before the engine drops it.
pub(crate) const LOOK_SHARE: f64 = 0.97;

/// A connection, encrypted or not.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A connection and when the phases of its look ended.
pub(crate) struct Line<'a> {
    stream: Box<dyn Duplex>,
    phases: &'a Cell<Phases>,
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

/// Runs a look and ends it just before the engine would, with a reason that `hung` gives.
pub(crate) async fn within(
    limit: Duration,
    look: impl Future<Output = Finding>,
    hung: impl FnOnce() -> Finding,
) -> Finding {
    timeout(limit.mul_f64(LOOK_SHARE), look)
        .await
        .unwrap_or_else(|_| hung())
}

/// It accepted the connection, and no complete answer came.
pub(crate) fn silent(limit: Duration) -> Finding {
    let limit = gha::duration::display(limit);
    Finding::bad(FaultKind::Slow, format!("no complete answer within {limit}"))
}

impl<'a> Line<'a> {
    /// Connects. `limit` is the time of the whole look.
    pub(crate) async fn open(
        place: &Place,
        limit: Duration,
        phases: &'a Cell<Phases>,
    ) -> Result<Self, Finding> {
        let end = Instant::now() + limit.mul_f64(CONNECT_SHARE);
        let stream: Box<dyn Duplex> = match place {
            Place::Port { host, port } => Box::new(connect(host, *port, end, phases).await?),
            Place::Socket(path) => {
                let begin = Instant::now();
                let connect = timeout_at(end, UnixStream::connect(path));
                let stream = connect
                    .await
                    .map_err(|_| late())?
                    .map_err(|error| unreachable(&error))?;
                ended(phases, |phases, took| phases.connect = Some(took), begin);
                Box::new(stream)
            }
        };
        Ok(Self {
            stream,
            phases,
            asked: None,
        })
    }

    /// Continues in TLS. The certificate must be for `host`, as far as `config` verifies it.
    pub(crate) async fn encrypted(self, host: &str, config: Arc<ClientConfig>) -> Result<Self, Finding> {
        let begin = Instant::now();
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            let reason = format!("TLS failed: no certificate can name the host `{host}`");
            Finding::bad(FaultKind::Tls, reason)
        })?;
        let connect = TlsConnector::from(config).connect(name, self.stream);
        let stream = connect.await.map_err(|error| handshake(&error))?;
        ended(self.phases, |phases, took| phases.tls = Some(took), begin);
        Ok(Self {
            stream: Box::new(stream),
            ..self
        })
    }

    /// Sends all of it.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Finding> {
        self.asked.get_or_insert_with(Instant::now);
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        sent.await.map_err(|error| broken(&error))
    }

    /// Ends the connection in order, so that the other side does not log a broken one.
    pub(crate) async fn close(mut self) {
        // The answer is there; that the farewell arrives is no part of it.
        let _ = self.stream.shutdown().await;
    }

    /// Reads what comes next to the end of `buffer`, which never grows over `most` bytes.
    pub(crate) async fn read(&mut self, buffer: &mut Vec<u8>, most: usize) -> Result<Came, Finding> {
        let begin = *self.asked.get_or_insert_with(Instant::now);
        let mut chunk = [0; 4096];
        let room = most.saturating_sub(buffer.len()).min(chunk.len());
        if room == 0 {
            return Ok(Came::Full);
        }
        let read = match self.stream.read(&mut chunk[..room]).await {
            // TLS that ends without saying so ends all the same: nothing here is believed for being complete.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => 0,
            read => read.map_err(|error| broken(&error))?,
        };
        if read == 0 {
            return Ok(Came::End);
        }
        if self.phases.get().first_byte.is_none() {
            ended(self.phases, |phases, took| phases.first_byte = Some(took), begin);
        }
        buffer.extend_from_slice(&chunk[..read]);
        Ok(Came::More)
    }
}

/// Notes how long a phase took.
fn ended(phases: &Cell<Phases>, note: impl FnOnce(&mut Phases, Duration), begin: Instant) {
    let mut all = phases.get();
    note(&mut all, begin.elapsed());
    phases.set(all);
}

/// Connects to the first of a host's addresses that accepts. Each gets its share of the time, so that one which swallows
/// packets does not hide the next.
async fn connect(host: &str, port: u16, end: Instant, phases: &Cell<Phases>) -> Result<TcpStream, Finding> {
    let begin = Instant::now();
    let unknown = |why: &str| {
        let reason = format!("the host's name can't be resolved: {why}");
        Finding::bad(FaultKind::Name, reason)
    };
    let found = timeout_at(end, lookup_host((host, port))).await;
    let addresses: Vec<_> = found
        .map_err(|_| unknown("no answer in time"))?
        .map_err(|error| unknown(&text::visible(&error.to_string())))?
        .collect();
    ended(phases, |phases, took| phases.dns = Some(took), begin);

    let begin = Instant::now();
    let mut fault = unknown("it has no address");
    for (index, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let share = end.saturating_duration_since(Instant::now()) / left;
        fault = match timeout(share, TcpStream::connect(address)).await {
            // On loopback a connect can meet itself where nobody listens, when the system picks the same port.
            Ok(Ok(stream)) if stream.local_addr().ok() == stream.peer_addr().ok() => refused(),
            Ok(Ok(stream)) => {
                ended(phases, |phases, took| phases.connect = Some(took), begin);
                return Ok(stream);
            }
            Ok(Err(error)) => unreachable(&error),
            Err(_) => late(),
        };
    }
    Err(fault)
}

fn late() -> Finding {
    Finding::bad(FaultKind::Connection, "could not connect in time")
}

/// Nobody listens.
fn refused() -> Finding {
    Finding::bad(FaultKind::Connection, "connection refused")
}

/// What a failed connect says about the target.
fn unreachable(error: &io::Error) -> Finding {
    match error.kind() {
        ErrorKind::ConnectionRefused => refused(),
        _ => Finding::bad(FaultKind::Connection, format!("could not connect: {error}")),
    }
}

/// What a connection that breaks says about the target.
fn broken(error: &io::Error) -> Finding {
    match tls_error(error) {
        Some(error) => encryption(error),
        None => Finding::bad(FaultKind::Connection, format!("the connection broke: {error}")),
    }
}

/// What a handshake that fails says about the target.
fn handshake(error: &io::Error) -> Finding {
    match tls_error(error) {
        Some(error) => encryption(error),
        None => Finding::bad(FaultKind::Tls, format!("TLS failed: {error}")),
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// The commonest failures of TLS in words; the library's own for the others.
fn encryption(error: &rustls::Error) -> Finding {
    let reason = match error {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the server does not speak it at this port".to_owned()
        }
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "the certificate's authority is not trusted (UnknownIssuer)".to_owned()
        }
        // A certificate's names are in some of them.
        error => text::cut(&text::visible(&error.to_string()), 200),
    };
    Finding::bad(FaultKind::Tls, format!("TLS failed: {reason}"))
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
