//! HorizontalPodAutoscalers without metrics: what they scale is brought between its bounds, unless it is at zero.

use std::time::Duration;

use serde_json::{Value, json};

use super::pods::set_condition;
use crate::stand_ins::kubernetes::events::{self, Source};
use crate::stand_ins::kubernetes::kinds;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::patch::owned::Owners;
use crate::stand_ins::kubernetes::schema::Field;
use crate::stand_ins::kubernetes::world::World;

pub(super) fn run(world: &mut World) -> Option<Duration> {
    let all: Vec<Value> = world
        .store
        .list("horizontalpodautoscalers", "")
        .cloned()
        .collect();
    for scaler in all {
        one(world, scaler);
    }
    None
}

fn one(world: &mut World, mut scaler: Value) {
    let (kind, name) = ["kind", "name"]
        .map(|field| object::text(&scaler, &format!("/spec/scaleTargetRef/{field}")).to_owned())
        .into();
    let plural = kinds::KINDS
        .iter()
        .find(|known| known.kind == kind && known.has("scale"))
        .map_or("", |known| known.plural);
    let target = world.get(plural, object::namespace(&scaler), &name).cloned();
    let mut conditions = object::items(&scaler, "/status/conditions").to_vec();
    let now = world.now;
    let Some(target) = target else {
        let message = format!(
            "the HPA controller was unable to get the target's current scale: {plural}.apps \"{name}\" not found"
        );
        set_condition(
            &mut conditions,
            "AbleToScale",
            "False",
            ("FailedGetScale", &message),
            now,
            false,
        );
        object::put(&mut scaler, &["status", "conditions"], json!(bare(conditions)));
        world.save(scaler);
        return;
    };
    let current = object::count(&target, "/spec/replicas").unwrap_or(1);
    let least = object::count(&scaler, "/spec/minReplicas").unwrap_or(1);
    let most = object::count(&scaler, "/spec/maxReplicas")
        .unwrap_or(least)
        .max(least);
    set_condition(
        &mut conditions,
        "AbleToScale",
        "True",
        (
            "SucceededGetScale",
            "the HPA controller was able to get the target's current scale",
        ),
        now,
        false,
    );
    let desired = match current {
        0 => 0,
        current => current.clamp(least, most),
    };
    let (status, why) = match current {
        0 => (
            "False",
            (
                "ScalingDisabled",
                "scaling is disabled since the replica count of the target is zero",
            ),
        ),
        _ => (
            "False",
            (
                "FailedGetResourceMetric",
                "the HPA was unable to compute the replica count: no metrics",
            ),
        ),
    };
    set_condition(&mut conditions, "ScalingActive", status, why, now, false);
    for (field, value) in [("currentReplicas", current), ("desiredReplicas", desired)] {
        object::put(&mut scaler, &["status", field], json!(value));
    }
    object::put(&mut scaler, &["status", "conditions"], json!(bare(conditions)));
    let scaler = world.save(scaler);
    if desired != current {
        scale(world, &scaler, target, desired);
    }
}

fn scale(world: &mut World, scaler: &Value, target: Value, to: usize) {
    let before = target.clone();
    let mut target = target;
    object::put(&mut target, &["spec", "replicas"], json!(to));
    let mut owners = Owners::of(&before);
    let kind = Field::Struct("Deployment", false);
    owners.updated(
        Some(&before),
        &target,
        &kind,
        ("kube-controller-manager", "scale", "apps/v1", world.now),
    );
    owners.write(&mut target);
    world.save(target);
    let words = format!(
        "New size: {to}; reason: Current number of replicas below Spec.MinReplicas or above Spec.MaxReplicas"
    );
    let source = Source("horizontal-pod-autoscaler");
    events::record(world, scaler, "Normal", "SuccessfulRescale", &words, source);
}

/// Its conditions have no time of their last update.
fn bare(mut conditions: Vec<Value>) -> Vec<Value> {
    for condition in &mut conditions {
        object::take(condition, &["lastUpdateTime"]);
    }
    conditions
}
