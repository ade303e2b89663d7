//! Invalidations: limits of what is in progress, one batch for one reference, and a state that changes with time.
//!
//! The limits are those of [the guide](https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html);
//! what a reference means is said by
//! [`CallerReference`](https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html). The status of
//! `InvalidationBatchAlreadyExists` is not documented; it is 409 here.

use std::time::Duration;

use super::batch::Batch;
use super::distribution::{Distributions, Kept};
use super::{Ask, NAMESPACE, paths, shown};
use crate::stand_ins::aws::home::Home;
use crate::stand_ins::aws::hosting::Settings;
use crate::stand_ins::aws::hosting::answered::{Answered, Refused, leaf, refused};
use crate::stand_ins::aws::s3::Taken;

/// One invalidation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalidation {
    /// Such as `I0000000000001`.
    pub id: String,
    /// Who asked for it chose it.
    pub reference: String,
    /// Paths, and tags with their `#`, as they were sent.
    pub paths: Vec<String>,
    /// When it was asked for, on the clock.
    pub created: Duration,
    /// When it is `Completed`.
    pub completes: Duration,
}

impl Invalidation {
    /// Its status at a moment: `InProgress` or `Completed`.
    #[must_use]
    pub fn status_at(&self, now: Duration) -> &'static str {
        if now < self.completes {
            "InProgress"
        } else {
            "Completed"
        }
    }
}

impl Distributions {
    /// Somebody else's invalidation of so many paths and so many that end with `*`, in progress from now on.
    pub fn fill(&mut self, id: &str, paths: usize, wildcards: usize) {
        let named = (0..paths).map(|number| format!("/elsewhere/{number}"));
        let wild = (0..wildcards).map(|number| format!("/elsewhere/{number}/*"));
        let batch = Batch {
            reference: format!("elsewhere-{}", self.asked),
            paths: named.chain(wild).collect(),
        };
        self.add_invalidation(id, batch);
    }

    pub(super) fn invalidate(
        &mut self,
        ask: &Ask,
        taken: &Taken,
        settings: &Settings,
        home: &Home,
    ) -> Result<Answered, Refused> {
        let now = self.now;
        let kept = self.kept(&ask.distribution)?;
        let batch = Batch::of(taken.bytes())?;
        let tags = kept.distribution.tags.is_some();
        if batch.paths.is_empty() || batch.paths.iter().any(|path| !paths::valid(path, tags)) {
            return Err(refused(
                400,
                "InvalidArgument",
                "Your request contains one or more invalid invalidation paths.",
            ));
        }
        if batch.paths.len() > settings.paths_limit {
            return Err(refused(
                413,
                "BatchTooLarge",
                "Invalidation batch specified is too large.",
            ));
        }
        if let Some(earlier) = earlier(kept, &batch)? {
            return Ok(created(&ask.distribution, earlier, home, now));
        }
        if !fits(kept, &batch, settings, now) {
            return Err(refused(
                400,
                "TooManyInvalidationsInProgress",
                "Processing your request will cause you to exceed the maximum number of in-progress wildcard invalidations or paths.",
            ));
        }
        self.add_invalidation(&ask.distribution, batch);
        let kept = self.kept(&ask.distribution)?;
        kept.apply(now);
        match kept.invalidations.last() {
            Some(made) => Ok(created(&ask.distribution, made, home, now)),
            None => Err(refused(500, "InternalError", "it was not kept")),
        }
    }

    fn add_invalidation(&mut self, id: &str, batch: Batch) {
        self.asked += 1;
        let invalidation = Invalidation {
            id: format!("I{:013}", self.asked),
            reference: batch.reference,
            paths: batch.paths,
            created: self.now,
            completes: self.now + self.takes,
        };
        if let Some(kept) = self.all.get_mut(id) {
            kept.due.push((self.now + self.lag, invalidation.paths.clone()));
            kept.invalidations.push(invalidation);
        }
    }
}

impl Kept {
    /// Takes out of the cache what is due: once, so that what comes in after that stays.
    pub(super) fn apply(&mut self, now: Duration) {
        for (_, paths) in self.due.extract_if(.., |(due, _)| *due <= now) {
            let named =
                |address: &str, tags: &[String]| paths.iter().any(|path| paths::means(path, address, tags));
            self.cache.retain(|address, cached| !named(address, &cached.tags));
        }
    }

