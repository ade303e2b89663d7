//! [Redis](https://redis.io/docs/latest/operate/oss_and_stack/management/config/).

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::place::Place;
use super::port;
use super::process::{self, Process};
use super::program::{Program, User};

/// How many keys make a file that takes long to load.
const MANY_KEYS: &str = "20000";
/// The file with the authority of certificates, in the server's place.
const AUTHORITY: &str = "authority.pem";

/// A key-value server.
#[derive(Debug)]
pub struct Redis {
    address: SocketAddr,
    program: Program,
    folder: PathBuf,
    transport: Transport,
    _process: Process,
}

/// How clients reach a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    /// In the clear.
    Plain,
    /// In TLS alone.
    Tls,
}

impl Redis {
    /// Starts a server with lines of `redis.conf`, such as `requirepass secret`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(place: &Place, settings: &[&str]) -> io::Result<Self> {
        Self::start_until(place, settings, Transport::Plain, "Ready to accept connections")
    }

    /// As [`Redis::start`], over TLS alone with the files `cert.pem` and `key.pem` of the place; its clients' authority is
    /// `authority.pem` there. It
    /// [demands a certificate of its clients](https://redis.io/docs/latest/operate/oss_and_stack/management/security/encryption/)
    /// unless `tls-auth-clients no` is set.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_tls(place: &Place, settings: &[&str]) -> io::Result<Self> {
        Self::start_until(place, settings, Transport::Tls, "Ready to accept connections")
    }

    /// A server that reads its data for the next minutes, and answers `LOADING` meanwhile.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_loading(place: &Place) -> io::Result<Self> {
        let earlier = Self::start(place, &["enable-debug-command local"])?;
        earlier.cli(&["debug", "populate", MANY_KEYS, "key", "100"])?;
        earlier.cli(&["save"])?;
        drop(earlier);
        // For tests of Redis itself: so many microseconds for each key, and a look at its clients as often.
        let slow = [
            "key-load-delay 20000",
            "loading-process-events-interval-bytes 1024",
        ];
        Self::start_until(place, &slow, Transport::Plain, "Loading RDB produced by version")
    }

    fn start_until(place: &Place, settings: &[&str], transport: Transport, ready: &str) -> io::Result<Self> {
        let program = Program::of("redis-server")?;
        port::on_free_port(|address| {
            let configuration = format!(
                "bind {}\n{}\nsave \"\"\ndir \"{}\"\n{}\n",
                address.ip(),
                transport.settings(address.port()),
                place.path().display(),
                settings.join("\n")
            );
            let file = place.write("redis.conf", configuration)?;
            let mut command = program.command(place.path(), User::Same);
            command.arg(file);
            Ok(Self {
                address,
                program: program.clone(),
                folder: place.path().to_owned(),
                transport,
                _process: Process::start("redis", command, place.path(), |log| log.contains(ready))?,
            })
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `redis-cli` prints for a command; an error of the server is text too.
    ///
    /// # Errors
    /// When it can't be run or does not reach the server.
    pub fn cli(&self, words: &[&str]) -> io::Result<String> {
        let mut command = self.program.beside("redis-cli").command(&self.folder, User::Same);
        command
            .args(["-h", &self.address.ip().to_string()])
            .args(["-p", &self.address.port().to_string()]);
        if self.transport == Transport::Tls {
            command.args(["--tls", "--cacert", AUTHORITY]);
        }
        command.args(words);
        let output = process::run(command)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }
}

impl Transport {
    /// The lines of `redis.conf` about a port.
    fn settings(self, port: u16) -> String {
        match self {
            Self::Plain => format!("port {port}"),
            Self::Tls => format!(
                "port 0\ntls-port {port}\ntls-cert-file cert.pem\ntls-key-file key.pem\ntls-ca-cert-file {AUTHORITY}"
            ),
        }
    }
}
