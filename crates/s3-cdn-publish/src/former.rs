//! Earlier contents: what is overwritten is kept before, so that there is a way back.

use sha2::{Digest as _, Sha256};

use crate::etag::Etag;
use crate::headers::HeadersDigest;
use crate::hex::Hex;
use crate::look::STORE;
use crate::write::store_key;

/// The earlier content of an object that is to be written. It is kept before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// Which item of the release replaces it.
    pub item: usize,
    /// What is known of it.
    pub content: Content,
    /// Its ETag.
    pub etag: Option<Etag>,
    /// Its size, in bytes.
    pub size: u64,
}

/// What is known of an earlier content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// What the manifest says.
    Recorded {
        /// Its SHA-256.
        sha256: [u8; 32],
        /// The digest of its headers.
        headers: HeadersDigest,
    },
    /// Nothing: another program put it there, somebody's hand, or a run that did not finish.
    Found,
}

impl Former {
    /// The key under which it is kept. `key` is that of the object itself.
    #[must_use]
    pub fn store_key(&self, key: &str) -> String {
        match self.content {
            Content::Recorded { sha256, headers } => store_key(&sha256, headers),
            Content::Found => {
                let mut hash = Sha256::new();
                hash.update((key.len() as u64).to_be_bytes());
                hash.update(key);
                hash.update(self.etag.as_ref().map(ToString::to_string).unwrap_or_default());
                format!("{STORE}{}-found", Hex(&hash.finalize()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_that_nobody_recorded_are_told_apart_by_key_and_etag() {
        let former = |etag: &str| Former {
            item: 0,
            content: Content::Found,
            etag: Some(Etag::new(etag)),
            size: 0,
        };
        let keys = [
            former("x").store_key("a"),
            former("y").store_key("a"),
            former("x").store_key("b"),
            former("").store_key("ax"),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(key.starts_with(STORE) && key.ends_with("-found"));
            assert!(!keys[..at].contains(key));
        }
        assert_eq!(former("x").store_key("a"), keys[0]);
    }
}
