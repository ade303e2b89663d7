//! What judges a new version: gates that wait before there is traffic, and gates that watch during the soak.

use std::time::Duration;

use gate::gates::Says;
use gha::Exit;

use super::shift::Ready;
use super::stopped::Stopped;
use crate::cli::Deploy;
use crate::gates::{Candidate, Gates};
use crate::place::Place;
use crate::story::Story;

/// Judges before there is traffic.
///
/// # Errors
/// When it says no, or can't say.
pub(super) async fn before(
    ready: &[Ready],
    flags: &Deploy,
    gates: &Gates,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    let Some(first) = ready.first() else { return Ok(()) };
    if gates.is_empty() {
        return Ok(());
    }
    let candidate = Candidate {
        service: first.lead.name.clone(),
        image: first.image.clone(),
        color: first.state.new.color.clone(),
    };
    gates.about(&candidate, place);
    let says = if flags.switch.soak.is_zero() {
        gates.whole(place).await
    } else {
        gates.ready(place).await
    };
    passed(says)?;
    story.note("the gates let the new version pass, before it has traffic", place);
    Ok(())
}

/// Watches while the new version has the traffic.
///
/// # Errors
/// When a gate says no, or can't say.
pub(super) async fn during(
    ready: &[Ready],
    time: Duration,
    gates: &Gates,
    place: &Place<'_>,
) -> Result<(), Stopped> {
    if ready.is_empty() || gates.is_empty() {
        return Ok(());
    }
    passed(gates.watch(time, place).await)
}

fn passed(says: Says) -> Result<(), Stopped> {
    match says {
        Says::Pass => Ok(()),
        Says::Fail(why) => Err(Stopped::failed(format!("the gate said no: {why}"))),
        Says::Inconclusive(why) => Err(Stopped::Failed {
            exit: Exit::Inconclusive,
            reason: format!("the gate could not say: {why}"),
        }),
        Says::Running => Err(Stopped::Failed {
            exit: Exit::Inconclusive,
            reason: "the gate did not end".to_owned(),
        }),
    }
}
