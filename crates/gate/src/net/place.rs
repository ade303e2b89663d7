//! Where a connection goes that is opened straight: the port of a host, or a Unix socket. No schemes, no credentials.

use std::fmt;
use std::str::FromStr;

use gha::text;

use super::host_port::{HostPort, HostPortError, shown};

/// The longest path of a Unix socket in bytes: `sun_path` of unix(7) without its NUL.
const SOCKET_PATH: usize = 107;

/// A host and a port, `db.internal:5432` or `[::1]:80`, or a Unix socket, `unix:/run/db.sock`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A port of a host.
    Port(HostPort),
    /// The absolute path of a Unix socket.
    Socket(String),
}

/// The text is no place.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PlaceError {
    /// Not a host with a port.
    #[error(transparent)]
    Port(#[from] HostPortError),
    /// Not a socket.
    #[error("`{0}` is no Unix socket; write its absolute path, for example `unix:/run/db.sock`")]
    Socket(String),
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        match written.trim().strip_prefix("unix:") {
            Some(path) => Self::socket(path),
            None => Ok(Self::Port(written.parse()?)),
        }
    }
}

impl Place {
    fn socket(path: &str) -> Result<Self, PlaceError> {
        let valid = path.starts_with('/') && path.len() <= SOCKET_PATH && !path.contains('\0');
        if valid {
            Ok(Self::Socket(path.to_owned()))
        } else {
            Err(PlaceError::Socket(shown(path)))
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(at) => at.fmt(f),
            Self::Socket(path) => write!(f, "unix:{}", text::visible(path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn reads_hosts_with_ports_and_sockets() {
        for (written, place) in [
            ("db:5432", Place::Port("db:5432".parse().unwrap())),
            ("[::1]:80", Place::Port("[::1]:80".parse().unwrap())),
            ("unix:/run/a b.sock", Place::Socket("/run/a b.sock".to_owned())),
        ] {
            let read: Place = format!(" {written} ").parse().unwrap();
            assert_eq!((&read, read.to_string().as_str()), (&place, written));
        }
    }

    #[test]
    fn refuses_what_is_no_place() {
        let long = format!("unix:/{}", "x".repeat(SOCKET_PATH));
        for written in ["", "db", "::1", "unix:run/db.sock", "unix:", "unix:/a\0b", &long] {
            assert!(written.parse::<Place>().is_err(), "{written}");
        }
    }

    proptest! {
        #[test]
        fn a_place_is_read_back_as_shown(written in any::<String>()) {
            if let Ok(place) = written.parse::<Place>() {
                let shown = place.to_string();
                assert!(!shown.chars().any(text::is_hidden), "{shown}");
                if matches!(place, Place::Port(_)) {
                    assert_eq!(shown.parse::<Place>().unwrap(), place);
                }
            }
        }
    }
}
