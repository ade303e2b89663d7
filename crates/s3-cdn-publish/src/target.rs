//! What a bucket is to hold: the objects of a release, whether they come from a folder or from an earlier release.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::etag::Etag;
use crate::headers::{Headers, HeadersDigest};
use crate::phase::Phase;

/// A release as it is to be.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// Its objects, sorted by the bytes of their keys.
    pub items: Vec<Item>,
    /// How they are treated.
    pub looks: Looks,
}

/// One object of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its key, without the prefix.
    pub key: Box<str>,
    /// Its size, in bytes.
    pub size: u64,
    /// The SHA-256 of its content.
    pub sha256: [u8; 32],
    /// How it is treated: an index into the looks.
    pub look: u16,
    /// The ETag that it had when it was last right, where it comes from an earlier release.
    pub etag: Option<Etag>,
}

/// How an object is treated, beside its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// What it is served with.
    pub headers: Arc<Headers>,
    /// When it comes in a publish.
    pub phase: Phase,
    /// Whether its content never changes under its name.
    pub immutable: bool,
}

/// The few looks that many objects share.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Looks(Vec<Look>);

/// There are more looks than a site can have reason for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the rules give more than {} different sets of headers", u16::MAX)]
pub struct TooManyLooks;

impl Looks {
    /// The number of a look, which is added if it is new. Sites have a dozen; the last one is looked at first, because files of
    /// a folder are alike.
    ///
    /// # Errors
    /// When there are 65,535 already.
    pub fn number(&mut self, look: Look) -> Result<u16, TooManyLooks> {
        let found = self.0.iter().rposition(|known| {
            known.phase == look.phase
                && known.immutable == look.immutable
                && (Arc::ptr_eq(&known.headers, &look.headers) || known.headers == look.headers)
        });
        if let Some(at) = found {
            return u16::try_from(at).map_err(|_| TooManyLooks);
        }
        let at = u16::try_from(self.0.len()).map_err(|_| TooManyLooks)?;
        if at == u16::MAX {
            return Err(TooManyLooks);
        }
        self.0.push(look);
        Ok(at)
    }

    /// A look by its number.
    #[must_use]
    pub fn get(&self, number: u16) -> Option<&Look> {
        self.0.get(usize::from(number))
    }

    /// The digests of all headers, by number.
    #[must_use]
    pub fn digests(&self) -> Vec<HeadersDigest> {
        self.0.iter().map(|look| look.headers.digest()).collect()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests;
