//! A gRPC target that answers for its health: `grpc.health.v1.Health/Check`.
//!
//! One connection a look, in the clear (HTTP/2 with prior knowledge) or with TLS and ALPN `h2`. The messages have one
//! field each and are read and written here. HTTP/2 is spoken by the crate below hyper's client, because that one
//! hands its connection to tasks, which would outlive a look that is dropped.
//! <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>,
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>

mod reply;

use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue, TE};
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Method, Request, Uri};
use percent_encoding::percent_decode;
use tokio::time::Instant;

use gha::text;

use crate::finding::{Fault, FaultKind};
use crate::net::host_port::HostPort;
use crate::net::progress::{Progress, Stage};
use crate::net::tls::{self, Trust};
use crate::net::{Network, Origin, Stream, fault};
use crate::probe::{Look, Looking, Probe};
use reply::{MESSAGE_LIMIT, Reply, frame, request_message};

/// The most that is read of an answer's headers and of its trailers.
const HEADER_LIMIT: u32 = 16 * 1024;

/// How to look at a gRPC target.
#[derive(Clone, Debug)]
pub struct GrpcOptions {
    /// Its host and port.
    pub address: HostPort,
    /// The service that is asked about; empty for the server as a whole.
    pub service: String,
    /// What the request names as its host instead of the address.
    pub authority: Option<String>,
    /// TLS with a certificate for the host that is trusted; in the clear without.
    pub trust: Option<Trust>,
}

/// A gRPC target.
#[derive(Clone, Debug)]
pub struct Grpc {
    network: Network,
    origin: Origin,
    uri: Uri,
    service: String,
    shown: String,
}

/// Why options make no target.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GrpcError {
    /// The authority.
    #[error("`{0}` is no authority; write a host, with a port if needed")]
    Authority(String),
    /// The host, which no certificate can be for.
    #[error("`{0}` is no server name; write a DNS name or an IP address")]
    ServerName(String),
}

impl Grpc {
    /// A target.
    ///
    /// # Errors
    /// When the authority is none, or no certificate can be for the host.
    pub fn new(options: GrpcOptions) -> Result<Self, GrpcError> {
        let shorten = |text: &str| text::cut(&text::visible(text), 100);
        let secure = options.trust.is_some();
        if secure && tls::server_name(&options.address.host).is_err() {
            return Err(GrpcError::ServerName(shorten(&options.address.host)));
        }
        let named = options.authority.unwrap_or_else(|| options.address.to_string());
        let refuse = || GrpcError::Authority(shorten(&named));
        let uri = Uri::builder()
            .scheme(if secure { "https" } else { "http" })
            .authority(authority(&named).ok_or_else(refuse)?)
            .path_and_query("/grpc.health.v1.Health/Check")
            .build()
            .map_err(|_| refuse())?;
        let shown = format!("grpc {} {}", options.address, shorten(&options.service));
        Ok(Self {
            network: Network::straight(options.trust.unwrap_or_else(Trust::nobody)),
            origin: Origin {
                at: options.address,
                secure,
            },
            uri,
            service: options.service,
            shown: shown.trim_end().to_owned(),
        })
    }

    async fn looked(&self, limit: Duration, progress: &Progress) -> Result<Look, Fault> {
        let way = self.network.way(&self.origin, progress).await?;
        let opened = self.network.open(&self.origin, &way, &["h2"], progress).await?;
        if self.origin.secure && opened.protocol.as_deref() != Some(b"h2") {
            return Err(fault(
                FaultKind::Protocol,
                "the server does not agree to speak HTTP/2, which gRPC needs",
            ));
        }
        let reply = self.call(opened.stream, limit, progress).await?;
        Ok(Look {
            status: Some(reply.http),
            ..Look::without_answer(reply.judge(&self.service)).showing(reply.shown())
        })
    }

