//! The command `rollback`: to the revision before, or to one that is named, also from a fresh machine.

use std::pin::pin;

use gha::edge::cancel::Cancelled;
use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner, text};
use tokio::time::timeout;

use crate::api::services::Update;
use crate::cli::Rollback;
use crate::deploy::limits;
use crate::error::Error;
use crate::history::{self, Depth};
use crate::native_deploy::back as native;
use crate::native_deploy::rollback::{First, first};
use crate::observed::{Service, revision_name};
use crate::place::Place;
use crate::prepare;
use crate::report;
use crate::rollback_target::{Past, Target, TargetError, at_start, before, is_coming_back, named};
use crate::story::{Became, Story, conclude};
use crate::task_definition::TaskDefinition;
use crate::undo::{self, Begun, Earlier, LEAVE, Undone, is_revision};
use crate::words::{RolloutState, Strategy};

/// Runs the command.
///
/// # Errors
/// When there is nothing to go back to, or it failed.
pub async fn run(flags: &Rollback, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.place, runner).await?;
    Box::pin(at(flags, &place)).await
}

/// The same for a service that is reached already.
///
/// # Errors
/// When there is nothing to go back to, or it failed.
pub async fn at(flags: &Rollback, place: &Place<'_>) -> Result<Outcome, Failure> {
    if flags.traffic.traffic_rule.is_some() {
        return Box::pin(crate::weighted::rollback::at(flags, place)).await;
    }
    place.warn_of_expiry(flags.times.timeout().saturating_add(flags.times.stable_for));
    let mut story = Story::default();
    let ended = Box::pin(roll_back(flags, &mut story, place)).await;
    let ended = ended.map_err(|failure| story.complete(failure, place));
    conclude(&ended, place.runner);
    report::summary(&ended, &story, None, place);
    ended
}

/// What became of what was under way.
enum Freed {
    /// Nothing is under way. With what [`First::Free`] has.
    Free(Box<Service>, Option<Vec<String>>),
    /// It was taken back, and that was all that was asked for.
    Done(Box<Result<Outcome, Failure>>),
}

/// What is to be done.
enum Found {
    /// The revision is to be brought back.
    Back(Box<Back>),
    /// It runs already.
    There(String),
}

/// A revision that is to be brought back.
struct Back {
    service: Service,
    target: Target,
    definition: TaskDefinition,
}

async fn roll_back(flags: &Rollback, story: &mut Story, place: &Place<'_>) -> Result<Outcome, Failure> {
    let cancel = place.runner.cancel();
    let (service, listed) = match free(flags, story, place).await? {
        Freed::Done(ended) => return *ended,
        Freed::Free(service, listed) => (*service, listed),
    };
    let finding = cancel.guard(find(flags, service, story, place)).await;
    let found = finding.map_err(|cancelled| unchanged(cancelled, story, place))?;
    let back = match found? {
        Found::Back(back) => back,
        Found::There(to) => {
            let headline = format!("service `{}` runs `{to}` already; nothing to do", place.service);
            place.runner.info(&headline);
            return Ok(story.outcome(Became::Unchanged, headline, place));
        }
    };
    let begun = begin(flags, &back, story, place).await?;
    story.deployment = Some(begun.deployment.id.clone());
    story.publish(place);
    let limits = limits(&flags.times, &begun.service);
    let waiting = async {
        match &listed {
            Some(before) => {
                native::wait(&begun.deployment, before, &back.definition, &flags.times, place).await
            }
            None => undo::wait(&begun, &back.definition, limits, place).await,
        }
    };
    let waited = cancel.guard(Box::pin(waiting)).await;
    arrived(waited, &back.to(), story, place)
}

