//! A cluster behind a transport in memory, on the virtual time of the test.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser as _;
use gha::edge::cancel::{Cancel, Signal};
use gha::edge::testing::runner_at;
use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use k8s_blue_green::api::Api;
use k8s_blue_green::cli::{Cli, Command, INTERFACE};
use k8s_blue_green::diagnose;
use k8s_blue_green::place::Place;
use k8s_blue_green::rolling::{self, Judged, back};
use kube::client::Body;
use sandbox::http::Request;
use sandbox::stand_ins::kubernetes::{Clock, Cluster, Entry, Heard, Piece};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

const KILLED: &str = "killed";

/// A cluster, and runners to deploy to it from: a fresh one for each run.
pub(crate) struct World {
    pub(crate) cluster: Arc<Cluster>,
    /// The run's number.
    pub(crate) run: Cell<&'static str>,
    /// What judges what is ready, and a manifest.
    pub(crate) judged: RefCell<Judged>,
    pub(crate) manifest: RefCell<Option<Value>>,
    end: RefCell<Option<End>>,
}

/// What happens to a run at a call: `VERB /path`, and the nth of these from 1.
#[derive(Clone, Debug)]
struct End {
    nth: usize,
    after: bool,
    kills: bool,
}

struct Line {
    cluster: Arc<Cluster>,
    end: Option<End>,
    calls: Mutex<usize>,
    cancel: Cancel,
    killed: Notify,
    token: String,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) result: Result<Outcome, Failure>,
    pub(crate) took: Duration,
    pub(crate) log: String,
    pub(crate) calls: Vec<Entry>,
}

impl World {
    pub(crate) fn new() -> Self {
        let began = Instant::now();
        Self {
            cluster: Arc::new(Cluster::unheard(Clock::of(move || began.elapsed()))),
            run: Cell::new("7"),
            judged: RefCell::new(Judged::Yes),
            manifest: RefCell::default(),
            end: RefCell::default(),
        }
    }

    /// With a workload of three pods of `shop:1.0.0`, all of them ready.
    pub(crate) fn with(kind: &str, image: &str) -> Self {
        let world = Self::new();
        world.cluster.world(|world| {
            world.put(workload(kind, image));
            world.put(json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
                "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
            }));
        });
        world
    }

    pub(crate) async fn settled(self) -> Self {
        sleep(Duration::from_secs(60)).await;
        self.cluster.world(|_| ());
        self
    }

    /// The next run is cancelled, or killed, at its nth call, before it is done or after.
    pub(crate) fn strike(&self, nth: usize, after: bool, kills: bool) {
        *self.end.borrow_mut() = Some(End { nth, after, kills });
    }

    pub(crate) async fn run(&self, line: &[&str]) -> Ended {
        let words = std::iter::once("k8s-blue-green").chain(line.iter().copied());
        let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
        let zero = Timestamp::from_second(1_767_225_600).unwrap();
        let now = zero + self.cluster.world(|world| world.now());
        let variables = [
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_RUN_ID", self.run.get()),
            ("GITHUB_RUN_ATTEMPT", "1"),
        ];
        let (runner, log) = runner_at(INTERFACE, &variables, now);
        let way = Arc::new(Line {
            cluster: Arc::clone(&self.cluster),
            end: self.end.borrow_mut().take(),
            calls: Mutex::new(0),
            cancel: runner.cancel().clone(),
            killed: Notify::new(),
            token: self.cluster.token().to_owned(),
        });
        let (begin, earlier) = (Instant::now(), self.cluster.log().len());
        let result = tokio::select! {
            result = Box::pin(self.command(cli, &runner, &way)) => result,
            () = way.killed.notified() => Err(Failure::new(Exit::Bug, KILLED)),
        };
        Ended {
            result,
            took: begin.elapsed(),
            log: log.text(),
            calls: self.cluster.log().split_off(earlier),
        }
    }

    async fn command(&self, cli: Cli, runner: &Runner, way: &Arc<Line>) -> Result<Outcome, Failure> {
        let api = Api::new(client(way));
        let place = |flags| Place::with(api.clone(), "default", flags, runner);
        match cli.command {
            Command::Deploy(flags) => {
                let manifest = self.manifest.borrow().clone();
                let judged = self.judged.borrow().clone();
                rolling::deploy(
                    &flags,
                    manifest,
                    &place(&flags.place),
                    async |_: &rolling::Ready<'_>| judged,
                )
                .await
            }
            Command::Rollback(flags) => back::rollback(&flags, &place(&flags.place)).await,
            Command::Recover(flags) => back::recover(&flags, &place(&flags.place)).await,
            Command::Diagnose(flags) => diagnose::at(&flags, &place(&flags.place)).await,
            _ => panic!("no command of these tests"),
        }
    }

    /// The images of the workload's template.
    pub(crate) fn template_image(&self, plural: &str) -> String {
        self.cluster.world(|world| {
            let found = world.get(plural, "default", "web").unwrap();
            found["spec"]["template"]["spec"]["containers"][0]["image"]
                .as_str()
                .unwrap()
                .to_owned()
        })
    }

    /// The images of the pods that are ready, one for each.
    pub(crate) fn serving(&self) -> Vec<String> {
        self.cluster.world(|world| {
            let pods = world.list("pods", "default");
            let ready = pods.into_iter().filter(|pod| {
                let conditions = pod["status"]["conditions"].as_array();
                conditions.is_some_and(|all| {
                    all.iter()
                        .any(|one| one["type"] == "Ready" && one["status"] == "True")
                })
            });
            ready
                .map(|pod| pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned())
                .collect()
        })
    }

    pub(crate) async fn later(&self, seconds: u64) {
        for _ in 0..seconds {
            sleep(Duration::from_secs(1)).await;
            self.cluster.world(|_| ());
        }
    }
}

