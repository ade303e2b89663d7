//! The lock: an object in the bucket that says who is publishing, and what a run that did not finish may have left.
//!
//! It is written only if none is there and changed only if it is as it was read, so that of two runs one gives way
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>).

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use gha::text;

use crate::etag::Etag;

/// The schema that this version writes, and the only one that it reads.
pub const SCHEMA: u32 = 1;

/// How long a lock holds that nobody writes again: its run was killed, or its machine is gone.
pub const LASTS: Duration = Duration::from_secs(120);

/// The lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// The schema.
    pub schema: u32,
    /// A number that only this run knows, so that it knows its own lock.
    pub nonce: String,
    /// The run, for people: `acme/shop:42.1`, or who and where.
    pub run: String,
    /// Where the run can be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The run, for programs.
    pub trace: String,
    /// The command, such as `publish`.
    pub command: String,
    /// When it began.
    pub began: Timestamp,
    /// When it was last written, by its run's clock: a run that lives writes it again and again, each time with another content.
    pub seen: Timestamp,
    /// How far it is.
    pub stage: Stage,
    /// The release that it makes current.
    pub release: String,
    /// The ETag of the manifest that it began from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The invalidation that it owes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It adds what nothing refers to yet: no visitor sees a difference.
    Adding,
    /// It changes what visitors see.
    Switching,
    /// It is over, without having finished: what it left is for the next run.
    Left,
}

/// An invalidation that is owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The distribution.
    pub distribution: String,
    /// The caller reference, by which CloudFront knows a repeated request.
    pub reference: String,
    /// The paths.
    pub items: Vec<String>,
}

/// Why a lock can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LockError {
    /// Of a newer version.
    #[error("the lock has schema {0}, and this version knows {SCHEMA}")]
    Newer(u32),
    /// Not what was written.
    #[error("the lock is damaged: {0}")]
    Damaged(String),
}

/// Whose a lock is, for a run that finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody's any more: its run has ended, or its time is over.
    Nobody,
    /// This run's, of an earlier step.
    This,
    /// Another run's.
    Another,
}

impl Lock {
    /// Reads one.
    ///
    /// # Errors
    /// When it is damaged, or of a newer version.
    pub fn read(bytes: &[u8]) -> Result<Self, LockError> {
        #[derive(Deserialize)]
        struct Schema {
            schema: u32,
        }
        let damaged = |error: serde_json::Error| LockError::Damaged(text::line(&error.to_string()));
        let Schema { schema } = serde_json::from_slice(bytes).map_err(damaged)?;
        if schema > SCHEMA {
            return Err(LockError::Newer(schema));
        }
        serde_json::from_slice(bytes).map_err(damaged)
    }

    /// As bytes.
    ///
    /// # Errors
    /// Never for what can be read.
    pub fn bytes(&self) -> Result<Vec<u8>, LockError> {
        serde_json::to_vec(self).map_err(|error| LockError::Damaged(error.to_string()))
    }

    /// Whose it is. `trace` is that of a run that may go on with its own, `age` for how long the lock was not written again.
    #[must_use]
    pub fn holder(&self, trace: Option<&str>, age: Duration) -> Holder {
        if self.stage == Stage::Left || age >= LASTS {
            Holder::Nobody
        } else if trace == Some(&self.trace) {
            Holder::This
        } else {
            Holder::Another
        }
    }

    /// For how long it was not written again, by the store's clock: those of two runners may be minutes apart. Where the store
    /// does not tell, this runner's clock has to do, and one that runs ahead must not hold the lock for ever.
    #[must_use]
    pub fn age(&self, said: Option<Duration>, now: Timestamp) -> Duration {
        said.unwrap_or_else(|| now.duration_since(self.seen).unsigned_abs())
    }

    /// Who holds it, in one line.
    #[must_use]
    pub fn whose(&self) -> String {
        let link = self.link.as_ref();
        let link = link.map(|link| format!(", {}", text::line(link)));
        format!(
            "`{}` ({}) since {:.0}{}",
            text::line(&self.run),
            text::line(&self.command),
            self.began,
            link.unwrap_or_default()
        )
    }

    /// The ETag of the manifest that it began from.
    #[must_use]
    pub fn base(&self) -> Option<Etag> {
        self.base.as_deref().map(Etag::new)
    }
}

#[cfg(test)]
mod tests;
