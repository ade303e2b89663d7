//! What is known of a deploy so far: the facts of its result, whatever it came to.

use std::time::Duration;

use gha::outcome::Outcome;
use gha::{Exit, Failure, Status, text};
use serde_json::Value;

use gate::gates::told::Told;

use crate::cli::INTERFACE;
use crate::diagnose::Findings;
use crate::place::Place;

/// The word for what became of the deploy, in the output `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Became {
    /// The new version serves.
    Deployed,
    /// It is up, and waits to be promoted.
    Prepared,
    /// Nothing was to be done.
    Unchanged,
    /// The old version serves again.
    RolledBack,
    /// It failed, and nothing was brought back: because no traffic had moved, or because that failed too.
    Failed,
    /// Somebody else changed the target meanwhile.
    Superseded,
}

impl Became {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Prepared => "prepared",
            Self::Unchanged => "unchanged",
            Self::RolledBack => "rolled-back",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
        }
    }

    /// The state that the ledger has for it.
    pub(crate) fn status(self) -> Status {
        match self {
            Self::Deployed | Self::Prepared => Status::Done,
            Self::Unchanged => Status::Unchanged,
            Self::RolledBack => Status::RolledBack,
            Self::Failed => Status::Failed,
            Self::Superseded => Status::Superseded,
        }
    }
}

/// What is known of a deploy.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// What is deployed to: Services, or workloads.
    pub targets: Vec<String>,
    /// Outputs that are known, by their names.
    facts: Vec<(&'static str, Value)>,
    /// What happened when, from the start of the run.
    pub timeline: Vec<(Duration, String)>,
    /// The command line that brings the old version back, where there is one to bring back.
    pub undo: Option<String>,
    /// What its gates came to.
    pub gates: Vec<Told>,
    /// Why pods of the new version are not well.
    pub findings: Option<Findings>,
}

impl Story {
    /// Nothing is known but what is deployed to.
    #[must_use]
    pub fn of(targets: &[String]) -> Self {
        Self {
            targets: targets.to_vec(),
            ..Self::default()
        }
    }

    /// Notes what happens, and says it.
    pub fn note(&mut self, line: impl Into<String>, place: &Place<'_>) {
        let line = line.into();
        place.runner.info(&line);
        self.timeline.push((place.runner.elapsed(), line));
    }

    /// Knows something, and writes it as an output at once, so that a cancelled step has it.
    pub fn know(&mut self, output: &'static str, value: impl Into<Value>, place: &Place<'_>) {
        let value = value.into();
        place.runner.output(output, &plain(&value));
        self.facts.retain(|(known, _)| *known != output);
        self.facts.push((output, value));
    }

    /// The result of a deploy that became this.
    #[must_use]
    pub fn outcome(&self, became: Became, headline: impl Into<String>, place: &Place<'_>) -> Outcome {
        let targets = self.targets.join(",");
        let mut outcome = Outcome::new(became.status(), headline)
            .fact("status", became.word())
            .fact("namespace", text::line(&place.namespace))
            .target(place.target(&targets));
        for (fact, value) in &self.facts {
            outcome = outcome.fact(fact, value.clone());
        }
        if !self.gates.is_empty() {
            let gates: Vec<_> = self.gates.iter().map(Told::json).collect();
            outcome = outcome.fact("gates", gates);
        }
        let took = u64::try_from(place.runner.elapsed().as_millis()).unwrap_or(u64::MAX);
        outcome = outcome.fact("duration-ms", took);
        outcome.environment = place.flags.environment.clone();
        outcome.undo = self.undo.clone();
        outcome
    }

    /// A failure with all that is known.
    #[must_use]
    pub fn failure(
        &self,
        exit: Exit,
        became: Became,
        headline: impl Into<String>,
        place: &Place<'_>,
    ) -> Failure {
        let headline = headline.into();
        let known = self.outcome(became, headline.clone(), place);
        let mut failure = Failure::new(exit, headline).knowing(known);
        // What became of the traffic says more than the code where the code is of a failure.
        if matches!(exit, Exit::Failed | Exit::Locked) && became != Became::Failed {
            failure.outcome.status = became.status();
        }
        failure
    }

    /// Adds what is known to a failure from before anything was changed.
    #[must_use]
    pub fn complete(&self, failure: Failure, place: &Place<'_>) -> Failure {
        if failure.outcome.target.is_some() {
            return failure;
        }
        let known = self.outcome(Became::Failed, "", place);
        failure.knowing(known)
    }
}

/// Writes the outputs of an end.
pub fn conclude(ended: &Result<Outcome, Failure>, place: &Place<'_>) {
    let outcome = match ended {
        Ok(outcome) => outcome,
        Err(failure) => &failure.outcome,
    };
    for output in INTERFACE.outputs {
        if let Some(value) = outcome.facts.get(output.name) {
            place.runner.output(output.name, &plain(value));
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
