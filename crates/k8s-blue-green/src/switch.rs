//! The patches that move a Service's traffic, and what a Service shows of one whose answer was lost. Pure.
//!
//! Selector and state change in one JSON patch, whose tests are what was read before: somebody else's change is never written over.
//! `test` and `replace` are of the whole selector. A merge would leave keys behind, and a Service that matches nothing. The resource
//! version is no condition where it need not be: controllers of load balancers change it all the time.

use serde_json::{Value, json};

use crate::object::{self, Labels, token};
use crate::state::{STATE, State};

/// What a Service was when it was read: what its next patch expects of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Its unique id.
    pub uid: String,
    /// Its selector.
    pub selector: Labels,
    /// The state, as it is written; none where there is none.
    pub state: Option<String>,
    /// The resource version, where the Service has no annotations at all.
    version: Option<String>,
}

/// What a Service shows, of a patch that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// It was done.
    Done,
    /// It was not done, and can be tried again.
    NotYet,
    /// Somebody else changed it.
    Foreign,
}

impl Expected {
    /// What a Service is.
    #[must_use]
    pub fn of(service: &Value) -> Self {
        let has_annotations = service
            .pointer("/metadata/annotations")
            .is_some_and(Value::is_object);
        Self {
            uid: object::uid(service).to_owned(),
            selector: object::labels_at(service, "/spec/selector"),
            state: object::annotation(service, STATE).map(str::to_owned),
            version: (!has_annotations)
                .then(|| object::text(service, "/metadata/resourceVersion").to_owned()),
        }
    }

    /// The patch that makes this of it: a selector, and a state, or none.
    #[must_use]
    pub fn patch(&self, selector: &Labels, state: Option<&State>) -> Value {
        let annotation = format!("/metadata/annotations/{}", token(STATE));
        let mut operations = vec![json!({"op": "test", "path": "/metadata/uid", "value": self.uid})];
        operations.push(json!({"op": "test", "path": "/spec/selector", "value": self.selector}));
        if let Some(version) = &self.version {
            // A map that is not there can't be tested to be not there; nor can it be added without wiping one that came meanwhile.
            operations.push(json!({"op": "test", "path": "/metadata/resourceVersion", "value": version}));
            operations.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
        }
        if let Some(written) = &self.state {
            operations.push(json!({"op": "test", "path": annotation, "value": written}));
        }
        if *selector != self.selector {
            operations.push(json!({"op": "replace", "path": "/spec/selector", "value": selector}));
        }
        match state {
            Some(state) => {
                operations.push(json!({"op": "add", "path": annotation, "value": state.written()}));
            }
            None if self.state.is_some() => operations.push(json!({"op": "remove", "path": annotation})),
            None => {}
        }
        Value::Array(operations)
    }

    /// What a Service shows of the patch that was to make this of it.
    #[must_use]
    pub fn shows(&self, service: Option<&Value>, selector: &Labels, state: Option<&State>) -> Shows {
        let Some(service) = service else {
            return Shows::Foreign;
        };
        let now = Self::of(service);
        let wanted = state.map(State::written);
        if now.uid == self.uid && now.selector == *selector && now.state == wanted {
            Shows::Done
        } else if now.uid == self.uid && now.selector == self.selector && now.state == self.state {
            Shows::NotYet
        } else {
            Shows::Foreign
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Phase, Side};

    fn labels(color: &str) -> Labels {
        [("app", "web"), ("color", color)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into()
    }

    fn state(phase: Phase) -> State {
        let side = |color: &str| Side {
            selector: labels(color),
            deployment: format!("web-{color}"),
            uid: String::new(),
            color: color.to_owned(),
            replicas: 2,
            unnarrowed: None,
        };
        State {
            v: State::schema(),
            phase,
            run: "acme/shop/1".to_owned(),
            link: None,
            trace: "t".to_owned(),
            at: "2026-01-02T03:04:05Z".parse().unwrap(),
            old: side("blue"),
            new: side("green"),
            scaler: None,
            canary: None,
            retire_after: None,
            retire_by_deleting: false,
        }
    }

    fn service(annotations: Option<Value>) -> Value {
        let mut service = json!({
            "metadata": {"name": "web", "uid": "u1", "resourceVersion": "7"},
            "spec": {"selector": labels("blue"), "ports": [{"port": 80}]},
        });
        if let Some(annotations) = annotations {
            service["metadata"]["annotations"] = annotations;
        }
        service
    }

    fn patched(mut service: Value, patch: &Value) -> Result<Value, json_patch::PatchError> {
        let patch: json_patch::Patch = serde_json::from_value(patch.clone()).unwrap();
        json_patch::patch(&mut service, &patch)?;
        Ok(service)
    }

    #[test]
    fn a_patch_moves_selector_and_state_and_nothing_else() {
        for annotations in [None, Some(json!({})), Some(json!({"team": "shop"}))] {
            let before = service(annotations.clone());
            let expected = Expected::of(&before);
            let state = state(Phase::Switched);
            let after = patched(before, &expected.patch(&labels("green"), Some(&state))).unwrap();
            assert_eq!(after["spec"]["selector"], json!(labels("green")));
            assert_eq!(State::of(&after), Ok(Some(state.clone())));
            assert_eq!(after["spec"]["ports"], json!([{"port": 80}]));
            if let Some(team) = annotations.and_then(|all| all.get("team").cloned()) {
                assert_eq!(after["metadata"]["annotations"]["team"], team);
            }
            assert_eq!(
                expected.shows(Some(&after), &labels("green"), Some(&state)),
                Shows::Done
            );
        }
    }

    #[test]
    fn what_somebody_else_changed_is_not_written_over() {
        let before = service(Some(json!({})));
        let expected = Expected::of(&before);
        let patch = expected.patch(&labels("green"), Some(&state(Phase::Switched)));
        let mut selector = before.clone();
        selector["spec"]["selector"]["tier"] = json!("x");
        let mut replaced = before.clone();
        replaced["metadata"]["uid"] = json!("u2");
        for foreign in [selector, replaced] {
            assert!(patched(foreign.clone(), &patch).is_err());
            let shows = expected.shows(Some(&foreign), &labels("green"), Some(&state(Phase::Switched)));
            assert_eq!(shows, Shows::Foreign);
        }
        let shows = expected.shows(Some(&before), &labels("green"), Some(&state(Phase::Switched)));
        assert_eq!(shows, Shows::NotYet);
        assert_eq!(expected.shows(None, &labels("green"), None), Shows::Foreign);
    }

    #[test]
    fn a_state_that_changed_meanwhile_stops_the_patch() {
        let first = patched(
            service(None),
            &Expected::of(&service(None)).patch(&labels("blue"), Some(&state(Phase::Preparing))),
        )
        .unwrap();
        let expected = Expected::of(&first);
        let other = patched(
            first.clone(),
            &expected.patch(&labels("blue"), Some(&state(Phase::RolledBack))),
        )
        .unwrap();
        let patch = expected.patch(&labels("green"), Some(&state(Phase::Switched)));
        assert!(patched(other, &patch).is_err());
        let cleared = patched(first, &expected.patch(&labels("blue"), None)).unwrap();
        assert_eq!(State::of(&cleared), Ok(None));
    }
}
