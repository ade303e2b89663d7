//! What a copy of an object keeps of its metadata: nothing that the server gave the original, and nothing by which a tool would take
//! the copy for its own and prune or revert it. Pure.

use serde_json::{Map, Value, json};

use crate::object::{Labels, entries, labels_at, text};

/// Labels and annotations of controllers and of tools that own what bears them.
const OF_OTHERS: [&str; 15] = [
    "deploy-actions/",
    "deployment.kubernetes.io/",
    "kubectl.kubernetes.io/last-applied-configuration",
    // https://helm.sh/docs/topics/charts_hooks/ and the ownership that Helm checks.
    "meta.helm.sh/",
    "helm.sh/hook",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "fluxcd.io/",
    // Sets of objects that are pruned together: kubectl's, kpt's, Fleet's and kapp's.
    "applyset.kubernetes.io/",
    "config.k8s.io/",
    "config.kubernetes.io/",
    "internal.config.kubernetes.io/",
    "objectset.rio.cattle.io/",
    "kapp.k14s.io/",
];

/// The label by which Argo CD tracks what it made where it is set up so
/// (<https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/>). Charts use it too, so that only who wrote an object
/// tells.
const INSTANCE: &str = "app.kubernetes.io/instance";

/// Metadata for a copy: another name, the same namespace, labels and annotations without those of other tools, and these marks as
/// annotations.
#[must_use]
pub fn copied(from: &Value, name: &str, marks: &Labels) -> Value {
    let tracked = managers(from).any(|manager| manager.starts_with("argocd"));
    let kept = |pointer: &str| {
        let mut kept = labels_at(from, pointer);
        kept.retain(|key, _| !is_of_others(key));
        kept
    };
    let mut labels = kept("/metadata/labels");
    if tracked {
        labels.remove(INSTANCE);
    }
    let mut annotations = kept("/metadata/annotations");
    annotations.extend(marks.clone());
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), name.into());
    let namespace = text(from, "/metadata/namespace");
    if !namespace.is_empty() {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    for (key, map) in [("labels", labels), ("annotations", annotations)] {
        if !map.is_empty() {
            metadata.insert(key.to_owned(), json!(map));
        }
    }
    Value::Object(metadata)
}

/// Whether a label or an annotation says whose the object is.
#[must_use]
pub fn is_of_others(key: &str) -> bool {
    OF_OTHERS.iter().any(|prefix| key.starts_with(prefix))
}

/// Who wrote fields of an object, as far as the server remembers.
pub fn managers(object: &Value) -> impl Iterator<Item = &str> {
    let all = entries(object, "/metadata/managedFields").iter();
    all.map(|entry| text(entry, "/manager"))
}
