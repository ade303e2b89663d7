//! The way back from a canary, from what a state says alone: first its weights, then what was put there for it.

use std::time::Duration;

use gha::text;
use tokio::time::sleep;

use super::division::Division;
use super::{Plan, mesh};
use crate::back::{PROPAGATION, drop_made};
use crate::error::Error;
use crate::place::Place;
use crate::state::State;

/// How long a write that moves no traffic is tried.
const TIDY: Duration = Duration::from_secs(10);

/// Takes all traffic from the canary of a Service.
///
/// # Errors
/// When a route can't be written.
pub async fn withdraw(
    service: &str,
    state: &State,
    patience: Duration,
    place: &Place<'_>,
) -> Result<(), Error> {
    for division in divisions(service, state, place).await? {
        division.withdraw(patience, place).await?;
    }
    Ok(())
}

/// Leaves the routes as they were, and deletes the canary's Service. Says whether all of that is done; what is not was told.
pub async fn leave(service: &str, state: &State, place: &Place<'_>) -> bool {
    let divisions = match divisions(service, state, place).await {
        Ok(divisions) => divisions,
        Err(error) => {
            place.runner.warn(&error.to_string());
            return false;
        }
    };
    for division in &divisions {
        let route = text::line(&division.route.to_string());
        if let Err(error) = division.withdraw(TIDY, place).await {
            place.runner.warn(&error.to_string());
            return false;
        }
        match division.leave(TIDY, place).await {
            Ok(Ok(())) => {}
            // What others made of it is theirs; it leads nothing to the canary, and must find its Service there.
            Ok(Err(error)) => {
                place.runner.warn(&format!(
                    "`{route}` is not as it was before the canary, whose weight is 0: {error}"
                ));
                return true;
            }
            Err(error) => {
                place.runner.warn(&format!(
                    "`{route}` still names the canary, with the weight 0: {error}"
                ));
                return false;
            }
        }
    }
    let by_header = state
        .canary
        .as_ref()
        .is_some_and(|canary| canary.header.is_some());
    if by_header && !divisions.is_empty() {
        // Requests with the header go to the canary until what routes has followed.
        sleep(PROPAGATION).await;
    }
    let new_serves = state.serving().deployment == state.new.deployment;
    if let Err(error) = mesh::leave(&divisions, new_serves, TIDY, place).await {
        place.runner.warn(&error.to_string());
        return false;
    }
    match &state.canary {
        Some(canary) if !canary.service.is_empty() => drop_made(&canary.service, place).await,
        _ => true,
    }
}

/// What divides the traffic of a state's Service, in the order in which it was named.
///
/// # Errors
/// When the state is damaged, or the server can't be asked.
pub async fn divisions(service: &str, state: &State, place: &Place<'_>) -> Result<Vec<Division>, Error> {
    let Some(canary) = &state.canary else {
        return Ok(Vec::new());
    };
    let plan = Plan::of(canary)?;
    let mut divisions = Vec::new();
    for route in &plan.routes {
        let sides = plan.sides(service, &place.namespace);
        divisions.push(Division::of(route.clone(), sides, place).await?);
    }
    Ok(divisions)
}
