//! A scripted HTTP/1.1 server and a forward proxy on loopback, for tests of clients.
//!
//! ```no_run
//! use sandbox::http::{Reply, Script, Server};
//! use std::time::Duration;
//!
//! let script = Script::new()
//!     .on("GET /health", [Reply::status(503).times(2), Reply::text(200, "ok")])
//!     .any([Reply::reset()]);
//! let server = Server::start(script)?;
//! // … point the client at server.url("/health") …
//! let requests = server.wait_for(3, Duration::from_secs(5));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Each server has its own thread and stops when it is dropped. Limits: HTTP/1.1 only; a request's body is read
//! whole before the reply; bodies of replies are held in memory.

pub(crate) mod body;
mod connection;
mod log;
mod proxy;
pub(crate) mod reply;
mod script;
mod server;
mod thread;
pub(crate) mod tls;

pub use log::Request;
pub use proxy::Proxy;
pub use reply::Reply;
pub use script::Script;
pub use server::Server;
pub(crate) use thread::Listening;
