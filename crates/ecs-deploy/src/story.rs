//! What is known of a deploy so far: the facts of its result, whatever it came to.

use std::time::Duration;

use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner, Status, accounts, text};

use crate::cli::INTERFACE;
use crate::gates::told::Told;
use crate::observed::revision_name;
use crate::place::Place;
use crate::task_definition::TaskDefinition;

/// The word for what became of the deploy, in the output `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Became {
    /// The new version serves.
    Deployed,
    /// Nothing was to be done.
    Unchanged,
    /// It failed, and the earlier version is back, or on its way where a signal ended the run.
    RolledBack,
    /// It failed, and nothing was brought back: because nothing was changed, or because that failed too.
    Failed,
    /// Someone else deployed meanwhile.
    Superseded,
}

impl Became {
    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Unchanged => "unchanged",
            Self::RolledBack => "rolled-back",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
        }
    }

    /// The state that the ledger has for it.
    fn status(self) -> Status {
        match self {
            Self::Deployed => Status::Done,
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
    /// The ARN of the revision that is deployed.
    pub revision: Option<String>,
    /// The ARN of the revision before.
    pub previous: Option<String>,
    /// The id of the deployment.
    pub deployment: Option<String>,
    /// Images of the new revision, as `container=reference`.
    pub images: Vec<String>,
    /// What happened when, from the start of the run.
    pub timeline: Vec<(Duration, String)>,
    /// Whether a rollback would bring the earlier revision back.
    pub can_undo: bool,
    /// What its gates came to.
    pub gates: Vec<Told>,
}

impl Story {
    /// Notes what happens, and says it.
    pub fn note(&mut self, line: impl Into<String>, runner: &Runner) {
        let line = line.into();
        runner.info(&line);
        self.timeline.push((runner.elapsed(), line));
    }

    /// The images of a task definition.
    pub fn has_images(&mut self, definition: &TaskDefinition) {
        let image = |container: crate::task_definition::Container<'_>| {
            Some(format!("{}={}", container.name()?, container.image()?))
        };
        self.images = definition
            .containers()
            .filter_map(image)
            .map(|line| text::line(&line))
            .collect();
    }

    /// The result of a deploy that became this.
    #[must_use]
    pub fn outcome(&self, became: Became, headline: impl Into<String>, place: &Place<'_>) -> Outcome {
        let name = |arn: &String| text::line(revision_name(arn));
        let known = [
            ("task-definition", self.revision.as_ref().map(name)),
            ("previous-task-definition", self.previous.as_ref().map(name)),
            ("deployment-id", self.deployment.as_deref().map(text::line)),
        ];
        let mut outcome = Outcome::new(became.status(), headline)
            .fact("status", became.word())
            .target(place.target());
        for (fact, value) in known {
            if let Some(value) = value {
                outcome = outcome.fact(fact, value);
            }
        }
        let images: Vec<String> = self.images.iter().map(|image| accounts::without(image)).collect();
        if !images.is_empty() {
            outcome = outcome.fact("images", images);
        }
        if !self.gates.is_empty() {
            let gates: Vec<_> = self.gates.iter().map(Told::json).collect();
            outcome = outcome.fact("gates", gates);
        }
        let took = u64::try_from(place.runner.elapsed().as_millis()).unwrap_or(u64::MAX);
        outcome = outcome.fact("duration-ms", took);
        outcome.environment = place.environment.clone();
        outcome.undo = self.undo(place);
        outcome
    }

    /// The result of a deploy whose content is there already, as a revision that is `known`; `who` says where, as a sentence
    /// begins.
    pub fn nothing_to_do(&mut self, who: &str, known: Option<String>, place: &Place<'_>) -> Outcome {
        let name = known.as_deref().map(revision_name).map(text::line);
        let name = name.unwrap_or_default();
        self.revision = known;
        let headline = format!("{who} this content already, as `{name}`; nothing to do");
        place.runner.info(&headline);
        self.publish(place);
        self.outcome(Became::Unchanged, headline, place)
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
        // What became of the service says more than the code where the code is of a failure.
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

    /// The command line that brings the earlier revision back.
    #[must_use]
    pub fn undo(&self, place: &Place<'_>) -> Option<String> {
        let to = self.previous.as_ref().filter(|_| self.can_undo)?;
        let to = text::line(revision_name(to));
        Some(format!("ecs-deploy rollback {} --to {to}", place.flags()))
    }

    /// Writes the outputs that are known, at once, so that a cancelled step has them.
    pub fn publish(&self, place: &Place<'_>) {
        let runner = place.runner;
        let name = |arn: &String| text::line(revision_name(arn));
        let known = [
            ("task-definition", self.revision.as_ref().map(name)),
            ("task-definition-arn", self.revision.clone()),
            ("previous-task-definition", self.previous.as_ref().map(name)),
            ("deployment-id", self.deployment.clone()),
        ];
        for (output, value) in known {
            if let Some(value) = value {
                runner.output(output, &value);
            }
        }
    }
}

/// Writes the outputs of an end.
pub fn conclude(ended: &Result<Outcome, Failure>, runner: &Runner) {
    written(
        match ended {
            Ok(outcome) => outcome,
            Err(failure) => &failure.outcome,
        },
        runner,
    );
}

/// Writes the outputs of a result.
pub fn written(outcome: &Outcome, runner: &Runner) {
    for output in INTERFACE.outputs {
        if let Some(value) = outcome.facts.get(output.name) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            runner.output(output.name, &text);
        }
    }
}
