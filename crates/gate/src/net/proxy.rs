//! The proxy on the way: chosen by `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, asked for a tunnel (CONNECT,
//! RFC 9110, section 9.3.6) to targets with TLS, and given whole addresses for those without. SOCKS is not spoken.

use std::future::poll_fn;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::header::{HOST, PROXY_AUTHORIZATION};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;

use gha::edge::http::{Url, Via};

use crate::finding::{Fault, FaultKind};

use super::host_port::HostPort;
use super::progress::{Progress, Stage};
use super::tls::{self, Trust};
use super::{Origin, Stream, connect, fault, resolve};

/// The most of a proxy's answer to CONNECT that is held.
const MOST_ANSWER: usize = 16 * 1024;

/// Which proxy is on the way to a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proxies {
    /// The one that the environment names for it.
    #[default]
    Environment,
    /// None.
    None,
    /// This one, to every target.
    Always(Via),
}

impl Proxies {
    pub(crate) fn on_the_way(&self, url: &Url) -> Option<Via> {
        match self {
            Self::Environment => gha::edge::http::via(url),
            Self::None => None,
            Self::Always(via) => Some(via.clone()),
        }
    }
}

/// A proxy for people: `host:port`.
pub(crate) fn shown(via: &Via) -> String {
    at(via).to_string()
}

fn at(via: &Via) -> HostPort {
    HostPort {
        host: via.host.clone(),
        port: via.port,
    }
}

/// A fault on the way to or in a proxy, told as the proxy's.
pub(crate) fn blamed(via: &Via, broken: Fault) -> Fault {
    let shown = shown(via);
    fault(
        FaultKind::Proxy,
        format!(
            "the proxy `{shown}` did not let the request through: {}",
            broken.reason
        ),
    )
}

/// Opens a connection to a proxy, and through it to an origin with TLS.
pub(crate) async fn open(
    via: &Via,
    origin: &Origin,
    trust: &Trust,
    progress: &Progress,
) -> Result<Box<dyn Stream>, Fault> {
    if !matches!(via.scheme.as_str(), "http" | "https") {
        return Err(fault(
            FaultKind::Proxy,
            format!("it is a `{}` proxy, and only HTTP ones are used", via.scheme),
        ));
    }
    progress.through(shown(via));
    let addresses = resolve::look_up(&at(via), progress).await?;
    let mut stream: Box<dyn Stream> = Box::new(connect::connect(&addresses, progress).await?);
    if via.scheme == "https" {
        let name = tls::server_name(&via.host)?;
        let shaking = tls::handshake(stream, name, &["http/1.1"], trust, trust.recorder());
        let handshake = progress.during(Stage::Tunnel, shaking).await?;
        stream = Box::new(handshake.outcome?);
    }
    if !origin.secure {
        return Ok(stream);
    }
    progress.during(Stage::Tunnel, tunnel(stream, via, origin)).await
}

/// Asks a proxy to pass on everything from here to an origin.
async fn tunnel(stream: Box<dyn Stream>, via: &Via, origin: &Origin) -> Result<Box<dyn Stream>, Fault> {
    let authority = origin.at.to_string();
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(&authority)
        .header(HOST, &authority);
    if let Some(credentials) = &via.credentials {
        request = request.header(PROXY_AUTHORIZATION, credentials);
    }
    let request = request
        .body(Empty::<Bytes>::new())
        .map_err(|error| fault(FaultKind::Proxy, format!("it can't be asked: {error}")))?;
    let broke = |error: hyper::Error| fault(FaultKind::Proxy, gha::failure::chain(&error));
    let (mut sender, mut connection) = http1::Builder::new()
        .max_buf_size(MOST_ANSWER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broke)?;
    let asking = sender.send_request(request);
    tokio::pin!(asking);
    let mut ended = false;
    let answer = poll_fn(|context| {
        // An end or an error of the connection is told by the asking.
        ended = ended || connection.poll_without_shutdown(context).is_ready();
        asking.as_mut().poll(context)
    })
    .await
    .map_err(broke)?;
    match answer.status() {
        status if status.is_success() => {}
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            return Err(fault(FaultKind::Proxy, "it answered 407 and wants credentials"));
        }
        status => {
            return Err(fault(
                FaultKind::Proxy,
                format!("it answered {}", status.as_u16()),
            ));
        }
    }
    let parts = connection.into_parts();
    if parts.read_buf.is_empty() {
        Ok(parts.io.into_inner())
    } else {
        // The side that asked for the tunnel speaks first in it.
        Err(fault(FaultKind::Proxy, "it speaks in the tunnel by itself"))
    }
}
