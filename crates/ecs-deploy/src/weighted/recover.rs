//! The command `recover` where two services share the traffic: finishes or undoes what a run left that was cancelled,
//! killed or lost.
//!
//! It acts on the state of its own workflow run, and on one whose run has not been heard of for a while. Another run's is
//! left alone.

use std::time::Duration;

use gha::outcome::Outcome;
use gha::{Exit, Failure};

use crate::cli::{Recover, Times, Undo};
use crate::deploy;
use crate::gates::Gates;
use crate::place::Place;
use crate::shift::{Cause, Decision, Plan, Rung, State, Weights, Why};
use crate::state::{self, Stage};
use crate::story::{Became, Story, written};

use super::drive::Drive;
use super::ends::{Purpose, ended};
use super::held::{self, Held};
use super::promote::there;
use super::sides::{Sides, weights};
use super::{follow, limits, told};

/// Recovers services that are reached already.
///
/// # Errors
/// When the state is another run's, or what is left can't be undone.
pub async fn at(flags: &Recover, place: &Place<'_>) -> Result<Outcome, Failure> {
    let cancel = place.runner.cancel();
    let sides = cancel.guard(Box::pin(Sides::of(&flags.traffic, place))).await??;
    let Some(held) = sides.left() else {
        if sides.is_split() {
            let reason = format!(
                "both sides get traffic ({}), and no run left word of it; nothing was changed",
                sides.weights
            );
            return Err(Failure::new(Exit::Locked, reason).help("set the weights of the rule by hand"));
        }
        let headline = format!(
            "`{}` serves with all traffic; nothing to do",
            sides.old.place.service
        );
        return Ok(nothing(headline, &told(&sides), &sides.place));
    };
    if held.stage == Some(Stage::Over) {
        return stickiness(held, &sides, &flags.times).await;
    }
    may_act(held, &sides)?;
    // Who has begun to scale the old side away has no way back any more.
    let is_retired = sides.old.described.service.desired == 0;
    let is_done = (held.stage == Some(Stage::Kept) || is_retired) && sides.weights.old == 0;
    if is_done {
        return Box::pin(finish(&sides, &flags.times)).await;
    }
    let cause = Cause {
        why: Why::Asked,
        reason: format!("run `{}` was interrupted", held.run),
    };
    Box::pin(undo(&sides, held, cause, &flags.times)).await
}

/// Whether a state may be acted on.
fn may_act(held: &state::State, sides: &Sides<'_>) -> Result<(), Failure> {
    let runner = sides.place.runner;
    let is_ours = held::is_of(held, runner) || held::is_expired(held, runner);
    if !is_ours {
        let since = gha::duration::display(held::age(held, runner));
        let what = if held.stage == Some(Stage::Paused) {
            "waits to be promoted".to_owned()
        } else {
            format!("wrote its state {since} ago")
        };
        let reason = format!(
            "run `{}` holds the lock, and {what}; nothing was changed",
            held.run
        );
        let help = format!(
            "to bring the earlier version back all the same, run `ecs-deploy rollback {}`",
            sides.flags()
        );
        return Err(Failure::new(Exit::Locked, reason).help(help));
    }
    // The tag is written before the weights, so the rule may still have those of a lower step.
    let share = sides.weights.percent();
    let can_be = sides.weights == weights(held.before)
        || sides.weights == weights(held.wrote)
        || share < weights(held.wrote).percent();
    if can_be {
        return Ok(());
    }
    let reason = format!(
        "the rule has weights {}, and run `{}` wrote {}; someone else changed it, and nothing was written over it",
        sides.weights,
        held.run,
        weights(held.wrote)
    );
    let help = format!(
        "see what serves with `ecs-deploy status {flags}`; to bring the earlier version back all the same, run \
         `ecs-deploy rollback {flags}`",
        flags = sides.flags()
    );
    Err(Failure::new(Exit::Locked, reason).help(help))
}

/// Moves the traffic back to where it was before a run, by one write of the rule, and tidies up.
pub(super) async fn undo(
    sides: &Sides<'_>,
    held: &state::State,
    cause: Cause,
    times: &Times,
) -> Result<Outcome, Failure> {
    let before = weights(held.before);
    let plan = settled(before, rung(before), times)?;
    let mut there = vec![sides.weights, weights(held.wrote)];
    there.dedup();
    if there == [before] {
        there.clear();
    }
    let now = sides.place.runner.elapsed();
    let state = State::undo(plan.clone(), &there, held.idle.unwrap_or_default(), cause, now);
    let gates = Gates::none(&sides.new.place);
    let mut drive = drive(sides, plan, &gates, times);
    drive.held = Held::taken(sides).undoes(held);
    drive.state = state;
    drive.story = told(sides);
    drive.new.takes = true;
    Box::pin(follow(&mut drive, Undo::Leave, Purpose::Undo)).await
}

