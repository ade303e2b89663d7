//! One request and its answer over one connection: HTTP/2 where TLS agreed on it, HTTP/1.1 otherwise.
//!
//! The head of an answer is bounded by [`HEAD`] and [`HEAD_LIMIT`], the body by the asker. hyper's tasks live inside the
//! exchange.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::header::{HOST, HeaderMap, HeaderValue, PROXY_AUTHORIZATION};
use hyper::{Method, Request, Response, Uri, Version};
use hyper_util::rt::TokioIo;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use gha::edge::http::Url;
use gha::text;

use crate::answer::Answer;
use crate::finding::{Fault, FaultKind};
use crate::net::progress::{Progress, Stage};
use crate::net::tasks::Tasks;
use crate::net::{Opened, fault, tls};

use super::address::uri;
use super::meter::{HEAD_LIMIT, Meter, Readings};

/// The most of an answer's head that is taken.
pub(crate) const HEAD: u32 = 64 * 1024;

/// The most fields in a head.
const FIELDS: usize = 256;

/// What HTTP/2 may send before it is read: no more than a body's usual chunk.
const WINDOW: u32 = 256 * 1024;

/// A request.
pub(crate) struct Ask<'a, 'r> {
    pub(crate) url: &'a Url,
    pub(crate) method: &'a Method,
    /// All headers but those that a connection needs.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The most bytes that are taken of the answer's body, as sent and as unpacked.
    pub(crate) limit: usize,
    /// Where a large body takes its room.
    pub(crate) room: &'a Room<'r>,
}

/// As much of a body is read in any case, in bytes.
const SMALL: usize = 16 * 1024;

/// How many looks at one target may hold a large body at once. Others wait, so that hundreds of looks at a target which
/// sends much and then hangs do not take hundreds of megabytes; each of them hangs then as it would have anyway.
pub(crate) const LARGE_BODIES: usize = 8;

/// The room of one look for a large body, from what all looks at its target share.
pub(crate) struct Room<'a> {
    shared: &'a Semaphore,
    taken: RefCell<Option<SemaphorePermit<'a>>>,
}

impl<'a> Room<'a> {
    pub(crate) fn of(shared: &'a Semaphore) -> Self {
        Self {
            shared,
            taken: RefCell::default(),
        }
    }

    /// Takes it, once for a look; it is free again when the look is over.
    async fn take(&self) {
        if self.taken.borrow().is_none() {
            // Nobody closes it.
            let permit = self.shared.acquire().await.ok();
            self.taken.replace(permit);
        }
    }
}

/// Asks and reads the answer.
pub(crate) async fn exchange(opened: Opened, ask: Ask<'_, '_>, progress: &Progress) -> Result<Answer, Fault> {
    let through_reader = opened.reader.is_some();
    let readings = Rc::new(Readings::default());
    let (limit, room) = (ask.limit, ask.room);
    let host = ask.url.host_str().unwrap_or_default().to_owned();
    let tasks = Tasks::default();
    let exchanged = tasks
        .beside(async {
            let response = send(opened, ask, &tasks, &readings, progress).await?;
            readings.headed();
            read(response, limit, room, progress).await
        })
        .await;
    let answer = exchanged.map_err(|broken| match broken {
        Broken::Unwritten(reason) => fault(FaultKind::Protocol, reason),
        Broken::Hyper(_) if readings.too_much() => fault(
            FaultKind::Protocol,
            format!("the answer's head does not end within {} KiB", HEAD_LIMIT / 1024),
        ),
        Broken::Hyper(error) => match readings.alert.get() {
            // With TLS 1.3 a client learns only here that the server wanted more of it.
            Some(alert) => fault(
                FaultKind::Tls,
                format!("TLS failed: {}", tls::alerted(alert, &host, false)),
            ),
            None => told(&error),
        },
    })?;
    if through_reader && answer.status == 407 {
        return Err(fault(
            FaultKind::Proxy,
            "the proxy did not let the request through: it answered 407 and wants credentials",
        ));
    }
    answer
        .unpacked(limit)
        .map_err(|error| fault(FaultKind::Protocol, text::visible(&error.to_string())))
}

/// Why there is no answer.
enum Broken {
    /// The request can't be written down.
    Unwritten(String),
    Hyper(hyper::Error),
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Self {
        Self::Hyper(error)
    }
}