/// A workload of three pods.
pub(crate) fn workload(kind: &str, image: &str) -> Value {
    let mut workload = json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "replicas": 3, "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": image, "ports": [{"name": "http", "containerPort": 8080}]}]},
            },
        },
    });
    match kind {
        "DaemonSet" => {
            workload["spec"].as_object_mut().unwrap().shift_remove("replicas");
        }
        "StatefulSet" => workload["spec"]["serviceName"] = "web".into(),
        _ => {}
    }
    workload
}

impl Ended {
    #[track_caller]
    pub(crate) fn good(&self) -> &Outcome {
        match &self.result {
            Ok(outcome) => outcome,
            Err(failure) => panic!("{:?}: {}\n{}", failure.exit, failure.error, self.log),
        }
    }

    #[track_caller]
    pub(crate) fn failed(&self, exit: Exit) -> &Failure {
        match &self.result {
            Err(failure) if failure.exit == exit => failure,
            Err(failure) => panic!(
                "{:?} and not {exit:?}: {}\n{}",
                failure.exit, failure.error, self.log
            ),
            Ok(outcome) => panic!("{}\n{}", outcome.headline, self.log),
        }
    }

    pub(crate) fn says(&self) -> String {
        match &self.result {
            Ok(outcome) => outcome.headline.clone(),
            Err(failure) => gha::failure::chain(failure.error.as_ref()),
        }
    }

    pub(crate) fn is_killed(&self) -> bool {
        matches!(&self.result, Err(failure) if failure.error.to_string() == KILLED)
    }

    pub(crate) fn fact(&self, name: &str) -> String {
        let outcome = match &self.result {
            Ok(outcome) => outcome,
            Err(failure) => &failure.outcome,
        };
        let value = outcome.facts.get(name);
        value
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .unwrap_or_default()
    }

    /// Writes, as `patch deployments`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let writes = self.calls.iter().filter(|call| call.writes());
        writes
            .map(|call| format!("{} {}", call.verb, call.resource))
            .collect()
    }
}

fn client(way: &Arc<Line>) -> kube::Client {
    let way = Arc::clone(way);
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let way = Arc::clone(&way);
        async move { answer(&way, request).await }
    });
    kube::Client::new(service, "default")
}

async fn answer(way: &Line, request: http::Request<Body>) -> Result<http::Response<Body>, std::io::Error> {
    // A network takes time, and whoever asks without a pause must not stop the clock.
    sleep(Duration::from_millis(20)).await;
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map_err(std::io::Error::other)?
        .to_bytes()
        .to_vec();
    let mut headers: Vec<(String, String)> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.push(("authorization".to_owned(), format!("Bearer {}", way.token)));
    headers.push(("host".to_owned(), "cluster.test".to_owned()));
    let request = Request {
        method: parts.method.to_string(),
        path: parts.uri.path_and_query().unwrap().to_string(),
        headers,
        body,
        at: Duration::ZERO,
    };
    let strikes = way.end.as_ref().filter(|end| {
        let mut calls = way.calls.lock().unwrap();
        *calls += 1;
        *calls == end.nth
    });
    if let Some(end) = strikes.filter(|end| !end.after) {
        way.strike(end).await;
    }
    let heard = way.cluster.hear(&request);
    if let Some(end) = strikes.filter(|end| end.after) {
        way.strike(end).await;
    }
    let (status, headers, bytes, delay) = match heard {
        Heard::Answer {
            status,
            headers,
            body,
            delay,
        } => (status, headers, body, delay),
        Heard::Stream {
            status,
            headers,
            mut stream,
            delay,
        } => {
            let mut bytes = Vec::new();
            while let Piece::Data(more) = stream.take() {
                bytes.extend(more);
            }
            (status, headers, bytes, delay)
        }
        Heard::Reset => return Err(std::io::Error::other("connection reset by peer")),
        Heard::Silence => std::future::pending().await,
    };
    sleep(delay).await;
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    Ok(response.body(Body::from(bytes)).unwrap())
}

impl Line {
    /// A killed run hears nothing more; a cancelled one goes on.
    async fn strike(&self, end: &End) {
        if end.kills {
            self.killed.notify_one();
            std::future::pending::<()>().await;
        }
        self.cancel.trigger(Signal::Terminate);
    }
}
