//! ControllerRevisions: the templates that StatefulSets and DaemonSets have had.

use serde_json::{Value, json};

use super::deployments::hash;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::world::World;

/// The name of the revision of its present template, written down if it is new.
pub(super) fn current(world: &mut World, owner: &Value) -> String {
    let template = &owner["spec"]["template"];
    // Sets of two kinds may have one name and one template.
    let name = format!(
        "{}-{}",
        object::name(owner),
        hash(&json!([owner["kind"], template]))
    );
    let namespace = object::namespace(owner);
    let all: Vec<Value> = world
        .store
        .list("controllerrevisions", namespace)
        .filter(|revision| object::is_controlled_by(revision, object::uid(owner)))
        .cloned()
        .collect();
    let latest = all
        .iter()
        .filter_map(|revision| object::number(revision, "/revision"))
        .max()
        .unwrap_or_default();
    match all.iter().find(|revision| object::name(revision) == name) {
        Some(known) if object::number(known, "/revision") == Some(latest) => {}
        Some(known) => {
            let mut known = known.clone();
            object::put(&mut known, &["revision"], json!(latest + 1));
            world.save(known);
        }
        None => {
            let mut template = template.clone();
            object::put(&mut template, &["$patch"], json!("replace"));
            world.put(json!({
                "apiVersion": "apps/v1", "kind": "ControllerRevision",
                "metadata": {
                    "name": name, "namespace": namespace, "ownerReferences": [object::owner_reference(owner)],
                    "labels": owner["spec"]["template"]["metadata"]["labels"],
                },
                "revision": latest + 1, "data": { "spec": { "template": template } },
            }));
        }
    }
    name
}

/// The last part of a revision's name, as pods carry it.
pub(super) fn mark(revision: &str) -> String {
    revision.rsplit('-').next().unwrap_or_default().to_owned()
}
