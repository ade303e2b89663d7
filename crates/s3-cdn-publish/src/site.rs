//! The files of a built site: which there are, under which keys, and what is in them.
//!
//! Names are kept exactly, byte for byte: S3 does not normalise them, and what pages refer to is what build tools wrote.
//! Links are followed where they stay inside of the source. Hidden files are left out but for `.well-known`; what is of a
//! version control system, `.env` files and what desktops leave behind are never published.
//!
//! A tree that changes while it is read is refused, not locked: a file that is replaced by one of the same length within
//! the clock's resolution between two reads is seen only by S3, which is sent the digest.

use std::path::{Path, PathBuf};

mod alike;
mod digest;
mod error;
mod names;
mod walk;

pub use digest::{Progress, digest, md5};
pub use error::{Refusal, SiteError, Why};
pub use walk::scan;

/// A site's folder and what is in it.
#[derive(Clone, Debug)]
pub struct Site {
    /// The folder, without links in it.
    pub root: PathBuf,
    /// What is published, sorted by the bytes of the keys.
    pub files: Vec<File>,
    /// What is not.
    pub left_out: LeftOut,
    /// Keys that look the same and differ in how their letters are composed, as a Mac and Linux write them: up to 20
    /// pairs. They are different files to S3.
    pub alike: Vec<(Box<str>, Box<str>)>,
}

/// A file that is published. There may be 200,000 of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path in the site with `/`, which is its key without the prefix.
    pub key: Box<str>,
    /// Its length in bytes.
    pub size: u64,
    /// The SHA-256 of its bytes; zeros before [`digest()`].
    pub sha256: [u8; 32],
}

/// What was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many files and folders; a folder counts once.
    pub count: usize,
    /// The first of them, by name.
    pub names: Vec<String>,
}

/// What to publish of a folder.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether hidden files are published, beyond `.well-known`.
    pub hidden: bool,
    /// Whether the folder may be the working tree of a repository. Its `.git` is left out all the same.
    pub repository: bool,
    /// The document that the folder must have, if any.
    pub index: Option<String>,
    /// The length of the prefix that the keys get, in bytes.
    pub prefix: usize,
    /// How many files and folders there may be.
    pub most: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hidden: false,
            repository: false,
            index: Some(crate::rules::INDEX.to_owned()),
            prefix: 0,
            most: 2_000_000,
        }
    }
}

impl Site {
    /// Where a file lies.
    #[must_use]
    pub fn path(&self, file: &File) -> PathBuf {
        path(&self.root, &file.key)
    }

    /// The file of a key.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<&File> {
        let at = self.files.binary_search_by(|file| (*file.key).cmp(key)).ok()?;
        self.files.get(at)
    }

    /// Whether there is a key.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// The bytes of all files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// Where a key lies.
fn path(root: &Path, key: &str) -> PathBuf {
    root.join(key)
}

#[cfg(test)]
mod tests;
