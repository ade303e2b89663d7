//! The command `recover` where ECS shifts the traffic: the same by the service deployment.

use gha::outcome::Outcome;
use gha::{Failure, accounts, text};

use crate::api::Refused;
use crate::cli::Times;
use crate::error::Error;
use crate::history;
use crate::native::describe;
use crate::observed::{Service, ServiceDeployment, revision_name};
use crate::place::Place;
use crate::prepare;
use crate::recover::{finished, on_its_way, settled, someones};
use crate::rollback::{arrived, unchanged};
use crate::rollback_target::brings_back;
use crate::serving;
use crate::story::Story;
use crate::undo::Undone;
use crate::words::{HookStatus, ServiceDeploymentStatus as Status};

use super::back::{self, goes_back};
use super::listed::{self, UnderWay};

/// What was seen.
enum Seen {
    /// Nothing is under way; the latest service deployment, if there is one.
    Ended(Option<Box<ServiceDeployment>>),
    UnderWay(Box<Course>),
}

/// What is under way.
struct Course {
    brief: UnderWay,
    whole: Option<ServiceDeployment>,
    /// The ARNs of the task definitions that it replaces.
    replaces: Vec<String>,
    /// Whether what it brings is an earlier revision that comes back.
    brings_back: bool,
}

impl Course {
    /// The ARN of the task definition that is to serve in the end, where an earlier one is.
    fn earlier(&self) -> Option<&str> {
        let replaced = || self.replaces.first().map(String::as_str);
        match self.brings_back {
            true => self.brief.task_definition.as_deref(),
            false => replaced().filter(|_| goes_back(&self.brief.status)),
        }
    }

    fn is_coming_back(&self) -> bool {
        self.brings_back || goes_back(&self.brief.status)
    }
}

/// Looks at the service, and waits for an earlier version that is on its way back.
///
/// # Errors
/// When it does not come, or a new version is under way.
pub async fn recover(
    service: &Service,
    times: &Times,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Outcome, Failure> {
    let what = format!("read the service deployments of `{}`", place.service);
    let seeing = place.runner.cancel().guard(Box::pin(see(place))).await;
    let seen = seeing.map_err(|cancelled| unchanged(cancelled, story, place))?;
    let course = match seen.map_err(Error::refused(what))? {
        Seen::UnderWay(course) => course,
        Seen::Ended(latest) => return Ok(ended(latest.as_deref(), service, story, place)),
    };
    story.deployment = service.primary().map(|primary| primary.id.clone());
    story.revision = course.brief.task_definition.clone();
    story.previous = course.replaces.first().cloned();
    if !course.is_coming_back() {
        story.can_undo = story.previous.is_some();
        return Err(someones(&shown(&course), story, place));
    }
    if !course.brings_back {
        std::mem::swap(&mut story.revision, &mut story.previous);
    }
    let to = on_its_way(course.earlier(), story, place);
    let waiting = Box::pin(wait(&course, service, times, place));
    let waited = match place.runner.cancel().guard(waiting).await {
        Ok(undone) => Ok(undone?),
        Err(cancelled) => Err(cancelled),
    };
    arrived(waited, &to, story, place)
}

async fn see(place: &Place<'_>) -> Result<Seen, Refused> {
    let listed = listed::now(place).await?;
    let Some(brief) = listed.under_way else {
        let latest = place
            .api
            .service_deployment(listed.arns.get(..1).unwrap_or_default());
        return Ok(Seen::Ended(latest.await?.into_iter().next().map(Box::new)));
    };
    let whole = place.api.service_deployment(std::slice::from_ref(&brief.arn));
    let whole = whole.await?.into_iter().next();
    let sources = whole.iter().flat_map(|whole| &whole.sources);
    let sources: Vec<String> = sources.map(|source| source.arn.clone()).collect();
    let replaces = place.api.service_revisions(&sources).await?;
    let replaces: Vec<String> = replaces.into_iter().map(|(_, definition)| definition).collect();
    // Who can't tell an earlier revision from a new one says so, and no word of whose it is.
    let history = history::known(place).await?;
    let brings = brief.task_definition.as_deref();
    let brings_back = !goes_back(&brief.status)
        && brings.is_some_and(|brings| brings_back(brings, replaces.iter().map(String::as_str), &history));
    Ok(Seen::UnderWay(Box::new(Course {
        brief,
        whole,
        replaces,
        brings_back,
    })))
}

/// Waits until the earlier revision serves. Pauses of a deployment that brings it go on, as they do in a rollback.
async fn wait(course: &Course, service: &Service, times: &Times, place: &Place<'_>) -> Result<Undone, Error> {
    let current = service.task_definition.as_deref().unwrap_or_default();
    let definition = prepare::described(&place.api, current).await?;
    if let Some(deployment) = service.primary().filter(|_| course.brings_back) {
        return Ok(back::follow(&course.brief.arn, deployment, &definition, times, place).await);
    }
    let arrived = back::arrive(&course.brief, service, &definition, times, place).await;
    Ok(arrived.unwrap_or_else(|| Undone::Foreign("the deployment ended well all the same".to_owned())))
}

/// How far it is, and what it waits for.
fn shown(course: &Course) -> String {
    let brings = course
        .brief
        .task_definition
        .as_deref()
        .map_or("an unknown revision", revision_name);
    let brings = text::line(brings);
    let Some(whole) = &course.whole else {
        return format!("`{brings}`");
    };
    let waits = whole
        .hooks
        .iter()
        .find(|hook| hook.status == HookStatus::AwaitingAction);
    let without = waits.and_then(|hook| {
        let goes = match hook.timeout_action.as_deref() {
            Some("ROLLBACK") => "goes back",
            Some("CONTINUE") => "goes on",
            _ => "gives up waiting",
        };
        Some(format!(", and without one ECS {goes} at {:.0}", hook.expires_at?))
    });
    format!("`{brings}`, {}{}", describe(whole), without.unwrap_or_default())
}

/// Nothing is under way: says what serves, and how the latest deployment ended where it did not end well.
fn ended(
    latest: Option<&ServiceDeployment>,
    service: &Service,
    story: &mut Story,
    place: &Place<'_>,
) -> Outcome {
    story.revision = service.task_definition.clone();
    let runs = serving::running(service);
    let how = latest.and_then(|latest| match latest.status {
        Status::RollbackFailed => Some(("failed, and so did its way back", latest)),
        Status::Stopped => Some(("was stopped where it was", latest)),
        _ => None,
    });
    let Some((how, latest)) = how else {
        return finished(settled(&runs, service, place), story, place);
    };
    let why = latest.reason.as_deref().map(text::line);
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let name = &place.service;
    place.runner.warn(&accounts::without(&format!(
        "the latest deployment of service `{name}` {how} ({}){why}; to go back, run `ecs-deploy rollback {}`",
        describe(latest),
        place.flags()
    )));
    let headline = format!(
        "the latest deployment of service `{name}` {how}; {runs}, {} wanted; nothing was changed",
        service.desired
    );
    finished(headline, story, place)
}
