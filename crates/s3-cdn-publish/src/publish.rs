//! The commands `publish` and `plan`: a folder becomes the current release.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join;
use gha::outcome::Outcome;
use gha::{Failure, Runner, Status, text};
use jiff::Timestamp;

use crate::ask;
use crate::cdn::Cdn;
use crate::change::{Change, Done};
use crate::cli;
use crate::diff::Diff;
use crate::error::Error;
use crate::groups;
use crate::held;
use crate::invalidation::{Invalidation, Kept};
use crate::keep::{Keep, TooMany};
use crate::lock::{Lock, Stage};
use crate::look::{self, Seen};
use crate::manifest::Header;
use crate::pace::Pace;
use crate::place::Place;
use crate::plan::{Basis, Counts, Plan, Tidy, stale};
use crate::release;
use crate::report::{self, Became, Told};
use crate::store;
use crate::target::Target;
use crate::write::Source;

/// Runs `publish`.
///
/// # Errors
/// When the folder can't be published; the failure says what visitors see.
pub async fn run(flags: &cli::Publish, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.place, runner).await?;
    at(flags, &place).await
}

/// The same at a place that is known already.
///
/// # Errors
/// As [`run`].
pub async fn at(flags: &cli::Publish, place: &Place<'_>) -> Result<Outcome, Failure> {
    let mut told = Told::of(place);
    let ended = publish(flags, place, &mut told).await;
    let ended = ended.map_err(|failure| report::failed(place, failure, told.site_url.as_deref()));
    report::summary(place, &ended, &told);
    ended
}

/// Runs `plan`.
///
/// # Errors
/// When `publish` would end before it changed anything; what would be deleted is shown all the same where it is too much.
pub async fn show(flags: &cli::Publish, runner: &Runner) -> Result<Outcome, Failure> {
    let place = Place::of(&flags.place, runner).await?;
    show_at(flags, &place).await
}

/// The same at a place that is known already.
///
/// # Errors
/// As [`show`].
pub async fn show_at(flags: &cli::Publish, place: &Place<'_>) -> Result<Outcome, Failure> {
    let runner = place.runner;
    let planning = async {
        let planned = Box::pin(prepare(flags, place)).await?;
        if let Err(error) = held::free(&planned.seen, place, false) {
            runner.warn(&error.to_string());
        }
        planned.show(place);
        Ok::<_, Failure>(planned)
    };
    let planned = match runner.cancel().guard(Box::pin(planning)).await {
        Ok(planned) => planned?,
        Err(cancelled) => return Err(cancelled.into()),
    };
    let told = planned.told(place);
    report::show(&told.groups, runner);
    report::show(groups::paths(&planned.invalidation.items).as_slice(), runner);
    let counts = planned.plan.counts;
    let headline = if planned.is_settled() {
        format!("{} is as it is to be: nothing would change", place.target())
    } else {
        format!(
            "publish would add {}, change {}, give {} other headers and delete {} in {}",
            report::counted(counts.added, "file"),
            counts.changed,
            counts.headers,
            counts.deleted,
            place.target()
        )
    };
    let mut outcome = Outcome::new(Status::Unchanged, headline)
        .target(place.target())
        .fact("added", counts.added)
        .fact("changed-files", counts.changed)
        .fact("headers-only", counts.headers)
        .fact("unchanged", counts.unchanged)
        .fact("leaving", counts.leaving)
        .fact("deleted", counts.deleted)
        .fact("kept", counts.kept)
        .fact("bytes", counts.bytes)
        .fact("files", groups::value(&told.groups))
        .fact("paths", planned.invalidation.items.clone());
    outcome.environment.clone_from(&place.flags.environment);
    outcome.dry_run = true;
    let ended = match planned.plan.too_many {
        Some(too_many) => Err(refusal(too_many).knowing(outcome)),
        None => Ok(outcome),
    };
    report::summary(place, &ended, &told);
    ended
}

/// What `plan` says of a plan that `publish` would not carry out.
fn refusal(too_many: TooMany) -> Failure {
    let failure = Failure::from(Error::from(too_many));
    let says = format!("`publish` would refuse this: {}", failure.error);
    let refusal = Failure::new(failure.exit, says);
    match failure.help {
        Some(help) => refusal.help(help),
        None => refusal,
    }
}

/// All that is decided before anything is written.
struct Planned {
    seen: Seen,
    target: Target,
    diff: Diff,
    plan: Plan,
    cdn: Option<Cdn>,
    invalidation: Invalidation,
    /// Whether the files are another release than the current one.
    is_new: bool,
    pace: Rc<RefCell<Pace>>,
}

