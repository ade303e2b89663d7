//! `rollback --workload` and `recover --workload`: the earlier template, brought back by a fresh machine.

use gha::edge::cancel::Cancelled;
use gha::outcome::Outcome;
use gha::{Exit, Failure};
use serde_json::Value;
use tokio::time::timeout;

use super::ending::{cancelled_before, note};
use super::find::{self, FindError};
use super::history::{self, Revision};
use super::mark::{Mark, Phase};
use super::progress::{self, Progress};
use super::story::{Became, Story};
use super::undo::{self, Back, Undone};
use super::{drive, images, limits};
use crate::cli;
use crate::place::Place;
use crate::pods::counted;
use crate::workload::Workload;

/// Brings the revision before back, and waits for it.
///
/// # Errors
/// When there is none, it does not come up, or the run is cancelled.
pub async fn rollback(flags: &cli::Rollback, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut story = Story {
        services: flags.target.service.clone(),
        ..Story::default()
    };
    let ended = Box::pin(rolled_back(flags, place, &mut story)).await;
    let ended = ended.map_err(|failure| story.complete(failure, place));
    story.conclude(&ended, place);
    ended
}

async fn rolled_back(
    flags: &cli::Rollback,
    place: &Place<'_>,
    story: &mut Story,
) -> Result<Outcome, Failure> {
    let cancel = place.runner.cancel();
    let prepared = async {
        let named = find::named(&flags.target, None, place).await?;
        story.workload = Some(named.clone());
        let object = find::there(&named, place).await?;
        let revisions = drive::revisions(&named, &object, place)
            .await
            .map_err(FindError::from)?;
        Ok::<_, FindError>((named, object, revisions))
    };
    let prepared = cancel.guard(prepared).await;
    let (named, object, revisions) =
        prepared.map_err(|cancelled| cancelled_before(cancelled, story, place))??;
    let before = history::before(&object, &revisions, &named).map_err(|why| {
        Failure::new(Exit::Usage, why.to_string()).help("deploy the version that you want instead")
    })?;
    let left = history::current(named.sort, &object, &revisions);
    Box::pin(brought_back(
        &named,
        &object,
        before,
        left,
        &flags.times,
        story,
        place,
    ))
    .await
}

/// Finishes what a run of this workflow left half way: what it began is taken back.
///
/// # Errors
/// When another run has it, it does not come back, or the run is cancelled.
pub async fn recover(flags: &cli::Recover, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut story = Story {
        services: flags.target.service.clone(),
        ..Story::default()
    };
    let ended = Box::pin(recovered(flags, place, &mut story)).await;
    let ended = ended.map_err(|failure| story.complete(failure, place));
    story.conclude(&ended, place);
    ended
}

async fn recovered(flags: &cli::Recover, place: &Place<'_>, story: &mut Story) -> Result<Outcome, Failure> {
    let cancel = place.runner.cancel();
    let prepared = async {
        let named = find::named(&flags.target, None, place).await?;
        story.workload = Some(named.clone());
        let object = find::there(&named, place).await?;
        let mark = Mark::on(&object).map_err(|error| FindError::Mark(named.to_string(), error))?;
        let revisions = drive::revisions(&named, &object, place)
            .await
            .map_err(FindError::from)?;
        Ok::<_, FindError>((named, object, mark, revisions))
    };
    let prepared = cancel.guard(prepared).await;
    let (named, object, mark, revisions) =
        prepared.map_err(|cancelled| cancelled_before(cancelled, story, place))??;
    let current = history::current(named.sort, &object, &revisions);
    let at = history::written(&named.name, current);
    story.revision = Some(at.clone());
    let Some(mark) = mark.filter(|mark| mark.phase != Phase::Done) else {
        let headline = format!("`{named}` is at `{at}`, and no deploy of it is under way; nothing to do");
        return Ok(story.outcome(Became::Unchanged, headline, place));
    };
    if mark.trace != place.runner.trace().to_string() {
        let whose = if mark.run.is_empty() {
            "another run".to_owned()
        } else {
            format!("run `{}`", gha::text::line(&mark.run))
        };
        let headline = format!(
            "`{named}` is deployed to by {whose}, since {}; it was left alone",
            gha::text::line(&mark.at)
        );
        let failure = story.failure(Exit::Locked, Became::Failed, headline, place);
        return Err(failure.help("wait for that run, or take its deploy back with `k8s-blue-green rollback`"));
    }
    let held = mark
        .previous
        .as_ref()
        .and_then(|name| revisions.iter().find(|one| one.name == *name));
    let is_there = held.is_some_and(|held| Some(&held.template) == object.pointer("/spec/template"));
    if is_there && matches!(progress::of(named.sort, &object), Progress::Ready(_)) {
        note(&named, &object, &mark.in_phase(Phase::Done), place).await;
        let headline = format!("`{named}` is back at `{at}`; nothing is left to do");
        return Ok(story.outcome(Became::RolledBack, headline, place));
    }
    let Some(held) = held else {
        let headline = format!(
            "`{named}` was left half way by this run, and the revision before is gone from its history"
        );
        let failure = story.failure(Exit::NeedsHuman, Became::Failed, headline, place);
        return Err(failure.help("deploy the version that you want"));
    };
    Box::pin(brought_back(
        &named,
        &object,
        held,
        current,
        &flags.times,
        story,
        place,
    ))
    .await
}

