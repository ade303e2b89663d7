//! The cluster behind a socket: TLS, HTTP/1.1, bodies that come bit by bit, and connections to pods.

use std::future::{Future as _, pending};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::net::sockopt::set_socket_linger;
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};
use tokio_rustls::TlsAcceptor;

use super::auth::CERTIFICATE;
use super::cluster::Shared;
use super::forward::{self, Forwarding};
use super::inside::Reply;
use super::stream::{Flow, Piece, Stream};
use crate::http::Request;
use crate::http::body::Sending;
use crate::http::tls::Authority;

/// Bytes of a request, as [the server limits them](https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/server/config.go).
const REQUEST: usize = 3 * 1024 * 1024;
/// How often a body that comes bit by bit is asked for more.
const LOOK: Duration = Duration::from_millis(5);

type Outgoing = Either<Sending, Flowing>;

/// Serves one connection until either side closes it.
pub(super) async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    authority: Arc<Authority>,
    shared: Shared,
) {
    // Small answers are not to wait for each other.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let Ok(socket) = stream.as_fd().try_clone_to_owned() else {
        return;
    };
    // A client that does not trust the authority ends here, which is its right.
    let Ok(stream) = acceptor.accept(stream).await else {
        return;
    };
    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let whose = certificates
        .first()
        .and_then(|certificate| authority.whose(certificate));
    let socket = Arc::new(socket);
    let service = service_fn(|request| {
        let (socket, shared, whose) = (Arc::clone(&socket), shared.clone(), whose.clone());
        async move { respond(request, &socket, shared, whose).await }
    });
    // A broken connection is what many a fault is; the client's side of it is what a test looks at.
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let _ = connection.with_upgrades().await;
}

async fn respond(
    request: hyper::Request<Incoming>,
    socket: &OwnedFd,
    shared: Shared,
    whose: Option<String>,
) -> io::Result<hyper::Response<Outgoing>> {
    let (parts, body) = request.into_parts();
    let mut headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .filter(|(name, _)| name != CERTIFICATE)
        .collect();
    headers.extend(whose.map(|name| (CERTIFICATE.to_owned(), name)));
    let body = Limited::new(body, REQUEST).collect().await;
    let heard = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.to_string(),
        headers,
        body: body.map_err(io::Error::other)?.to_bytes().to_vec(),
        at: Duration::ZERO,
    };
    match shared.take(&heard) {
        Reply::Whole {
            status,
            headers,
            body,
            delay,
            cut,
        } => {
            wait(delay).await;
            let body = Bytes::from(body);
            let body = match cut {
                Some(at) => Sending::cut(&body, at),
                None => Sending::whole(body),
            };
            build(status, &headers, Either::Left(body))
        }
        Reply::Flow {
            status,
            headers,
            flow,
            delay,
        } => {
            wait(delay).await;
            build(status, &headers, Either::Right(Flowing::new(shared, flow)))
        }
        Reply::Forward { forwarding, delay } => {
            wait(delay).await;
            let request = hyper::Request::from_parts(parts, ());
            upgrade(request, &heard, forwarding)
        }
        Reply::Reset => {
            // Closing with unsent time zero makes the kernel send RST.
            set_socket_linger(socket, Some(Duration::ZERO))?;
            Err(io::Error::other("reset on purpose"))
        }
        Reply::Silence => pending().await,
    }
}

/// Turns the connection into one to a pod.
fn upgrade(
    mut request: hyper::Request<()>,
    heard: &Request,
    forwarding: Forwarding,
) -> io::Result<hyper::Response<Outgoing>> {
    let Some((protocol, headers)) = forward::handshake(heard) else {
        let words = "unable to upgrade: only WebSockets are spoken here\n";
        let body = Sending::whole(Bytes::from_static(words.as_bytes()));
        let headers = [("content-type".to_owned(), "text/plain".to_owned())];
        return build(400, &headers, Either::Left(body));
    };
    let upgrading = hyper::upgrade::on(&mut request);
    tokio::task::spawn_local(async move {
        if let Ok(upgraded) = upgrading.await {
            forward::carry(TokioIo::new(upgraded), protocol, forwarding).await;
        }
    });
    build(101, &headers, Either::Left(Sending::whole(Bytes::new())))
}

async fn wait(delay: Duration) {
    if !delay.is_zero() {
        sleep(delay).await;
    }
}

fn build(status: u16, headers: &[(String, String)], body: Outgoing) -> io::Result<hyper::Response<Outgoing>> {
    let mut builder = hyper::Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(body).map_err(io::Error::other)
}

/// A body that comes bit by bit.
struct Flowing {
    stream: Stream,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Flowing {
    fn new(shared: Shared, flow: Flow) -> Self {
        Self {
            stream: Stream::new(shared, flow),
            waiting: None,
        }
    }
}

impl Body for Flowing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                std::task::ready!(waiting.as_mut().poll(context));
            }
            match self.stream.take() {
                Piece::Data(bytes) => return Poll::Ready(Some(Ok(Frame::data(Bytes::from(bytes))))),
                Piece::End => return Poll::Ready(None),
                Piece::Later => self.waiting = Some(Box::pin(sleep(LOOK))),
            }
        }
    }
}
