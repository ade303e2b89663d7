//! What a shift came to, as a result.

use gha::edge::cancel::Cancelled;
use gha::outcome::Outcome;
use gha::{Exit, Failure, accounts, text};

use crate::observed::revision_name;
use crate::report;
use crate::shift::{Cause, Decision, Refusal, Why};
use crate::story::{Became, written};

use super::drive::Drive;

/// What the run was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Bring a new version.
    Deploy,
    /// Bring the earlier one back.
    Undo,
    /// Tidy up after another run.
    Finish,
}

/// The result of a shift that ended.
pub(crate) fn ended(
    drive: &Drive<'_>,
    decision: Decision,
    purpose: Purpose,
    cancelled: Option<Cancelled>,
) -> Result<Outcome, Failure> {
    let new = &drive.sides.new.place.service;
    let name = drive.story.revision.as_deref().map(revision_name).map(text::line);
    let name = name.unwrap_or_default();
    let flags = drive.sides.flags();
    let serves = format!("weights are {}", drive.state.weights());
    match decision {
        Decision::Done { left } => {
            warn(&left, drive);
            let headline = match purpose {
                Purpose::Undo => format!("`{new}` serves `{name}` again, with all traffic"),
                Purpose::Deploy | Purpose::Finish => format!("`{new}` serves `{name}` with all traffic"),
            };
            let became = if purpose == Purpose::Undo {
                Became::RolledBack
            } else {
                Became::Deployed
            };
            good(drive, became, headline, purpose != Purpose::Undo)
        }
        Decision::Paused { weights } => {
            let share = weights.share();
            let headline =
                format!("`{new}` serves `{name}` with {share}% of the traffic, and waits for `promote`");
            drive
                .sides
                .place
                .runner
                .info(&format!("go on with: ecs-deploy promote {flags}{}", drive.again));
            good(drive, Became::Deployed, headline, true)
        }
        Decision::RolledBack { cause, left } => {
            warn(&left, drive);
            rolled_back(drive, &cause, purpose, cancelled)
        }
        Decision::Refuse { why, reason } => {
            let exit = match why {
                Refusal::Plan | Refusal::NothingRuns => Exit::Usage,
                Refusal::Unclaimed => Exit::Access,
                _ => Exit::Locked,
            };
            let help = match why {
                Refusal::MixedWeights | Refusal::Locked => {
                    format!(
                        "see who deploys; then run `ecs-deploy recover {flags}`, or `ecs-deploy rollback {flags}`"
                    )
                }
                _ => format!("run `ecs-deploy status {flags}`"),
            };
            Err(bad(drive, exit, Became::Failed, reason).help(help))
        }
        Decision::ForeignChange { reason } => {
            let headline = format!("{reason}; nothing was written over it");
            let help = format!(
                "see what serves with `ecs-deploy status {flags}`; to bring the earlier version back all the same, run \
                 `ecs-deploy rollback {flags}`"
            );
            Err(bad(drive, Exit::Locked, Became::Superseded, headline).help(help))
        }
        Decision::NeedsHuman { reason } => Err(bad(drive, Exit::NeedsHuman, Became::Failed, reason).help(
            format!("run `ecs-deploy rollback {flags}` or `ecs-deploy recover {flags}`"),
        )),
        Decision::Unreadable { reason } => {
            let exit = if drive.held.touched {
                Exit::NeedsHuman
            } else {
                Exit::Access
            };
            let headline = format!("{reason}; {serves}");
            Err(bad(drive, exit, Became::Failed, headline).help(format!("run `ecs-deploy recover {flags}`")))
        }
        _ => Err(bad(
            drive,
            Exit::Bug,
            Became::Failed,
            "the shift did not end".to_owned(),
        )),
    }
}

/// A run that a signal ended, and that did not come to an end of its own in time.
pub(crate) fn left(drive: &Drive<'_>, cancelled: Cancelled, asked: bool) -> Failure {
    let weights = drive.state.weights();
    let flags = drive.sides.flags();
    let why = if asked { ", as was asked" } else { "" };
    let headline = if drive.state.is_split() || weights.new > 0 {
        format!("{cancelled}; traffic stays as it is{why}: weights are {weights}")
    } else {
        let old = &drive.sides.old.place.service;
        format!("{cancelled}; `{old}` serves with all traffic, and what was held is not given back")
    };
    let help = if drive.is_unbegun() {
        format!(
            "run `ecs-deploy promote {flags}{}`, or `ecs-deploy rollback {flags}`",
            drive.again
        )
    } else {
        format!("run `ecs-deploy recover {flags}`")
    };
    bad(drive, cancelled.0.exit(), Became::Failed, headline).help(help)
}

fn rolled_back(
    drive: &Drive<'_>,
    cause: &Cause,
    purpose: Purpose,
    cancelled: Option<Cancelled>,
) -> Result<Outcome, Failure> {
    let old = &drive.sides.old.place.service;
    let headline = format!("`{old}` serves with all traffic: {}", cause.reason);
    if purpose != Purpose::Deploy && cause.why == Why::Asked {
        return good(drive, Became::RolledBack, headline, false);
    }
    let exit = match (cancelled, cause.why) {
        (Some(cancelled), _) => cancelled.0.exit(),
        (None, Why::Inconclusive) => Exit::Inconclusive,
        (None, Why::Deployment | Why::Undone) => Exit::Locked,
        _ => Exit::Failed,
    };
    let became = match cause.why {
        Why::Undone => Became::Superseded,
        _ => Became::RolledBack,
    };
    Err(bad(drive, exit, became, headline))
}

fn warn(left: &[String], drive: &Drive<'_>) {
    for left in left {
        let flags = drive.sides.flags();
        let runner = drive.sides.place.runner;
        runner.warn(&format!("{left}; `ecs-deploy recover {flags}` tries again"));
    }
}

fn good(drive: &Drive<'_>, became: Became, headline: String, undo: bool) -> Result<Outcome, Failure> {
    drive.sides.place.runner.info(&headline);
    let mut outcome = known(drive, became, headline);
    outcome.undo = undo.then(|| format!("ecs-deploy rollback {}", drive.sides.flags()));
    Ok(outcome)
}

fn bad(drive: &Drive<'_>, exit: Exit, became: Became, headline: String) -> Failure {
    let headline = accounts::without(&headline);
    let mut outcome = known(drive, became, headline.clone());
    let traffic = drive.state.is_split() || drive.state.weights().new > 0;
    outcome.undo =
        (traffic && exit != Exit::Locked).then(|| format!("ecs-deploy rollback {}", drive.sides.flags()));
    Failure::new(exit, headline).knowing(outcome)
}

fn known(drive: &Drive<'_>, became: Became, headline: String) -> Outcome {
    let weights = drive.state.weights();
    let mut outcome = drive.story.outcome(became, headline, &drive.sides.place);
    outcome = outcome
        .fact("live-weight", weights.share())
        .fact("live-service", live(drive));
    outcome
}

/// The side with the greater share.
fn live(drive: &Drive<'_>) -> String {
    let weights = drive.state.weights();
    let side = if weights.new > weights.old {
        &drive.sides.new
    } else {
        &drive.sides.old
    };
    side.place.service.clone()
}

/// Writes the outputs and the summary of an end.
pub(crate) fn publish(ended: &Result<Outcome, Failure>, drive: &Drive<'_>) {
    let place = &drive.sides.place;
    match ended {
        Ok(outcome) => written(outcome, place.runner),
        Err(failure) => written(&failure.outcome, place.runner),
    }
    report::summary(
        ended,
        &drive.story,
        drive.new.followed.as_ref().map(Into::into),
        place,
    );
}
