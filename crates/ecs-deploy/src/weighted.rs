//! Deploys to two services behind one rule of a load balancer: the new version comes to the side that does not serve, and the
//! weights of the rule move the traffic step by step. What is needed to undo is a tag on the side that served before.

use std::time::Duration;

use gha::edge::cancel::Cancelled;
use gha::outcome::Outcome;
use gha::steps::{Step, Steps, Weight, total};
use gha::{Exit, Failure, duration};
use tokio::time::timeout;

use crate::cli::{self, Deploy, Times, Undo};
use crate::deploy;
use crate::error::Error;
use crate::gates::Gates;
use crate::pair::Pair;
use crate::place::Place;
use crate::shift::{Cause, Limits, Plan, Rung, Weights, Why};
use crate::state::Stage;
use crate::story::{Became, Story};
use crate::undo::LEAVE;

use asked::judged;
use drive::Drive;
use ends::Purpose;
use held::Held;
use sides::Sides;
use version::Prepared;

mod act;
mod asked;
mod drive;
mod ends;
mod held;
mod look;
mod new_side;
mod pins;
pub(crate) mod plan;
pub mod promote;
pub mod recover;
pub mod rollback;
mod rule;
mod sides;
pub(crate) mod status;
mod undone;
pub(crate) mod verify;
mod version;

/// How often a write is tried that does not show.
const TRIES: u32 = 3;

/// Deploys to two services.
///
/// # Errors
/// When the flags are wrong, the deploy failed, or it was cancelled.
pub async fn at(flags: &Deploy, place: &Place<'_>) -> Result<Outcome, Failure> {
    version::can_be(&flags.settings, &flags.strategy, flags.replace)?;
    let runner = place.runner;
    let finding = Box::pin(Sides::of(&flags.traffic, place));
    let sides = runner.cancel().guard(finding).await??;
    let asked = asked(&flags.shift)?;
    unfinished(&sides)?;
    let plan = Plan {
        until: until(&asked, flags.shift.until.as_deref())?,
        ..plan(asked.as_slice(), sides.weights, &flags.shift, &flags.times)?
    };
    let gates = Gates::of(&flags.gates, &sides.new.place)?;
    let plan = gated(plan, &gates, &sides.new.place)?;
    let migrates = flags.migrate.as_ref().map(|_| flags.migrate_timeout);
    let longest = plan.limits.timeout.saturating_add(plan.keep);
    sides
        .place
        .warn_of_expiry(longest.saturating_add(migrates.unwrap_or_default()));
    let limits = deploy::limits(&flags.times, &sides.new.described.service);
    let held = Held::new(&sides);
    let mut drive = Drive::new(&sides, plan, held, &gates, limits)
        .on_failure(flags.ends.on_failure)
        .going_on(&flags.shift, &flags.gates);
    let preparing = async {
        gates.preflight(&sides.new.place).await?;
        version::prepare(flags, &mut drive).await
    };
    let prepared = match runner.cancel().guard(Box::pin(preparing)).await {
        Ok(prepared) => prepared?,
        Err(cancelled) => return Err(ends::left(&drive, cancelled, false)),
    };
    let ready = match prepared {
        Prepared::Ready(ready) => ready,
        Prepared::Unchanged(outcome) => return Ok(outcome),
        Prepared::Refused(decision) => {
            let ended = ends::ended(&drive, decision, Purpose::Deploy, None);
            ends::publish(&ended, &drive);
            return ended;
        }
    };
    if let Some(line) = &flags.migrate {
        let mut story = std::mem::take(&mut drive.story);
        let migrated = deploy::migrate(line, flags, &ready, &mut story, &sides.new.place).await;
        drive.story = story;
        migrated?;
    }
    drive.new.version = Some(version::of(*ready, &sides));
    Box::pin(follow(&mut drive, flags.ends.on_cancel, Purpose::Deploy)).await
}

/// Drives a shift to its end, and says what it came to.
async fn follow(drive: &mut Drive<'_>, on_cancel: Undo, purpose: Purpose) -> Result<Outcome, Failure> {
    let cancel = drive.sides.place.runner.cancel();
    let ran = cancel.guard(Box::pin(drive.run())).await;
    drive.story.gates = drive.asked.told();
    let ended = match ran {
        Ok(decision) => ends::ended(drive, decision, purpose, None),
        Err(cancelled) if on_cancel == Undo::Leave => Err(ends::left(drive, cancelled, true)),
        Err(cancelled) if drive.is_unbegun() => Err(ends::left(drive, cancelled, false)),
        Err(cancelled) => cancelled_run(drive, cancelled, purpose).await,
    };
    ends::publish(&ended, drive);
    ended
}

