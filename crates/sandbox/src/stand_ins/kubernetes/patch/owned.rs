//! Who owns which fields: `managedFields`, in the form that
//! [server-side apply](https://kubernetes.io/docs/reference/using-api/server-side-apply/) writes.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::schema::Field;

/// A path to a field: `f:name`, `k:{"name":"web"}` and `v:"x"` one after the other; `.` at the end is the item itself.
pub(crate) type Path = Vec<String>;
/// The fields of a manager.
pub(crate) type Paths = BTreeSet<Path>;

/// Who owns what, in the order of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owners(pub(crate) Vec<Owner>);

/// One manager with an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) manager: String,
    pub(crate) operation: String,
    pub(crate) part: String,
    pub(crate) api_version: String,
    pub(crate) time: String,
    pub(crate) paths: Paths,
}

/// The fields that a value has, as far as somebody can own them.
pub(crate) fn paths(value: &Value, kind: &Field) -> Paths {
    let mut found = Paths::new();
    collect(value, kind, &mut Vec::new(), &mut found);
    found.retain(|path| !is_nobodys(path));
    found
}

/// The value at a path.
pub(crate) fn at<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    let Some((first, rest)) = path.split_first() else {
        return Some(value);
    };
    let below = match first.split_once(':') {
        Some(("f", name)) => value.get(name)?,
        Some(("k", key)) => {
            let key: Map<String, Value> = serde_json::from_str(key).ok()?;
            value.as_array()?.iter().find(|item| has_key(item, &key))?
        }
        Some(("v", plain)) => {
            let plain: Value = serde_json::from_str(plain).ok()?;
            value.as_array()?.iter().find(|item| **item == plain)?
        }
        _ => value,
    };
    at(below, rest)
}

/// Takes what is at a path away, and the maps and lists that are empty by that.
pub(crate) fn remove(value: &mut Value, path: &[String]) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    match (first.split_once(':'), value) {
        (Some(("f", name)), Value::Object(fields)) => {
            if rest.is_empty() {
                fields.shift_remove(name);
            } else if let Some(below) = fields.get_mut(name) {
                remove(below, rest);
                if is_hollow(below) {
                    fields.shift_remove(name);
                }
            }
        }
        (Some(("k", key)), Value::Array(items)) => {
            let key: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
            match rest {
                [] => {}
                [dot] if dot == "." => items.retain(|item| !has_key(item, &key)),
                rest => items
                    .iter_mut()
                    .filter(|item| has_key(item, &key))
                    .for_each(|item| remove(item, rest)),
            }
        }
        (Some(("v", plain)), Value::Array(items)) => {
            let plain: Value = serde_json::from_str(plain).unwrap_or_default();
            items.retain(|item| *item != plain);
        }
        _ => {}
    }
}

impl Owners {
    /// As an object has it.
    pub(crate) fn of(object: &Value) -> Self {
        let entries = object::items(object, "/metadata/managedFields").iter();
        let owners = entries.map(|entry| {
            let mut paths = Paths::new();
            unfold(&entry["fieldsV1"], &mut Vec::new(), &mut paths);
            Owner {
                manager: object::text(entry, "/manager").to_owned(),
                operation: object::text(entry, "/operation").to_owned(),
                part: object::text(entry, "/subresource").to_owned(),
                api_version: object::text(entry, "/apiVersion").to_owned(),
                time: object::text(entry, "/time").to_owned(),
                paths,
            }
        });
        Self(owners.collect())
    }

    /// Writes it into an object; managers without a field go.
    pub(crate) fn write(&self, object: &mut Value) {
        let owners = self.0.iter().filter(|owner| !owner.paths.is_empty());
        let entries: Vec<Value> = owners
            .map(|owner| {
                let mut entry = json!({
                    "manager": owner.manager, "operation": owner.operation, "apiVersion": owner.api_version,
                    "time": owner.time, "fieldsType": "FieldsV1", "fieldsV1": fold(&owner.paths),
                });
                if !owner.part.is_empty() {
                    object::put(&mut entry, &["subresource"], json!(owner.part));
                }
                entry
            })
            .collect();
        if entries.is_empty() {
            object::take(object, &["metadata", "managedFields"]);
        } else {
            object::put(object, &["metadata", "managedFields"], json!(entries));
        }
    }

    /// The entry of a manager, made if need be.
    pub(crate) fn entry(
        &mut self,
        manager: &str,
        operation: &str,
        part: &str,
        api_version: &str,
        now: Duration,
    ) -> &mut Owner {
        let fits =
            |owner: &Owner| owner.manager == manager && owner.operation == operation && owner.part == part;
        let place = self.0.iter().position(fits).unwrap_or_else(|| {
            self.0.push(Owner {
                manager: manager.to_owned(),
                operation: operation.to_owned(),
                part: part.to_owned(),
                api_version: String::new(),
                time: String::new(),
                paths: Paths::new(),
            });
            self.0.len() - 1
        });
        let owner = &mut self.0[place];
        api_version.clone_into(&mut owner.api_version);
        owner.time = object::moment(now);
        owner
    }