    async fn call(
        &self,
        stream: Box<dyn Stream>,
        limit: Duration,
        progress: &Progress,
    ) -> Result<Reply, Fault> {
        progress.goes_on(Stage::Asked);
        let begin = Instant::now();
        let (sender, connection) = h2::client::Builder::new()
            .enable_push(false)
            .max_header_list_size(HEADER_LIMIT)
            .handshake::<_, Bytes>(stream)
            .await
            .map_err(broken)?;
        let exchange = async {
            let mut sender = sender.ready().await?;
            let (response, mut body) = sender.send_request(self.request(limit), false)?;
            body.send_data(frame(&request_message(&self.service)).into(), true)?;
            let response = response.await?;
            progress.first_byte(begin.elapsed());
            read(response, progress).await
        };
        tokio::pin!(exchange);
        let reply = tokio::select! {
            reply = &mut exchange => reply,
            // What came before the end can still be read.
            _ = connection => exchange.await,
        };
        reply.map_err(broken)
    }

    fn request(&self, limit: Duration) -> Request<()> {
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        // At most eight digits: a day and more.
        let milliseconds = limit.as_millis().clamp(1, 99_999_999);
        if let Ok(value) = HeaderValue::from_str(&format!("{milliseconds}m")) {
            headers.insert("grpc-timeout", value);
        }
        request
    }
}

impl Probe for Grpc {
    fn target(&self) -> &str {
        &self.shown
    }

    fn look(&self, limit: Duration) -> Looking<'_> {
        let progress = Progress::default();
        Box::pin(async move {
            progress
                .look(limit, Box::pin(self.looked(limit, &progress)))
                .await
        })
    }
}

/// A host, with a port or without; user names are not taken.
fn authority(text: &str) -> Option<Authority> {
    let authority: Authority = text.trim().parse().ok()?;
    let usable = !authority.host().is_empty() && !authority.as_str().contains('@');
    // `host:` and `host:0` have a port that is none.
    let valid = match authority.port() {
        Some(port) => port.as_u16() != 0,
        None => !authority.as_str().ends_with(':'),
    };
    (usable && valid).then_some(authority)
}

/// Reads an answer; what is over the limit of its message is left.
async fn read(response: hyper::Response<h2::RecvStream>, progress: &Progress) -> Result<Reply, h2::Error> {
    progress.goes_on(Stage::Body(0));
    let (head, mut body) = response.into_parts();
    let mut reply = Reply {
        http: head.status.as_u16(),
        grpc: is_grpc(&head.headers),
        status: status(&head.headers),
        message: message(&head.headers),
        body: Vec::new(),
    };
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        let room = MESSAGE_LIMIT - reply.body.len();
        reply.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        progress.goes_on(Stage::Body(reply.body.len()));
        if chunk.len() > room {
            return Ok(reply);
        }
        // Only fails for more than was received.
        let _ = body.flow_control().release_capacity(chunk.len());
    }
    if let Some(trailers) = body.trailers().await? {
        reply.status = status(&trailers).or(reply.status);
        reply.message = message(&trailers).or(reply.message);
    }
    Ok(reply)
}

fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}

fn status(headers: &HeaderMap) -> Option<u32> {
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}

fn message(headers: &HeaderMap) -> Option<String> {
    let written = headers.get("grpc-message")?.as_bytes();
    Some(percent_decode(written).decode_utf8_lossy().into_owned()).filter(|text| !text.is_empty())
}

/// What a broken exchange says about the target.
fn broken(error: h2::Error) -> Fault {
    let shown = |error: &dyn std::fmt::Display, most| text::cut(&text::visible(&error.to_string()), most);
    if let Some(error) = error.get_io() {
        let reason = format!("the connection broke: {}", shown(error, 200));
        return fault(FaultKind::Connection, reason);
    }
    let reason = shown(&error, 120);
    if error.is_remote() {
        fault(FaultKind::Connection, format!("the server hung up: {reason}"))
    } else {
        let reason = format!("the server does not speak HTTP/2 as gRPC needs it: {reason}");
        fault(FaultKind::Protocol, reason)
    }
}

#[cfg(test)]
mod tests;
