//! What publishing a site costs: `s3-cdn-publish` beside `aws s3 sync`, `s5cmd sync` and `rclone sync --checksum`, each from its
//! own copy of the same tree into its own empty bucket of the same stand-in.
//!
//! A tool goes through all scenarios in turn, and after each its bucket is compared with the tree: a fast tool that leaves old
//! contents is not fast. Tools alternate from round to round.
//!
//! Limits: the stand-in is in this process, and its work is in the wall-clock time of all. It speaks http, so that clients hash
//! what they send and spend nothing on TLS. Peak memory is that of the program that was started, as for every command here.

mod tables;
mod tree;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result};
use sandbox::stand_ins::aws::{Clock, Hosting};

pub use tables::{absolute, ratios};
use tree::Tree;

use super::subject::Subject;
use super::{measure, memory};

/// How many files the site has.
const FILES: usize = 5_000;
/// What the trees are made from; any number is as good.
const SEED: u64 = 42;
/// How much is changed: one file of so many.
const ONE_OF: usize = 100;
/// How far times lie before and behind the clock, so that who goes by them sees them so.
const FAR: Duration = Duration::from_hours(24);
/// What is added to each answer in the second half: a bucket in the same part of the world.
const LATENCY: Duration = Duration::from_millis(30);
/// An object of ours that is no file of the site.
const STATE: &str = ".deploy-actions/";

/// Programs that people publish by.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    /// Amazon's own command line.
    pub aws: Option<PathBuf>,
    /// [s5cmd](https://github.com/peak/s5cmd).
    pub s5cmd: Option<PathBuf>,
    /// [rclone](https://rclone.org/).
    pub rclone: Option<PathBuf>,
}

/// What has become of the tree when a tool runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// The bucket is empty.
    First,
    /// Nothing changed, and times are as they were.
    Unchanged,
    /// Nothing changed, and every time is new: what a checkout and a build leave.
    Touched,
    /// One file of a hundred has another content of the same length, and a new time.
    Changed,
    /// The same with times that are older than the objects: a build with `SOURCE_DATE_EPOCH`, or a restored cache.
    ChangedOld,
}

impl Scenario {
    /// All, in the order in which they are run.
    pub const ALL: [Self; 5] = [
        Self::First,
        Self::Unchanged,
        Self::Touched,
        Self::Changed,
        Self::ChangedOld,
    ];

    /// Its title in tables.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Unchanged => "unchanged",
            Self::Touched => "touched",
            Self::Changed => "1 % changed",
            Self::ChangedOld => "1 %, old times",
        }
    }
}

/// One run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The short name of the tool.
    pub tool: &'static str,
    /// What had become of the tree.
    pub scenario: Scenario,
    /// From before the start to after the end.
    pub wall: Duration,
    /// User and system time.
    pub cpu: Duration,
    /// The largest resident memory in bytes.
    pub peak: u64,
    /// How many requests the store was asked.
    pub requests: usize,
    /// How many files of the site it was sent.
    pub sent: usize,
    /// How many objects of the bucket are not what the tree holds.
    pub stale: usize,
}

/// The short name of ours.
pub const OURS: &str = "ours";

/// Measures, with and without the latency of a network.
///
/// # Errors
/// When the tree can't be written, or a command fails.
pub fn measured(
    program: &Path,
    peers: &Peers,
    scratch: &Path,
    rounds: u32,
) -> Result<[(String, Vec<Run>); 2]> {
    let mut bench = Bench::open(scratch, FILES)?;
    let tools = tools(program, peers);
    let title = |how: &str| {
        format!(
            "s3-cdn-publish: a site of {FILES} files, {} MB, {how}",
            bench.tree.bytes() / 1_000_000
        )
    };
    let titles = [
        title("to a store on loopback"),
        title("to one that answers 30 ms later, one round"),
    ];
    let [near, far] = titles;
    let near = (near, bench.rounds(&tools, rounds)?);
    bench.hosting.settings(|settings| settings.latency = LATENCY);
    let far = (far, bench.rounds(&tools, 1)?);
    Ok([near, far])
}

