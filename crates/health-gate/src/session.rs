//! A run: sources are asked whether they can answer, targets waited for, then watched.

use std::cell::RefCell;
use std::time::Duration;

use gate::observation::Observation;
use gate::observe::{Asker, Load, Plan, Told, observe};
use gate::probe::Probe;
use gate::setup::{Setup, SetupError};
use gate::source;
use gate::spec::Spec;
use gate::spec::sources::Source;
use gate::until_ready::{End, Target, until_ready};
use gate::{observe as watching, until_ready as waiting};
use gha::outcome::Outcome;
use gha::{Failure, Runner};
use tokio::time::timeout;

use crate::asked::Asked;
use crate::caution;
use crate::error::Error;
use crate::intent;
use crate::preflight::preflight;
use crate::publish::{self, Cut, Seen};
use crate::report::live;
use crate::report::record::{Named, Record};

/// How long after the time for the whole command it is cut off: steps that take exactly as long end by themselves, and
/// their verdict counts.
const GRACE: Duration = Duration::from_secs(1);

/// What a run looks with.
pub struct Made {
    /// A probe for each target of the wait.
    pub targets: Vec<Box<dyn Probe>>,
    /// A probe for each probe of the observation.
    pub probes: Vec<Box<dyn Probe>>,
    /// The metric sources.
    pub sources: Vec<Box<dyn source::Source>>,
}

impl Made {
    /// Everything that a gate file asks for.
    ///
    /// # Errors
    /// When something can't be made.
    pub async fn of(spec: &Spec, setup: &Setup<'_>) -> Result<Self, SetupError> {
        let targets = spec.wait.iter().flat_map(|wait| &wait.targets);
        let probes = spec.watch.iter().flat_map(|watch| &watch.probes);
        let mut sources = Vec::with_capacity(spec.sources.len());
        for source in &spec.sources {
            sources.push(setup.source(source).await?);
        }
        Ok(Self {
            targets: targets
                .map(|waited| setup.probe(&waited.target))
                .collect::<Result<_, _>>()?,
            probes: probes
                .map(|probe| setup.probe(&probe.target))
                .collect::<Result<_, _>>()?,
            sources,
        })
    }
}

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
    publish::check_folders(&asked)?;
    caution::lines(&asked.spec)
        .iter()
        .for_each(|line| runner.warn(line));
    intent::lines(&asked.spec)
        .iter()
        .for_each(|line| runner.info(line));
    let record = RefCell::new(record(&asked.spec));
    let mut observation = observation(&asked.spec)?;
    let mut seen = Seen::default();
    let work = async {
        let refused = preflight(&asked.spec, &made, observation.as_ref(), runner).await;
        if let Some(refused) = refused {
            seen.refused = Some(refused);
            return;
        }
        if let Some(ending) = wait(&asked.spec, &made, &record, runner).await {
            let is_ready = ending.end == End::Ready;
            seen.waited = Some(ending);
            if !is_ready {
                return;
            }
        }
        if let Some(observation) = &mut observation {
            seen.watched = watch(&asked.spec, &made, observation, &record, runner).await;
        }
    };
    let ended = runner
        .cancel()
        .guard(timeout(asked.spec.timeout.saturating_add(GRACE), work))
        .await;
    let cut = match ended {
        Ok(Ok(())) => None,
        Ok(Err(_)) => Some(Cut::OutOfTime(asked.spec.timeout)),
        Err(cancelled) => Some(Cut::Cancelled(cancelled)),
    };
    publish::finish(
        &asked,
        &record.into_inner(),
        observation.as_ref(),
        seen,
        cut,
        runner,
    )
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

fn record(spec: &Spec) -> Record {
    let targets = spec
        .wait
        .iter()
        .flat_map(|wait| &wait.targets)
        .map(|waited| Named {
            name: waited.target.name.clone(),
            address: waited.target.kind.shown(),
            wanted: waited.limits.success_threshold,
        });
    let probes = spec
        .watch
        .iter()
        .flat_map(|watch| &watch.probes)
        .map(|probe| Named {
            name: probe.name.clone(),
            address: probe.target.kind.shown(),
            wanted: 1,
        });
    Record::new(targets.collect(), probes.collect())
}

/// The observation that a gate file asks for, if it asks for one.
///
/// # Errors
/// When a comparison can't work.
pub fn observation(spec: &Spec) -> Result<Option<Observation>, Error> {
    let Some(watch) = &spec.watch else { return Ok(None) };
    let observation = Observation::new(
        watch.rules.clone(),
        spec.comparisons.clone(),
        watch.probes.len(),
        watch.warmup,
        watch.judged(),
    )?;
    let reaches = spec.sources.iter().map(Source::reach);
    Ok(Some(observation.reaching(reaches.collect())))
}

/// Waits for the targets, if there are any to wait for.
async fn wait(
    spec: &Spec,
    made: &Made,
    record: &RefCell<Record>,
    runner: &Runner,
) -> Option<waiting::Ending> {
    let wait = spec.wait.as_ref()?;
    let targets: Vec<Target<'_>> = wait
        .targets
        .iter()
        .zip(&made.targets)
        .map(|(waited, probe)| Target {
            probe: probe.as_ref(),
            limits: waited.limits,
            give_up_on: waited.target.give_up_on(),
        })
        .collect();
    let ending = until_ready(&targets, wait.until, |attempt| {
        let line = record.borrow_mut().attempt(attempt);
        let left = wait.timeout.saturating_sub(attempt.started + attempt.took);
        tell(line.into_iter().collect(), record, false, left, runner);
    })
    .await;
    Some(ending)
}

/// Observes under the rules.
async fn watch(
    spec: &Spec,
    made: &Made,
    observation: &mut Observation,
    record: &RefCell<Record>,
    runner: &Runner,
) -> Option<watching::Ending> {
    let watch = spec.watch.as_ref()?;
    let loads = watch.probes.iter().zip(&made.probes).map(|(probe, made)| Load {
        probe: made.as_ref(),
        interval: probe.interval,
        try_timeout: probe.try_timeout,
    });
    let askers = spec
        .sources
        .iter()
        .zip(&made.sources)
        .map(|(source, made)| Asker {
            source: made.as_ref(),
            timeout: source.timeout,
        });
    let plan = Plan {
        duration: watch.duration,
        interval: watch.interval,
        loads: loads.collect(),
        askers: askers.collect(),
        begin: runner.now(),
    };
    let ending = observe(&plan, observation, |told| {
        let lines = record.borrow_mut().told(&told);
        let left = match told {
            Told::Judged { at, .. } => Some(watch.duration.saturating_sub(at)),
            Told::Look { .. } => None,
        };
        match left {
            Some(left) => tell(lines, record, true, left, runner),
            None => lines.iter().for_each(|line| runner.info(line)),
        }
    })
    .await;
    if let Some(line) = caution::crowded(&ending) {
        runner.warn(&line);
    }
    Some(ending)
}

/// Tells a log what is new, and a terminal how everything stands.
fn tell(lines: Vec<String>, record: &RefCell<Record>, is_watching: bool, left: Duration, runner: &Runner) {
    lines.iter().for_each(|line| runner.info(line));
    runner.heartbeat(live::heartbeat(&record.borrow(), is_watching, left));
    runner.live(|| live::lines(&record.borrow(), is_watching, left));
}
