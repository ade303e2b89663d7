//! What the cluster was asked: each call with its time and how it ended.

use std::time::Duration;

use serde_json::Value;

use super::faults::Seen;
use crate::stand_ins::aws::End;

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When, on the cluster's clock.
    pub at: Duration,
    /// The method of HTTP.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// As Kubernetes names it: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: &'static str,
    /// The plural, with its part: `pods/log`.
    pub resource: String,
    /// Empty for what has none.
    pub namespace: String,
    /// Empty where no object is named.
    pub name: String,
    /// The content type of the body, which says the kind of a patch.
    pub content_type: String,
    /// What was sent; null for nothing or what is no JSON.
    pub body: Value,
    /// Who asked; empty for somebody unknown.
    pub user: String,
    /// The status that was answered; 0 for none.
    pub status: u16,
    /// How it ended.
    pub end: End,
}

impl Entry {
    /// Whether it may have changed something; reviews and dry runs do not.
    #[must_use]
    pub fn writes(&self) -> bool {
        super::ask::is_write(self.verb)
            && !self.resource.starts_with("selfsubject")
            && !self.path.contains("dryRun=All")
    }
}

impl<'a> From<&'a Entry> for Seen<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            verb: entry.verb,
            resource: &entry.resource,
            name: &entry.name,
        }
    }
}
