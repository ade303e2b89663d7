//! The times that tell how well a team delivers: from a commit until it serves, and from a failure until what served before serves
//! again (<https://dora.dev/guides/dora-metrics/>). Pure.

use std::time::Duration;

use gha::context::Context;
use gha::ledger::{self, Entry};
use gha::outcome::Status;
use jiff::{SignedDuration, Timestamp};

use crate::phase::Phase;

/// The times of a deploy, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// From its beginning until now.
    pub took: Option<Duration>,
    /// From the commit until it served.
    pub to_served: Option<Duration>,
    /// From the failure until the version before served again.
    pub to_restored: Option<Duration>,
}

/// What the tools' results and the commit say of it.
#[must_use]
pub fn of(phase: Phase, entries: &[Entry], context: &Context) -> Times {
    let committed = context
        .payload_text("/head_commit/timestamp")
        .and_then(|time| time.parse::<Timestamp>().ok());
    // A name for an image makes nothing serve.
    let serves = |entry: &&Entry| entry.status.is_good() && entry.tool != "image-tag";
    let served = entries.iter().filter(serves).map(ended).max();
    let failed = entries.iter().find(|entry| !entry.status.is_good());
    let restored = entries
        .iter()
        .filter(|entry| entry.status == Status::RolledBack)
        .map(ended)
        .max();
    let to_served = |_: &Timestamp| phase == Phase::Succeeded && restored.is_none();
    let is_another = |restored: &Timestamp| failed.is_some_and(|failed| ended(failed) < *restored);
    Times {
        took: None,
        to_served: committed
            .filter(to_served)
            .zip(served)
            .and_then(|(from, to)| between(from, to)),
        to_restored: failed
            .zip(restored.filter(is_another))
            .and_then(|(failed, restored)| between(ended(failed), restored))
            .or_else(|| entries.iter().find_map(way_back)),
    }
}

/// The time from one moment to another; none where the clocks of two machines disagree.
#[must_use]
pub fn between(start: Timestamp, end: Timestamp) -> Option<Duration> {
    Duration::try_from(end.duration_since(start)).ok()
}

/// How long a tool took that brought back by itself what served before.
fn way_back(entry: &Entry) -> Option<Duration> {
    let took = entry.facts.get(ledger::WAY_BACK)?.as_u64()?;
    (entry.status == Status::RolledBack).then(|| Duration::from_millis(took))
}

/// When a tool's run was over.
fn ended(entry: &Entry) -> Timestamp {
    let took = SignedDuration::from_millis(i64::try_from(entry.duration_ms).unwrap_or(i64::MAX));
    entry.started_at.saturating_add(took).unwrap_or(entry.started_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::entry;
    use gha::env::Env;

    fn context(committed: &str) -> Context {
        let env: Env = [("GITHUB_REPOSITORY", "acme/shop")].into_iter().collect();
        let payload = format!(r#"{{"head_commit":{{"timestamp":"{committed}"}}}}"#);
        Context::of(&env, Some(Ok(payload.into_bytes())))
    }

    fn at(status: &str, time: &str, ms: u64) -> Entry {
        Entry {
            started_at: time.parse().unwrap(),
            duration_ms: ms,
            ..entry("x", status, "y")
        }
    }

    #[test]
    fn a_commit_serves_when_the_last_tool_found_so() {
        let entries = [
            at("done", "2026-11-22T04:45:00Z", 1_000),
            at("done", "2026-11-22T04:46:00Z", 30_000),
        ];
        let of = |phase, committed| of(phase, &entries, &context(committed)).to_served;
        let took = Some(Duration::from_secs(390));
        assert_eq!(of(Phase::Succeeded, "2026-11-22T05:40:00+01:00"), took);
        assert_eq!(of(Phase::Failed, "2026-11-22T05:40:00+01:00"), None);
        // A clock that is ahead, and no time at all.
        assert_eq!(of(Phase::Succeeded, "2026-11-22T09:40:00Z"), None);
        assert_eq!(of(Phase::Succeeded, "yesterday"), None);
    }

    #[test]
    fn what_served_before_is_restored_by_a_later_step() {
        let failed = at("failed", "2026-11-22T04:45:00Z", 60_000);
        let back = at("rolled-back", "2026-11-22T04:46:10Z", 5_000);
        let of = |entries: &[Entry]| of(Phase::RolledBack, entries, &context("x")).to_restored;
        assert_eq!(of(&[failed.clone(), back.clone()]), Some(Duration::from_secs(15)));
        // Of a tool that did both, itself knows.
        assert_eq!(of(std::slice::from_ref(&back)), None);
        let with = |status, fact: serde_json::Value| {
            let mut entry = at(status, "2026-11-22T04:46:10Z", 5_000);
            entry.facts.insert(ledger::WAY_BACK.to_owned(), fact);
            of(&[entry])
        };
        assert_eq!(
            with("rolled-back", 2_500.into()),
            Some(Duration::from_millis(2_500))
        );
        assert_eq!(with("failed", 2_500.into()), None);
        assert_eq!(with("rolled-back", "soon".into()), None);
        assert_eq!(of(&[failed]), None);
    }
}
