//! gRPC's [health service](https://grpc.io/docs/guides/health-checking/) as its own library for Python serves it.

use std::io;
use std::net::SocketAddr;

use super::place::Place;
use super::process::{self, Process};
use super::python;
use super::web;

const SCRIPT: &str = include_str!("grpc_health.py");
const FILE: &str = "grpc_health.py";
/// The certificate and its key, in the server's place.
const FILES: [&str; 2] = ["cert.pem", "key.pem"];

/// A gRPC server with the health service. The whole server is `SERVING` at first; no service is known by name.
#[derive(Debug)]
pub struct GrpcHealth {
    address: SocketAddr,
    control: SocketAddr,
    _process: Process,
}

/// A status of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serving {
    /// `SERVING`.
    Serving,
    /// `NOT_SERVING`.
    NotServing,
    /// `UNKNOWN`.
    Unknown,
}

impl GrpcHealth {
    /// Serves without TLS (h2c).
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(place: &Place) -> io::Result<Self> {
        Self::start_with(place, "serve", &[])
    }

    /// Serves over TLS with the files `cert.pem` and `key.pem` of the place.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_tls(place: &Place) -> io::Result<Self> {
        Self::start_with(place, "serve", &FILES)
    }

    /// Serves without TLS, and without the health service or any other.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_bare(place: &Place) -> io::Result<Self> {
        Self::start_with(place, "bare", &[])
    }

    /// As [`GrpcHealth::start_bare`], over TLS as [`GrpcHealth::start_tls`] does.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_bare_tls(place: &Place) -> io::Result<Self> {
        Self::start_with(place, "bare", &FILES)
    }

    fn start_with(place: &Place, word: &str, files: &[&str]) -> io::Result<Self> {
        let mut command = python::script(place, FILE, SCRIPT)?;
        command.arg(word).args(files);
        let ready = |log: &str| python::port(log, "control").is_some();
        let process = Process::start("grpc", command, place.path(), ready)?;
        Ok(Self {
            address: python::printed(&process, "port")?,
            control: python::printed(&process, "control")?,
            _process: process,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the status of a service; the empty name is the whole server.
    ///
    /// # Errors
    /// When it can't be told.
    pub fn set(&self, service: &str, status: Serving) -> io::Result<()> {
        let status = match status {
            Serving::Serving => "SERVING",
            Serving::NotServing => "NOT_SERVING",
            Serving::Unknown => "UNKNOWN",
        };
        let path = format!("/set?service={}&status={status}", web::encoded(service));
        match web::post(self.control, &path)?.status {
            200 => Ok(()),
            status => Err(io::Error::other(format!("{path}: status {status}"))),
        }
    }

    /// What gRPC's own client is answered, without TLS: a status such as `SERVING`, or a code such as `NOT_FOUND`.
    ///
    /// # Errors
    /// When it can't be run.
    pub fn check(&self, place: &Place, service: &str) -> io::Result<String> {
        self.check_with(place, &[service])
    }

    /// The same over TLS, trusting the file `authority.pem` of the place.
    ///
    /// # Errors
    /// When it can't be run.
    pub fn check_tls(&self, place: &Place, service: &str) -> io::Result<String> {
        self.check_with(place, &[service, "authority.pem"])
    }

    fn check_with(&self, place: &Place, words: &[&str]) -> io::Result<String> {
        let mut command = python::script(place, FILE, SCRIPT)?;
        command.args(["check", &self.address.to_string()]).args(words);
        let output = process::run(command)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }
}