/// What became of a way back to `to` that was waited for.
///
/// # Errors
/// When it did not arrive, or a signal came meanwhile.
pub(crate) fn arrived(
    waited: Result<Undone, Cancelled>,
    to: &str,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Outcome, Failure> {
    let service = &place.service;
    match waited {
        Ok(Undone::Restored { tasks }) => {
            let with = match tasks {
                0 => " with 0 tasks; nothing was verified".to_owned(),
                1 => " with 1 task".to_owned(),
                more => format!(" with {more} tasks"),
            };
            let headline = format!("service `{service}` runs `{to}` again,{with}");
            story.note(headline.clone(), place.runner);
            Ok(story.outcome(Became::RolledBack, headline, place))
        }
        Ok(undone) => Err(failure(undone, to, story, place)),
        Err(cancelled) => {
            let headline = format!("{cancelled}; service `{service}` is on its way back to `{to}`");
            Err(story
                .failure(cancelled.0.exit(), Became::RolledBack, headline, place)
                .help(format!(
                    "run `ecs-deploy status {}` to see it arrive",
                    place.flags()
                )))
        }
    }
}

/// Takes back what ECS shifts the traffic to. Twice at most: what was under way has ended then.
async fn free(flags: &Rollback, story: &Story, place: &Place<'_>) -> Result<Freed, Failure> {
    let cancel = place.runner.cancel();
    for _ in 0..2 {
        let service = place.described().await?.service;
        let taken = cancel.guard(Box::pin(first(flags, &service, place))).await;
        let taken = taken.map_err(|cancelled| match service.strategy {
            Strategy::Rolling => unchanged(cancelled, story, place),
            _ => half_way(cancelled, story, place),
        })?;
        match taken? {
            First::Done(ended) => return Ok(Freed::Done(ended)),
            First::GoOn => {}
            First::Free(before) => return Ok(Freed::Free(Box::new(service), before)),
        }
    }
    let service = place.described().await?.service;
    Ok(Freed::Free(Box::new(service), None))
}

impl Back {
    fn to(&self) -> String {
        text::line(revision_name(&self.target.task_definition))
    }
}

/// What to go back to. Nothing is changed.
async fn find(
    flags: &Rollback,
    service: Service,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Found, Failure> {
    let current = service.task_definition.clone().unwrap_or_default();
    let depth = if flags.to.is_some() {
        Depth::Versions
    } else {
        Depth::Revisions
    };
    let history = history::read(depth, place).await;
    let found = target(flags.to.as_deref(), &service, &current, &history);
    let target = found.map_err(|error| Error::Target {
        service: place.service.clone(),
        error,
    })?;
    story.revision = Some(target.task_definition.clone());
    story.previous = Some(current.clone());
    let state = service.primary().map(|primary| primary.rollout_state.clone());
    let complete = match state.flatten() {
        Some(state) => state == RolloutState::Completed,
        None => service.deployments.len() == 1,
    };
    if is_revision(&target.task_definition, &current) && complete {
        let name = text::line(revision_name(&target.task_definition));
        return Ok(Found::There(name));
    }
    let definition = prepare::described(&place.api, &target.task_definition).await?;
    story.has_images(&definition);
    Ok(Found::Back(Box::new(Back {
        service,
        target,
        definition,
    })))
}

/// The revision to go back to.
fn target(
    to: Option<&str>,
    service: &Service,
    current: &str,
    history: &[Past],
) -> Result<Target, TargetError> {
    if let Some(to) = to {
        return named(to, current, history);
    }
    let primary = service.primary();
    let complete = primary.is_some_and(|primary| primary.rollout_state == Some(RolloutState::Completed));
    if complete || service.deployments.len() < 2 {
        return before(current, history);
    }
    // A rollback that is under way, of an earlier run or of ECS, is not turned round.
    if is_coming_back(service, history) {
        return named(revision_name(current), current, history);
    }
    // What is under way is taken back: the revision that is complete still is the one to have.
    let serving = at_start(service, history);
    serving.map_or_else(|| before(current, history), Ok)
}

/// Begins it, or takes up one that was begun before.
async fn begin(
    flags: &Rollback,
    back: &Back,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Begun, Failure> {
    let service = &back.service;
    let (to, primary) = (back.to(), service.primary());
    if let Some(primary) = primary
        && is_revision(&primary.task_definition, &back.target.task_definition)
        && primary.rollout_state == Some(RolloutState::InProgress)
    {
        story.note(format!("`{to}` is on its way back already"), place.runner);
        return Ok(Begun {
            deployment: primary.clone(),
            service: service.clone(),
        });
    }
    let from = service.task_definition.as_deref().unwrap_or_default();
    let from = text::line(revision_name(from));
    story.note(format!("going back from `{from}` to `{to}`"), place.runner);
    let earlier = Earlier {
        task_definition: &back.target.task_definition,
        definition: &back.definition,
        settings: &Update::default(),
        patience: flags.times.api_grace,
    };
    let ours = primary.map(|primary| primary.id.clone()).unwrap_or_default();
    let mut beginning = pin!(undo::begin(&ours, earlier, place));
    let begun = match place.runner.cancel().guard(&mut beginning).await {
        Ok(begun) => begun,
        Err(cancelled) => match timeout(LEAVE, beginning).await {
            Ok(begun) => begun,
            Err(_) => {
                let headline = format!(
                    "{cancelled} while service `{}` was being taken back to `{to}`; whether it goes back is not known",
                    place.service
                );
                return Err(story
                    .failure(cancelled.0.exit(), Became::Failed, headline, place)
                    .help(format!("run `ecs-deploy status {}`", place.flags())));
            }
        },
    };
    begun.map_err(|undone| failure(undone, &to, story, place))
}

/// A cancel while what was under way was perhaps being stopped.
fn half_way(cancelled: Cancelled, story: &Story, place: &Place<'_>) -> Failure {
    let headline = format!(
        "{cancelled} while the deployment of service `{}` was being taken back",
        place.service
    );
    let failure = story.failure(cancelled.0.exit(), Became::Failed, headline, place);
    failure.help(format!("run `ecs-deploy status {}`", place.flags()))
}

/// A cancel before anything was changed.
pub(crate) fn unchanged(cancelled: Cancelled, story: &Story, place: &Place<'_>) -> Failure {
    let headline = format!("{cancelled}; service `{}` was not changed", place.service);
    story.failure(cancelled.0.exit(), Became::Failed, headline, place)
}

/// A way back that did not arrive.
pub(crate) fn failure(undone: Undone, to: &str, story: &Story, place: &Place<'_>) -> Failure {
    let service = &place.service;
    let again = format!("run `ecs-deploy rollback {} --to {to}` again", place.flags());
    match undone {
        Undone::Foreign(why) => {
            let headline = format!("service `{service}` was not rolled back, because {why}");
            story.failure(Exit::Locked, Became::Superseded, headline, place)
        }
        Undone::Failed(trouble) if trouble.untouched && trouble.denied => {
            let headline = format!("service `{service}` was not rolled back: {}", trouble.why);
            let failure = story.failure(Exit::Access, Became::Failed, headline, place);
            failure.help(format!("with credentials that may, {again}"))
        }
        Undone::Failed(trouble) => {
            let serving = trouble.serving.as_ref();
            let serving = serving.map(|serving| format!(" ({serving})")).unwrap_or_default();
            let headline = format!(
                "going back to `{to}` on service `{service}` failed{serving}: {}",
                trouble.why
            );
            let exit = if trouble.denied {
                Exit::Access
            } else {
                Exit::NeedsHuman
            };
            story.failure(exit, Became::Failed, headline, place).help(again)
        }
        Undone::Restored { .. } | Undone::Begun => {
            let headline = format!("service `{service}` is on its way back to `{to}`");
            let failure = story.failure(Exit::NeedsHuman, Became::Failed, headline, place);
            failure.help(format!("run `ecs-deploy status {}`", place.flags()))
        }
    }
}
