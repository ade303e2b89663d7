//! A forward proxy that takes every host for one loopback address, and logs what it was asked.
//!
//! So a client can be sent to `https://deploy.example/` without a name ever being looked up. It speaks CONNECT and
//! the absolute form; it asks for no credentials but logs those that are sent.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Empty, Full};
use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request as HyperRequest, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;

use super::connection::read;
use super::log::{Log, Request};
use super::thread::Listening;

type Outgoing = Either<Incoming, Either<Full<Bytes>, Empty<Bytes>>>;

/// A proxy on a loopback port; stops when dropped.
#[derive(Debug)]
pub struct Proxy {
    listening: Listening,
    log: Arc<Log>,
}

impl Proxy {
    /// Sends every connection and every request to `target`, whatever host was asked for.
    ///
    /// # Errors
    /// When no port can be bound or no thread started.
    pub fn start(target: SocketAddr) -> io::Result<Self> {
        let log = Arc::new(Log::new());
        let seen = Arc::clone(&log);
        let listening = Listening::start("sandbox-proxy", move |stream| {
            let log = Arc::clone(&seen);
            async move {
                let service = service_fn(|request| {
                    let log = Arc::clone(&log);
                    async move { pass(request, target, &log).await }
                });
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                // What goes wrong between the two is for the client to see.
                let _ = connection.with_upgrades().await;
            }
        })?;
        Ok(Self { listening, log })
    }

    /// What to put into `HTTPS_PROXY` and `HTTP_PROXY`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.listening.address)
    }

    /// What it was asked: the path is `host:port` for CONNECT and the whole address otherwise.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.log.all()
    }

    /// The requests once there are `count`; none when that takes longer than `timeout`.
    #[must_use]
    pub fn wait_for(&self, count: usize, timeout: Duration) -> Option<Vec<Request>> {
        self.log.wait_for(count, timeout)
    }
}

async fn pass(
    request: HyperRequest<Incoming>,
    target: SocketAddr,
    log: &Log,
) -> io::Result<Response<Outgoing>> {
    if request.method() == Method::CONNECT {
        tunnel(request, target, log).await
    } else {
        forward(request, target, log).await
    }
}

async fn tunnel(
    mut request: HyperRequest<Incoming>,
    target: SocketAddr,
    log: &Log,
) -> io::Result<Response<Outgoing>> {
    let upgrade = hyper::upgrade::on(&mut request);
    log.add(read(request, log).await?);
    let mut server = TcpStream::connect(target).await?;
    tokio::task::spawn_local(async move {
        if let Ok(client) = upgrade.await {
            // Either side may leave when it likes.
            let _ = copy_bidirectional(&mut TokioIo::new(client), &mut server).await;
        }
    });
    Ok(Response::new(Either::Right(Either::Right(Empty::new()))))
}

async fn forward(
    request: HyperRequest<Incoming>,
    target: SocketAddr,
    log: &Log,
) -> io::Result<Response<Outgoing>> {
    let asked = read(request, log).await?;
    log.add(asked.clone());
    let Some(onward) = origin_form(&asked)? else {
        let text = Full::new(Bytes::from_static(
            b"a proxy is asked with CONNECT or a whole address",
        ));
        let mut refusal = Response::new(Either::Right(Either::Left(text)));
        *refusal.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(refusal);
    };
    let stream = TcpStream::connect(target).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    tokio::task::spawn_local(connection);
    let response = sender.send_request(onward).await.map_err(io::Error::other)?;
    Ok(response.map(Either::Left))
}

/// The request as the origin wants it; none when it was not meant for a proxy.
fn origin_form(asked: &Request) -> io::Result<Option<HyperRequest<Full<Bytes>>>> {
    let uri: hyper::Uri = asked.path.parse().map_err(io::Error::other)?;
    let Some(host) = uri.authority() else {
        return Ok(None);
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut onward = HyperRequest::builder().method(asked.method.as_str()).uri(path);
    let between_us = [
        "host",
        "proxy-authorization",
        "proxy-connection",
        "connection",
        "transfer-encoding",
    ];
    for (name, value) in asked
        .headers
        .iter()
        .filter(|(name, _)| !between_us.contains(&name.as_str()))
    {
        onward = onward.header(name, value);
    }
    let onward = onward.header(HOST, host.as_str());
    onward
        .body(Full::new(Bytes::from(asked.body.clone())))
        .map(Some)
        .map_err(io::Error::other)
}
