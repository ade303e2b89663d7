//! The command `rollback`: an earlier release becomes the current one, by copies inside the bucket.

use std::collections::BTreeSet;

use gha::outcome::Outcome;
use gha::{Failure, Runner, Status, text};

use crate::cdn::Cdn;
use crate::change::Change;
use crate::diff::{Diff, Step};
use crate::error::Error;
use crate::keep::Keep;
use crate::look::{self, Seen};
use crate::manifest::{Header, Release};
use crate::pace::Pace;
use crate::place::Place;
use crate::plan::{Basis, Plan, Tidy};
use crate::publish::invalidation;
use crate::report::{self, Became, Told};
use crate::target::Target;
use crate::write::{Source, store_name};
use crate::{ask, cli, held, store};

/// The shortest beginning of a commit that stands for it, as Git shows it.
const SHORT: usize = 7;

/// Runs the command.
///
/// # Errors
/// When there is no such release, it can't be brought back whole, or it did not come back.
pub async fn run(flags: &cli::Rollback, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.place, runner).await?;
    at(flags, &place).await
}

/// The same at a place that is known already.
///
/// # Errors
/// As [`run`].
pub async fn at(flags: &cli::Rollback, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut told = Told::of(place);
    let ended = back(flags, place, &mut told).await;
    let ended = ended.map_err(|failure| report::failed(place, failure, told.site_url.as_deref()));
    report::summary(place, &ended, &told);
    ended
}

async fn back(flags: &cli::Rollback, place: &Place<'_>, told: &mut Told) -> Result<Outcome, Failure> {
    let preparing = Box::pin(prepare(flags, place));
    let change = match place.runner.cancel().guard(preparing).await {
        Ok(prepared) => prepared?,
        Err(cancelled) => return Err(cancelled.into()),
    };
    *told = change.told();
    held::free(&change.seen, place, false)?;
    let from = change.seen.current().to_owned();
    let undo = report::way_back(place, change.cdn.as_ref(), &from);
    let counts = change.plan.counts;
    let (done, release) = Box::pin(change.carry_out(false)).await?;
    let mut outcome =
        report::known(place, Some(&release.id), &done).fact("previous-release", text::line(&from));
    outcome.status = Status::RolledBack;
    outcome.headline = format!(
        "release `{}` is back in {}, in place of `{}`: {} copied",
        text::line(&release.id),
        place.target(),
        text::line(&from),
        report::counted(counts.added + counts.changed + counts.headers, "file"),
    );
    outcome.undo = Some(undo);
    let became = Became {
        status: "rolled-back",
        changed: true,
    };
    Ok(report::concluded(
        place,
        outcome,
        became,
        told.site_url.as_deref(),
    ))
}

async fn prepare<'a>(flags: &cli::Rollback, place: &'a Place<'a>) -> Result<Change<'a>, Error> {
    let seen = look::state(&place.bucket).await?;
    let cdn = Cdn::of(place, &flags.cdn).await?;
    let mut release = choose(seen.header.as_ref(), flags.to.as_deref())?;
    release.replaced = None;
    let Some(manifest) = store::manifest(place, &release.id).await? else {
        return Err(Error::NoRelease {
            what: format!("`{}`, whose manifest is gone,", text::line(&release.id)),
            there: String::new(),
        });
    };
    let target = manifest.target();
    let now = place.runner.now();
    let pace = Pace::shared(flags.speed.concurrency);
    let (seen, mut diff) = look::compare(&place.bucket, &target, now).await?;
    ask::all_doubts(place, Source::Store, &target, &mut diff, &pace).await?;
    check(place, &release, &target, &diff).await?;
    let plan = plan(&seen, &target, &mut diff, &release, now)?;
    let invalidation = invalidation(cdn.as_ref(), &diff, &target, true);
    for line in report::lines(&plan.counts, &invalidation, cdn.is_some(), Source::Store) {
        place.runner.info(&line);
    }
    let rolled_back_from = Some(seen.current().to_owned());
    Ok(Change {
        place,
        command: "rollback",
        seen,
        target,
        diff,
        plan,
        source: Source::Store,
        release,
        rolled_back_from,
        cdn,
        invalidation,
        pace,
        timeout: flags.speed.timeout,
    })
}

