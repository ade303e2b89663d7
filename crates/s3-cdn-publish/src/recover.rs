//! The command `recover`: what a run left that never finished is undone, or finished where its release is the current one.

use gha::outcome::Outcome;
use gha::{Failure, Runner, Status, text};

use crate::cdn::Cdn;
use crate::change::{Change, Done};
use crate::diff::Step;
use crate::error::Error;
use crate::keep::Keep;
use crate::look::{self, LOCK, Seen};
use crate::manifest::Manifest;
use crate::pace::Pace;
use crate::place::Place;
use crate::plan::{Basis, Plan, Tidy};
use crate::publish::invalidation;
use crate::report::{self, Became, Told};
use crate::write::Source;
use crate::{ask, cli, held, rollback};

/// Runs the command.
///
/// # Errors
/// When another run publishes, or what was left can't be undone.
pub async fn run(flags: &cli::Recover, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.place, runner).await?;
    at(flags, &place).await
}

/// The same at a place that is known already.
///
/// # Errors
/// As [`run`].
pub async fn at(flags: &cli::Recover, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut told = Told::of(place);
    let ended = recover(flags, place, &mut told).await;
    let ended = ended.map_err(|failure| report::failed(place, failure, told.site_url.as_deref()));
    report::summary(place, &ended, &told);
    ended
}

async fn recover(flags: &cli::Recover, place: &Place<'_>, told: &mut Told) -> Result<Outcome, Failure> {
    let preparing = Box::pin(prepare(flags, place));
    let prepared = match place.runner.cancel().guard(preparing).await {
        Ok(prepared) => prepared?,
        Err(cancelled) => return Err(cancelled.into()),
    };
    let change = match prepared {
        Prepared::Nothing(headline) => {
            let mut outcome = report::known(place, None, &Done::default());
            outcome.status = Status::Unchanged;
            outcome.headline = headline;
            return Ok(report::concluded(place, outcome, Became::UNCHANGED, None));
        }
        Prepared::Change(change) => change,
    };
    *told = change.told();
    let restored = change.plan.counts.added + change.plan.counts.changed + change.plan.counts.headers;
    let (done, release) = Box::pin(change.carry_out(true)).await?;
    let mut outcome = report::known(place, Some(&release.id), &done);
    outcome.status = Status::Done;
    outcome.headline = format!(
        "release `{}` serves whole from {}: {}",
        text::line(&release.id),
        place.target(),
        match restored {
            0 => "nothing had to be brought back".to_owned(),
            1 => "1 file was brought back".to_owned(),
            more => format!("{more} files were brought back"),
        }
    );
    let became = Became {
        status: "recovered",
        changed: restored > 0,
    };
    Ok(report::concluded(
        place,
        outcome,
        became,
        told.site_url.as_deref(),
    ))
}

enum Prepared<'a> {
    /// There is nothing to do, in words.
    Nothing(String),
    /// This is to be done.
    Change(Box<Change<'a>>),
}

async fn prepare<'a>(flags: &cli::Recover, place: &'a Place<'a>) -> Result<Prepared<'a>, Error> {
    let seen = look::state(&place.bucket).await?;
    if seen.lock.is_none() && seen.intent.is_none() {
        return Ok(Prepared::Nothing(format!(
            "{}: no run left anything to do",
            place.target()
        )));
    }
    held::free(&seen, place, true)?;
    if let (Some(owed), None) = (seen.pending(), &place.flags.distribution_id) {
        return Err(Error::Flag {
            flag: "distribution-id",
            reason: format!(
                "the run that did not finish owes distribution `{}` an invalidation: name it here",
                text::line(&owed.distribution)
            ),
        });
    }
    let Some(content) = &seen.manifest else {
        return nothing_published(place, &seen).await;
    };
    let manifest = Manifest::read(&content.bytes).map_err(|error| Error::State(error.to_string()))?;
    let target = manifest.target();
    let now = place.runner.now();
    let pace = Pace::shared(flags.speed.concurrency);
    let cdn = Cdn::of(place, &flags.cdn).await?;
    let (seen, mut diff) = look::compare(&place.bucket, &target, now).await?;
    ask::all_doubts(place, Source::Store, &target, &mut diff, &pace).await?;
    // What the run before had no copy of was not overwritten by it, but changed by somebody else.
    for number in rollback::missing(place, &target, &diff).await? {
        let found = &mut diff.found[number];
        found.step = Step::Nothing;
        found.etag = target.items[number].etag.clone();
        place.runner.warn(&format!(
            "`{}` is not what release `{}` has, and was not changed by a run of this program: it is left alone",
            text::line(&target.items[number].key),
            text::line(&manifest.header.release.id)
        ));
    }
    let tidy = Tidy {
        delete: false,
        keep: Keep {
            releases: usize::MAX,
            grace: None,
        },
        most: None,
    };
    let basis = Basis {
        target: &target,
        header: seen.header.as_ref(),
        is_new: false,
        tidy,
        now,
    };
    let plan = Plan::of(&mut diff, &basis);
    let invalidation = invalidation(cdn.as_ref(), &diff, &target, true);
    Ok(Prepared::Change(Box::new(Change {
        place,
        command: "recover",
        rolled_back_from: manifest.header.rolled_back_from.clone(),
        release: manifest.header.release,
        seen,
        target,
        diff,
        plan,
        source: Source::Store,
        cdn,
        invalidation,
        pace,
        timeout: flags.speed.timeout,
    })))
}

/// A first publish never finished: there is nothing to go back to, and the next one completes it.
async fn nothing_published<'a>(place: &'a Place<'a>, seen: &Seen) -> Result<Prepared<'a>, Error> {
    // What is owed to the CDN is the next publish's to pay, which finds it in the lock.
    if seen.lock.is_some() && seen.pending().is_none() {
        let deleted = place.bucket.delete(&[LOCK]).await;
        let kept = deleted.map_err(|refused| Error::refused("take the lock off")(refused))?;
        if let Some(kept) = kept.first() {
            return Err(Error::State(format!("the lock can't be taken off: {}", kept.why)));
        }
    }
    Ok(Prepared::Nothing(format!(
        "{}: nothing was published before the run that did not finish; the next publish completes it",
        place.target()
    )))
}
