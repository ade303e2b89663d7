//! One look at every target.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::future::join_all;
use gate::probe::look_within;
use gate::setup::Setup;
use gate::spec::Spec;
use gate::spec::target::Target;
use gate::spec::wait::{LIMITS, Wait, Waited};
use gate::until_ready::{Attempt, End, Ending};
use gate::wait::{Limits, Progress};
use gha::outcome::Outcome;
use gha::{Failure, Runner};
use tokio::time::Instant;

use crate::asked::Asked;
use crate::intent;
use crate::publish::{self, Cut, Seen};
use crate::report::record::{Named, Record};
use crate::session::Made;

/// Looks once.
///
/// # Errors
/// When a target is not good, or the run was cancelled.
pub async fn run(mut asked: Asked, limit: Option<Duration>, runner: &Runner) -> Result<Outcome, Failure> {
    asked.spec = once(asked.spec, limit);
    let setup = Setup::new(&asked.spec, runner);
    let made = Made::of(&asked.spec, &setup)
        .await
        .map_err(|error| asked.failed(error))?;
    let wait = asked.spec.wait.clone().unwrap_or_else(|| Wait {
        targets: Vec::new(),
        timeout: Duration::ZERO,
        until: gate::wait::Until::All,
    });
    if asked.results.dry_run {
        let headline = intent::headline(&asked.spec);
        runner.info(&headline);
        return Ok(publish::dry_run(&asked, &headline));
    }
    let named = wait.targets.iter().map(|waited| Named {
        name: waited.target.name.clone(),
        address: waited.target.kind.shown(),
        wanted: 1,
    });
    let record = RefCell::new(Record::new(named.collect(), Vec::new()));
    let begin = Instant::now();
    let looks = wait
        .targets
        .iter()
        .zip(&made.targets)
        .enumerate()
        .map(|(target, (waited, probe))| {
            let record = &record;
            async move {
                let look = look_within(probe.as_ref(), waited.limits.try_timeout).await;
                let streak = u32::from(look.finding.is_good());
                let attempt = Attempt {
                    target,
                    number: 1,
                    started: Duration::ZERO,
                    took: begin.elapsed(),
                    look,
                    streak,
                };
                if let Some(line) = record.borrow_mut().attempt(&attempt) {
                    runner.info(&line);
                }
                streak > 0
            }
        });
    let looked = runner.cancel().guard(join_all(looks)).await;
    let (waited, cut) = match looked {
        Ok(ready) => (Some(ending(ready, begin.elapsed())), None),
        Err(cancelled) => (None, Some(Cut::Cancelled(cancelled))),
    };
    let seen = Seen {
        waited,
        ..Seen::default()
    };
    publish::finish(&asked, &record.into_inner(), None, seen, cut, runner)
}

/// The targets and probes of a file, each looked at once.
fn once(spec: Spec, limit: Option<Duration>) -> Spec {
    let waited = spec.wait.into_iter().flat_map(|wait| wait.targets);
    let probes = spec
        .watch
        .into_iter()
        .flat_map(|watch| watch.probes)
        .map(|probe| Waited {
            target: named(probe.name, probe.target),
            limits: Limits {
                try_timeout: probe.try_timeout,
                ..LIMITS
            },
        });
    let mut targets: Vec<Waited> = Vec::new();
    for mut waited in waited.chain(probes) {
        waited.limits.try_timeout = limit.unwrap_or(waited.limits.try_timeout);
        waited.limits.success_threshold = 1;
        if targets
            .iter()
            .all(|known| known.target.name != waited.target.name)
        {
            targets.push(waited);
        }
    }
    let timeout = targets
        .iter()
        .map(|waited| waited.limits.try_timeout)
        .max()
        .unwrap_or_default();
    Spec {
        wait: Some(Wait {
            targets,
            timeout,
            until: gate::wait::Until::All,
        }),
        watch: None,
        sources: Vec::new(),
        comparisons: Vec::new(),
        ..spec
    }
}

/// A probe's target under the probe's own name, so that two that look at one address are two. `probe`, which the only one
/// has, says less than its address.
fn named(name: String, target: Target) -> Target {
    if name == "probe" {
        return target;
    }
    Target { name, ..target }
}

/// What the looks came to.
fn ending(ready: Vec<bool>, took: Duration) -> Ending {
    let progress = |good: &bool| {
        let mut progress = Progress::default();
        progress.record(*good);
        progress
    };
    let end = match ready.iter().position(|ready| !ready) {
        Some(target) => End::TimedOut { target },
        None => End::Ready,
    };
    Ending {
        end,
        progress: ready.iter().map(progress).collect(),
        ready,
        took,
    }
}
