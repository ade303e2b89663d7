//! The objects with their resource versions, and the changes that watches see.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::kinds::{self, Kind};
use super::object;

/// How many changes are kept for watches.
const KEPT: usize = 20_000;

/// Where an object is: its plural, its namespace (empty for none) and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) plural: &'static str,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// One change, as it was.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) revision: u64,
    pub(crate) plural: &'static str,
    /// As it was before, unless it is new.
    pub(crate) before: Option<Arc<Value>>,
    /// As it is now; for one that is gone, as it last was with the version of its end.
    pub(crate) now: Arc<Value>,
    pub(crate) is_gone: bool,
}

/// All objects.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    objects: BTreeMap<Key, Arc<Value>>,
    revision: u64,
    changes: VecDeque<Change>,
    /// Changes up to this one are gone.
    compacted: u64,
}

impl Key {
    pub(crate) fn new(plural: &'static str, namespace: &str, name: &str) -> Self {
        Self {
            plural,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// That of an object by the plural of its kind.
    pub(crate) fn of_name(plural: &'static str, object: &Value) -> Self {
        Self::new(plural, object::namespace(object), object::name(object))
    }

    /// That of an object of a kind.
    pub(crate) fn of(kind: &Kind, object: &Value) -> Self {
        Self::of_name(kind.plural, object)
    }
}

impl Store {
    pub(crate) fn new() -> Self {
        Self {
            objects: BTreeMap::new(),
            revision: 1000,
            changes: VecDeque::new(),
            compacted: 1000,
        }
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    pub(crate) fn compacted(&self) -> u64 {
        self.compacted
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Value> {
        self.objects.get(key).map(Arc::as_ref)
    }

    /// Those of a plural, by namespace and name; of all namespaces for an empty one.
    pub(crate) fn list(&self, plural: &'static str, namespace: &str) -> impl Iterator<Item = &Value> {
        let from = Key::new(plural, namespace, "");
        let namespace = namespace.to_owned();
        self.objects
            .range(from..)
            .take_while(move |(key, _)| {
                key.plural == plural && (namespace.is_empty() || key.namespace == namespace)
            })
            .map(|(_, object)| object.as_ref())
    }

    /// Every object.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.objects.iter().map(|(key, object)| (key, object.as_ref()))
    }

    /// Stores a new object, which gets what the server gives: uid, time, version, generation.
    pub(crate) fn create(&mut self, kind: &Kind, mut object: Value, now: Duration) -> Value {
        object::put(
            &mut object,
            &["metadata", "uid"],
            json!(Uuid::new_v4().to_string()),
        );
        object::put(
            &mut object,
            &["metadata", "creationTimestamp"],
            json!(object::moment(now)),
        );
        if object.get("spec").is_some() {
            object::put(&mut object, &["metadata", "generation"], json!(1));
        }
        self.set(Key::of(kind, &object), None, object)
    }

    /// Stores an object in place of what is there; one that is the same changes nothing.
    pub(crate) fn replace(&mut self, kind: &Kind, mut object: Value) -> Value {
        let key = Key::of(kind, &object);
        let before = self.objects.get(&key).cloned();
        if let Some(before) = &before {
            let version = before.pointer("/metadata/resourceVersion").cloned();
            object::put(
                &mut object,
                &["metadata", "resourceVersion"],
                version.unwrap_or_default(),
            );
            if **before == object {
                return object;
            }
        }
        self.set(key, before, object)
    }

    /// Takes an object away.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Value> {
        let before = self.objects.remove(key)?;
        let mut last = before.as_ref().clone();
        self.revision += 1;
        object::put(
            &mut last,
            &["metadata", "resourceVersion"],
            json!(self.revision.to_string()),
        );
        let change = Change {
            revision: self.revision,
            plural: key.plural,
            before: Some(before),
            now: Arc::new(last.clone()),
            is_gone: true,
        };
        self.note(change);
        Some(last)
    }

    /// The changes after a version.
    pub(crate) fn since(&self, revision: u64) -> impl Iterator<Item = &Change> {
        let from = self.changes.partition_point(|change| change.revision <= revision);
        self.changes.iter().skip(from)
    }

    /// Forgets all changes so far: who watches from before them hears 410.
    pub(crate) fn compact(&mut self) {
        self.changes.clear();
        self.compacted = self.revision;
    }

    fn set(&mut self, key: Key, before: Option<Arc<Value>>, mut object: Value) -> Value {
        self.revision += 1;
        object::put(
            &mut object,
            &["metadata", "resourceVersion"],
            json!(self.revision.to_string()),
        );
        let plural = key.plural;
        let now = Arc::new(object.clone());
        self.objects.insert(key, Arc::clone(&now));
        let change = Change {
            revision: self.revision,
            plural,
            before,
            now,
            is_gone: false,
        };
        self.note(change);
        object
    }

    fn note(&mut self, change: Change) {
        self.changes.push_back(change);
        if self.changes.len() > KEPT
            && let Some(oldest) = self.changes.pop_front()
        {
            self.compacted = oldest.revision;
        }
    }
}

/// The key of an object that names its own kind.
pub(crate) fn key_of(object: &Value) -> Option<(&'static Kind, Key)> {
    let kind = kinds::by_object(object::text(object, "/apiVersion"), object::text(object, "/kind"))?;
    Some((kind, Key::of(kind, object)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str, value: &str) -> Value {
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "default" }, "data": { "a": value } })
    }

    #[test]
    fn each_change_has_its_version_and_no_change_has_none() {
        let kind = kinds::named("configmaps").unwrap();
        let mut store = Store::new();
        let first = store.create(kind, config("a", "1"), Duration::ZERO);
        let begun = store.revision();
        let same = store.replace(kind, first.clone());
        assert_eq!((same, store.revision()), (first.clone(), begun));
        let mut changed = first;
        object::put(&mut changed, &["data", "a"], json!("2"));
        store.replace(kind, changed);
        store.remove(&Key::new("configmaps", "default", "a"));
        let seen: Vec<(u64, bool, bool)> = store
            .since(0)
            .map(|change| (change.revision - begun, change.before.is_some(), change.is_gone))
            .collect();
        assert_eq!(seen, [(0, false, false), (1, true, false), (2, true, true)]);
        assert_eq!(store.since(begun).count(), 2);
        store.compact();
        assert_eq!((store.compacted(), store.since(0).count()), (begun + 2, 0));
    }

    #[test]
    fn lists_are_those_of_a_namespace_or_of_all() {
        let kind = kinds::named("configmaps").unwrap();
        let mut store = Store::new();
        for (namespace, name) in [("a", "x"), ("b", "y"), ("ab", "z")] {
            let mut object = config(name, "");
            object::put(&mut object, &["metadata", "namespace"], json!(namespace));
            store.create(kind, object, Duration::ZERO);
        }
        let names =
            |namespace| -> Vec<&str> { store.list("configmaps", namespace).map(object::name).collect() };
        assert_eq!(names("a"), ["x"]);
        assert_eq!(names(""), ["x", "z", "y"]);
    }
}
