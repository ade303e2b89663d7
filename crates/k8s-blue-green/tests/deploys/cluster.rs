//! A cluster behind a transport in memory, on the virtual time of the test.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser as _;
use gha::edge::cancel::{Cancel, Signal};
use gha::edge::testing::runner_at;
use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner};
use http::{Request, Response};
use jiff::Timestamp;
use k8s_blue_green::api::Api;
use k8s_blue_green::cli::{Cli, INTERFACE};
use k8s_blue_green::place::Place;
use kube::Client;
use kube::client::Body;
use sandbox::http::Request as Asked;
use sandbox::stand_ins::aws::Clock;
use sandbox::stand_ins::kubernetes::{Cluster, Entry, Heard, Piece};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// What stands for the end of a run that was killed.
const KILLED: &str = "killed";

/// A cluster, and runners to deploy to it from: a fresh one for each run, as in a workflow.
pub(crate) struct World {
    pub(crate) cluster: Arc<Cluster>,
    /// More variables of the runners' environment.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// Who the runs are; the administrator where nobody is named.
    pub(crate) token: Option<String>,
    run: String,
    attempts: Cell<usize>,
    strike: RefCell<Option<Strike>>,
    hold: Arc<Hold>,
}

/// A call that is under way for as long as a test wants.
#[derive(Default)]
struct Hold {
    reached: Notify,
    on: Notify,
}

/// What happens to one call of a run, by its number from 1.
#[derive(Clone, Debug)]
pub(crate) struct Strike {
    pub(crate) nth: usize,
    pub(crate) how: How,
}

/// How a call is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// The run ends before the call.
    KilledBefore,
    /// The run ends when the call is done.
    KilledAfter,
    /// A signal comes while the call is under way.
    Cancelled(Signal),
    /// It is answered so, and not done.
    Answered(u16),
    /// It is not done, and the connection breaks.
    Reset,
    /// It is done, and the connection breaks.
    Lost,
    /// It is done, and no answer comes.
    Silent,
    /// From this call on every one is answered so.
    Always(u16),
    /// It is under way until [`World::go_on`].
    Held,
}

/// One run's way to the cluster, and what happens to it.
struct Line {
    cluster: Arc<Cluster>,
    token: String,
    strike: Option<Strike>,
    calls: Mutex<usize>,
    cancel: Cancel,
    killed: Notify,
    hold: Arc<Hold>,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) result: Result<Outcome, Failure>,
    pub(crate) took: Duration,
    pub(crate) log: String,
    /// How many requests it sent: its calls, and those that ask which versions of an API there are.
    pub(crate) sent: usize,
    /// The calls of this command, in order.
    pub(crate) calls: Vec<Entry>,
}

impl World {
    pub(crate) fn new() -> Self {
        let began = Instant::now();
        let cluster = Cluster::unheard(Clock::of(move || began.elapsed()));
        Self {
            cluster: Arc::new(cluster),
            variables: Vec::new(),
            token: None,
            run: "7".to_owned(),
            attempts: Cell::new(0),
            strike: RefCell::new(None),
            hold: Arc::default(),
        }
    }

    /// A fresh machine, with another run on the same cluster.
    pub(crate) fn other(&self, run: &str) -> Self {
        Self {
            cluster: Arc::clone(&self.cluster),
            variables: self.variables.clone(),
            token: self.token.clone(),
            run: run.to_owned(),
            attempts: Cell::new(0),
            strike: RefCell::new(None),
            hold: Arc::default(),
        }
    }

    /// The next run is struck.
    pub(crate) fn strike(&self, nth: usize, how: How) {
        *self.strike.borrow_mut() = Some(Strike { nth, how });
    }

    /// A call that is held is under way now.
    pub(crate) async fn held(&self) {
        self.hold.reached.notified().await;
    }

    /// The call that is held goes on.
    pub(crate) fn go_on(&self) {
        self.hold.on.notify_one();
    }

    /// Runs a command line in the namespace `default`.
    pub(crate) async fn run(&self, line: &[&str]) -> Ended {
        let words = std::iter::once("k8s-blue-green").chain(line.iter().copied());
        let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
        let (begin, earlier) = (Instant::now(), self.cluster.log().len());
        let (runner, log) = self.machine();
        let administrator = || self.cluster.token().to_owned();
        let way = Arc::new(Line {
            cluster: Arc::clone(&self.cluster),
            token: self.token.clone().unwrap_or_else(administrator),
            strike: self.strike.borrow_mut().take(),
            calls: Mutex::new(0),
            cancel: runner.cancel().clone(),
            killed: Notify::new(),
            hold: Arc::clone(&self.hold),
        });
        let flags = cli.command.place().clone();
        let place = Place::with(Api::new(client(&way)), "default", &flags, &runner);
        let result = tokio::select! {
            biased;
            () = way.killed.notified() => Err(Failure::new(Exit::Bug, KILLED)),
            result = Box::pin(k8s_blue_green::at(&cli.command, &place)) => result,
        };
        Ended {
            result,
            took: begin.elapsed(),
            log: log.text(),
            sent: *way.calls.lock().unwrap(),
            calls: self.cluster.log().split_off(earlier),
        }
    }

