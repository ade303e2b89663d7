//! How long a tool takes to say that a service is stable, and what it asks meanwhile: `ecs-deploy deploy` beside
//! `aws ecs wait services-stable`, which is what scripts wait by. Then what a large service costs in memory.
//!
//! Both watch the same rollouts, by keys of their own, at the pace that each has without being told: every 5 s, and
//! [every 15 s](https://docs.aws.amazon.com/cli/latest/reference/ecs/wait/services-stable.html). Time is real there; several
//! rollouts that differ in length go on side by side, so that stable moments lie all over the pauses of both.
//!
//! Limits: the stand-in is in this process, and its clock ticks by the second; who is content with less than the stand-in
//! calls steady says so early, and that counts as at once. `--stable-for` is 0 s here, because its peer has no such thing: the
//! default of 30 s comes on top.

mod tables;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use sandbox::stand_ins::aws::{Behaviour, Clock, Cloud, Identity, Setup};
use serde_json::json;

pub use tables::{costs, delays};

use super::memory;
use super::subject::Subject;

/// How many rollouts.
const ROLLOUTS: u32 = 8;
/// How long the shortest pulls its image, and how much longer than the one before each of the others does: together the
/// longer pause of the two.
const SHORTEST: Duration = Duration::from_secs(10);
const LONGER: Duration = Duration::from_millis(15_000 / ROLLOUTS as u64);
/// Tasks and events of a large service; ECS keeps
/// [no more events](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html).
const TASKS: u64 = 200;
const EVENTS: usize = 100;
/// Between two looks of our own at the stand-in.
const LOOK: Duration = Duration::from_millis(10);
/// Longer than a rollout takes.
const LIMIT: Duration = Duration::from_secs(180);

/// Who watched, and what came of it.
#[derive(Debug)]
pub struct Watched {
    /// The command.
    pub name: &'static str,
    /// How long after the stable moment each of its runs ended well.
    pub late: Vec<Duration>,
    /// How many calls it made in all its runs, from the change on.
    pub calls: usize,
    /// How long all its runs took, from the change on.
    pub watched: Duration,
}

/// What a command used that looks at a large service.
#[derive(Debug)]
pub struct Large {
    /// The command.
    pub name: &'static str,
    /// The largest resident memory in bytes.
    pub peak: u64,
    /// How many calls it made.
    pub calls: usize,
    /// How long it took.
    pub took: Duration,
}

const OURS: &str = "ecs-deploy deploy";
const PEER: &str = "aws ecs wait services-stable";

/// One rollout that both watch.
struct Rollout {
    cloud: Cloud,
    home: PathBuf,
}

/// Lets both watch the same rollouts. `aws` is Amazon's own command line.
///
/// # Errors
/// When a command can't be started or fails, or a rollout does not come to its end.
pub fn watched(program: &Path, aws: &Path, home: &Path) -> Result<[Watched; 2]> {
    let mut both = [OURS, PEER].map(|name| Watched {
        name,
        late: Vec::new(),
        calls: 0,
        watched: Duration::ZERO,
    });
    let runs: Vec<Result<[Run; 2]>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..ROLLOUTS)
            .map(|number| scope.spawn(move || rollout(program, aws, home, SHORTEST + LONGER * number)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(anyhow!("a rollout's thread panicked")))
            })
            .collect()
    });
    for run in runs {
        for (watched, run) in both.iter_mut().zip(run?) {
            watched.late.push(run.late);
            watched.calls += run.calls;
            watched.watched += run.watched;
        }
    }
    Ok(both)
}

/// What came of one command's watch over one rollout.
struct Run {
    late: Duration,
    calls: usize,
    watched: Duration,
}

fn rollout(program: &Path, aws: &Path, home: &Path, pull: Duration) -> Result<[Run; 2]> {
    let rollout = Rollout::new(Clock::compressed(1), 3, home)?;
    let slow = Behaviour::good().pulled_in(pull);
    rollout.cloud.world(|world| world.ecs.image(NEXT, slow));
    let mut ours = Child::start(OURS, &rollout.ours(program))?;
    let changed = rollout.until("change of the service", |cloud| {
        (!cloud.calls("UpdateService").is_empty()).then(Instant::now)
    })?;
    let mut peer = Child::start(PEER, &rollout.peer(aws))?;
    let stable = rollout.until("stable service", |cloud| {
        let steady = cloud.world(|world| world.ecs.is_steady(CLUSTER, SERVICE));
        steady.then(Instant::now)
    })?;
    let [ours, peer] = thread::scope(|scope| {
        [&mut ours, &mut peer]
            .map(|child| scope.spawn(|| child.ended()))
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(anyhow!("a thread panicked")))
            })
    });
    let [our_calls, peer_calls] = rollout.calls();
    let run = |ended: Instant, calls| Run {
        late: ended.saturating_duration_since(stable),
        calls,
        watched: ended.saturating_duration_since(changed),
    };
    Ok([run(ours?, our_calls), run(peer?, peer_calls)])
}

/// A command that watches; it does not outlive this value.
struct Child {
    name: &'static str,
    child: std::process::Child,
}

impl Child {
    fn start(name: &'static str, subject: &Subject) -> Result<Self> {
        let mut command = subject.command();
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command
            .spawn()
            .with_context(|| format!("failed to start `{name}`"))?;
        Ok(Self { name, child })
    }

