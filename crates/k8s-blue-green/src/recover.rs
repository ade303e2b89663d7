//! The command `recover`: what a run left that was cancelled, killed or lost is undone. It acts only on what this run's own job left,
//! or a run whose lock has run out; a deploy that waits to be promoted is nobody's to undo. Where nothing of such a deploy is left, the
//! workload behind the Service may have been rolled, which the Service does not say: its own note does.

use gha::outcome::Outcome;
use gha::{Failure, text};

use crate::back::{Came, How, tidy, traffic, without_canary};
use crate::cli;
use crate::error::Error;
use crate::held::Held;
use crate::lead::Lead;
use crate::leftovers;
use crate::place::Place;
use crate::report;
use crate::rollback::{know, own};
use crate::rolling;
use crate::run::Run;
use crate::state::{Phase, State};
use crate::story::{Became, Story, conclude};
use crate::workload::Workload;

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
        Ok(Ok(Found::Rolling(workload))) => {
            let mut flags = flags.clone();
            flags.target.workload = vec![workload.to_string()];
            return Box::pin(rolling::back::recover(&flags, place)).await;
        }
        Ok(Ok(Found::Ended(outcome))) => Ok(outcome),
        Ok(Err(failure)) => Err(failure),
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

/// What was found of Services.
enum Found {
    /// Nothing of a deploy beside them, but a rolling deploy to what is behind them that did not end.
    Rolling(Workload),
    /// The end.
    Ended(Outcome),
}

async fn all(flags: &cli::Recover, story: &mut Story, place: &Place<'_>) -> Result<Found, Failure> {
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
    let mut is_any_left = false;
    for lead in &leads {
        // What can't be read is told where nothing else is there to do.
        is_any_left |= match lead.state() {
            Ok(state) => is_left(&lead.name, state.as_ref(), place).await,
            Err(_) => false,
        };
    }
    if !is_any_left {
        for lead in &leads {
            lead.state()?;
        }
        if let Some(workload) = rolled(services, place).await {
            return Ok(Found::Rolling(workload));
        }
        know(&leads, story, place);
        let headline = format!("nothing of a deploy to {} is left to undo", words(services));
        place.runner.info(&headline);
        let outcome = story.outcome(Became::Unchanged, headline, place);
        return Ok(Found::Ended(outcome));
    }
    let how = How {
        revival: flags.times.timeout,
        ..own(None)
    };
    let is_back = |lead: &Lead| matches!(lead.state(), Ok(Some(state)) if state.phase == Phase::RolledBack);
    let were_back = leads.iter().all(is_back);
    let held = Held::take(place, services, flags.times.lock_timeout).await?;
    let undoing = async {
        let mut came = Vec::new();
        for lead in leads.iter_mut().rev() {
            came.push(one(lead, &how, story, place).await);
        }
        // The traffic of all of them goes first.
        for (lead, came) in leads.iter_mut().rev().zip(&came) {
            if let Ok(came) = came {
                tidy(lead, came, &how, story, place).await;
            }
        }
        know(&leads, story, place);
        came
    };
    let came = held.during(Box::pin(undoing)).await;
    held.give_back().await;
    told(came?, were_back, services, story, place).map(Found::Ended)
}

/// The workload behind a Service to which a rolling deploy did not end. Where that can't be seen, it is said what to run.
async fn rolled(services: &[String], place: &Place<'_>) -> Option<Workload> {
    for service in services {
        match rolling::find::unended_behind(service, place).await {
            Ok(Some(workload)) => return Some(workload),
            Ok(None) => {}
            Err(why) => place.runner.info(&format!(
                "whether a rolling deploy to what is behind Service `{}` ended is not to be seen ({why}); if it did not, run \
                 `k8s-blue-green recover --workload deployment/NAME{}`",
                text::line(service),
                place.again()
            )),
        }
    }
    None
}

/// Whether something is to be undone, or this run had no time to tidy up.
async fn is_left(service: &str, state: Option<&State>, place: &Place<'_>) -> bool {
    let Some(state) = state else { return false };
    if state.phase != Phase::RolledBack {
        // Routes that could not be left at the end still name the canary, with the weight 0.
        let is_led = state.phase == Phase::Done && state.canary.is_some();
        return state.is_under_way() || is_led;
    }
    let is_said = state.old.unnarrowed.is_some() || state.canary.is_some();
    is_said || (state.run == Run::of(place.runner).name && leftovers::are_there(service, state, place).await)
}

/// Moves the traffic of one Service back, where something of a deploy to it is left.
async fn one(lead: &mut Lead, how: &How, story: &mut Story, place: &Place<'_>) -> Result<Came, Error> {
    lead.look(place).await?;
    let state = lead.state()?;
    if !is_left(&lead.name, state.as_ref(), place).await {
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
    traffic(lead, how, story, place).await
}

fn told(
    came: Vec<Result<Came, Error>>,
    were_back: bool,
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
    let headline = if were_back {
        format!(
            "the deploy to {which} was taken back before, and what it left is tidied up; `{old}` has the traffic"
        )
    } else if moved {
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
