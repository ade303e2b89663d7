//! One connection of a server: reads requests, writes them down, sends replies or commits faults.

use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustix::net::sockopt::set_socket_linger;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::yield_now;
use tokio::time::sleep;

use super::body::Sending;
use super::log::{Log, Request};
use super::reply::{Kind, Raw, Reply, Response, Then};

/// Answers a request.
pub(crate) type Answer = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// Serves one connection until either side closes it. `socket` is a second handle of the same TCP connection.
pub(crate) async fn serve<S>(stream: S, socket: OwnedFd, log: Arc<Log>, answer: Answer)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let socket = Arc::new(socket);
    let service = service_fn(|request| {
        let (socket, log, answer) = (Arc::clone(&socket), Arc::clone(&log), Arc::clone(&answer));
        async move { respond(request, &socket, &log, &answer).await }
    });
    // A broken connection is what many a script asks for; the client's side of it is what a test looks at.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: hyper::Request<Incoming>,
    socket: &OwnedFd,
    log: &Log,
    answer: &Answer,
) -> io::Result<hyper::Response<Sending>> {
    let request = read(request, log).await?;
    let reply = answer(&request);
    log.add(request);
    if reply.delay > Duration::ZERO {
        sleep(reply.delay).await;
    }
    match reply.kind {
        Kind::Response(response) => build(&response),
        Kind::Raw(raw) => {
            write(socket, &raw).await?;
            Err(io::Error::other("ended on purpose"))
        }
        Kind::Hang => pending().await,
        Kind::Reset => {
            // Closing with unsent time zero makes the kernel send RST.
            set_socket_linger(socket, Some(Duration::ZERO))?;
            Err(io::Error::other("reset on purpose"))
        }
        Kind::Close => Err(io::Error::other("closed on purpose")),
    }
}

/// Writes bytes past the HTTP of the connection, which has written nothing yet. Ends with an error when the client
/// leaves.
async fn write(socket: &OwnedFd, raw: &Raw) -> io::Result<()> {
    let mut stream = TcpStream::from_std(socket.try_clone()?.into())?;
    stream.write_all(&raw.begin).await?;
    match &raw.then {
        Then::Close => Ok(()),
        Then::Hold => pending().await,
        Then::Again(bytes, pause) => loop {
            stream.write_all(bytes).await?;
            // The clock ticks in milliseconds, and no pause is none.
            match pause.is_zero() {
                true => yield_now().await,
                false => sleep(*pause).await,
            }
        },
    }
}

/// Takes a request in whole.
pub(crate) async fn read(request: hyper::Request<Incoming>, log: &Log) -> io::Result<Request> {
    let at = log.elapsed();
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map_err(io::Error::other)?
        .to_bytes()
        .to_vec();
    let headers = head.headers.iter().map(|(name, value)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    });
    Ok(Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.to_string(),
        headers: headers.collect(),
        body,
        at,
    })
}

fn build(response: &Response) -> io::Result<hyper::Response<Sending>> {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Sending::new(response)).map_err(io::Error::other)
}
