//! The command `plan`: what a deploy would do, with every object shown to the server, which stores none of it, and with the
//! permissions that it needs. No lock is taken. It ends as the deploy would that is refused.

use gha::Failure;
use gha::outcome::Outcome;

use crate::blue_green::plan as blue_green;
use crate::cli::{Deploy, Strategy};
use crate::permissions;
use crate::place::Place;
use crate::rolling;

mod drawn;
mod migration;
mod show;

pub use drawn::{Drawn, Refusal, Step};

/// Runs the command.
///
/// # Errors
/// When the deploy would be refused.
pub async fn at(flags: &Deploy, place: &Place<'_>) -> Result<Outcome, Failure> {
    let drawing = Box::pin(all(flags, place));
    let ended = place.runner.cancel().guard(drawing).await;
    ended.unwrap_or_else(|cancelled| Err(cancelled.into()))
}

async fn all(flags: &Deploy, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut drawn = Drawn::default();
    let ended = match flags.strategy {
        Strategy::Rolling => rolling::plan::draw(flags, &mut drawn, place).await,
        Strategy::BlueGreen | Strategy::Canary => Box::pin(blue_green::draw(flags, &mut drawn, place)).await,
    };
    let missing = match permissions::missing(flags, &drawn.uses, place).await {
        Ok(missing) => missing,
        Err(refused) => {
            drawn.warn(format!("the permissions could not be asked about: {refused}"));
            Vec::new()
        }
    };
    if let Err(failure) = ended {
        // Without a permission there is often nothing to draw: then that is why.
        if missing.is_empty() && drawn.is_blank() {
            return Err(failure);
        }
        drawn.refuse(Refusal::of(failure));
    }
    show::conclude(&drawn, &missing, flags, place)
}
