//! What has to be done so that a bucket holds a release: a merge of what is wanted, what the manifest knows and what the
//! listing shows, all in the order of the keys' bytes. Pure.
//!
//! The listing is pushed page by page, and of it only what is needed later stays in memory.

use jiff::Timestamp;

use crate::etag::Etag;
use crate::former::{Content, Former};
use crate::headers::HeadersDigest;
use crate::intent::Left;
use crate::manifest::{ManifestError, Retired, Row};
use crate::target::{Item, Target};

/// An object as the listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key, without the prefix.
    pub key: Box<str>,
    /// Its size, in bytes.
    pub size: u64,
    /// Its ETag.
    pub etag: Etag,
}

/// What is to be done for one object of the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is right, and the manifest knows it.
    Nothing,
    /// It is right, but the manifest does not say so: an earlier run did not finish, or somebody put it there.
    Adopt,
    /// Only the object itself can say: the manifest does not know it as it is.
    Ask,
    /// Its content is right and its headers are not.
    Headers,
    /// It is not there.
    Add,
    /// Another content is there.
    Replace,
}

impl Step {
    /// Whether something is written for it.
    #[must_use]
    pub fn writes(self) -> bool {
        matches!(self, Self::Headers | Self::Add | Self::Replace)
    }
}

/// What was found for one object of the release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What is to be done.
    pub step: Step,
    /// The ETag of what is there.
    pub etag: Option<Etag>,
    /// The size of what is there, in bytes.
    pub size: u64,
}

/// What the three say together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// For each item of the release, in its order.
    pub found: Vec<Found>,
    /// Earlier contents of what is to be written.
    pub former: Vec<Former>,
    /// Objects that are there, of earlier releases and not of this one; those that left with it among them. Their looks are
    /// numbers of the manifest.
    pub retired: Vec<Row>,
    /// How many of these left with this release.
    pub leaving: usize,
    /// Whether each object wanted is in the manifest's release, with this content and these headers.
    pub is_same: bool,
    /// Whether the manifest has rows that hold no longer: of objects that somebody deleted or changed.
    pub outdated: bool,
    /// Keys of the manifest that somebody else has changed since, the first few.
    pub by_hand: Vec<Box<str>>,
    /// Objects under the prefix that are no business of ours.
    pub foreign: u64,
    /// Whether files of the current release are overwritten by a run that did not finish.
    pub is_mixed: bool,
}

impl Row {
    /// Whether what is listed has the content that was recorded.
    fn is_content_of(&self, listed: &Listed) -> bool {
        listed.etag == self.etag && listed.size == self.size
    }
}

impl Diff {
    /// Whether the objects wanted are those of the current release, as the manifest has them, but for what somebody else did.
    #[must_use]
    pub fn is_same_release(&self) -> bool {
        self.is_same && self.leaving == 0
    }

    /// Whether the bucket holds the release and the manifest says so.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.leaving == 0 && !self.outdated && self.found.iter().all(|found| found.step == Step::Nothing)
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DiffError {
    /// The manifest can't be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The store lists keys in another order than by their bytes.
    #[error("the listing is not in the order of the keys' bytes: `{after}` comes after `{before}`")]
    Unsorted {
        /// A key.
        before: String,
        /// The one behind it, which sorts before it.
        after: String,
    },
}

/// How many keys that somebody changed are named.
const NAMED: usize = 20;

/// The merge.
pub struct Merge<'a, R> {
    target: &'a Target,
    /// The digests of the target's looks.
    wanted: Vec<HeadersDigest>,
    at: usize,
    rows: R,
    row: Option<Row>,
    /// The digests of the manifest's looks, and whether each is the same look as that of the target.
    known: Vec<HeadersDigest>,
    left: &'a Left,
    /// The release that is current now, and the time.
    leaves: Retired,
    last: Option<Box<str>>,
    diff: Diff,
}

