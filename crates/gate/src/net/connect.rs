//! Opening a TCP connection to the first of several addresses that takes it (RFC 8305, "happy eyeballs"), or one to a
//! Unix socket.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::sleep;

use crate::finding::{Fault, FaultKind};

use super::fault as told;
use super::progress::{Progress, Stage};

/// How long one address is alone before the next one is tried beside it: RFC 8305, section 8.
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first address that takes the connection.
pub(super) async fn connect(addresses: &[SocketAddr], progress: &Progress) -> Result<TcpStream, Fault> {
    let addresses = interleaved(addresses);
    let connecting = progress.during(Stage::Connecting, race(&addresses, dial));
    connecting.await.map_err(|error| fault(&error))
}

/// Connects to a Unix socket.
pub(super) async fn connect_to_socket(path: &str, progress: &Progress) -> Result<UnixStream, Fault> {
    let connecting = progress.during(Stage::Connecting, UnixStream::connect(path));
    connecting.await.map_err(|error| fault(&error))
}

async fn dial(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // On loopback a connect can meet itself where nobody listens, when the system picks the same port.
    if stream.local_addr().ok() == stream.peer_addr().ok() {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    // A request is one small write; waiting for more to send with it would be measured as the target's.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// Addresses with the families taking turns, beginning with the family the system puts first (RFC 8305, section 4).
fn interleaved(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (one, other): (Vec<_>, Vec<_>) = addresses
        .iter()
        .copied()
        .partition(|address| address.is_ipv6() == first);
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut turns = Vec::new();
    loop {
        let (a, b) = (one.next(), other.next());
        if a.is_none() && b.is_none() {
            return turns;
        }
        turns.extend(a.into_iter().chain(b));
    }
}

/// Tries addresses in turn, the next one as soon as one fails or has had its head start. The first error is the reason.
async fn race<T, F>(addresses: &[SocketAddr], dial: impl Fn(SocketAddr) -> F) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut rest = addresses.iter();
    let mut tries = FuturesUnordered::new();
    let mut first_error = None;
    loop {
        if let Some(address) = rest.next() {
            tries.push(dial(*address));
        }
        tokio::select! {
            biased;
            Some(tried) = tries.next() => match tried {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            },
            () = sleep(HEAD_START), if rest.len() > 0 => {}
            else => {
                return Err(first_error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()));
            }
        }
    }
}

/// What a failed connect says about the target.
fn fault(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => told(FaultKind::Connection, "connection refused"),
        _ => told(FaultKind::Connection, format!("could not connect: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use tokio::time::Instant;

    /// Each address answers after so many milliseconds, well or not; gives who won after how long, and who was asked.
    async fn raced(played: &[(u64, bool)]) -> (Option<u16>, u128, Vec<u16>) {
        let addresses: Vec<SocketAddr> = (0..played.len())
            .map(|index| SocketAddr::from(([127, 0, 0, 1], u16::try_from(index).unwrap())))
            .collect();
        let (begin, asked) = (Instant::now(), RefCell::new(Vec::new()));
        let won = race(&addresses, |address| {
            asked.borrow_mut().push(address.port());
            let (millis, good) = played[usize::from(address.port())];
            async move {
                sleep(Duration::from_millis(millis)).await;
                if good {
                    Ok(address.port())
                } else {
                    Err(io::Error::other(format!("no {}", address.port())))
                }
            }
        });
        (won.await.ok(), begin.elapsed().as_millis(), asked.into_inner())
    }

    #[test]
    fn the_families_take_turns() {
        let sockets = |written: &[&str]| -> Vec<SocketAddr> {
            written.iter().map(|address| address.parse().unwrap()).collect()
        };
        for (found, wanted) in [
            (
                &["[::1]:1", "[::2]:1", "10.0.0.1:1", "[::3]:1"][..],
                &["[::1]:1", "10.0.0.1:1", "[::2]:1", "[::3]:1"][..],
            ),
            (
                &["10.0.0.1:1", "10.0.0.2:1", "[::1]:1"],
                &["10.0.0.1:1", "[::1]:1", "10.0.0.2:1"],
            ),
            (&[], &[]),
        ] {
            assert_eq!(interleaved(&sockets(found)), sockets(wanted));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_does_not_hold_up_the_next() {
        assert_eq!(raced(&[(10, true), (0, true)]).await, (Some(0), 10, vec![0]));
        assert_eq!(
            raced(&[(60_000, true), (10, true)]).await,
            (Some(1), 260, vec![0, 1])
        );
        assert_eq!(
            raced(&[(300, true), (100, true)]).await,
            (Some(0), 300, vec![0, 1])
        );
        assert_eq!(
            raced(&[(5, false), (10, true), (1, true)]).await,
            (Some(1), 15, vec![0, 1])
        );
        assert_eq!(
            raced(&[(5, false), (400, false), (1, false)]).await,
            (None, 405, vec![0, 1, 2])
        );
        assert_eq!(raced(&[]).await, (None, 0, vec![]));
    }
}
