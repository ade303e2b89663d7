//! How far a commit is from its last tag: the walk of `git describe`, and the count of `git rev-list --count`.
//!
//! Git's own walk (`builtin/describe.c`), because the number is read beside git's: newest commits first, and of equal
//! times the one that was found first. Where a clock ran backwards git's number is an estimate, and so is this one.
//! gix-revision has this walk too, on a heap that forgets who came first: of random histories with merges in one second
//! one in forty gets another tag or number than from git. And it does not know the boundary of a shallow clone.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use gix_hash::ObjectId;

use super::CheckoutError;
use super::repository::Repository;

/// How many tags compete to be the nearest, as in git (`--candidates`).
const CANDIDATES: usize = 10;

/// A tag that was met.
struct Candidate<'a> {
    tag: &'a str,
    /// Commits that are not in the tag's past.
    distance: u64,
    /// Its bit among the flags of a commit that is in its past.
    bit: u16,
}

/// A commit that waits for its turn. Ordered newest first, then first come.
type Waiting = (i64, Reverse<u64>, ObjectId, Vec<ObjectId>);

/// The commits on the edge of the walk, and of each seen one the tags in whose past it is.
struct Walk<'a> {
    repository: &'a Repository,
    waiting: BinaryHeap<Waiting>,
    flags: HashMap<ObjectId, u16>,
    found: u64,
}

impl Walk<'_> {
    fn flags(&self, id: &ObjectId) -> u16 {
        self.flags.get(id).copied().unwrap_or_default()
    }

    /// Finds a commit, and says that it is in the past of the tags of `flags`.
    fn find(&mut self, id: ObjectId, flags: u16) -> Result<(), CheckoutError> {
        if let Some(known) = self.flags.get_mut(&id) {
            *known |= flags;
            return Ok(());
        }
        let commit = self.repository.commit(id)?;
        self.flags.insert(id, flags);
        self.found += 1;
        let time = commit.seconds.unwrap_or_default();
        self.waiting.push((time, Reverse(self.found), id, commit.parents));
        Ok(())
    }
}

/// The nearest tag of the `tags` and its distance from `head`.
pub(super) fn nearest(
    repository: &Repository,
    head: ObjectId,
    tags: &HashMap<ObjectId, String>,
) -> Result<Option<(String, u64)>, CheckoutError> {
    if tags.is_empty() {
        return Ok(None);
    }
    let mut walk = Walk {
        repository,
        waiting: BinaryHeap::new(),
        flags: HashMap::new(),
        found: 0,
    };
    walk.find(head, 0)?;
    let mut candidates: Vec<Candidate<'_>> = Vec::new();
    let mut seen = 0;
    while let Some(commit) = walk.waiting.pop() {
        let (_, _, id, ref parents) = commit;
        if let Some(tag) = tags.get(&id) {
            if candidates.len() == CANDIDATES {
                walk.waiting.push(commit);
                break;
            }
            let bit = 1 << candidates.len();
            walk.find(id, bit)?;
            candidates.push(Candidate {
                tag,
                distance: seen,
                bit,
            });
        }
        seen += 1;
        let flags = walk.flags(&id);
        for candidate in candidates.iter_mut().filter(|tag| flags & tag.bit == 0) {
            candidate.distance += 1;
        }
        if walk.waiting.is_empty() && is_behind_the_nearest(flags, &candidates) {
            break;
        }
        for parent in parents {
            walk.find(*parent, flags)?;
        }
    }
    // Of equal distances the first that was met.
    let nearest = candidates.into_iter().min_by_key(|tag| tag.distance);
    nearest
        .map(|nearest| Ok((nearest.tag.to_owned(), distance(walk, &nearest)?)))
        .transpose()
}

/// On a single line of history: whether it lies in the past of all the nearest tags, so that no more is to be learned.
fn is_behind_the_nearest(flags: u16, candidates: &[Candidate<'_>]) -> bool {
    let least = candidates.iter().map(|tag| tag.distance).min();
    let mut nearest = candidates.iter().filter(|tag| Some(tag.distance) == least);
    !candidates.is_empty() && nearest.all(|tag| flags & tag.bit != 0)
}

/// Walks on until all that waits is in the tag's past.
fn distance(mut walk: Walk<'_>, tag: &Candidate<'_>) -> Result<u64, CheckoutError> {
    let mut distance = tag.distance;
    while let Some((_, _, id, parents)) = walk.waiting.pop() {
        let flags = walk.flags(&id);
        if flags & tag.bit == 0 {
            distance += 1;
        } else if walk
            .waiting
            .iter()
            .all(|(_, _, id, _)| walk.flags(id) & tag.bit != 0)
        {
            break;
        }
        for parent in parents {
            walk.find(parent, flags)?;
        }
    }
    Ok(distance)
}

/// How many commits `head` has, itself included.
pub(super) fn count(repository: &Repository, head: ObjectId) -> Result<u64, CheckoutError> {
    let mut seen = HashSet::from([head]);
    let mut waiting = vec![head];
    let mut count = 0;
    while let Some(id) = waiting.pop() {
        count += 1;
        let parents = repository.commit(id)?.parents;
        waiting.extend(parents.into_iter().filter(|parent| seen.insert(*parent)));
    }
    Ok(count)
}
