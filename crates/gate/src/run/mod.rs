//! A run of a gate file: sources are asked whether they can answer, targets waited for, then watched. A tool gives it the
//! file, what it looks with and a listener, and gets an [`Account`].
//!
//! The clock is tokio's. A run that is dropped half way keeps what it saw.

use std::cell::RefCell;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::account::record::{Looked, Named, Record};
use crate::account::{Account, Comparison, Waited, Watched};
use crate::compare::SettingsError;
use crate::course::Standing;
use crate::observation::Observation;
use crate::observe::{self, Asker, Load, MOST_LOOKS, Plan, Told, observe};
use crate::spec::Spec;
use crate::spec::sources::Source;
use crate::trouble::Trouble;
use crate::until_ready::{self, End, Target, until_ready};

mod made;
pub mod preflight;
#[cfg(test)]
mod tests;

pub use made::Made;
use preflight::{Refused, preflight};

/// From one telling of how an observation stands to the next, where nothing is new.
const PACE: Duration = Duration::from_millis(250);

/// A run, as far as it came.
pub struct Run<'a> {
    spec: &'a Spec,
    made: Made,
    observation: Option<Observation>,
    record: RefCell<Record>,
    seen: Seen,
}

/// What a run came to, as far as it came.
#[derive(Debug, Default)]
pub struct Seen {
    /// A source that will never answer.
    pub refused: Option<Refused>,
    /// How the wait ended.
    pub waited: Option<until_ready::Ending>,
    /// How the observation ended.
    pub watched: Option<observe::Ending>,
}

