//! A run of what was asked for, told to a log and a terminal.

use std::time::Duration;

use gate::run::{Made, Progress, Run};
use gate::setup::Setup;
use gate::spec::Spec;
use gha::outcome::Outcome;
use gha::{Failure, Runner};
use tokio::time::timeout;

use crate::asked::Asked;
use crate::caution;
use crate::error::Error;
use crate::intent;
use crate::publish::{self, Cut};
use crate::report::live;

/// How long after the time for the whole command it is cut off: steps that take exactly as long end by themselves, and
/// their verdict counts.
const GRACE: Duration = Duration::from_secs(1);

/// Runs what was asked for.
///
/// # Errors
/// When the verdict is no pass, or the run was cancelled.
pub async fn run(asked: Asked, runner: &Runner) -> Result<Outcome, Failure> {
    let setup = Setup::new(&asked.spec, runner);
    let made = Made::of(&asked.spec, &setup)
        .await
        .map_err(|error| asked.failed(error))?;
    if asked.results.dry_run {
        return Ok(dry_run(&asked.spec, &asked, runner));
    }
    publish::check_places(&asked)?;
    caution::lines(&asked.spec, &|key| asked.key(key))
        .iter()
        .for_each(|line| runner.warn(line));
    intent::lines(&asked.spec)
        .iter()
        .for_each(|line| runner.info(line));
    let mut run = Run::new(&asked.spec, made).map_err(Error::from)?;
    let (now, told) = (|| runner.now(), |progress: Progress<'_>| tell(progress, runner));
    let limit = asked.spec.timeout.saturating_add(GRACE);
    let going = timeout(limit, run.go(&now, &told));
    let cut = match runner.cancel().guard(going).await {
        Ok(Ok(())) => None,
        Ok(Err(_)) => Some(Cut::OutOfTime(asked.spec.timeout)),
        Err(cancelled) => Some(Cut::Cancelled(cancelled)),
    };
    let (record, observation, seen) = run.into_parts();
    publish::finish(&asked, &record, observation.as_ref(), seen, cut, runner)
}

/// Says what would be done.
fn dry_run(spec: &Spec, asked: &Asked, runner: &Runner) -> Outcome {
    let headline = intent::headline(spec);
    runner.info(&headline);
    // Of a single target the headline says what the first line would.
    let one = spec.wait.as_ref().is_some_and(|wait| wait.targets.len() == 1);
    let lines = intent::lines(spec);
    lines
        .iter()
        .skip(usize::from(one))
        .for_each(|line| runner.info(line));
    publish::dry_run(asked, &headline)
}

/// Tells a log what is new, and a terminal how everything stands.
fn tell(progress: Progress<'_>, runner: &Runner) {
    match progress {
        Progress::Line(line) => runner.info(line),
        Progress::Warning(line) => runner.warn(line),
        Progress::Standing {
            record,
            is_watching,
            left,
        } => {
            runner.heartbeat(live::heartbeat(record, is_watching, left));
            runner.live(|| live::lines(record, is_watching, left));
        }
    }
}
