//! A service's exporter, made of [Prometheus' client library](https://prometheus.github.io/client_python/), with numbers
//! that a test drives: `http_requests_total{code}`, `http_request_duration_seconds` with the default buckets of Go's
//! library, and the gauge `shop_queue_length`.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::place::Place;
use super::process::Process;
use super::python;
use super::web;

/// An exporter. At first it has no series of requests: one comes with its first request.
#[derive(Debug)]
pub struct Exporter {
    address: SocketAddr,
    _process: Process,
}

/// How scrapes are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scrapes {
    /// With the metrics.
    Good,
    /// With status 500.
    Error,
    /// Not at all; the connection stays open.
    None,
}

impl Exporter {
    /// Starts one.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(place: &Place) -> io::Result<Self> {
        let command = python::script(place, "exporter.py", include_str!("exporter.py"))?;
        let ready = |log: &str| python::port(log, "port").is_some();
        let process = Process::start("exporter", command, place.path(), ready)?;
        Ok(Self {
            address: python::printed(&process, "port")?,
            _process: process,
        })
    }

    /// Where it is scraped.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The service has answered so many requests with this status code, each in this time.
    ///
    /// # Errors
    /// When it can't be told.
    pub fn serve(&self, code: u16, count: u32, took: Duration) -> io::Result<()> {
        let seconds = took.as_secs_f64();
        self.tell(&format!("/requests?code={code}&count={count}&seconds={seconds}"))
    }

    /// The series of a status code is not exposed any more.
    ///
    /// # Errors
    /// When it can't be told, or there is no such series.
    pub fn forget(&self, code: u16) -> io::Result<()> {
        self.tell(&format!("/forget?code={code}"))
    }

    /// Every counter begins anew, as when a service restarts.
    ///
    /// # Errors
    /// When it can't be told.
    pub fn restart(&self) -> io::Result<()> {
        self.tell("/restart")
    }

    /// From now on, scrapes are answered so.
    ///
    /// # Errors
    /// When it can't be told.
    pub fn scrapes(&self, answer: Scrapes) -> io::Result<()> {
        let answer = match answer {
            Scrapes::Good => "good",
            Scrapes::Error => "error",
            Scrapes::None => "none",
        };
        self.tell(&format!("/scrapes?answer={answer}"))
    }

    /// Sets `shop_queue_length`.
    ///
    /// # Errors
    /// When it can't be told.
    pub fn queue(&self, length: f64) -> io::Result<()> {
        self.tell(&format!("/gauge?value={length}"))
    }

    fn tell(&self, path: &str) -> io::Result<()> {
        let answer = web::post(self.address, path)?;
        match answer.status {
            200 => Ok(()),
            status => Err(io::Error::other(format!(
                "{path}: status {status}: {}",
                answer.body
            ))),
        }
    }
}
