//! Watches: changes as they come, with bookmarks, and 410 for versions that are gone.

use std::time::Duration;

use serde_json::{Value, json};

use super::api;
use super::ask::Ask;
use super::object;
use super::refusal::Refusal;
use super::selectors::{Fields, Labels};
use super::world::World;
use crate::http::Request;

/// How often a bookmark comes when there is nothing else.
const BOOKMARK: Duration = Duration::from_secs(60);
/// How long a watch lasts that says nothing of it.
const LASTING: Duration = Duration::from_secs(1800);

/// One watch under way.
#[derive(Clone, Debug)]
pub(crate) struct Watching {
    ask: Ask,
    labels: Labels,
    fields: Fields,
    /// The version up to which everything has been told.
    told: u64,
    /// Events that wait to be taken.
    waiting: Vec<(&'static str, Value)>,
    is_table: bool,
    has_columns: bool,
    bookmarks: Option<Duration>,
    ends: Duration,
    is_over: bool,
    /// The round of watches that it belongs to; a later round has ended it.
    round: u64,
}

impl Watching {
    pub(crate) fn begin(world: &World, ask: &Ask, request: &Request) -> Result<Self, Refusal> {
        if ask.query.flag("sendInitialEvents") {
            // As a server says it whose etcd is older than 3.6.
            let message = "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for \
                           watch unless the WatchList feature gate is enabled";
            return Err(Refusal::new(422, "Invalid", message));
        }
        let mut fields = Fields::parse(ask.query.text("fieldSelector"))?;
        if !ask.name.is_empty() {
            fields = Fields::parse(&format!("metadata.name={}", ask.name))?;
        }
        let lasting = ask.query.number("timeoutSeconds").map(Duration::from_secs);
        let mut watching = Self {
            labels: Labels::parse(ask.query.text("labelSelector"))?,
            fields,
            told: world.store.revision(),
            waiting: Vec::new(),
            is_table: api::table_asked_for(request),
            has_columns: false,
            bookmarks: ask.query.flag("allowWatchBookmarks").then_some(world.now),
            ends: world
                .now
                .saturating_add(lasting.filter(|lasting| !lasting.is_zero()).unwrap_or(LASTING)),
            is_over: false,
            round: world.round,
            ask: ask.clone(),
        };
        match ask.query.number("resourceVersion").unwrap_or_default() {
            0 => {
                let there = world.store.list(ask.kind.plural, &ask.namespace);
                let there = there.filter(|object| watching.wants(object)).cloned();
                watching.waiting = there.map(|object| ("ADDED", object)).collect();
            }
            version if version < world.store.compacted() => {
                let gone = Refusal::gone(version, world.store.compacted());
                watching.waiting.push(("ERROR", gone.status()));
                watching.is_over = true;
            }
            version => watching.told = version,
        }
        Ok(watching)
    }

    /// What there is to tell now, one event a line; none when it is over and told.
    pub(crate) fn take(&mut self, world: &World) -> Option<Vec<u8>> {
        if !self.is_over {
            self.gather(world);
        }
        let events = std::mem::take(&mut self.waiting);
        if events.is_empty() && self.is_over {
            return None;
        }
        self.is_over |= world.now >= self.ends || world.round > self.round;
        let mut lines = Vec::new();
        for (kind, object) in events {
            let object = self.shown(kind, object, world.now);
            lines.extend_from_slice(json!({ "type": kind, "object": object }).to_string().as_bytes());
            lines.push(b'\n');
        }
        Some(lines)
    }

    fn gather(&mut self, world: &World) {
        if self.told < world.store.compacted() && world.store.revision() > self.told {
            let gone = Refusal::gone(self.told, world.store.compacted());
            self.waiting.push(("ERROR", gone.status()));
            self.is_over = true;
            return;
        }
        for change in world.store.since(self.told) {
            if change.plural != self.ask.kind.plural {
                continue;
            }
            let was = change.before.as_ref().is_some_and(|before| self.wants(before));
            let is = !change.is_gone && self.wants(&change.now);
            let kind = match (was, is) {
                (false, true) => "ADDED",
                (true, true) => "MODIFIED",
                (true, false) => "DELETED",
                (false, false) => continue,
            };
            self.waiting.push((kind, change.now.as_ref().clone()));
        }
        self.told = world.store.revision();
        if let Some(last) = self.bookmarks {
            if !self.waiting.is_empty() {
                self.bookmarks = Some(world.now);
            } else if world.now.saturating_sub(last) >= BOOKMARK {
                self.bookmarks = Some(world.now);
                self.waiting.push(("BOOKMARK", self.bookmark()));
            }
        }
    }

    fn wants(&self, object: &Value) -> bool {
        let is_near = self.ask.namespace.is_empty() || object::namespace(object) == self.ask.namespace;
        is_near && self.labels.fit(object) && self.fields.fit(object)
    }

    fn bookmark(&self) -> Value {
        json!({
            "kind": self.ask.kind.kind, "apiVersion": self.ask.kind.api_version(),
            "metadata": { "resourceVersion": self.told.to_string(), "creationTimestamp": null },
        })
    }

    fn shown(&mut self, kind: &str, object: Value, now: Duration) -> Value {
        let object = api::in_version(object, &self.ask);
        if !self.is_table || matches!(kind, "ERROR" | "BOOKMARK") {
            return object;
        }
        let first = !std::mem::replace(&mut self.has_columns, true);
        api::event_as_table(&object, &self.ask, now, first)
    }
}
