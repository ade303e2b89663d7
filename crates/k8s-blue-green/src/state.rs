//! What is needed to undo a deploy, kept as an annotation on each Service so that a fresh runner finds it. It is written in the same
//! patch that moves the traffic, so that the two never disagree. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use gha::text;

use crate::object::{self, Labels};

/// The annotation.
pub const STATE: &str = "deploy-actions/state";

/// The schema that this version writes, and the only one that it reads.
const SCHEMA: u32 = 1;

/// The state of a deploy to one Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The schema.
    pub v: u32,
    /// How far it is.
    pub phase: Phase,
    /// The run, as `acme/shop/42`: what `recover` of the same run knows it by.
    pub run: String,
    /// Where the run is to be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The run's trace id.
    pub trace: String,
    /// When it was written.
    pub at: Timestamp,
    /// The side that had the traffic before.
    pub old: Side,
    /// The side that gets it.
    pub new: Side,
    /// The autoscaler that goes with the traffic, as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaler: Option<Scaler>,
    /// The canary that comes before the switch, until nothing of it is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<Canary>,
    /// Until when the side without traffic is kept ready to take over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retire_after: Option<Timestamp>,
    /// Whether retiring it is deleting it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retire_by_deleting: bool,
}

/// How far a deploy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The new side comes up; the old one has the traffic.
    Preparing,
    /// The same, and it waits to be promoted.
    Prepared,
    /// The new side gets a part of the traffic, step by step.
    Canary,
    /// Both sides have traffic, for a load balancer to follow.
    Overlap,
    /// The new side has the traffic, and is watched.
    Switched,
    /// It stays.
    Done,
    /// The old side has the traffic again.
    RolledBack,
}

/// One of the two sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// The selector that leads all traffic to it.
    pub selector: Labels,
    /// Its Deployment.
    pub deployment: String,
    /// Its Deployment's unique id, once there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Its colour; empty for a Deployment that never had one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub color: String,
    /// How many pods it has when it has the traffic.
    pub replicas: u64,
    /// The selector that was there before the Service was narrowed to this side, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unnarrowed: Option<Labels>,
}

/// An autoscaler that goes with the traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Scaler {
    /// Its name.
    pub name: String,
    /// Its own least number of pods; none where it says none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// Whether it is a ScaledObject of KEDA, which owns the autoscaler itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keda: bool,
}

/// A canary: what divides the traffic, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Canary {
    /// What divides the traffic, as `--route` is read.
    pub routes: Vec<String>,
    /// The Service that leads to the new side alone; empty where pods divide the traffic.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// The header whose requests always reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The steps, as `--steps` is read.
    pub steps: String,
    /// The weight that the new side has, or is given just now; none before the first step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// Whether it waits there to be promoted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub waits: bool,
}

/// Why an annotation is no state that can be acted on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StateError {
    /// Of a newer version.
    #[error(
        "the annotation `{STATE}` has schema {0}, and this version knows {SCHEMA}; use the version that wrote it, or a newer one"
    )]
    Newer(u64),
    /// Not what was written.
    #[error("the annotation `{STATE}` is damaged: {0}")]
    Damaged(String),
}

impl State {
    /// What an object's annotation says; nothing where it has none.
    ///
    /// # Errors
    /// When it can't be acted on.
    pub fn of(object: &Value) -> Result<Option<Self>, StateError> {
        object::annotation(object, STATE).map(Self::read).transpose()
    }

    fn read(written: &str) -> Result<Self, StateError> {
        let damaged = |error: serde_json::Error| StateError::Damaged(text::line(&error.to_string()));
        let value: Value = serde_json::from_str(written).map_err(damaged)?;
        match value["v"].as_u64() {
            Some(schema) if schema > u64::from(SCHEMA) => Err(StateError::Newer(schema)),
            Some(schema) if schema == u64::from(SCHEMA) => serde_json::from_value(value).map_err(damaged),
            _ => Err(StateError::Damaged("it has no schema".to_owned())),
        }
    }

    /// The schema that new states get.
    #[must_use]
    pub fn schema() -> u32 {
        SCHEMA
    }

    /// The annotation's value.
    #[must_use]
    pub fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The same, further on.
    #[must_use]
    pub fn at_phase(&self, phase: Phase, at: Timestamp) -> Self {
        Self {
            phase,
            at,
            ..self.clone()
        }
    }

    /// The side that has the traffic.
    #[must_use]
    pub fn serving(&self) -> &Side {
        match self.phase {
            Phase::Switched | Phase::Done => &self.new,
            Phase::Preparing | Phase::Prepared | Phase::Canary | Phase::Overlap | Phase::RolledBack => {
                &self.old
            }
        }
    }

    /// Whether it waits to be promoted, by whichever run.
    #[must_use]
    pub fn waits(&self) -> bool {
        let canary_waits = self.canary.as_ref().is_some_and(|canary| canary.waits);
        self.phase == Phase::Prepared || (self.phase == Phase::Canary && canary_waits)
    }

    /// Whether something is to be finished or undone.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        !matches!(self.phase, Phase::Done | Phase::RolledBack)
    }
}

impl Phase {
    /// What it is, for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Preparing => "the new version comes up",
            Self::Prepared => "the new version is up and waits to be promoted",
            Self::Canary => "the new version gets a part of the traffic",
            Self::Overlap => "both versions have traffic",
            Self::Switched => "the new version has the traffic and is watched",
            Self::Done => "the new version has the traffic",
            Self::RolledBack => "the old version has the traffic again",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn side(color: &str) -> Side {
        Side {
            selector: [("app", "web"), ("color", color)]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            deployment: format!("web-{color}"),
            uid: "u".to_owned(),
            color: color.to_owned(),
            replicas: 3,
            unnarrowed: None,
        }
    }

    fn state() -> State {
        State {
            v: SCHEMA,
            phase: Phase::Switched,
            run: "acme/shop/42".to_owned(),
            link: None,
            trace: "0af7".to_owned(),
            at: "2026-01-02T03:04:05Z".parse().unwrap(),
            old: side("blue"),
            new: side("green"),
            scaler: Some(Scaler {
                name: "web".to_owned(),
                min: Some(3),
                keda: false,
            }),
            canary: Some(Canary {
                routes: vec!["httproute/web".to_owned()],
                service: "web-canary".to_owned(),
                header: None,
                steps: "10% 5m, 100%".to_owned(),
                weight: Some("10%".to_owned()),
                waits: false,
            }),
            retire_after: None,
            retire_by_deleting: false,
        }
    }

    fn service(value: &str) -> Value {
        json!({"metadata": {"annotations": {STATE: value}}})
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(State::of(&service(&state().written())), Ok(Some(state())));
        assert_eq!(State::of(&json!({})), Ok(None));
    }

    #[test]
    fn a_newer_schema_is_refused_and_not_guessed_at() {
        let newer = state().written().replace("\"v\":1", "\"v\":2");
        assert_eq!(State::of(&service(&newer)), Err(StateError::Newer(2)));
    }

    #[test]
    fn what_a_later_version_of_the_schema_adds_is_no_fault() {
        let more = state().written().replace("\"v\":1", "\"v\":1,\"more\":true");
        assert_eq!(State::of(&service(&more)), Ok(Some(state())));
    }

    proptest! {
        #[test]
        fn any_value_is_a_state_or_a_fault(value in ".*") {
            let _ = State::of(&service(&value));
        }
    }
}
