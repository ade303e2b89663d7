//! Whether a weighted deploy could begin: what is wrong with its flags, and the two services and the rule as they are.

use gha::Failure;

use crate::api::services::Described;
use crate::cli::{Deploy, Traffic};
use crate::error::Error;
use crate::gates::Gates;
use crate::place::Place;
use crate::shift::Weights;

use super::sides::Sides;
use super::version::can_be;
use super::{asked, gated, plan, unfinished, until};

/// The two services as a deploy finds them.
pub(crate) struct Seen {
    /// The one that serves.
    pub(crate) live: Described,
    /// Which one it is, and the weights, in words.
    pub(crate) says: String,
}

/// What is wrong with the steps.
///
/// # Errors
/// As a deploy with these flags fails before it asks anything.
pub(crate) fn flags(flags: &Deploy) -> Result<(), Error> {
    let asked = asked(&flags.shift)?;
    until(&asked, flags.shift.until.as_deref())?;
    plan(
        asked.as_slice(),
        Weights { old: 100, new: 0 },
        &flags.shift,
        &flags.times,
    )?;
    can_be(&flags.settings, &flags.strategy, flags.replace)
}

/// Whether gates can judge in the steps.
///
/// # Errors
/// As a deploy with these flags fails before it changes anything.
pub(crate) fn gates(flags: &Deploy, gates: &Gates, place: &Place<'_>) -> Result<(), Failure> {
    let before = Weights { old: 100, new: 0 };
    let plan = plan(
        asked(&flags.shift)?.as_slice(),
        before,
        &flags.shift,
        &flags.times,
    )?;
    gated(plan, gates, place).map(drop)
}

/// Looks at the rule and at both services.
///
/// # Errors
/// As a deploy fails that finds them so.
pub(crate) async fn look(flags: &Traffic, place: &Place<'_>) -> Result<Seen, Failure> {
    let sides = Box::pin(Sides::of(flags, place)).await?;
    unfinished(&sides)?;
    let (old, new) = (&sides.old.place.service, &sides.new.place.service);
    let says = format!(
        "`{old}` serves with weight {}, and `{new}` gets the new version",
        sides.weights.old
    );
    Ok(Seen {
        live: sides.old.described,
        says,
    })
}
