//! Whether an object has only fields that its kind has, and of the right types.

use serde_json::Value;

use super::{Field, field};

/// What is wrong with an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// Fields that there are not, by their paths.
    pub(crate) unknown: Vec<String>,
    /// Values of another type, in words.
    pub(crate) mistyped: Vec<String>,
}

/// Looks through an object of a type.
pub(crate) fn check(object: &Value, type_name: &'static str) -> Findings {
    let mut findings = Findings::default();
    walk(object, &Field::Struct(type_name, false), "", &mut findings);
    findings
}

/// Takes the fields away that the type has not, as the server does when it decodes.
pub(crate) fn prune(object: &mut Value, type_name: &'static str) {
    drop_unknown(object, &Field::Struct(type_name, false));
}

fn walk(value: &Value, kind: &Field, path: &str, findings: &mut Findings) {
    if value.is_null() {
        return;
    }
    let mut mistyped = |wanted: &str| {
        let found = match value {
            Value::String(_) => "string",
            Value::Number(_) => "number",
            Value::Bool(_) => "bool",
            Value::Array(_) => "array",
            _ => "object",
        };
        let path = path.trim_start_matches('.');
        findings.mistyped.push(format!(
            "json: cannot unmarshal {found} into Go struct field {path} of type {wanted}"
        ));
    };
    match (kind, value) {
        (Field::Any, _)
        | (Field::Text, Value::String(_))
        | (Field::Number, Value::Number(_))
        | (Field::Flag, Value::Bool(_))
        | (Field::Quantity, Value::Number(_) | Value::String(_)) => {}
        (Field::Whole, Value::Number(number)) if number.is_i64() => {}
        (Field::Struct(type_name, _), Value::Object(fields)) => {
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                match field(type_name, name) {
                    Some(kind) => walk(value, kind, &path, findings),
                    None => findings.unknown.push(path.trim_start_matches('.').to_owned()),
                }
            }
        }
        (Field::Map(inner, _), Value::Object(fields)) => {
            for (name, value) in fields {
                walk(value, inner, &format!("{path}.{name}"), findings);
            }
        }
        (Field::List(inner) | Field::Set(inner) | Field::Keyed(inner, _), Value::Array(items)) => {
            for (at, item) in items.iter().enumerate() {
                walk(item, inner, &format!("{path}[{at}]"), findings);
            }
        }
        (Field::Text, _) => mistyped("string"),
        (Field::Whole, _) => mistyped("int32"),
        (Field::Number, _) => mistyped("float64"),
        (Field::Flag, _) => mistyped("bool"),
        (Field::Quantity, _) => mistyped("intstr.IntOrString"),
        (Field::Struct(name, _), _) => mistyped(name),
        (Field::Map(..), _) => mistyped("map[string]string"),
        (_, _) => mistyped("[]"),
    }
}

fn drop_unknown(value: &mut Value, kind: &Field) {
    match (kind, value) {
        (Field::Struct(type_name, _), Value::Object(fields)) => {
            fields.retain(|name, value| field(type_name, name).is_some() && !value.is_null());
            for (name, value) in fields {
                drop_unknown(value, kind.below(name));
            }
        }
        (Field::Map(inner, _), Value::Object(fields)) => {
            fields.values_mut().for_each(|value| drop_unknown(value, inner));
        }
        (Field::List(inner) | Field::Set(inner) | Field::Keyed(inner, _), Value::Array(items)) => {
            items.iter_mut().for_each(|item| drop_unknown(item, inner));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_and_mistyped_fields_are_found_by_their_paths() {
        let mut object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "labels": { "a": "b" } },
            "spec": { "replicas": "3", "template": { "spec": { "containers": [{ "name": "a", "imagee": "x" }] } } },
        });
        let findings = check(&object, "Deployment");
        assert_eq!(findings.unknown, ["spec.template.spec.containers[0].imagee"]);
        assert_eq!(findings.mistyped.len(), 1, "{findings:?}");
        assert!(findings.mistyped[0].contains("spec.replicas of type int32"));
        prune(&mut object, "Deployment");
        assert_eq!(
            object["spec"]["template"]["spec"]["containers"],
            json!([{ "name": "a" }])
        );
    }
}
