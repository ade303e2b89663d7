//! ReplicaSets: as many pods as are wanted.

use std::time::Duration;

use serde_json::{Value, json};

use super::pods;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::world::World;

pub(super) fn run(world: &mut World) -> Option<Duration> {
    let all: Vec<Value> = world.store.list("replicasets", "").cloned().collect();
    all.into_iter().filter_map(|set| one(world, set)).min()
}

fn one(world: &mut World, set: Value) -> Option<Duration> {
    let wanted = object::count(&set, "/spec/replicas").unwrap_or(1);
    let mut active = pods::of(world, &set);
    active.retain(pods::is_active);
    let mut failure = None;
    let waits = pods::refused_until(world, &set);
    if object::is_leaving(&set) {
        return None;
    }
    if active.len() < wanted && waits.is_none() {
        let begin = format!("{}-", object::name(&set));
        for _ in active.len()..wanted {
            if let Err(why) = pods::make(world, &set, &begin, |_| ()) {
                failure = Some(why);
                break;
            }
        }
    } else if active.len() > wanted {
        active.sort_by_key(least_needed);
        for pod in active.iter().take(active.len() - wanted).cloned() {
            pods::end(world, pod, &set);
        }
    }
    let mut active = pods::of(world, &set);
    active.retain(pods::is_active);
    let due = report(world, set, &active, failure, waits.is_some());
    [due, waits].into_iter().flatten().min()
}

/// Those that are not placed, not running, not ready, and young go first.
fn least_needed(pod: &Value) -> (bool, bool, bool, std::cmp::Reverse<String>) {
    (
        !object::text(pod, "/spec/nodeName").is_empty(),
        object::text(pod, "/status/phase") == "Running",
        pods::is_ready(pod),
        std::cmp::Reverse(object::text(pod, "/metadata/creationTimestamp").to_owned()),
    )
}

fn report(
    world: &mut World,
    mut set: Value,
    active: &[Value],
    failure: Option<String>,
    still_failing: bool,
) -> Option<Duration> {
    let min_ready = object::count(&set, "/spec/minReadySeconds").unwrap_or_default() as u64;
    let ready = active.iter().filter(|pod| pods::is_ready(pod)).count();
    let from: Vec<Duration> = active
        .iter()
        .filter_map(|pod| pods::available_from(pod, min_ready))
        .collect();
    let available = from.iter().filter(|from| **from <= world.now).count();
    let mut conditions = object::items(&set, "/status/conditions").to_vec();
    match failure {
        Some(why) => pods::set_condition(
            &mut conditions,
            "ReplicaFailure",
            "True",
            ("FailedCreate", &why),
            world.now,
            false,
        ),
        None if !still_failing => conditions.retain(|condition| condition["type"] != "ReplicaFailure"),
        None => {}
    }
    let mut status = json!({
        "replicas": active.len(), "fullyLabeledReplicas": active.len(), "readyReplicas": ready, "availableReplicas": available,
        "observedGeneration": set["metadata"]["generation"],
    });
    if !conditions.is_empty() {
        object::put(&mut status, &["conditions"], json!(conditions));
    }
    object::put(&mut set, &["status"], status);
    world.save(set);
    from.into_iter().filter(|from| *from > world.now).min()
}
