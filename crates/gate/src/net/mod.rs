//! Connections to what is looked at: one for each look, made here, with its phases measured.
//!
//! A name is resolved by the system or by an [`resolve::Override`], connected to over the addresses that
//! [`resolve::Family`] and [`resolve::Addresses`] allow or through the proxy of the environment, and, where asked for,
//! secured by TLS with the presented chain kept. Nothing is pooled: behind a balancer a kept connection would meet the
//! same instance again and again. All of it lives inside the look's own future and ends with it. The one exception is the
//! system's resolver, whose call can't be taken back: a dropped look leaves it to end by itself.

use tokio::io::{AsyncRead, AsyncWrite};

use gha::edge::http::{Url, Via};

use crate::finding::{Fault, FaultKind};

pub mod certificate;
mod connect;
pub mod host_port;
pub mod progress;
pub mod proxy;
pub mod resolve;
pub(crate) mod tasks;
pub mod tls;

use host_port::HostPort;
use progress::{Progress, Stage};
use proxy::Proxies;
use resolve::{Addresses, Family, Override, Way};
use tls::{Handshake, Trust};

/// How targets are reached.
#[derive(Clone, Debug)]
pub struct Network {
    /// Which certificates are accepted.
    pub trust: Trust,
    /// Which addresses of a name are used.
    pub family: Family,
    /// How many of them must be good.
    pub addresses: Addresses,
    /// Names with addresses of their own.
    pub overrides: Vec<Override>,
    /// Which proxy is on the way.
    pub proxies: Proxies,
}

impl Network {
    /// The network as it is: both families, the first address that answers, the environment's proxies.
    #[must_use]
    pub fn new(trust: Trust) -> Self {
        Self {
            trust,
            family: Family::default(),
            addresses: Addresses::default(),
            overrides: Vec::new(),
            proxies: Proxies::default(),
        }
    }
}

/// The other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its name or address, and its port.
    pub at: HostPort,
    /// Whether TLS is spoken there.
    pub secure: bool,
}

impl Origin {
    /// Where a request to an address goes; `None` for what is no `http` or `https` address.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default()?;
        let at = HostPort { host, port };
        Some(Self { at, secure })
    }

    /// As an address, which is what a proxy is chosen by.
    fn url(&self) -> Option<Url> {
        let scheme = if self.secure { "https" } else { "http" };
        Url::parse(&format!("{scheme}://{}/", self.at)).ok()
    }
}

/// A connection's two directions, whatever carries them.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// An open connection.
pub(crate) struct Opened {
    pub(crate) stream: Box<dyn Stream>,
    /// What TLS agreed to speak over it, by ALPN.
    pub(crate) protocol: Option<Vec<u8>>,
    /// The proxy that reads what is sent; a tunnel's does not.
    pub(crate) reader: Option<Via>,
}

impl Network {
    /// The ways to an origin, each of which is to be looked at. There is at least one.
    pub(crate) async fn ways(&self, origin: &Origin, progress: &Progress) -> Result<Vec<Way>, Fault> {
        if let Some(addresses) = resolve::overridden(&self.overrides, &origin.at) {
            return resolve::ways(addresses, self.family, self.addresses);
        }
        if let Some(via) = origin.url().and_then(|url| self.proxies.on_the_way(&url)) {
            return Ok(vec![Way::Proxy(via)]);
        }
        let addresses = resolve::look_up(&origin.at, progress).await?;
        resolve::ways(addresses, self.family, self.addresses)
    }

    /// Opens a connection, without TLS to the origin.
    async fn reach(&self, origin: &Origin, way: &Way, progress: &Progress) -> Result<Opened, Fault> {
        let plain = |stream: Box<dyn Stream>, reader| Opened {
            stream,
            protocol: None,
            reader,
        };
        match way {
            Way::Straight(addresses) => {
                let connecting = connect::connect(addresses);
                let stream = progress.during(Stage::Connecting, connecting).await;
                let stream = stream.map_err(|error| connect::fault(&error))?;
                Ok(plain(Box::new(stream), None))
            }
            Way::Proxy(via) => {
                let stream = proxy::open(via, origin, &self.trust, progress);
                let stream = stream.await.map_err(|fault| proxy::blamed(via, fault))?;
                Ok(plain(stream, Some(via.clone()).filter(|_| !origin.secure)))
            }
        }
    }

    /// Opens a connection, secured where the origin is; `alpn` is what it may be used for, the preferred first.
    pub(crate) async fn open(
        &self,
        origin: &Origin,
        way: &Way,
        alpn: &[&str],
        progress: &Progress,
    ) -> Result<Opened, Fault> {
        let opened = self.reach(origin, way, progress).await?;
        if !origin.secure {
            return Ok(opened);
        }
        let handshake = self
            .secure(opened.stream, &origin.at.host, alpn, progress)
            .await?;
        let stream = handshake.outcome?;
        Ok(Opened {
            protocol: stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec),
            stream: Box::new(stream),
            reader: None,
        })
    }

    /// Opens a connection and tells all that TLS to a server of this name showed, good or not.
    pub(crate) async fn shake_hands(
        &self,
        origin: &Origin,
        way: &Way,
        name: &str,
        alpn: &[&str],
        progress: &Progress,
    ) -> Result<Handshake<Box<dyn Stream>>, Fault> {
        let opened = self.reach(origin, way, progress).await?;
        self.secure(opened.stream, name, alpn, progress).await
    }

    async fn secure(
        &self,
        stream: Box<dyn Stream>,
        name: &str,
        alpn: &[&str],
        progress: &Progress,
    ) -> Result<Handshake<Box<dyn Stream>>, Fault> {
        let name = tls::server_name(name)?;
        let recorder = self.trust.recorder();
        progress.watches(&recorder);
        let shaking = tls::handshake(stream, name, alpn, &self.trust, recorder);
        let handshake = progress.during(Stage::Handshake, shaking).await?;
        progress.saw(handshake.chain.clone());
        Ok(handshake)
    }
}

/// A fault that is told as one line.
pub(crate) fn fault(kind: FaultKind, reason: impl Into<String>) -> Fault {
    Fault {
        kind,
        reason: reason.into(),
    }
}
