//! Where a probe of a plain connection goes: the port of a host, or a Unix socket. No schemes, no credentials.

use std::fmt;
use std::str::FromStr;

use gha::text;

/// The longest path of a Unix socket in bytes: `sun_path` of unix(7) without its NUL.
const SOCKET_PATH: usize = 107;

/// A host and a port, `db.internal:5432` or `[::1]:80`, or a Unix socket, `unix:/run/db.sock`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A port.
    Port {
        /// A name or an address, the address without brackets.
        host: String,
        /// Its port, never 0.
        port: u16,
    },
    /// The absolute path of a Unix socket.
    Socket(String),
}

/// The text is no place.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlaceError {
    /// Not a host with a port.
    #[error("`{0}` is no host with a port")]
    Port(String),
    /// Not a socket.
    #[error("`{0}` is no Unix socket; write its absolute path, for example `unix:/run/db.sock`")]
    Socket(String),
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        Self::read(written, None)
    }
}

impl Place {
    /// Reads a place whose port may be left out.
    ///
    /// # Errors
    /// When it is no place.
    pub fn with_default_port(written: &str, port: u16) -> Result<Self, PlaceError> {
        Self::read(written, Some(port))
    }

    fn read(written: &str, default: Option<u16>) -> Result<Self, PlaceError> {
        let trimmed = written.trim();
        if let Some(path) = trimmed.strip_prefix("unix:") {
            return Self::socket(path);
        }
        let refuse = || PlaceError::Port(inert(written));
        let (host, port) = match (split(trimmed), default) {
            (Some((host, port)), _) => (host, port.parse().map_err(|_| refuse())?),
            (None, Some(port)) => (trimmed, port),
            (None, None) => return Err(refuse()),
        };
        let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let valid = match inside {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.chars().all(plain),
        };
        if !valid || port == 0 {
            return Err(refuse());
        }
        Ok(Self::Port {
            host: inside.unwrap_or(host).to_owned(),
            port,
        })
    }

    fn socket(path: &str) -> Result<Self, PlaceError> {
        let valid = path.starts_with('/') && path.len() <= SOCKET_PATH && !path.contains('\0');
        if valid {
            Ok(Self::Socket(path.to_owned()))
        } else {
            Err(PlaceError::Socket(inert(path)))
        }
    }
}

/// Host and port; no port where the only colons are an address' own.
fn split(written: &str) -> Option<(&str, &str)> {
    written.rsplit_once(':').filter(|_| !written.ends_with(']'))
}

fn inert(written: &str) -> String {
    text::cut(&text::visible(written), 100)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Port { host, port } => write!(f, "{host}:{port}"),
            Self::Socket(path) => write!(f, "unix:{}", text::visible(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn port(host: &str, port: u16) -> Place {
        Place::Port {
            host: host.to_owned(),
            port,
        }
    }

    #[test]
    fn reads_hosts_with_ports_and_sockets() {
        for (written, place, shown) in [
            ("db:5432", port("db", 5432), "db:5432"),
            ("10.0.0.1:80", port("10.0.0.1", 80), "10.0.0.1:80"),
            ("[::1]:80", port("::1", 80), "[::1]:80"),
            (" a-b.c_d:1 ", port("a-b.c_d", 1), "a-b.c_d:1"),
            (
                "unix:/run/a b.sock",
                Place::Socket("/run/a b.sock".to_owned()),
                "unix:/run/a b.sock",
            ),
        ] {
            let read: Place = written.parse().unwrap();
            assert_eq!((&read, read.to_string().as_str()), (&place, shown));
            assert_eq!(Place::with_default_port(written, 9).unwrap(), place);
        }
    }

    #[test]
    fn a_port_can_have_a_default() {
        for (written, place) in [
            ("db", port("db", 9)),
            ("[::1]", port("::1", 9)),
            ("10.0.0.1", port("10.0.0.1", 9)),
        ] {
            assert_eq!(Place::with_default_port(written, 9).unwrap(), place);
            assert!(written.parse::<Place>().is_err(), "{written}");
        }
    }

    #[test]
    fn refuses_what_is_no_place() {
        let long = format!("unix:/{}", "x".repeat(SOCKET_PATH));
        for written in [
            "",
            "db:",
            ":80",
            "db:0",
            "db:70000",
            "::1:80",
            "::1",
            "[x]:80",
            "[x]",
            "http://db:80",
            "a b:80",
            "db:+80x",
            "unix:run/db.sock",
            "unix:",
            "unix:/a\0b",
            &long,
        ] {
            assert!(written.parse::<Place>().is_err(), "{written}");
            assert!(Place::with_default_port(written, 9).is_err(), "{written}");
        }
    }

    proptest! {
        #[test]
        fn a_place_is_read_back_as_shown(written in any::<String>()) {
            if let Ok(place) = Place::with_default_port(&written, 9) {
                let shown = place.to_string();
                assert!(!shown.chars().any(text::is_hidden), "{shown}");
                if matches!(place, Place::Port { .. }) {
                    assert_eq!(shown.parse::<Place>().unwrap(), place);
                }
            }
        }
    }
}
