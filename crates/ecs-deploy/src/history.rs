//! What was deployed to a service before, as ECS remembers it, with the versions that people know revisions by.

use std::collections::BTreeMap;

use gha::image::Image;
use gha::text;

use crate::api::Refused;
use crate::place::Place;
use crate::prepare;
use crate::rollback_target::Past;
use crate::task_definition::TaskDefinition;
use crate::words::ServiceDeploymentStatus;

/// How many successful deployments are looked into for a version.
const LOOKED_INTO: usize = 40;

/// How much is read of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Which revisions were deployed.
    Revisions,
    /// What versions they carry too: a call for each.
    Versions,
}

/// The deployments that ECS remembers, newest first. One that can't be read is told and left out: the service itself shows
/// what is complete now.
pub async fn read(depth: Depth, place: &Place<'_>) -> Vec<Past> {
    let mut past = match known(place).await {
        Ok(past) => past,
        Err(refused) => {
            place
                .runner
                .warn(&format!("earlier deployments are not known: {refused}"));
            return Vec::new();
        }
    };
    if depth == Depth::Versions {
        add_versions(&mut past, place).await;
    }
    past
}

/// The same without versions, for who can't do without it.
///
/// # Errors
/// When it can't be asked.
pub async fn known(place: &Place<'_>) -> Result<Vec<Past>, Refused> {
    let listed = place.api.service_deployments(&place.service, None).await?;
    let arns: Vec<String> = listed
        .iter()
        .filter_map(|listed| listed.revision.clone())
        .collect();
    let mut revisions = BTreeMap::new();
    for part in arns.chunks(20) {
        revisions.extend(place.api.service_revisions(part).await?);
    }
    let past = listed.into_iter().filter_map(|listed| {
        Some(Past {
            task_definition: revisions.get(&listed.revision?)?.clone(),
            status: listed.status,
            created_at: listed.created_at,
            versions: Vec::new(),
        })
    });
    Ok(past.collect())
}

async fn add_versions(past: &mut [Past], place: &Place<'_>) {
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for past in past
        .iter_mut()
        .filter(|past| past.status == ServiceDeploymentStatus::Successful)
    {
        if !known.contains_key(&past.task_definition) {
            if known.len() >= LOOKED_INTO {
                return;
            }
            let read = prepare::described(&place.api, &past.task_definition).await;
            let versions = match read {
                Ok(definition) => versions(&definition),
                Err(error) => {
                    place.runner.warn(&text::line(&error.to_string()));
                    Vec::new()
                }
            };
            known.insert(past.task_definition.clone(), versions);
        }
        past.versions = known.get(&past.task_definition).cloned().unwrap_or_default();
    }
}

/// The versions that a task definition carries: tags and digests of its images, and its tag `version`.
#[must_use]
pub fn versions(definition: &TaskDefinition) -> Vec<String> {
    let images = definition.containers().filter_map(|container| container.image());
    let of_images = images.filter_map(|image| Image::split(image).version());
    of_images
        .chain(definition.tag("version"))
        .map(str::to_owned)
        .collect()
}
