//! A deploy whose traffic ECS shifts itself: what was begun is found, followed through its stages, and taken back when it
//! fails, its gate says no, or the run is cancelled.

use std::time::Duration;

use gha::edge::cancel::Cancelled;
use gha::outcome::Outcome;
use gha::{Exit, Failure, text};
use tokio::time::timeout;

use crate::api::Refused;
use crate::api::services::{Described, Update};
use crate::cli::{Deploy, Undo};
use crate::error::Error;
use crate::gates::Gates;
use crate::native_deploy::back::limits;
use crate::native_deploy::failing::Failing;
use crate::native_deploy::follow::{Answers, Course, End, Followed};
use crate::native_deploy::listed::{self, UnderWay};
use crate::native_deploy::settings::Wanted;
use crate::native_deploy::stop::{Stop, stop};
use crate::observed::{Deployment, revision_name};
use crate::place::Place;
use crate::story::{Became, Story};
use crate::undo::LEAVE;
use crate::words::{ServiceDeploymentStatus, Strategy};

use super::ready::{Ready, busy};
use ending::Ending;

mod ending;

/// What a native deploy knows before it begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shifting {
    /// The ARNs of the service deployments before it.
    before: Vec<String>,
    /// How long ECS holds its steps.
    bakes: Duration,
    /// The service deployment of the same revision that is under way already.
    pub(super) resumes: Option<UnderWay>,
}

/// What a deployment that is under way already means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resumes {
    /// Whether one of the same revision may be followed: nothing else was asked for that it does not do.
    pub(super) may_resume: bool,
    /// Whether another one is deployed over.
    pub(super) replace: bool,
}

/// Looks at the service deployments, where ECS shifts the traffic or is to. `known` is the revision that is to be deployed,
/// where it is there already.
pub(super) async fn shifting(
    wanted: &Wanted,
    described: &Described,
    known: Option<&str>,
    flags: Resumes,
    place: &Place<'_>,
) -> Result<Option<Shifting>, Error> {
    if !wanted.is_native() && described.service.strategy == Strategy::Rolling {
        return Ok(None);
    }
    let listed = list(place).await?;
    let resumes = listed.under_way.clone().filter(|under_way| {
        wanted.is_native()
            && flags.may_resume
            && known
                .zip(under_way.task_definition.as_deref())
                .is_some_and(|(known, brings)| crate::undo::is_revision(known, brings))
    });
    if let (Some(under_way), None, false) = (&listed.under_way, &resumes, flags.replace) {
        return Err(other(under_way, place));
    }
    Ok(wanted.is_native().then_some(Shifting {
        before: listed.arns,
        bakes: wanted.bakes,
        resumes,
    }))
}

/// Whether nobody else began a deployment since the service was read: the update has no condition of its own.
pub(super) async fn still_free(ready: &Ready, replace: bool, place: &Place<'_>) -> Result<(), Error> {
    if ready.shifting.is_none() || replace {
        return Ok(());
    }
    let described = place.described().await?;
    let primary = described.service.primary();
    let before = ready.described.service.primary();
    if let Some(newer) = primary.filter(|newer| Some(&newer.id) != before.map(|before| &before.id)) {
        return Err(busy(newer, place));
    }
    Ok(())
}

async fn list(place: &Place<'_>) -> Result<listed::Listed, Error> {
    let what = format!("read the service deployments of `{}`", place.service);
    listed::now(place).await.map_err(Error::refused(what))
}

fn other(under_way: &UnderWay, place: &Place<'_>) -> Error {
    let revision = under_way.task_definition.as_deref().map(revision_name);
    Error::Busy {
        service: place.service.clone(),
        revision: text::line(revision.unwrap_or("an unknown revision")),
        since: under_way.since.map_or_else(
            || "begun at an unknown time".to_owned(),
            |begun| format!("begun at {begun}"),
        ),
    }
}

/// Whether an update begins no deployment, because it sets nothing but how the next one goes.
pub(super) fn begins_nothing(update: &Update) -> bool {
    let settings = Update {
        configuration: None,
        ..update.clone()
    };
    update.configuration.is_some() && settings == Update::default()
}

