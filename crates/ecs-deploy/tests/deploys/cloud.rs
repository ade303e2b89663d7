//! A cloud behind a transport in memory, on the virtual time of the test.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::config::SdkConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use clap::Parser as _;
use ecs_deploy::api::Api;
use ecs_deploy::cli::{Cli, Command, INTERFACE};
use ecs_deploy::place::Place;
use ecs_deploy::weighted::promote;
use ecs_deploy::{deploy, plan, recover, rollback, run_task, status, verify};
use gha::edge::cancel::{Cancel, Signal};
use gha::edge::testing::{Log, runner_at};
use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner};
use jiff::Timestamp;
use sandbox::http::Request;
use sandbox::stand_ins::aws::{Clock, Cloud, Entry, Heard};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// What stands for the end of a run that was killed.
const KILLED: &str = "killed";

/// A cloud, and runners to deploy to it from: a fresh one for each run, as in a workflow.
pub(crate) struct World {
    pub(crate) cloud: Arc<Cloud>,
    /// More variables of the runners' environment.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// The run's number.
    run: String,
    /// The machine on which all is done by one attempt of it.
    job: Option<Arc<(Runner, Log)>>,
    runs: Cell<usize>,
    death: Option<Arc<Death>>,
    ends: RefCell<Option<End>>,
    cancel_after: Cell<Option<Duration>>,
}

/// What happens to a run half way.
#[derive(Clone, Debug)]
pub(crate) struct End {
    /// At which call of this run: its operation, and the nth of it from 1.
    pub(crate) at: (String, usize),
    /// Whether the call is done first.
    pub(crate) after: bool,
    /// What happens to it there.
    pub(crate) how: How,
}

/// How a run is struck.
#[derive(Clone, Debug)]
pub(crate) enum How {
    Killed,
    Cancelled,
    /// Its call takes until somebody else is ready.
    Waits(Arc<Meanwhile>),
}

/// What a run waits for at a call.
#[derive(Debug, Default)]
pub(crate) struct Meanwhile {
    /// It has come to the call.
    pub(crate) begins: Notify,
    /// It may go on.
    pub(crate) ends: Notify,
}

/// One run's way to the cloud, and what happens to it.
struct Line {
    cloud: Arc<Cloud>,
    end: Option<End>,
    calls: Mutex<usize>,
    death: Option<Arc<Death>>,
    cancel: Cancel,
    killed: Notify,
}

/// When the run is killed: after so many writes reached the cloud, before it hears of the last one.
#[derive(Debug)]
struct Death {
    writes: usize,
    /// The calls before it.
    earlier: usize,
    comes: Notify,
}

/// The machine of one attempt of a run, from now on.
fn machine(run: &str, cloud: &Cloud) -> Arc<(Runner, Log)> {
    let variables = [
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_RUN_ID", run),
        ("GITHUB_RUN_ATTEMPT", "1"),
    ];
    Arc::new(runner_at(INTERFACE, &variables, time_of(cloud)))
}

/// What the cloud's clock shows.
fn time_of(cloud: &Cloud) -> Timestamp {
    // The moment at which it stands at zero.
    let zero = Timestamp::from_second(1_767_225_600).unwrap();
    zero + cloud.world(|world| world.now())
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) result: Result<Outcome, Failure>,
    pub(crate) took: Duration,
    pub(crate) log: String,
    /// The calls of this command, in order.
    pub(crate) calls: Vec<Entry>,
    /// When it ended, on the cloud's clock.
    pub(crate) at: Duration,
}

impl World {
    pub(crate) fn new() -> Self {
        let began = Instant::now();
        let cloud = Cloud::unheard(Clock::of(move || began.elapsed()));
        Self {
            cloud: Arc::new(cloud),
            variables: Vec::new(),
            run: "7".to_owned(),
            job: None,
            runs: Cell::new(0),
            death: None,
            ends: RefCell::new(None),
            cancel_after: Cell::new(None),
        }
    }

    /// The same where every command is of one attempt of the run, as the steps of a job are.
    pub(crate) fn in_one_job(self) -> Self {
        let job = Some(machine(&self.run, &self.cloud));
        Self { job, ..self }
    }

    /// A fresh machine, with another run on the same cloud.
    pub(crate) fn other(&self, run: &str) -> Self {
        Self {
            run: run.to_owned(),
            job: self.job.as_ref().map(|_| machine(run, &self.cloud)),
            ..self.again()
        }
    }

    /// Another machine, at the same cloud.
    pub(crate) fn again(&self) -> Self {
        Self {
            cloud: Arc::clone(&self.cloud),
            variables: self.variables.clone(),
            run: self.run.clone(),
            job: self.job.clone(),
            runs: Cell::new(self.runs.get()),
            death: None,
            ends: RefCell::new(None),
            cancel_after: Cell::new(None),
        }
    }

