//! The published JSON Schema of gate files, from the types that read them, so that an editor offers and checks keys.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::{Map, Value, json};

use crate::spec::check::rules::SUBJECTS;
use crate::spec::check::{sources, targets};
use crate::spec::file::File;

/// The schema (<https://json-schema.org/draft/2020-12>). It checks shapes; what fits together, [`super::read`] checks.
#[must_use]
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(NoNull);
    let mut schema = settings.into_generator().into_root_schema_for::<File>();
    schema.insert("title".to_owned(), "health-gate: gate.yml".into());
    schema.to_value()
}

/// A key may be left out, not be empty.
#[derive(Clone)]
struct NoNull;

impl Transform for NoNull {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|kind| kind != "null");
            if let [only] = &types[..] {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
        if let Some(Value::Array(any)) = schema.get_mut("anyOf") {
            any.retain(|one| *one != json!({"type": "null"}));
            if let [Value::Object(only)] = &any[..] {
                let only = only.clone();
                schema.remove("anyOf");
                for (key, value) in only {
                    schema.insert(key, value);
                }
            }
        }
        transform_subschemas(self, schema);
    }
}

/// `wait` or `watch`, and no `compare` without `watch`.
pub(crate) fn wait_or_watch(schema: &mut Schema) {
    schema.insert(
        "anyOf".to_owned(),
        json!([{"required": ["wait"]}, {"required": ["watch"]}]),
    );
    schema.insert("dependentRequired".to_owned(), json!({"compare": ["watch"]}));
}

/// Exactly one kind, and only keys that belong to it.
pub(crate) fn target(schema: &mut Schema) {
    let setting: Vec<Value> = targets::TLS_IS_A_SETTING
        .iter()
        .map(|kind| json!({"required": [kind]}))
        .collect();
    let kinds: Vec<Value> = targets::KINDS
        .iter()
        .map(|kind| match *kind {
            "tls" => json!({"required": ["tls"], "properties": {"tls": {"type": "string"}}, "not": {"anyOf": setting}}),
            kind => json!({"required": [kind]}),
        })
        .collect();
    schema.insert("oneOf".to_owned(), kinds.into());
    let mut depends = Map::new();
    for (key, kinds) in targets::KEYS
        .iter()
        .filter(|(_, kinds)| kinds.len() < targets::KINDS.len())
    {
        let any: Vec<Value> = kinds.iter().map(|kind| json!({"required": [kind]})).collect();
        depends.insert((*key).to_owned(), json!({"anyOf": any}));
    }
    schema.insert("dependentSchemas".to_owned(), depends.into());
}

/// Only keys that belong to the source's type.
pub(crate) fn source(schema: &mut Schema) {
    let depends: Map<String, Value> = sources::KEYS
        .iter()
        .map(|(key, kinds)| {
            (
                (*key).to_owned(),
                json!({"properties": {"type": {"enum": kinds}}}),
            )
        })
        .collect();
    schema.insert("dependentSchemas".to_owned(), depends.into());
}

/// Exactly one thing is measured.
pub(crate) fn one_subject(schema: &mut Schema) {
    let subjects: Vec<Value> = SUBJECTS.iter().map(|key| json!({"required": [key]})).collect();
    schema.insert("oneOf".to_owned(), subjects.into());
}
