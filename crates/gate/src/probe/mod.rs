//! Probes: one look at a target. One kind is one file.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::timeout;

use crate::finding::{FaultKind, Finding};

pub mod compose;
pub mod dns;
pub mod exec;
pub mod grpc;
pub mod http;
pub mod postgres;
pub mod redis;
mod stream;
pub mod tcp;
pub mod tls;

/// What a look at a target found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Good, or what is wrong.
    pub finding: Finding,
    /// The answer's HTTP status, if there was one.
    pub status: Option<u16>,
    /// The beginning of what was answered. Foreign text, known secrets hidden.
    pub excerpt: Option<String>,
    /// Where the time went, as far as the look came.
    pub phases: Phases,
    /// Whole days until the first certificate of the presented chain ends, also where the chain is refused; negative
    /// where one has ended.
    pub days_left: Option<i64>,
    /// Whether its own limit ended it, wherever it hung: in connecting as well as in waiting for an answer.
    pub hung: bool,
}

/// How long the phases of a look took, as far as it came. What a look has no use for stays empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// Resolving the name.
    pub dns: Option<Duration>,
    /// Opening the connection, a tunnel through a proxy included.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From sending the request to the first byte of the answer.
    pub first_byte: Option<Duration>,
}

impl Look {
    /// A look that got no answer to show.
    #[must_use]
    pub fn without_answer(finding: Finding) -> Self {
        Self {
            finding,
            status: None,
            excerpt: None,
            phases: Phases::default(),
            days_left: None,
            hung: false,
        }
    }

    /// The same of a look that its own limit ended, wherever it hung.
    #[must_use]
    pub fn hung(self) -> Self {
        Self { hung: true, ..self }
    }

    /// The same with the beginning of what was answered.
    #[must_use]
    pub fn showing(self, excerpt: impl Into<String>) -> Self {
        Self {
            excerpt: Some(excerpt.into()),
            ..self
        }
    }
}

/// A look in progress.
pub type Looking<'a> = Pin<Box<dyn Future<Output = Look> + 'a>>;

/// Something that can be looked at. The engine limits the time of a look, so an implementation need not; a look that is
/// dropped half way must leave nothing behind.
pub trait Probe {
    /// What is looked at, for people, without secrets.
    fn target(&self) -> &str;

    /// Looks once. `limit` is what the engine allows, for a reason that names it.
    fn look(&self, limit: Duration) -> Looking<'_>;
}

/// Looks once, for at most so long.
pub async fn look_within(probe: &dyn Probe, limit: Duration) -> Look {
    timeout(limit, probe.look(limit)).await.unwrap_or_else(|_| {
        let shown = gha::duration::display(limit);
        Look::without_answer(Finding::bad(
            FaultKind::Slow,
            format!("no complete answer within {shown}"),
        ))
        .hung()
    })
}