    /// Runs a command line that is killed right after its nth write, if it comes to that; `None` where it was killed.
    pub(crate) async fn killed_after(&mut self, writes: usize, line: &[&str]) -> Option<Ended> {
        let death = Arc::new(Death {
            writes,
            earlier: self.cloud.log().len(),
            comes: Notify::new(),
        });
        self.death = Some(Arc::clone(&death));
        let ended = tokio::select! {
            biased;
            () = death.comes.notified() => None,
            ended = self.run(line) => Some(ended),
        };
        self.death = None;
        ended
    }

    /// Runs a command line.
    pub(crate) async fn run(&self, line: &[&str]) -> Ended {
        let words = std::iter::once("ecs-deploy").chain(line.iter().copied());
        let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
        let (begin, earlier) = (Instant::now(), self.cloud.log().len());
        self.runs.set(self.runs.get() + 1);
        let attempt = self.runs.get().to_string();
        let more = self.variables.iter().map(|(name, value)| (*name, value.as_str()));
        let variables: Vec<(&str, &str)> = [
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_RUN_ID", &*self.run),
            ("GITHUB_RUN_ATTEMPT", &*attempt),
        ]
        .into_iter()
        .chain(more)
        .collect();
        let fresh = runner_at(INTERFACE, &variables, time_of(&self.cloud));
        let (runner, log) = match &self.job {
            Some(job) => (&job.0, &job.1),
            None => (&fresh.0, &fresh.1),
        };
        let way = Arc::new(Line {
            cloud: Arc::clone(&self.cloud),
            end: self.ends.borrow_mut().take(),
            calls: Mutex::new(0),
            death: self.death.clone(),
            cancel: runner.cancel().clone(),
            killed: Notify::new(),
        });
        if let Some(time) = self.cancel_after.take() {
            let cancel = runner.cancel().clone();
            tokio::spawn(async move {
                sleep(time).await;
                cancel.trigger(Signal::Terminate);
            });
        }
        let result = tokio::select! {
            result = Box::pin(self.command(cli, runner, &way)) => result,
            () = way.killed.notified() => Err(Failure::new(Exit::Bug, KILLED)),
        };
        Ended {
            result,
            took: begin.elapsed(),
            log: log.text(),
            calls: self.cloud.log().split_off(earlier),
            at: self.cloud.world(|world| world.now()),
        }
    }

    /// The next run is cancelled after a time.
    pub(crate) fn cancel_after(&self, time: Duration) {
        self.cancel_after.set(Some(time));
    }

    /// The next run is cancelled at a call, before it is done or after.
    pub(crate) fn cancel_at(&self, operation: &str, nth: usize, after: bool) {
        self.strike((operation, nth, after), How::Cancelled);
    }

    /// The next run is killed at a call, before it is done or after.
    pub(crate) fn kill_at(&self, operation: &str, nth: usize, after: bool) {
        self.strike((operation, nth, after), How::Killed);
    }

    /// The next run waits at a call, before it is done or after, while somebody else acts.
    pub(crate) fn wait_at(&self, operation: &str, nth: usize, after: bool) -> Arc<Meanwhile> {
        let meanwhile = Arc::new(Meanwhile::default());
        self.strike((operation, nth, after), How::Waits(Arc::clone(&meanwhile)));
        meanwhile
    }

    fn strike(&self, (operation, nth, after): (&str, usize, bool), how: How) {
        let at = (operation.to_owned(), nth);
        *self.ends.borrow_mut() = Some(End { at, after, how });
    }

    async fn command(&self, cli: Cli, runner: &Runner, way: &Arc<Line>) -> Result<Outcome, Failure> {
        let config = self.config(way);
        let place = |flags| Place::with(Api::new(&config, "prod"), flags, runner);
        match cli.command {
            Command::Deploy(flags) => deploy::at(&flags, &place(&flags.place)).await,
            Command::Promote(flags) => promote::at(&flags, &place(&flags.place)).await,
            Command::Recover(flags) => recover::at(&flags, &place(&flags.place)).await,
            Command::Plan(flags) => plan::at(&flags, &place(&flags.place)).await,
            Command::Rollback(flags) => rollback::at(&flags, &place(&flags.place)).await,
            Command::Status(flags) => status::at(&flags, &place(&flags.place)).await,
            Command::Verify(flags) => verify::at(&flags, &place(&flags.deploy.place)).await,
            Command::RunTask(flags) => run_task::at(&flags, &place(&flags.place)).await,
        }
    }

