//! The end of a deploy that went well: the state says so, the autoscaler is as it was, and the old version is kept for a while.

use std::time::Duration;

use gha::{duration, text};
use jiff::Timestamp;
use tokio::time::sleep;

use super::shift::Ready;
use crate::back::{PROPAGATION, drop_preview};
use crate::cli::{Retire, Switch};
use crate::error::Error;
use crate::place::Place;
use crate::retire::retire;
use crate::scaler;
use crate::state::{Phase, State};
use crate::story::Story;

/// How long a run waits itself until the old version is retired; for longer it leaves a date.
const WAITS: Duration = Duration::from_secs(60);

/// How long a write is tried.
const PATIENCE: Duration = Duration::from_secs(30);

/// Says on each Service that it is done.
///
/// # Errors
/// When that could not be written, or somebody else changed it meanwhile.
pub(super) async fn done(
    ready: &mut [Ready],
    flags: &Switch,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Error> {
    for one in ready.iter_mut() {
        // First what the state no longer speaks of when it says that the deploy is done.
        if let Some(known) = &one.state.scaler {
            let sides = (&*one.state.old.deployment, &*one.state.new.deployment);
            if let Err(refused) = scaler::point(known, sides, known.min, place).await {
                place.runner.warn(&format!(
                    "autoscaler `{}` still has the least number of pods of the switch: {refused}",
                    known.name
                ));
            }
        }
        drop_preview(&one.lead.name, place).await;
        let now = place.runner.now();
        let state = State {
            retire_after: Some(after(now, flags.drain)),
            retire_by_deleting: flags.retire == Retire::Delete,
            ..one.state.at_phase(Phase::Done, now)
        };
        let selector = state.new.selector.clone();
        one.lead.turn(&selector, Some(&state), PATIENCE, place).await?;
        one.state = state;
    }
    let kept: Vec<String> = ready
        .iter()
        .map(|one| format!("`{}`", text::line(&one.state.old.deployment)))
        .collect();
    story.note(
        format!(
            "{} is kept for {}",
            kept.join(", "),
            duration::display(flags.drain)
        ),
        place,
    );
    Ok(())
}

/// Retires the old version where its time is so short that the run waits for it.
pub(super) async fn drained(ready: &mut [Ready], flags: &Switch, story: &mut Story, place: &Place<'_>) {
    if flags.drain > WAITS {
        return;
    }
    place.runner.heartbeat(format!(
        "the old version is kept for {}, and retired then",
        duration::display(flags.drain)
    ));
    sleep(flags.drain.max(PROPAGATION)).await;
    for one in ready.iter_mut() {
        match retire(&mut one.lead, place).await {
            Ok(Some(line)) => story.note(line, place),
            Ok(None) => {}
            Err(error) => place
                .runner
                .warn(&format!("the old version is not retired: {error}")),
        }
    }
}

fn after(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_add(time).unwrap_or(now)
}