    /// A manager has written without applying: what changed is theirs, what is gone is nobody's.
    pub(crate) fn updated(
        &mut self,
        before: Option<&Value>,
        after: &Value,
        kind: &Field,
        by: (&str, &str, &str, Duration),
    ) {
        let (manager, part, api_version, now) = by;
        let had = before.map(|before| paths(before, kind)).unwrap_or_default();
        let has = paths(after, kind);
        let is_new = |path: &&Path| {
            !had.contains(*path) || before.and_then(|before| at(before, path)) != at(after, path)
        };
        let changed: Paths = has
            .iter()
            .filter(is_new)
            // An item that is there already is not made new by a field in it.
            .filter(|path| !(path.last().is_some_and(|last| last == ".") && had.contains(*path)))
            .cloned()
            .collect();
        for owner in &mut self.0 {
            owner
                .paths
                .retain(|path| !changed.contains(path) && (has.contains(path) || !had.contains(path)));
        }
        if !changed.is_empty() {
            let entry = self.entry(manager, "Update", part, api_version, now);
            entry.paths.extend(changed);
        }
        self.0.retain(|owner| !owner.paths.is_empty());
    }
}

fn collect(value: &Value, kind: &Field, path: &mut Path, found: &mut Paths) {
    match (kind, value) {
        (Field::Struct(_, false) | Field::Map(_, false), Value::Object(fields)) if !fields.is_empty() => {
            for (name, value) in fields {
                path.push(format!("f:{name}"));
                collect(value, kind.below(name), path, found);
                path.pop();
            }
        }
        // Custom objects have no types inside, and are merged map by map.
        (Field::Any, Value::Object(fields)) if !fields.is_empty() => {
            for (name, value) in fields {
                path.push(format!("f:{name}"));
                collect(value, &Field::Any, path, found);
                path.pop();
            }
        }
        (Field::Keyed(inner, keys), Value::Array(items)) => {
            for item in items {
                path.push(key_part(item, keys));
                found.insert([path.as_slice(), &[".".to_owned()]].concat());
                collect(item, inner, path, found);
                path.pop();
            }
        }
        (Field::Set(_), Value::Array(items)) => {
            for item in items {
                found.insert([path.as_slice(), &[format!("v:{item}")]].concat());
            }
        }
        (_, Value::Null) => {}
        _ => {
            found.insert(path.clone());
        }
    }
}

/// The part of a path that names an item by its keys; a protocol that is not said is TCP.
pub(crate) fn key_part(item: &Value, keys: &[&str]) -> String {
    let mut key = Map::new();
    for name in keys {
        let value = match (item.get(name), *name) {
            (Some(value), _) => value.clone(),
            (None, "protocol") => json!("TCP"),
            (None, _) => continue,
        };
        key.insert((*name).to_owned(), value);
    }
    format!("k:{}", Value::Object(key))
}

fn has_key(item: &Value, key: &Map<String, Value>) -> bool {
    key.iter().all(|(name, value)| match item.get(name) {
        Some(found) => found == value,
        None => name == "protocol" && value == "TCP",
    })
}

/// What the server itself sets.
fn is_nobodys(path: &Path) -> bool {
    let parts: Vec<&str> = path.iter().map(String::as_str).take(2).collect();
    match parts.as_slice() {
        ["f:apiVersion" | "f:kind", ..] => true,
        ["f:metadata", name] => matches!(
            *name,
            "f:name"
                | "f:namespace"
                | "f:uid"
                | "f:resourceVersion"
                | "f:generation"
                | "f:creationTimestamp"
                | "f:managedFields"
                | "f:selfLink"
                | "f:deletionTimestamp"
                | "f:deletionGracePeriodSeconds"
                | "f:generateName"
        ),
        _ => false,
    }
}

fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn fold(paths: &Paths) -> Value {
    let mut folded = Value::Object(Map::new());
    for path in paths {
        let mut place = &mut folded;
        for part in path {
            let Value::Object(fields) = place else { break };
            place = fields
                .entry(part.clone())
                .or_insert_with(|| Value::Object(Map::new()));
        }
    }
    folded
}

fn unfold(folded: &Value, path: &mut Path, found: &mut Paths) {
    let Some(fields) = folded.as_object().filter(|fields| !fields.is_empty()) else {
        if !path.is_empty() {
            found.insert(path.clone());
        }
        return;
    };
    for (part, below) in fields {
        path.push(part.clone());
        unfold(below, path, found);
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEPLOYMENT: Field = Field::Struct("Deployment", false);

    #[test]
    fn paths_are_written_and_read_back() {
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "labels": { "a": "b" } },
            "spec": { "selector": { "matchLabels": { "a": "b" } }, "template": { "spec": { "containers": [{ "name": "c", "image": "i" }] } } },
        });
        let found = paths(&object, &DEPLOYMENT);
        let folded = fold(&found);
        assert_eq!(
            folded,
            json!({
                "f:metadata": { "f:labels": { "f:a": {} } },
                "f:spec": { "f:selector": {}, "f:template": { "f:spec": { "f:containers": { "k:{\"name\":\"c\"}": {
                    ".": {}, "f:image": {}, "f:name": {},
                } } } } },
            })
        );
        let mut again = Paths::new();
        unfold(&folded, &mut Vec::new(), &mut again);
        assert_eq!(again, found);
        for path in &found {
            assert!(at(&object, path).is_some(), "{path:?}");
        }
    }

    #[test]
    fn who_changes_a_field_owns_it() {
        let first = json!({ "spec": { "replicas": 1, "paused": true } });
        let second = json!({ "spec": { "replicas": 2 } });
        let mut owners = Owners::default();
        owners.updated(None, &first, &DEPLOYMENT, ("a", "", "apps/v1", Duration::ZERO));
        owners.updated(
            Some(&first),
            &second,
            &DEPLOYMENT,
            ("b", "", "apps/v1", Duration::ZERO),
        );
        let owned: Vec<(&str, usize)> = owners
            .0
            .iter()
            .map(|owner| (owner.manager.as_str(), owner.paths.len()))
            .collect();
        assert_eq!(owned, [("b", 1)]);
    }
}
