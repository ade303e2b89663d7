//! The one update that changes the service: right after a last look, and one whose answer was lost is looked for before it is
//! tried again.

use std::pin::pin;
use std::time::Duration;

use gha::edge::cancel::Cancelled;
use gha::{Exit, Failure, text};
use tokio::time::{sleep, timeout};

use crate::api::{DENIALS, Refused};
use crate::cli::Times;
use crate::error::{Error, advice, exit_of};
use crate::observed::{Deployment, Service, revision_name};
use crate::place::Place;
use crate::story::{Became, Story};
use crate::undo::is_revision;
use crate::words::ServiceStatus;

use super::ready::Ready;
use super::unchanged;

/// How often an update is tried whose answer was lost and that did not show.
const TRIES: u32 = 3;

/// From one look for a lost update to the next.
const PAUSE: Duration = Duration::from_secs(2);

/// How long a cancelled run waits for the answer to its update.
const UNCONFIRMED: Duration = Duration::from_secs(2);

/// How long it then looks for it.
const LOOK: Duration = Duration::from_secs(1);

/// The deployment that the update began.
pub(super) struct Changed {
    pub(super) deployment: Deployment,
    /// A signal that came meanwhile, and when it was heard, from the start of the run.
    pub(super) cancelled: Option<(Cancelled, Duration)>,
}

/// What writing came to.
enum Written {
    Begun(Deployment),
    /// A signal came before it was done, or done again.
    Cancelled(Cancelled),
    Ended(Failure),
}

/// What one look for an update shows.
enum Shows {
    Ours(Deployment),
    NotYet,
    Foreign(String),
}

