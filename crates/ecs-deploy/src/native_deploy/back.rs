//! The way back where ECS shifts the traffic: a deployment under way is stopped, after which ECS puts the earlier revision
//! back by itself; one that has ended takes a new deployment of the earlier revision, whose pauses go on by themselves.

use std::time::Duration;

use tokio::time::sleep;

use crate::api::Refused;
use crate::api::configuration::Configuration;
use crate::api::services::Described;
use crate::cli::Times;
use crate::native;
use crate::observed::{Deployment, Service};
use crate::place::Place;
use crate::task_definition::TaskDefinition;
use crate::undo::{Trouble, Undone};
use crate::words::{ServiceDeploymentStatus as Status, Strategy};

use super::follow::{Answers, Course, End, Followed};
use super::listed::{self, LOOK, UnderWay};
use super::settings::bakes;
use super::stop::{Stop, stop};

/// How long things may take; `bakes` is how long ECS holds its steps.
#[must_use]
pub fn limits(times: &Times, bakes: Duration) -> native::Limits {
    native::Limits {
        poll: times.poll,
        timeout: times.timeout().saturating_add(bakes),
        rollback_timeout: times.timeout(),
        api_grace: times.api_grace,
    }
}

/// How long ECS holds the steps of a service as it is set.
#[must_use]
pub fn bakes_of(service: &Service, set: &Configuration) -> Duration {
    match service.strategy {
        Strategy::Rolling => Duration::ZERO,
        _ => bakes(&service.strategy, set.bake, set.canary, set.linear),
    }
}

/// Stops what is under way, and waits until the earlier revision serves. None where it succeeded meanwhile.
pub async fn take_back(
    under_way: &UnderWay,
    service: &Service,
    definition: &TaskDefinition,
    times: &Times,
    place: &Place<'_>,
) -> Option<Undone> {
    if !goes_back(&under_way.status)
        && let Stop::Refused(refused) = stop(&under_way.arn, place).await
    {
        return Some(Undone::Failed(Trouble::because(refused.to_string())));
    }
    arrive(under_way, service, definition, times, place).await
}

/// Whether ECS takes a service deployment back already.
#[must_use]
pub fn goes_back(status: &Status) -> bool {
    matches!(status, Status::RollbackRequested | Status::RollbackInProgress)
}

/// Waits until ECS has put the earlier revision back. None where the deployment succeeded meanwhile.
pub async fn arrive(
    under_way: &UnderWay,
    service: &Service,
    definition: &TaskDefinition,
    times: &Times,
    place: &Place<'_>,
) -> Option<Undone> {
    let course = Course {
        arn: &under_way.arn,
        deployment: "",
        definition,
        answers: Answers::Others,
        leave: true,
    };
    let limits = limits(times, Duration::ZERO);
    let mut followed = Followed::new(limits, service, place);
    Some(match followed.run(course, limits, place).await {
        End::Succeeded => return None,
        End::RolledBack(_) => Undone::Restored {
            tasks: followed.wanted.unwrap_or(1),
        },
        End::Stopped(why) => Undone::Foreign(format!("someone else changed the service: {why}")),
        End::Left(why) | End::RollbackFailed(why) | End::Unknown(why) => {
            Undone::Failed(Trouble::because(why))
        }
    })
}

/// Waits until a deployment that brings the earlier revision has succeeded; `before` were listed before it began.
pub async fn wait(
    deployment: &Deployment,
    before: &[String],
    definition: &TaskDefinition,
    times: &Times,
    place: &Place<'_>,
) -> Undone {
    match listed::of(deployment, before, times.api_grace, place).await {
        Ok(Some(arn)) => follow(&arn, deployment, definition, times, place).await,
        Ok(None) => Undone::Begun,
        Err(refused) => Undone::Failed(Trouble::because(refused.to_string())),
    }
}

/// Waits until a service deployment that brings the earlier revision has succeeded. Its pauses go on.
pub async fn follow(
    arn: &str,
    deployment: &Deployment,
    definition: &TaskDefinition,
    times: &Times,
    place: &Place<'_>,
) -> Undone {
    let described = match described(times.api_grace, place).await {
        Ok(Some(described)) => described,
        Ok(None) => return Undone::Foreign("the service is gone".to_owned()),
        Err(refused) => return Undone::Failed(Trouble::because(refused.to_string())),
    };
    let course = Course {
        arn,
        deployment: &deployment.id,
        definition,
        answers: Answers::GoOn,
        leave: true,
    };
    let limits = limits(times, bakes_of(&described.service, &described.configuration));
    let mut followed = Followed::new(limits, &described.service, place);
    match followed.run(course, limits, place).await {
        End::Succeeded => Undone::Restored {
            tasks: followed.wanted.unwrap_or(1),
        },
        End::Stopped(why) => stopped(deployment, why, place).await,
        End::RolledBack(why) => Undone::Failed(Trouble::because(format!(
            "ECS took the way back itself back: {why}"
        ))),
        End::Left(why) | End::RollbackFailed(why) | End::Unknown(why) => {
            Undone::Failed(Trouble::because(why))
        }
    }
}

/// The service, as long as AWS may be out of reach: what is to be followed is under way already.
async fn described(grace: Duration, place: &Place<'_>) -> Result<Option<Described>, Refused> {
    let began = place.runner.elapsed();
    loop {
        let refused = match place.api.service(&place.service).await {
            Ok(described) => return Ok(described),
            Err(refused) => refused,
        };
        if refused.is_access() || place.runner.elapsed().saturating_sub(began) >= grace {
            return Err(refused);
        }
        sleep(LOOK).await;
    }
}

/// The way back was stopped: by a newer deployment, or where it was, as by an alarm that still rings.
async fn stopped(deployment: &Deployment, why: String, place: &Place<'_>) -> Undone {
    let described = place.api.service(&place.service).await;
    let is_latest = described.is_ok_and(|described| {
        let service = described.as_ref().map(|described| &described.service);
        let primary = service.and_then(Service::primary);
        primary.is_some_and(|primary| primary.id == deployment.id)
    });
    if is_latest {
        return Undone::Failed(Trouble::because(format!("it was stopped where it was: {why}")));
    }
    Undone::Foreign(format!("someone else changed the service: {why}"))
}
