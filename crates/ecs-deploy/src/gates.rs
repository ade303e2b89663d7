//! Gates of a deploy to ECS. Besides their own variables they know `version`, `image`, `revision`, `service` and `cluster`, and
//! besides their own sources the crashes of the new version's tasks (`type: ecs`).

use std::time::Duration;

use gate::gates::{self, FlagError, Making, Says, Tool, Unasked};
use gate::run::Made;
use gate::setup::Setup;
use gate::source::Source;
use gate::spec::sources::EcsMetric;
use gate::spec::{Part, Spec};
use gha::{Failure, Runner};

use crate::api::Api;
use crate::cli;
use crate::error::Error;
use crate::place::Place;
use crashes::{CrashSource, Crashes};

mod candidate;
pub mod crashes;

pub use candidate::Candidate;
pub use gate::gates::told;
use told::Told;

/// The gates that the flags ask for.
pub struct Gates {
    gates: gates::Gates,
    teller: Teller,
}

/// What gates are told of the service.
struct Teller {
    api: Api,
    crashes: Crashes,
}

impl Gates {
    /// The gates of the flags, read and checked; nothing is asked. What is not known yet of the new version has a stand-in
    /// until [`Gates::about`].
    ///
    /// # Errors
    /// When a file can't be read, or is wrong.
    pub fn of(flags: &cli::Gates, place: &Place<'_>) -> Result<Self, Failure> {
        let facts = candidate::unknown(place);
        let teller = Teller::of(place);
        let gates = gates::Gates::of(&flags.gate, &flags.gate_var, facts, &teller, place.runner);
        Ok(Self {
            gates: gates.map_err(Error::from)?,
            teller,
        })
    }

    /// No gates.
    #[must_use]
    pub fn none(place: &Place<'_>) -> Self {
        Self {
            gates: gates::Gates::none(candidate::unknown(place)),
            teller: Teller::of(place),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gates.is_empty()
    }

    /// Whether a gate waits for something to be ready, so that it can be asked before there is traffic.
    #[must_use]
    pub fn waits(&self, place: &Place<'_>) -> bool {
        self.gates.waits(&self.teller, place.runner)
    }

    /// Whether a gate watches for a time.
    #[must_use]
    pub fn watches(&self, place: &Place<'_>) -> bool {
        self.gates.watches(&self.teller, place.runner)
    }

    /// Checks that each watch can judge in so short a time; for the steps of a weighted deploy, before the first one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn fits(&self, time: Duration, place: &Place<'_>) -> Result<(), Failure> {
        let fits = self.gates.fits(time, &self.teller, place.runner);
        Ok(fits.map_err(Error::from)?)
    }

    /// Asks every source once, before anything is changed: a misspelt query or a missing permission is told at once.
    ///
    /// # Errors
    /// When a source will never answer, or a secret is not there.
    pub async fn preflight(&self, place: &Place<'_>) -> Result<(), Failure> {
        let asked = self.gates.preflight(&self.teller, place.runner).await;
        asked.map_err(|unasked| match unasked {
            Unasked::Flag(error) => Error::from(error).into(),
            Unasked::Source { exit, reason } => Failure::new(exit, reason),
        })
    }

    /// Says which version is judged from now on.
    pub fn about(&self, candidate: &Candidate<'_>, place: &Place<'_>) {
        self.gates.about(candidate.facts(place));
        self.teller.crashes.begin(candidate);
    }

    /// Runs only what must be ready, which needs no traffic. Without such a gate it passes.
    pub async fn ready(&self, place: &Place<'_>) -> Says {
        self.gates.run(Part::Wait, &self.teller, place.runner).await
    }

    /// Runs all gates side by side and whole; or for a step of a weighted deploy only their watches, each for as long as
    /// the step takes. The first no ends the others. It can be dropped half way.
    pub async fn run(&self, place: &Place<'_>, during: Option<Duration>) -> Says {
        let part = during.map_or(Part::Whole, Part::Watch);
        self.gates.run(part, &self.teller, place.runner).await
    }

    /// What the gates came to that have ended, for the result and the summary.
    #[must_use]
    pub fn told(&self) -> Vec<Told> {
        self.gates.told()
    }
}

impl Teller {
    fn of(place: &Place<'_>) -> Self {
        Self {
            api: place.api.clone(),
            crashes: Crashes::new(&place.api, &place.service),
        }
    }
}

impl Tool for Teller {
    fn tells_ecs(&self) -> bool {
        true
    }

    fn made<'a>(&'a self, spec: &'a Spec, runner: &'a Runner) -> Making<'a> {
        Box::pin(async move {
            let ecs = |metric: EcsMetric| -> Box<dyn Source> {
                match metric {
                    EcsMetric::Crashes => Box::new(CrashSource::of(&self.crashes)),
                }
            };
            let setup = Setup::new(spec, runner).with_ecs(&ecs);
            let setup = setup.with_aws(self.api.config());
            Made::of(spec, &setup).await.map_err(|error| error.to_string())
        })
    }

    fn behind(&self) -> Option<String> {
        let stop = self.crashes.latest()?;
        Some(format!("task {}: {}", stop.task, stop.reason))
    }
}

impl From<FlagError> for Error {
    fn from(error: FlagError) -> Self {
        let FlagError { flag, reason } = error;
        Self::Flag { flag, reason }
    }
}
