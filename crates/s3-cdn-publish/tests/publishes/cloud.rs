//! A bucket behind a CDN, and runs that publish to it: each on a fresh machine, as in a workflow.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::config::SdkConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use clap::Parser as _;
use gha::edge::testing::runner_at;
use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner};
use jiff::{SignedDuration, Timestamp};
use s3_cdn_publish::cli::{Cli, Command, INTERFACE};
use s3_cdn_publish::place::Place;
use s3_cdn_publish::{prune, publish, recover, releases, rollback};
use sandbox::stand_ins::aws::{Clock, Distribution, Hosting, HostingEntry, Object, Stock};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::way::{ADDRESS, Event, InMemory, Journal, Span, Way, Weather, What};

/// The bucket.
pub(crate) const BUCKET: &str = "site";

/// The folder of the site in it.
pub(crate) const PREFIX: &str = "www/";

/// What stands for the end of a run that was killed.
const KILLED: &str = "killed";

/// What is done after each call that the stand-in has done.
pub(crate) type AfterEach = Arc<dyn Fn(usize) + Send + Sync>;

/// A bucket behind a CDN.
pub(crate) struct World {
    pub(crate) hosting: Arc<Hosting>,
    pub(crate) distribution: String,
    pub(crate) weather: Weather,
    pub(crate) after_each: Option<AfterEach>,
    /// The call at which a run waits is reached.
    pub(crate) reached: Arc<Notify>,
    /// It may go on.
    pub(crate) go: Arc<Notify>,
    /// How far the runner's clock is ahead of the store's.
    pub(crate) ahead: SignedDuration,
    /// The commit that a run builds from.
    pub(crate) commit: String,
    /// What answers in place of the stand-in: a status and a body.
    pub(crate) foreign: Option<(u16, &'static str)>,
    /// Whether runs tell the CDN.
    pub(crate) has_cdn: bool,
    run: String,
    journal: Arc<Journal>,
    event: RefCell<Option<Event>>,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) result: Result<Outcome, Failure>,
    /// How long it went on after its signal.
    pub(crate) went_on: Option<Duration>,
    pub(crate) log: String,
    /// The calls of this command and of others meanwhile, in the order in which they were done.
    pub(crate) calls: Vec<HostingEntry>,
    /// When each of them began and ended.
    pub(crate) spans: Vec<Span>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::from(Duration::ZERO)
    }

    /// The same from a state on that was looked at earlier.
    pub(crate) fn of(stock: &Stock) -> Self {
        let world = Self::from(stock.now());
        world.hosting.stock(|now| now.clone_from(stock));
        world
    }

    /// What the bucket and the CDN are now.
    pub(crate) fn stock(&self) -> Stock {
        self.hosting.stock(|stock| stock.clone())
    }

    fn from(time: Duration) -> Self {
        let began = Instant::now();
        let hosting = Hosting::unheard(Clock::of(move || time + began.elapsed()));
        let distribution = hosting.stock(|stock| {
            stock.s3.create(BUCKET);
            let distribution = Distribution::of(BUCKET).path("/www").root("index.html");
            stock.cloudfront.add(distribution)
        });
        Self {
            hosting: Arc::new(hosting),
            distribution,
            weather: Weather::default(),
            after_each: None,
            reached: Arc::default(),
            go: Arc::default(),
            ahead: SignedDuration::ZERO,
            commit: String::new(),
            foreign: None,
            has_cdn: true,
            run: "7".to_owned(),
            journal: Arc::default(),
            event: RefCell::new(None),
        }
    }

    /// Another run at the same bucket.
    pub(crate) fn other(&self, run: &str) -> Self {
        Self {
            hosting: Arc::clone(&self.hosting),
            distribution: self.distribution.clone(),
            weather: self.weather,
            after_each: None,
            reached: Arc::default(),
            go: Arc::default(),
            ahead: self.ahead,
            commit: self.commit.clone(),
            foreign: self.foreign,
            has_cdn: self.has_cdn,
            run: run.to_owned(),
            journal: Arc::clone(&self.journal),
            event: RefCell::new(None),
        }
    }

    /// Something happens to the next run.
    pub(crate) fn next(&self, at: usize, what: What) {
        *self.event.borrow_mut() = Some(Event { at, what });
    }

    /// Publishes a folder.
    pub(crate) async fn publish(&self, source: &Path, more: &[&str]) -> Ended {
        let source = source.to_str().unwrap();
        let line = [&["publish", "--source", source], more].concat();
        self.run(&line).await
    }

    /// Runs a command line, to which what names the place is added.
    pub(crate) async fn run(&self, line: &[&str]) -> Ended {
        let place = ["--bucket", BUCKET, "--prefix", PREFIX];
        let cdn = ["--distribution-id", &*self.distribution];
        let mut words = [&["s3-cdn-publish"], line, &place].concat();
        if self.has_cdn {
            words.extend(cdn);
        }
        let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
        let earlier = self.hosting.log().len();
        let variables = [
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_RUN_ID", &*self.run),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_SHA", &*self.commit),
            ("GITHUB_ACTOR", "mona"),
        ];
        let (runner, log) = runner_at(INTERFACE, &variables, self.time() + self.ahead);
        let way = self.way(&runner);
        let result = tokio::select! {
            biased;
            () = way.killed.notified() => Err(Failure::new(Exit::Bug, KILLED)),
            result = Box::pin(self.command(cli, &runner, &way)) => result,
        };
        Ended {
            result,
            went_on: way.signalled.lock().unwrap().map(|at| at.elapsed()),
            log: log.text(),
            calls: self.hosting.log().split_off(earlier),
            spans: self.journal.since(earlier),
        }
    }

    fn way(&self, runner: &Runner) -> Arc<Way> {
        Arc::new(Way {
            hosting: Arc::clone(&self.hosting),
            journal: Arc::clone(&self.journal),
            weather: self.weather,
            event: self.event.borrow_mut().take(),
            cancel: runner.cancel().clone(),
            killed: Notify::new(),
            reached: Arc::clone(&self.reached),
            go: Arc::clone(&self.go),
            calls: AtomicUsize::new(0),
            signalled: Mutex::new(None),
            foreign: self.foreign,
            is_dark: AtomicBool::new(false),
            struck: Mutex::new(None),
            after_each: self.after_each.clone(),
        })
    }

    async fn command(&self, cli: Cli, runner: &Runner, way: &Arc<Way>) -> Result<Outcome, Failure> {
        let config = self.config(way);
        let place = |flags| Place::with(config, flags, runner);
        match cli.command {
            Command::Publish(flags) => publish::at(&flags, &place(&flags.place)?).await,
            Command::Plan(flags) => publish::show_at(&flags, &place(&flags.place)?).await,
            Command::Rollback(flags) => rollback::at(&flags, &place(&flags.place)?).await,
            Command::Releases(flags) => releases::at(&place(&flags.place)?).await,
            Command::Prune(flags) => prune::at(&flags, &place(&flags.place)?).await,
            Command::Recover(flags) => recover::at(&flags, &place(&flags.place)?).await,
        }
    }

    fn config(&self, way: &Arc<Way>) -> SdkConfig {
        let variables: BTreeMap<&str, String> = self.hosting.environment().into_iter().collect();
        let keys = Credentials::new(
            &variables["AWS_ACCESS_KEY_ID"],
            &variables["AWS_SECRET_ACCESS_KEY"],
            None,
            None,
            "test",
        );
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(20))
            .operation_timeout(Duration::from_secs(90))
            .build();
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(variables["AWS_REGION"].clone()))
            .endpoint_url(ADDRESS)
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .retry_config(RetryConfig::standard().with_max_attempts(5))
            .timeout_config(timeouts)
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .http_client(InMemory(Arc::clone(way)))
            .build()
    }

    /// What the stand-in's clock shows, on the calendar.
    fn time(&self) -> Timestamp {
        let zero = Timestamp::from_second(1_767_225_600).unwrap();
        zero + self.hosting.stock(|stock| stock.now())
    }

    /// So much time passes that a lock which nobody writes again holds no longer.
    pub(crate) async fn lock_ends(&self) {
        sleep(Duration::from_secs(121)).await;
    }

    /// Everything that the bucket holds.
    pub(crate) fn objects(&self) -> BTreeMap<String, Object> {
        self.hosting.stock(|stock| {
            let keys = stock.s3.keys(BUCKET);
            keys.into_iter()
                .map(|key| {
                    let object = stock.s3.object(BUCKET, &key).unwrap().clone();
                    (key, object)
                })
                .collect()
        })
    }

    /// The text of an object of the site; empty where there is none.
    pub(crate) fn text(&self, key: &str) -> String {
        let key = format!("{PREFIX}{key}");
        self.hosting.stock(|stock| {
            let found = stock.s3.object(BUCKET, &key);
            found.map(Object::text).unwrap_or_default()
        })
    }

    /// Somebody else writes into the bucket; a whole key.
    pub(crate) fn put(&self, key: &str, object: Object) {
        self.hosting.stock(|stock| stock.s3.put(BUCKET, key, object));
    }

    /// What the commands keep in the bucket.
    pub(crate) fn state(&self) -> Vec<String> {
        let state = format!("{PREFIX}.deploy-actions/");
        let objects = self.objects();
        objects
            .keys()
            .filter_map(|key| key.strip_prefix(&state).map(str::to_owned))
            .collect()
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

    /// The calls of an operation, without those that are for what the commands keep.
    pub(crate) fn of_site(&self, operation: &str) -> Vec<&HostingEntry> {
        let state = format!("{PREFIX}.deploy-actions/");
        let calls = self.calls.iter().filter(|call| call.operation == operation);
        calls
            .filter(|call| !call.key.starts_with(&state))
            .filter(|call| !call.keys.iter().any(|key| key.starts_with(&state)))
            .collect()
    }

    /// Where the first and the last call are that are meant, among all.
    pub(crate) fn places(&self, means: impl Fn(&HostingEntry) -> bool) -> Vec<usize> {
        let all = self.calls.iter().enumerate();
        all.filter(|(_, call)| means(call)).map(|(at, _)| at).collect()
    }

    /// All of the first were answered before any of the second was sent.
    #[track_caller]
    pub(crate) fn barrier(&self, first: &[usize], second: &[usize]) {
        assert!(!first.is_empty() && !second.is_empty(), "{:?}", self.lines());
        let ended = first.iter().map(|&at| self.spans[at].ended).max().unwrap();
        let begun = second.iter().map(|&at| self.spans[at].begun).min().unwrap();
        assert!(ended < begun, "{:#?}", self.lines());
    }

    /// The calls, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .calls
            .iter()
            .map(|call| format!("{} {}", call.line(), call.status))
            .collect();
        lines.dedup();
        lines
    }

    /// The fact of a result, whichever it was.
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
}
