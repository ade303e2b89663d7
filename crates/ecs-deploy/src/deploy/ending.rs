//! What a deploy came to: the result of each decision, and of a signal.

use std::time::Duration;

use gha::edge::cancel::Cancelled;
use gha::outcome::Outcome;
use gha::{Exit, Failure, text};

use crate::cli::{Deploy, Undo};
use crate::observed::{Deployment, revision_name};
use crate::place::Place;
use crate::rolling::{Decision, Newer, Why};
use crate::story::{Became, Story};
use crate::undo::Begun;
use crate::words::Scheduling;

use super::ready::Ready;

/// A deploy that came to its end, or can't go on.
pub(super) struct Ending<'a> {
    pub(super) ready: &'a Ready,
    pub(super) deployment: &'a Deployment,
    pub(super) flags: &'a Deploy,
    /// What runs, as it was seen last.
    pub(super) serving: Option<String>,
}

impl Ending<'_> {
    /// `family:revision` of what was deployed.
    pub(super) fn name(&self) -> String {
        text::line(revision_name(&self.ready.revision.arn))
    }

    pub(super) async fn decided(
        &self,
        decision: Decision,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Result<Outcome, Failure> {
        let service = &place.service;
        let name = self.name();
        match decision {
            Decision::Succeeded { tasks } => {
                let tasks = match tasks {
                    1 => "1 task".to_owned(),
                    more => format!("{more} tasks"),
                };
                let headline = format!("service `{service}` runs `{name}` with {tasks}");
                Ok(self.deployed(headline, story, place))
            }
            Decision::ScaledToZero => {
                let why = if self.ready.described.service.scheduling == Scheduling::Daemon {
                    "no instance runs one"
                } else {
                    "it is scaled to 0"
                };
                place.runner.warn(&format!(
                    "no task of `{name}` ran, because {why}: nothing was verified"
                ));
                let headline = format!("service `{service}` has `{name}` and 0 tasks; nothing was verified");
                Ok(self.deployed(headline, story, place))
            }
            Decision::Failed {
                why: Why::Draining,
                reason,
                ..
            } => {
                place.runner.warn(&reason);
                let headline =
                    format!("service `{service}` runs `{name}`; tasks of earlier revisions still drain");
                Ok(self.deployed(headline, story, place))
            }
            Decision::Failed {
                why: why @ (Why::Unreadable | Why::Access),
                reason,
                ..
            } => Err(self.lost_sight(why, &reason, story, place)),
            Decision::Failed {
                reason,
                ours_to_roll_back,
                ..
            } => {
                story.note(reason.clone(), place.runner);
                if self.flags.ends.on_failure == Undo::Leave || !ours_to_roll_back {
                    return Err(self.left(&reason, story, place));
                }
                Err(Box::pin(self.roll_back(&reason, story, place)).await)
            }
            Decision::RolledBack {
                reason, deployment, ..
            } => {
                story.note(reason.clone(), place.runner);
                Err(Box::pin(self.rolled_back(&reason, deployment, story, place)).await)
            }
            Decision::Superseded { by } => {
                let by = text::line(revision_name(&by.task_definition));
                story.can_undo = false;
                let headline = format!(
                    "someone else deployed `{by}` to `{service}` while `{name}` was being deployed; it was left alone"
                );
                Err(story.failure(Exit::Locked, Became::Superseded, headline, place))
            }
            Decision::Gone { reason } => {
                story.can_undo = false;
                let headline =
                    format!("service `{service}` went away while `{name}` was being deployed: {reason}");
                Err(story.failure(Exit::Locked, Became::Superseded, headline, place))
            }
            Decision::Wait { .. } | Decision::Steady { .. } | Decision::FetchStopped => {
                let headline = format!("how the deployment of `{name}` to `{service}` goes is not known");
                Err(story.failure(Exit::Bug, Became::Failed, headline, place))
            }
        }
    }

    fn deployed(&self, headline: String, story: &mut Story, place: &Place<'_>) -> Outcome {
        story.note(headline.clone(), place.runner);
        story.outcome(Became::Deployed, headline, place)
    }

    /// The deployment goes on, and nobody can look: no word on how it goes.
    fn lost_sight(&self, why: Why, reason: &str, story: &mut Story, place: &Place<'_>) -> Failure {
        let name = self.name();
        story.note(reason.to_owned(), place.runner);
        let serving = self.last_seen();
        let headline = format!(
            "the deployment `{}` of `{name}` to `{}` goes on, and how it goes is not known{serving}: {reason}",
            text::line(&self.deployment.id),
            place.service
        );
        let exit = match why {
            Why::Access => Exit::Access,
            _ => Exit::NeedsHuman,
        };
        let mut help = format!("run `ecs-deploy status {}`", place.flags());
        if let Some(undo) = story.undo(place) {
            help.push_str(&format!(", and `{undo}` to take it back"));
        }
        if why == Why::Access {
            help = format!("with new credentials, {help}");
        }
        story.failure(exit, Became::Failed, headline, place).help(help)
    }

    /// A failure that stays as it is.
    fn left(&self, reason: &str, story: &Story, place: &Place<'_>) -> Failure {
        let headline = format!(
            "deploying `{}` to `{}` failed, and it was left as it is{}: {reason}",
            self.name(),
            place.service,
            self.last_seen()
        );
        let failure = story.failure(Exit::NeedsHuman, Became::Failed, headline, place);
        match story.undo(place) {
            Some(undo) => failure.help(format!("run `{undo}`, or deploy a version that works")),
            None => failure.help("deploy a version that works, or set the service's desired count to 0"),
        }
    }

    /// No earlier revision is there to go back to.
    pub(super) fn no_way_back(&self, reason: &str, story: &Story, place: &Place<'_>) -> Failure {
        let why = match &self.ready.target {
            Some(_) => "the earlier tasks are of the same revision",
            None => "no earlier revision is known to have served",
        };
        let headline = format!(
            "deploying `{}` to `{}` failed, and {why}{}: {reason}",
            self.name(),
            place.service,
            self.last_seen()
        );
        story
            .failure(Exit::NeedsHuman, Became::Failed, headline, place)
            .help("deploy a version that works, or set the service's desired count to 0")
    }

    /// What ran when it was last looked at, to be put behind a sentence.
    fn last_seen(&self) -> String {
        let serving = self.serving.as_ref();
        serving.map(|serving| format!(" ({serving})")).unwrap_or_default()
    }

    /// ECS or someone put the earlier revision back: whether it comes.
    async fn rolled_back(
        &self,
        reason: &str,
        newer: Option<Newer>,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Failure {
        let asked = match &newer {
            Some(_) => place.api.service(&place.service).await.ok().flatten(),
            None => None,
        };
        let service = asked.map(|described| described.service);
        let deployment = service.as_ref().zip(newer.as_ref()).and_then(|(service, newer)| {
            let deployment = service.deployment(&newer.id)?.clone();
            Some(Begun {
                deployment,
                service: service.clone(),
            })
        });
        Box::pin(self.follow_back(deployment, newer, reason, story, place)).await
    }

    /// A signal came: the way back begins in the time that is left, and nobody waits for it.
    pub(super) async fn cancelled(
        &self,
        cancelled: Cancelled,
        left: Duration,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Failure {
        if self.flags.ends.on_cancel == Undo::Rollback && self.ready.earlier().is_some() {
            return self.leave(cancelled, left, story, place).await;
        }
        let headline = format!(
            "{cancelled}; the deployment of `{}` to `{}` goes on{}",
            self.name(),
            place.service,
            self.last_seen()
        );
        story
            .failure(cancelled.0.exit(), Became::Failed, headline, place)
            .help(format!("run `ecs-deploy status {}`", place.flags()))
    }
}