    /// A service, for what is called without a command line. What it is reached by is never given back.
    pub(crate) fn place(&self, service: &str) -> Place<'static> {
        let cli = Cli::try_parse_from(["ecs-deploy", "status", "--cluster", "prod", "--service", service]);
        let Ok(Command::Status(flags)) = cli.map(|cli| cli.command) else {
            panic!("the flags of `status` are others");
        };
        let (runner, _) = runner_at(INTERFACE, &[], time_of(&self.cloud));
        let way = Arc::new(Line {
            cloud: Arc::clone(&self.cloud),
            end: None,
            calls: Mutex::new(0),
            death: None,
            cancel: runner.cancel().clone(),
            killed: Notify::new(),
        });
        let api = Api::new(&self.config(&way), "prod");
        Place::with(api, &flags.place, Box::leak(Box::new(runner)))
    }

    fn config(&self, way: &Arc<Line>) -> SdkConfig {
        let variables = self.cloud.environment();
        let of = |name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .unwrap()
                .1
                .clone()
        };
        let keys = Credentials::new(
            of("AWS_ACCESS_KEY_ID"),
            of("AWS_SECRET_ACCESS_KEY"),
            None,
            None,
            "test",
        );
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(20))
            .operation_timeout(Duration::from_secs(60))
            .build();
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(of("AWS_REGION")))
            .endpoint_url("http://cloud.test")
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .retry_config(RetryConfig::standard().with_max_attempts(4))
            .timeout_config(timeouts)
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .http_client(InMemory(Arc::clone(way)))
            .build()
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

    /// The exit code.
    pub(crate) fn exit(&self) -> u8 {
        match &self.result {
            Ok(_) => 0,
            Err(failure) => failure.exit.code(),
        }
    }

    /// Whether the run was killed.
    pub(crate) fn is_killed(&self) -> bool {
        matches!(&self.result, Err(failure) if failure.error.to_string() == KILLED)
    }

    /// The calls that changed something.
    pub(crate) fn writes(&self) -> Vec<&str> {
        let writes = self.calls.iter().filter(|call| call.writes());
        writes.map(|call| call.operation.as_str()).collect()
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

impl Line {
    /// Whether the run ends at this call.
    fn ends_at(&self, request: &Request) -> Option<&End> {
        let named = |end: &&End| {
            let target = format!(".{}", end.at.0);
            let action = format!("Action={}&", end.at.0);
            let json = request
                .headers
                .iter()
                .any(|(name, value)| name.eq_ignore_ascii_case("x-amz-target") && value.ends_with(&target));
            json || request.body.starts_with(action.as_bytes())
        };
        let end = self.end.as_ref().filter(named)?;
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        (*calls == end.at.1).then_some(end)
    }

    /// A killed run hears nothing more; the others go on.
    async fn end(&self, end: &End) {
        match &end.how {
            How::Killed => {
                self.killed.notify_one();
                std::future::pending::<()>().await;
            }
            How::Cancelled => self.cancel.trigger(Signal::Terminate),
            How::Waits(meanwhile) => {
                meanwhile.begins.notify_one();
                meanwhile.ends.notified().await;
            }
        }
    }
}

/// A transport that asks the cloud directly.
#[derive(Clone)]
struct InMemory(Arc<Line>);

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
            // A network takes time, and whoever asks without a pause must not stop the clock.
            sleep(Duration::from_millis(20)).await;
            let request = plain(&request);
            let ends = way.ends_at(&request);
            if let Some(end) = ends.filter(|end| !end.after) {
                way.end(end).await;
            }
            let heard = way.cloud.hear(&request);
            if let Some(death) = &way.death {
                let since = way.cloud.log().split_off(death.earlier);
                if since.iter().filter(|call| call.writes()).count() >= death.writes {
                    death.comes.notify_one();
                    return std::future::pending().await;
                }
            }
            if let Some(end) = ends.filter(|end| end.after) {
                way.end(end).await;
            }
            match heard {
                Heard::Answer {
                    status,
                    headers,
                    body,
                    delay,
                } => {
                    sleep(delay).await;
                    let status = StatusCode::try_from(status).unwrap();
                    let mut response = HttpResponse::new(status, SdkBody::from(body));
                    for (name, value) in headers {
                        response.headers_mut().append(name.to_lowercase(), value);
                    }
                    Ok(response)
                }
                Heard::Reset => Err(ConnectorError::io("connection reset by peer".into())),
                Heard::Silence => std::future::pending().await,
            }
        })
    }
}

fn plain(request: &HttpRequest) -> Request {
    let uri = request
        .uri()
        .strip_prefix("http://cloud.test")
        .unwrap()
        .to_owned();
    let headers = request.headers().iter();
    let mut headers: Vec<(String, String)> = headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        headers.push(("host".to_owned(), "cloud.test".to_owned()));
    }
    Request {
        method: request.method().to_owned(),
        path: uri,
        headers,
        body: request.body().bytes().unwrap_or_default().to_vec(),
        at: Duration::ZERO,
    }
}
