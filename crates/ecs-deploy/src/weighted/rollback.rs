//! `rollback` of two services behind one rule: one write of the rule where the earlier version still is at full size, also
//! from a fresh machine and from any step; else the earlier version is brought up first.

use std::time::Duration;

use gha::outcome::Outcome;
use gha::{Exit, Failure, text};

use crate::cli::{Rollback, Undo};
use crate::deploy;
use crate::gates::Gates;
use crate::observed::revision_name;
use crate::place::Place;
use crate::shift::{Cause, Plan, Rung, Weights, Why};

use super::drive::Drive;
use super::ends::Purpose;
use super::held::{self, Held};
use super::promote::there;
use super::recover::{finished, undo};
use super::sides::Sides;
use super::{follow, limits, told};

/// Goes back.
///
/// # Errors
/// When there is nothing to go back to, it failed, or it was cancelled.
pub async fn at(flags: &Rollback, place: &Place<'_>) -> Result<Outcome, Failure> {
    let cancel = place.runner.cancel();
    let mut sides = cancel.guard(Box::pin(Sides::of(&flags.traffic, place))).await??;
    if is_past_return(&sides) {
        Box::pin(finished(&sides, &flags.times)).await?;
        sides = cancel.guard(Box::pin(Sides::of(&flags.traffic, place))).await??;
    }
    if let Some(held) = sides.under_way() {
        if !held::is_of(held, place.runner) {
            let word = format!(
                "run `{}` holds the lock; what it did is undone, as was asked",
                held.run
            );
            place.runner.warn(&word);
        }
        let cause = Cause {
            why: Why::Asked,
            reason: "it was asked for".to_owned(),
        };
        return Box::pin(undo(&sides, held, cause, &flags.times)).await;
    }
    if sides.is_split() {
        let reason = format!(
            "both sides get traffic ({}), and no run left word of which served before",
            sides.weights
        );
        return Err(Failure::new(Exit::Locked, reason).help("set the weights of the rule by hand"));
    }
    came_before(&sides)?;
    let whole = Weights { old: 0, new: 100 };
    let plan = Plan {
        before: sides.weights,
        rungs: vec![Rung {
            weights: whole,
            hold: Duration::ZERO,
        }],
        gate_before: false,
        gate_during: false,
        until: None,
        keep: Duration::ZERO,
        retire: true,
        limits: limits(&flags.times, flags.times.timeout(), Duration::ZERO)?,
    };
    let gates = Gates::none(&sides.new.place);
    let mut drive = Drive::new(
        &sides,
        plan,
        Held::new(&sides),
        &gates,
        deploy::limits(&flags.times, &sides.new.described.service),
    );
    drive.held.returns = true;
    drive.story = told(&sides);
    drive.new.version = Some(cancel.guard(there(&sides)).await??);
    Box::pin(follow(&mut drive, Undo::Rollback, Purpose::Undo)).await
}

/// Whether a run has all but ended: the earlier version is scaled away already, and has to be brought up first.
fn is_past_return(sides: &Sides<'_>) -> bool {
    sides.under_way().is_some() && sides.weights.old == 0 && sides.old.described.service.desired == 0
}

/// Whether what the idle side has came before what serves: a version that was rolled back is newer, and nothing to go back
/// to.
fn came_before(sides: &Sides<'_>) -> Result<(), Failure> {
    let (live, idle) = (&sides.old.described.service, &sides.new.described.service);
    let began = |service: &crate::observed::Service| service.primary().and_then(|primary| primary.created_at);
    let (Some(live_began), Some(idle_began)) = (began(live), began(idle)) else {
        return Ok(());
    };
    let was_taken_back = sides.tried[0].as_deref() == idle.task_definition.as_deref().map(revision_name);
    if idle_began < live_began && live.task_definition != idle.task_definition && !was_taken_back {
        return Ok(());
    }
    let name = |service: &crate::observed::Service| {
        text::line(revision_name(
            service.task_definition.as_deref().unwrap_or_default(),
        ))
    };
    let reason = format!(
        "`{}` serves `{}`, and the `{}` of `{}` did not come before it; there is nothing to go back to",
        live.name,
        name(live),
        name(idle),
        idle.name
    );
    Err(Failure::new(Exit::Usage, reason).help("deploy the version that is wanted"))
}
