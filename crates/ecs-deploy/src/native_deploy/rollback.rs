//! The command `rollback` where ECS shifts the traffic and a deployment is under way.

use gha::outcome::Outcome;
use gha::{Exit, Failure, text};

use crate::cli::Rollback;
use crate::error::Error;
use crate::observed::{Service, revision_name};
use crate::place::Place;
use crate::prepare;
use crate::story::{Became, Story};
use crate::undo::{Undone, is_revision};
use crate::words::Strategy;

use super::back::take_back;
use super::listed;

/// What is done first.
pub enum First {
    /// Nothing is under way; these are the ARNs of the service deployments that have ended. None where ECS does not shift.
    Free(Option<Vec<String>>),
    /// What was under way is taken back, and that was all that was asked for.
    Done(Box<Result<Outcome, Failure>>),
    /// It has ended, and there is more to do: another revision was asked for, or it had succeeded.
    GoOn,
}

/// Takes back what is under way.
///
/// # Errors
/// When that can't be read.
pub async fn first(flags: &Rollback, service: &Service, place: &Place<'_>) -> Result<First, Error> {
    if service.strategy == Strategy::Rolling {
        return Ok(First::Free(None));
    }
    let what = format!("read the service deployments of `{}`", place.service);
    let listed = listed::now(place).await.map_err(Error::refused(what.clone()))?;
    let Some(under_way) = listed.under_way else {
        return Ok(First::Free(Some(listed.arns)));
    };
    let seen = place
        .api
        .service_deployment(std::slice::from_ref(&under_way.arn))
        .await;
    let seen = seen.map_err(Error::refused(what.clone()))?;
    let source = seen.first().and_then(|seen| seen.sources.first());
    let sources: Vec<String> = source.iter().map(|source| source.arn.clone()).collect();
    let found = place.api.service_revisions(&sources).await;
    let found = found.map_err(Error::refused(what))?;
    let serves = found
        .into_iter()
        .next()
        .map(|(_, task_definition)| task_definition);
    let name = |arn: Option<&str>| text::line(arn.map_or("the earlier revision", revision_name));
    let (from, to) = (
        name(under_way.task_definition.as_deref()),
        name(serves.as_deref()),
    );
    let mut story = Story {
        revision: serves.clone(),
        previous: under_way.task_definition.clone(),
        ..Story::default()
    };
    story.note(
        format!("stopping the deployment of `{from}`; ECS goes back to `{to}`"),
        place.runner,
    );
    let current = service.task_definition.as_deref().unwrap_or_default();
    let definition = prepare::described(&place.api, current).await?;
    let Some(undone) = take_back(&under_way, service, &definition, &flags.times, place).await else {
        return Ok(First::GoOn);
    };
    let service = &place.service;
    let fail = |exit, became, headline: String| {
        let known = story.outcome(became, headline.clone(), place);
        First::Done(Box::new(Err(Failure::new(exit, headline).knowing(known))))
    };
    Ok(match undone {
        Undone::Restored { .. } if wants_another(flags, serves.as_deref()) => First::GoOn,
        Undone::Restored { .. } => {
            let headline = format!("service `{service}` runs `{to}` again");
            place.runner.info(&headline);
            First::Done(Box::new(Ok(story.outcome(Became::RolledBack, headline, place))))
        }
        Undone::Begun => fail(
            Exit::NeedsHuman,
            Became::Failed,
            format!("service `{service}` is on its way back to `{to}`"),
        ),
        Undone::Foreign(what) => fail(
            Exit::Locked,
            Became::Superseded,
            format!("service `{service}` was not rolled back, because {what}"),
        ),
        Undone::Failed(trouble) => fail(
            Exit::NeedsHuman,
            Became::Failed,
            format!(
                "going back to `{to}` on service `{service}` failed: {}",
                trouble.why
            ),
        ),
    })
}

/// Whether another revision was named than the one that serves again. A version is looked up, and found to be there already.
fn wants_another(flags: &Rollback, serves: Option<&str>) -> bool {
    let named = flags.to.as_deref();
    named.is_some_and(|to| serves.is_none_or(|serves| !is_revision(to, serves)))
}
