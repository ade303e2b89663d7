//! A gRPC target that answers for its health: `grpc.health.v1.Health/Check`.
//!
//! One connection a look, in the clear (HTTP/2 with prior knowledge) or with TLS and ALPN `h2`. The messages have one
//! field each and are read and written here. HTTP/2 is spoken by the crate below hyper's client, because that one
//! hands its connection to tasks, which would outlive a look that is dropped.
//! <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>,
//! <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>

mod reply;

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue, TE};
use hyper::http::uri::Authority;
use hyper::{HeaderMap, Method, Request, Uri};
use percent_encoding::percent_decode;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use gha::text;

use crate::finding::{FaultKind, Finding};
use crate::probe::{CONNECT_SHARE, Look, Looking, Phases, Probe};
use reply::{MESSAGE_LIMIT, Reply, frame, request_message};

/// The most that is read of an answer's headers and of its trailers.
const HEADER_LIMIT: u32 = 16 * 1024;

/// How to look at a gRPC target.
#[derive(Clone, Debug, Default)]
pub struct GrpcOptions {
    /// Its host and port: `api:50051`, `[::1]:50051`.
    pub address: String,
    /// The service that is asked about; empty for the server as a whole.
    pub service: String,
    /// What the request names as its host instead of the address.
    pub authority: Option<String>,
    /// The name that the certificate must have instead of the host's.
    pub server_name: Option<String>,
    /// TLS with these settings; in the clear without. The protocols of ALPN are set here.
    pub tls: Option<Arc<ClientConfig>>,
}

/// A gRPC target.
#[derive(Clone, Debug)]
pub struct Grpc {
    host: String,
    port: u16,
    uri: Uri,
    service: String,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    shown: String,
}

/// Why options make no target.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GrpcError {
    /// The address.
    #[error("`{0}` is no host with a port")]
    Address(String),
    /// The authority.
    #[error("`{0}` is no authority; write a host, with a port if needed")]
    Authority(String),
    /// The name of the certificate.
    #[error("`{0}` is no server name; write a DNS name or an IP address")]
    ServerName(String),
}

impl Grpc {
    /// A target.
    ///
    /// # Errors
    /// When the address, the authority or the server name is none.
    pub fn new(options: GrpcOptions) -> Result<Self, GrpcError> {
        let shorten = |text: &str| text::cut(&text::visible(text), 100);
        let (address, port) =
            authority(&options.address).ok_or_else(|| GrpcError::Address(shorten(&options.address)))?;
        let port = port.ok_or_else(|| GrpcError::Address(shorten(&options.address)))?;
        let host = address.host().trim_matches(['[', ']']).to_owned();
        let shown = format!("grpc {address}");
        let named = match &options.authority {
            Some(text) => {
                authority(text)
                    .ok_or_else(|| GrpcError::Authority(shorten(text)))?
                    .0
            }
            None => address,
        };
        let tls = match options.tls {
            None => None,
            Some(config) => {
                let name = options.server_name.unwrap_or_else(|| host.clone());
                let refused = GrpcError::ServerName(shorten(&name));
                let name = ServerName::try_from(name).map_err(|_| refused)?;
                let mut config = ClientConfig::clone(&config);
                config.alpn_protocols = vec![b"h2".to_vec()];
                Some((Arc::new(config), name))
            }
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let uri = Uri::builder()
            .scheme(scheme)
            .authority(named.clone())
            .path_and_query("/grpc.health.v1.Health/Check")
            .build()
            .map_err(|_| GrpcError::Authority(shorten(named.as_str())))?;
        Ok(Self {
            host,
            port,
            uri,
            tls,
            shown: if options.service.is_empty() {
                shown
            } else {
                format!("{shown} {}", shorten(&options.service))
            },
            service: options.service,
        })
    }

    async fn ask(&self, limit: Duration, phases: &mut Phases) -> Result<Reply, Finding> {
        let begin = Instant::now();
        let connect = TcpStream::connect((self.host.as_str(), self.port));
        let stream = match tokio::time::timeout(limit.mul_f64(CONNECT_SHARE), connect).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(unreachable(&error)),
            Err(_) => return Err(Finding::bad(FaultKind::Connection, "could not connect in time")),
        };
        phases.connect = Some(begin.elapsed());
        // The request goes out in several small frames. Without this it is only slower.
        let _ = stream.set_nodelay(true);
        let Some((config, name)) = &self.tls else {
            return self.call(stream, limit, phases).await;
        };
        let begin = Instant::now();
        let stream = TlsConnector::from(Arc::clone(config)).connect(name.clone(), stream);
        let stream = stream.await.map_err(|error| no_tls(&error))?;
        phases.tls = Some(begin.elapsed());
        if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(Finding::bad(
                FaultKind::Protocol,
                "the server does not agree to speak HTTP/2, which gRPC needs",
            ));
        }
        self.call(stream, limit, phases).await
    }

    async fn call(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        limit: Duration,
        phases: &mut Phases,
    ) -> Result<Reply, Finding> {
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
            phases.first_byte = Some(begin.elapsed());
            read(response).await
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
        Box::pin(async move {
            let mut phases = Phases::default();
            let look = match self.ask(limit, &mut phases).await {
                Ok(reply) => Look {
                    status: Some(reply.http),
                    ..Look::without_answer(reply.judge(&self.service)).showing(reply.shown())
                },
                Err(finding) => Look::without_answer(finding),
            };
            Look { phases, ..look }
        })
    }
}

