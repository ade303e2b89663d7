//! The command `recover`, for a step that runs after a run was cancelled, killed or lost: looks at what it left, waits for an
//! earlier version that is on its way back, and leaves alone what may be somebody else's.
//!
//! A deploy to two services leaves word of itself, which [`crate::weighted::recover`] acts on. A single service has no place
//! for that: ECS goes on with a deployment by itself, and nothing says which run began it. So this writes nothing to it but
//! what an earlier version that comes back waits for.

use std::time::Duration;

use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner, accounts, text};
use tokio::time::sleep;

use crate::cli::{Recover, Times};
use crate::deploy::limits;
use crate::error::Error;
use crate::follow;
use crate::history::{self, Depth};
use crate::native_deploy;
use crate::observed::{Deployment, Service, revision_name};
use crate::place::Place;
use crate::prepare;
use crate::report;
use crate::rollback::{arrived, unchanged};
use crate::rollback_target::{Past, at_start, is_coming_back, is_taken_back};
use crate::serving;
use crate::story::{Became, Story, conclude};
use crate::undo::{self, Begun, Undone};
use crate::weighted;
use crate::words::Strategy;

/// How long ECS may take to begin a way back that it has announced.
const BEGINS: Duration = Duration::from_secs(2 * 60);

/// Runs the command.
///
/// # Errors
/// When what is left can't be undone, or may be somebody else's.
pub async fn run(flags: &Recover, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.place, runner).await?;
    Box::pin(at(flags, &place)).await
}

/// The same for a service that is reached already.
///
/// # Errors
/// When what is left can't be undone, or may be somebody else's.
pub async fn at(flags: &Recover, place: &Place<'_>) -> Result<Outcome, Failure> {
    if flags.traffic.traffic_rule.is_some() {
        return Box::pin(weighted::recover::at(flags, place)).await;
    }
    place.warn_of_expiry(flags.times.timeout().saturating_add(flags.times.stable_for));
    let mut story = Story::default();
    let ended = Box::pin(recover(&flags.times, &mut story, place)).await;
    let ended = ended.map_err(|failure| story.complete(failure, place));
    conclude(&ended, place.runner);
    report::summary(&ended, &story, None, place);
    ended
}

async fn recover(times: &Times, story: &mut Story, place: &Place<'_>) -> Result<Outcome, Failure> {
    let cancel = place.runner.cancel();
    let described = cancel.guard(place.described()).await;
    let service = described
        .map_err(|cancelled| unchanged(cancelled, story, place))??
        .service;
    if service.strategy != Strategy::Rolling {
        return Box::pin(native_deploy::recover::recover(&service, times, story, place)).await;
    }
    let seen = cancel.guard(Box::pin(see(service, times, place))).await;
    let seen = seen.map_err(|cancelled| unchanged(cancelled, story, place))??;
    let service = &seen.service;
    let Some(primary) = service.primary() else {
        return Ok(ended(service, story, place));
    };
    let earlier = at_start(service, &seen.history).map(|target| target.task_definition);
    story.deployment = Some(primary.id.clone());
    story.revision = Some(primary.task_definition.clone());
    story.previous = earlier.filter(|earlier| *earlier != primary.task_definition);
    story.can_undo = story.previous.is_some();
    match seen.standing {
        Standing::Settled => match seen.turned.filter(|turned| *turned != primary.task_definition) {
            Some(turned) if service.failed().is_none() => {
                story.previous = Some(turned);
                came_back(primary, story, place)
            }
            _ => Ok(ended(service, story, place)),
        },
        Standing::ComesBack => comes_back(primary, service, times, story, place).await,
        Standing::Turns => Err(does_not_turn(primary, story, place)),
        Standing::Brings => {
            let what = follow::counts(primary, service);
            Err(someones(&what, story, place))
        }
    }
}

/// How a service stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing is under way.
    Settled,
    /// The latest deployment brings an earlier revision back.
    ComesBack,
    /// ECS takes the latest deployment back, and the one that does it is not there yet.
    Turns,
    /// The latest deployment brings a new version.
    Brings,
}

/// What was seen.
struct Seen {
    service: Service,
    history: Vec<Past>,
    standing: Standing,
    /// The ARN of the task definition that ECS was about to take back.
    turned: Option<String>,
}

/// Looks until it is clear where the service goes.
async fn see(mut service: Service, times: &Times, place: &Place<'_>) -> Result<Seen, Failure> {
    let began = place.runner.elapsed();
    let mut turned = None;
    loop {
        let is_complete = service.under_way().is_none() && service.failed().is_none();
        let history = match is_complete {
            true => Vec::new(),
            false => history::read(Depth::Revisions, place).await,
        };
        let standing = standing(&service, &history);
        let passed = place.runner.elapsed().saturating_sub(began);
        if standing != Standing::Turns || passed >= BEGINS.min(times.timeout()) {
            return Ok(Seen {
                service,
                history,
                standing,
                turned,
            });
        }
        turned = service.primary().map(|latest| latest.task_definition.clone());
        sleep(times.poll).await;
        service = place.described().await?.service;
    }
}