/// A signal came: the traffic goes back at once, and all else as far as the time reaches.
async fn cancelled_run(
    drive: &mut Drive<'_>,
    cancelled: Cancelled,
    purpose: Purpose,
) -> Result<Outcome, Failure> {
    drive.turn_back(Cause {
        why: Why::Cancelled,
        reason: cancelled.to_string(),
    });
    match timeout(LEAVE, Box::pin(drive.run())).await {
        Ok(decision) => match ends::ended(drive, decision, purpose, Some(cancelled)) {
            // A shift that was past the point of no return ended well; the run was cancelled all the same.
            Ok(outcome) => {
                let headline = format!("{cancelled}; {}", outcome.headline);
                Err(Failure::new(cancelled.0.exit(), headline).knowing(outcome))
            }
            failed => failed,
        },
        Err(_) => Err(ends::left(drive, cancelled, false)),
    }
}

/// A shift that another run began and that has not ended, or of which nobody left word, is not begun over.
fn unfinished(sides: &Sides<'_>) -> Result<(), Failure> {
    let weights = sides.weights;
    if weights.new == 0 {
        return Ok(());
    }
    let flags = sides.flags();
    let (reason, help) = match sides.under_way() {
        None => (
            format!("both sides get traffic already, and no run left word of it: weights are {weights}"),
            "set the weights of the rule by hand, all for one side".to_owned(),
        ),
        Some(held) if held.stage == Some(Stage::Paused) => (
            format!("run `{}` waits to be promoted: weights are {weights}", held.run),
            format!(
                "run `ecs-deploy promote {flags}` with the steps and gates of that deploy, or `ecs-deploy rollback \
                 {flags}`"
            ),
        ),
        Some(held) => (
            format!(
                "run `{}` holds the lock, and wrote its state {} ago: weights are {weights}",
                held.run,
                duration::display(held::age(held, sides.place.runner))
            ),
            format!("where it is not under way any more, run `ecs-deploy recover {flags}`"),
        ),
    };
    let outcome = told(sides)
        .outcome(Became::Failed, reason.clone(), &sides.place)
        .fact("live-weight", weights.share());
    Err(Failure::new(Exit::Locked, reason).help(help).knowing(outcome))
}

/// The steps that are asked for.
fn asked(flags: &cli::Shift) -> Result<Steps, Error> {
    let text = flags.steps.as_deref().unwrap_or("100%");
    text.parse().map_err(|error: gha::steps::StepsError| Error::Flag {
        flag: "steps",
        reason: error.to_string(),
    })
}

/// A plan with its gates, of which none has no time to watch.
fn gated(plan: Plan, gates: &Gates, place: &Place<'_>) -> Result<Plan, Failure> {
    let plan = judged(plan, gates, place)?;
    if plan.gate_during && !plan.lasts() {
        let reason = "no step lasts, so that a gate has no time to watch; give steps a time, such as `10% 5m, 100% 5m`";
        let reason = reason.to_owned();
        return Err(Error::Flag {
            flag: "steps",
            reason,
        }
        .into());
    }
    Ok(plan)
}

/// The place of the step to stop after.
fn until(steps: &Steps, until: Option<&str>) -> Result<Option<usize>, Error> {
    let wrong = |error: gha::steps::StepsError| Error::Flag {
        flag: "until",
        reason: error.to_string(),
    };
    let Some(until) = until else {
        return Ok(None);
    };
    let weight: Weight = until.parse().map_err(wrong)?;
    let done = steps.until(weight).map_err(wrong)?;
    Ok(done.len().checked_sub(1))
}

/// What the steps come to for the machine.
fn plan(steps: &[Step], before: Weights, flags: &cli::Shift, times: &Times) -> Result<Plan, Error> {
    Ok(Plan {
        rungs: steps.iter().map(rung).collect(),
        gate_before: false,
        gate_during: false,
        until: None,
        keep: flags.keep,
        retire: true,
        limits: limits(times, flags.warm_up, total(steps))?,
        before,
    })
}

fn rung(step: &Step) -> Rung {
    Rung {
        weights: sides::weights(Pair::of(step.weight)),
        hold: step.hold.unwrap_or_default(),
    }
}

/// The limits; `steps` is how long the steps last together.
fn limits(times: &Times, warm_up: Duration, steps: Duration) -> Result<Limits, Error> {
    let timeout = times
        .timeout
        .unwrap_or_else(|| steps.saturating_add(times.timeout()));
    if timeout < steps {
        return Err(Error::Flag {
            flag: "timeout",
            reason: format!(
                "{} is less than the steps last together, which is {}",
                duration::display(timeout),
                duration::display(steps)
            ),
        });
    }
    Ok(Limits {
        poll: times.poll,
        warm_up,
        timeout,
        api_grace: times.api_grace,
        lock_lasts: held::LASTS,
        tries: TRIES,
    })
}

/// A story that knows which version is where before anything is brought.
fn told(sides: &Sides<'_>) -> Story {
    Story {
        revision: sides.new.described.service.task_definition.clone(),
        previous: sides.old.described.service.task_definition.clone(),
        ..Story::default()
    }
}