/// Sets how the next deployment goes, of a service that has the version already.
pub(super) async fn set_only(
    ready: &Ready,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Outcome, Failure> {
    let what = format!("update service `{}`", place.service);
    let mut attempt = 1;
    // The same settings twice are no more than once.
    while let Err(refused) = place.api.update_service(&place.service, &ready.update).await {
        if !refused.unknown || attempt == 3 {
            return Err(Error::Refused { what, refused }.into());
        }
        attempt += 1;
    }
    let name = text::line(revision_name(&ready.revision.arn));
    let headline = format!(
        "service `{}` has this content already, as `{name}`; how it is deployed was set",
        place.service
    );
    story.note(headline.clone(), place.runner);
    Ok(story.outcome(Became::Deployed, headline, place))
}

/// Follows the service deployment of `deployment` to its end; gives its tasks that failed too.
pub(super) async fn follow(
    flags: &Deploy,
    (ready, shifting): (&Ready, &Shifting),
    deployment: Deployment,
    gates: Option<&Gates>,
    story: &mut Story,
    place: &Place<'_>,
) -> (Result<Outcome, Failure>, Failing) {
    let runner = place.runner;
    story.deployment = Some(deployment.id.clone());
    story.can_undo = ready.target.is_some();
    if let Some(under_way) = &shifting.resumes {
        let id = under_way.arn.rsplit('/').next().unwrap_or_default();
        story.note(
            format!(
                "it is being deployed already, by `{}`, which is followed",
                text::line(id)
            ),
            runner,
        );
    }
    let set = ready.update.configuration.as_ref();
    if set.is_some_and(|set| set.hooks.is_some()) {
        runner.info(
            "deployments of the service pause for a gate from now on: one without a gate waits there for an answer",
        );
    }
    let limits = limits(&flags.times, shifting.bakes);
    let mut followed = Followed::new(limits, &ready.described.service, place);
    let mut arn = shifting.resumes.as_ref().map(|under_way| under_way.arn.clone());
    let following = async {
        let found = match &arn {
            Some(arn) => arn.clone(),
            None => {
                let of = listed::of(&deployment, &shifting.before, flags.times.api_grace, place);
                match of.await? {
                    Some(found) => found,
                    None => return Ok(End::Unknown("ECS lists no service deployment of it".to_owned())),
                }
            }
        };
        arn = Some(found.clone());
        let course = Course {
            arn: &found,
            deployment: &deployment.id,
            definition: &ready.revision.definition,
            answers: gates.map_or(Answers::Others, Answers::Gates),
            leave: flags.ends.on_failure == Undo::Leave,
        };
        Ok::<_, Refused>(followed.run(course, limits, place).await)
    };
    let ended = runner.cancel().guard(Box::pin(following)).await;
    story.gates = gates.map(Gates::told).unwrap_or_default();
    story.timeline.append(&mut followed.moves);
    let ending = Ending {
        ready,
        shifting,
        deployment: &deployment,
        flags,
        weight: followed.weight,
        wanted: followed.wanted,
        is_inconclusive: followed.is_inconclusive,
    };
    let ended = match ended {
        Ok(Ok(end)) => ending.of(end, flags.ends.on_failure, story, place).await,
        Ok(Err(refused)) => Err(unfound(&refused, ready, story, place)),
        Err(cancelled) => {
            let arn = arn.as_deref();
            Err(ending
                .cancelled(cancelled, flags.ends.on_cancel, arn, story, place)
                .await)
        }
    };
    (ended, followed.failing)
}

/// The service deployment can't be read at all.
fn unfound(refused: &Refused, ready: &Ready, story: &Story, place: &Place<'_>) -> Failure {
    let name = text::line(revision_name(&ready.revision.arn));
    let headline = format!(
        "how the deployment of `{name}` to `{}` goes is not known: {refused}",
        place.service
    );
    story
        .failure(Exit::NeedsHuman, Became::Failed, headline, place)
        .help(format!("run `ecs-deploy status {}`", place.flags()))
}

impl Ending<'_> {
    /// A signal came: the deployment is stopped at once, and nobody waits for ECS to go back.
    async fn cancelled(
        &self,
        cancelled: Cancelled,
        on_cancel: Undo,
        arn: Option<&str>,
        story: &mut Story,
        place: &Place<'_>,
    ) -> Failure {
        let service = &place.service;
        let name = text::line(revision_name(&self.ready.revision.arn));
        let exit = cancelled.0.exit();
        if on_cancel == Undo::Leave {
            let headline = format!("{cancelled}; the deployment of `{name}` to `{service}` goes on");
            return self.failure(exit, Became::Failed, headline, story, place);
        }
        let stopping = async {
            let found = match arn {
                Some(arn) => Some(arn.to_owned()),
                None => listed::of(self.deployment, &self.shifting.before, LEAVE, place)
                    .await
                    .ok()
                    .flatten(),
            };
            match found {
                Some(arn) => Some(stop(&arn, place).await),
                None => None,
            }
        };
        let (became, what) = match timeout(LEAVE, stopping).await {
            Ok(Some(Stop::Begun)) => {
                story.can_undo = false;
                let back = self.earlier();
                (Became::RolledBack, format!("{back} is on its way back"))
            }
            Ok(Some(Stop::Ended(ServiceDeploymentStatus::Successful))) => (
                Became::Deployed,
                format!("it was complete already, and `{name}` serves"),
            ),
            Ok(Some(Stop::Ended(ServiceDeploymentStatus::RollbackSuccessful))) => {
                (Became::RolledBack, format!("{} serves again", self.earlier()))
            }
            Ok(Some(Stop::Ended(status))) => (
                Became::Failed,
                format!("it had ended already, as `{}`", text::line(status.word())),
            ),
            Ok(Some(Stop::Refused(refused))) => (
                Became::Failed,
                format!("the deployment could not be stopped: {refused}"),
            ),
            Ok(None) | Err(_) => (
                Became::Failed,
                "the deployment was not stopped: ECS gave no answer in time".to_owned(),
            ),
        };
        let headline = format!("{cancelled} while `{name}` was being deployed to `{service}`; {what}");
        let failure = self.failure(exit, became, headline, story, place);
        match became {
            Became::Failed => failure.help(format!("run `ecs-deploy rollback {}`", place.flags())),
            _ => failure,
        }
    }
}
