//! A validator of JSON Schema, as far as our schema goes: a keyword that it does not know is an error, not a pass. Its
//! answers on these tests' files were compared with those of Python's `jsonschema`.

use serde_json::Value;

/// What is wrong with a value, each with its place.
pub(super) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "", &mut found);
    found
}

fn fits(root: &Value, schema: &Value, value: &Value) -> bool {
    let mut found = Vec::new();
    check(root, schema, value, "", &mut found);
    found.is_empty()
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let schema = match schema {
        Value::Bool(true) => return,
        Value::Bool(false) => return found.push(format!("{at}: may not be there")),
        schema => schema.as_object().expect("a schema is a map or a truth value"),
    };
    for (keyword, rule) in schema {
        if !holds(root, schema, keyword, rule, value, at, found) {
            found.push(format!("{at}: `{keyword}` {rule} refuses {value}"));
        }
    }
}

/// Whether a keyword takes a value. What is inside is told on its own.
fn holds(
    root: &Value,
    schema: &serde_json::Map<String, Value>,
    keyword: &str,
    rule: &Value,
    value: &Value,
    at: &str,
    found: &mut Vec<String>,
) -> bool {
    let count = |rule: &Value| usize::try_from(rule.as_u64().unwrap()).unwrap();
    let schemas = || rule.as_array().unwrap();
    match keyword {
        "$schema" | "$defs" | "title" | "description" | "examples" | "format" => true,
        "$ref" => {
            let target = root.pointer(rule.as_str().unwrap().strip_prefix('#').unwrap());
            check(root, target.expect("a definition"), value, at, found);
            true
        }
        "type" => {
            let is = |kind: &Value| match kind.as_str().unwrap() {
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "number" => value.is_number(),
                "integer" => value.is_u64() || value.is_i64(),
                "object" => value.is_object(),
                "array" => value.is_array(),
                other => panic!("unknown type {other}"),
            };
            rule.as_array()
                .map_or_else(|| is(rule), |kinds| kinds.iter().any(is))
        }
        "enum" => schemas().contains(value),
        "const" => rule == value,
        "pattern" => value
            .as_str()
            .is_none_or(|text| regex::Regex::new(rule.as_str().unwrap()).unwrap().is_match(text)),
        "minLength" => value
            .as_str()
            .is_none_or(|text| text.chars().count() >= count(rule)),
        "minItems" => value.as_array().is_none_or(|items| items.len() >= count(rule)),
        "maxItems" => value.as_array().is_none_or(|items| items.len() <= count(rule)),
        "minProperties" => value.as_object().is_none_or(|map| map.len() >= count(rule)),
        "minimum" => value
            .as_f64()
            .is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value
            .as_f64()
            .is_none_or(|number| number <= rule.as_f64().unwrap()),
        "exclusiveMinimum" => value
            .as_f64()
            .is_none_or(|number| number > rule.as_f64().unwrap()),
        "exclusiveMaximum" => value
            .as_f64()
            .is_none_or(|number| number < rule.as_f64().unwrap()),
        "required" => value.as_object().is_none_or(|map| {
            schemas()
                .iter()
                .all(|key| map.contains_key(key.as_str().unwrap()))
        }),
        "properties" => {
            for (key, rule) in rule.as_object().unwrap() {
                if let Some(inside) = value.get(key) {
                    check(root, rule, inside, &format!("{at}/{key}"), found);
                }
            }
            true
        }
        "additionalProperties" => {
            let known = schema.get("properties").and_then(Value::as_object);
            for (key, inside) in value.as_object().into_iter().flatten() {
                if known.is_none_or(|known| !known.contains_key(key)) {
                    check(root, rule, inside, &format!("{at}/{key}"), found);
                }
            }
            true
        }
        "items" => {
            for (index, inside) in value.as_array().into_iter().flatten().enumerate() {
                check(root, rule, inside, &format!("{at}/{index}"), found);
            }
            true
        }
        "allOf" => schemas().iter().all(|one| fits(root, one, value)),
        "anyOf" => schemas().iter().any(|one| fits(root, one, value)),
        "oneOf" => schemas().iter().filter(|one| fits(root, one, value)).count() == 1,
        "not" => !fits(root, rule, value),
        "dependentRequired" => rule.as_object().unwrap().iter().all(|(key, needed)| {
            let needed = needed.as_array().unwrap();
            value.get(key).is_none()
                || needed
                    .iter()
                    .all(|key| value.get(key.as_str().unwrap()).is_some())
        }),
        "dependentSchemas" => {
            for (key, rule) in rule.as_object().unwrap() {
                if value.get(key).is_some() {
                    check(root, rule, value, at, found);
                }
            }
            true
        }
        unknown => panic!("the schema uses `{unknown}`, which this validator does not know"),
    }
}
