//! What a run does, and in which order: decided before anything is written. Pure.

use jiff::Timestamp;

use crate::api::copies::LARGEST;
use crate::diff::{Diff, Step};
use crate::former::{Content, Former};
use crate::keep::{Keep, Most, TooMany};
use crate::manifest::{Header, Release, Row};
use crate::phase::Phase;
use crate::target::{Look, Target};

/// What a run does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is written in each phase, by the numbers of items, in the order of their keys.
    pub writes: [Vec<usize>; 4],
    /// Earlier contents that are kept before they are overwritten.
    pub keeps: Vec<Former>,
    /// Objects of earlier releases that are deleted.
    pub deletes: Vec<Row>,
    /// Objects of earlier releases that stay for now.
    pub kept: Vec<Row>,
    /// Earlier releases that can still be gone back to, the latest first.
    pub earlier: Vec<Release>,
    /// Earlier releases that can't any more.
    pub fallen: Vec<Release>,
    /// What it comes to.
    pub counts: Counts,
    /// Why it must not be carried out: more would be deleted than is allowed.
    pub too_many: Option<TooMany>,
}

/// What it comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// New objects.
    pub added: u64,
    /// Objects whose content changes.
    pub changed: u64,
    /// Objects of which the headers alone change.
    pub headers: u64,
    /// Objects that are right.
    pub unchanged: u64,
    /// Objects that leave the site with this run.
    pub leaving: u64,
    /// Objects of earlier releases that are deleted.
    pub deleted: u64,
    /// Objects of earlier releases that stay for now.
    pub kept: u64,
    /// Bytes that go to the bucket.
    pub bytes: u64,
    /// Assets for good whose content changes under their name.
    pub broken_promises: u64,
    /// Files that are overwritten and too large to be kept: there is no way back to them.
    pub unkept: u64,
}

/// How a run is to treat what left the site.
#[derive(Clone, Copy, Debug)]
pub struct Tidy {
    /// Whether objects are deleted at all.
    pub delete: bool,
    /// What is kept.
    pub keep: Keep,
    /// How much may go at once.
    pub most: Option<Most>,
}

/// What the plan is made of, besides what was found.
#[derive(Clone, Copy, Debug)]
pub struct Basis<'a> {
    /// The release as it is to be.
    pub target: &'a Target,
    /// What the manifest says of the current release; none where there is none.
    pub header: Option<&'a Header>,
    /// Whether another release becomes the current one.
    pub is_new: bool,
    /// How what left the site is treated.
    pub tidy: Tidy,
    /// The time.
    pub now: Timestamp,
}

impl Plan {
    /// Plans. `diff` has no object left that must be asked.
    pub fn of(diff: &mut Diff, basis: &Basis<'_>) -> Self {
        let mut plan = Self::default();
        plan.keep(diff);
        for (number, (found, item)) in diff.found.iter().zip(&basis.target.items).enumerate() {
            let look = basis.target.looks.get(item.look);
            let counts = &mut plan.counts;
            match found.step {
                Step::Nothing | Step::Adopt | Step::Ask => counts.unchanged += 1,
                Step::Headers => counts.headers += 1,
                Step::Add => counts.added += 1,
                Step::Replace => {
                    counts.changed += 1;
                    counts.broken_promises += u64::from(look.is_some_and(|look| look.immutable));
                }
            }
            if matches!(found.step, Step::Add | Step::Replace) {
                counts.bytes += item.size;
            }
            if found.step.writes() {
                let phase = look.map_or(Phase::Others, |look| look.phase);
                plan.writes[phase as usize].push(number);
            }
        }
        plan.releases(basis);
        plan.sort_out(std::mem::take(&mut diff.retired), basis);
        plan.counts.leaving = diff.leaving as u64;
        if let Some(most) = basis.tidy.most {
            let known = basis.target.items.len() as u64 + plan.counts.deleted + plan.counts.kept;
            plan.too_many = most.allows(plan.counts.deleted, known).err();
        }
        plan
    }

    /// Which earlier contents are kept: all that are overwritten.
    fn keep(&mut self, diff: &mut Diff) {
        let mut recorded = std::mem::take(&mut diff.former).into_iter().peekable();
        for (item, found) in diff.found.iter().enumerate() {
            let former = recorded.next_if(|former| former.item == item);
            if !matches!(found.step, Step::Headers | Step::Replace) {
                continue;
            }
            if found.size > LARGEST {
                self.counts.unkept += 1;
                continue;
            }
            self.keeps.push(former.unwrap_or_else(|| Former {
                item,
                content: Content::Found,
                etag: found.etag.clone(),
                size: found.size,
            }));
        }
    }

    /// Which earlier releases stay.
    fn releases(&mut self, basis: &Basis<'_>) {
        let Some(header) = basis.header else { return };
        let mut earlier = header.earlier.clone();
        if basis.is_new {
            earlier.insert(
                0,
                Release {
                    replaced: Some(basis.now),
                    ..header.release.clone()
                },
            );
        }
        let current = if basis.is_new {
            basis.now
        } else {
            header.release.at
        };
        let kept = basis.tidy.keep.kept(&earlier, basis.now, current);
        self.fallen = earlier.split_off(kept);
        self.earlier = earlier;
    }

    /// Which objects of earlier releases go.
    fn sort_out(&mut self, retired: Vec<Row>, basis: &Basis<'_>) {
        // Where no other release comes, what left was of a run that did not finish, and pages of it may be in use.
        let stays = basis.header.filter(|_| !basis.is_new);
        for row in retired {
            let left_now = |header: &Header| {
                let retired = row.retired.as_ref();
                retired.is_some_and(|retired| retired.last == header.release.id)
            };
            let is_due =
                basis.tidy.keep.is_due(&row, &self.earlier, basis.now) && !stays.is_some_and(left_now);
            if basis.tidy.delete && is_due {
                self.deletes.push(row);
            } else {
                self.kept.push(row);
            }
        }
        self.counts.deleted = self.deletes.len() as u64;
        self.counts.kept = self.kept.len() as u64;
    }

    /// Whether anything of the site is written or deleted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.iter().all(Vec::is_empty) && self.deletes.is_empty() && self.counts.leaving == 0
    }
}

/// Keys that the CDN may still have another content of, once the run's writes are done: what was overwritten. What is new has
/// no cached answer but an error's, which CloudFront keeps for ten seconds. `adopted` says whether what is right already may
/// have been written by a run that did not finish.
pub fn stale<'a>(diff: &'a Diff, target: &'a Target, adopted: bool) -> impl Iterator<Item = &'a str> {
    let is_stale = move |step: Step| match step {
        Step::Replace | Step::Headers => true,
        Step::Adopt => adopted,
        Step::Add | Step::Nothing | Step::Ask => false,
    };
    diff.found
        .iter()
        .zip(&target.items)
        .filter(move |(found, _)| is_stale(found.step))
        .map(|(_, item)| item.key.as_ref())
}

/// Deleted keys that a cache may still have: not those of assets for good, which nobody asks for any more.
pub fn gone<'a>(
    deletes: impl Iterator<Item = &'a Row>,
    looks: impl Fn(u16) -> Option<&'a Look>,
) -> impl Iterator<Item = &'a str> {
    deletes
        .filter(move |row| !looks(row.look).is_some_and(|look| look.immutable))
        .map(|row| row.key.as_ref())
}

#[cfg(test)]
mod tests;
