//! The strategy `blue-green`: the new version comes up beside the old one, is judged without traffic, gets all of it by one change of
//! each Service's selector, and is watched while the old one stands ready at full size.
//!
//! Until the switch the old version has all traffic; after it the state on the Service says how to go back. So a run can end at any
//! point between two calls, and whoever comes next finds what to do.

use std::time::Duration;

use futures_util::future::try_join;
use gha::edge::cancel::Cancelled;
use gha::outcome::Outcome;
use gha::steps::Weight;
use gha::{Failure, text};

use crate::canary;
use crate::cli::{self, Deploy, Ends, Switch, Times, Until};
use crate::error::Error;
use crate::gates::Gates;
use crate::held::Held;
use crate::manifests;
use crate::migrate::Asking;
use crate::place::Place;
use crate::report;
use crate::rollback::line;
use crate::state::{Canary, Phase};
use crate::story::{Became, Story, conclude};
use shift::Ready;
use stopped::Stopped;

mod around;
mod bring;
mod climb;
mod ending;
mod entry;
mod finish;
mod judge;
mod look;
pub mod plan;
pub mod promote;
pub mod shift;
mod soak;
pub mod stopped;

/// How long a write that says how far it is may be tried.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a deploy came to that went well: the headline of each.
enum Done {
    /// The version is live already.
    Unchanged(String),
    /// It is up, and waits to be promoted.
    Prepared(String),
    /// It has a part of the traffic, and waits to be promoted.
    Waits(String, Weight),
    /// It has the traffic.
    Deployed(String),
}

/// Runs the strategy.
///
/// # Errors
/// When the flags are wrong, the deploy failed, or it was cancelled.
pub async fn at(flags: &Deploy, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut story = Story::of(&flags.target.service);
    let ended = Box::pin(deploy(flags, &mut story, place)).await;
    let ended = ended.map_err(|failure| story.complete(failure, place));
    conclude(&ended, place);
    report::summary(&ended, &story, place);
    ended
}

async fn deploy(flags: &Deploy, story: &mut Story, place: &Place<'_>) -> Result<Outcome, Failure> {
    let services = &flags.target.service;
    let canary = fits(flags)?;
    let watched = watched(flags, canary.as_ref())?;
    let (gates, held) = begun(services, &flags.gates, &watched, &flags.times, story, place).await?;
    let going = held.during(Box::pin(steps(flags, canary.as_ref(), &gates, story, place)));
    let ended = place.runner.cancel().guard(Box::pin(going)).await;
    closed(ended, services, flags.ends, &gates, held, story, place).await
}

/// The end of a run that changed something: what is to be undone is, and then the locks are given back.
async fn closed(
    ended: Result<Result<Result<Done, Stopped>, Error>, Cancelled>,
    services: &[String],
    ends: Ends,
    gates: &Gates,
    held: Held<'_>,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Outcome, Failure> {
    story.gates = gates.told();
    let ended = match ended {
        Ok(Ok(Ok(done))) => Ok(good(done, services, story, place)),
        Ok(Ok(Err(stopped))) => Err(ending::stopped(stopped, services, ends.on_failure, story, place).await),
        Ok(Err(lost)) => Err(ending::stopped(lost.into(), services, ends.on_failure, story, place).await),
        Err(cancelled) => Err(ending::cancelled(cancelled, services, ends.on_cancel, story, place).await),
    };
    held.give_back().await;
    ended
}

/// For how long the new version is watched, each time.
fn watched(flags: &Deploy, canary: Option<&Canary>) -> Result<Vec<Duration>, Error> {
    let mut watched = vec![flags.switch.soak];
    if let Some(canary) = canary {
        let steps = canary::Plan::of(canary)?.steps;
        watched.extend(steps.as_slice().iter().filter_map(|step| step.hold));
    }
    Ok(watched)
}

/// The gates, read; they fit the times for which they will watch.
fn asked(gates: &cli::Gates, watched: &[Duration], place: &Place<'_>) -> Result<Gates, Failure> {
    let gates = Gates::of(gates, place)?;
    for time in watched.iter().filter(|time| !time.is_zero()) {
        gates.fits(*time, place)?;
    }
    Ok(gates)
}

/// Reads and asks the gates, which will watch for these times, and takes the locks: nothing else is changed by then.
async fn begun<'a>(
    services: &[String],
    gates: &cli::Gates,
    watched: &[Duration],
    times: &Times,
    story: &Story,
    place: &'a Place<'_>,
) -> Result<(Gates, Held<'a>), Failure> {
    let gates = asked(gates, watched, place)?;
    let beginning = async {
        gates.preflight(place).await?;
        Ok::<_, Failure>(Held::take(place, services, times.lock_timeout).await?)
    };
    let held = place.runner.cancel().guard(Box::pin(beginning)).await;
    let held = held.map_err(|cancelled| {
        let headline = format!("{cancelled}; nothing was changed");
        story.failure(cancelled.0.exit(), Became::Failed, headline, place)
    })??;
    Ok((gates, held))
}

