//! Targets as a gate file or flags describe them, checked. They hold no client: the edge makes the probe.

use std::net::SocketAddr;
use std::time::Duration;

use crate::expect::Expect;
use crate::net::host_port::HostPort;
use crate::net::place::Place as At;
use crate::net::resolve::Override;
use crate::probe::dns::Kind as RecordKind;
use crate::spec::address::Address;
use crate::spec::choice::{Addresses, Method, PostgresTls};
use crate::spec::fault::Place;
use crate::spec::secret::SecretName;
use crate::status_set::StatusSet;

/// Something that can be looked at.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name, by default its address.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of targets.
#[derive(Clone, Debug)]
pub enum Kind {
    /// An HTTP address.
    Http(Box<Http>),
    /// A port.
    Tcp(Tcp),
    /// A certificate.
    Tls(Tls),
    /// A name.
    Dns(Dns),
    /// A gRPC server.
    Grpc(Grpc),
    /// A PostgreSQL server.
    Postgres(Postgres),
    /// A Redis server.
    Redis(Redis),
    /// A program.
    Exec(Exec),
    /// A Docker Compose project.
    Compose(Compose),
}

/// An HTTP target.
#[derive(Clone, Debug)]
pub struct Http {
    /// The address.
    pub address: Address,
    /// The method.
    pub method: Method,
    /// Headers to send.
    pub headers: Vec<(String, String)>,
    /// Headers to send whose values are secret.
    pub secret_headers: Vec<(String, SecretName)>,
    /// A body to send.
    pub body: Option<String>,
    /// How many redirects are followed.
    pub follow: u32,
    /// Which addresses of the host.
    pub addresses: Addresses,
    /// Addresses instead of what names resolve to.
    pub resolve: Vec<Override>,
    /// Statuses that end a wait at once.
    pub give_up_on: Option<StatusSet>,
    /// For how many more days the certificate must be valid.
    pub min_days: Option<u32>,
    /// The longest a good answer may take.
    pub max_latency: Option<Duration>,
    /// What the answer must look like.
    pub expect: Expect<Filter>,
}

/// A jq expression as it was written; the variables stand in it as `$name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The expression.
    pub text: String,
    /// Where it stands.
    pub at: Place,
}

/// A TCP target.
#[derive(Clone, Debug)]
pub struct Tcp {
    /// Host and port, or a Unix socket.
    pub address: At,
    /// What is sent, with escapes.
    pub send: Option<String>,
    /// What must match what the target says, as bytes.
    pub expect: Option<regex::bytes::Regex>,
}

/// A TLS target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Host and port.
    pub address: HostPort,
    /// The name that must be in the certificate; by default the host.
    pub server_name: Option<String>,
    /// For how many more days the certificate must be valid.
    pub min_days: Option<u32>,
}

/// A DNS target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// The name that is asked for.
    pub name: String,
    /// The kind of record.
    pub record: RecordKind,
    /// Resolvers that must agree; none for the system's.
    pub resolvers: Vec<SocketAddr>,
    /// The values there must be, and no other.
    pub equals: Vec<String>,
    /// A text that a value must contain.
    pub contains: Option<String>,
    /// How many values there must be at least.
    pub count: Option<u32>,
}

/// A gRPC target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grpc {
    /// Host and port.
    pub address: HostPort,
    /// The service; empty for the whole server.
    pub service: String,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The authority of the request; by default the address.
    pub authority: Option<String>,
}

/// A PostgreSQL target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postgres {
    /// Host and port, or a Unix socket.
    pub address: At,
    /// The user of the connection.
    pub user: Option<String>,
    /// The database.
    pub database: Option<String>,
    /// Whether the connection is encrypted.
    pub tls: PostgresTls,
    /// Whether there must be room for a connection.
    pub room: bool,
}

/// A Redis target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redis {
    /// Host and port, or a Unix socket.
    pub address: At,
    /// The user.
    pub user: Option<SecretName>,
    /// The password.
    pub password: Option<SecretName>,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// Whether a server that asks for a password is good.
    pub allow_noauth: bool,
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exec {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
}

/// A Docker Compose project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compose {
    /// The project.
    pub project: String,
    /// The services that must run; none for all there are.
    pub services: Vec<String>,
    /// Services that must have ended with exit code 0.
    pub completed: Vec<String>,
    /// Where Docker listens, if not at the usual place.
    pub socket: Option<String>,
}

impl Target {
    /// A target named by its address.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            name: kind.shown(),
            kind,
        }
    }

    /// The statuses after which waiting for it is of no use.
    #[must_use]
    pub fn give_up_on(&self) -> Option<&StatusSet> {
        match &self.kind {
            Kind::Http(http) => http.give_up_on.as_ref(),
            _ => None,
        }
    }

    /// Whether its samples have an HTTP status.
    #[must_use]
    pub fn has_status(&self) -> bool {
        matches!(self.kind, Kind::Http(_))
    }
}

impl Kind {
    /// The address for people, without secrets.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Http(http) => http.address.to_string(),
            Self::Tcp(tcp) => tcp.address.to_string(),
            Self::Tls(tls) => format!("tls {}", tls.address),
            Self::Dns(dns) => format!("dns {} {}", dns.name, dns.record),
            Self::Grpc(grpc) if grpc.service.is_empty() => format!("grpc {}", grpc.address),
            Self::Grpc(grpc) => format!("grpc {}/{}", grpc.address, grpc.service),
            Self::Postgres(postgres) => format!("postgres {}", postgres.address),
            Self::Redis(redis) => format!("redis {}", redis.address),
            Self::Exec(exec) => exec.program.clone(),
            Self::Compose(compose) => format!("compose {}", compose.project),
        }
    }
}

impl Http {
    /// A plain look at an address, which any version may answer with `expected`.
    #[must_use]
    pub fn new(address: Address, expected: StatusSet) -> Self {
        Self {
            address,
            method: Method::default(),
            headers: Vec::new(),
            secret_headers: Vec::new(),
            body: None,
            follow: 0,
            addresses: Addresses::default(),
            resolve: Vec::new(),
            give_up_on: None,
            min_days: None,
            max_latency: None,
            expect: Expect {
                status: expected,
                body: Vec::new(),
                matches: Vec::new(),
                json: Vec::new(),
                headers: Vec::new(),
                version: None,
            },
        }
    }
}

impl Tcp {
    /// A look whether a port is open.
    #[must_use]
    pub fn new(address: At) -> Self {
        Self {
            address,
            send: None,
            expect: None,
        }
    }
}
