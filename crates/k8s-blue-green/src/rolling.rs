//! The strategy `rolling`: a workload gets new images, or what a manifest says, and replaces its pods itself. The run watches that,
//! says why it fails, and brings the earlier template back when it must.
//!
//! What is needed to undo is on the workload: its history, and a note of this run ([`mark`]). ConfigMaps and Secrets have no
//! history; what a deploy changes in them stays when it is undone.

use gha::outcome::Outcome;
use gha::{Exit, Failure};
use serde_json::Value;

use crate::cli;
use crate::gates::Gates;
use crate::place::Place;
use crate::smoke::Smoke;
use crate::workload::Workload;

pub mod back;
mod change;
pub mod drive;
mod ending;
pub mod find;
pub mod follow;
mod given;
pub mod history;
pub mod images;
pub mod mark;
pub mod patch;
pub mod plan;
mod prepare;
pub mod progress;
mod scaled;
pub mod story;
pub mod undo;
pub mod write;

use drive::Follower;
use ending::cancelled_before;
use follow::{Decision, Limits};
use prepare::Prepared;
use story::{Became, Story};

/// A version that is rolled out and ready, for what judges it.
#[derive(Debug)]
pub struct Ready<'a> {
    /// The workload.
    pub workload: &'a Workload,
    /// As it is.
    pub object: &'a Value,
    /// How many pods it has.
    pub pods: u64,
    /// Its images, as `container=reference`.
    pub images: &'a [String],
}

/// What judges said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It stays.
    Yes,
    /// It goes.
    No {
        /// [`Exit::Failed`] or [`Exit::Inconclusive`].
        exit: Exit,
        /// Why, as one line.
        reason: String,
    },
}

/// Rolls out what the flags say, and lets the gates judge it.
///
/// # Errors
/// When the flags are wrong, it failed, or the run is cancelled.
pub async fn at(flags: &cli::Deploy, place: &Place<'_>) -> Result<Outcome, Failure> {
    let gates = Gates::of(&flags.gates, place)?;
    let smoke = flags.gates.smoke.as_deref().map(Smoke::of).transpose();
    let smoke = smoke.map_err(|error| Failure::new(Exit::Usage, error))?;
    let beginning = async {
        gates.preflight(place).await?;
        let given = given::gathered(flags, place).await?;
        for line in given.applied(place).await? {
            place.runner.info(&line);
        }
        Ok::<_, Failure>(given.workload)
    };
    let manifest = place.runner.cancel().guard(Box::pin(beginning)).await;
    let manifest = manifest.map_err(Failure::from)??;
    deploy(flags, manifest, place, async |ready: &Ready<'_>| {
        given::judged(ready, smoke.as_ref(), flags.gates.smoke_timeout, &gates, place).await
    })
    .await
}

/// Rolls out new images, or a manifest's workload with or without them, and lets `judge` look at it when it is ready: a `No` brings
/// the earlier version back like any other failure.
///
/// # Errors
/// When the flags are wrong, it failed, or the run is cancelled.
pub async fn deploy<J>(
    flags: &cli::Deploy,
    manifest: Option<Value>,
    place: &Place<'_>,
    judge: J,
) -> Result<Outcome, Failure>
where
    J: AsyncFnOnce(&Ready<'_>) -> Judged,
{
    let mut story = Story {
        services: flags.target.service.clone(),
        ..Story::default()
    };
    let ended = Box::pin(rolled(flags, manifest, place, judge, &mut story)).await;
    let ended = ended.map_err(|failure| story.complete(failure, place));
    story.conclude(&ended, place);
    ended
}

async fn rolled<J>(
    flags: &cli::Deploy,
    manifest: Option<Value>,
    place: &Place<'_>,
    judge: J,
    story: &mut Story,
) -> Result<Outcome, Failure>
where
    J: AsyncFnOnce(&Ready<'_>) -> Judged,
{
    let cancel = place.runner.cancel();
    let asked = prepare::asked(flags, manifest.as_ref())?;
    let prepared = cancel
        .guard(prepare::prepare(flags, asked, manifest, place, story))
        .await;
    let prepared = prepared.map_err(|cancelled| cancelled_before(cancelled, story, place))??;
    let mut rolled = match prepared {
        Prepared::Unchanged => return Ok(unchanged(story, place)),
        Prepared::Resumed(rolled) => *rolled,
        Prepared::Change(change) => Box::pin(change::changed(*change, flags, story, place)).await?,
    };
    story.publish(place);
    let limits = limits(&flags.times);
    let mut follower = Follower::new(&rolled.named, &rolled.object, limits, place);
    let ended = follower.run().await;
    if let Some(revision) = &follower.revision {
        story.revision = Some(history::written(&rolled.named.name, Some(revision)));
        rolled.reached = Some(revision.name.clone());
    }
    let pods = match ended {
        Ok(Decision::Ready(pods)) => pods,
        Ok(decision) => return Err(Box::pin(rolled.failed(decision, flags, story, place)).await),
        Err(cancelled) => {
            return Err(rolled
                .cancelled(cancelled, flags.ends.on_cancel, story, place)
                .await);
        }
    };
    // What judges the version does it here: the pods of the one before are gone, and its template is at hand.
    let ready = Ready {
        workload: &rolled.named,
        object: &follower.object,
        pods,
        images: &story.images,
    };
    match cancel.guard(judge(&ready)).await {
        Ok(Judged::Yes) => Ok(rolled.serves(&follower.object, pods, story, place).await),
        Ok(Judged::No { exit, reason }) => {
            Err(Box::pin(rolled.refused(exit, &reason, flags, story, place)).await)
        }
        Err(cancelled) => Err(rolled
            .cancelled(cancelled, flags.ends.on_cancel, story, place)
            .await),
    }
}

fn unchanged(story: &Story, place: &Place<'_>) -> Outcome {
    let headline = format!("`{}` runs this content already; nothing to do", story.name());
    place.runner.info(&headline);
    story.outcome(Became::Unchanged, headline, place)
}

/// The limits that the flags set.
#[must_use]
pub fn limits(times: &cli::Times) -> Limits {
    Limits {
        timeout: times.timeout,
        unschedulable: times.unschedulable_grace,
        api: times.api_grace,
        ..Limits::default()
    }
}

/// The run's name, for people.
fn run(place: &Place<'_>) -> String {
    let of = |name: &str| place.runner.env().get(name).unwrap_or_default().to_owned();
    let repository = of("GITHUB_REPOSITORY");
    if repository.is_empty() {
        return repository;
    }
    format!(
        "{repository}:{}.{}",
        of("GITHUB_RUN_ID"),
        of("GITHUB_RUN_ATTEMPT")
    )
}
