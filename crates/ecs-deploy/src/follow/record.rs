//! The service deployment of the one that is followed, which says who ended it: it is asked for once another deployment is
//! the latest, because by then ours may be gone from the service.

use std::time::Duration;

use jiff::SignedDuration;

use crate::observed::{Service, ServiceDeployment};
use crate::place::Place;
use crate::rolling::Plan;
use crate::undo::is_revision;

/// How much earlier than its deployment a record may be created.
const EARLIER: Duration = Duration::from_secs(5);

/// The most records that are looked into: those after ours are few.
const RECORDS: usize = 20;

/// The record of our deployment, where another one is the latest and it can be read.
pub(super) async fn ours(plan: &Plan, service: &Service, place: &Place<'_>) -> Option<ServiceDeployment> {
    let replaced = service
        .primary()
        .is_some_and(|primary| primary.id != plan.deployment);
    let after = plan.created_at.filter(|_| replaced)?;
    let after = after.checked_sub(SignedDuration::try_from(EARLIER).ok()?).ok()?;
    // It explains; what decides is what the service shows.
    let listed = place
        .api
        .service_deployments(&place.service, Some(after))
        .await
        .ok()?;
    let listed = &listed[listed.len().saturating_sub(RECORDS)..];
    let revisions: Vec<String> = listed
        .iter()
        .filter_map(|listed| listed.revision.clone())
        .collect();
    let known = place.api.service_revisions(&revisions).await.ok()?;
    // The first of our revision: the list has the newest first.
    let ours = listed.iter().rev().find(|listed| {
        known.iter().any(|(revision, definition)| {
            listed.revision.as_ref() == Some(revision) && is_revision(definition, &plan.task_definition)
        })
    })?;
    let whole = place
        .api
        .service_deployment(std::slice::from_ref(&ours.arn))
        .await;
    whole.ok()?.into_iter().next()
}
