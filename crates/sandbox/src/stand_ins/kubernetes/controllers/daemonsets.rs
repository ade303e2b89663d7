//! DaemonSets, simply: one pod a node, updated as many at a time as may be missing.

use std::time::Duration;

use serde_json::{Value, json};

use super::{pods, revisions};
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::world::World;

const REVISION: &str = "controller-revision-hash";

pub(super) fn run(world: &mut World) -> Option<Duration> {
    let all: Vec<Value> = world.store.list("daemonsets", "").cloned().collect();
    for set in all.into_iter().filter(|set| !object::is_leaving(set)) {
        one(world, set);
    }
    None
}

fn one(world: &mut World, set: Value) {
    let revision = revisions::mark(&revisions::current(world, &set));
    let all = pods::of(world, &set);
    let nodes = world.settings.nodes.clone();
    for node in &nodes {
        if all.iter().any(|pod| object::text(pod, "/spec/nodeName") == node) {
            continue;
        }
        let begin = format!("{}-", object::name(&set));
        let made = pods::make(world, &set, &begin, |pod| {
            object::put(pod, &["metadata", "labels", REVISION], json!(revision));
            object::put(pod, &["spec", "nodeName"], json!(node));
        });
        if made.is_err() {
            break;
        }
    }
    let missing = all
        .iter()
        .filter(|pod| !pods::is_ready(pod) || object::is_leaving(pod))
        .count()
        + nodes.len().saturating_sub(all.len());
    let most = object::share(
        set.pointer("/spec/updateStrategy/rollingUpdate/maxUnavailable"),
        nodes.len(),
        true,
    );
    let free = most.unwrap_or(1).max(1).saturating_sub(missing);
    if object::text(&set, "/spec/updateStrategy/type") != "OnDelete" {
        let old = all
            .iter()
            .filter(|pod| object::label(pod, REVISION) != revision && !object::is_leaving(pod));
        let (sick, well): (Vec<&Value>, Vec<&Value>) = old.partition(|pod| !pods::is_ready(pod));
        let gone: Vec<Value> = sick
            .into_iter()
            .chain(well.into_iter().take(free))
            .cloned()
            .collect();
        for pod in gone {
            pods::end(world, pod, &set);
        }
    }
    report(world, set, &revision, nodes.len());
}

fn report(world: &mut World, mut set: Value, revision: &str, nodes: usize) {
    let all = pods::of(world, &set);
    let ready = all.iter().filter(|pod| pods::is_ready(pod)).count();
    let updated = all
        .iter()
        .filter(|pod| object::label(pod, REVISION) == revision)
        .count();
    let status = json!({
        "observedGeneration": set["metadata"]["generation"], "desiredNumberScheduled": nodes,
        "currentNumberScheduled": all.len(), "numberMisscheduled": 0, "numberReady": ready, "numberAvailable": ready,
        "numberUnavailable": nodes.saturating_sub(ready), "updatedNumberScheduled": updated,
    });
    object::put(&mut set, &["status"], status);
    world.save(set);
}
