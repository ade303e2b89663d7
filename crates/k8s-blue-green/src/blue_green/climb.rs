//! The steps of a canary: from a new version that is judged without traffic to one that has all of what its routes divide. Each step
//! is said on the Service first, so that somebody who undoes the deploy meanwhile is noticed before there is more traffic.

use std::time::Duration;

use futures_util::future::try_join3;
use gha::steps::{Step, Weight};
use gha::{duration, text};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::entry::{enter, opened};
use super::shift::{self, Ready};
use super::stopped::Stopped;
use super::{PATIENCE, judge, soak};
use crate::canary::division::Division;
use crate::canary::{Plan, undo};
use crate::cli::Times;
use crate::confirm::confirm;
use crate::error::Error;
use crate::gates::Gates;
use crate::marks::marks;
use crate::object::{self, Labels};
use crate::place::Place;
use crate::run::Run;
use crate::scaler;
use crate::side::{self, Size};
use crate::state::{Phase, State};
use crate::story::Story;

/// How long a Service may take to lead to the canary's pods.
pub(super) const CONFIRM: Duration = Duration::from_secs(30);

/// From one look at the routes to the next.
const LOOK: Duration = Duration::from_secs(10);

/// Goes up the steps that are left of a canary, up to a weight where it is to wait. Says whether it waits.
pub(super) async fn climb(
    one: &mut Ready,
    until: Option<Weight>,
    gates: &Gates,
    times: &Times,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<bool, Stopped> {
    let Some(canary) = one.state.canary.clone() else {
        return Ok(false);
    };
    let plan = Plan::of(&canary)?;
    if let Some(weight) = until {
        let known = plan.steps.until(weight);
        known.map_err(|error| Error::Flag {
            flag: "until",
            reason: error.to_string(),
        })?;
    }
    if one.state.phase != Phase::Canary {
        say(one, None, false, place).await?;
    }
    let divisions = undo::divisions(&one.lead.name, &one.state, place).await?;
    if plan.weight.is_none() {
        enter(one, &plan, &divisions, story, place).await?;
    }
    pinned(one, story, place).await?;
    let mut before = plan.weight.unwrap_or(Weight::NONE);
    for step in plan.rest()? {
        if plan.by_pods() && step.weight == Weight::FULL {
            break;
        }
        raise(one, &plan, &divisions, (before, step.weight), times, story, place).await?;
        before = step.weight;
        hold(one, &divisions, *step, gates, times, place).await?;
        if until == Some(step.weight) {
            say(one, Some(step.weight), true, place).await?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Leads the routes to the main Service again, which has the new version by now, and takes away what the canary needed.
pub(super) async fn come_down(one: &mut Ready, story: &mut Story, place: &Place<'_>) -> Result<(), Stopped> {
    if one.state.canary.is_none() {
        return Ok(());
    }
    let divisions = undo::divisions(&one.lead.name, &one.state, place).await?;
    if !divisions.is_empty() {
        let run = Run::of(place.runner);
        opened(one, &divisions, &marks(&one.lead.name, &run), place).await?;
        // Proxies of nodes follow the Service before routes lead to it.
        sleep(crate::back::PROPAGATION).await;
        for division in &divisions {
            division.withdraw(PATIENCE, place).await?;
        }
        for division in &divisions {
            division.taken(place).await?;
        }
        story.note(
            format!(
                "{} {} to Service `{}` again",
                listed(&divisions),
                lead(&divisions),
                one.lead.name
            ),
            place,
        );
        sleep(crate::back::PROPAGATION).await;
    }
    if undo::leave(&one.lead.name, &one.state, place).await {
        let state = State {
            canary: None,
            at: place.runner.now(),
            ..one.state.clone()
        };
        let selector = one.lead.selector();
        one.lead.turn(&selector, Some(&state), PATIENCE, place).await?;
        one.state = state;
    }
    Ok(())
}

/// Keeps the autoscaler from taking pods of the old version away while its load falls: the way back leads all of the traffic to it.
async fn pinned(one: &Ready, story: &mut Story, place: &Place<'_>) -> Result<(), Stopped> {
    let Some(known) = &one.state.scaler else {
        return Ok(());
    };
    let old = &one.state.old;
    let sides = (&*one.state.new.deployment, &*old.deployment);
    let least = old.replicas.max(known.min.unwrap_or(0));
    let pointed = scaler::point(known, sides, Some(least), place).await;
    pointed.map_err(Error::refused(format!(
        "keep autoscaler `{}` from scaling the old version down",
        text::line(&known.name)
    )))?;
    story.note(
        format!(
            "autoscaler `{}` keeps `{}` at {least} pods or more while the canary lasts",
            text::line(&known.name),
            text::line(&old.deployment)
        ),
        place,
    );
    Ok(())
}

/// Says on the Service which weight the canary gets.
async fn say(one: &mut Ready, weight: Option<Weight>, waits: bool, place: &Place<'_>) -> Result<(), Error> {
    let mut state = one.state.at_phase(Phase::Canary, place.runner.now());
    if let Some(canary) = &mut state.canary {
        canary.weight = weight.map(|weight| weight.to_string());
        canary.waits = waits;
    }
    let by_pods = state
        .canary
        .as_ref()
        .is_some_and(|canary| canary.service.is_empty());
    let selector = if by_pods && weight.is_some() {
        object::common(&state.old.selector, &state.new.selector)
    } else {
        one.lead.selector()
    };
    one.lead.turn(&selector, Some(&state), PATIENCE, place).await?;
    one.state = state;
    Ok(())
}

/// Gives the canary its pods for a weight, and then the weight.
async fn raise(
    one: &mut Ready,
    plan: &Plan,
    divisions: &[Division],
    (before, weight): (Weight, Weight),
    times: &Times,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    let pods = sized(one, plan, weight, times, story, place).await?;
    say(one, Some(weight), false, place).await?;
    for division in divisions {
        division.raise(before, weight, PATIENCE, place).await?;
    }
    for division in divisions {
        division.taken(place).await?;
    }
    if plan.by_pods() {
        let least = one.state.old.replicas.min(1) + pods;
        confirm(&one.lead, &both(one), least, CONFIRM, place)
            .await
            .map_err(|why| Stopped::failed(why.to_string()))?;
    }
    let by = if plan.by_pods() {
        format!("about, by {pods} pods")
    } else {
        listed(divisions)
    };
    story.note(
        format!(
            "`{}` gets {weight} of the traffic ({by})",
            text::line(&one.state.new.deployment)
        ),
        place,
    );
    story.know("live-weight", format!("{}", weight.percent()), place);
    Ok(())
}

/// Gives the new version as many pods as a weight needs, and waits for them.
async fn sized(
    one: &mut Ready,
    plan: &Plan,
    weight: Weight,
    times: &Times,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<u64, Stopped> {
    if weight == Weight::FULL {
        shift::grown(one, times.timeout, story, place).await?;
        return Ok(one.state.new.replicas);
    }
    let (old, new) = (&one.state.old, &one.state.new);
    let read = |found: Option<Value>| found.as_ref().map(Size::of).unwrap_or_default();
    let old_has = read(side::read(&old.deployment, place).await?).wanted;
    let wanted = plan.pods(weight, old_has, new.replicas)?;
    let size = read(side::read(&new.deployment, place).await?);
    if size.wanted < wanted {
        let scaled = side::scale(&new.deployment, &new.uid, wanted, PATIENCE, place).await;
        scaled.map_err(Error::refused(format!(
            "scale Deployment `{}`",
            text::line(&new.deployment)
        )))?;
    }
    let seen = side::until_ready(&new.deployment, wanted, times.timeout, place).await;
    if seen.ready < wanted {
        return Err(Stopped::failed(format!(
            "{} of {wanted} pods of `{}` are ready, which {weight} of the traffic needs",
            seen.ready,
            text::line(&new.deployment)
        )));
    }
    Ok(wanted)
}

/// Watches the canary for as long as its step says.
async fn hold(
    one: &Ready,
    divisions: &[Division],
    step: Step,
    gates: &Gates,
    times: &Times,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    let Some(time) = step.hold.filter(|time| !time.is_zero()) else {
        return Ok(());
    };
    let all = std::slice::from_ref(one);
    try_join3(
        soak::watch(all, time, times.api_grace, place),
        judge::during(all, time, gates, place),
        unchanged(divisions, step.weight, time, place),
    )
    .await?;
    Ok(())
}

/// Looks whether routes keep a weight for so long.
async fn unchanged(
    divisions: &[Division],
    weight: Weight,
    time: Duration,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    let began = Instant::now();
    loop {
        for division in divisions {
            match division.read(place).await {
                Ok(read) if read.is_at(weight) => {}
                Ok(read) => {
                    return Err(Error::Foreign {
                        what: format!(
                            "`{}` (it gives the canary {:.1} % now, and not {weight})",
                            division.route,
                            read.percent()
                        ),
                    }
                    .into());
                }
                // An API server that is out of reach for a while is the watch's beside this one to judge.
                Err(Error::Refused { refused, .. }) if refused.may_pass() => {}
                Err(error) => return Err(error.into()),
            }
        }
        let left = time.saturating_sub(began.elapsed());
        if left.is_zero() {
            return Ok(());
        }
        place.runner.heartbeat(format!(
            "the canary is watched at {weight}; {} left",
            duration::display(left)
        ));
        sleep(left.min(LOOK)).await;
    }
}

pub(super) fn both(one: &Ready) -> Labels {
    object::common(&one.state.old.selector, &one.state.new.selector)
}

pub(super) fn listed(divisions: &[Division]) -> String {
    let each: Vec<String> = divisions
        .iter()
        .map(|division| format!("`{}`", text::line(&division.route.to_string())))
        .collect();
    each.join(" and ")
}

pub(super) fn lead(divisions: &[Division]) -> &'static str {
    match divisions {
        [_] => "leads",
        _ => "lead",
    }
}