/// Sends the request and waits for the head of the answer.
async fn send(
    opened: Opened,
    ask: Ask<'_, '_>,
    tasks: &Tasks,
    readings: &Rc<Readings>,
    progress: &Progress,
) -> Result<Response<Incoming>, Broken> {
    let two = opened.protocol.as_deref() == Some(b"h2");
    let mut request = request(ask, two)?;
    if let Some(via) = &opened.reader {
        // The only kind of connection over which a proxy reads what is asked; it needs the whole address.
        if let Some(credentials) = &via.credentials {
            request
                .headers_mut()
                .insert(PROXY_AUTHORIZATION, credentials.clone());
        }
    } else if !two {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map(Uri::from).unwrap_or_default();
    }
    let stream = TokioIo::new(Meter::new(opened.stream, Rc::clone(readings)));
    progress.goes_on(Stage::Asked);
    let begin = Instant::now();
    let response = if two {
        let (mut sender, connection) = http2::Builder::new(tasks.clone())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_header_list_size(HEAD)
            .handshake(stream)
            .await?;
        spawn(tasks, connection);
        sender.ready().await?;
        let response = sender.send_request(request).await?;
        progress.first_byte(begin.elapsed());
        response
    } else {
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD as usize)
            .max_header_size(HEAD as usize)
            .max_headers(FIELDS)
            .handshake(stream)
            .await?;
        spawn(tasks, connection);
        sender.ready().await?;
        let response = sender.send_request(request);
        watched(response, begin, readings, progress).await?
    };
    Ok(response)
}

/// Lets a connection run; how it ends is told by the request.
fn spawn(tasks: &Tasks, connection: impl Future<Output = hyper::Result<()>> + 'static) {
    let task = async move {
        let _ = connection.await;
    };
    hyper::rt::Executor::execute(tasks, task);
}

/// Waits for an answer's head, and notes when its first byte came. HTTP/2 sends frames of its own before it, so there the
/// head itself is the first byte.
async fn watched<T>(
    work: impl Future<Output = T>,
    begin: Instant,
    readings: &Readings,
    progress: &Progress,
) -> T {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(|context| {
        if progress.stage() == Stage::Asked
            && let Some(first) = readings.first.get()
        {
            progress.goes_on(Stage::Head);
            progress.first_byte(first.saturating_duration_since(begin));
        }
        work.as_mut().poll(context)
    })
    .await
}

/// The request as hyper takes it, with its whole address.
fn request(ask: Ask<'_, '_>, two: bool) -> Result<Request<Full<Bytes>>, Broken> {
    let uri = uri(ask.url).ok_or_else(|| Broken::Unwritten("the address can't be asked".to_owned()))?;
    let authority = uri.authority().map(|authority| authority.as_str().to_owned());
    let mut request = Request::new(Full::new(ask.body));
    *request.method_mut() = ask.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = ask.headers;
    if two {
        // The address itself names the host there: RFC 9113, section 8.3.1.
        *request.version_mut() = Version::HTTP_2;
    } else if let Some(Ok(host)) = authority.map(HeaderValue::try_from) {
        request.headers_mut().insert(HOST, host);
    }
    Ok(request)
}

/// Reads an answer, its body up to the limit.
async fn read(
    response: Response<Incoming>,
    limit: usize,
    room: &Room<'_>,
    progress: &Progress,
) -> Result<Answer, Broken> {
    let (head, mut incoming) = response.into_parts();
    progress.goes_on(Stage::Body(0));
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let mut answer = Answer {
        status: head.status.as_u16(),
        headers: headers.collect(),
        ..Answer::default()
    };
    while let Some(frame) = incoming.frame().await {
        let Ok(chunk) = frame?.into_data() else { continue };
        let left = limit - answer.body.len();
        if answer.body.len() + chunk.len() > SMALL {
            room.take().await;
            // At once: growing by halves would hold it twice for a moment.
            answer.body.reserve_exact(left);
        }
        answer.body.extend_from_slice(&chunk[..chunk.len().min(left)]);
        progress.goes_on(Stage::Body(answer.body.len()));
        if chunk.len() > left {
            answer.cut = true;
            break;
        }
    }
    Ok(answer)
}

/// What a broken exchange says about the target.
fn told(error: &hyper::Error) -> Fault {
    let reason = text::cut(&text::visible(&gha::failure::chain(error)), 200);
    if error.is_parse_too_large() {
        let reason = format!("the answer's head is over {} KiB or {FIELDS} fields", HEAD / 1024);
        fault(FaultKind::Protocol, reason)
    } else if error.is_parse() {
        fault(FaultKind::Protocol, format!("the answer is not HTTP: {reason}"))
    } else {
        fault(FaultKind::Connection, format!("the connection broke: {reason}"))
    }
}
