//! The version that the new side is to get: what the flags make of the version that serves, registered if it is new.

use gha::outcome::Outcome;
use gha::{Failure, text};

use crate::api::services::Update;
use crate::cli::{Deploy, Settings, Strategy};
use crate::deploy::{Ready, settings};
use crate::error::Error;
use crate::observed::revision_name;
use crate::prepare;
use crate::shift::Decision;
use crate::story::written;
use crate::task_definition::keys;

use super::drive::Drive;
use super::held;
use super::new_side::Version;
use super::sides::Sides;

/// Whether the flags have nothing that two services can't have.
///
/// # Errors
/// The flag that they can't have.
pub(super) fn can_be(settings: &Settings, strategy: &Strategy, replace: bool) -> Result<(), Error> {
    let wrong = |flag, reason: &str| {
        Err(Error::Flag {
            flag,
            reason: reason.to_owned(),
        })
    };
    if settings.desired_count.is_some() {
        let reason = "the new side gets as many tasks as run on the side that serves";
        return wrong("desired-count", reason);
    }
    if replace {
        return wrong(
            "replace",
            "a run that moves traffic between two services is not deployed over",
        );
    }
    if *strategy != Strategy::default() {
        let reason = "with `--traffic-rule` both services deploy by rolling, and `--steps` moves the traffic";
        return wrong("strategy", reason);
    }
    Ok(())
}

/// What preparing came to.
pub(super) enum Prepared {
    Ready(Box<Ready>),
    /// The version serves already.
    Unchanged(Outcome),
    /// Nothing may be begun.
    Refused(Decision),
}

pub(super) async fn prepare(flags: &Deploy, drive: &mut Drive<'_>) -> Result<Prepared, Failure> {
    let sides = drive.sides;
    let place = &sides.place;
    let update = settings(&flags.settings)?;
    let live = &sides.old.described.service;
    let wanted = prepare::wanted(&place.api, &flags.version, live).await?;
    if let Some(line) = &flags.migrate {
        let flag = "migrate";
        let command = wanted.definition.command_of(line);
        command.map_err(|error| Error::Edit { flag, error })?;
    }
    wanted.notes.iter().for_each(|note| place.runner.info(note));
    for warning in keys::warnings(&wanted.definition) {
        place.runner.warn(&warning);
    }
    drive.story.previous.clone_from(&live.task_definition);
    drive.story.has_images(&wanted.definition);
    if let Some(refused) = drive.check().await {
        return Ok(Prepared::Refused(refused));
    }
    if wanted.is_current() && update == Update::default() {
        let who = format!("`{}` serves", live.name);
        let outcome = drive.story.nothing_to_do(&who, wanted.known, place);
        written(&outcome, place.runner);
        return Ok(Prepared::Unchanged(outcome));
    }
    for difference in wanted.differences() {
        place.runner.info(&format!("changes {difference}"));
    }
    let revision = prepare::registered(&place.api, wanted).await?;
    let name = text::line(revision_name(&revision.arn));
    if revision.is_new {
        drive.story.note(format!("registered `{name}`"), place.runner);
    }
    drive.story.revision = Some(revision.arn.clone());
    drive.story.publish(place);
    Ok(Prepared::Ready(Box::new(Ready {
        revision,
        target: None,
        shifting: None,
        settings_before: Update::default(),
        update,
        described: sides.new.described.clone(),
    })))
}

/// What of it the new side gets. An earlier attempt of the same run may have brought it already.
pub(super) fn of(ready: Ready, sides: &Sides<'_>) -> Version {
    let held = sides.under_way();
    let is_again = held.is_some_and(|held| held::is_of(held, sides.place.runner));
    Version {
        arn: ready.revision.arn,
        definition: ready.revision.definition,
        update: ready.update,
        is_there: is_again && sides.new.described.service.desired > 0,
    }
}
