//! Retiring the version without traffic when its time is over: only one that this program put there or replaced, that no Service
//! leads to, and that still is the one that the state speaks of.

use std::time::Duration;

use gha::text;

use crate::api::{Kind, Which};
use crate::error::Error;
use crate::lead::Lead;
use crate::object;
use crate::place::Place;
use crate::side::{self, Size};
use crate::state::{Phase, State};

/// How long a write is tried.
const PATIENCE: Duration = Duration::from_secs(30);

/// Retires the version that a Service no longer leads to, where its time is over; says what was done.
///
/// # Errors
/// When it can't be looked at, or not be retired.
pub async fn retire(lead: &mut Lead, place: &Place<'_>) -> Result<Option<String>, Error> {
    lead.look(place).await?;
    let Some(state) = lead.state()? else {
        return Ok(None);
    };
    if !is_due(&state, lead, place) {
        return Ok(None);
    }
    let old = &state.old;
    let name = text::line(&old.deployment);
    let Some(deployment) = side::read(&old.deployment, place).await? else {
        return Ok(None);
    };
    if !old.uid.is_empty() && object::uid(&deployment) != old.uid {
        return Ok(None);
    }
    if let Some(service) = selected_by(&deployment, place).await? {
        place.runner.warn(&format!(
            "Deployment `{name}` is not retired: Service `{}` leads to it",
            text::line(&service)
        ));
        return Ok(None);
    }
    if state.retire_by_deleting {
        let deleted = side::delete(&old.deployment, &old.uid, place).await;
        deleted.map_err(Error::refused(format!("delete Deployment `{name}`")))?;
        return Ok(Some(format!("Deployment `{name}` is deleted: its time is over")));
    }
    if Size::of(&deployment).wanted == 0 {
        return Ok(None);
    }
    let scaled = side::scale(&old.deployment, &old.uid, 0, PATIENCE, place).await;
    scaled.map_err(Error::refused(format!("scale Deployment `{name}`")))?;
    Ok(Some(format!(
        "Deployment `{name}` has no pods any more: its time is over; a rollback gives it {} again",
        old.replicas
    )))
}

/// Whether the time of the version without traffic is over.
pub(crate) fn is_due(state: &State, lead: &Lead, place: &Place<'_>) -> bool {
    state.phase == Phase::Done
        && lead.selector() == state.new.selector
        && state.retire_after.is_some_and(|due| due <= place.runner.now())
}

/// A Service that leads to pods of a Deployment.
async fn selected_by(deployment: &serde_json::Value, place: &Place<'_>) -> Result<Option<String>, Error> {
    let services = place
        .api
        .list(&Kind::service(), &place.namespace, &Which::default())
        .await
        .map_err(Error::refused("read the Services"))?;
    let labels = object::labels_at(deployment, "/spec/template/metadata/labels");
    let found = services
        .iter()
        .find(|service| object::selects(&object::labels_at(service, "/spec/selector"), &labels));
    Ok(found.map(|service| object::name(service).to_owned()))
}