impl<'a, R: Iterator<Item = Result<Row, ManifestError>>> Merge<'a, R> {
    /// Begins. `known` are the digests of the manifest's looks, `current` is the id of the release that it describes.
    ///
    /// # Errors
    /// When the manifest's first row is damaged.
    pub fn new(
        target: &'a Target,
        mut rows: R,
        known: Vec<HeadersDigest>,
        left: &'a Left,
        current: &str,
        now: Timestamp,
    ) -> Result<Self, DiffError> {
        let row = rows.next().transpose()?;
        Ok(Self {
            target,
            wanted: target.looks.digests(),
            at: 0,
            rows,
            row,
            known,
            left,
            leaves: Retired {
                last: current.to_owned(),
                at: now,
            },
            last: None,
            diff: Diff {
                found: Vec::with_capacity(target.items.len()),
                is_same: true,
                ..Diff::default()
            },
        })
    }

    /// Takes the next object of the listing.
    ///
    /// # Errors
    /// When it is not behind the one before it, or the manifest is damaged.
    pub fn push(&mut self, listed: &Listed) -> Result<(), DiffError> {
        if let Some(last) = self.last.take().filter(|last| *last >= listed.key) {
            return Err(DiffError::Unsorted {
                before: last.into(),
                after: listed.key.clone().into(),
            });
        }
        while let Some(key) = self.next_key(Some(&listed.key)) {
            self.take(&key, None)?;
        }
        self.take(&listed.key, Some(listed))?;
        self.last = Some(listed.key.clone());
        Ok(())
    }

    /// Ends: nothing more is listed.
    ///
    /// # Errors
    /// When the manifest is damaged.
    pub fn finish(mut self) -> Result<Diff, DiffError> {
        while let Some(key) = self.next_key(None) {
            self.take(&key, None)?;
        }
        Ok(self.diff)
    }

    /// The first key before `bound` that is wanted or known.
    fn next_key(&self, bound: Option<&str>) -> Option<Box<str>> {
        let wanted = self.target.items.get(self.at).map(|item| &item.key);
        let known = self.row.as_ref().map(|row| &row.key);
        let first = match (wanted, known) {
            (Some(wanted), Some(known)) => wanted.min(known),
            (one, other) => one.or(other)?,
        };
        bound
            .is_none_or(|bound| first.as_ref() < bound)
            .then(|| first.clone())
    }

    /// Decides for one key.
    fn take(&mut self, key: &str, listed: Option<&Listed>) -> Result<(), DiffError> {
        let row = match self.row.take_if(|row| row.key.as_ref() == key) {
            Some(row) => {
                self.row = self.rows.next().transpose()?;
                Some(row)
            }
            None => None,
        };
        // A row is trusted as long as what is listed is what it recorded.
        let trusted = |row: &Row| {
            listed.is_some_and(|listed| row.is_content_of(listed)) && !self.left.touched.contains(key)
        };
        let is_trusted = row.as_ref().is_some_and(trusted);
        let is_ours = listed.is_some_and(|listed| self.left.may_have_written(key, listed.size));
        self.diff.is_mixed |= !is_trusted && is_ours && row.as_ref().is_some_and(|row| row.retired.is_none());
        let is_wanted = self
            .target
            .items
            .get(self.at)
            .is_some_and(|item| item.key.as_ref() == key);
        if is_wanted {
            self.wanted(row, is_trusted, is_ours, listed);
        } else {
            self.unwanted(row, is_trusted, is_ours, listed);
        }
        Ok(())
    }

