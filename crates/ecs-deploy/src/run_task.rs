//! The command `run-task`: a one-off task with the service's network and capacity, which ends as the task ends.

use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner, Status, text};

use crate::cli::RunTask;
use crate::error::{Error, advice, exit_of};
use crate::migrate::{End, Migration, Ran};
use crate::migration::Limits;
use crate::observed::revision_name;
use crate::place::Place;
use crate::prepare;
use crate::story::{Story, conclude};

/// Runs the command.
///
/// # Errors
/// When the flags are wrong, or the task failed.
pub async fn run(flags: &RunTask, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.place, runner).await?;
    Box::pin(at(flags, &place)).await
}

/// The same for a service that is reached already.
///
/// # Errors
/// When the flags are wrong, or the task failed.
pub async fn at(flags: &RunTask, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut ran = Ran::default();
    let ended = {
        let working = Box::pin(run_task(flags, &mut ran, place));
        place.runner.cancel().guard(working).await
    };
    let ended = ended.unwrap_or_else(|cancelled| {
        let headline = format!("{cancelled}{}", ran.left());
        let known = about(Outcome::new(Status::Cancelled, headline.clone()), place);
        Err(Failure::new(cancelled.0.exit(), headline).knowing(known))
    });
    conclude(&ended, place.runner);
    ended
}

/// The result is the task's, and no verdict on the service.
fn about(outcome: Outcome, place: &Place<'_>) -> Outcome {
    Outcome {
        environment: place.environment.clone(),
        ..outcome.target(format!("{} (task)", place.target()))
    }
}

async fn run_task(flags: &RunTask, ran: &mut Ran, place: &Place<'_>) -> Result<Outcome, Failure> {
    let described = place.described().await?;
    let wanted = prepare::wanted(&place.api, &flags.version, &described.service).await?;
    wanted.notes.iter().for_each(|note| place.runner.info(note));
    let command = match &flags.run {
        Some(line) => {
            let command = wanted.definition.command_of(line);
            Some(command.map_err(|error| Error::Edit { flag: "run", error })?)
        }
        None => None,
    };
    let revision = prepare::registered(&place.api, wanted).await?;
    let story = Story {
        revision: Some(revision.arn.clone()),
        ..Story::default()
    };
    story.publish(place);
    let migration = Migration {
        name: "task",
        revision: &revision,
        command: command
            .as_ref()
            .map(|(container, words)| (container.as_str(), words.as_slice())),
        launch: &described.launch,
        limits: Limits {
            poll: flags.poll,
            timeout: flags.timeout,
            api_grace: flags.api_grace,
        },
    };
    let name = text::line(revision_name(&revision.arn));
    let known = |status, headline: &str| {
        let outcome = Outcome::new(status, headline).fact("task-definition", name.clone());
        about(outcome, place)
    };
    let failed = |exit, headline: String| {
        let known = known(Status::of(exit), &headline);
        Failure::new(exit, headline).knowing(known)
    };
    match migration.run(ran, place).await {
        End::Succeeded => {
            let headline = format!("the task of `{name}` succeeded");
            place.runner.info(&headline);
            Ok(known(Status::Done, &headline))
        }
        End::Failed(reason) => Err(failed(
            Exit::Failed,
            format!("the task of `{name}` failed: {reason}"),
        )),
        End::NotStarted(refused) => Err(failed(
            exit_of(&refused),
            format!("the task of `{name}` was not started: {refused}"),
        )
        .help(advice(&refused))),
        End::Unknown { reason, denied } => Err(failed(
            if denied { Exit::Access } else { Exit::Inconclusive },
            format!(
                "what became of the task of `{name}` is not known{}: {reason}",
                ran.left()
            ),
        )),
    }
}