/// All steps were done: what is left is to scale the old side down and to give back what was held.
async fn finish(sides: &Sides<'_>, times: &Times) -> Result<Outcome, Failure> {
    let gates = Gates::none(&sides.new.place);
    let mut drive = finishing(sides, &gates, times).await?;
    Box::pin(follow(&mut drive, Undo::Leave, Purpose::Finish)).await
}

/// The same for who goes on from there, and tells of that alone.
pub(super) async fn finished(sides: &Sides<'_>, times: &Times) -> Result<(), Failure> {
    let gates = Gates::none(&sides.new.place);
    let mut drive = finishing(sides, &gates, times).await?;
    let decision = sides.place.runner.cancel().guard(Box::pin(drive.run())).await?;
    match decision {
        Decision::Done { .. } => Ok(()),
        other => ended(&drive, other, Purpose::Finish, None).map(drop),
    }
}

async fn finishing<'a>(sides: &'a Sides<'a>, gates: &'a Gates, times: &Times) -> Result<Drive<'a>, Failure> {
    let held = sides.held.as_ref();
    let before = held.map_or(sides.weights, |held| weights(held.before));
    let plan = settled(before, rung(sides.weights), times)?;
    let idle = held.and_then(|held| held.idle).unwrap_or_default();
    let now = sides.place.runner.elapsed();
    let state = State::promote(plan.clone(), 0, idle, now);
    let mut drive = drive(sides, plan, gates, times);
    drive.state = state;
    drive.story = told(sides);
    drive.new.version = Some(there(sides).await?);
    Ok(drive)
}

/// A deploy is over, but for the stickiness that it turned off.
async fn stickiness(held: &state::State, sides: &Sides<'_>, times: &Times) -> Result<Outcome, Failure> {
    let story = told(sides);
    let seconds = Duration::from_secs(u64::from(held.sticky.unwrap_or_default()));
    let left = seconds.saturating_sub(held::age(held, sides.place.runner));
    if !left.is_zero() {
        let left = gha::duration::display(left);
        let headline = format!(
            "stickiness stays off for {left} more, until clients have forgotten the other side; nothing to do"
        );
        return Ok(nothing(headline, &story, &sides.place));
    }
    let plan = settled(sides.weights, rung(sides.weights), times)?;
    let gates = Gates::none(&sides.new.place);
    let mut drive = drive(sides, plan, &gates, times);
    drive.story = story.clone();
    let turned = drive.release().await;
    turned.map_err(|why| {
        Failure::new(
            Exit::NeedsHuman,
            format!("stickiness could not be turned on again: {why}"),
        )
    })?;
    let headline = "the stickiness of the rule is on again".to_owned();
    sides.place.runner.info(&headline);
    let outcome = story.outcome(Became::Unchanged, headline, &sides.place);
    written(&outcome, sides.place.runner);
    Ok(outcome)
}

/// A shift that goes on from what an earlier run left.
fn drive<'a>(sides: &'a Sides<'a>, plan: Plan, gates: &'a Gates, times: &Times) -> Drive<'a> {
    let limits = deploy::limits(times, &sides.new.described.service);
    Drive::new(sides, plan, Held::taken(sides), gates, limits)
}

/// A plan without steps to come: `reached` is where the traffic is, and nothing is kept.
fn settled(before: Weights, reached: Rung, times: &Times) -> Result<Plan, Failure> {
    Ok(Plan {
        before,
        rungs: vec![reached],
        gate_before: false,
        gate_during: false,
        until: None,
        keep: Duration::ZERO,
        retire: true,
        limits: limits(times, times.timeout(), Duration::ZERO)?,
    })
}

fn rung(weights: Weights) -> Rung {
    Rung {
        weights,
        hold: Duration::ZERO,
    }
}

fn nothing(headline: String, story: &Story, place: &Place<'_>) -> Outcome {
    place.runner.info(&headline);
    let outcome = story.outcome(Became::Unchanged, headline, place);
    written(&outcome, place.runner);
    outcome
}
