//! The command `deploy` for a service that ECS deploys by rolling: the new revision is registered, migrations run, the
//! service is changed by one update, and that deployment is followed until it stayed, or the earlier revision serves again.

use gha::edge::cancel::Cancelled;
use gha::outcome::Outcome;
use gha::{Failure, Runner};

use crate::cli::{Deploy, Times};
use crate::follow::Followed;
use crate::gates::{Candidate, Gates};
use crate::native_deploy::failing::Failing;
use crate::observed::Service;
use crate::place::Place;
use crate::report;
use crate::rolling::{Limits, Plan};
use crate::story::{Became, Story, conclude};
use crate::undo::LEAVE;
use change::{Changed, change};
use ending::Ending;
use gated::{Judged, judged};
use ready::{Prepared, prepare};

mod change;
mod ending;
mod gated;
mod migration;
mod native;
mod ready;
mod settings;
mod way_back;

pub(crate) use migration::migrate;
pub(crate) use ready::Ready;
pub use settings::settings;

/// Runs the command.
///
/// # Errors
/// When the flags are wrong, the deploy failed, or it was cancelled.
pub async fn run(flags: &Deploy, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.place, runner).await?;
    Box::pin(at(flags, &place)).await
}

/// The same for a service that is reached already.
///
/// # Errors
/// When the flags are wrong, the deploy failed, or it was cancelled.
pub async fn at(flags: &Deploy, place: &Place<'_>) -> Result<Outcome, Failure> {
    if flags.traffic.traffic_rule.is_some() {
        return Box::pin(crate::weighted::at(flags, place)).await;
    }
    let mut story = Story::default();
    let (ended, watched) = match Box::pin(begin(flags, &mut story, place)).await {
        Ok(Begun::Ended(outcome)) => (Ok(outcome), None),
        Err(failure) => (Err(failure), None),
        Ok(Begun::UnderWay(under_way)) => {
            let (ended, watched) = Box::pin(follow(flags, *under_way, &mut story, place)).await;
            (ended, Some(watched))
        }
    };
    let ended = ended.map_err(|failure| story.complete(failure, place));
    conclude(&ended, place.runner);
    report::summary(&ended, &story, watched.as_ref().map(Into::into), place);
    ended
}

/// What beginning came to.
enum Begun {
    /// There was nothing to follow.
    Ended(Outcome),
    /// A deployment is to be followed.
    UnderWay(Box<UnderWay>),
}

/// A deployment that is to be followed, and judged by gates.
struct UnderWay {
    ready: Ready,
    changed: Changed,
    gates: Gates,
}

/// A deployment that was followed.
enum Watched {
    Rolling(Box<Followed>),
    Native(Box<Failing>),
}

impl<'a> From<&'a Watched> for report::Failed<'a> {
    fn from(watched: &'a Watched) -> Self {
        match watched {
            Watched::Rolling(followed) => (&**followed).into(),
            Watched::Native(failing) => (&**failing).into(),
        }
    }
}

/// All until there is a deployment to follow.
async fn begin(flags: &Deploy, story: &mut Story, place: &Place<'_>) -> Result<Begun, Failure> {
    let gates = Gates::of(&flags.gates, place)?;
    let runner = place.runner;
    let longest = flags.times.timeout().saturating_add(flags.times.stable_for);
    let migrates = flags.migrate.as_ref().map(|_| flags.migrate_timeout);
    place.warn_of_expiry(longest.saturating_add(migrates.unwrap_or_default()));
    let preparing = async {
        gates.preflight(place).await?;
        prepare(flags, !gates.is_empty(), story, place).await
    };
    let preparing = runner.cancel().guard(Box::pin(preparing)).await;
    let (ready, changed) = match preparing.map_err(|cancelled| unchanged(cancelled, "", story, place))?? {
        Prepared::Unchanged(outcome) => return Ok(Begun::Ended(outcome)),
        Prepared::Resumed(ready, deployment) => {
            let changed = Changed {
                deployment,
                cancelled: None,
            };
            (ready, changed)
        }
        Prepared::Ready(ready) => {
            if let Some(line) = &flags.migrate {
                migrate(line, flags, &ready, story, place).await?;
            }
            native::still_free(&ready, flags.replace, place).await?;
            if native::begins_nothing(&ready.update) {
                let set = native::set_only(&ready, story, place).await;
                return set.map(Begun::Ended);
            }
            let changed = Box::pin(change(&ready, &flags.times, story, place)).await?;
            (ready, changed)
        }
    };
    Ok(Begun::UnderWay(Box::new(UnderWay {
        ready: *ready,
        changed,
        gates,
    })))
}