    /// Decides for an object of the release.
    fn wanted(&mut self, row: Option<Row>, is_trusted: bool, is_ours: bool, listed: Option<&Listed>) {
        let at = self.at;
        self.at += 1;
        let item = &self.target.items[at];
        self.diff.is_same &= row.as_ref().is_some_and(|row| self.is_of_release(row, item));
        let Some(listed) = listed else {
            self.diff.outdated |= row.is_some();
            self.diff.found.push(Found {
                step: Step::Add,
                etag: None,
                size: 0,
            });
            return;
        };
        let step = match row {
            Some(row) if is_trusted && row.sha256.is_some() => {
                let known = self.known.get(usize::from(row.look)).copied();
                let wanted = self.wanted.get(usize::from(item.look)).copied();
                let step = if row.sha256 != Some(item.sha256) {
                    Step::Replace
                } else if known != wanted {
                    Step::Headers
                } else {
                    Step::Nothing
                };
                self.diff.outdated |= row.retired.is_some();
                if step.writes() {
                    self.former(at, &row);
                }
                step
            }
            // An unfinished run may have changed its headers, and its content is still what the manifest knows.
            Some(row) if row.is_content_of(listed) && row.sha256.is_some() => {
                if !self.is_of_release(&row, item) {
                    self.former(at, &row);
                }
                Step::Ask
            }
            Some(_) | None if listed.size != item.size => Step::Replace,
            // What an earlier release recorded is known to be that content; an unfinished run may have changed its headers.
            Some(_) | None
                if item.etag.as_ref() == Some(&listed.etag) && !is_ours && !self.is_touched(at) =>
            {
                Step::Adopt
            }
            Some(_) | None => Step::Ask,
        };
        self.diff.found.push(Found {
            step,
            etag: Some(listed.etag.clone()),
            size: listed.size,
        });
    }

    /// What the manifest knows of an object that is replaced can be kept.
    fn former(&mut self, item: usize, row: &Row) {
        let headers = self.known.get(usize::from(row.look)).copied();
        if let (Some(sha256), Some(headers)) = (row.sha256, headers) {
            self.diff.former.push(Former {
                item,
                content: Content::Recorded { sha256, headers },
                etag: Some(row.etag.clone()),
                size: row.size,
            });
        }
    }

    /// Whether the manifest's release has this object as it is wanted.
    fn is_of_release(&self, row: &Row, item: &Item) -> bool {
        let known = self.known.get(usize::from(row.look));
        row.retired.is_none()
            && row.sha256 == Some(item.sha256)
            && known.is_some()
            && known == self.wanted.get(usize::from(item.look))
    }

    fn is_touched(&self, item: usize) -> bool {
        self.left.touched.contains(&self.target.items[item].key)
    }

    /// Decides for what is not of the release.
    fn unwanted(&mut self, row: Option<Row>, is_trusted: bool, is_ours: bool, listed: Option<&Listed>) {
        let is_live = row.as_ref().is_some_and(|row| row.retired.is_none());
        self.diff.is_same &= !is_live;
        let Some(listed) = listed else {
            // What was deleted after it had left the site is no news.
            self.diff.outdated |= is_live;
            return;
        };
        match row {
            Some(row) if is_trusted => self.retire(row),
            // It is ours; of what is in it, or of its headers, nobody is sure.
            Some(row) if is_ours || (self.left.touched.contains(&row.key) && row.size == listed.size) => {
                self.diff.outdated = true;
                self.retire(Row {
                    sha256: None,
                    size: listed.size,
                    etag: listed.etag.clone(),
                    ..row
                });
            }
            None if is_ours => self.retire(Row {
                key: listed.key.clone(),
                sha256: None,
                size: listed.size,
                look: 0,
                etag: listed.etag.clone(),
                retired: None,
            }),
            // It was ours, and somebody has put something else there: it is theirs now.
            Some(row) => {
                self.diff.outdated = true;
                if self.diff.by_hand.len() < NAMED {
                    self.diff.by_hand.push(row.key);
                }
                self.diff.foreign += 1;
            }
            None => self.diff.foreign += 1,
        }
    }

    /// An object is there that is not of this release any more.
    fn retire(&mut self, mut row: Row) {
        if row.retired.is_none() {
            row.retired = Some(self.leaves.clone());
            self.diff.leaving += 1;
        }
        self.diff.retired.push(row);
    }
}

#[cfg(test)]
mod tests;