async fn publish(flags: &cli::Publish, place: &Place<'_>, told: &mut Told) -> Result<Outcome, Failure> {
    let preparing = Box::pin(prepare(flags, place));
    let planned = match place.runner.cancel().guard(preparing).await {
        Ok(planned) => planned?,
        Err(cancelled) => return Err(cancelled.into()),
    };
    planned.show(place);
    *told = planned.told(place);
    held::free(&planned.seen, place, false)?;
    if let Some(too_many) = planned.plan.too_many {
        // What would go is what a person has to look at now.
        report::show_deleted(&told.groups, place.runner);
        return Err(Error::from(too_many).into());
    }
    if planned.is_settled() {
        return Ok(unchanged(place, &planned, told.site_url.as_deref()));
    }
    let (previous, is_new) = (planned.seen.current().to_owned(), planned.is_new);
    let counts = planned.plan.counts;
    let can_go_back = is_new && planned.plan.earlier.iter().any(|release| release.id == previous);
    let undo = report::way_back(place, planned.cdn.as_ref(), &previous);
    let now = after_all(place.runner.now(), planned.seen.header.as_ref());
    let release = match &planned.seen.header {
        Some(header) if !is_new => header.release.clone(),
        _ => release::of(&planned.target, place.runner, now),
    };
    let change = Change {
        place,
        command: "publish",
        seen: planned.seen,
        target: planned.target,
        diff: planned.diff,
        plan: planned.plan,
        source: Source::Folder(&flags.source.source),
        release,
        rolled_back_from: None,
        cdn: planned.cdn,
        invalidation: planned.invalidation,
        pace: planned.pace,
        timeout: flags.speed.timeout,
    };
    let (done, release) = Box::pin(change.carry_out(false)).await?;
    let mut outcome = report::known(place, Some(&release.id), &done);
    outcome.status = Status::Done;
    outcome.headline = headline(place, &release.id, &counts, &done);
    if !previous.is_empty() && is_new {
        outcome = outcome.fact("previous-release", text::line(&previous));
    }
    if can_go_back {
        outcome.undo = Some(undo);
    }
    let became = Became {
        status: "published",
        changed: true,
    };
    if let Some(kept) = done.not_deleted.first() {
        return Err(not_deleted(&release.id, &done, kept).knowing(outcome.fact("changed", true)));
    }
    Ok(report::concluded(
        place,
        outcome,
        became,
        told.site_url.as_deref(),
    ))
}

/// The time of a release that comes now: behind those that were there, also where another machine's clock runs ahead.
fn after_all(now: Timestamp, header: Option<&Header>) -> Timestamp {
    let before = header
        .into_iter()
        .flat_map(|header| std::iter::once(&header.release).chain(&header.earlier));
    let latest = before.map(|release| release.at).max();
    latest.map_or(now, |latest| now.max(latest + Duration::from_millis(1)))
}

fn headline(place: &Place<'_>, release: &str, counts: &Counts, done: &Done) -> String {
    format!(
        "published release `{release}` to {}: {} sent, {} with other headers, {} unchanged, {} deleted",
        place.target(),
        report::counted(done.uploaded, "file"),
        counts.headers,
        counts.unchanged,
        done.deleted
    )
}

/// Objects that were to be deleted and are there.
pub(crate) fn not_deleted(release: &str, done: &Done, kept: &crate::api::deletes::Kept) -> Failure {
    let reason = format!(
        "release `{release}` serves, and {} of earlier releases {} not deleted, such as `{}`: {}",
        report::counted(done.not_deleted.len() as u64, "object"),
        if done.not_deleted.len() == 1 {
            "was"
        } else {
            "were"
        },
        text::line(&kept.key),
        kept.why
    );
    Failure::new(gha::Exit::NeedsHuman, reason).help(
        "allow `s3:DeleteObject` for the site's objects, and publish again or run `s3-cdn-publish prune`",
    )
}

fn unchanged(place: &Place<'_>, planned: &Planned, site_url: Option<&str>) -> Outcome {
    let id = planned.seen.current();
    let mut outcome = report::known(place, Some(id), &Done::default());
    outcome.status = Status::Unchanged;
    outcome.headline = format!(
        "release `{}` is in {} already: nothing to do",
        text::line(id),
        place.target()
    );
    report::concluded(place, outcome, Became::UNCHANGED, site_url)
}

