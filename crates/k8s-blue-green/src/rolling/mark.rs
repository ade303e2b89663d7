//! What a rolling deploy notes on its workload, so that a fresh runner knows of it: an annotation that is written in the same
//! patch as the change itself. Pure.
//!
//! It is never taken off, only set to `done`: a Deployment's annotations are copied to its ReplicaSets, and `kubectl rollout undo`
//! copies them back.

use gha::text;
use gha::trace::TraceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::object;

/// The annotation.
pub const ANNOTATION: &str = "deploy-actions/rolling";

/// The schema that this version writes, and the only one that it reads.
const SCHEMA: u32 = 1;

/// What became of a deploy so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The new version is rolled out, and judged.
    Rolling,
    /// The earlier one is brought back.
    Undoing,
    /// It is over.
    Done,
}

/// The note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Its schema.
    v: u32,
    /// How far it is.
    pub phase: Phase,
    /// The run, for programs.
    pub trace: String,
    /// The run, for people: `acme/shop:42.1`, or nothing on a laptop.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// The name of the object that holds the template before: a ReplicaSet or a ControllerRevision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// The names of revisions that were taken back, the latest last: no way back leads to one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// When it was written.
    pub at: String,
}

/// How many names of revisions are kept: as many as a Deployment keeps of them by default.
const LEFT: usize = 10;

/// Why a note says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// A newer version wrote it.
    #[error(
        "the annotation `{ANNOTATION}` has schema {0}, and this version knows {SCHEMA}; use the version that wrote it, or a newer one"
    )]
    Newer(u64),
    /// It is none.
    #[error("the annotation `{ANNOTATION}` can't be read: `{0}`")]
    Unreadable(String),
}

impl Mark {
    /// A note of this run.
    #[must_use]
    pub fn new(phase: Phase, trace: TraceId, run: &str, previous: Option<&str>, at: Timestamp) -> Self {
        Self {
            v: SCHEMA,
            phase,
            trace: trace.to_string(),
            run: text::cut(&text::line(run), 100),
            previous: previous.map(str::to_owned),
            left: Vec::new(),
            at: at.to_string(),
        }
    }

    /// The same, knowing what an earlier note knew of revisions that were taken back.
    #[must_use]
    pub fn after(self, earlier: Option<&Self>) -> Self {
        Self {
            left: earlier.map(|earlier| earlier.left.clone()).unwrap_or_default(),
            ..self
        }
    }

    /// The same when this revision is taken back.
    #[must_use]
    pub fn without(&self, revision: Option<&str>) -> Self {
        let mut mark = self.with(revision);
        mark.left.extend(revision.map(str::to_owned));
        let more = mark.left.len().saturating_sub(LEFT);
        mark.left.drain(..more);
        mark
    }

    /// The same when this revision serves, whatever became of it before.
    #[must_use]
    pub fn with(&self, revision: Option<&str>) -> Self {
        let mut mark = self.clone();
        mark.left.retain(|left| Some(left.as_str()) != revision);
        mark
    }

    /// The same in another phase.
    #[must_use]
    pub fn in_phase(&self, phase: Phase) -> Self {
        Self {
            phase,
            ..self.clone()
        }
    }

    /// The annotation's value.
    #[must_use]
    pub fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The note on a workload.
    ///
    /// # Errors
    /// When there is one that can't be acted on.
    pub fn on(workload: &Value) -> Result<Option<Self>, MarkError> {
        let Some(value) = object::annotation(workload, ANNOTATION) else {
            return Ok(None);
        };
        let unreadable = || MarkError::Unreadable(text::cut(&text::line(value), 200));
        let json: Value = serde_json::from_str(value).map_err(|_| unreadable())?;
        match json["v"].as_u64() {
            Some(v) if v > u64::from(SCHEMA) => return Err(MarkError::Newer(v)),
            _ => {}
        }
        serde_json::from_value(json).map(Some).map_err(|_| unreadable())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    use super::*;

    fn with(value: &str) -> Value {
        json!({"metadata": {"annotations": {ANNOTATION: value}}})
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let mark = Mark::new(
            Phase::Rolling,
            TraceId::of(&gha::env::Env::default(), [7; 16]),
            "a/b:1.1",
            Some("web-x"),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(Mark::on(&with(&mark.written())), Ok(Some(mark)));
        assert_eq!(Mark::on(&json!({})), Ok(None));
        assert_eq!(
            Mark::on(&with(r#"{"v": 2, "other": 1}"#)),
            Err(MarkError::Newer(2))
        );
        assert!(matches!(Mark::on(&with("x")), Err(MarkError::Unreadable(_))));
    }

    proptest! {
        #[test]
        fn any_note_is_read(value in any::<String>()) {
            let _ = Mark::on(&with(&value));
        }
    }
}
