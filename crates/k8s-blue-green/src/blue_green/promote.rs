//! The command `promote`: a new version that is up and judged gets the traffic, from another machine than the one that brought it up.

use std::time::Duration;

use gha::outcome::Outcome;
use gha::{Failure, text};

use super::shift::Ready;
use super::stopped::Stopped;
use super::{Done, PATIENCE, begun, closed, onwards};
use crate::canary::Plan;
use crate::cli::Promote;
use crate::error::Error;
use crate::gates::{Candidate, Gates};
use crate::lead::Lead;
use crate::place::Place;
use crate::report;
use crate::rollback::know;
use crate::run::Run;
use crate::state::{Canary, Phase, State};
use crate::story::{Became, Story, conclude};

/// Runs the command.
///
/// # Errors
/// When nothing waits to be promoted, or the deploy failed.
pub async fn at(flags: &Promote, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut story = Story::of(&flags.target.service);
    let ended = Box::pin(promote(flags, &mut story, place)).await;
    let ended = ended.map_err(|failure| story.complete(failure, place));
    conclude(&ended, place);
    report::summary(&ended, &story, place);
    ended
}

async fn promote(flags: &Promote, story: &mut Story, place: &Place<'_>) -> Result<Outcome, Failure> {
    let services = &flags.target.service;
    if services.is_empty() {
        return Err(Error::Flag {
            flag: "service",
            reason: "name the Service whose traffic is to move".to_owned(),
        }
        .into());
    }
    let watched = place.runner.cancel().guard(Box::pin(watched(flags, place)));
    let watched = watched.await.map_err(|cancelled| {
        let headline = format!("{cancelled}; nothing was changed");
        story.failure(cancelled.0.exit(), Became::Failed, headline, place)
    })?;
    let (gates, held) = begun(services, &flags.gates, &watched, &flags.times, story, place).await?;
    let going = held.during(Box::pin(go_on(flags, &gates, story, place)));
    let ended = place.runner.cancel().guard(Box::pin(going)).await;
    closed(ended, services, flags.ends, &gates, held, story, place).await
}

/// For how long traffic will be watched at a time: in each step of a canary that is still to come, and in the soak. Whatever does not
/// wait to be promoted, or can't be read, is told later, when the lock is held.
async fn watched(flags: &Promote, place: &Place<'_>) -> Vec<Duration> {
    let mut watched = vec![flags.switch.soak];
    for name in &flags.target.service {
        let Ok(lead) = Lead::read(name, place).await else {
            continue;
        };
        let canary = waiting(&lead).ok().and_then(|state| state.canary);
        if let Some(plan) = canary.and_then(|canary| Plan::of(&canary).ok()) {
            let rest = plan.rest().unwrap_or_default();
            watched.extend(rest.iter().filter_map(|step| step.hold));
        }
    }
    watched
}

async fn go_on(
    flags: &Promote,
    gates: &Gates,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Done, Stopped> {
    let mut ready = Vec::new();
    for name in &flags.target.service {
        let lead = Lead::read(name, place).await?;
        let state = waiting(&lead)?;
        ready.push(Ready {
            lead,
            state,
            image: String::new(),
        });
    }
    if ready.iter().all(|one| one.state.phase == Phase::Done) {
        let live: Vec<String> = ready
            .iter()
            .map(|one| format!("`{}`", text::line(&one.state.new.deployment)))
            .collect();
        return Ok(Done::Unchanged(live.join(" and ")));
    }
    let run = Run::of(place.runner);
    for one in &mut ready {
        // From now on it is this run's to finish, or to undo.
        let canary = one.state.canary.clone().map(|canary| Canary {
            waits: false,
            ..canary
        });
        let state = State {
            canary,
            run: run.name.clone(),
            link: run.link.clone(),
            trace: run.trace.clone(),
            at: place.runner.now(),
            ..one.state.clone()
        };
        let selector = one.lead.selector();
        one.lead.turn(&selector, Some(&state), PATIENCE, place).await?;
        one.state = state;
    }
    let leads: Vec<Lead> = ready.iter().map(|one| one.lead.clone()).collect();
    know(&leads, story, place);
    if let Some(first) = ready.first() {
        let candidate = Candidate {
            service: first.lead.name.clone(),
            color: first.state.new.color.clone(),
            ..Candidate::default()
        };
        gates.about(&candidate, place);
    }
    onwards(
        &mut ready,
        flags.until,
        &flags.switch,
        &flags.times,
        gates,
        story,
        place,
    )
    .await
}

/// The state of a Service whose new version waits.
fn waiting(lead: &Lead) -> Result<State, Error> {
    let name = text::line(&lead.name);
    let state = lead.state()?.ok_or_else(|| Error::Unfit {
        reason: format!("nothing waits to be promoted at Service `{name}`"),
        help: Some("run `k8s-blue-green deploy … --until preview` first".to_owned()),
    })?;
    match state.phase {
        Phase::Prepared if lead.selector() == state.old.selector => Ok(state),
        Phase::Canary if state.waits() => Ok(state),
        Phase::Done => Ok(state),
        Phase::Prepared => Err(Error::Foreign {
            what: format!("the selector of Service `{name}`"),
        }),
        phase => Err(Error::Unfit {
            reason: format!(
                "nothing waits to be promoted at Service `{name}`: {}",
                phase.words()
            ),
            help: Some("run `k8s-blue-green status` to see how it is".to_owned()),
        }),
    }
}
