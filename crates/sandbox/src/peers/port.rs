//! A port for a server that can't choose one itself.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// How often another port is tried where one was taken meanwhile.
const TRIES: usize = 5;

/// Starts a server on a loopback port that was free a moment ago, and again on another where somebody took it.
///
/// `start` says with [`io::ErrorKind::AddrInUse`] that the port was taken.
pub(crate) fn on_free_port<T>(mut start: impl FnMut(SocketAddr) -> io::Result<T>) -> io::Result<T> {
    let mut tries = 0;
    loop {
        tries += 1;
        match start(free()?) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries < TRIES => {}
            done => return done,
        }
    }
}

/// An address that was free a moment ago, and on which nothing listens: a connection to it is refused.
///
/// # Errors
/// When the system has no port left.
pub(crate) fn free() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_given_up_for_another() {
        let mut seen = Vec::new();
        let got = on_free_port(|address| {
            seen.push(address);
            match seen.len() {
                1 | 2 => Err(io::ErrorKind::AddrInUse.into()),
                _ => Ok(address),
            }
        });
        assert_eq!(got.ok(), seen.get(2).copied());
    }

    #[test]
    fn other_failures_and_endless_ones_are_passed_on() {
        let mut tries = 0;
        let other = on_free_port(|_| {
            tries += 1;
            Err::<(), _>(io::ErrorKind::NotFound.into())
        });
        assert_eq!(
            (other.map_err(|error| error.kind()), tries),
            (Err(io::ErrorKind::NotFound), 1)
        );
        let taken = on_free_port(|_| Err::<(), _>(io::ErrorKind::AddrInUse.into()));
        assert_eq!(taken.map_err(|error| error.kind()), Err(io::ErrorKind::AddrInUse));
    }
}
