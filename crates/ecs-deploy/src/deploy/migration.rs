//! The one-off task of the new revision that must succeed before the service changes.

use gha::{Exit, Failure, duration};

use crate::cli::Deploy;
use crate::error::{Error, advice, exit_of};
use crate::migrate::{End, Migration, Ran};
use crate::migration::Limits;
use crate::place::Place;
use crate::story::{Became, Story};

use super::ready::Ready;
use super::unchanged;

/// Runs it.
pub(crate) async fn migrate(
    line: &str,
    flags: &Deploy,
    ready: &Ready,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<(), Failure> {
    let command = ready.revision.definition.command_of(line);
    let command = command.map_err(|error| Error::Edit {
        flag: "migrate",
        error,
    })?;
    let migration = Migration {
        name: "migration",
        revision: &ready.revision,
        command: Some((&command.0, &command.1)),
        launch: &ready.described.launch,
        limits: Limits {
            poll: flags.times.poll,
            timeout: flags.migrate_timeout,
            api_grace: flags.times.api_grace,
        },
    };
    let mut ran = Ran::default();
    let begin = place.runner.elapsed();
    place.runner.group("migration");
    let ended = place.runner.cancel().guard(migration.run(&mut ran, place)).await;
    place.runner.end_group();
    let service = &place.service;
    let failed = |exit, headline: String| story.failure(exit, Became::Failed, headline, place);
    Err(match ended {
        Ok(End::Succeeded) => {
            let took = duration::display(place.runner.elapsed().saturating_sub(begin));
            story.note(format!("the migration succeeded in {took}"), place.runner);
            return Ok(());
        }
        Ok(End::Failed(reason)) => failed(
            Exit::Failed,
            format!("the migration failed, and service `{service}` was not changed: {reason}"),
        )
        .help("look at the lines of its log above; a re-run starts the migration again"),
        Ok(End::NotStarted(refused)) => failed(
            exit_of(&refused),
            format!("the migration was not started, and service `{service}` was not changed: {refused}"),
        )
        .help(advice(&refused)),
        Ok(End::Unknown { reason, denied }) => failed(
            if denied { Exit::Access } else { Exit::Inconclusive },
            format!(
                "how the migration ended is not known, and service `{service}` was not changed{}: {reason}",
                ran.left()
            ),
        )
        .help("look whether the migration was done before the next deploy, which starts it again"),
        Err(cancelled) => unchanged(cancelled, &ran.left(), story, place)
            .help("let the migration end, or stop its task, before the next deploy"),
    })
}