/// Changes the service, and gives the deployment that does it.
pub(super) async fn change(
    ready: &Ready,
    times: &Times,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Changed, Failure> {
    let cancel = place.runner.cancel();
    let last_look = cancel.guard(look_for(ready, times, place)).await;
    let last_look = last_look.map_err(|cancelled| unchanged(cancelled, "", story, place))?;
    match last_look.map_err(Error::refused(format!("read service `{}`", place.service)))? {
        Shows::NotYet => {}
        Shows::Foreign(name) => return Err(foreign(&name, story, place)),
        // Another run of the same version was quicker.
        Shows::Ours(deployment) => {
            begun(&deployment, ready, story, place);
            return Ok(Changed {
                deployment,
                cancelled: None,
            });
        }
    }
    let known = story.clone();
    let mut writing = pin!(write(ready, times, &known, place));
    let (written, cancelled) = match cancel.guard(&mut writing).await {
        Ok(written) => (written, None),
        Err(cancelled) => {
            let heard = place.runner.elapsed();
            let written = match timeout(UNCONFIRMED, writing).await {
                Ok(written) => written,
                Err(_) => unconfirmed(cancelled, ready, story, place).await,
            };
            (written, Some((cancelled, heard)))
        }
    };
    match written {
        Written::Begun(deployment) => {
            begun(&deployment, ready, story, place);
            Ok(Changed {
                deployment,
                cancelled,
            })
        }
        Written::Cancelled(cancelled) => Err(unchanged(cancelled, "", story, place)),
        Written::Ended(failure) => Err(failure),
    }
}

async fn write(ready: &Ready, times: &Times, story: &Story, place: &Place<'_>) -> Written {
    let mut tries = 1;
    loop {
        // Nothing is written after a signal.
        if let Some(signal) = place.runner.cancel().signal() {
            return Written::Cancelled(Cancelled(signal));
        }
        let refused = match place.api.update_service(&place.service, &ready.update).await {
            Ok(described) => match described.service.primary() {
                Some(primary) if is_revision(&primary.task_definition, &ready.revision.arn) => {
                    return Written::Begun(primary.clone());
                }
                _ => None,
            },
            Err(refused) if !refused.unknown => return Written::Ended(not_done(refused, place)),
            Err(refused) => Some(refused),
        };
        // The answer was lost: what the service shows decides whether it was done.
        match look_for(ready, times, place).await {
            Ok(Shows::Ours(deployment)) => return Written::Begun(deployment),
            Ok(Shows::Foreign(name)) => return Written::Ended(foreign(&name, story, place)),
            Ok(Shows::NotYet) if tries < TRIES => tries += 1,
            Ok(Shows::NotYet) => {
                return Written::Ended(match refused {
                    Some(refused) => not_done(refused, place),
                    None => unclear("ECS took the update and shows no deployment", None, story, place),
                });
            }
            Err(refused) => {
                return Written::Ended(unclear(&refused.to_string(), Some(&refused), story, place));
            }
        }
    }
}

/// Looks whether an update shows, as long as AWS may be out of reach.
async fn look_for(ready: &Ready, times: &Times, place: &Place<'_>) -> Result<Shows, Refused> {
    let started = place.runner.elapsed();
    let mut denials = 0;
    loop {
        let refused = match place.api.service(&place.service).await {
            Ok(Some(described)) => return Ok(shows(&described.service, ready)),
            Ok(None) => return Ok(Shows::Foreign("nothing: it is gone".to_owned())),
            Err(refused) => refused,
        };
        denials = if refused.is_access() { denials + 1 } else { 0 };
        let over = place.runner.elapsed().saturating_sub(started) >= times.api_grace;
        if over || denials >= DENIALS {
            return Err(refused);
        }
        sleep(PAUSE).await;
    }
}

/// Whether the service still is as it was read, has our update, or another one.
fn shows(service: &Service, ready: &Ready) -> Shows {
    let before = ready.described.service.primary().map(|primary| &primary.id);
    if service.status != ServiceStatus::Active {
        let status = text::line(&service.status.word().to_lowercase());
        return Shows::Foreign(format!("nothing: it is {status}"));
    }
    let scaled = ready.only_scales() && ready.update.desired == Some(service.desired);
    match service.primary() {
        Some(primary) if scaled && Some(&primary.id) == before => Shows::Ours(primary.clone()),
        Some(primary) if Some(&primary.id) == before => Shows::NotYet,
        Some(primary) if is_revision(&primary.task_definition, &ready.revision.arn) => {
            Shows::Ours(primary.clone())
        }
        Some(primary) => Shows::Foreign(text::line(revision_name(&primary.task_definition))),
        None if before.is_none() => Shows::NotYet,
        None => Shows::Foreign("nothing".to_owned()),
    }
}

/// A signal came, and so does no answer: one look says whether there is something to take back.
async fn unconfirmed(cancelled: Cancelled, ready: &Ready, story: &Story, place: &Place<'_>) -> Written {
    if let Ok(Ok(Some(described))) = timeout(LOOK, place.api.service(&place.service)).await
        && let Shows::Ours(deployment) = shows(&described.service, ready)
    {
        return Written::Begun(deployment);
    }
    let headline = format!(
        "{cancelled} while service `{}` was being updated; whether it was changed is not known",
        place.service
    );
    let failure = story.failure(cancelled.0.exit(), Became::Failed, headline, place);
    Written::Ended(failure.help(format!("run `ecs-deploy status {}`", place.flags())))
}

/// The update was refused.
fn not_done(refused: Refused, place: &Place<'_>) -> Failure {
    let what = format!("update service `{}`", place.service);
    Error::Refused { what, refused }.into()
}

/// Whether the service was changed is not known.
fn unclear(why: &str, refused: Option<&Refused>, story: &Story, place: &Place<'_>) -> Failure {
    let headline = format!(
        "it is not known whether service `{}` was changed: {why}",
        place.service
    );
    let denied = refused.filter(|refused| refused.is_access());
    let exit = denied.map_or(Exit::NeedsHuman, exit_of);
    let mut help = format!("run `ecs-deploy status {}`", place.flags());
    if let Some(refused) = denied {
        help.push_str(&format!("; {}", advice(refused)));
    }
    story.failure(exit, Became::Failed, headline, place).help(help)
}

fn foreign(name: &str, story: &Story, place: &Place<'_>) -> Failure {
    let headline = format!(
        "someone else changed service `{}` meanwhile (it has `{name}`); nothing was written over it",
        place.service
    );
    story.failure(Exit::Locked, Became::Superseded, headline, place)
}

fn begun(primary: &Deployment, ready: &Ready, story: &mut Story, place: &Place<'_>) {
    let name = text::line(revision_name(&ready.revision.arn));
    story.deployment = Some(primary.id.clone());
    story.can_undo = ready.earlier().is_some();
    story.note(
        format!("`{name}` is being deployed by `{}`", text::line(&primary.id)),
        place.runner,
    );
    story.publish(place);
}
