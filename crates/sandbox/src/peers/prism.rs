//! [Prism](https://docs.stoplight.io/docs/prism) with GitHub's own description of its REST API: it answers what is described, and refuses
//! with 422 what is not. It keeps nothing.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::place::Place;
use super::process::Process;
use super::{node, port};

/// Longer than any answer takes.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);

/// GitHub as it is described.
#[derive(Debug)]
pub struct Prism {
    address: SocketAddr,
    process: Process,
}

impl Prism {
    /// Starts one.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(place: &Place) -> io::Result<Self> {
        let packages = node::packages()?;
        port::on_free_port(|address| {
            let mut command = node::node(place)?;
            command
                .arg(packages.join("@stoplight/prism-cli/dist/index.js"))
                .args(["mock", "--errors", "-h", "127.0.0.1", "-p"])
                .arg(address.port().to_string())
                .arg(packages.with_file_name("github.json"));
            let ready = |log: &str| log.contains("Prism is listening");
            Ok(Self {
                address,
                process: Process::start("prism", command, place.path(), ready)?,
            })
        })
    }

    /// Its address, for `GITHUB_API_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has printed: each request, and what was wrong with it.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The status that a POST of JSON is answered with.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn post(&self, path: &str, body: &str) -> io::Result<u16> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            self.address
        );
        let body_head = format!(
            "content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all([&head, &body_head, body].concat().as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.ok_or_else(|| io::Error::other(format!("no status in `{answer}`")))
    }
}