/// The plan, in which everything stays that the current release can be come back to by.
fn plan(
    seen: &Seen,
    target: &Target,
    diff: &mut Diff,
    release: &Release,
    now: jiff::Timestamp,
) -> Result<Plan, Error> {
    let basis = Basis {
        target,
        header: seen.header.as_ref(),
        is_new: true,
        tidy: Tidy {
            delete: false,
            keep: Keep {
                releases: usize::MAX,
                grace: None,
            },
            most: None,
        },
        now,
    };
    let mut plan = Plan::of(diff, &basis);
    plan.earlier.retain(|earlier| earlier.id != release.id);
    Ok(plan)
}

/// Whether all that is to be brought back is there.
pub(crate) async fn check(
    place: &Place<'_>,
    release: &Release,
    target: &Target,
    diff: &Diff,
) -> Result<(), Error> {
    let missing = missing(place, target, diff).await?;
    let Some(&first) = missing.first() else {
        return Ok(());
    };
    Err(Error::Gone {
        release: text::line(&release.id),
        missing: missing.len(),
        such: text::line(&target.items[first].key),
    })
}

/// The items that are to be written and whose content nobody has any more.
pub(crate) async fn missing(place: &Place<'_>, target: &Target, diff: &Diff) -> Result<Vec<usize>, Error> {
    let needs = |number: &usize| matches!(diff.found[*number].step, Step::Add | Step::Replace);
    let needed: Vec<usize> = (0..target.items.len()).filter(needs).collect();
    if needed.is_empty() {
        return Ok(needed);
    }
    let names: BTreeSet<Box<str>> = look::store(&place.bucket).await?.into_iter().collect();
    let digests = target.looks.digests();
    let is_missing = |number: &usize| {
        let item = &target.items[*number];
        let digest = digests.get(usize::from(item.look));
        digest.is_none_or(|digest| !names.contains(store_name(&item.sha256, *digest).as_str()))
    };
    Ok(needed.into_iter().filter(is_missing).collect())
}

/// The release that is meant.
fn choose(header: Option<&Header>, to: Option<&str>) -> Result<Release, Error> {
    let Some(header) = header else {
        return Err(Error::NoRelease {
            what: to.map_or_else(|| "before".to_owned(), |to| format!("`{}`", text::line(to))),
            there: ": nothing was published here".to_owned(),
        });
    };
    let found = match to {
        // After a rollback the release that it came from is newer than the current one, and nobody wants it back unasked.
        None => header
            .earlier
            .iter()
            .find(|release| release.at < header.release.at),
        Some(to) => {
            let mut named = header.earlier.iter().filter(|release| is_called(release, to));
            let first = named.next();
            if let (Some(one), Some(other)) = (first, named.next())
                && one.id != to
            {
                return Err(Error::Flag {
                    flag: "to",
                    reason: format!(
                        "`{}` and `{}` are both called so",
                        text::line(&one.id),
                        text::line(&other.id)
                    ),
                });
            }
            first
        }
    };
    found.cloned().ok_or_else(|| Error::NoRelease {
        what: to.map_or_else(
            || "before the current one".to_owned(),
            |to| format!("`{}`", text::line(to)),
        ),
        there: there(header, to),
    })
}

/// Whether a person means this release.
fn is_called(release: &Release, to: &str) -> bool {
    let commit = release.commit.as_ref();
    let is_commit = commit.is_some_and(|commit| to.len() >= SHORT && commit.starts_with(to));
    release.id.starts_with(to) || is_commit
}

/// Why there is no such release, and which there are.
fn there(header: &Header, to: Option<&str>) -> String {
    let to = to.unwrap_or_default();
    if !to.is_empty() && is_called(&header.release, to) {
        return ": it is the current one".to_owned();
    }
    let all = || std::iter::once(&header.release).chain(&header.earlier);
    let is_gone = time_of(to).is_some_and(|time| {
        let mut times = all().filter_map(|release| time_of(&release.id));
        times.all(|kept| time < kept)
    });
    let gone = if is_gone {
        ": it is from before all that are kept"
    } else {
        ""
    };
    let ids: Vec<String> = header
        .earlier
        .iter()
        .map(|release| format!("`{}`", text::line(&release.id)))
        .collect();
    match ids.is_empty() {
        true => format!("{gone}: there is only the current one"),
        false => format!("{gone}; there is {}", ids.join(", ")),
    }
}

/// The time in the id of a release, which sorts as text: `20260102T030405Z` of `20260102T030405Z-1a2b3c4`.
fn time_of(id: &str) -> Option<&str> {
    let (time, _) = id.split_once('-')?;
    let fits = |(at, byte): (usize, u8)| match at {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    (time.len() == 16 && time.bytes().enumerate().all(fits)).then_some(time)
}
