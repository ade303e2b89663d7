//! What a run is about to do that neither manifest nor listing would show if it never finished: keys that it writes, and
//! keys whose headers alone it changes. Written before the first of them, and taken off when the run has said the same in the
//! manifest; a run that finds one knows what another left.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use gha::text;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The schema that this version writes, and the only one that it reads.
const SCHEMA: u32 = 1;

/// The most that one unpacks to: a million keys of 256 characters.
const LARGEST: u64 = 256 * 1024 * 1024;

/// What a run is about to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    schema: u32,
    #[serde(flatten)]
    left: Left,
}

/// What an unfinished run may have left, besides what the manifest says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Keys whose content it may have written, without the prefix, and the sizes that it would have given them. What has
    /// another size is somebody else's.
    pub written: BTreeMap<Box<str>, BTreeSet<u64>>,
    /// Keys whose headers alone it may have changed, which no ETag shows.
    pub touched: BTreeSet<Box<str>>,
}

impl Left {
    /// Whether nothing was left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.written.is_empty() && self.touched.is_empty()
    }

    /// Whether an object of this size under this key may be of an unfinished run.
    #[must_use]
    pub fn may_have_written(&self, key: &str, size: u64) -> bool {
        self.written.get(key).is_some_and(|sizes| sizes.contains(&size))
    }
}

impl Default for Intent {
    fn default() -> Self {
        Self::new(&Left::default(), [], [])
    }
}

impl Intent {
    /// What this run is about to do, and what one before it left.
    #[must_use]
    pub fn new<'a>(
        left: &Left,
        written: impl IntoIterator<Item = (&'a str, u64)>,
        touched: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut left = left.clone();
        for (key, size) in written {
            left.written.entry(key.into()).or_default().insert(size);
        }
        left.touched.extend(touched.into_iter().map(Box::from));
        Self { schema: SCHEMA, left }
    }

    /// Whether there is nothing to be said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Reads one.
    ///
    /// # Errors
    /// When it is damaged, or of a newer version.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let damaged = |why: String| {
            Error::State(format!(
                "what an unfinished run left is damaged: {}",
                text::line(&why)
            ))
        };
        let mut plain = Vec::new();
        GzDecoder::new(bytes)
            .take(LARGEST)
            .read_to_end(&mut plain)
            .map_err(|error| damaged(error.to_string()))?;
        let intent: Self = serde_json::from_slice(&plain).map_err(|error| damaged(error.to_string()))?;
        if intent.schema > SCHEMA {
            return Err(damaged(format!(
                "it has schema {}, and this version knows {SCHEMA}",
                intent.schema
            )));
        }
        Ok(intent)
    }

    /// As bytes.
    ///
    /// # Errors
    /// When it can't be compressed.
    pub fn bytes(&self) -> Result<Vec<u8>, Error> {
        let failed = |error: std::io::Error| Error::State(error.to_string());
        let mut out = GzEncoder::new(Vec::new(), Compression::fast());
        serde_json::to_writer(&mut out, self).map_err(|error| failed(error.into()))?;
        out.flush().and_then(|()| out.finish()).map_err(failed)
    }

    /// What may be in the bucket because of it.
    #[must_use]
    pub fn left(self) -> Left {
        self.left
    }
}

#[cfg(test)]
mod tests;
