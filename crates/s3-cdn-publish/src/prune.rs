//! The command `prune`: what earlier releases left, and nobody can go back to any more, is deleted now.

use gha::outcome::Outcome;
use gha::{Failure, Runner, Status, text};

use crate::cdn::Cdn;
use crate::change::{Change, Done};
use crate::error::Error;
use crate::invalidation::Invalidation;
use crate::keep::Keep;
use crate::look;
use crate::manifest::Manifest;
use crate::pace::Pace;
use crate::place::Place;
use crate::plan::{Basis, Plan, Tidy};
use crate::report::{self, Became, Told};
use crate::write::Source;
use crate::{cli, held, store};

/// Runs the command.
///
/// # Errors
/// When another run publishes, or something can't be deleted.
pub async fn run(flags: &cli::Prune, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.place, runner).await?;
    at(flags, &place).await
}

/// The same at a place that is known already.
///
/// # Errors
/// As [`run`].
pub async fn at(flags: &cli::Prune, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut told = Told::default();
    let ended = prune(flags, place, &mut told).await;
    let ended = ended.map_err(|failure| report::failed(place, failure, None));
    report::summary(place, &ended, &told);
    ended
}

async fn prune(flags: &cli::Prune, place: &Place<'_>, told: &mut Told) -> Result<Outcome, Failure> {
    let preparing = Box::pin(prepare(flags, place));
    let change = match place.runner.cancel().guard(preparing).await {
        Ok(change) => change?,
        Err(cancelled) => return Err(cancelled.into()),
    };
    let Some(change) = change else {
        let mut outcome = report::known(place, None, &Done::default());
        outcome.status = Status::Unchanged;
        outcome.headline = format!("{}: there is nothing to delete", place.target());
        return Ok(report::concluded(place, outcome, Became::UNCHANGED, None));
    };
    *told = Told {
        counts: None,
        ..change.told()
    };
    if let Some(too_many) = change.plan.too_many {
        report::show_deleted(&told.groups, place.runner);
        return Err(Error::TooManyToPrune(too_many).into());
    }
    let fallen = change.plan.fallen.len() as u64;
    let (done, release) = Box::pin(change.carry_out(false)).await?;
    let mut outcome = report::known(place, Some(&release.id), &done).fact("changed", false);
    outcome.status = Status::Done;
    outcome.headline = format!(
        "deleted {} and forgot {} in {}; `{}` serves",
        report::counted(done.deleted, "object"),
        report::counted(fallen, "earlier release"),
        place.target(),
        text::line(&release.id)
    );
    if let Some(kept) = done.not_deleted.first() {
        return Err(crate::publish::not_deleted(&release.id, &done, kept).knowing(outcome));
    }
    let became = Became {
        status: "pruned",
        changed: false,
    };
    Ok(report::concluded(place, outcome, became, None))
}

async fn prepare<'a>(flags: &cli::Prune, place: &'a Place<'a>) -> Result<Option<Change<'a>>, Error> {
    let seen = look::state(&place.bucket).await?;
    held::free(&seen, place, false)?;
    let Some(content) = &seen.manifest else {
        return Ok(None);
    };
    let manifest = Manifest::read(&content.bytes).map_err(|error| Error::State(error.to_string()))?;
    let target = manifest.target();
    let now = place.runner.now();
    let (seen, mut diff) = look::compare(&place.bucket, &target, now).await?;
    if diff.is_mixed || !seen.left.touched.is_empty() {
        let whose = seen.lock.as_ref().map(|(lock, _)| lock.whose());
        return Err(Error::Unfinished(
            whose.unwrap_or_else(|| "its lock is gone".to_owned()),
        ));
    }
    // What is not as it was published is the next publish's to put right.
    for (found, item) in diff.found.iter_mut().zip(&target.items) {
        found.step = crate::diff::Step::Nothing;
        found.etag.clone_from(&item.etag);
    }
    diff.former.clear();
    let basis = Basis {
        target: &target,
        header: seen.header.as_ref(),
        is_new: false,
        tidy: Tidy {
            delete: true,
            keep: Keep {
                releases: flags.tidy.keep_releases,
                grace: flags.tidy.grace,
            },
            most: Some(flags.tidy.max_delete),
        },
        now,
    };
    let plan = Plan::of(&mut diff, &basis);
    let unlisted = store::unlisted(&plan, &seen, seen.current()).len();
    if plan.deletes.is_empty() && unlisted == 0 {
        return Ok(None);
    }
    place.runner.info(&format!(
        "{} and {} go, {} of earlier releases stay; `{}` is the current one",
        report::counted(plan.deletes.len() as u64, "object"),
        report::counted(unlisted as u64, "earlier release"),
        report::counted(plan.kept.len() as u64, "object"),
        text::line(&manifest.header.release.id)
    ));
    Ok(Some(Change {
        place,
        command: "prune",
        rolled_back_from: manifest.header.rolled_back_from.clone(),
        release: manifest.header.release,
        seen,
        target,
        diff,
        plan,
        source: Source::Store,
        cdn: Cdn::of(place, &flags.cdn).await?,
        invalidation: Invalidation::default(),
        pace: Pace::shared(flags.speed.concurrency),
        timeout: flags.speed.timeout,
    }))
}