fn standing(service: &Service, history: &[Past]) -> Standing {
    let (under_way, failed) = (service.under_way(), service.failed());
    let Some(latest) = under_way.or(failed) else {
        return Standing::Settled;
    };
    if is_coming_back(service, history) {
        Standing::ComesBack
    } else if is_taken_back(&latest.task_definition, history) {
        Standing::Turns
    } else if under_way.is_some() {
        Standing::Brings
    } else {
        Standing::Settled
    }
}

/// Waits until the earlier revision serves.
async fn comes_back(
    coming: &Deployment,
    service: &Service,
    times: &Times,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Outcome, Failure> {
    let mut others = service.deployments.iter().map(|other| &other.task_definition);
    story.previous = others.find(|other| **other != coming.task_definition).cloned();
    let to = on_its_way(Some(&coming.task_definition), story, place);
    let begun = Begun {
        deployment: coming.clone(),
        service: service.clone(),
    };
    let waiting = async {
        let definition = prepare::described(&place.api, &coming.task_definition).await?;
        Ok::<_, Error>(undo::wait(&begun, &definition, limits(times, service), place).await)
    };
    let waited = match place.runner.cancel().guard(Box::pin(waiting)).await {
        Ok(undone) => Ok(undone?),
        Err(cancelled) => Err(cancelled),
    };
    arrived(waited, &to, story, place)
}

/// It was quicker than the next look.
fn came_back(primary: &Deployment, story: &mut Story, place: &Place<'_>) -> Result<Outcome, Failure> {
    let to = on_its_way(Some(&primary.task_definition), story, place);
    let tasks = primary.running;
    arrived(Ok(Undone::Restored { tasks }), &to, story, place)
}

/// Notes that an earlier revision is on its way back; gives its name.
pub(crate) fn on_its_way(earlier: Option<&str>, story: &mut Story, place: &Place<'_>) -> String {
    let to = text::line(earlier.map_or("the earlier revision", revision_name));
    story.can_undo = false;
    story.note(
        format!("`{to}` is on its way back to service `{}`", place.service),
        place.runner,
    );
    story.publish(place);
    to
}

/// Nothing is under way: says what serves, and that the latest deployment failed where it did.
fn ended(service: &Service, story: &mut Story, place: &Place<'_>) -> Outcome {
    let runs = serving::running(service);
    let Some(failed) = service.failed() else {
        story.can_undo = false;
        return finished(settled(&runs, service, place), story, place);
    };
    let name = &place.service;
    let why = failed.reason.as_deref().map(text::line);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    place.runner.warn(&accounts::without(&format!(
        "the latest deployment of service `{name}` failed, and nothing takes it back{why}; to go back, run `ecs-deploy rollback {}`",
        place.flags()
    )));
    let headline = format!(
        "the latest deployment of service `{name}`, of `{}`, failed, and nothing takes it back; {runs}, {} wanted; nothing was \
         changed",
        text::line(revision_name(&failed.task_definition)),
        service.desired
    );
    finished(headline, story, place)
}

/// The words for a service whose latest deployment is complete; `runs` is what does.
pub(crate) fn settled(runs: &str, service: &Service, place: &Place<'_>) -> String {
    let (name, wanted) = (&place.service, service.desired);
    if service.running < wanted {
        place.runner.warn(&format!(
            "not all tasks of service `{name}` run: {} of {wanted}",
            service.running
        ));
        return format!(
            "no deployment of service `{name}` is under way, but {runs}, and {wanted} are wanted"
        );
    }
    let none = if wanted == 0 { ", and none is wanted" } else { "" };
    format!("no deployment of service `{name}` is under way: {runs}{none}; nothing to do")
}

/// The result where nothing was to be done.
pub(crate) fn finished(headline: String, story: &Story, place: &Place<'_>) -> Outcome {
    place.runner.info(&headline);
    story.outcome(Became::Unchanged, headline, place)
}

/// A new version is being deployed, and whose deploy that is can't be known. `what` is how far it is.
pub(crate) fn someones(what: &str, story: &Story, place: &Place<'_>) -> Failure {
    let headline = format!(
        "a deployment of service `{}` is under way, and no word is left of whose it is: {what}; ECS goes on with it by itself, \
         and nothing was changed",
        place.service
    );
    let flags = place.flags();
    story
        .failure(Exit::Locked, Became::Failed, accounts::without(&headline), place)
        .help(format!(
            "run `ecs-deploy rollback {flags}` to take it back, or `ecs-deploy status {flags}` to see how far it is"
        ))
}

/// ECS said that it takes a deployment back, and does not.
fn does_not_turn(latest: &Deployment, story: &Story, place: &Place<'_>) -> Failure {
    let headline = format!(
        "ECS was to take the deployment of `{}` to service `{}` back, and has not begun",
        text::line(revision_name(&latest.task_definition)),
        place.service
    );
    let failure = story.failure(Exit::NeedsHuman, Became::Failed, headline, place);
    failure.help(format!("run `ecs-deploy rollback {}`", place.flags()))
}

#[cfg(test)]
mod tests;
