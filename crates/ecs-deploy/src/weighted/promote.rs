//! The command `promote`: goes on with a deploy that stopped at a weight, in another process, with the version that is there.

use gha::outcome::Outcome;
use gha::steps::{Step, Weight};
use gha::{Exit, Failure, Runner, text};

use crate::api::services::Update;
use crate::cli::Promote;
use crate::deploy;
use crate::error::Error;
use crate::gates::Gates;
use crate::observed::revision_name;
use crate::place::Place;
use crate::prepare;
use crate::shift::{Plan, Rung, State};
use crate::state::{self, Stage};

use super::asked::judged;
use super::drive::Drive;
use super::ends::Purpose;
use super::held::{self, Held, number_of};
use super::new_side::Version;
use super::sides::{Sides, pair, weights};
use super::{asked, follow, told};

/// Runs the command.
///
/// # Errors
/// When there is nothing to promote, it failed, or it was cancelled.
pub async fn run(flags: &Promote, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.place, runner).await?;
    Box::pin(at(flags, &place)).await
}

/// The same for services that are reached already.
///
/// # Errors
/// When there is nothing to promote, it failed, or it was cancelled.
pub async fn at(flags: &Promote, place: &Place<'_>) -> Result<Outcome, Failure> {
    if flags.traffic.traffic_rule.is_none() {
        let (flag, reason) = (
            "traffic-rule",
            "`promote` needs the rule whose traffic is split".to_owned(),
        );
        return Err(Error::Flag { flag, reason }.into());
    }
    let cancel = place.runner.cancel();
    let sides = cancel.guard(Box::pin(Sides::of(&flags.traffic, place))).await??;
    let held = paused(&sides)?;
    still_there(held, &sides)?;
    let (plan, until) = plan(flags, held)?;
    let gates = Gates::of(&flags.gates, &sides.new.place)?;
    let plan = judged(Plan { until, ..plan }, &gates, &sides.new.place)?;
    if plan.gate_during && !plan.lasts() {
        place
            .runner
            .warn("no step that is left lasts, so that a gate has no time to watch");
    }
    cancel
        .guard(Box::pin(gates.preflight(&sides.new.place)))
        .await??;
    place.warn_of_expiry(plan.limits.timeout.saturating_add(plan.keep));
    let now = place.runner.elapsed();
    let state = State::promote(plan.clone(), 0, held.idle.unwrap_or_default(), now);
    let limits = deploy::limits(&flags.times, &sides.new.described.service);
    let tag = Held::to_be_taken(&sides);
    let mut drive = Drive::new(&sides, plan, tag, &gates, limits)
        .on_failure(flags.ends.on_failure)
        .going_on(&flags.shift, &flags.gates);
    drive.state = state;
    drive.story = told(&sides);
    drive.new.version = Some(cancel.guard(there(&sides)).await??);
    Box::pin(follow(&mut drive, flags.ends.on_cancel, Purpose::Deploy)).await
}

/// The deploy that waits to be promoted.
fn paused<'s>(sides: &'s Sides<'_>) -> Result<&'s state::State, Failure> {
    let flags = sides.flags();
    let Some(held) = sides.under_way() else {
        let reason = "no deploy waits to be promoted: neither service has the tag of one";
        return Err(Failure::new(Exit::Usage, reason).help("run `ecs-deploy deploy` with `--until`"));
    };
    if held.stage != Some(Stage::Paused) {
        let since = gha::duration::display(held::age(held, sides.place.runner));
        let reason = format!(
            "run `{}` did not stop to be promoted: it is under way or was interrupted, and wrote its state {since} ago",
            held.run
        );
        return Err(Failure::new(Exit::Locked, reason).help(format!("run `ecs-deploy recover {flags}`")));
    }
    if held.wrote != pair(sides.weights) {
        let reason = format!(
            "the rule has weights {}, where run `{}` left {}",
            sides.weights,
            held.run,
            weights(held.wrote)
        );
        return Err(Failure::new(Exit::Locked, reason).help(format!("run `ecs-deploy rollback {flags}`")));
    }
    Ok(held)
}

/// Whether the new side still is as the run left it that stopped: what was judged is what gets the traffic.
fn still_there(held: &state::State, sides: &Sides<'_>) -> Result<(), Failure> {
    let service = &sides.new.described.service;
    let there = service.task_definition.as_deref().unwrap_or_default();
    let name = text::line(&service.name);
    if held.revision.is_none() || held.revision == number_of(there) {
        return Ok(());
    }
    let there = text::line(revision_name(there));
    let left = held.revision.unwrap_or_default();
    let reason = format!(
        "`{name}` has `{there}`, where run `{}` brought revision {left}",
        held.run
    );
    let help = format!("run `ecs-deploy rollback {}`, and deploy anew", sides.flags());
    Err(Failure::new(Exit::Locked, format!("{reason}; nothing was changed")).help(help))
}

/// The steps that are left, behind the one that was reached.
fn plan(flags: &Promote, held: &state::State) -> Result<(Plan, Option<usize>), Failure> {
    let steps = asked(&flags.shift)?;
    let all = steps.as_slice();
    let rest: &[Step] = match all.iter().position(|step| held.wrote.is(step.weight)) {
        Some(at) => all.get(at + 1..).unwrap_or_default(),
        None if flags.shift.steps.is_none() => all,
        None => {
            let share = weights(held.wrote).share();
            let reason = format!(
                "no step has the weight `{share}%`, at which the deploy stopped; the steps are `{steps}`"
            );
            return Err(Error::Flag {
                flag: "steps",
                reason,
            }
            .into());
        }
    };
    let until = match &flags.shift.until {
        None => None,
        Some(until) => {
            let wrong = |reason: String| Error::Flag {
                flag: "until",
                reason,
            };
            let weight: Weight = until
                .parse()
                .map_err(|error: gha::steps::StepsError| wrong(error.to_string()))?;
            let at = rest.iter().position(|step| step.weight == weight);
            Some(at.ok_or_else(|| wrong(format!("no step that is left has the weight `{weight}`")))? + 1)
        }
    };
    let mut plan = super::plan(rest, weights(held.before), &flags.shift, &flags.times)?;
    let reached = Rung {
        weights: weights(held.wrote),
        hold: std::time::Duration::ZERO,
    };
    plan.rungs.insert(0, reached);
    Ok((plan, until))
}

/// The version that the new side has.
pub(super) async fn there(sides: &Sides<'_>) -> Result<Version, Failure> {
    let arn = sides
        .new
        .described
        .service
        .task_definition
        .clone()
        .unwrap_or_default();
    Ok(Version {
        definition: prepare::described(&sides.place.api, &arn).await?,
        arn,
        update: Update::default(),
        is_there: true,
    })
}
