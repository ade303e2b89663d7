//! Probes: one look at a target. One kind is one file.

use std::pin::Pin;
use std::time::Duration;

use crate::finding::Finding;

pub mod http;
pub mod tcp;

/// What a look at a target found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Good, or what is wrong.
    pub finding: Finding,
    /// The answer's status, if there was one.
    pub status: Option<u16>,
    /// The beginning of what was answered. Foreign text.
    pub excerpt: Option<String>,
}

impl Look {
    /// A look that got no answer to show.
    #[must_use]
    pub fn without_answer(finding: Finding) -> Self {
        Self {
            finding,
            status: None,
            excerpt: None,
        }
    }
}

/// How much of a try's time connecting may take: less than all of it, so that "it does not accept connections" can be
/// told from "it accepts and does not answer".
pub const CONNECT_SHARE: f64 = 0.9;

/// A look in progress.
pub type Looking<'a> = Pin<Box<dyn Future<Output = Look> + 'a>>;

/// Something that can be looked at. The engine limits the time of a look, so an implementation need not.
pub trait Probe {
    /// What is looked at, for people, without secrets.
    fn target(&self) -> &str;

    /// Looks once. `limit` is what the engine allows, for a reason that names it.
    fn look(&self, limit: Duration) -> Looking<'_>;
}
