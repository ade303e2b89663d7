//! What a server was asked, readable while it runs.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// Path and query; for a proxy what stood in the request line (`host:443`, `http://host/path`).
    pub path: String,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
    /// Since the server started.
    pub at: Duration,
}

impl Request {
    /// The first header of that name, in whatever case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The path without the query.
    #[must_use]
    pub fn path_only(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// The body as text; foreign bytes become U+FFFD.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` for one that is not.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The requests of one server.
#[derive(Debug)]
pub(crate) struct Log {
    started: Instant,
    requests: Mutex<Vec<Request>>,
    grown: Condvar,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            requests: Mutex::default(),
            grown: Condvar::new(),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn add(&self, request: Request) {
        self.lock().push(request);
        self.grown.notify_all();
    }

    pub(crate) fn all(&self) -> Vec<Request> {
        self.lock().clone()
    }

    /// The requests once there are `count`, or none when that takes longer than `timeout`.
    pub(crate) fn wait_for(&self, count: usize, timeout: Duration) -> Option<Vec<Request>> {
        let waited = self
            .grown
            .wait_timeout_while(self.lock(), timeout, |requests| requests.len() < count);
        let (requests, _) = waited.unwrap_or_else(PoisonError::into_inner);
        (requests.len() >= count).then(|| requests.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
