//! The way from the SDK to the stand-in: in memory, on the virtual time of the test, and what happens on it to one run.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use gha::edge::cancel::{Cancel, Signal};
use sandbox::http::Request;
use sandbox::stand_ins::aws::{Fault, Heard, Hosting, Turn};
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

/// What stands for the stand-in's address.
pub(crate) const ADDRESS: &str = "http://cloud.test";

/// Something that happens to a run at a call.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// At which call of the run, from 1, in the order in which they reach the stand-in.
    pub(crate) at: usize,
    pub(crate) what: What,
}

/// What happens.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// The call fails, and so do those for the same thing after it, so many in all.
    Fault(Fault, usize),
    /// The run gets a signal, before the call is done or after.
    Cancel { after: bool },
    /// The run gets a signal while the call is on its way, and the call arrives so much later all the same.
    CancelThenArrive(Duration),
    /// The run gets a signal, and from then on nothing is answered.
    CancelInTheDark,
    /// The run is gone, before the call is done or after.
    Kill { after: bool },
    /// The call waits until it is let go, before it is done or after.
    Wait { after: bool },
}

/// How the way is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// Makes the times that calls take.
    pub(crate) seed: u64,
    /// Whether what is on its way arrives, although who sent it is gone or has given up.
    pub(crate) late: bool,
}

/// When a call began and ended for who made it, on the line of all these moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) begun: usize,
    pub(crate) ended: usize,
}

/// What all runs share: one entry for each call of the stand-in's log.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    moments: AtomicUsize,
    spans: Mutex<Vec<Span>>,
}

/// One run's way to the stand-in, and what happens to it.
pub(crate) struct Way {
    pub(crate) hosting: Arc<Hosting>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) weather: Weather,
    pub(crate) event: Option<Event>,
    pub(crate) cancel: Cancel,
    /// The run is gone.
    pub(crate) killed: Notify,
    /// The call of [`What::Wait`] is reached.
    pub(crate) reached: Arc<Notify>,
    /// It may go on.
    pub(crate) go: Arc<Notify>,
    pub(crate) calls: AtomicUsize,
    /// What answers in place of the stand-in: a status and a body.
    pub(crate) foreign: Option<(u16, &'static str)>,
    /// Whether nothing is answered any more.
    pub(crate) is_dark: AtomicBool,
    /// When the run got its signal.
    pub(crate) signalled: Mutex<Option<Instant>>,
    /// What a fault has struck, and how often it still will.
    pub(crate) struck: Mutex<Option<(String, usize)>>,
    /// After each call that was done.
    pub(crate) after_each: Option<Arc<dyn Fn(usize) + Send + Sync>>,
}

impl Journal {
    fn moment(&self) -> usize {
        self.moments.fetch_add(1, Ordering::SeqCst)
    }

    /// The calls from this one of the log on.
    pub(crate) fn since(&self, earlier: usize) -> Vec<Span> {
        self.spans.lock().unwrap()[earlier..].to_vec()
    }
}

