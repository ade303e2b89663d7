//! Why a folder can't be published.

use std::fmt;
use std::io;

use gha::text;

/// How many entries are named.
const TOLD: usize = 10;

/// Why a folder can't be published, or its files not be read.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// There is no such folder.
    #[error("there is no `{root}`")]
    Missing {
        /// The folder.
        root: String,
    },
    /// It is something else.
    #[error("`{root}` is {kind}, not a folder")]
    NotAFolder {
        /// The path.
        root: String,
        /// What it is.
        kind: &'static str,
    },
    /// It can't be read.
    #[error("failed to read `{root}`: {error}")]
    Unreadable {
        /// The folder.
        root: String,
        /// Why.
        error: io::Error,
    },
    /// It is the working tree of a repository.
    #[error("`{root}` has `{name}` in it: it is a repository, not a built site")]
    Repository {
        /// The folder.
        root: String,
        /// What says so.
        name: String,
    },
    /// It has what the state would be mixed up with.
    #[error("`{root}` has `{name}` in it, under which this program keeps its state in the bucket")]
    Reserved {
        /// The folder.
        root: String,
        /// The name.
        name: &'static str,
    },
    /// Nothing to publish.
    #[error("`{root}` has no file to publish{}", beside(*.left_out))]
    Empty {
        /// The folder.
        root: String,
        /// How many hidden entries were left out.
        left_out: usize,
    },
    /// The document that visitors get first is not there.
    #[error("`{root}` has no `{document}`{}", elsewhere(.found.as_deref()))]
    NoIndex {
        /// The folder.
        root: String,
        /// The document.
        document: String,
        /// The first folder of the site that has one.
        found: Option<String>,
    },
    /// Entries that can't be published.
    #[error("{}", listed(.entries, *.more))]
    Refused {
        /// The first of them, by name.
        entries: Vec<Refusal>,
        /// How many more there are.
        more: usize,
    },
    /// More than can be held.
    #[error("`{root}` has over {most} files and folders")]
    TooMany {
        /// The folder.
        root: String,
        /// The limit.
        most: usize,
    },
    /// A file that changed while it was read.
    #[error("`{key}` changed while it was read: {how}")]
    Changed {
        /// Its key.
        key: String,
        /// What was seen.
        how: String,
    },
    /// A file that can't be read.
    #[error("failed to read `{key}`: {error}")]
    File {
        /// Its key.
        key: String,
        /// Why.
        error: io::Error,
    },
    /// The run was cancelled.
    #[error("cancelled while the files were read")]
    Cancelled,
}

/// An entry that can't be published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// Its path in the site, made visible.
    pub name: String,
    /// Why.
    pub why: Why,
}

/// Why an entry can't be published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its name is no UTF-8, and keys are.
    NotUtf8,
    /// Its key has more than 1,024 bytes (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>).
    LongKey(usize),
    /// A link out of the source.
    Outside(String),
    /// A link to what is never published.
    Forbidden(String),
    /// A link into a folder that it is in itself.
    Loop(String),
    /// A link to nothing.
    Dangling(String),
    /// A socket, a pipe, or a device.
    Special(&'static str),
    /// It can't be read.
    Unreadable(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("its name is not UTF-8, and keys are"),
            Self::LongKey(length) => write!(f, "its key has {length} bytes, and S3 takes 1024"),
            Self::Outside(target) => write!(f, "it is a link out of the source, to `{target}`"),
            Self::Forbidden(target) => write!(f, "it is a link to what is never published, `{target}`"),
            Self::Loop(target) => write!(f, "it is a link to a folder that it is in, `{target}`"),
            Self::Dangling(target) => write!(f, "it is a link to `{target}`, which is not there"),
            Self::Special(kind) => write!(f, "it is {kind}"),
            Self::Unreadable(error) => write!(f, "it can't be read: {error}"),
        }
    }
}

impl SiteError {
    /// What to do.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Missing { .. } | Self::NotAFolder { .. } => {
                "check `--source`, and that the build ran in this job: it is looked for from the working directory"
            }
            Self::Repository { .. } => {
                "publish the folder that the build writes, such as `dist`, `build`, `out` or `public`"
            }
            Self::Reserved { .. } => "take it out of the source",
            Self::Empty { .. } => {
                "check that the build wrote something; an empty source never empties a bucket"
            }
            Self::NoIndex { .. } => "check `--source`: it is the folder that visitors begin in",
            Self::Refused { .. } => "take these out of the source, or rename them",
            Self::TooMany { .. } => "check `--source`; links may repeat a folder many times",
            Self::Changed { .. } => {
                "wait for the build to end before publishing, and run it again: nothing was changed"
            }
            Self::Unreadable { .. } | Self::File { .. } => "check the permissions of the user that runs this",
            Self::Cancelled => return None,
        })
    }
}

fn beside(left_out: usize) -> String {
    match left_out {
        0 => String::new(),
        1 => "; 1 hidden entry is left out".to_owned(),
        more => format!("; {more} hidden entries are left out"),
    }
}

fn elsewhere(found: Option<&str>) -> String {
    found.map_or_else(String::new, |found| {
        format!(
            "; the first one is in `{}`",
            text::cut(&text::visible(found), 200)
        )
    })
}

/// One line each.
fn listed(entries: &[Refusal], more: usize) -> String {
    let told: Vec<String> = entries
        .iter()
        .take(TOLD)
        .map(|entry| format!("`{}` can't be published: {}", entry.name, entry.why))
        .collect();
    match more + entries.len().saturating_sub(TOLD) {
        0 => told.join("\n"),
        more => format!("{}\nand {more} more", told.join("\n")),
    }
}
