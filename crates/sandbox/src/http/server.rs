//! The scripted server.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::connection::{self, Answer};
use super::log::{Log, Request};
use super::reply::Reply;
use super::script::Script;
use super::thread::Listening;
use super::tls::{self, Tls};

/// An HTTP/1.1 server on a loopback port; stops when dropped.
#[derive(Debug)]
pub struct Server {
    listening: Listening,
    log: Arc<Log>,
    ca_pem: Option<String>,
}

impl Server {
    /// Serves a script.
    ///
    /// # Errors
    /// When no port can be bound or no thread started.
    pub fn start(script: Script) -> io::Result<Self> {
        Self::start_with(play(script))
    }

    /// Serves whatever `answer` says, for stand-ins with a state of their own.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_with(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> io::Result<Self> {
        Self::listen(Arc::new(answer), None)
    }

    /// Serves a script over TLS for `127.0.0.1`, `localhost` and these names; [`Server::ca_pem`] is what to trust.
    ///
    /// # Errors
    /// As [`Server::start`], and when a name is none.
    pub fn start_tls(names: &[&str], script: Script) -> io::Result<Self> {
        let names = [&["127.0.0.1", "localhost"], names].concat();
        Self::listen(Arc::new(play(script)), Some(tls::make(&names)?))
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.listening.address
    }

    /// The address of a path: `http://127.0.0.1:PORT/path`, or `https://`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.ca_pem.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address())
    }

    /// The certificate authority of a TLS server, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The requests so far, in the order they were answered.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.log.all()
    }

    /// The requests once there are `count`; none when that takes longer than `timeout`.
    #[must_use]
    pub fn wait_for(&self, count: usize, timeout: Duration) -> Option<Vec<Request>> {
        self.log.wait_for(count, timeout)
    }

    fn listen(answer: Answer, tls: Option<Tls>) -> io::Result<Self> {
        let log = Arc::new(Log::new());
        let seen = Arc::clone(&log);
        let acceptor = tls.as_ref().map(|tls| tls.acceptor.clone());
        let listening = Listening::start("sandbox-http", move |stream| {
            let (log, answer, acceptor) = (Arc::clone(&seen), Arc::clone(&answer), acceptor.clone());
            async move {
                let Ok(socket) = stream.as_fd().try_clone_to_owned() else {
                    return;
                };
                match acceptor {
                    None => connection::serve(stream, socket, log, answer).await,
                    Some(acceptor) => {
                        // A client that does not trust the authority ends here, which is its right.
                        if let Ok(stream) = acceptor.accept(stream).await {
                            connection::serve(stream, socket, log, answer).await;
                        }
                    }
                }
            }
        })?;
        Ok(Self {
            listening,
            log,
            ca_pem: tls.map(|tls| tls.ca_pem),
        })
    }
}

fn play(script: Script) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let script = Mutex::new(script);
    move |request| {
        script
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .answer(request)
    }
}
