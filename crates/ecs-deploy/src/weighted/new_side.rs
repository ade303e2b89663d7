//! The side that gets the new version: brings it there by one update, and follows that deployment with the machine of
//! rolling deploys.

use std::time::Duration;

use gha::text;

use crate::api::services::Update;
use crate::follow::Followed;
use crate::observed::{Deployment, Service, revision_name};
use crate::place::Place;
use crate::rolling::{Decision, Limits, Plan, Why};
use crate::shift::Rollout;
use crate::task_definition::TaskDefinition;
use crate::undo::is_revision;
use crate::words::RolloutState;

/// What the new side is to run.
pub(crate) struct Version {
    /// The ARN of the revision.
    pub(crate) arn: String,
    /// What it is.
    pub(crate) definition: TaskDefinition,
    /// What else of the service is changed.
    pub(crate) update: Update,
    /// Whether what the side has already counts as brought by this deploy.
    pub(crate) is_there: bool,
}

/// The new side.
pub(crate) struct NewSide<'a> {
    place: &'a Place<'a>,
    limits: Limits,
    pub(crate) version: Option<Version>,
    /// The deployment that was the latest before this run changed it.
    before: Option<String>,
    pub(crate) followed: Option<Followed>,
    /// Whether the update was sent.
    asked: bool,
    /// Whether a deployment that is under way on it when this run begins is that of the run whose state is acted on.
    pub(crate) takes: bool,
}

impl<'a> NewSide<'a> {
    pub(crate) fn new(place: &'a Place<'a>, service: &Service, limits: Limits) -> Self {
        Self {
            place,
            limits: Limits {
                // How long it may take is up to the shift, and what it is for goes on after it is complete.
                timeout: Duration::MAX,
                stable_for: Duration::MAX,
                ..limits
            },
            version: None,
            before: service.primary().map(|primary| primary.id.clone()),
            followed: None,
            asked: false,
            takes: false,
        }
    }

    /// The id of the deployment that brings the version.
    pub(crate) fn deployment(&self) -> Option<&str> {
        let followed = self.followed.as_ref()?;
        Some(&followed.state.plan().deployment)
    }

    /// How many tasks of the version run.
    pub(crate) fn running(&self, service: &Service) -> u32 {
        let ours = self.deployment().and_then(|id| service.deployment(id));
        ours.map_or(0, |ours| ours.running)
    }

    /// Sends the update.
    pub(crate) async fn bring(&mut self, tasks: u32) -> Result<(), String> {
        let Some(version) = &self.version else {
            return Err("no version is known".to_owned());
        };
        let service = self.place.api.service(&self.place.service).await;
        let service = service.map_err(|refused| refused.to_string())?;
        let primary = service.as_ref().and_then(|described| described.service.primary());
        let is_theirs = primary.map(|primary| &primary.id) != self.before.as_ref() && self.followed.is_none();
        if is_theirs {
            // The next look says whose it is.
            self.asked |= primary.is_some_and(|primary| is_revision(&primary.task_definition, &version.arn));
            return Ok(());
        }
        let same = primary.is_some_and(|primary| is_revision(&primary.task_definition, &version.arn));
        // The same revision under a new deployment: failures of the last attempt must not count for this one.
        let again = same && !version.is_there;
        let update = Update {
            task_definition: (!same).then(|| version.arn.clone()),
            desired: Some(tasks),
            force: version.update.force.or(again.then_some(true)),
            ..version.update.clone()
        };
        let begins = update.task_definition.is_some() || update.force == Some(true);
        let arn = version.arn.clone();
        self.asked = true;
        let updated = self.place.api.update_service(&self.place.service, &update).await;
        let described = updated.map_err(|refused| refused.to_string())?;
        // An answer that still shows what was there before is no deployment of this run: the next look finds it.
        let ours = described.service.primary().filter(|primary| {
            is_revision(&primary.task_definition, &arn)
                && !(begins && Some(&primary.id) == self.before.as_ref())
        });
        if let Some(primary) = ours {
            self.follow(primary.clone(), &described.service);
        }
        Ok(())
    }

    fn follow(&mut self, primary: Deployment, service: &Service) {
        if self.deployment() == Some(&primary.id) {
            return;
        }
        let plan = Plan {
            deployment: primary.id,
            task_definition: primary.task_definition,
            previous: None,
            created_at: primary.created_at,
            started: self.place.runner.elapsed(),
            limits: self.limits,
        };
        self.followed = Some(Followed::new(plan, service));
    }

    /// Takes in a look: how far the version is, and a deployment of someone else, in words.
    pub(crate) async fn see(&mut self, service: &Service) -> (Rollout, Option<String>) {
        let Some(primary) = service.primary() else {
            return (Rollout::None, None);
        };
        let Some(version) = &self.version else {
            return (Rollout::None, self.foreign(primary, service));
        };
        if self.followed.is_none() {
            let is_new = Some(&primary.id) != self.before.as_ref();
            let fits = is_revision(&primary.task_definition, &version.arn);
            if fits && (version.is_there || (self.asked && is_new)) {
                self.follow(primary.clone(), service);
            } else {
                return (Rollout::None, self.foreign(primary, service));
            }
        }
        let (Some(followed), Some(version)) = (&mut self.followed, &self.version) else {
            return (Rollout::None, None);
        };
        match followed.see(service, &version.definition, self.place).await {
            Decision::Steady { .. } | Decision::Succeeded { .. } | Decision::ScaledToZero => {
                (Rollout::Ready, None)
            }
            Decision::Failed {
                why: Why::Draining, ..
            } => (Rollout::Ready, None),
            Decision::Failed { reason, .. } | Decision::RolledBack { reason, .. } => {
                (Rollout::Failed(reason), None)
            }
            Decision::Superseded { by } => {
                let by = text::line(revision_name(&by.task_definition));
                let service = &self.place.service;
                (
                    Rollout::Running,
                    Some(format!("`{by}` was deployed to `{service}`")),
                )
            }
            Decision::Gone { reason } => (Rollout::Running, Some(reason)),
            Decision::Wait { .. } | Decision::FetchStopped => (Rollout::Running, None),
        }
    }

    /// A deployment that is not of this deploy, in words. What was left there with no tasks is nobody's.
    fn foreign(&self, primary: &Deployment, service: &Service) -> Option<String> {
        if Some(&primary.id) != self.before.as_ref() {
            return Some(words(primary));
        }
        under_way(primary).filter(|_| service.desired > 0 && !self.takes)
    }

    /// Scales it to so many tasks.
    pub(crate) async fn scale(&self, tasks: u32) -> Result<(), String> {
        scale(self.place, tasks).await
    }
}

/// Scales a service.
pub(crate) async fn scale(place: &Place<'_>, tasks: u32) -> Result<(), String> {
    let update = Update {
        desired: Some(tasks),
        ..Update::default()
    };
    let updated = place.api.update_service(&place.service, &update).await;
    updated.map(drop).map_err(|refused| refused.to_string())
}

/// The latest deployment in words, where it has not ended.
pub(crate) fn under_way(primary: &Deployment) -> Option<String> {
    (primary.rollout_state == Some(RolloutState::InProgress)).then(|| words(primary))
}

/// A deployment in words.
pub(crate) fn words(deployment: &Deployment) -> String {
    let name = text::line(revision_name(&deployment.task_definition));
    format!("deployment `{}` of `{name}`", text::line(&deployment.id))
}