/// What can't be right whatever the cluster is like.
fn fits(flags: &Deploy) -> Result<Option<Canary>, Error> {
    let refuse = |flag, reason: &str| {
        Err(Error::Flag {
            flag,
            reason: reason.to_owned(),
        })
    };
    if flags.target.service.is_empty() {
        return refuse("service", "name the Service whose traffic is to move");
    }
    if !flags.target.workload.is_empty() {
        return refuse(
            "workload",
            "it is for `--strategy rolling`; here the Service says what serves",
        );
    }
    if flags.version.image.is_empty() && flags.version.manifests.is_empty() {
        return refuse("image", "name the new version: an image here, or `--manifests`");
    }
    let canary = canary::asked(flags)?;
    if let Some(Until::Weight(weight)) = flags.until {
        canary::waits_at(flags, weight)?;
    }
    Ok(canary)
}

async fn steps(
    flags: &Deploy,
    canary: Option<&Canary>,
    gates: &Gates,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Done, Stopped> {
    let asking = Asking::of("migrate", flags.migration.migrate.as_ref())?;
    let given = manifests::gather(&flags.version.manifests, &place.namespace, place.runner).await;
    let mut given = given.map_err(|error| Error::Flag {
        flag: "manifests",
        reason: error.to_string(),
    })?;
    let job = match &asking {
        Some(asking) => asking.job(&mut given)?,
        None => None,
    };
    let found = look::look(flags, &mut given, story, place).await?;
    if let Some(live) = look::unchanged(&found, flags) {
        return Ok(Done::Unchanged(live));
    }
    let migration = asking.as_ref().map(|asking| (asking, job.as_ref()));
    let mut ready = bring::bring(found, &given, migration, flags, canary, story, place).await?;
    judge::before(&ready, flags, gates, story, place).await?;
    if flags.until == Some(Until::Preview) {
        for one in &mut ready {
            one.say(Phase::Prepared, place).await?;
        }
        return Ok(Done::Prepared(names(&ready, |one| &one.state.new.deployment)));
    }
    let until = match flags.until {
        Some(Until::Weight(weight)) => Some(weight),
        _ => None,
    };
    onwards(
        &mut ready,
        until,
        &flags.switch,
        &flags.times,
        gates,
        story,
        place,
    )
    .await
}

/// From versions that are up and judged to the end.
async fn onwards(
    ready: &mut [Ready],
    until: Option<Weight>,
    switch: &Switch,
    times: &Times,
    gates: &Gates,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Done, Stopped> {
    let services: Vec<String> = ready.iter().map(|one| one.lead.name.clone()).collect();
    story.undo = Some(line(&services, place));
    for one in ready.iter_mut() {
        if let (true, Some(weight)) = (climb::climb(one, until, gates, times, story, place).await?, until) {
            return Ok(Done::Waits(text::line(&one.state.new.deployment), weight));
        }
    }
    shift::all(ready, switch, times.timeout, story, place).await?;
    for one in ready.iter_mut() {
        climb::come_down(one, story, place).await?;
    }
    bring::know_switched(ready, story, place);
    if !switch.soak.is_zero() {
        try_join(
            soak::watch(ready, switch.soak, times.api_grace, place),
            judge::during(ready, switch.soak, gates, place),
        )
        .await?;
    }
    finish::done(ready, switch, story, place).await?;
    finish::drained(ready, switch, story, place).await;
    Ok(Done::Deployed(names(ready, |one| &one.state.new.deployment)))
}

/// The result of a deploy that went well.
fn good(done: Done, services: &[String], story: &mut Story, place: &Place<'_>) -> Outcome {
    let which: Vec<String> = services
        .iter()
        .map(|name| format!("Service `{}`", text::line(name)))
        .collect();
    let which = which.join(" and ");
    let (became, headline) = match done {
        Done::Unchanged(live) => (
            Became::Unchanged,
            format!("{which} leads to this version already ({live}); nothing to do"),
        ),
        Done::Prepared(new) => (
            Became::Prepared,
            format!(
                "{new} is up and judged, without traffic; `k8s-blue-green promote` gives it the traffic of {which}"
            ),
        ),
        Done::Waits(new, weight) => (
            Became::Prepared,
            format!(
                "`{new}` has {weight} of the traffic of {which} and waits; `k8s-blue-green promote` goes on, \
                 `k8s-blue-green rollback` goes back"
            ),
        ),
        Done::Deployed(new) => (Became::Deployed, format!("{which} leads to {new}")),
    };
    place.runner.info(&headline);
    story.outcome(became, headline, place)
}

/// Names of all, for people.
fn names(ready: &[Ready], name: impl Fn(&Ready) -> &String) -> String {
    let each: Vec<String> = ready
        .iter()
        .map(|one| format!("`{}`", text::line(name(one))))
        .collect();
    each.join(" and ")
}

impl Ready {
    /// Says on the Service how far it is; its selector stays.
    async fn say(&mut self, phase: Phase, place: &Place<'_>) -> Result<(), Error> {
        let state = self.state.at_phase(phase, place.runner.now());
        let selector = self.lead.selector();
        self.lead.turn(&selector, Some(&state), PATIENCE, place).await?;
        self.state = state;
        Ok(())
    }
}