    /// How many invalidations are not completed.
    pub(super) fn in_progress(&self, now: Duration) -> impl Iterator<Item = &Invalidation> {
        self.invalidations
            .iter()
            .filter(move |invalidation| invalidation.completes > now)
    }
}

/// The invalidation that was asked for with the same reference.
fn earlier<'a>(kept: &'a Kept, batch: &Batch) -> Result<Option<&'a Invalidation>, Refused> {
    let same = |known: &&Invalidation| known.reference == batch.reference;
    let Some(earlier) = kept.invalidations.iter().find(same) else {
        return Ok(None);
    };
    let sorted = |paths: &[String]| {
        let mut paths = paths.to_vec();
        paths.sort();
        paths
    };
    if sorted(&earlier.paths) == sorted(&batch.paths) {
        return Ok(Some(earlier));
    }
    Err(refused(
        409,
        "InvalidationBatchAlreadyExists",
        "The caller reference that you are using for this invalidation batch was used for another one.",
    ))
}

/// Whether there is room for a batch beside what is in progress.
fn fits(kept: &Kept, batch: &Batch, settings: &Settings, now: Duration) -> bool {
    let busy = kept.in_progress(now).flat_map(|known| &known.paths);
    let (wild, named): (Vec<&String>, Vec<&String>) =
        busy.chain(&batch.paths).partition(|path| paths::wild(path));
    wild.len() <= settings.wildcards_limit && named.len() <= settings.paths_limit
}

fn created(distribution: &str, invalidation: &Invalidation, home: &Home, now: Duration) -> Answered {
    let address = format!(
        "https://cloudfront.amazonaws.com/2020-05-31/distribution/{distribution}/invalidation/{}",
        invalidation.id
    );
    Answered::xml(
        201,
        "Invalidation",
        NAMESPACE,
        &shown::invalidation(invalidation, home, now),
    )
    .header("location", address)
}

pub(super) fn get(kept: &Kept, ask: &Ask, home: &Home, now: Duration) -> Result<Answered, Refused> {
    let found = kept
        .invalidations
        .iter()
        .find(|known| known.id == ask.invalidation);
    let found = found.ok_or_else(|| {
        refused(
            404,
            "NoSuchInvalidation",
            "The specified invalidation does not exist.",
        )
    })?;
    let text = shown::invalidation(found, home, now);
    Ok(Answered::xml(200, "Invalidation", NAMESPACE, &text))
}

/// A page, newest first.
pub(super) fn list(kept: &Kept, ask: &Ask, home: &Home, now: Duration) -> Result<Answered, Refused> {
    let marker = ask.query("Marker").unwrap_or_default();
    let wrong = || refused(400, "InvalidArgument", "The parameter MaxItems is invalid.");
    let most = match ask.query("MaxItems") {
        None => 100,
        Some(text) => text.parse::<usize>().map_err(|_| wrong())?,
    };
    let behind = kept
        .invalidations
        .iter()
        .rev()
        .skip_while(|known| !marker.is_empty() && known.id != marker)
        .skip(usize::from(!marker.is_empty()));
    let mut page: Vec<&Invalidation> = behind.take(most + 1).collect();
    let more = page.len() > most;
    page.truncate(most);
    let mut text = String::new();
    leaf(&mut text, "Marker", marker);
    if let Some(last) = page.last().filter(|_| more) {
        leaf(&mut text, "NextMarker", &last.id);
    }
    leaf(&mut text, "MaxItems", &most.to_string());
    leaf(&mut text, "IsTruncated", &more.to_string());
    leaf(&mut text, "Quantity", &page.len().to_string());
    text.push_str("<Items>");
    for known in page {
        text.push_str("<InvalidationSummary>");
        leaf(&mut text, "Id", &known.id);
        leaf(&mut text, "CreateTime", &shown::time(known.created, home));
        leaf(&mut text, "Status", known.status_at(now));
        text.push_str("</InvalidationSummary>");
    }
    text.push_str("</Items>");
    Ok(Answered::xml(200, "InvalidationList", NAMESPACE, &text))
}
