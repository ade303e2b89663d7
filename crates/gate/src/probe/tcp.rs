//! A TCP target: something accepts the connection. That a port is open does not mean that the service behind it is
//! ready; prefer HTTP where there is a choice.

use std::io::ErrorKind;
use std::str::FromStr;
use std::time::Duration;

use tokio::net::TcpStream;

use gha::text;

use crate::finding::{FaultKind, Finding};
use crate::probe::{CONNECT_SHARE, Look, Looking, Probe};

/// A host and a port: `db.internal:5432`, `[::1]:80`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tcp {
    host: String,
    port: u16,
    shown: String,
}

/// The text is no host with a port.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no host with a port")]
pub struct TcpError(String);

impl FromStr for Tcp {
    type Err = TcpError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let refuse = || TcpError(text::cut(&text::visible(written), 100));
        let (host, port) = written.trim().rsplit_once(':').ok_or_else(refuse)?;
        let port: u16 = port.parse().ok().filter(|port| *port != 0).ok_or_else(refuse)?;
        let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let valid = match inside {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.chars().all(plain),
        };
        if !valid {
            return Err(refuse());
        }
        Ok(Self {
            host: inside.unwrap_or(host).to_owned(),
            port,
            shown: format!("{host}:{port}"),
        })
    }
}

impl Probe for Tcp {
    fn target(&self) -> &str {
        &self.shown
    }

    fn look(&self, limit: Duration) -> Looking<'_> {
        Box::pin(async move {
            let connect = TcpStream::connect((self.host.as_str(), self.port));
            let finding = match tokio::time::timeout(limit.mul_f64(CONNECT_SHARE), connect).await {
                // On loopback a connect can meet itself where nobody listens, when the system picks the same port.
                Ok(Ok(stream)) if stream.local_addr().ok() == stream.peer_addr().ok() => refused(),
                Ok(Ok(_)) => Finding::Good,
                Ok(Err(error)) => fault(&error),
                Err(_) => Finding::bad(FaultKind::Connection, "could not connect in time"),
            };
            Look::without_answer(finding)
        })
    }
}

/// Nobody listens.
fn refused() -> Finding {
    Finding::bad(FaultKind::Connection, "connection refused")
}

/// What a failed connect says about the target.
fn fault(error: &std::io::Error) -> Finding {
    match error.kind() {
        ErrorKind::ConnectionRefused => refused(),
        // The resolver's errors carry no number of the system.
        _ if error.raw_os_error().is_none() => Finding::bad(
            FaultKind::Name,
            format!("the host's name can't be resolved: {error}"),
        ),
        _ => Finding::bad(FaultKind::Connection, format!("could not connect: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_hosts_with_ports() {
        for (written, host, port) in [
            ("db:5432", "db", 5432),
            ("10.0.0.1:80", "10.0.0.1", 80),
            ("[::1]:80", "::1", 80),
            (" a-b.c_d:1 ", "a-b.c_d", 1),
        ] {
            let tcp: Tcp = written.parse().unwrap();
            assert_eq!((tcp.host.as_str(), tcp.port), (host, port));
        }
        for written in [
            "",
            "db",
            "db:",
            ":80",
            "db:0",
            "db:70000",
            "::1:80",
            "[x]:80",
            "http://db:80",
            "a b:80",
            "db:+80x",
        ] {
            assert!(written.parse::<Tcp>().is_err(), "{written}");
        }
    }

    #[tokio::test]
    async fn an_open_port_is_good_and_a_closed_one_is_refused() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let tcp: Tcp = format!("127.0.0.1:{port}").parse().unwrap();
        assert_eq!(tcp.look(Duration::from_secs(5)).await.finding, Finding::Good);
        drop(listener);
        assert_eq!(
            tcp.look(Duration::from_secs(5)).await.finding,
            Finding::bad(FaultKind::Connection, "connection refused")
        );
    }
}