/// A tool by its short name, and its command line for a folder and a bucket.
type Tool = (&'static str, Box<dyn Fn(&Path, &str, &Hosting) -> Subject>);

fn tools(program: &Path, peers: &Peers) -> Vec<Tool> {
    let mut tools: Vec<Tool> = Vec::new();
    let program = program.to_owned();
    tools.push((
        OURS,
        Box::new(move |tree, bucket, _| {
            let words = ["publish", "--bucket", bucket, "--delete", "--source"];
            Subject::ours(OURS, &program, &words).arg(tree)
        }),
    ));
    if let Some(aws) = peers.aws.clone() {
        tools.push((
            "aws",
            Box::new(move |tree, bucket, _| {
                let to = format!("s3://{bucket}");
                let words = ["s3", "sync", "--delete", "--no-progress", "--only-show-errors"];
                Subject::peer("aws", "aws s3 sync", &aws, &words)
                    .arg(tree)
                    .arg(to)
            }),
        ));
    }
    if let Some(s5cmd) = peers.s5cmd.clone() {
        tools.push((
            "s5cmd",
            Box::new(move |tree, bucket, hosting| {
                let url = hosting.url();
                let words = ["--endpoint-url", &url, "--log", "error", "sync", "--delete"];
                let (mut from, to) = (tree.as_os_str().to_owned(), format!("s3://{bucket}/"));
                from.push("/");
                Subject::peer("s5cmd", "s5cmd sync", &s5cmd, &words)
                    .arg(from)
                    .arg(to)
            }),
        ));
    }
    if let Some(rclone) = peers.rclone.clone() {
        tools.push((
            "rclone",
            Box::new(move |tree, bucket, hosting| {
                let region = hosting.settings(|settings| settings.region.clone());
                let to = format!(
                    ":s3,provider=Other,env_auth=true,region={region},force_path_style=true,endpoint=\"{}\":{bucket}",
                    hosting.url()
                );
                let words = [
                    "--config",
                    "/dev/null",
                    "sync",
                    "--checksum",
                    "--fast-list",
                    "--transfers",
                    "16",
                    "--checkers",
                    "16",
                    "-q",
                ];
                Subject::peer("rclone", "rclone sync --checksum", &rclone, &words)
                    .arg(tree)
                    .arg(to)
            }),
        ));
    }
    tools
}

/// The tree and the store.
struct Bench {
    tree: Tree,
    hosting: Hosting,
    home: PathBuf,
    /// When it began: times of files lie before and behind it.
    began: SystemTime,
}

impl Bench {
    fn open(scratch: &Path, files: usize) -> Result<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "clients compare the times of objects with those of files"
        )]
        let began = SystemTime::now();
        let hosting = Hosting::open(Clock::compressed(1)).context("failed to start a stand-in of S3")?;
        let since = began.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        hosting
            .cloud()
            .world(|world| world.home.began = since.as_secs_f64());
        Ok(Self {
            tree: Tree::grow(&scratch.join("site"), files, SEED)?,
            hosting,
            home: scratch.to_owned(),
            began,
        })
    }

    fn rounds(&mut self, tools: &[Tool], rounds: u32) -> Result<Vec<Run>> {
        let mut runs = Vec::new();
        for round in 0..rounds {
            for turn in 0..tools.len() {
                let (name, command) = &tools[(turn + round as usize) % tools.len()];
                let bucket = format!("{name}-{round}");
                self.hosting.stock(|stock| {
                    for key in stock.s3.keys(&bucket) {
                        stock.s3.remove(&bucket, &key);
                    }
                    stock.s3.create(&bucket);
                });
                self.tree.restore()?;
                for scenario in Scenario::ALL {
                    self.make(scenario)?;
                    let subject = self.known(command(self.tree.folder(), &bucket, &self.hosting));
                    runs.push(self.once(name, scenario, &bucket, &subject)?);
                }
                // Two hundred megabytes that nobody looks at any more.
                self.hosting.stock(|stock| {
                    for key in stock.s3.keys(&bucket) {
                        stock.s3.remove(&bucket, &key);
                    }
                });
            }
        }
        Ok(runs)
    }

    /// Makes the tree what the scenario says.
    fn make(&mut self, scenario: Scenario) -> Result<()> {
        let (old, new) = (self.began - FAR, self.began + FAR);
        match scenario {
            Scenario::First | Scenario::Unchanged => self.tree.times(old),
            Scenario::Touched => self.tree.times(new),
            Scenario::Changed => {
                self.tree.times(old)?;
                for file in self.tree.change(ONE_OF)? {
                    self.tree.time(file, new)?;
                }
                Ok(())
            }
            Scenario::ChangedOld => {
                self.tree.change(ONE_OF)?;
                self.tree.times(old)
            }
        }
    }

    fn known(&self, subject: Subject) -> Subject {
        let subject = subject
            .env("HOME", &self.home)
            .env("AWS_CONFIG_FILE", "/dev/null");
        let environment = self.hosting.environment().into_iter();
        environment.fold(subject, |subject, (name, value)| subject.env(name, value))
    }

    fn once(&self, tool: &'static str, scenario: Scenario, bucket: &str, subject: &Subject) -> Result<Run> {
        self.hosting.forget();
        let (cpu, begin) = (measure::cpu_of_children()?, Instant::now());
        let peak = memory::peak_of_one_run(subject)?;
        let wall = begin.elapsed();
        let cpu = measure::cpu_of_children()?.saturating_sub(cpu);
        let log = self.hosting.log();
        let is_sent = |call: &&sandbox::stand_ins::aws::HostingEntry| {
            matches!(call.operation, "PutObject" | "CompleteMultipartUpload") && !call.key.starts_with(STATE)
        };
        Ok(Run {
            tool,
            scenario,
            wall,
            cpu,
            peak,
            requests: log.len(),
            sent: log.iter().filter(is_sent).count(),
            stale: self.stale(bucket)?,
        })
    }

    /// How many objects are missing, too many, or not what the tree holds.
    fn stale(&self, bucket: &str) -> Result<usize> {
        let mut stale = 0;
        for file in 0..self.tree.len() {
            let content = self.tree.read(file)?;
            let is_right = self.hosting.stock(|stock| {
                let object = stock.s3.object(bucket, self.tree.name(file));
                object.is_some_and(|object| object.bytes() == content)
            });
            stale += usize::from(!is_right);
        }
        let keys = self.hosting.stock(|stock| stock.s3.keys(bucket));
        let of_site = keys.iter().filter(|key| !key.starts_with(STATE)).count();
        Ok(stale + of_site.saturating_sub(self.tree.len()))
    }
}

#[cfg(test)]
mod tests;
