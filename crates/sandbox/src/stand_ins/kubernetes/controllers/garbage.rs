//! What goes by itself: what is owned by nothing that is left, what waits for what it owns, and what is in a namespace that ends.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::stand_ins::kubernetes::api;
use crate::stand_ins::kubernetes::kinds::{self, Kind};
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::world::World;

const FOREGROUND: &str = "foregroundDeletion";

pub(super) fn run(world: &mut World) {
    let there: BTreeSet<String> = world
        .store
        .all()
        .map(|(_, object)| object::uid(object).to_owned())
        .collect();
    let ending: BTreeSet<String> = world
        .store
        .all()
        .filter(|(_, object)| object::is_leaving(object) && has_finalizer(object, FOREGROUND))
        .map(|(_, object)| object::uid(object).to_owned())
        .collect();
    let goes = |object: &Value| {
        let mut owners = object::items(object, "/metadata/ownerReferences")
            .iter()
            .map(|owner| object::text(owner, "/uid"));
        let owned = owners.len() > 0;
        owned
            && !object::is_leaving(object)
            && owners.all(|owner| !there.contains(owner) || ending.contains(owner))
    };
    let lost: Vec<Value> = world
        .store
        .all()
        .map(|(_, object)| object)
        .filter(|object| goes(object))
        .cloned()
        .collect();
    for object in lost {
        let Some(kind) = kind_of(&object) else { continue };
        // What is ended in the foreground ends what it owns in the same way.
        let in_foreground = object::items(&object, "/metadata/ownerReferences")
            .iter()
            .any(|owner| ending.contains(object::text(owner, "/uid")));
        let policy = if in_foreground { "Foreground" } else { "Background" };
        let options = json!({ "propagationPolicy": policy });
        api::end(world, kind, object, &options);
    }
    for uid in ending {
        let is_owner = world.store.all().any(|(_, object)| {
            object::items(object, "/metadata/ownerReferences")
                .iter()
                .any(|owner| object::text(owner, "/uid") == uid)
        });
        if !is_owner {
            release(world, &uid, FOREGROUND);
        }
    }
    namespaces(world);
}

fn namespaces(world: &mut World) {
    let ending: Vec<Value> = world
        .store
        .list("namespaces", "")
        .filter(|namespace| object::is_leaving(namespace))
        .cloned()
        .collect();
    for namespace in ending {
        let inside: Vec<Value> = world
            .store
            .all()
            .filter(|(key, _)| key.namespace == object::name(&namespace))
            .map(|(_, object)| object.clone())
            .collect();
        if inside.is_empty() {
            release(world, object::uid(&namespace), "kubernetes");
        }
        for object in inside.into_iter().filter(|object| !object::is_leaving(object)) {
            if let Some(kind) = kind_of(&object) {
                api::end(world, kind, object, &Value::Null);
            }
        }
    }
}

/// Takes a finalizer away, and with the last one the object.
fn release(world: &mut World, uid: &str, finalizer: &str) {
    let found = world.store.all().find(|(_, object)| object::uid(object) == uid);
    let Some(mut object) = found.map(|(_, object)| object.clone()) else {
        return;
    };
    let Some(kind) = kind_of(&object) else { return };
    let mut left = object::items(&object, "/metadata/finalizers").to_vec();
    left.retain(|known| known != finalizer);
    object::put(&mut object, &["metadata", "finalizers"], json!(left));
    let stored = world.save(object);
    api::finish_if_free(world, kind, stored);
}

fn has_finalizer(object: &Value, name: &str) -> bool {
    object::items(object, "/metadata/finalizers").contains(&json!(name))
}

fn kind_of(object: &Value) -> Option<&'static Kind> {
    kinds::by_object(object::text(object, "/apiVersion"), object::text(object, "/kind"))
}
