//! A cluster behind a transport in memory.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use gha::Runner;
use gha::edge::testing::{Log, runner_of};
use http::{Request, Response};
use k8s_blue_green::api::Api;
use k8s_blue_green::cli::{self, INTERFACE};
use k8s_blue_green::place::Place;
use kube::Client;
use kube::client::Body;
use sandbox::http::Request as Asked;
use sandbox::stand_ins::aws::Clock;
use sandbox::stand_ins::kubernetes::{Cluster, Heard};
use tokio::time::{Instant, sleep};

pub(crate) struct World {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) runner: Runner,
    pub(crate) log: Log,
    token: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let began = Instant::now();
        let cluster = Cluster::unheard(Clock::of(move || began.elapsed()));
        let token = cluster.token().to_owned();
        let (runner, log) = runner_of(INTERFACE, &[]);
        Self {
            cluster: Arc::new(cluster),
            runner,
            log,
            token,
        }
    }

    /// The same cluster for somebody who was allowed.
    pub(crate) fn with_token(mut self, token: &str) -> Self {
        token.clone_into(&mut self.token);
        self
    }

    pub(crate) fn place(&self) -> Place<'_> {
        let (cluster, token) = (Arc::clone(&self.cluster), self.token.clone());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (cluster, token) = (Arc::clone(&cluster), token.clone());
            async move { answer(cluster.hear(&asked(request, &token).await)).await }
        });
        let api = Api::new(Client::new(service, "default"));
        Place::with(api, "default", &cli::Place::default(), &self.runner)
    }

    /// The calls that changed something, as `patch services web`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let writes = self.cluster.calls("writes");
        let line = |call: &sandbox::stand_ins::kubernetes::Entry| {
            format!("{} {} {}", call.verb, call.resource, call.name)
        };
        writes.iter().map(line).collect()
    }
}

async fn asked(request: Request<Body>, token: &str) -> Asked {
    let (parts, body) = request.into_parts();
    let body = body.collect_bytes().await.unwrap();
    let mut headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    Asked {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.to_string(),
        headers,
        body: body.to_vec(),
        at: Duration::ZERO,
    }
}

async fn answer(heard: Heard) -> Result<Response<Body>, Broken> {
    match heard {
        Heard::Answer {
            status,
            headers,
            body,
            delay,
        } => {
            sleep(delay).await;
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(Body::from(body)).unwrap())
        }
        // A log that is not followed is over when it was read.
        Heard::Stream {
            status, mut stream, ..
        } => {
            let mut body = Vec::new();
            while let sandbox::stand_ins::kubernetes::Piece::Data(bytes) = stream.take() {
                body.extend(bytes);
            }
            Ok(Response::builder().status(status).body(Body::from(body)).unwrap())
        }
        Heard::Reset => Err(Broken),
        Heard::Silence => pending().await,
    }
}

#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection reset by peer")
    }
}

impl std::error::Error for Broken {}
