//! Connections to what is looked at: one for each look, made here for every probe, with its phases measured.
//!
//! A name is resolved by the system or by an [`resolve::Override`], connected to over the addresses that
//! [`resolve::Family`] and [`resolve::Addresses`] allow or through the proxy of the environment, and, where asked for,
//! secured by TLS with the presented chain kept. Protocols that are not HTTP's go [`Network::straight`], to a Unix socket
//! too. Nothing is pooled: behind a balancer a kept connection would meet the same instance again and again.
//!
//! All of it lives inside the look's own future and ends with it. The one exception is the system's resolver, whose call
//! can't be taken back: a dropped look leaves it to end by itself.

use tokio::io::{AsyncRead, AsyncWrite};

use gha::edge::http::{Url, Via};

use crate::finding::{Fault, FaultKind};

pub mod certificate;
mod connect;
pub mod host_port;
pub mod place;
pub mod progress;
pub mod proxy;
pub mod resolve;
pub(crate) mod tasks;
pub mod tls;

use host_port::HostPort;
use place::Place;
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

    /// The same without a proxy: those of the environment are for HTTP and TLS.
    #[must_use]
    pub fn straight(trust: Trust) -> Self {
        Self {
            proxies: Proxies::None,
            ..Self::new(trust)
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
        Ok(match (self.way(origin, progress).await?, self.addresses) {
            (Way::Straight(addresses), Addresses::All) => addresses
                .into_iter()
                .map(|address| Way::Straight(vec![address]))
                .collect(),
            (way, _) => vec![way],
        })
    }

    /// One way to an origin: over the first of its addresses that answers, or through the proxy.
    pub(crate) async fn way(&self, origin: &Origin, progress: &Progress) -> Result<Way, Fault> {
        let addresses = match resolve::overridden(&self.overrides, &origin.at) {
            Some(addresses) => addresses,
            None => match origin.url().and_then(|url| self.proxies.on_the_way(&url)) {
                Some(via) => return Ok(Way::Proxy(via)),
                None => resolve::look_up(&origin.at, progress).await?,
            },
        };
        resolve::usable(addresses, self.family).map(Way::Straight)
    }

    /// Opens a connection to a place for a protocol of its own, which may be secured later.
    pub(crate) async fn connect(&self, place: &Place, progress: &Progress) -> Result<Box<dyn Stream>, Fault> {
        match place {
            Place::Port(at) => {
                let (at, secure) = (at.clone(), false);
                let origin = Origin { at, secure };
                let way = self.way(&origin, progress).await?;
                Ok(self.reach(&origin, &way, progress).await?.stream)
            }
            Place::Socket(path) => Ok(Box::new(connect::connect_to_socket(path, progress).await?)),
        }
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
                let stream = connect::connect(addresses, progress).await?;
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

    /// Goes on in TLS to a server of this name, and tells all that it showed, good or not.
    pub(crate) async fn secure(
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
