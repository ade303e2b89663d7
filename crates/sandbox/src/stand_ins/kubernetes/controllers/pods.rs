//! What all controllers of pods share: whose a pod is, whether it counts, making one and ending one.

use std::time::Duration;

use serde_json::{Value, json};

use super::quotas;
use crate::stand_ins::kubernetes::api;
use crate::stand_ins::kubernetes::events::{self, Source};
use crate::stand_ins::kubernetes::kinds;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::world::World;

/// How long a controller waits that was refused a pod.
const AGAIN: Duration = Duration::from_secs(10);

/// The pods in a controller's care, oldest first.
pub(super) fn of(world: &World, owner: &Value) -> Vec<Value> {
    let pods = world.store.list("pods", object::namespace(owner));
    pods.filter(|pod| object::is_controlled_by(pod, object::uid(owner)))
        .cloned()
        .collect()
}

/// Whether it counts as one of the replicas.
pub(super) fn is_active(pod: &Value) -> bool {
    !object::is_leaving(pod) && !matches!(object::text(pod, "/status/phase"), "Succeeded" | "Failed")
}

pub(super) fn is_ready(pod: &Value) -> bool {
    object::has_condition(pod, "Ready", "True")
}

/// When it has been ready for so many seconds; none while it is not ready.
pub(super) fn available_from(pod: &Value, min_ready: u64) -> Option<Duration> {
    let condition = object::condition(pod, "Ready").filter(|_| is_ready(pod))?;
    let since = object::since_beginning(object::text(condition, "/lastTransitionTime"))?;
    Some(since + Duration::from_secs(min_ready))
}

/// Makes a pod of a template; whether it could be made. Its name is whole, or one that ends in `-` to be filled up.
pub(super) fn make(
    world: &mut World,
    owner: &Value,
    name: &str,
    change: impl FnOnce(&mut Value),
) -> Result<(), String> {
    let Some(kind) = kinds::named("pods") else {
        return Ok(());
    };
    let template = &owner["spec"]["template"];
    let name = match name.ends_with('-') {
        true => format!("{name}{}", world.random_end()),
        false => name.to_owned(),
    };
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"].clone(), "spec": template["spec"].clone(),
    });
    if !pod["metadata"].is_object() {
        object::put(&mut pod, &["metadata"], json!({}));
    }
    object::take(&mut pod, &["metadata", "creationTimestamp"]);
    for (field, value) in [
        ("name", json!(name)),
        ("namespace", owner["metadata"]["namespace"].clone()),
        ("ownerReferences", json!([object::owner_reference(owner)])),
    ] {
        object::put(&mut pod, &["metadata", field], value);
    }
    change(&mut pod);
    let source = Source(source_of(owner));
    if let Err(why) = admit(world, &pod) {
        let again = world.now + AGAIN;
        world.memory.refused.insert(object::uid(owner).to_owned(), again);
        let words = format!("Error creating: {why}");
        events::record(world, owner, "Warning", "FailedCreate", &words, source);
        return Err(why);
    }
    api::defaults::fill(world, kind, &mut pod);
    object::put(&mut pod, &["status"], json!({ "phase": "Pending" }));
    world.add(kind, pod);
    let words = format!("Created pod: {name}");
    events::record(world, owner, "Normal", "SuccessfulCreate", &words, source);
    Ok(())
}

/// Whether a controller may try again to make a pod; when it may.
pub(super) fn refused_until(world: &World, owner: &Value) -> Option<Duration> {
    let until = world.memory.refused.get(object::uid(owner)).copied();
    until.filter(|until| *until > world.now)
}

/// Asks a pod to end.
pub(super) fn end(world: &mut World, pod: Value, owner: &Value) {
    let Some(kind) = kinds::named("pods") else { return };
    let words = format!("Deleted pod: {}", object::name(&pod));
    api::end(world, kind, pod, &Value::Null);
    events::record(
        world,
        owner,
        "Normal",
        "SuccessfulDelete",
        &words,
        Source(source_of(owner)),
    );
}

fn admit(world: &World, pod: &Value) -> Result<(), String> {
    if let Some(why) = &world.settings.deny_pods {
        return Err(why.clone());
    }
    quotas::admit(world, pod)
}

fn source_of(owner: &Value) -> &'static str {
    match object::text(owner, "/kind") {
        "ReplicaSet" => "replicaset-controller",
        "StatefulSet" => "statefulset-controller",
        "DaemonSet" => "daemonset-controller",
        _ => "job-controller",
    }
}

/// A condition put into a list of them; times are kept as Kubernetes keeps them.
pub(super) fn set_condition(
    conditions: &mut Vec<Value>,
    kind: &str,
    status: &str,
    why: (&str, &str),
    now: Duration,
    with_update: bool,
) {
    let moment = json!(object::moment(now));
    let old = conditions.iter().find(|known| known["type"] == kind);
    if old.is_some_and(|old| {
        old["status"] == status && old["reason"] == why.0 && old["message"] == why.1 && !with_update
    }) {
        return;
    }
    let since = old.filter(|old| old["status"] == status);
    let since = since.map_or_else(|| moment.clone(), |old| old["lastTransitionTime"].clone());
    let condition = json!({
        "type": kind, "status": status, "lastUpdateTime": moment, "lastTransitionTime": since,
        "reason": why.0, "message": why.1,
    });
    match conditions.iter().position(|known| known["type"] == kind) {
        Some(at) => conditions[at] = condition,
        None => conditions.push(condition),
    }
}
