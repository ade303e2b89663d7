//! What applying an object changes, and what a workload reads of it. Pure. Only names of fields are told: values may be secret.

use std::collections::BTreeSet;

use gha::text;
use serde_json::Value;

use crate::object;

/// How many fields are told.
const TOLD: usize = 8;

/// How deep a change is told; below, its parent is.
const DEEPEST: usize = 5;

/// What of the metadata says nothing about a change.
const BOOKKEEPING: [&str; 6] = [
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// The fields that differ, as paths: `.spec.template.spec.containers[0].image`; none where nothing that counts does.
#[must_use]
pub fn changed(before: &Value, after: &Value) -> Vec<String> {
    let (before, after) = (what_counts(before), what_counts(after));
    let mut found = Vec::new();
    differ(&before, &after, "", 0, &mut found);
    found
}

/// Whether an object holds all that was applied: lists count whole where they are no lists of maps.
#[must_use]
pub fn holds(live: &Value, applied: &Value) -> bool {
    match (live, applied) {
        (_, Value::Null) => true,
        (Value::Object(live), Value::Object(applied)) => applied
            .iter()
            .all(|(key, value)| live.get(key).map_or(value.is_null(), |live| holds(live, value))),
        (Value::Array(live), Value::Array(applied)) => {
            live.len() == applied.len()
                && live
                    .iter()
                    .zip(applied)
                    .all(|(live, applied)| holds(live, applied))
        }
        (live, applied) => live == applied,
    }
}

/// The ConfigMaps and Secrets that a pod template reads, as kind and name.
#[must_use]
pub fn reads(template: &Value) -> BTreeSet<(&'static str, String)> {
    let mut found = BTreeSet::new();
    let mut read = |kind, object: &Value, pointer: &str| {
        let name = object::text(object, pointer);
        if !name.is_empty() {
            found.insert((kind, name.to_owned()));
        }
    };
    for list in ["/spec/containers", "/spec/initContainers"] {
        for container in object::entries(template, list) {
            for from in object::entries(container, "/envFrom") {
                read("ConfigMap", from, "/configMapRef/name");
                read("Secret", from, "/secretRef/name");
            }
            for variable in object::entries(container, "/env") {
                read("ConfigMap", variable, "/valueFrom/configMapKeyRef/name");
                read("Secret", variable, "/valueFrom/secretKeyRef/name");
            }
        }
    }
    for volume in object::entries(template, "/spec/volumes") {
        read("ConfigMap", volume, "/configMap/name");
        read("Secret", volume, "/secret/secretName");
        for source in object::entries(volume, "/projected/sources") {
            read("ConfigMap", source, "/configMap/name");
            read("Secret", source, "/secret/name");
        }
    }
    for secret in object::entries(template, "/spec/imagePullSecrets") {
        read("Secret", secret, "/name");
    }
    found
}

fn what_counts(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.shift_remove("status");
        // Lists of the server leave them out.
        map.shift_remove("apiVersion");
        map.shift_remove("kind");
        if let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) {
            for key in BOOKKEEPING {
                metadata.shift_remove(key);
            }
        }
    }
    object
}

fn differ(before: &Value, after: &Value, path: &str, depth: usize, found: &mut Vec<String>) {
    if found.len() > TOLD || before == after {
        return;
    }
    match (before, after) {
        (Value::Object(one), Value::Object(other)) if depth < DEEPEST => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                let key = text::cut(&text::visible(key), 60);
                differ(&of(one), &of(other), &format!("{path}.{key}"), depth + 1, found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() && depth < DEEPEST => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differ(one, other, &format!("{path}[{index}]"), depth, found);
            }
        }
        _ if found.len() == TOLD => found.push("…".to_owned()),
        _ => found.push(if path.is_empty() {
            ".".to_owned()
        } else {
            path.to_owned()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    #[test]
    fn only_what_counts_is_a_change() {
        let before = json!({"kind": "X", "metadata": {"name": "a", "resourceVersion": "1", "managedFields": []}, "status": {"x": 1}, "data": {"a": "1", "b": "secret"}, "l": [{"i": 1}]});
        let mut after = before.clone();
        after["metadata"]["resourceVersion"] = "2".into();
        after["status"] = json!({});
        assert_eq!(changed(&before, &after), Vec::<String>::new());
        after["data"]["b"] = "hidden".into();
        after["l"][0]["i"] = 2.into();
        assert_eq!(changed(&before, &after), [".data.b", ".l[0].i"]);
    }

    #[test]
    fn an_object_that_was_applied_holds_what_it_was_given() {
        let live = json!({"spec": {"a": 1, "b": [{"c": 1, "d": 2}]}, "status": {}});
        assert!(holds(&live, &json!({"spec": {"b": [{"c": 1}], "e": null}})));
        assert!(!holds(&live, &json!({"spec": {"b": []}})));
        assert!(!holds(&live, &json!({"spec": {"a": 2}})));
        assert!(!holds(&live, &json!({"other": {}})));
    }

    #[test]
    fn what_a_template_reads_is_found_everywhere() {
        let template = json!({"spec": {
            "containers": [{"envFrom": [{"configMapRef": {"name": "a"}}, {"secretRef": {"name": "b"}}], "env": [{"name": "X", "valueFrom": {"secretKeyRef": {"name": "c", "key": "k"}}}]}],
            "initContainers": [{"env": [{"valueFrom": {"configMapKeyRef": {"name": "d"}}}]}],
            "volumes": [{"configMap": {"name": "e"}}, {"secret": {"secretName": "f"}}, {"projected": {"sources": [{"secret": {"name": "g"}}, {"configMap": {"name": "h"}}]}}],
            "imagePullSecrets": [{"name": "i"}],
        }});
        let found = reads(&template);
        let found: Vec<String> = found
            .iter()
            .map(|(kind, name)| format!("{} {name}", &kind[..1]))
            .collect();
        assert_eq!(
            found,
            ["C a", "C d", "C e", "C h", "S b", "S c", "S f", "S g", "S i"]
        );
    }

    proptest! {
        #[test]
        fn any_json_is_compared(one in any::<Vec<u8>>(), other in "[\\[\\]{}\":,a0]{0,40}") {
            let one: Value = serde_json::from_slice(&one).unwrap_or_else(|_| json!({"metadata": 5, "spec": [1]}));
            let other: Value = serde_json::from_str(&other).unwrap_or_default();
            assert!(changed(&one, &one).is_empty() && holds(&one, &one));
            let _ = (changed(&one, &other), holds(&one, &other), reads(&one), reads(&other));
        }
    }
}
