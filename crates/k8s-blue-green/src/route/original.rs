//! What a route was before the canary, kept on it as an annotation so that a fresh runner finds it. One route may serve several
//! Services that are deployed together, so that it is kept by Service.

use serde_json::{Map, Value, json};

use super::operations::Operations;
use super::{Header, RouteError, Sides};
use crate::object::{self, token};

/// The annotation.
pub const ORIGINAL: &str = "deploy-actions/original";

/// The schema that is written, and the only one that is read.
const SCHEMA: u64 = 1;

/// What one Service's rules were.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Original {
    /// The Service's destination in each rule, in the order of the rules.
    pub(crate) stable: Vec<Value>,
    /// The header for which rules were added.
    pub(crate) header: Option<Header>,
}

/// The annotation as it is.
pub(crate) struct Kept<'a> {
    object: &'a Value,
    route: String,
    written: Option<&'a str>,
    services: Map<String, Value>,
}

impl<'a> Kept<'a> {
    pub(crate) fn of(object: &'a Value, route: &str) -> Result<Self, RouteError> {
        let written = object::annotation(object, ORIGINAL);
        let damaged = |why: String| RouteError::Damaged {
            route: route.to_owned(),
            why,
        };
        let mut services = Map::new();
        if let Some(text) = written {
            let value: Value = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
            if object::number(&value, "/schema") != Some(SCHEMA) {
                return Err(damaged(format!(
                    "its schema is not {SCHEMA}, which this version knows"
                )));
            }
            let map = value.get("services").and_then(Value::as_object);
            services = map
                .ok_or_else(|| damaged("it names no Services".to_owned()))?
                .clone();
        }
        Ok(Self {
            object,
            route: route.to_owned(),
            written,
            services,
        })
    }

    /// What is kept for a Service.
    pub(crate) fn get(&self, sides: &Sides) -> Result<Option<Original>, RouteError> {
        let Some(kept) = self.services.get(&sides.stable) else {
            return Ok(None);
        };
        let damaged = || RouteError::Damaged {
            route: self.route.clone(),
            why: format!("what it keeps of `{}` is not what was written", sides.stable),
        };
        let stable = kept.get("stable").and_then(Value::as_array).ok_or_else(damaged)?;
        let header = match (
            object::text(kept, "/header/name"),
            object::text(kept, "/header/value"),
        ) {
            ("", _) => None,
            (name, value) => Some(Header {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
        };
        Ok(Some(Original {
            stable: stable.clone(),
            header,
        }))
    }

    /// Keeps a Service's original.
    pub(crate) fn put(&self, sides: &Sides, original: &Original, operations: &mut Operations) {
        let mut kept = json!({"stable": original.stable});
        if let Some(header) = &original.header {
            kept["header"] = json!({"name": header.name, "value": header.value});
        }
        let mut services = self.services.clone();
        services.insert(sides.stable.clone(), kept);
        operations.annotate(self.object, ORIGINAL, &written(&services));
    }

    /// Keeps nothing of a Service any more.
    pub(crate) fn drop(&self, sides: &Sides, operations: &mut Operations) {
        let Some(before) = self.written else { return };
        operations.test(&path(), &before.into());
        let mut services = self.services.clone();
        services.shift_remove(&sides.stable);
        if services.is_empty() {
            operations.remove(&path());
        } else {
            operations.add(&path(), &written(&services));
        }
    }
}

fn path() -> String {
    format!("/metadata/annotations/{}", token(ORIGINAL))
}

fn written(services: &Map<String, Value>) -> Value {
    json!({"schema": SCHEMA, "services": services}).to_string().into()
}
