//! From a name to the addresses that are connected to.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use gha::edge::http::Via;

use crate::finding::{Fault, FaultKind};

use super::fault;
use super::host_port::{self, HostPort};
use super::progress::{Progress, Stage};

/// The most addresses of a name that are used; a name with more is as good as its first ones.
const MOST_ADDRESSES: usize = 64;

/// Which addresses of a name are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// Both, side by side (RFC 8305).
    #[default]
    Any,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

/// How many addresses of a name must be good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addresses {
    /// The one that answers first.
    #[default]
    First,
    /// Every one, one after another. A proxy on the way resolves by itself, and is one.
    All,
}

/// A name and port with addresses of their own, written `HOST:PORT:ADDRESS` as for curl's `--resolve`, several addresses
/// with commas. TLS and the `Host` header keep the name, so a new target can be looked at before its name leads there. It
/// is connected to straight: a proxy would resolve the name by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    at: HostPort,
    addresses: Vec<IpAddr>,
}

/// The text is no override.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no host with a port and an address; write for example `example.com:443:10.0.0.7`")]
pub struct OverrideError(String);

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let refuse = || OverrideError(host_port::shown(written));
        let mut parts = written.trim().splitn(3, ':');
        let (Some(host), Some(port), Some(addresses)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(refuse());
        };
        let at = format!("{host}:{port}").parse().map_err(|_| refuse())?;
        let address = |written: &str| written.trim().trim_matches(['[', ']']).parse::<IpAddr>();
        let addresses: Vec<IpAddr> = addresses
            .split(',')
            .map(address)
            .collect::<Result<_, _>>()
            .map_err(|_| refuse())?;
        Ok(Self { at, addresses })
    }
}

/// The addresses of an origin that is overridden. Of two overrides for one origin the later one counts.
pub(crate) fn overridden(overrides: &[Override], at: &HostPort) -> Option<Vec<SocketAddr>> {
    let fits = |known: &&Override| known.at.port == at.port && known.at.host.eq_ignore_ascii_case(&at.host);
    let known = overrides.iter().rev().find(fits)?;
    let with_port = |address: &IpAddr| SocketAddr::new(*address, at.port);
    Some(known.addresses.iter().map(with_port).collect())
}

/// Asks the system.
pub(crate) async fn look_up(at: &HostPort, progress: &Progress) -> Result<Vec<SocketAddr>, Fault> {
    if let Ok(address) = at.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, at.port)]);
    }
    let asking = tokio::net::lookup_host((at.host.as_str(), at.port));
    let found = progress.during(Stage::Naming, asking).await;
    let unresolved = |error: std::io::Error| {
        // The layers before the last one say that a lookup failed, which is known.
        let text = error.to_string();
        let cause = text.rsplit(": ").next().unwrap_or_default().to_owned();
        fault(
            FaultKind::Name,
            format!("the host's name can't be resolved: {cause}"),
        )
    };
    Ok(found.map_err(unresolved)?.take(MOST_ADDRESSES).collect())
}

/// A way to an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the first of these that answers.
    Straight(Vec<SocketAddr>),
    /// Through a proxy.
    Proxy(Via),
}

impl Way {
    /// The address to name in a reason where there are several ways.
    pub(crate) fn place(&self, ways: &[Self]) -> Option<String> {
        match self {
            Self::Straight(addresses) if ways.len() > 1 => {
                addresses.first().map(|address| address.ip().to_string())
            }
            _ => None,
        }
    }
}

/// The addresses of a family, each once.
pub(crate) fn usable(found: Vec<SocketAddr>, family: Family) -> Result<Vec<SocketAddr>, Fault> {
    let fits = |address: &SocketAddr| match family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    };
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found.into_iter().filter(fits).take(MOST_ADDRESSES) {
        // The system answers once for each kind of socket, and hosts files repeat themselves.
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        let kind = match family {
            Family::Any => "address",
            Family::V4 => "IPv4 address",
            Family::V6 => "IPv6 address",
        };
        return Err(fault(FaultKind::Name, format!("the host's name has no {kind}")));
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    fn sockets(written: &[&str]) -> Vec<SocketAddr> {
        written.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn overrides_are_read_and_the_later_one_counts() {
        let read = |written: &str| written.parse::<Override>().unwrap();
        let known = [
            read("example.com:443:10.0.0.7"),
            read("other.example:80:[::1],10.0.0.1"),
            read("example.com:443:10.0.0.8"),
        ];
        let asked = |written: &str| overridden(&known, &written.parse().unwrap());
        assert_eq!(asked("EXAMPLE.com:443"), Some(sockets(&["10.0.0.8:443"])));
        assert_eq!(
            asked("other.example:80"),
            Some(sockets(&["[::1]:80", "10.0.0.1:80"]))
        );
        assert_eq!(asked("example.com:80"), None);
        for written in [
            "",
            "a:1",
            "a:1:",
            "a:0:10.0.0.1",
            "a:b:10.0.0.1",
            "a:1:name",
            "a:1:10.0.0.1,",
        ] {
            assert!(written.parse::<Override>().is_err(), "{written}");
        }
    }

    #[test]
    fn a_family_can_be_chosen_and_an_address_counts_once() {
        let found = || sockets(&["[::1]:1", "[::2]:1", "[::1]:1", "10.0.0.1:1"]);
        for (family, wanted) in [
            (Family::Any, &["[::1]:1", "[::2]:1", "10.0.0.1:1"][..]),
            (Family::V4, &["10.0.0.1:1"]),
            (Family::V6, &["[::1]:1", "[::2]:1"]),
        ] {
            assert_eq!(usable(found(), family), Ok(sockets(wanted)));
        }
        let none = usable(sockets(&["10.0.0.1:1"]), Family::V6).unwrap_err();
        assert_eq!(none.reason, "the host's name has no IPv6 address");
    }

    proptest! {
        #[test]
        fn no_text_panics(written in any::<String>()) {
            let _ = written.parse::<Override>();
        }
    }
}
