//! What becomes of a native deploy that came to its end: the result, and the way back where ECS did not go it.

use gha::outcome::Outcome;
use gha::{Exit, Failure, text};

use crate::api::services::Update;
use crate::cli::{Deploy, Undo};
use crate::native_deploy::back;
use crate::native_deploy::follow::End;
use crate::observed::{Deployment, revision_name};
use crate::place::Place;
use crate::story::{Became, Story};
use crate::undo::{self, Earlier, Trouble, Undone, is_revision};

use super::super::ending;
use super::super::ready::Ready;
use super::{Shifting, list};

/// What is known of a native deploy at its end.
pub(super) struct Ending<'a> {
    pub(super) ready: &'a Ready,
    pub(super) shifting: &'a Shifting,
    pub(super) deployment: &'a Deployment,
    pub(super) flags: &'a Deploy,
    pub(super) weight: Option<f64>,
    pub(super) wanted: Option<u32>,
    pub(super) is_inconclusive: bool,
}

impl Ending<'_> {
    pub(super) async fn of(
        &self,
        end: End,
        on_failure: Undo,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Result<Outcome, Failure> {
        let service = &place.service;
        let name = text::line(revision_name(&self.ready.revision.arn));
        match end {
            End::Succeeded => Ok(self.succeeded(&name, story, place)),
            End::RolledBack(reason) => {
                story.can_undo = false;
                let back = self.earlier();
                let headline =
                    format!("deploying `{name}` to `{service}` failed, and {back} serves again: {reason}");
                story.note(headline.clone(), place.runner);
                Err(self.failure(self.refused(), Became::RolledBack, headline, story, place))
            }
            End::Left(reason) => {
                let headline =
                    format!("deploying `{name}` to `{service}` failed, and it was left as it is: {reason}");
                Err(self
                    .failure(Exit::NeedsHuman, Became::Failed, headline, story, place)
                    .help(format!(
                        "take it back with `ecs-deploy rollback {}`; ECS does so itself when a pause is not answered",
                        place.flags()
                    )))
            }
            End::RollbackFailed(reason) => {
                let headline = format!(
                    "deploying `{name}` to `{service}` failed, and the earlier version is not back: {reason}"
                );
                Err(self
                    .failure(Exit::NeedsHuman, Became::Failed, headline, story, place)
                    .help(format!("run `ecs-deploy status {}`", place.flags())))
            }
            End::Unknown(reason) => {
                let headline =
                    format!("how the deployment of `{name}` to `{service}` goes is not known: {reason}");
                Err(self
                    .failure(Exit::NeedsHuman, Became::Failed, headline, story, place)
                    .help(format!("run `ecs-deploy status {}`", place.flags())))
            }
            End::Stopped(reason) => Err(self.stopped(&reason, on_failure, story, place).await),
        }
    }

    fn succeeded(&self, name: &str, story: &mut Story, place: &Place<'_>) -> Outcome {
        let service = &place.service;
        let headline = match self.wanted {
            Some(0) => {
                place.runner.warn(&format!(
                    "no task of `{name}` ran, because the service is scaled to 0: nothing was verified"
                ));
                format!("service `{service}` has `{name}` and 0 tasks; nothing was verified")
            }
            Some(tasks) => format!("service `{service}` runs `{name}` with {tasks} tasks and all traffic"),
            None => format!("service `{service}` runs `{name}`"),
        };
        story.note(headline.clone(), place.runner);
        let outcome = story.outcome(Became::Deployed, headline, place);
        self.weighed(outcome)
    }

    /// It was stopped where it was: by a newer deployment, or with nobody who goes back.
    async fn stopped(&self, reason: &str, on_failure: Undo, story: &mut Story, place: &Place<'_>) -> Failure {
        let service = &place.service;
        let name = text::line(revision_name(&self.ready.revision.arn));
        let described = match place.api.service(service).await {
            Ok(Some(described)) => described,
            Ok(None) => {
                story.can_undo = false;
                let headline = format!("service `{service}` went away while `{name}` was being deployed");
                return self.failure(Exit::Locked, Became::Superseded, headline, story, place);
            }
            Err(refused) => {
                let headline = format!(
                    "deploying `{name}` to `{service}` failed ({reason}), and what serves is not known: {refused}"
                );
                return self.failure(Exit::NeedsHuman, Became::Failed, headline, story, place);
            }
        };
        let newer = described
            .service
            .primary()
            .filter(|primary| primary.id != self.deployment.id);
        if let Some(newer) = newer {
            story.can_undo = false;
            let by = text::line(revision_name(&newer.task_definition));
            let is_earlier = self
                .ready
                .target
                .as_ref()
                .is_some_and(|target| is_revision(&target.arn, &newer.task_definition));
            if is_earlier {
                let headline = format!(
                    "someone else put `{by}` back on `{service}` while `{name}` was being deployed: {reason}"
                );
                return self.failure(Exit::Failed, Became::RolledBack, headline, story, place);
            }
            let headline = format!(
                "someone else deployed `{by}` to `{service}` while `{name}` was being deployed; it was left alone"
            );
            return self.failure(Exit::Locked, Became::Superseded, headline, story, place);
        }
        if on_failure == Undo::Leave {
            let headline =
                format!("deploying `{name}` to `{service}` failed, and it was left as it is: {reason}");
            return self.failure(Exit::NeedsHuman, Became::Failed, headline, story, place);
        }
        self.roll_back(reason, story, place).await
    }

    /// Deploys the earlier revision, because ECS did not go back.
    async fn roll_back(&self, reason: &str, story: &mut Story, place: &Place<'_>) -> Failure {
        let service = &place.service;
        let Some(target) = &self.ready.target else {
            let name = text::line(revision_name(&self.ready.revision.arn));
            let headline = format!(
                "deploying `{name}` to `{service}` failed, and no earlier revision is known to have served: {reason}"
            );
            return self.failure(Exit::NeedsHuman, Became::Failed, headline, story, place);
        };
        let back = text::line(revision_name(&target.arn));
        place.runner.goes_back();
        story.note(format!("going back to `{back}`: {reason}"), place.runner);
        let earlier = Earlier {
            task_definition: &target.arn,
            definition: &target.definition,
            settings: &Update::default(),
            patience: self.flags.times.api_grace,
        };
        let working = async {
            let before = match list(place).await {
                Ok(listed) => listed.arns,
                Err(error) => return Undone::Failed(Trouble::because(error.to_string())),
            };
            match undo::begin(&self.deployment.id, earlier, place).await {
                Ok(begun) => {
                    back::wait(
                        &begun.deployment,
                        &before,
                        &target.definition,
                        &self.flags.times,
                        place,
                    )
                    .await
                }
                Err(instead) => instead,
            }
        };
        let undone = place.runner.cancel().guard(Box::pin(working)).await;
        let way_back = ending::Ending {
            ready: self.ready,
            deployment: self.deployment,
            flags: self.flags,
            serving: None,
        };
        way_back.undone(undone.unwrap_or(Undone::Begun), reason, &back, story, place)
    }

    /// The revision that serves again, in words.
    pub(super) fn earlier(&self) -> String {
        let target = self
            .ready
            .target
            .as_ref()
            .map(|target| text::line(revision_name(&target.arn)));
        target.map_or_else(|| "the earlier revision".to_owned(), |name| format!("`{name}`"))
    }

    /// The exit code of a deploy that was taken back.
    fn refused(&self) -> Exit {
        match self.is_inconclusive {
            true => Exit::Inconclusive,
            false => Exit::Failed,
        }
    }

    pub(super) fn failure(
        &self,
        exit: Exit,
        became: Became,
        headline: String,
        story: &Story,
        place: &Place<'_>,
    ) -> Failure {
        let mut failure = story.failure(exit, became, headline, place);
        *failure.outcome = self.weighed((*failure.outcome).clone());
        failure
    }

    /// With the share of the traffic that the new version has.
    fn weighed(&self, outcome: Outcome) -> Outcome {
        match self.weight {
            Some(weight) => outcome.fact("live-weight", weight.to_string()),
            None => outcome,
        }
    }
}
