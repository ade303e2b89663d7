//! Deployments: one ReplicaSet for each template, scaled up and down as the strategy has it.

use std::time::Duration;

use serde_json::{Value, json};

use super::rollout;
use crate::stand_ins::kubernetes::events::{self, Source};
use crate::stand_ins::kubernetes::kinds;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::world::World;

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const HASH: &str = "pod-template-hash";

pub(super) fn run(world: &mut World) -> Option<Duration> {
    let all: Vec<Value> = world.store.list("deployments", "").cloned().collect();
    all.into_iter()
        .filter(|deployment| !object::is_leaving(deployment))
        .filter_map(|deployment| one(world, deployment))
        .min()
}

fn one(world: &mut World, deployment: Value) -> Option<Duration> {
    let sets = sets_of(world, &deployment);
    let mut new = sets.iter().find(|set| has_template(set, &deployment)).cloned();
    let mut created = None;
    if !object::flag(&deployment, "/spec/paused") {
        match new.take() {
            None => {
                let set = make_set(world, &deployment, &sets);
                created = Some("NewReplicaSetCreated");
                new = Some(set);
            }
            Some(set) => {
                let (set, is_again) = renumber(world, set, &sets);
                created = is_again.then_some("FoundNewReplicaSet");
                new = Some(set);
            }
        }
    }
    let revision = new
        .as_ref()
        .map(|set| object::annotation(set, REVISION).to_owned());
    let deployment = mark(world, deployment, revision.as_deref());
    if !object::flag(&deployment, "/spec/paused") {
        rollout::step(world, &deployment, new.as_ref());
    }
    forget_old(world, &deployment, new.as_ref());
    rollout::report(world, deployment, new.as_ref(), created)
}

/// Its ReplicaSets, as they are now.
pub(super) fn sets_of(world: &World, deployment: &Value) -> Vec<Value> {
    let sets = world.store.list("replicasets", object::namespace(deployment));
    sets.filter(|set| object::is_controlled_by(set, object::uid(deployment)) && !object::is_leaving(set))
        .cloned()
        .collect()
}

pub(super) fn scale_set(world: &mut World, deployment: &Value, set: &Value, to: usize) {
    let from = object::count(set, "/spec/replicas").unwrap_or_default();
    if from == to {
        return;
    }
    let mut set = set.clone();
    object::put(&mut set, &["spec", "replicas"], json!(to));
    let wanted = object::count(deployment, "/spec/replicas").unwrap_or(1);
    object::put(
        &mut set,
        &[
            "metadata",
            "annotations",
            "deployment.kubernetes.io/desired-replicas",
        ],
        json!(wanted.to_string()),
    );
    let way = if to > from { "up" } else { "down" };
    let words = format!(
        "Scaled {way} replica set {} from {from} to {to}",
        object::name(&set)
    );
    world.save(set);
    let source = Source("deployment-controller");
    events::record(world, deployment, "Normal", "ScalingReplicaSet", &words, source);
}

fn has_template(set: &Value, deployment: &Value) -> bool {
    let mut of_set = set["spec"]["template"].clone();
    object::take(&mut of_set, &["metadata", "labels", HASH]);
    of_set == deployment["spec"]["template"]
}

fn make_set(world: &mut World, deployment: &Value, sets: &[Value]) -> Value {
    let mut template = deployment["spec"]["template"].clone();
    let hash = hash(&template);
    object::put(&mut template, &["metadata", "labels", HASH], json!(hash));
    let mut selector = deployment["spec"]["selector"].clone();
    object::put(&mut selector, &["matchLabels", HASH], json!(hash));
    let mut annotations = copied_annotations(deployment);
    object::put(
        &mut annotations,
        &[REVISION],
        json!((latest(sets) + 1).to_string()),
    );
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{}-{hash}", object::name(deployment)), "namespace": object::namespace(deployment),
            "labels": template["metadata"]["labels"], "annotations": annotations,
            "ownerReferences": [object::owner_reference(deployment)],
        },
        "spec": {
            "replicas": 0, "minReadySeconds": object::count(deployment, "/spec/minReadySeconds").unwrap_or_default(),
            "selector": selector, "template": template,
        },
    });
    match kinds::named("replicasets") {
        Some(kind) => world.add(kind, set),
        None => set,
    }
}

/// A ReplicaSet that is taken up again gets the next revision; whether it was.
fn renumber(world: &mut World, mut set: Value, sets: &[Value]) -> (Value, bool) {
    let latest = latest(sets);
    if revision(&set) == latest {
        return (set, false);
    }
    let number = json!((latest + 1).to_string());
    object::put(&mut set, &["metadata", "annotations", REVISION], number);
    (world.save(set), true)
}

fn mark(world: &mut World, mut deployment: Value, revision: Option<&str>) -> Value {
    match revision {
        Some(revision) if object::annotation(&deployment, REVISION) != revision => {
            object::put(
                &mut deployment,
                &["metadata", "annotations", REVISION],
                json!(revision),
            );
            world.save(deployment)
        }
        _ => deployment,
    }
}

/// Old ReplicaSets without pods go when there are more than the history keeps.
fn forget_old(world: &mut World, deployment: &Value, new: Option<&Value>) {
    let kept = object::count(deployment, "/spec/revisionHistoryLimit").unwrap_or(10);
    let mut old = sets_of(world, deployment);
    old.retain(|set| {
        new.is_none_or(|new| object::uid(new) != object::uid(set))
            && object::count(set, "/spec/replicas") == Some(0)
            && object::count(set, "/status/replicas").unwrap_or_default() == 0
    });
    old.sort_by_key(revision);
    let gone = old.len().saturating_sub(kept);
    for set in old.iter().take(gone) {
        world.delete("replicasets", object::namespace(set), object::name(set));
    }
}

fn revision(set: &Value) -> u64 {
    object::annotation(set, REVISION).parse().unwrap_or_default()
}

fn latest(sets: &[Value]) -> u64 {
    sets.iter().map(revision).max().unwrap_or_default()
}

/// Annotations that go on from a Deployment to its ReplicaSets.
fn copied_annotations(deployment: &Value) -> Value {
    let mut annotations = deployment["metadata"]["annotations"].clone();
    if let Value::Object(fields) = &mut annotations {
        fields.shift_remove("kubectl.kubernetes.io/last-applied-configuration");
        fields.shift_remove(REVISION);
    }
    annotations
}

/// Ten letters of a template, the same for the same one.
pub(super) fn hash(template: &Value) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in template.to_string().bytes() {
        sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut name = String::new();
    for _ in 0..10 {
        let at = usize::try_from(sum % 27).unwrap_or_default();
        name.push(char::from(LETTERS[at]));
        sum /= 27;
    }
    name
}