/// A host, and its port if it has one; user names are not taken.
fn authority(text: &str) -> Option<(Authority, Option<u16>)> {
    let authority: Authority = text.trim().parse().ok()?;
    let port = authority.port();
    let usable = !authority.host().is_empty() && !authority.as_str().contains('@');
    // `host:` and `host:0` have a port that is none.
    let valid = match &port {
        Some(port) => port.as_u16() != 0,
        None => !authority.as_str().ends_with(':'),
    };
    let port = port.map(|port| port.as_u16());
    (usable && valid).then_some((authority, port))
}

/// Reads an answer; what is over the limit of its message is left.
async fn read(response: hyper::Response<h2::RecvStream>) -> Result<Reply, h2::Error> {
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

/// What a failed connect says about the target.
fn unreachable(error: &std::io::Error) -> Finding {
    match error.kind() {
        ErrorKind::ConnectionRefused => Finding::bad(FaultKind::Connection, "connection refused"),
        // The resolver's errors carry no number of the system.
        _ if error.raw_os_error().is_none() => Finding::bad(
            FaultKind::Name,
            format!("the host's name can't be resolved: {error}"),
        ),
        _ => Finding::bad(FaultKind::Connection, format!("could not connect: {error}")),
    }
}

/// What a failed handshake says about the target.
fn no_tls(error: &std::io::Error) -> Finding {
    let reason = plain(error);
    let reason = if reason.contains("InvalidContentType") {
        "TLS failed: the server does not speak it at this port".to_owned()
    } else {
        format!("TLS failed: {reason}")
    };
    Finding::bad(FaultKind::Tls, reason)
}

/// What a broken exchange says about the target.
fn broken(error: h2::Error) -> Finding {
    if let Some(error) = error.get_io() {
        return Finding::bad(
            FaultKind::Connection,
            format!("the connection broke: {}", plain(error)),
        );
    }
    let reason = text::cut(&text::visible(&error.to_string()), 120);
    if error.is_remote() {
        Finding::bad(FaultKind::Connection, format!("the server hung up: {reason}"))
    } else {
        Finding::bad(
            FaultKind::Protocol,
            format!("the server does not speak HTTP/2 as gRPC needs it: {reason}"),
        )
    }
}

/// An error of the system in one line; a server's certificate may stand in it.
fn plain(error: &std::io::Error) -> String {
    text::cut(&text::visible(&error.to_string()), 200)
}

#[cfg(test)]
mod tests;
