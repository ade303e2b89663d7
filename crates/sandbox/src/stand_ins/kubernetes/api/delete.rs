//! Deleting: preconditions, grace, finalizers, and what becomes of those that are owned.

use serde_json::{Value, json};

use super::read;
use crate::http::Request;
use crate::stand_ins::kubernetes::ask::{self, Ask};
use crate::stand_ins::kubernetes::kinds::Kind;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::refusal::Refusal;
use crate::stand_ins::kubernetes::store::Key;
use crate::stand_ins::kubernetes::world::World;

pub(super) fn one(world: &mut World, ask: &Ask, request: &Request) -> Result<Value, Refusal> {
    let options = options(ask, request)?;
    let key = Key::new(ask.kind.plural, &ask.namespace, &ask.name);
    let Some(live) = world.store.get(&key).cloned() else {
        return Err(Refusal::not_found(ask.kind, &ask.name));
    };
    for (field, shown) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
        let wanted = object::text(&options, &format!("/preconditions/{field}"));
        let found = object::text(&live, &format!("/metadata/{field}"));
        if !wanted.is_empty() && wanted != found {
            let why = format!(
                "Precondition failed: {shown} in precondition: {wanted}, {shown} in object meta: {found}"
            );
            return Err(Refusal::conflict(ask.kind, &ask.name, &why));
        }
    }
    let left = if ask.is_dry() || object::items(&options, "/dryRun").contains(&json!("All")) {
        None
    } else {
        end(world, ask.kind, live.clone(), &options)
    };
    Ok(match left {
        Some(left) => left,
        None => json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            "details": { "name": ask.name, "group": ask.kind.group, "kind": ask.kind.plural, "uid": object::uid(&live) },
        }),
    })
}

pub(super) fn many(world: &mut World, ask: &Ask, request: &Request) -> Result<Value, Refusal> {
    let options = options(ask, request)?;
    let list = read::list(world, ask)?;
    if !ask.is_dry() {
        for item in object::items(&list, "/items") {
            let key = Key::of(ask.kind, item);
            if let Some(live) = world.store.get(&key).cloned() {
                end(world, ask.kind, live, &options);
            }
        }
    }
    Ok(list)
}

fn options(ask: &Ask, request: &Request) -> Result<Value, Refusal> {
    let mut options = ask::body(request)?;
    for name in ["propagationPolicy", "gracePeriodSeconds"] {
        let asked = ask.query.text(name);
        if !asked.is_empty() {
            let value = asked.parse::<i64>().map_or_else(|_| json!(asked), Value::from);
            object::put(&mut options, &[name], value);
        }
    }
    Ok(options)
}

/// Deletes an object, or marks it as leaving; what is left of it.
pub(crate) fn end(world: &mut World, kind: &'static Kind, mut live: Value, options: &Value) -> Option<Value> {
    let policy = match object::text(options, "/propagationPolicy") {
        // Jobs alone leave their pods when nothing is said.
        "" if kind.plural == "jobs" => "Orphan",
        "" => "Background",
        said => said,
    };
    match policy {
        "Orphan" => orphan(world, object::uid(&live)),
        "Foreground" => add_finalizer(&mut live, "foregroundDeletion"),
        _ => {}
    }
    if kind.plural == "namespaces" {
        object::put(&mut live, &["status", "phase"], json!("Terminating"));
        add_finalizer(&mut live, "kubernetes");
    }
    let grace = grace(kind, &live, options);
    let has_finalizers = !object::items(&live, "/metadata/finalizers").is_empty();
    if grace == 0 && !has_finalizers {
        world.drop_object(&Key::of(kind, &live));
        return None;
    }
    if !object::is_leaving(&live) {
        let seconds = u64::try_from(grace).unwrap_or_default();
        let at = object::moment(world.now.saturating_add(std::time::Duration::from_secs(seconds)));
        object::put(&mut live, &["metadata", "deletionTimestamp"], json!(at));
        if live.pointer("/metadata/generation").is_some() {
            let generation = object::number(&live, "/metadata/generation").unwrap_or_default() + 1;
            object::put(&mut live, &["metadata", "generation"], json!(generation));
        }
    }
    object::put(
        &mut live,
        &["metadata", "deletionGracePeriodSeconds"],
        json!(grace),
    );
    Some(world.store.replace(kind, live))
}

/// Takes an object away that was leaving and that nothing holds any more; it as it last was.
pub(crate) fn finish_if_free(world: &mut World, kind: &Kind, stored: Value) -> Value {
    let waits_for_node = kind.plural == "pods" && !object::text(&stored, "/spec/nodeName").is_empty();
    let is_free = object::is_leaving(&stored)
        && object::items(&stored, "/metadata/finalizers").is_empty()
        && !waits_for_node;
    if is_free {
        world.drop_object(&Key::of(kind, &stored));
    }
    stored
}

/// Seconds until a pod is killed; nothing else has any.
fn grace(kind: &Kind, live: &Value, options: &Value) -> i64 {
    let is_bound = !object::text(live, "/spec/nodeName").is_empty();
    let is_over = matches!(object::text(live, "/status/phase"), "Succeeded" | "Failed");
    if kind.plural != "pods" || !is_bound || is_over {
        return 0;
    }
    object::number(options, "/gracePeriodSeconds")
        .or_else(|| object::number(live, "/spec/terminationGracePeriodSeconds"))
        .unwrap_or(30)
}

fn add_finalizer(live: &mut Value, name: &str) {
    let mut all = object::items(live, "/metadata/finalizers").to_vec();
    if !all.contains(&json!(name)) {
        all.push(json!(name));
    }
    object::put(live, &["metadata", "finalizers"], json!(all));
}

/// Those that an object owns are on their own from now on.
fn orphan(world: &mut World, uid: &str) {
    let owned: Vec<Value> = world
        .store
        .all()
        .map(|(_, object)| object)
        .filter(|object| {
            object::items(object, "/metadata/ownerReferences")
                .iter()
                .any(|owner| object::text(owner, "/uid") == uid)
        })
        .cloned()
        .collect();
    for mut object in owned {
        let mut owners = object::items(&object, "/metadata/ownerReferences").to_vec();
        owners.retain(|owner| object::text(owner, "/uid") != uid);
        object::put(&mut object, &["metadata", "ownerReferences"], json!(owners));
        world.save(object);
    }
}
