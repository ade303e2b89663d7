//! The steps of a rollout, and what the status of a Deployment says of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::deployments::{scale_set, sets_of};
use super::pods;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::world::World;

/// How many more and how many fewer pods than wanted there may be.
struct Bounds {
    wanted: usize,
    surge: usize,
    unavailable: usize,
}

/// Scales the new ReplicaSet up and the old ones down, one step.
pub(super) fn step(world: &mut World, deployment: &Value, new: Option<&Value>) {
    let Some(new) = new else { return };
    let bounds = bounds(deployment);
    let sets = sets_of(world, deployment);
    let (news, mut olds): (Vec<Value>, Vec<Value>) = sets
        .into_iter()
        .partition(|set| object::uid(set) == object::uid(new));
    let Some(new) = news.first() else { return };
    let size = |set: &Value| object::count(set, "/spec/replicas").unwrap_or_default();
    if object::text(deployment, "/spec/strategy/type") == "Recreate" {
        for old in &olds {
            scale_set(world, deployment, old, 0);
        }
        let gone = olds.iter().all(|old| pods::of(world, old).is_empty());
        if gone {
            scale_set(world, deployment, new, bounds.wanted);
        }
        return;
    }
    let total: usize = size(new) + olds.iter().map(size).sum::<usize>();
    let most = bounds.wanted + bounds.surge;
    if size(new) > bounds.wanted {
        scale_set(world, deployment, new, bounds.wanted);
    } else if size(new) < bounds.wanted && total < most {
        let to = bounds.wanted.min(size(new) + (most - total));
        scale_set(world, deployment, new, to);
    }
    let new_size = size(new).min(bounds.wanted).max(
        world
            .get("replicasets", object::namespace(new), object::name(new))
            .map(size)
            .unwrap_or_default(),
    );
    let available = |set: &Value| {
        object::count(set, "/status/availableReplicas")
            .unwrap_or_default()
            .min(size(set))
    };
    let least = bounds.wanted.saturating_sub(bounds.unavailable);
    let total: usize = new_size + olds.iter().map(size).sum::<usize>();
    let new_missing = new_size.saturating_sub(available(new));
    let mut spare = total.saturating_sub(least + new_missing);
    olds.sort_by_key(|old| object::text(old, "/metadata/creationTimestamp").to_owned());
    // Those that are not available anyway go first, the others as far as enough stay available.
    let mut sizes: Vec<usize> = olds.iter().map(size).collect();
    for (old, size) in olds.iter().zip(&mut sizes) {
        let sick = size.saturating_sub(available(old)).min(spare);
        *size -= sick;
        spare -= sick;
    }
    let all_available = available(new) + olds.iter().map(available).sum::<usize>();
    let mut healthy = all_available.saturating_sub(least).min(spare);
    for size in &mut sizes {
        let gone = (*size).min(healthy);
        *size -= gone;
        healthy -= gone;
    }
    for (old, size) in olds.iter().zip(sizes) {
        scale_set(world, deployment, old, size);
    }
}

/// Writes the status down; when the deadline or the next pod's being available is due.
pub(super) fn report(
    world: &mut World,
    mut deployment: Value,
    new: Option<&Value>,
    created: Option<&'static str>,
) -> Option<Duration> {
    let bounds = bounds(&deployment);
    let sets = sets_of(world, &deployment);
    let sum = |pointer: &str| -> usize { sets.iter().filter_map(|set| object::count(set, pointer)).sum() };
    let fresh = new.and_then(|new| sets.iter().find(|set| object::uid(set) == object::uid(new)));
    let updated = fresh
        .and_then(|set| object::count(set, "/status/replicas"))
        .unwrap_or_default();
    let (replicas, ready, available) = (
        sum("/status/replicas"),
        sum("/status/readyReplicas"),
        sum("/status/availableReplicas"),
    );
    let counts = [replicas, updated, ready, available];
    let before = [
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
    ]
    .map(|name| object::count(&deployment, &format!("/status/{name}")).unwrap_or_default());
    let mut conditions = object::items(&deployment, "/status/conditions").to_vec();
    let now = world.now;
    let enough = available >= bounds.wanted.saturating_sub(bounds.unavailable);
    let (status, why) = match enough {
        true => (
            "True",
            ("MinimumReplicasAvailable", "Deployment has minimum availability."),
        ),
        false => (
            "False",
            (
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.",
            ),
        ),
    };
    pods::set_condition(&mut conditions, "Available", status, why, now, false);
    let name = fresh.map(object::name).unwrap_or_default().to_owned();
    let due = progress(
        &mut conditions,
        &deployment,
        &name,
        (before, counts),
        created,
        &bounds,
        now,
    );
    failure(&mut conditions, &sets, now);
    let status = json!({
        "observedGeneration": deployment["metadata"]["generation"], "replicas": replicas, "updatedReplicas": updated,
        "readyReplicas": ready, "availableReplicas": available, "unavailableReplicas": bounds.wanted.max(replicas).saturating_sub(available),
        "conditions": conditions,
    });
    object::put(&mut deployment, &["status"], without_zeros(status));
    world.save(deployment);
    due
}

