//! What was told before: the messages that a later command may bring up to date. It travels by the output `state` and by the ledger,
//! and holds no secret. Pure.

use gha::ledger::Entry;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::phase::Phase;
use crate::subject::Subject;

/// The schema that this version writes, and the only one that it reads.
pub const SCHEMA: &str = "deploy-actions/notify-state@1";

/// What was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// [`SCHEMA`].
    pub schema: String,
    /// What it was about.
    pub about: Subject,
    /// How far the deploy was.
    pub phase: Phase,
    /// The run that told it; empty outside of one.
    pub run: String,
    /// Its attempt, from 1.
    pub attempt: u32,
    /// When the deploy began.
    pub began: Timestamp,
    /// The messages.
    pub posted: Vec<Posted>,
}

/// A message that can be brought up to date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posted {
    /// The receiver, by its name.
    pub channel: String,
    /// What the user called the place.
    pub to: String,
    /// What the service calls it.
    pub place: String,
    /// What the service calls the message.
    pub id: String,
}

/// Why what was given is no state.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It is no JSON of the shape.
    #[error("it is not what the output `state` of `notify start` holds ({0})")]
    Json(String),
    /// It is of another version.
    #[error("its schema is not `{SCHEMA}`")]
    Schema,
}

impl State {
    /// Reads what the output held.
    ///
    /// # Errors
    /// When it is something else.
    pub fn read(written: &str) -> Result<Self, StateError> {
        let state: Self =
            serde_json::from_str(written).map_err(|error| StateError::Json(error.to_string()))?;
        match state.schema == SCHEMA {
            true => Ok(state),
            false => Err(StateError::Schema),
        }
    }

    /// What the ledger of this run holds about the same thing, which is the last that was told; or about what may be the same, where
    /// that was begun and not ended: who says `environment` at one end only, or has a tool say it, means one deploy. `known` is what
    /// this is about, `said` as much of that as the user said.
    #[must_use]
    pub fn of_ledger(entries: &[Entry], known: &Subject, said: &Subject) -> Option<Self> {
        let told = entries.iter().rev().filter(|entry| entry.tool == "notify");
        let told: Vec<Self> = told
            .filter_map(|entry| serde_json::from_value(entry.facts.get("state")?.clone()).ok())
            .filter(|state: &Self| state.schema == SCHEMA)
            .collect();
        let is_open = |place: usize| {
            let (newer, state) = (&told[..place], &told[place]);
            state.phase == Phase::Started && !newer.iter().any(|newer| newer.about == state.about)
        };
        let same = told.iter().position(|state| state.about == *known);
        let may_be = || (0..told.len()).find(|place| is_open(*place) && told[*place].about.agrees(said));
        let place = same.or_else(may_be)?;
        told.into_iter().nth(place)
    }

    /// Whether a message of this attempt of a run may take the place of what was told: what is newer stays.
    #[must_use]
    pub fn may_be_followed(&self, run: &str, attempt: u32) -> bool {
        self.run != run || self.attempt <= attempt
    }

    /// The message in a place, by the names of the receiver and of the place.
    #[must_use]
    pub fn of(&self, channel: &str, to: &str) -> Option<&Posted> {
        let mut posted = self.posted.iter();
        posted.find(|posted| posted.channel == channel && posted.to == to)
    }

    /// It as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::entry;
    use crate::subject::tests::subject;
    use proptest::prelude::{any, proptest};

    fn state() -> State {
        State {
            schema: SCHEMA.to_owned(),
            about: subject("acme/shop - production"),
            phase: Phase::Started,
            run: "7".to_owned(),
            attempt: 2,
            began: "2026-11-22T04:45:00Z".parse().unwrap(),
            posted: vec![Posted {
                channel: "slack-token".to_owned(),
                to: "#deploys".to_owned(),
                place: "C1".to_owned(),
                id: "1.2".to_owned(),
            }],
        }
    }

    fn told(about: &str, phase: Phase, id: &str) -> Entry {
        let mut state = State {
            about: subject(about),
            phase,
            ..state()
        };
        state.posted[0].id = id.to_owned();
        let mut entry = entry("notify", "done", "told");
        entry.facts.insert("state".to_owned(), state.json());
        entry
    }

    fn of_ledger(entries: &[Entry], known: &str, said: &str) -> Option<State> {
        State::of_ledger(entries, &subject(known), &subject(said))
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(State::read(&state().json().to_string()), Ok(state()));
        assert!(matches!(State::read("{}"), Err(StateError::Json(_))));
        let other = state().json().to_string().replace("state@1", "state@9");
        assert_eq!(State::read(&other), Err(StateError::Schema));
    }

    #[test]
    fn the_last_of_the_same_thing_counts() {
        let entries = [
            told("a web -", Phase::Started, "1"),
            told("a web -", Phase::Started, "2"),
            told("b - -", Phase::Started, "3"),
            entry("notify", "done", "x"),
        ];
        let found = of_ledger(&entries, "a web -", "a web -").unwrap();
        assert_eq!(found.of("slack-token", "#deploys").unwrap().id, "2");
        assert_eq!(found.of("slack-token", "#other"), None);
        assert_eq!(of_ledger(&entries, "c - -", "c - -"), None);
    }

    #[test]
    fn who_says_the_environment_at_one_end_means_one_deploy() {
        let (began, over) = (Phase::Started, Phase::Succeeded);
        for (entries, known, said, found) in [
            // A tool named it, or only the end does.
            (vec![("a - -", began)], "a - production", "a - -", Some(0)),
            (
                vec![("a - -", began)],
                "a - production",
                "a - production",
                Some(0),
            ),
            // Only the beginning named it.
            (vec![("a - prod", began)], "a - production", "a - -", Some(0)),
            (vec![("a - prod", began)], "a - -", "a - -", Some(0)),
            // Two environments in one job: who names one means that.
            (
                vec![("a - staging", began), ("a - production", began)],
                "a - staging",
                "a - staging",
                Some(0),
            ),
            (
                vec![("a - staging", began)],
                "a - production",
                "a - production",
                None,
            ),
            // What is over is another deploy's.
            (
                vec![("a - staging", began), ("a - staging", over)],
                "a - production",
                "a - -",
                None,
            ),
            (
                vec![("a - -", began), ("a - staging", began), ("a - staging", over)],
                "a - production",
                "a - -",
                Some(0),
            ),
            // The end of the same is told again.
            (vec![("a - staging", over)], "a - staging", "a - -", Some(0)),
        ] {
            let ids: Vec<String> = (0..entries.len()).map(|id| id.to_string()).collect();
            let entries: Vec<Entry> = entries
                .iter()
                .zip(&ids)
                .map(|((about, phase), id)| told(about, *phase, id))
                .collect();
            let state = of_ledger(&entries, known, said);
            let id = state.map(|state| state.posted[0].id.clone());
            assert_eq!(id, found.map(|id: usize| id.to_string()), "{known} by {said}");
        }
    }

    #[test]
    fn what_is_newer_stays() {
        for (run, attempt, may) in [("7", 2, true), ("7", 3, true), ("7", 1, false), ("8", 1, true)] {
            assert_eq!(state().may_be_followed(run, attempt), may, "{run} {attempt}");
        }
    }

    proptest! {
        #[test]
        fn nothing_foreign_panics(written in any::<String>()) {
            let _ = State::read(&written);
        }
    }
}
