//! A mail server made of [aiosmtpd](https://aiosmtpd.aio-libs.org/): it takes, refuses or puts off what comes.

use std::io;
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::place::Place;
use super::process::Process;
use super::python;

/// What is between it and a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// Nothing.
    Plain,
    /// STARTTLS, by the files `cert.pem` and `key.pem` of the place.
    StartTls,
    /// TLS from the first byte, by the same files.
    Tls,
}

/// A mail server.
#[derive(Debug)]
pub struct MailServer {
    address: SocketAddr,
    process: Process,
}

impl MailServer {
    /// Starts one that behaves as `wanted` says: `login` (name and password), `refused` (addresses), `later` (how many letters are put
    /// off), `silent` (it takes a letter and says nothing any more).
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(place: &Place, line: Line, wanted: &Value) -> io::Result<Self> {
        let mut all = wanted.clone();
        all["tls"] = match line {
            Line::Plain => "none",
            Line::StartTls => "starttls",
            Line::Tls => "tls",
        }
        .into();
        all["certificate"] = json!([place.path().join("cert.pem"), place.path().join("key.pem")]);
        let mut command = python::script(place, "mail.py", include_str!("mail.py"))?;
        command.arg(all.to_string());
        let ready = |log: &str| python::port(log, "port").is_some();
        let process = Process::start("mail", command, place.path(), ready)?;
        Ok(Self {
            address: python::printed(&process, "port")?,
            process,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The letters that it took: `from`, `to`, `content`, whether they came over TLS (`safe`) and after a `login`.
    #[must_use]
    pub fn letters(&self) -> Vec<Value> {
        let log = self.process.log();
        let letters = log.lines().filter_map(|line| line.strip_prefix("letter "));
        letters
            .filter_map(|letter| serde_json::from_str(letter).ok())
            .collect()
    }
}
