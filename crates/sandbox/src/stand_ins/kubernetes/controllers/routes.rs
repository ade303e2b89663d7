//! A Gateway controller as far as HTTPRoutes and GRPCRoutes see one: takes each version of a route a settable time after it, and says so in its status.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::store::Key;
use crate::stand_ins::kubernetes::world::World;

pub(super) fn run(world: &mut World) -> Option<Duration> {
    let mut due = Vec::new();
    for plural in ["httproutes", "grpcroutes"] {
        let routes: Vec<Value> = world.store.list(plural, "").cloned().collect();
        due.extend(routes.into_iter().filter_map(|route| one(world, plural, route)));
    }
    due.into_iter().min()
}

fn one(world: &mut World, plural: &'static str, mut route: Value) -> Option<Duration> {
    let generation = object::number(&route, "/metadata/generation");
    let missing = missing(world, &route);
    let (status, reason) = match missing {
        true => ("False", "BackendNotFound"),
        false => ("True", "ResolvedRefs"),
    };
    let is_said = object::items(&route, "/status/parents").iter().all(|parent| {
        let conditions = object::items(parent, "/conditions");
        conditions
            .iter()
            .all(|known| object::number(known, "/observedGeneration") == generation)
            && conditions
                .iter()
                .any(|known| known["type"] == "ResolvedRefs" && known["status"] == status)
    });
    let parents = object::items(&route, "/spec/parentRefs").to_vec();
    let key = Key::of_name(plural, &route);
    if is_said && parents.len() == object::items(&route, "/status/parents").len() {
        world.memory.routes.remove(&key);
        return None;
    }
    let now = world.now;
    let since = *world.memory.routes.entry(key.clone()).or_insert(now);
    let due = since + world.settings.route_lag;
    if due > now {
        return Some(due);
    }
    world.memory.routes.remove(&key);
    let moment = object::moment(now);
    let condition = |kind: &str, status: &str, reason: &str| json!({ "type": kind, "status": status, "reason": reason, "message": "", "observedGeneration": generation, "lastTransitionTime": moment });
    let parents: Vec<Value> = parents
        .iter()
        .map(|parent| {
            json!({
                "parentRef": parent, "controllerName": "sandbox/gateway-controller",
                "conditions": [condition("Accepted", "True", "Accepted"), condition("ResolvedRefs", status, reason)],
            })
        })
        .collect();
    object::put(&mut route, &["status", "parents"], json!(parents));
    world.save(route);
    None
}

/// Whether a Service that it leads to is not there.
fn missing(world: &World, route: &Value) -> bool {
    let rules = object::items(route, "/spec/rules").iter();
    let mut references = rules.flat_map(|rule| object::items(rule, "/backendRefs"));
    references.any(|reference| {
        let namespace = match object::text(reference, "/namespace") {
            "" => object::namespace(route),
            named => named,
        };
        world
            .get("services", namespace, object::text(reference, "/name"))
            .is_none()
    })
}
