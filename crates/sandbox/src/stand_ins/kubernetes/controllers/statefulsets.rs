//! StatefulSets, simply: pods with numbers, one after the other, updated from the last to the first. No volumes.

use std::time::Duration;

use serde_json::{Value, json};

use super::{pods, revisions};
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::world::World;

const REVISION: &str = "controller-revision-hash";

pub(super) fn run(world: &mut World) -> Option<Duration> {
    let all: Vec<Value> = world.store.list("statefulsets", "").cloned().collect();
    for set in all.into_iter().filter(|set| !object::is_leaving(set)) {
        one(world, set);
    }
    None
}

fn one(world: &mut World, set: Value) {
    let wanted = object::count(&set, "/spec/replicas").unwrap_or(1);
    let revision = revisions::current(world, &set);
    let all = pods::of(world, &set);
    let numbered = |number: usize| {
        let name = format!("{}-{number}", object::name(&set));
        all.iter().find(move |pod| object::name(pod) == name)
    };
    let parallel = object::text(&set, "/spec/podManagementPolicy") == "Parallel";
    for number in 0..wanted {
        match numbered(number) {
            Some(pod) if parallel || pods::is_ready(pod) && !object::is_leaving(pod) => {}
            Some(_) => break,
            None => {
                let name = format!("{}-{number}", object::name(&set));
                let made = pods::make(world, &set, &name, |pod| {
                    for (label, value) in [
                        (REVISION, revision.as_str()),
                        ("statefulset.kubernetes.io/pod-name", &name),
                        ("apps.kubernetes.io/pod-index", &number.to_string()),
                    ] {
                        object::put(pod, &["metadata", "labels", label], json!(value));
                    }
                    object::put(pod, &["spec", "hostname"], json!(name));
                });
                if made.is_err() || !parallel {
                    break;
                }
            }
        }
    }
    let settled = all
        .iter()
        .all(|pod| pods::is_ready(pod) && !object::is_leaving(pod));
    let extra = all
        .iter()
        .filter(|pod| number_of(pod).is_some_and(|number| number >= wanted))
        .max_by_key(|pod| number_of(pod));
    if let Some(extra) = extra.filter(|pod| !object::is_leaving(pod)) {
        pods::end(world, extra.clone(), &set);
    } else if settled && all.len() >= wanted {
        update(world, &set, &all, &revision);
    }
    report(world, set, &revision);
}

/// The last pod of an old template goes.
fn update(world: &mut World, set: &Value, all: &[Value], revision: &str) {
    if object::text(set, "/spec/updateStrategy/type") == "OnDelete" {
        return;
    }
    let from = object::count(set, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or_default();
    let old = all
        .iter()
        .filter(|pod| object::label(pod, REVISION) != revision)
        .filter(|pod| number_of(pod).is_some_and(|number| number >= from))
        .max_by_key(|pod| number_of(pod));
    if let Some(old) = old {
        pods::end(world, old.clone(), set);
    }
}

fn report(world: &mut World, mut set: Value, revision: &str) {
    let all = pods::of(world, &set);
    let count = |fits: &dyn Fn(&Value) -> bool| all.iter().filter(|pod| fits(pod)).count();
    let ready = count(&|pod| pods::is_ready(pod));
    let is_new = |pod: &Value| object::label(pod, REVISION) == revision;
    let updated = count(&is_new);
    let wanted = object::count(&set, "/spec/replicas").unwrap_or(1);
    let before = object::text(&set, "/status/currentRevision").to_owned();
    let is_through = updated == wanted && ready == wanted && all.len() == wanted;
    let current = if before.is_empty() || is_through {
        revision
    } else {
        &before
    };
    let status = json!({
        "observedGeneration": set["metadata"]["generation"], "replicas": all.len(), "readyReplicas": ready,
        "availableReplicas": ready, "updatedReplicas": updated,
        "currentReplicas": count(&|pod| object::label(pod, REVISION) == current),
        "currentRevision": current, "updateRevision": revision, "collisionCount": 0,
    });
    object::put(&mut set, &["status"], status);
    world.save(set);
}

fn number_of(pod: &Value) -> Option<usize> {
    object::name(pod).rsplit('-').next()?.parse().ok()
}
