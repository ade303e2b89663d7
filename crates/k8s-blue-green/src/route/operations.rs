//! The operations of a JSON patch (<https://www.rfc-editor.org/rfc/rfc6902>), in order.

use serde_json::{Value, json};

use crate::object;

/// Operations, in order.
#[derive(Debug, Default)]
pub(crate) struct Operations(Vec<Value>);

impl Operations {
    /// None yet, on the object that has this identity.
    pub(crate) fn on(object: &Value) -> Self {
        let mut all = Self::default();
        let uid = object::uid(object);
        if !uid.is_empty() {
            all.test("/metadata/uid", &uid.into());
        }
        all
    }

    pub(crate) fn test(&mut self, path: &str, value: &Value) {
        self.0.push(json!({"op": "test", "path": path, "value": value}));
    }

    /// Sets what is there or not.
    pub(crate) fn add(&mut self, path: &str, value: &Value) {
        self.0.push(json!({"op": "add", "path": path, "value": value}));
    }

    /// Writes an annotation, where what is there is still what was read.
    pub(crate) fn annotate(&mut self, object: &Value, key: &str, value: &Value) {
        match object.pointer("/metadata/annotations") {
            Some(annotations @ Value::Object(_)) => {
                // That a key is not there can't be tested, so the whole is: else what another run just kept would be lost.
                self.test("/metadata/annotations", annotations);
            }
            _ => {
                let version = object::text(object, "/metadata/resourceVersion");
                if !version.is_empty() {
                    self.test("/metadata/resourceVersion", &version.into());
                }
                self.add("/metadata/annotations", &json!({}));
            }
        }
        self.add(&format!("/metadata/annotations/{}", object::token(key)), value);
    }

    pub(crate) fn remove(&mut self, path: &str) {
        self.0.push(json!({"op": "remove", "path": path}));
    }

    pub(crate) fn done(self) -> Value {
        Value::Array(self.0)
    }
}