/// What a run tells while it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// Something new, for a log. Foreign text in it is not made inert.
    Line(&'a str),
    /// Something that is not as it should be, and ends nothing.
    Warning(&'a str),
    /// How everything stands.
    Standing {
        /// What was seen so far.
        record: &'a Record,
        /// Whether it is the observation that runs, and not the wait.
        is_watching: bool,
        /// The longest that it may still take.
        left: Duration,
    },
}

impl<'a> Run<'a> {
    /// A run of a gate file with what was made of it.
    ///
    /// # Errors
    /// When a comparison can't work.
    pub fn new(spec: &'a Spec, made: Made) -> Result<Self, SettingsError> {
        Ok(Self {
            spec,
            made,
            observation: observation(spec)?,
            record: RefCell::new(record(spec)),
            seen: Seen::default(),
        })
    }

    /// Runs to the end. `now` is the time on the wall, which sources are asked about.
    pub async fn go(&mut self, now: &dyn Fn() -> Timestamp, told: &dyn Fn(Progress<'_>)) {
        let refused = preflight(self.spec, &self.made, self.observation.as_ref(), now(), told).await;
        if refused.is_some() {
            self.seen.refused = refused;
            return;
        }
        if let Some(ending) = self.wait(told).await {
            let is_ready = ending.end == End::Ready;
            self.seen.waited = Some(ending);
            if !is_ready {
                return;
            }
        }
        self.seen.watched = self.watch(now(), told).await;
    }

    /// What it came to after so long. `cut` is why it was cut off, if it was: `cancelled by SIGINT`.
    #[must_use]
    pub fn account(&self, cut: Option<&str>, took: Duration) -> Account {
        account(
            self.spec,
            &self.record.borrow(),
            self.observation.as_ref(),
            &self.seen,
            cut,
            took,
        )
    }

    /// Why it could not measure, where it could not; what lasts comes first.
    #[must_use]
    pub fn trouble(&self) -> Option<&Trouble> {
        trouble(self.observation.as_ref(), &self.seen)
    }

    /// What it saw.
    #[must_use]
    pub fn into_parts(self) -> (Record, Option<Observation>, Seen) {
        (self.record.into_inner(), self.observation, self.seen)
    }

    /// Waits for the targets, if there are any to wait for.
    async fn wait(&self, told: &dyn Fn(Progress<'_>)) -> Option<until_ready::Ending> {
        let wait = self.spec.wait.as_ref()?;
        let targets: Vec<Target<'_>> = wait
            .targets
            .iter()
            .zip(&self.made.targets)
            .map(|(waited, probe)| Target {
                probe: probe.as_ref(),
                limits: waited.limits,
                give_up_on: waited.target.give_up_on(),
            })
            .collect();
        let ending = until_ready(&targets, wait.until, |attempt| {
            let line = self.record.borrow_mut().attempt(attempt);
            line.iter().for_each(|line| told(Progress::Line(line)));
            told(Progress::Standing {
                record: &self.record.borrow(),
                is_watching: false,
                left: wait.timeout.saturating_sub(attempt.started + attempt.took),
            });
        })
        .await;
        Some(ending)
    }

    /// Observes under the rules, if there is something to observe.
    async fn watch(&mut self, begin: Timestamp, told: &dyn Fn(Progress<'_>)) -> Option<observe::Ending> {
        let (watch, observation) = (self.spec.watch.as_ref()?, self.observation.as_mut()?);
        let loads = watch.probes.iter().zip(&self.made.probes);
        let askers = self.spec.sources.iter().zip(&self.made.sources);
        let plan = Plan {
            duration: watch.duration,
            interval: watch.interval,
            loads: loads
                .map(|(probe, made)| Load {
                    probe: made.as_ref(),
                    interval: probe.interval,
                    try_timeout: probe.try_timeout,
                })
                .collect(),
            askers: askers
                .map(|(source, made)| Asker {
                    source: made.as_ref(),
                    timeout: source.timeout,
                })
                .collect(),
            begin,
        };
        let record = &self.record;
        let began = Instant::now();
        let stand = || {
            told(Progress::Standing {
                record: &record.borrow(),
                is_watching: true,
                left: watch.duration.saturating_sub(began.elapsed()),
            });
        };
        record.borrow_mut().begin(observation);
        stand();
        let mut told_at = began;
        let ending = observe(&plan, observation, |event| {
            let lines = record.borrow_mut().told(&event);
            lines.iter().for_each(|line| told(Progress::Line(line)));
            let is_new = matches!(event, Told::Judged { .. }) || !lines.is_empty();
            if is_new || told_at.elapsed() >= PACE {
                told_at = Instant::now();
                stand();
            }
        })
        .await;
        if let Some(line) = crowded(&ending) {
            told(Progress::Warning(&line));
        }
        Some(ending)
    }
}

/// What a run came to after so long, from all that it saw.
#[must_use]
pub fn account(
    spec: &Spec,
    record: &Record,
    observation: Option<&Observation>,
    seen: &Seen,
    cut: Option<&str>,
    took: Duration,
) -> Account {
    if let Some(refused) = &seen.refused {
        return Account::unmeasured(&refused.reason());
    }
    let waited = spec.wait.as_ref().map(|wait| Waited {
        until: wait.until,
        ending: seen.waited.as_ref(),
    });
    let waited_well =
        waited.is_none_or(|waited| waited.ending.is_some_and(|ending| ending.end == End::Ready));
    let waiting = seen.waited.as_ref().map_or(Duration::ZERO, |ending| ending.took);
    let watched = observation.filter(|_| waited_well).map(|observation| Watched {
        observation,
        ending: seen.watched.as_ref(),
        took: took.saturating_sub(waiting),
    });
    let contests = watched
        .iter()
        .flat_map(|watched| watched.observation.comparisons());
    let complete = seen.watched.is_some_and(|ending| ending.complete);
    let comparisons = contests
        .map(|contest| Comparison::of(contest, complete))
        .collect();
    Account::new(took, cut, record, waited, watched, comparisons)
}

/// The trouble that kept a run from measuring; what lasts comes first.
#[must_use]
pub fn trouble<'a>(observation: Option<&'a Observation>, seen: &'a Seen) -> Option<&'a Trouble> {
    let refused = seen.refused.as_ref().map(|refused| &refused.trouble);
    let waited = seen.waited.as_ref().and_then(|ending| match &ending.end {
        End::Trouble { trouble, .. } => Some(trouble),
        _ => None,
    });
    let courses = observation.into_iter().flat_map(Observation::courses);
    let watched = courses.filter_map(|course| match &course.standing {
        Standing::Trouble(trouble) if !course.rule.advisory => Some(trouble),
        _ => None,
    });
    let contests = observation.into_iter().flat_map(Observation::comparisons);
    let compared = contests.filter_map(|contest| match &contest.standing {
        Standing::Trouble(trouble) if !contest.comparison.advisory => Some(trouble),
        _ => None,
    });
    let all = refused.into_iter().chain(waited).chain(watched).chain(compared);
    all.max_by_key(|trouble| trouble.lasts())
}

/// The observation that a gate file asks for, if it asks for one.
///
/// # Errors
/// When a comparison can't work.
pub fn observation(spec: &Spec) -> Result<Option<Observation>, SettingsError> {
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

/// The record of what a gate file looks at.
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
        .map(|probe| Looked {
            name: probe.name.clone(),
            address: probe.target.kind.shown(),
            interval: probe.interval,
        });
    Record::new(targets.collect(), probes.collect())
}

/// The looks of an observation that found no room.
#[must_use]
pub fn crowded(ending: &observe::Ending) -> Option<String> {
    let looks = match ending.crowded {
        0 => return None,
        1 => "1 look was".to_owned(),
        count => format!("{count} looks were"),
    };
    Some(format!(
        "{looks} not made and not measured: {MOST_LOOKS} were under way, the most that the gate makes at once; lower the rate"
    ))
}
