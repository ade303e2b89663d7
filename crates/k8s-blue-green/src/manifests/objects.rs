//! What documents hold, as objects to apply: lists are unfolded, and what can't be applied is told with its place, all of it at
//! once and before anything is applied. Pure. No value of an object is ever told, since it may be a Secret's.

use std::collections::HashMap;

use gha::text;
use serde_json::Value;

use super::{Manifest, Origin};
use crate::object;

/// Lists in lists, at most.
const DEEPEST: usize = 4;

/// What the server gives an object; a manifest that was printed by `kubectl get -o yaml` has it.
const OF_THE_SERVER: [&str; 7] = [
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
    "deletionTimestamp",
];

/// Takes in objects and what is wrong with them.
pub(super) struct Objects<'a> {
    namespace: &'a str,
    first: HashMap<(String, String, String), String>,
    pub(super) found: Vec<Manifest>,
    pub(super) faults: Vec<String>,
}

impl<'a> Objects<'a> {
    pub(super) fn of(namespace: &'a str) -> Self {
        Self {
            namespace,
            first: HashMap::new(),
            found: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Takes in a document.
    pub(super) fn add(&mut self, object: Value, from: &Origin) {
        self.unfold(object, from, 0);
    }

    fn unfold(&mut self, mut object: Value, from: &Origin, depth: usize) {
        let kind = text::line(object::text(&object, "/kind"));
        let is_list = kind.ends_with("List") && object.get("items").is_some_and(Value::is_array);
        if !is_list {
            return self.one(object, from);
        }
        if depth == DEEPEST {
            return self.fault(from, "lists stand too deep in each other");
        }
        if let Some(Value::Array(items)) = object.get_mut("items").map(Value::take) {
            for item in items {
                self.unfold(item, from, depth + 1);
            }
        }
    }

    fn one(&mut self, mut object: Value, from: &Origin) {
        if let Some(reason) = wrong(&object, self.namespace) {
            return self.fault(from, &reason);
        }
        without_the_servers(&mut object);
        let (api_version, kind, name) = words(&object);
        // The same kind in two versions is the same kind.
        let group = api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
            .to_owned();
        let shown = format!("{kind} `{}`", inert(name));
        let key = (group, kind.to_owned(), name.to_owned());
        if let Some(first) = self.first.get(&key) {
            let reason = format!("{shown} is there a second time, first in {first}");
            return self.fault(from, &reason);
        }
        self.first.insert(key, from.to_string());
        self.found.push(Manifest {
            object,
            from: from.clone(),
        });
    }

    pub(super) fn fault(&mut self, from: &Origin, reason: &str) {
        self.faults.push(format!("{from}: {reason}"));
    }
}

fn words(object: &Value) -> (&str, &str, &str) {
    let word = |pointer| object::text(object, pointer);
    (word("/apiVersion"), word("/kind"), word("/metadata/name"))
}

/// Why this can't be applied.
fn wrong(object: &Value, namespace: &str) -> Option<String> {
    if !object.is_object() {
        return Some("it is no object but a text, a number or a list".to_owned());
    }
    let (api_version, kind, name) = words(object);
    for (key, word) in [("apiVersion", api_version), ("kind", kind)] {
        if word.is_empty() {
            let hint = match object.get("name").is_some() && object.get("version").is_some() {
                true => "; a chart is given as `helm:RELEASE CHART`",
                false => "",
            };
            return Some(format!("it has no `{key}`, so it is no manifest{hint}"));
        }
        if !is_word(word) {
            return Some(format!("`{key}` is `{}`, which is none", inert(word)));
        }
    }
    if api_version.starts_with("kustomize.config.k8s.io/") {
        return Some("it is a kustomization, which is given as `kustomize:FOLDER`".to_owned());
    }
    if name.is_empty() {
        let generated = !object::text(object, "/metadata/generateName").is_empty();
        return Some(match generated {
            true => format!(
                "{kind} has `metadata.generateName`, so that each run would make another; give it a name"
            ),
            false => format!("{kind} has no `metadata.name`"),
        });
    }
    if ["{{", "${", "$("].iter().any(|mark| name.contains(mark)) {
        return Some(format!(
            "the name of {kind} is `{}`: this is a template that is not rendered; render it first",
            inert(name)
        ));
    }
    if name.contains('/') || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some(format!("the name of {kind} is `{}`, which is none", inert(name)));
    }
    let own = object::text(object, "/metadata/namespace");
    (!own.is_empty() && own != namespace).then(|| {
        format!(
            "{kind} `{}` is of namespace `{}`, and this run deploys to `{}`; one run deploys to one namespace",
            inert(name),
            inert(own),
            inert(namespace)
        )
    })
}

/// Whether it could be a kind or a group and version.
fn is_word(word: &str) -> bool {
    word.len() <= 253
        && word.matches('/').count() <= 1
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'/'))
}