    fn machine(&self) -> (Runner, gha::edge::testing::Log) {
        self.attempts.set(self.attempts.get() + 1);
        let attempt = self.attempts.get().to_string();
        let more = self.variables.iter().map(|(name, value)| (*name, value.as_str()));
        let variables: Vec<(&str, &str)> = [
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_RUN_ID", &*self.run),
            ("GITHUB_RUN_ATTEMPT", &*attempt),
            ("GITHUB_SERVER_URL", "https://github.com"),
        ]
        .into_iter()
        .chain(more)
        .collect();
        // The moment at which the cluster's clock stands at zero.
        let zero = Timestamp::from_second(1_767_225_600).unwrap();
        let now = zero + self.cluster.world(|world| world.now());
        runner_at(INTERFACE, &variables, now)
    }
}

/// A client whose requests a cluster in memory hears.
fn client(way: &Arc<Line>) -> Client {
    let way = Arc::clone(way);
    let service = tower::service_fn(move |request: Request<Body>| {
        let way = Arc::clone(&way);
        async move { way.carry(request).await }
    });
    Client::new(service, "default")
}

impl Line {
    async fn carry(&self, request: Request<Body>) -> Result<Response<Body>, Broken> {
        let asked = self.asked(request).await;
        let nth = {
            let mut calls = self.calls.lock().unwrap();
            *calls += 1;
            *calls
        };
        let struck = self.strike.as_ref().and_then(|strike| {
            let always = matches!(strike.how, How::Always(_)) && nth >= strike.nth;
            (strike.nth == nth || always).then_some(strike.how)
        });
        match struck {
            None => answer(self.cluster.hear(&asked)).await,
            Some(How::KilledBefore) => {
                self.killed.notify_one();
                pending().await
            }
            Some(How::KilledAfter) => {
                drop(self.cluster.hear(&asked));
                self.killed.notify_one();
                pending().await
            }
            Some(How::Cancelled(signal)) => {
                self.cancel.trigger(signal);
                answer(self.cluster.hear(&asked)).await
            }
            Some(How::Answered(status) | How::Always(status)) => Ok(Response::builder()
                .status(status)
                .body(Body::from(b"{}".to_vec()))
                .unwrap()),
            Some(How::Held) => {
                self.hold.reached.notify_one();
                self.hold.on.notified().await;
                answer(self.cluster.hear(&asked)).await
            }
            Some(How::Reset) => Err(Broken),
            Some(How::Lost) => {
                drop(self.cluster.hear(&asked));
                Err(Broken)
            }
            Some(How::Silent) => {
                drop(self.cluster.hear(&asked));
                pending().await
            }
        }
    }

    async fn asked(&self, request: Request<Body>) -> Asked {
        let (parts, body) = request.into_parts();
        let body = body.collect_bytes().await.unwrap();
        let mut headers: Vec<(String, String)> = parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
            .collect();
        headers.push(("authorization".to_owned(), format!("Bearer {}", self.token)));
        Asked {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.to_string(),
            headers,
            body: body.to_vec(),
            at: Duration::ZERO,
        }
    }
}

async fn answer(heard: Heard) -> Result<Response<Body>, Broken> {
    match heard {
        Heard::Answer {
            status,
            headers,
            body,
            delay,
        } => whole(status, headers, body, delay).await,
        Heard::Stream {
            status,
            headers,
            mut stream,
            delay,
        } => {
            let mut body = Vec::new();
            while let Piece::Data(more) = stream.take() {
                body.extend(more);
            }
            whole(status, headers, body, delay).await
        }
        Heard::Reset => Err(Broken),
        Heard::Silence => pending().await,
    }
}

async fn whole(
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delay: Duration,
) -> Result<Response<Body>, Broken> {
    sleep(delay).await;
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    Ok(response.body(Body::from(body)).unwrap())
}

/// A connection that broke.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection reset by peer")
    }
}

impl std::error::Error for Broken {}

impl From<Infallible> for Broken {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Ended {
    /// It ended well.
    #[track_caller]
    pub(crate) fn good(&self) -> &Outcome {
        match &self.result {
            Ok(outcome) => outcome,
            Err(failure) => panic!("{:?}: {}\n{}", failure.exit, failure.error, self.log),
        }
    }

    /// It ended with this code.
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

    /// What it says, however it ended, with what to do.
    pub(crate) fn says(&self) -> String {
        match &self.result {
            Ok(outcome) => outcome.headline.clone(),
            Err(failure) => {
                let help = failure.help.as_deref().unwrap_or_default();
                format!("{}\n{help}", gha::failure::chain(failure.error.as_ref()))
            }
        }
    }

    /// Whether the run was killed.
    pub(crate) fn is_killed(&self) -> bool {
        matches!(&self.result, Err(failure) if failure.error.to_string() == KILLED)
    }

    /// The calls that changed something, as `patch services web`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let writes = self.calls.iter().filter(|call| call.writes());
        writes
            .map(|call| format!("{} {} {}", call.verb, call.resource, call.name))
            .collect()
    }

    /// The fact of a result, whichever it was.
    pub(crate) fn fact(&self, name: &str) -> String {
        let outcome = match &self.result {
            Ok(outcome) => outcome,
            Err(failure) => &failure.outcome,
        };
        outcome
            .facts
            .get(name)
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .unwrap_or_default()
    }
}
