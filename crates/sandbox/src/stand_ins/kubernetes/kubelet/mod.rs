//! The scheduler and the nodes: places pods, runs their containers as their images say, and ends them.

mod behaviour;
mod container;
mod pod;
mod status;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::events::{self, Source};
use super::kinds;
use super::object;
use super::store::Key;
use super::world::World;
pub use behaviour::Behaviour;
use behaviour::Start;
use pod::Pod;

/// All pods that are on nodes, by their uids.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kubelet {
    pods: BTreeMap<String, Pod>,
    placed: usize,
}

/// A line of a container, with the moment it was printed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) at: Duration,
    pub(crate) text: String,
}

/// Does what is due; when the next thing is.
pub(crate) fn run(world: &mut World) -> Option<Duration> {
    let pods: Vec<Value> = world
        .store
        .list("pods", "")
        .filter(|pod| needs_look(world, pod))
        .cloned()
        .collect();
    for pod in pods {
        if object::text(&pod, "/spec/nodeName").is_empty() {
            place(world, pod);
        } else {
            look_after(world, pod);
        }
    }
    let next = world
        .store
        .list("pods", "")
        .filter_map(|pod| world.kubelet.pods.get(object::uid(pod))?.due(grace(pod)));
    let next = next.filter(|due| *due > world.now).min();
    let there: Vec<&str> = world.store.list("pods", "").map(object::uid).collect();
    if there.len() < world.kubelet.pods.len() {
        let there: std::collections::BTreeSet<String> = there.into_iter().map(str::to_owned).collect();
        world.kubelet.pods.retain(|uid, _| there.contains(uid));
    }
    next
}

/// What a container has printed up to now: since its last start, or between the one before and that.
pub(crate) fn printed(world: &World, pod: &Value, container: &str, previous: bool) -> Option<Vec<Line>> {
    let run = world.kubelet.pods.get(object::uid(pod))?;
    let lists = [
        ("/spec/containers", &run.containers),
        ("/spec/initContainers", &run.inits),
    ];
    let found = lists.into_iter().find_map(|(pointer, runs)| {
        let specs = object::items(pod, pointer).iter();
        specs
            .zip(runs)
            .find(|(spec, _)| object::text(spec, "/name") == container)
    });
    let (_, found) = found?;
    let last = found.starts.len().checked_sub(1)?;
    let at = if previous { last.checked_sub(1)? } else { last };
    let start = *found.starts.get(at)?;
    let end = found.starts.get(at + 1).copied().unwrap_or(world.now);
    let end = match &found.state {
        container::State::Ended(ended) if !previous => ended.finished,
        _ => end,
    };
    let lines = found.behaviour.lines.iter();
    let lines = lines
        .filter(|(after, _)| start + *after <= end)
        .map(|(after, text)| Line {
            at: start + *after,
            text: text.clone(),
        });
    Some(lines.collect())
}

/// Whether a container waits to begin, which is why it has no log: the reason.
pub(crate) fn waits(pod: &Value, container: &str) -> Option<String> {
    let all = ["/status/containerStatuses", "/status/initContainerStatuses"];
    let status = all
        .iter()
        .flat_map(|pointer| object::items(pod, pointer))
        .find(|status| object::text(status, "/name") == container)?;
    let reason = object::text(status, "/state/waiting/reason");
    let never = object::text(status, "/containerID").is_empty();
    (never && !reason.is_empty()).then(|| reason.to_owned())
}

fn needs_look(world: &World, pod: &Value) -> bool {
    let version = object::text(pod, "/metadata/resourceVersion");
    match world.kubelet.pods.get(object::uid(pod)) {
        Some(run) => run.seen != version || run.due(grace(pod)).is_some_and(|due| due <= world.now),
        None => true,
    }
}

fn grace(pod: &Value) -> Duration {
    let seconds = object::number(pod, "/metadata/deletionGracePeriodSeconds")
        .or_else(|| object::number(pod, "/spec/terminationGracePeriodSeconds"));
    Duration::from_secs(
        seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .unwrap_or(30),
    )
}

fn place(world: &mut World, mut pod: Value) {
    let Some(kind) = kinds::named("pods") else { return };
    let images = object::items(&pod, "/spec/containers").iter();
    let refused = images
        .map(|container| world.settings.behaviour(object::text(container, "/image")))
        .any(|behaviour| behaviour.start == Start::Unschedulable);
    let nodes = world.settings.nodes.len();
    if refused || nodes == 0 {
        let why = format!(
            "0/{nodes} nodes are available: {nodes} Insufficient cpu. preemption: 0/{nodes} nodes are available: {nodes} No \
             preemption victims found for incoming pod."
        );
        let condition = status::condition(&pod, "PodScheduled", false, ("Unschedulable", &why), world.now);
        if object::condition(&pod, "PodScheduled").is_none() {
            object::put(&mut pod, &["status", "phase"], json!("Pending"));
            object::put(&mut pod, &["status", "conditions"], json!([condition]));
            let pod = world.store.replace(kind, pod);
            events::record(
                world,
                &pod,
                "Warning",
                "FailedScheduling",
                &why,
                Source("default-scheduler"),
            );
        }
        return;
    }
    let node = world.settings.nodes[world.kubelet.placed % nodes].clone();
    world.kubelet.placed += 1;
    object::put(&mut pod, &["spec", "nodeName"], json!(node));
    object::put(&mut pod, &["status", "phase"], json!("Pending"));
    let pod = world.store.replace(kind, pod);
    let words = format!(
        "Successfully assigned {}/{} to {node}",
        object::namespace(&pod),
        object::name(&pod)
    );
    events::record(
        world,
        &pod,
        "Normal",
        "Scheduled",
        &words,
        Source("default-scheduler"),
    );
}

fn look_after(world: &mut World, mut pod: Value) {
    let Some(kind) = kinds::named("pods") else { return };
    let uid = object::uid(&pod).to_owned();
    let now = world.now;
    let mut run = match world.kubelet.pods.remove(&uid) {
        Some(run) => run,
        None => {
            let address = world.next_pod_address();
            Pod::new(&pod, address, now, |image| world.settings.behaviour(image))
        }
    };
    let mut notes = Vec::new();
    if object::is_leaving(&pod) {
        if run.leaving.is_none() {
            run.leaving = Some(now);
            let names = object::items(&pod, "/spec/containers").iter();
            notes.extend(names.map(|container| {
                let words = format!("Stopping container {}", object::text(container, "/name"));
                ("Normal", "Killing", words)
            }));
        }
        let grace = grace(&pod);
        if run.due(grace).is_some_and(|due| due <= now) {
            let killed = run.leave(grace) >= grace;
            for container in &mut run.containers {
                container.stop(now, if killed { 137 } else { 0 });
            }
            if object::items(&pod, "/metadata/finalizers").is_empty() {
                world.drop_object(&Key::of(kind, &pod));
                return;
            }
        }
    } else {
        notes = run.step(&pod, now);
    }
    let status = status::of(&pod, &run, now);
    object::put(&mut pod, &["status"], status);
    let stored = world.store.replace(kind, pod);
    object::text(&stored, "/metadata/resourceVersion").clone_into(&mut run.seen);
    world.kubelet.pods.insert(uid, run);
    for (kind, reason, words) in notes {
        events::record(world, &stored, kind, reason, &words, Source("kubelet"));
    }
}