/// The condition `Progressing`, as [the controller](https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status)
/// sets it; when its deadline is.
fn progress(
    conditions: &mut Vec<Value>,
    deployment: &Value,
    name: &str,
    (before, counts): ([usize; 4], [usize; 4]),
    created: Option<&'static str>,
    bounds: &Bounds,
    now: Duration,
) -> Option<Duration> {
    let kind = "Progressing";
    if object::flag(deployment, "/spec/paused") {
        let why = ("DeploymentPaused", "Deployment is paused");
        pods::set_condition(conditions, kind, "Unknown", why, now, false);
        return None;
    }
    let mut set = |status: &str, reason: &str, message: String| {
        pods::set_condition(conditions, kind, status, (reason, &message), now, true);
    };
    match created {
        Some(reason @ "NewReplicaSetCreated") => {
            set("True", reason, format!("Created new replica set \"{name}\""));
        }
        Some(reason) => set("True", reason, format!("Found new replica set \"{name}\"")),
        None => {}
    }
    let condition = |conditions: &[Value]| {
        conditions
            .iter()
            .find(|known| known["type"] == kind)
            .cloned()
            .unwrap_or_default()
    };
    let was = condition(conditions);
    if was["reason"] == "DeploymentPaused" {
        let why = ("DeploymentResumed", "Deployment is resumed");
        pods::set_condition(conditions, kind, "Unknown", why, now, true);
    }
    let [replicas, updated, ready, available] = counts;
    let is_complete = updated == bounds.wanted && replicas == bounds.wanted && available == bounds.wanted;
    let was = condition(conditions);
    // One that has once been complete with this template stays so, whatever becomes of its pods.
    if replicas == updated && was["reason"] == "NewReplicaSetAvailable" {
        return None;
    }
    let mut set = |status: &str, reason: &str, message: String| {
        pods::set_condition(conditions, kind, status, (reason, &message), now, true);
    };
    if is_complete {
        let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
        set("True", "NewReplicaSetAvailable", message);
        return None;
    }
    let moved = updated > before[1]
        || replicas - updated < before[0].saturating_sub(before[1])
        || ready > before[2]
        || available > before[3];
    if moved {
        let message = format!("ReplicaSet \"{name}\" is progressing.");
        set("True", "ReplicaSetUpdated", message);
    }
    let was = condition(conditions);
    if was["reason"] == "ProgressDeadlineExceeded" {
        return None;
    }
    let seconds = object::count(deployment, "/spec/progressDeadlineSeconds").unwrap_or(600) as u64;
    let since = object::since_beginning(object::text(&was, "/lastUpdateTime")).unwrap_or(now);
    let deadline = since + Duration::from_secs(seconds);
    if deadline <= now {
        let message = format!("ReplicaSet \"{name}\" has timed out progressing.");
        let why = ("ProgressDeadlineExceeded", message.as_str());
        pods::set_condition(conditions, kind, "False", why, now, true);
        return None;
    }
    Some(deadline)
}

/// The failure of a ReplicaSet is the Deployment's.
fn failure(conditions: &mut Vec<Value>, sets: &[Value], now: Duration) {
    let found = sets
        .iter()
        .find_map(|set| object::condition(set, "ReplicaFailure"));
    match found {
        Some(found) => {
            let why = (object::text(found, "/reason"), object::text(found, "/message"));
            pods::set_condition(conditions, "ReplicaFailure", "True", why, now, false);
        }
        None => conditions.retain(|condition| condition["type"] != "ReplicaFailure"),
    }
}

fn bounds(deployment: &Value) -> Bounds {
    let wanted = object::count(deployment, "/spec/replicas").unwrap_or(1);
    if object::text(deployment, "/spec/strategy/type") == "Recreate" {
        return Bounds {
            wanted,
            surge: 0,
            unavailable: 0,
        };
    }
    let rolling = |name: &str, up: bool| {
        let value = deployment.pointer(&format!("/spec/strategy/rollingUpdate/{name}"));
        object::share(value, wanted, up).unwrap_or_default()
    };
    let (surge, unavailable) = (rolling("maxSurge", true), rolling("maxUnavailable", false));
    // Without either nothing could ever move.
    let unavailable = if surge == 0 && unavailable == 0 {
        1
    } else {
        unavailable
    };
    Bounds {
        wanted,
        surge,
        unavailable: unavailable.min(wanted),
    }
}

/// Counts of zero are left out of a status, as the server does.
pub(super) fn without_zeros(mut status: Value) -> Value {
    if let Value::Object(fields) = &mut status {
        fields.retain(|_, value| *value != 0);
    }
    status
}