async fn brought_back(
    named: &Workload,
    object: &Value,
    to: &Revision,
    left: Option<&Revision>,
    times: &cli::Times,
    story: &mut Story,
    place: &Place<'_>,
) -> Result<Outcome, Failure> {
    let name = history::written(&named.name, Some(to));
    story.previous = left.map(|left| history::written(&named.name, Some(left)));
    story.note(format!("bringing `{name}` of `{named}` back"), place.runner);
    let mark = Mark::new(
        Phase::Undoing,
        place.runner.trace(),
        &super::run(place),
        Some(&to.name),
        place.runner.now(),
    )
    .after(Mark::on(object).ok().flatten().as_ref())
    .without(left.map(|left| left.name.as_str()))
    .with(Some(&to.name));
    let back = Back {
        named,
        object,
        template: &to.template,
        mark: &mark,
    };
    let mut beginning = Box::pin(undo::begin(back, times.api_grace, place));
    let begun = match place.runner.cancel().guard(&mut beginning).await {
        Ok(begun) => begun,
        Err(cancelled) => match timeout(undo::LEAVE, &mut beginning).await {
            Ok(Ok(_)) => return Err(begun_only(cancelled, &name, named, story, place)),
            Ok(Err(_)) => return Err(cancelled_before(cancelled, story, place)),
            Err(_) => {
                let headline = format!("{cancelled}; whether `{name}` of `{named}` comes back is not known");
                return Err(story.failure(cancelled.0.exit(), Became::Failed, headline, place));
            }
        },
    };
    let begun = begun.map_err(|unsent| stuck(&undo::undone(&unsent), &name, named, story, place))?;
    story.images = images::of(&begun);
    let (undone, at) = undo::wait(named, &begun, limits(times), place).await;
    match undone {
        Undone::Restored(pods) => {
            note(named, &begun, &mark.in_phase(Phase::Done), place).await;
            let at = at.unwrap_or_else(|| name.clone());
            story.revision = Some(at.clone());
            let was = if at == name {
                String::new()
            } else {
                format!(" (the content of `{name}`)")
            };
            let headline = format!("`{named}` runs `{at}`{was} again, with {}", counted(pods));
            story.note(headline.clone(), place.runner);
            let mut outcome = story.outcome(Became::RolledBack, headline, place);
            outcome.status = gha::Status::Done;
            Ok(outcome)
        }
        Undone::Begun(cancelled) => Err(begun_only(cancelled, &name, named, story, place)),
        other => Err(stuck(&other, &name, named, story, place)),
    }
}

fn begun_only(
    cancelled: Cancelled,
    name: &str,
    named: &Workload,
    story: &Story,
    place: &Place<'_>,
) -> Failure {
    let headline = format!("{cancelled}; `{name}` of `{named}` is on its way back");
    story.failure(cancelled.0.exit(), Became::RolledBack, headline, place)
}

fn stuck(undone: &Undone, name: &str, named: &Workload, story: &Story, place: &Place<'_>) -> Failure {
    let (exit, became, why) = match undone {
        Undone::Foreign(why) => (Exit::Locked, Became::Superseded, why.as_str()),
        Undone::Failed(why) => (Exit::NeedsHuman, Became::Failed, why.as_str()),
        Undone::Restored(_) | Undone::Begun(_) => (Exit::Bug, Became::Failed, "it was not followed"),
    };
    let headline = format!("`{name}` of `{named}` could not be brought back: {why}");
    let failure = story.failure(exit, became, headline, place);
    failure.help(format!(
        "look with `k8s-blue-green diagnose --workload {named}{}`",
        place.again()
    ))
}