impl Way {
    /// How long the nth call is under way in one direction.
    fn time(&self, nth: usize) -> Duration {
        let mixed = (self.weather.seed ^ nth as u64)
            .wrapping_add(1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Duration::from_millis(5 + (mixed >> 40) % 40)
    }

    /// Brings a request to the stand-in, and its answer back.
    async fn carry(self: Arc<Self>, request: Request, begun: usize) -> Result<HttpResponse, ConnectorError> {
        if let Some((status, body)) = self.foreign {
            let status = StatusCode::try_from(status).unwrap();
            return Ok(HttpResponse::new(status, SdkBody::from(body)));
        }
        let spread = self.calls.load(Ordering::SeqCst) + begun;
        sleep(self.time(spread)).await;
        let nth = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let event = self.event.as_ref().filter(|event| event.at == nth);
        if let Some(event) = event {
            self.come(&event.what, false).await;
        }
        if self.is_dark.load(Ordering::SeqCst) {
            return std::future::pending().await;
        }
        let heard = self.ask(&request, event);
        let at = {
            let mut spans = self.journal.spans.lock().unwrap();
            spans.push(Span {
                begun,
                ended: usize::MAX,
            });
            spans.len() - 1
        };
        if let Some(each) = &self.after_each {
            each(nth);
        }
        if let Some(event) = event {
            self.come(&event.what, true).await;
        }
        sleep(self.time(spread + 7)).await;
        match heard {
            Heard::Answer {
                status,
                headers,
                body,
                delay,
            } => {
                sleep(delay).await;
                self.journal.spans.lock().unwrap()[at].ended = self.journal.moment();
                let status = StatusCode::try_from(status).unwrap();
                let mut response = HttpResponse::new(status, SdkBody::from(body));
                for (name, value) in headers {
                    response.headers_mut().append(name.to_lowercase(), value);
                }
                Ok(response)
            }
            Heard::Reset => {
                self.journal.spans.lock().unwrap()[at].ended = self.journal.moment();
                Err(ConnectorError::io("connection reset by peer".into()))
            }
            Heard::Silence => std::future::pending().await,
        }
    }

    /// Asks the stand-in, which fails as the event says.
    fn ask(&self, request: &Request, event: Option<&Event>) -> Heard {
        let Some(Event {
            what: What::Fault(fault, times),
            ..
        }) = &self.event
        else {
            return self.hosting.hear(request);
        };
        let name = format!("{} {}", request.method, request.path);
        let mut struck = self.struck.lock().unwrap();
        if event.is_some() {
            *struck = Some((name.clone(), *times));
        }
        match struck.as_mut() {
            Some((same, left)) if *same == name && *left > 0 => {
                *left -= 1;
                self.hosting.fault("*", Turn::Every, fault.clone());
                let heard = self.hosting.hear(request);
                self.hosting.heal();
                heard
            }
            _ => self.hosting.hear(request),
        }
    }

    fn signal(&self) {
        *self.signalled.lock().unwrap() = Some(Instant::now());
        self.cancel.trigger(Signal::Terminate);
    }

    async fn come(&self, what: &What, is_after: bool) {
        match what {
            What::Cancel { after } if *after == is_after => {
                self.signal();
                // Who is told has its turn before anything else happens.
                for _ in 0..3 {
                    yield_now().await;
                }
            }
            What::CancelThenArrive(time) if !is_after => {
                self.signal();
                sleep(*time).await;
            }
            What::CancelInTheDark if !is_after => {
                self.is_dark.store(true, Ordering::SeqCst);
                self.signal();
            }
            What::Kill { after } if *after == is_after => {
                self.killed.notify_one();
                for _ in 0..3 {
                    yield_now().await;
                }
            }
            What::Wait { after } if *after == is_after => {
                self.reached.notify_one();
                self.go.notified().await;
            }
            _ => {}
        }
    }
}

/// A transport that asks the stand-in directly.
#[derive(Clone)]
pub(crate) struct InMemory(pub(crate) Arc<Way>);

impl fmt::Debug for InMemory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("InMemory")
    }
}

impl HttpClient for InMemory {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InMemory {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let way = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let begun = way.journal.moment();
            let request = plain(request).await?;
            let late = way.weather.late;
            let carried = way.carry(request, begun);
            if !late {
                return carried.await;
            }
            // What is dropped here is on its way all the same.
            match tokio::spawn(carried).await {
                Ok(said) => said,
                Err(error) => Err(ConnectorError::other(error.into(), None)),
            }
        })
    }
}

async fn plain(request: HttpRequest) -> Result<Request, ConnectorError> {
    let uri = request.uri().strip_prefix(ADDRESS).unwrap().to_owned();
    let headers = request.headers().iter();
    let mut headers: Vec<(String, String)> = headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        headers.push(("host".to_owned(), "cloud.test".to_owned()));
    }
    let method = request.method().to_owned();
    let body = ByteStream::new(request.into_body()).collect().await;
    let body = body.map_err(|error| ConnectorError::io(error.into()))?;
    Ok(Request {
        method,
        path: uri,
        headers,
        body: body.into_bytes().to_vec(),
        at: Duration::ZERO,
    })
}