    /// When it ended well.
    fn ended(&mut self) -> Result<Instant> {
        let status = self.child.wait();
        let at = Instant::now();
        let status = status.with_context(|| format!("failed to wait for `{}`", self.name))?;
        ensure!(status.success(), "`{}` failed with {status}", self.name);
        Ok(at)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // One that has ended is not there to be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What both use on a service of many tasks and events: ours for a whole deploy, the peer for its look at the outcome.
///
/// # Errors
/// When a command fails, or memory can't be measured on this machine.
pub fn large(program: &Path, aws: &Path, home: &Path) -> Result<[Large; 2]> {
    let rollout = Rollout::new(Clock::compressed(1), TASKS, home)?;
    rollout.fill_events()?;
    let measured = |name, subject: &Subject| -> Result<Large> {
        let (before, begin) = (rollout.cloud.log().len(), Instant::now());
        let peak = memory::peak_of_one_run(subject)?;
        Ok(Large {
            name,
            peak,
            calls: rollout.cloud.log().len() - before,
            took: begin.elapsed(),
        })
    };
    Ok([
        measured(OURS, &rollout.ours(program))?,
        measured(PEER, &rollout.peer(aws))?,
    ])
}

const CLUSTER: &str = "prod";
const SERVICE: &str = "web";
const NEXT: &str = "shop:1.1.0";

impl Rollout {
    fn new(clock: Clock, tasks: u64, home: &Path) -> Result<Self> {
        let cloud = Cloud::open(clock).context("failed to start a stand-in of AWS")?;
        Setup::new(CLUSTER, SERVICE)
            .image("shop:1.0.0")
            .desired(tasks)
            .build(&cloud);
        Ok(Self {
            cloud,
            home: home.to_owned(),
        })
    }

    fn ours(&self, program: &Path) -> Subject {
        let words = [
            "deploy",
            "--cluster",
            CLUSTER,
            "--service",
            SERVICE,
            "--image",
            NEXT,
            "--stable-for",
            "0s",
        ];
        self.known(Subject::ours(OURS, program, &words), self.cloud.environment())
    }

    fn peer(&self, aws: &Path) -> Subject {
        let words = [
            "ecs",
            "wait",
            "services-stable",
            "--cluster",
            CLUSTER,
            "--services",
            SERVICE,
        ];
        let key = self.cloud.world(|world| {
            let identity = Identity {
                account: world.home.account.clone(),
                arn: PEER.to_owned(),
                user_id: "AIDAPEER".to_owned(),
            };
            world.sts.keys.issue(identity, Duration::MAX)
        });
        let mut environment = self.cloud.environment();
        environment.retain(|(name, _)| !["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].contains(name));
        environment.push(("AWS_ACCESS_KEY_ID", key.id));
        environment.push(("AWS_SECRET_ACCESS_KEY", key.secret));
        environment.extend(key.token.map(|token| ("AWS_SESSION_TOKEN", token)));
        self.known(Subject::peer("aws", PEER, aws, &words), environment)
    }

    fn known(&self, subject: Subject, environment: Vec<(&'static str, String)>) -> Subject {
        environment
            .into_iter()
            .fold(subject.env("HOME", &self.home), |subject, (name, value)| {
                subject.env(name, value)
            })
    }

    /// Looks at the stand-in until something is so.
    fn until<T>(&self, what: &str, so: impl Fn(&Cloud) -> Option<T>) -> Result<T> {
        let begin = Instant::now();
        loop {
            if let Some(found) = so(&self.cloud) {
                return Ok(found);
            }
            ensure!(begin.elapsed() < LIMIT, "no {what} in {LIMIT:?}");
            #[expect(
                clippy::disallowed_methods,
                reason = "a look now and then at what others do in real time"
            )]
            thread::sleep(LOOK);
        }
    }

    /// The calls of ours and of the peer's since the change.
    fn calls(&self) -> [usize; 2] {
        let log = self.cloud.log();
        let change = log.iter().position(|call| call.operation == "UpdateService");
        let since = log.get(change.map_or(0, |at| at + 1)..).unwrap_or_default();
        let theirs = since
            .iter()
            .filter(|call| call.by.as_deref() == Some(PEER))
            .count();
        [since.len() - theirs, theirs]
    }

    /// Lets the service say as much as it keeps.
    fn fill_events(&self) -> Result<()> {
        let service = json!({ "cluster": CLUSTER, "service": SERVICE, "forceNewDeployment": true });
        let described = json!({ "cluster": CLUSTER, "services": [SERVICE] });
        let refused = |refusal| anyhow!("the stand-in refused: {refusal:?}");
        for _ in 0..EVENTS {
            let seen = self
                .cloud
                .act("ecs", "DescribeServices", described.clone())
                .map_err(refused)?;
            if seen["services"][0]["events"]
                .as_array()
                .is_some_and(|events| events.len() >= EVENTS)
            {
                return Ok(());
            }
            self.cloud
                .act("ecs", "UpdateService", service.clone())
                .map_err(refused)?;
            let steady = self
                .cloud
                .until(LIMIT * 10, |world| world.ecs.is_steady(CLUSTER, SERVICE));
            ensure!(steady, "the large service did not become steady");
        }
        bail!("the service does not have {EVENTS} events")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_large_service_is_as_large_as_it_is_said_to_be() {
        let home = Path::new("/");
        let rollout = Rollout::new(Clock::manual(), TASKS, home).unwrap();
        rollout.fill_events().unwrap();
        let input = json!({ "cluster": CLUSTER, "services": [SERVICE] });
        let seen = rollout.cloud.act("ecs", "DescribeServices", input).unwrap();
        assert_eq!(seen["services"][0]["runningCount"], TASKS);
        assert_eq!(seen["services"][0]["events"].as_array().unwrap().len(), EVENTS);
    }

    #[test]
    fn a_command_that_fails_is_not_measured() {
        let mut child = Child::start(
            "fails",
            &Subject::ours("fails", Path::new("/bin/sh"), &["-c", "exit 3"]),
        )
        .unwrap();
        let error = child.ended().unwrap_err().to_string();
        assert_eq!(error, "`fails` failed with exit status: 3");
    }
}
