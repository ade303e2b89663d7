//! The manifest: what a release put into the bucket, as an object in the bucket.
//!
//! It is what tells a change from no change without reading the site's objects: a row is trusted as long as the listing has
//! the ETag and the size that it recorded. Objects that earlier releases had and the current one has not are in it too, as
//! retired: only what is in a manifest is ever deleted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::etag::Etag;
use crate::target::{Item, Looks, Target};

mod text;

pub use text::{ManifestError, Reader, Writer};

/// The schema that this version writes, and the only one that it reads.
pub const SCHEMA: u32 = 1;

/// The first line: which release this is, and which there were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The schema.
    pub schema: u32,
    /// The release.
    pub release: Release,
    /// The release from which a rollback came back to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_from: Option<String>,
    /// The releases before it that can be gone back to, the latest first.
    #[serde(default)]
    pub earlier: Vec<Release>,
    /// How objects are treated; rows name them by number.
    pub looks: Looks,
}

/// A release, as `releases` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its id, such as `20260102T030405Z-1a2b3c4`.
    pub id: String,
    /// When it was published.
    pub at: Timestamp,
    /// The commit that it was built from, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Who published it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The run that published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Its trace id.
    pub trace: String,
    /// When another one took its place; none for the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<Timestamp>,
    /// How many files it has.
    pub files: u64,
    /// Their size together, in bytes.
    pub bytes: u64,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its key, without the prefix.
    pub key: Box<str>,
    /// The SHA-256 of its content; none where a run that never finished left it.
    pub sha256: Option<[u8; 32]>,
    /// Its size, in bytes.
    pub size: u64,
    /// How it is treated, by number.
    pub look: u16,
    /// The ETag that S3 answered when it was written.
    pub etag: Etag,
    /// Since when it is in no release any more; none for what is in the current one.
    pub retired: Option<Retired>,
}

/// When an object left the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// The id of the last release that had it.
    pub last: String,
    /// When the release came that had it no more.
    pub at: Timestamp,
}

/// A whole manifest in memory, for what reads it more than once.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// Its first line.
    pub header: Header,
    /// Its rows, sorted by the bytes of their keys.
    pub rows: Vec<Row>,
}

impl Manifest {
    /// Reads one.
    ///
    /// # Errors
    /// When it is damaged, or of a newer version.
    pub fn read(bytes: &[u8]) -> Result<Self, ManifestError> {
        let reader = Reader::new(bytes)?;
        let header = reader.header().clone();
        let rows = reader.collect::<Result<_, _>>()?;
        Ok(Self { header, rows })
    }

    /// The release that it describes, as something to bring about again.
    #[must_use]
    pub fn target(&self) -> Target {
        let live = self.rows.iter().filter(|row| row.retired.is_none());
        let items = live.filter_map(|row| {
            Some(Item {
                key: row.key.clone(),
                size: row.size,
                sha256: row.sha256?,
                look: row.look,
                etag: Some(row.etag.clone()),
            })
        });
        Target {
            items: items.collect(),
            looks: self.header.looks.clone(),
        }
    }
}
