//! The command `recover`: what a run left that was cancelled, killed or lost is undone. It acts only on what this run's own job left,
//! or a run whose lock has run out; a deploy that waits to be promoted is nobody's to undo.

use gha::outcome::Outcome;
use gha::{Failure, text};

use crate::back::{Came, tidy, traffic, without_canary};
use crate::cli;
use crate::error::Error;
use crate::held::Held;
use crate::lead::Lead;
use crate::place::Place;
use crate::report;
use crate::rollback::{know, own};
use crate::run::Run;
use crate::state::{Phase, State};
use crate::story::{Became, Story, conclude};

/// Runs the command.
///
/// # Errors
/// When another run is under way, or it could not be undone.
pub async fn at(flags: &cli::Recover, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut story = Story::of(&flags.target.service);
    let ended = match place
        .runner
        .cancel()
        .guard(Box::pin(all(flags, &mut story, place)))
        .await
    {
        Ok(ended) => ended,
        Err(cancelled) => {
            let headline = format!("{cancelled}; `k8s-blue-green status` shows what serves");
            Err(story.failure(cancelled.0.exit(), Became::Failed, headline, place))
        }
    };
    let ended = ended.map_err(|failure| story.complete(failure, place));
    conclude(&ended, place);
    report::summary(&ended, &story, place);
    ended
}

async fn all(flags: &cli::Recover, story: &mut Story, place: &Place<'_>) -> Result<Outcome, Failure> {
    let services = &flags.target.service;
    if services.is_empty() {
        return Err(Error::Flag {
            flag: "service",
            reason: "name the Service that the run deployed to".to_owned(),
        }
        .into());
    }
    let mut leads = Vec::new();
    for name in services {
        leads.push(Lead::read(name, place).await?);
    }
    let run = Run::of(place.runner).name;
    if !leads
        .iter()
        .any(|lead| lead.state().is_ok_and(|state| is_left(state.as_ref(), &run)))
    {
        // What can't be read is told, and nothing else is there to do.
        for lead in &leads {
            lead.state()?;
        }
        know(&leads, story, place);
        let headline = format!("nothing of a deploy to {} is left to undo", words(services));
        place.runner.info(&headline);
        return Ok(story.outcome(Became::Unchanged, headline, place));
    }
    let held = Held::take(place, services, flags.times.lock_timeout).await?;
    let undoing = async {
        let mut came = Vec::new();
        for lead in leads.iter_mut().rev() {
            came.push(one(lead, story, place).await);
        }
        // The traffic of all of them goes first.
        for (lead, came) in leads.iter_mut().rev().zip(&came) {
            if let Ok(came) = came {
                tidy(lead, came, &own(None), story, place).await;
            }
        }
        know(&leads, story, place);
        came
    };
    let came = held.during(Box::pin(undoing)).await;
    held.give_back().await;
    told(came?, services, story, place)
}

/// Whether a state says that something is to be undone, or that this run had no time to tidy up.
fn is_left(state: Option<&State>, run: &str) -> bool {
    state.is_some_and(|state| {
        let is_untidy = state.phase == Phase::RolledBack
            && (state.old.unnarrowed.is_some() || state.canary.is_some() || state.run == run);
        // Routes that could not be left at the end still name the canary, with the weight 0.
        let is_led = state.phase == Phase::Done && state.canary.is_some();
        state.is_under_way() || is_untidy || is_led
    })
}

/// Moves the traffic of one Service back, where something of a deploy to it is left.
async fn one(lead: &mut Lead, story: &mut Story, place: &Place<'_>) -> Result<Came, Error> {
    lead.look(place).await?;
    let state = lead.state()?;
    if !is_left(state.as_ref(), &Run::of(place.runner).name) {
        return Ok(Came::Nothing(state));
    }
    let Some(state) = state else {
        return Ok(Came::Nothing(None));
    };
    if state.waits() && state.run != Run::of(place.runner).name {
        return Err(Error::Locked {
            service: lead.name.clone(),
            by: format!(
                "run `{}`, whose new version `{}` waits to be promoted,",
                text::line(&state.run),
                text::line(&state.new.deployment)
            ),
        });
    }
    if state.phase == Phase::RolledBack {
        return Ok(Came::Undone(state));
    }
    if state.phase == Phase::Done {
        without_canary(lead, &state, place).await;
        return Ok(Came::Nothing(lead.state()?));
    }
    traffic(lead, &own(None), story, place).await
}

fn told(
    came: Vec<Result<Came, Error>>,
    services: &[String],
    story: &Story,
    place: &Place<'_>,
) -> Result<Outcome, Failure> {
    let mut moved = false;
    let (mut old, mut led) = (None, false);
    for came in came {
        match came? {
            Came::Back(state) => {
                moved = true;
                old = Some(state.old.deployment);
            }
            Came::Undone(state) => old = Some(state.old.deployment),
            Came::Nothing(state) => led |= state.is_some_and(|state| state.canary.is_some()),
        }
    }
    if old.is_none() {
        let headline = match led {
            true => format!(
                "the new version of {} has the traffic, and its routes still name the canary",
                words(services)
            ),
            false => format!(
                "the new version of {} has the traffic; what its canary left is taken away",
                words(services)
            ),
        };
        place.runner.info(&headline);
        return Ok(story.outcome(Became::Unchanged, headline, place));
    }
    let old = text::line(&old.unwrap_or_default());
    let which = words(services);
    let headline = if moved {
        format!("the deploy to {which} was not finished; `{old}` has the traffic again")
    } else {
        format!("the deploy to {which} was not finished and is undone; `{old}` had the traffic all the time")
    };
    place.runner.info(&headline);
    Ok(story.outcome(Became::RolledBack, headline, place))
}

fn words(services: &[String]) -> String {
    let each: Vec<String> = services
        .iter()
        .map(|name| format!("Service `{}`", text::line(name)))
        .collect();
    each.join(" and ")
}
