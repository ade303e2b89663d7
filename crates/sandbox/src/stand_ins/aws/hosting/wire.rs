//! Connections: heads are read, bodies go by without being held, answers are sent or faults committed.

use std::future::pending;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::net::sockopt::set_socket_linger;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::answered::Answered;
use super::control;
use super::handle::Shared;
use super::inside::Outcome;
use super::route::Route;
use crate::http::Request;
use crate::http::body::Sending;
use crate::stand_ins::aws::cloud::Heard;

/// Bytes of a request to a service that is neither S3 nor CloudFront.
const REQUEST: usize = 4 * 1024 * 1024;

/// Serves one connection until either side closes it.
pub(super) async fn serve(stream: TcpStream, shared: Shared) {
    // Small answers are not to wait for each other.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let Ok(socket) = stream.as_fd().try_clone_to_owned() else {
        return;
    };
    let socket = Arc::new(socket);
    let service = service_fn(|request| {
        let (socket, shared) = (Arc::clone(&socket), shared.clone());
        async move { respond(request, &socket, &shared).await }
    });
    // A broken connection is what many a fault is; the client's side of it is what a test looks at.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: hyper::Request<Incoming>,
    socket: &OwnedFd,
    shared: &Shared,
) -> io::Result<hyper::Response<Sending>> {
    let (parts, mut body) = request.into_parts();
    let head = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.to_string(),
        headers: headers(&parts.headers),
        body: Vec::new(),
        at: shared.clock.now(),
    };
    if let Some(answered) = control::answer(&head, shared) {
        return build(answered, None);
    }
    let (route, mut intake, begun) = shared.begin(&head);
    if route == Route::Cloud {
        return cloud(head, body, socket, shared).await;
    }
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
            intake.add(&data);
        }
    }
    match shared.end(route, &head, &intake.end(), begun) {
        Outcome::Answer { answered, delay, cut } => {
            wait(delay).await;
            build(answered, cut)
        }
        Outcome::Reset => reset(socket),
        Outcome::Hang => pending().await,
    }
}

/// A request of another service.
async fn cloud(
    mut head: Request,
    body: Incoming,
    socket: &OwnedFd,
    shared: &Shared,
) -> io::Result<hyper::Response<Sending>> {
    let body = Limited::new(body, REQUEST).collect().await;
    head.body = body.map_err(io::Error::other)?.to_bytes().to_vec();
    match shared.cloud.hear(&head) {
        Heard::Answer {
            status,
            headers,
            body,
            delay,
        } => {
            wait(delay).await;
            let answered = Answered {
                status,
                headers,
                body: Bytes::from(body),
                code: None,
            };
            build(answered, None)
        }
        Heard::Reset => reset(socket),
        Heard::Silence => pending().await,
    }
}

fn headers(headers: &hyper::HeaderMap) -> Vec<(String, String)> {
    let headers = headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    headers.collect()
}

async fn wait(delay: Duration) {
    if !delay.is_zero() {
        sleep(delay).await;
    }
}

fn reset<T>(socket: &OwnedFd) -> io::Result<T> {
    // Closing with unsent time zero makes the kernel send RST.
    set_socket_linger(socket, Some(Duration::ZERO))?;
    Err(io::Error::other("reset on purpose"))
}

fn build(answered: Answered, cut: Option<usize>) -> io::Result<hyper::Response<Sending>> {
    let mut builder = hyper::Response::builder().status(answered.status);
    for (name, value) in &answered.headers {
        builder = builder.header(name, value);
    }
    let body = match cut {
        Some(at) => Sending::cut(&answered.body, at),
        None => Sending::whole(answered.body),
    };
    builder.body(body).map_err(io::Error::other)
}
