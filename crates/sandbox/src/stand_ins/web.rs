//! A web service that is being rolled out: first not there, then the old version, then the new one.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::http::{Reply, Request, Server};

/// The course of a rollout, counted in requests to `/health`.
#[derive(Clone, Debug)]
pub struct Release {
    old: String,
    new: String,
    starting: usize,
    old_answers: usize,
    broken: Option<String>,
}

/// A [`Release`] that is being served.
#[derive(Debug)]
pub struct Serving(Server);

impl Release {
    /// A service that runs `old` and is about to run `new`.
    #[must_use]
    pub fn new(old: &str, new: &str) -> Self {
        Self {
            old: old.to_owned(),
            new: new.to_owned(),
            starting: 0,
            old_answers: 0,
            broken: None,
        }
    }

    /// The first `requests` get 503, as from a load balancer with no healthy target.
    #[must_use]
    pub fn starting(mut self, requests: usize) -> Self {
        self.starting = requests;
        self
    }

    /// After that, `requests` are answered by the old version.
    #[must_use]
    pub fn old_for(mut self, requests: usize) -> Self {
        self.old_answers = requests;
        self
    }

    /// The new version answers 500 with this reason.
    #[must_use]
    pub fn broken(mut self, reason: &str) -> Self {
        self.broken = Some(reason.to_owned());
        self
    }

    /// Serves it.
    ///
    /// # Errors
    /// When no port can be bound.
    pub fn serve(self) -> io::Result<Serving> {
        let asked = Mutex::new(0);
        let answer = move |request: &Request| {
            if request.path_only() != "/health" {
                return Reply::json(404, &json!({"status": "not found"}));
            }
            let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            *asked += 1;
            self.answer(*asked - 1)
        };
        Server::start_with(answer).map(Serving)
    }

    /// The answer to the request before which there were `earlier` ones.
    fn answer(&self, earlier: usize) -> Reply {
        if earlier < self.starting {
            return Reply::json(503, &json!({"status": "starting"}));
        }
        if earlier < self.starting + self.old_answers {
            return Reply::json(200, &json!({"status": "ok", "version": self.old}));
        }
        match &self.broken {
            None => Reply::json(200, &json!({"status": "ok", "version": self.new})),
            Some(reason) => Reply::json(
                500,
                &json!({"status": "error", "version": self.new, "reason": reason}),
            ),
        }
    }
}

impl Serving {
    /// The address of its health check.
    #[must_use]
    pub fn health(&self) -> String {
        self.0.url("/health")
    }

    /// Host and port, for a TCP probe.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// What it was asked.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.0.requests()
    }
}
