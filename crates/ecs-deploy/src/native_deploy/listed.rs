//! The service deployments of a service: which is under way, and which one a run created. New ones are listed late.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::sleep;

use crate::api::Refused;
use crate::native::{Found, find};
use crate::observed::{Deployment, ServiceDeployment};
use crate::place::Place;
use crate::undo::is_revision;
use crate::words::ServiceDeploymentStatus;

use super::stop::is_over;

/// From one look for what is not there yet, or can't be read, to the next.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// How long a new one may not be listed.
const VISIBLE: Duration = Duration::from_secs(30);

/// How much earlier than the deployment of the service its service deployment may have been created: two parts of the
/// vendor's system set the two times.
const EARLIER: SignedDuration = SignedDuration::from_secs(2);

/// What is listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The ARNs of all.
    pub arns: Vec<String>,
    /// The latest that has not ended.
    pub under_way: Option<UnderWay>,
}

/// A service deployment that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// Its ARN.
    pub arn: String,
    /// The ARN of the task definition that it brings, where that is known.
    pub task_definition: Option<String>,
    /// How far it is.
    pub status: ServiceDeploymentStatus,
    /// When it was created.
    pub since: Option<Timestamp>,
}

/// What is listed now.
///
/// # Errors
/// When it can't be asked.
pub async fn now(place: &Place<'_>) -> Result<Listed, Refused> {
    let listed = place.api.service_deployments(&place.service, None).await?;
    let arns = listed.iter().map(|listed| listed.arn.clone()).collect();
    let Some(latest) = listed.into_iter().find(|listed| !is_over(&listed.status)) else {
        return Ok(Listed {
            arns,
            under_way: None,
        });
    };
    let revisions: Vec<String> = latest.revision.into_iter().collect();
    let found = place.api.service_revisions(&revisions).await?;
    Ok(Listed {
        arns,
        under_way: Some(UnderWay {
            arn: latest.arn,
            task_definition: found
                .into_iter()
                .next()
                .map(|(_, task_definition)| task_definition),
            status: latest.status,
            since: latest.created_at,
        }),
    })
}

/// The ARN of the service deployment of a deployment of the service; `before` were listed before it began. None where it did
/// not become visible, or several could be it.
///
/// # Errors
/// When it can't be asked for as long as the API may be out of reach.
pub async fn of(
    deployment: &Deployment,
    before: &[String],
    grace: Duration,
    place: &Place<'_>,
) -> Result<Option<String>, Refused> {
    let began = place.runner.elapsed();
    loop {
        let passed = place.runner.elapsed().saturating_sub(began);
        match look(deployment, before, place).await {
            Ok(Some(found)) => return Ok(Some(found)),
            Ok(None) if passed >= VISIBLE => return Ok(None),
            Err(refused) if passed >= grace || refused.is_access() => return Err(refused),
            Ok(None) | Err(_) => {}
        }
        sleep(LOOK).await;
    }
}

async fn look(
    deployment: &Deployment,
    before: &[String],
    place: &Place<'_>,
) -> Result<Option<String>, Refused> {
    let listed = place.api.service_deployments(&place.service, None).await?;
    let new: Vec<_> = listed
        .into_iter()
        .filter(|listed| !before.contains(&listed.arn))
        .collect();
    let revisions: Vec<String> = new.iter().filter_map(|listed| listed.revision.clone()).collect();
    let brings = place.api.service_revisions(&revisions).await?;
    let ours = |revision: &String| {
        let known = brings.iter().find(|(arn, _)| arn == revision);
        known.is_some_and(|(_, brings)| is_revision(brings, &deployment.task_definition))
    };
    let arns: Vec<String> = new
        .iter()
        .filter(|listed| listed.revision.as_ref().is_some_and(ours))
        .map(|listed| listed.arn.clone())
        .collect();
    let whole: Vec<ServiceDeployment> = place.api.service_deployment(&arns).await?;
    let since = deployment
        .created_at
        .and_then(|created| created.checked_sub(EARLIER).ok());
    Ok(match find(&whole, before, None, since) {
        Found::One(one) => Some(one.arn.clone()),
        Found::None | Found::Several => None,
    })
}
