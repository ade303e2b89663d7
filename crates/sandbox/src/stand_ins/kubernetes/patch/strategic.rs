//! Strategic merge: lists are merged by their merge keys, with the directives that `kubectl` writes.
//!
//! As [the design of it](https://github.com/kubernetes/community/blob/main/contributors/devel/sig-api-machinery/strategic-merge-patch.md)
//! has it: `$patch: delete|replace|merge`, `$retainKeys`, `$deleteFromPrimitiveList/…`, `$setElementOrder/…`.

use serde_json::{Map, Value};

use crate::stand_ins::kubernetes::refusal::Refusal;
use crate::stand_ins::kubernetes::schema::Field;

/// Merges a patch into an object of this type.
pub(crate) fn patch(object: &Value, patch: &Value, kind: &Field) -> Result<Value, Refusal> {
    let Value::Object(patch) = patch else {
        return Err(Refusal::bad_request("a strategic merge patch is an object"));
    };
    merge_map(object.as_object(), patch, kind)
}

fn merge_map(
    original: Option<&Map<String, Value>>,
    patch: &Map<String, Value>,
    kind: &Field,
) -> Result<Value, Refusal> {
    match patch.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            let mut whole = patch.clone();
            whole.shift_remove("$patch");
            return Ok(Value::Object(whole));
        }
        Some("delete") => return Ok(Value::Object(Map::new())),
        Some("merge") | None => {}
        Some(other) => {
            return Err(Refusal::bad_request(format!("Unknown patch type found: {other}")));
        }
    }
    let mut merged = original.cloned().unwrap_or_default();
    if let Some(kept) = patch.get("$retainKeys").and_then(Value::as_array) {
        merged.retain(|name, _| kept.iter().any(|one| one.as_str() == Some(name)));
    }
    for (name, value) in patch {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            remove_plain(&mut merged, list, value);
            continue;
        }
        // The order of a list is put right after its items are merged.
        if name.starts_with('$') {
            continue;
        }
        if value.is_null() {
            merged.shift_remove(name);
            continue;
        }
        let below = kind.below(name);
        let was = merged.get(name);
        let new = match value {
            Value::Object(fields) => merge_map(was.and_then(Value::as_object), fields, below)?,
            Value::Array(items) => merge_list(was, items, below)?,
            plain => plain.clone(),
        };
        merged.insert(name.clone(), new);
    }
    for (name, order) in patch {
        if let Some(list) = name.strip_prefix("$setElementOrder/")
            && let (Some(order), Some(Value::Array(items))) = (order.as_array(), merged.get_mut(list))
        {
            arrange(items, order, kind.below(list));
        }
    }
    Ok(Value::Object(merged))
}

fn merge_list(original: Option<&Value>, patch: &[Value], kind: &Field) -> Result<Value, Refusal> {
    let was = original.and_then(Value::as_array);
    let replaces = |item: &Value| item["$patch"] == "replace";
    match kind {
        Field::Keyed(inner, keys) => {
            let key = keys.first().copied().unwrap_or_default();
            if patch.iter().any(replaces) {
                let kept = patch.iter().filter(|item| item.get("$patch").is_none());
                return Ok(Value::Array(kept.cloned().collect()));
            }
            let mut merged = was.cloned().unwrap_or_default();
            for item in patch {
                merge_item(&mut merged, item, key, inner)?;
            }
            Ok(Value::Array(merged))
        }
        Field::Set(_) => {
            let mut merged = was.cloned().unwrap_or_default();
            for item in patch {
                if !merged.contains(item) {
                    merged.push(item.clone());
                }
            }
            Ok(Value::Array(merged))
        }
        _ => {
            let plain = patch.iter().filter(|item| !replaces(item));
            Ok(Value::Array(plain.cloned().collect()))
        }
    }
}

