//! What a run that was cut short may have left behind after the traffic went back: the pods of the new version, the preview, an
//! autoscaler that still points at it. The state on the Service does not say so, so it is looked for.

use crate::api::Kind;
use crate::color::preview;
use crate::marks;
use crate::object;
use crate::place::Place;
use crate::scaler;
use crate::side::{self, Size};
use crate::state::State;

/// Whether anything is left beside the version that serves. What can't be read counts as left: whoever tidies up says what is wrong
/// with it.
pub async fn are_there(service: &str, state: &State, place: &Place<'_>) -> bool {
    pods(state, place).await || made(&preview(service), place).await || autoscaler(state, place).await
}

async fn pods(state: &State, place: &Place<'_>) -> bool {
    let new = &state.new;
    match side::read(&new.deployment, place).await {
        Ok(Some(found)) => {
            let is_it = new.uid.is_empty() || object::uid(&found) == new.uid;
            is_it && Size::of(&found).wanted > 0
        }
        Ok(None) => false,
        Err(_) => true,
    }
}

async fn made(service: &str, place: &Place<'_>) -> bool {
    let found = place.api.get(&Kind::service(), &place.namespace, service).await;
    found.map_or(true, |found| found.as_ref().is_some_and(marks::is_ours))
}

async fn autoscaler(state: &State, place: &Place<'_>) -> bool {
    let Some(known) = &state.scaler else { return false };
    let sides = (&*state.new.deployment, &*state.old.deployment);
    scaler::is_to_be_given_back(known, sides, place)
        .await
        .unwrap_or(true)
}
