//! The command `rollback` where ECS shifts the traffic and a deployment is under way.

use gha::outcome::Outcome;
use gha::{Failure, text};

use crate::cli::Rollback;
use crate::error::Error;
use crate::history;
use crate::observed::{Service, revision_name};
use crate::place::Place;
use crate::prepare;
use crate::rollback::failure;
use crate::rollback_target::brings_back;
use crate::story::{Became, Story};
use crate::undo::{Undone, is_revision};
use crate::words::Strategy;

use super::back::{self, goes_back, take_back};
use super::listed::{self, UnderWay};

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
    let current = service.task_definition.as_deref().unwrap_or_default();
    let definition = prepare::described(&place.api, current).await?;
    if let Some(coming) = comes_back(flags, &under_way, serves.as_deref(), place).await?
        && let Some(deployment) = service.primary()
    {
        let mut story = Story {
            revision: Some(coming.clone()),
            previous: serves,
            ..Story::default()
        };
        story.note(format!("`{from}` is on its way back already"), place.runner);
        let undone = back::follow(&under_way.arn, deployment, &definition, &flags.times, place).await;
        return Ok(ended(undone, &from, &story, place));
    }
    let mut story = Story {
        revision: serves.clone(),
        previous: under_way.task_definition.clone(),
        ..Story::default()
    };
    story.note(
        format!("stopping the deployment of `{from}`; ECS goes back to `{to}`"),
        place.runner,
    );
    let Some(undone) = take_back(&under_way, service, &definition, &flags.times, place).await else {
        return Ok(First::GoOn);
    };
    Ok(match undone {
        Undone::Restored { .. } if wants_another(flags, serves.as_deref()) => First::GoOn,
        undone => ended(undone, &to, &story, place),
    })
}

fn ended(undone: Undone, to: &str, story: &Story, place: &Place<'_>) -> First {
    let ended = if matches!(undone, Undone::Restored { .. }) {
        let headline = format!("service `{}` runs `{to}` again", place.service);
        place.runner.info(&headline);
        Ok(story.outcome(Became::RolledBack, headline, place))
    } else {
        Err(failure(undone, to, story, place))
    };
    First::Done(Box::new(ended))
}

/// The ARN of what comes back already, by an earlier `rollback` that is under way: to stop that would bring the newer
/// version back. Where a revision is named, that is what is wanted.
async fn comes_back(
    flags: &Rollback,
    under_way: &UnderWay,
    serves: Option<&str>,
    place: &Place<'_>,
) -> Result<Option<String>, Error> {
    let Some(coming) = under_way.task_definition.clone() else {
        return Ok(None);
    };
    if flags.to.is_some() || goes_back(&under_way.status) {
        return Ok(None);
    }
    let what = format!("read the earlier deployments of `{}`", place.service);
    let history = history::known(place).await.map_err(Error::refused(what))?;
    Ok(brings_back(&coming, serves, &history).then_some(coming))
}

/// Whether another revision was named than the one that serves again. A version is looked up, and found to be there already.
fn wants_another(flags: &Rollback, serves: Option<&str>) -> bool {
    let named = flags.to.as_deref();
    named.is_some_and(|to| serves.is_none_or(|serves| !is_revision(to, serves)))
}