fn merge_item(merged: &mut Vec<Value>, item: &Value, key: &str, kind: &Field) -> Result<(), Refusal> {
    let Some(wanted) = item.get(key) else {
        return Err(Refusal::new(
            500,
            "InternalError",
            format!("map: {item} does not contain declared merge key: {key}"),
        ));
    };
    let place = merged.iter().position(|one| one.get(key) == Some(wanted));
    if item["$patch"] == "delete" {
        merged.retain(|one| one.get(key) != Some(wanted));
        return Ok(());
    }
    let Some(fields) = item.as_object() else {
        return Ok(());
    };
    let was = place.and_then(|at| merged.get(at)).and_then(Value::as_object);
    let new = merge_map(was, fields, kind)?;
    match place.and_then(|at| merged.get_mut(at)) {
        Some(slot) => *slot = new,
        None => merged.push(new),
    }
    Ok(())
}

fn remove_plain(merged: &mut Map<String, Value>, list: &str, gone: &Value) {
    if let (Some(Value::Array(items)), Some(gone)) = (merged.get_mut(list), gone.as_array()) {
        items.retain(|item| !gone.contains(item));
    }
}

/// Items that the order names stand in it; the others stay behind them.
fn arrange(items: &mut [Value], order: &[Value], kind: &Field) {
    let place = |item: &Value| {
        let named = |wanted: &Value| match kind {
            Field::Keyed(_, keys) => keys
                .first()
                .is_some_and(|key| wanted.get(key).is_some() && wanted.get(key) == item.get(key)),
            _ => wanted == item,
        };
        order.iter().position(named).unwrap_or(usize::MAX)
    };
    items.sort_by_key(place);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(patch_by: &Value) -> Value {
        let object = json!({
            "containers": [
                { "name": "web", "image": "web:1", "env": [{ "name": "A", "value": "1" }], "args": ["x", "y"] },
                { "name": "log", "image": "log:1" },
            ],
            "volumes": [{ "name": "v", "emptyDir": {} }],
            "nodeSelector": { "a": "b" },
        });
        patch(&object, patch_by, &Field::Struct("PodSpec", false)).unwrap()
    }

    #[test]
    fn lists_are_merged_by_their_keys() {
        let patched = pod(
            &json!({ "containers": [{ "name": "web", "image": "web:2", "env": [{ "name": "B", "value": "2" }], "args": ["z"] }] }),
        );
        assert_eq!(
            patched["containers"],
            json!([
                { "name": "web", "image": "web:2", "env": [{ "name": "A", "value": "1" }, { "name": "B", "value": "2" }], "args": ["z"] },
                { "name": "log", "image": "log:1" },
            ])
        );
    }

    #[test]
    fn directives_are_obeyed() {
        for (by, pointer, expected) in [
            (
                json!({ "containers": [{ "name": "log", "$patch": "delete" }] }),
                "/containers/1",
                None,
            ),
            (
                json!({ "containers": [{ "$patch": "replace" }, { "name": "n" }] }),
                "/containers",
                Some(json!([{ "name": "n" }])),
            ),
            (
                json!({ "nodeSelector": { "$patch": "replace", "c": "d" } }),
                "/nodeSelector",
                Some(json!({ "c": "d" })),
            ),
            (
                json!({ "volumes": [{ "name": "v", "$retainKeys": ["name", "secret"], "secret": { "secretName": "s" } }] }),
                "/volumes/0",
                Some(json!({ "name": "v", "secret": { "secretName": "s" } })),
            ),
            (
                json!({ "$setElementOrder/containers": [{ "name": "log" }, { "name": "web" }], "containers": [] }),
                "/containers/0/name",
                Some(json!("log")),
            ),
            (json!({ "nodeSelector": null }), "/nodeSelector", None),
        ] {
            assert_eq!(pod(&by).pointer(pointer).cloned(), expected, "{by}");
        }
    }

    #[test]
    fn an_item_without_its_key_is_refused() {
        let refused = patch(
            &json!({}),
            &json!({ "containers": [{ "image": "x" }] }),
            &Field::Struct("PodSpec", false),
        );
        assert!(
            refused
                .unwrap_err()
                .message
                .contains("does not contain declared merge key: name")
        );
    }
}
