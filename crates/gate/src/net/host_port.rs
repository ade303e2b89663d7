//! A host and a port as people write them: `db.internal:5432`, `[::1]:80`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use gha::text;

/// A host, by name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// The name or the address, an IPv6 one without brackets.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
}

/// A text that should be an address, for a reason: what stands before an `@` may be a password, and is not shown.
pub(crate) fn shown(written: &str) -> String {
    let bare = match written.rsplit_once('@') {
        Some((_, behind)) => format!("***@{behind}"),
        None => written.to_owned(),
    };
    text::cut(&text::visible(&bare), 100)
}

/// The text is no host with a port.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no host with a port")]
pub struct HostPortError(String);

impl FromStr for HostPort {
    type Err = HostPortError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let refuse = || HostPortError(shown(written));
        let (host, port) = written.trim().rsplit_once(':').ok_or_else(refuse)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(refuse)?;
        let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let valid = match inside {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.chars().all(plain),
        };
        if !valid {
            return Err(refuse());
        }
        let host = inside.unwrap_or(host).to_owned();
        Ok(Self { host, port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(formatter, "[{}]:{}", self.host, self.port)
        } else {
            write!(formatter, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    #[test]
    fn reads_and_shows() {
        for (written, host, port) in [
            ("db:5432", "db", 5432),
            (" a-b.c_d:1 ", "a-b.c_d", 1),
            ("[::1]:80", "::1", 80),
        ] {
            let read: HostPort = written.parse().unwrap();
            assert_eq!((read.host.as_str(), read.port), (host, port));
            assert_eq!(read.to_string(), written.trim());
        }
        for written in [
            "",
            "db",
            "db:",
            ":80",
            "db:0",
            "db:70000",
            "db:+80x",
            "::1",
            "::1:80",
            "[x]",
            "[x]:80",
            "a b:80",
            "http://db:80",
        ] {
            assert!(written.parse::<HostPort>().is_err(), "{written}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(written in any::<String>()) {
            if let Ok(read) = written.parse::<HostPort>() {
                assert_eq!(read.to_string().parse::<HostPort>().unwrap(), read);
            }
        }
    }
}
