//! A server that does next to nothing for each request, so that what is measured is who asks: threads that accept, read a
//! head and write the same few bytes. It keeps no log and hangs up after each answer. HTTP without TLS, no bodies.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::socket::{Backlog, listen};

/// What it answers. Hanging up first leaves the port to the server, so that nobody who asks often runs out of them.
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

/// How many connections it holds at once; the others wait in the system's queue.
const THREADS: usize = 16;

/// The longest head that it reads, in bytes.
const HEAD: usize = 4096;

/// How long a thread waits for one that says nothing.
const SILENCE: Duration = Duration::from_secs(5);

/// The server; stops and joins its threads when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    /// Listens on a loopback port that the system chooses.
    ///
    /// # Errors
    /// When no port can be bound or no thread started.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        // The standard library's queue holds 128; who comes to a full one is heard a second later.
        listen(&listener, Backlog::MAXCONN)?;
        let mut server = Self {
            address: listener.local_addr()?,
            stopping: Arc::default(),
            answered: Arc::default(),
            threads: Vec::new(),
        };
        for _ in 0..THREADS {
            let listener = listener.try_clone()?;
            let (stopping, answered) = (Arc::clone(&server.stopping), Arc::clone(&server.answered));
            let thread = thread::Builder::new().name("quick".to_owned());
            let serve = move || {
                while let Ok((stream, _)) = listener.accept() {
                    if stopping.load(Ordering::Relaxed) {
                        return;
                    }
                    // One that hangs up early is no failure of the server's.
                    let _ = answer(stream, &answered);
                }
            };
            server.threads.push(thread.spawn(serve)?);
        }
        Ok(server)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests it has answered. An answer that has arrived is counted already.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::SeqCst)
    }
}

/// Reads one head, counts it and answers it.
fn answer(mut stream: TcpStream, answered: &AtomicU64) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    let (mut head, mut length) = ([0; HEAD], 0);
    while let Some(room) = head.get_mut(length..).filter(|room| !room.is_empty()) {
        let read = stream.read(room)?;
        if read == 0 {
            return Ok(());
        }
        length += read;
        if head.get(..length).is_some_and(|head| head.ends_with(b"\r\n\r\n")) {
            // Before it is written: whoever has read it may ask for the count at once.
            answered.fetch_add(1, Ordering::SeqCst);
            return stream.write_all(ANSWER).inspect_err(|_| {
                answered.fetch_sub(1, Ordering::SeqCst);
            });
        }
    }
    Ok(())
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        for _ in &self.threads {
            // Wakes one thread, which then sees that it is over.
            let _ = TcpStream::connect(self.address);
        }
        for thread in self.threads.drain(..) {
            // A panic in there has been printed by the thread itself.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(server: &Server, sent: &[u8]) -> String {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.write_all(sent).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn heads_are_answered_and_counted_and_nothing_else_is() {
        let server = Server::start().unwrap();
        let address = server.address();
        for _ in 0..2 * THREADS {
            let answer = ask(&server, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n");
            assert!(
                answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nok"),
                "{answer}"
            );
        }
        assert_eq!(ask(&server, b"GET / HT"), "");
        drop(server);
        assert!(TcpStream::connect(address).is_err());
    }

    #[test]
    fn the_count_is_of_whole_answers() {
        let server = Server::start().unwrap();
        ask(&server, b"");
        ask(&server, b"GET / HTTP/1.1\r\n\r\n");
        let answered = Arc::clone(&server.answered);
        // Joined threads have counted all that they answered.
        drop(server);
        assert_eq!(answered.load(Ordering::Relaxed), 1);
    }
}
