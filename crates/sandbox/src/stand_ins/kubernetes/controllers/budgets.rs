//! PodDisruptionBudgets: the counts of their status. Nothing here evicts pods.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::pods;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::selectors::Labels;
use crate::stand_ins::kubernetes::world::World;

pub(super) fn run(world: &mut World) {
    let all: Vec<Value> = world.store.list("poddisruptionbudgets", "").cloned().collect();
    for budget in all {
        one(world, budget);
    }
}

fn one(world: &mut World, mut budget: Value) {
    let namespace = object::namespace(&budget).to_owned();
    let Some(labels) = Labels::of_object(&budget["spec"]["selector"]) else {
        return;
    };
    let selected: Vec<&Value> = world
        .store
        .list("pods", &namespace)
        .filter(|pod| labels.fit(pod) && pods::is_active(pod))
        .collect();
    // Pods are expected as their controllers want them, whichever they are: both colours of a deploy, say.
    let owners: BTreeSet<&str> = selected
        .iter()
        .filter_map(|pod| object::controller(pod))
        .map(|owner| object::text(owner, "/uid"))
        .collect();
    let wanted: usize = world
        .store
        .all()
        .filter(|(_, owner)| owners.contains(object::uid(owner)))
        .filter_map(|(_, owner)| object::count(owner, "/spec/replicas"))
        .sum();
    let alone = selected
        .iter()
        .filter(|pod| object::controller(pod).is_none())
        .count();
    let expected = wanted + alone;
    let healthy = selected.iter().filter(|pod| pods::is_ready(pod)).count();
    let least = match budget.pointer("/spec/maxUnavailable") {
        Some(most) => expected.saturating_sub(object::share(Some(most), expected, true).unwrap_or_default()),
        None => object::share(budget.pointer("/spec/minAvailable"), expected, true).unwrap_or(1),
    };
    let allowed = healthy.saturating_sub(least);
    for (field, value) in [
        ("expectedPods", json!(expected)),
        ("currentHealthy", json!(healthy)),
        ("desiredHealthy", json!(least)),
        ("disruptionsAllowed", json!(allowed)),
        ("observedGeneration", budget["metadata"]["generation"].clone()),
    ] {
        object::put(&mut budget, &["status", field], value);
    }
    world.save(budget);
}