/// Follows the deployment to its end; gives what was seen of it too.
async fn follow(
    flags: &Deploy,
    under_way: UnderWay,
    story: &mut Story,
    place: &Place<'_>,
) -> (Result<Outcome, Failure>, Watched) {
    let runner = place.runner;
    let UnderWay {
        ready,
        changed,
        gates,
    } = under_way;
    let deployment = changed.deployment;
    gates.about(
        &Candidate {
            revision: &ready.revision.arn,
            definition: &ready.revision.definition,
            deployment: &deployment.id,
        },
        place,
    );
    if let Some(shifting) = &ready.shifting {
        let asked = Some(&gates).filter(|gates| !gates.is_empty());
        let (ended, failing) =
            native::follow(flags, (&ready, shifting), deployment, asked, story, place).await;
        return (ended, Watched::Native(Box::new(failing)));
    }
    story.deployment = Some(deployment.id.clone());
    story.can_undo = ready.earlier().is_some();
    let plan = Plan {
        deployment: deployment.id.clone(),
        task_definition: ready.revision.arn.clone(),
        previous: ready.target.as_ref().map(|target| target.arn.clone()),
        created_at: deployment.created_at,
        started: runner.elapsed(),
        limits: limits(&flags.times, &ready.described.service),
    };
    let mut followed = Followed::new(plan, &ready.described.service);
    let ended = match changed.cancelled {
        Some((cancelled, since)) => Err((
            cancelled,
            LEAVE.saturating_sub(runner.elapsed().saturating_sub(since)),
        )),
        None => {
            let definition = &ready.revision.definition;
            let following = async {
                let decision = followed.run(definition, place).await;
                judged(decision, &gates, &mut followed, definition, place).await
            };
            let following = runner.cancel().guard(following).await;
            following.map_err(|cancelled| (cancelled, LEAVE))
        }
    };
    runner.end_live();
    story.gates = gates.told();
    let ending = Ending {
        ready: &ready,
        deployment: &deployment,
        flags,
        serving: followed.serving(),
    };
    let ended = match ended {
        Ok(Judged::Decided(decision)) => Box::pin(ending.decided(decision, story, place)).await,
        Ok(Judged::Refused(says)) => Err(Box::pin(ending.refused(says, story, place)).await),
        Err((cancelled, left)) => Err(ending.cancelled(cancelled, left, story, place).await),
    };
    (ended, Watched::Rolling(Box::new(followed)))
}

/// The limits that the flags ask for.
#[must_use]
pub fn limits(times: &Times, service: &Service) -> Limits {
    let usual = Limits::default();
    let grace = service.health_check_grace.unwrap_or_default();
    Limits {
        poll: times.poll,
        stable_for: times.stable_for,
        timeout: times.timeout(),
        placement_timeout: times.placement_timeout,
        api_grace: times.api_grace,
        health_grace: usual.health_grace.saturating_add(grace),
        ..usual
    }
}

/// A cancel before anything was changed; `more` is said behind it.
fn unchanged(cancelled: Cancelled, more: &str, story: &Story, place: &Place<'_>) -> Failure {
    let headline = format!("{cancelled}; service `{}` was not changed{more}", place.service);
    story.failure(cancelled.0.exit(), Became::Failed, headline, place)
}