/// The address of the site, as the flags or the distribution tell it.
pub(crate) fn site_url(place: &Place<'_>, cdn: Option<&Cdn>) -> Option<String> {
    place
        .flags
        .site_url
        .clone()
        .or_else(|| cdn.and_then(Cdn::site_url))
}

/// Looks, and decides.
async fn prepare(flags: &cli::Publish, place: &Place<'_>) -> Result<Planned, Error> {
    let runner = place.runner;
    let pace = Pace::shared(flags.speed.concurrency);
    let target = crate::folder::read(
        &flags.source,
        place.bucket.prefix().len(),
        flags.cdn.cache_tag.as_deref(),
        runner,
    )
    .await?;
    let now = runner.now();
    let comparing = Box::pin(look::compare(&place.bucket, &target, now));
    let (cdn, compared) = join(Cdn::of(place, &flags.cdn), comparing).await;
    if let Err(error @ Error::NotS3 { .. }) = compared {
        // It is no CloudFront either, and this says what to do.
        return Err(error);
    }
    let (cdn, (seen, mut diff)) = (cdn?, compared?);
    let source = Source::Folder(Path::new(&flags.source.source));
    ask::all_doubts(place, source, &target, &mut diff, &pace).await?;
    for key in &diff.by_hand {
        runner.warn(&format!(
            "`{}` was changed by somebody else since it was published, and is no file of this site any more: it is left alone",
            text::line(key)
        ));
    }
    let is_new = seen.header.is_none() || !diff.is_same_release();
    let tidy = Tidy {
        delete: flags.delete,
        keep: Keep {
            releases: flags.tidy.keep_releases,
            grace: flags.tidy.grace,
        },
        most: Some(flags.tidy.max_delete),
    };
    let basis = Basis {
        target: &target,
        header: seen.header.as_ref(),
        is_new,
        tidy,
        now,
    };
    let plan = Plan::of(&mut diff, &basis);
    let invalidation = invalidation(cdn.as_ref(), &diff, &target, seen.manifest.is_some());
    Ok(Planned {
        seen,
        target,
        diff,
        plan,
        cdn,
        invalidation,
        is_new,
        pace,
    })
}

/// What the CDN is told.
pub(crate) fn invalidation(cdn: Option<&Cdn>, diff: &Diff, target: &Target, adopted: bool) -> Invalidation {
    let Some(cdn) = cdn else {
        return Invalidation::default();
    };
    let changed: Vec<&str> = stale(diff, target, adopted).collect();
    let kept = target.items.iter().zip(&diff.found).filter_map(|(item, found)| {
        let is_right = matches!(found.step, crate::diff::Step::Nothing | crate::diff::Step::Adopt);
        is_right.then(|| Kept {
            key: &item.key,
            immutable: target.looks.get(item.look).is_some_and(|look| look.immutable),
        })
    });
    cdn.plan(&changed, kept)
}

impl Planned {
    /// Whether there is nothing to do.
    fn is_settled(&self) -> bool {
        // What is owed to a CDN that is not named can't be paid here.
        let is_free =
            |lock: &Lock| lock.stage == Stage::Left && (lock.pending.is_none() || self.cdn.is_none());
        self.diff.is_settled()
            && self.plan.is_empty()
            && store::unlisted(&self.plan, &self.seen, self.seen.current()).is_empty()
            && self.seen.header.is_some()
            && self.seen.left.is_empty()
            && self.seen.lock.as_ref().is_none_or(|(lock, _)| is_free(lock))
    }

    /// What the summary tells of it.
    fn told(&self, place: &Place<'_>) -> Told {
        Told {
            counts: Some(self.plan.counts),
            groups: groups::of(&self.target, &self.diff, &self.plan, self.seen.current()),
            invalidation: self.invalidation.clone(),
            site_url: site_url(place, self.cdn.as_ref()),
        }
    }

    fn show(&self, place: &Place<'_>) {
        let source = Source::Folder(Path::new(""));
        for line in report::lines(&self.plan.counts, &self.invalidation, self.cdn.is_some(), source) {
            place.runner.info(&line);
        }
        let unkept = self.plan.counts.unkept;
        if unkept > 0 {
            place.runner.warn(&format!(
                "{} of over 5 GiB, overwritten, can't be kept: there is no way back to what is there now",
                report::counted(unkept, "file")
            ));
        }
        let broken = self.plan.counts.broken_promises;
        if broken > 0 {
            place.runner.warn(&format!(
                "another content under a name that stands for its content: {}; browsers that have the earlier one keep it for as \
                 long as its `Cache-Control` says",
                report::counted(broken, "file")
            ));
        }
    }
}

#[cfg(test)]
mod tests;