fn without_the_servers(object: &mut Value) {
    let Some(map) = object.as_object_mut() else { return };
    map.shift_remove("status");
    let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    for key in OF_THE_SERVER {
        metadata.shift_remove(key);
    }
}

fn inert(foreign: &str) -> String {
    text::cut(&text::line(foreign), 80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};
    use serde_json::json;

    fn judged(documents: &[Value]) -> (Vec<Value>, Vec<String>) {
        let mut objects = Objects::of("shop");
        for (index, document) in documents.iter().enumerate() {
            let from = Origin {
                source: "web.yaml".to_owned(),
                document: index + 1,
                line: 1,
            };
            objects.add(document.clone(), &from);
        }
        let found = objects
            .found
            .into_iter()
            .map(|manifest| manifest.object)
            .collect();
        (found, objects.faults)
    }

    #[test]
    fn lists_are_unfolded_and_the_servers_fields_left_out() {
        let map = |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        let mut printed = map("b");
        printed["metadata"]["uid"] = "1".into();
        printed["metadata"]["creationTimestamp"] = Value::Null;
        printed["status"] = json!({});
        let list = json!({"apiVersion": "v1", "kind": "List", "items": [printed, {"apiVersion": "v1", "kind": "ConfigMapList", "items": [map("c")]}]});
        assert_eq!(
            judged(&[map("a"), list]),
            (vec![map("a"), map("b"), map("c")], vec![])
        );
    }

    #[test]
    fn what_can_not_be_applied_is_told_with_its_place() {
        let of =
            |metadata: Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata});
        for (documents, words) in [
            (vec![json!("text")], "web.yaml:1 (document 1): it is no object"),
            (vec![json!({"kind": "X"})], "it has no `apiVersion`"),
            (vec![json!({"apiVersion": "v1"})], "it has no `kind`"),
            (
                vec![json!({"apiVersion": "v2", "name": "c", "version": "1"})],
                "`helm:RELEASE CHART`",
            ),
            (
                vec![json!({"apiVersion": "v1", "kind": "X\n::error::"})],
                "which is none",
            ),
            (vec![of(json!({}))], "Deployment has no `metadata.name`"),
            (vec![of(json!({"generateName": "x-"}))], "give it a name"),
            (vec![of(json!({"name": "{{ .Release.Name }}"}))], "not rendered"),
            (
                vec![of(json!({"name": "web", "namespace": "other"}))],
                "is of namespace `other`, and this run deploys to `shop`",
            ),
            (
                vec![of(json!({"name": "web"})), of(json!({"name": "web"}))],
                "web.yaml:1 (document 2): Deployment `web` is there a second time, first in web.yaml:1 (document 1)",
            ),
            (
                vec![json!({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"})],
                "`kustomize:FOLDER`",
            ),
        ] {
            let (_, faults) = judged(&documents);
            assert_eq!(faults.len(), 1, "{words}");
            assert!(
                faults[0].contains(words) && !faults[0].contains('\n'),
                "{faults:?}"
            );
        }
    }

    fn any_json() -> impl proptest::strategy::Strategy<Value = Value> {
        use proptest::prelude::*;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<String>().prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let keys = prop_oneof![
                "(apiVersion|kind|metadata|name|items|namespace|spec|List)",
                any::<String>()
            ];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((keys, inner), 0..5)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_panics(object in any_json(), name in any::<String>()) {
            judged(&[object, json!({"apiVersion": name, "kind": name, "metadata": {"name": name}})]);
        }
    }
}
