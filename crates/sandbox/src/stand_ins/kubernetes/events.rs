//! Events, one for each thing that happens again and again, with its count.

use serde_json::{Value, json};

use super::object;
use super::world::World;

/// Who says it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source(pub(crate) &'static str);

/// Writes down what happened to an object: `Normal` or `Warning`, a reason, and words.
pub(crate) fn record(
    world: &mut World,
    about: &Value,
    kind: &str,
    reason: &str,
    message: &str,
    source: Source,
) {
    let namespace = object::namespace(about).to_owned();
    let mark = (
        object::uid(about).to_owned(),
        reason.to_owned(),
        message.to_owned(),
    );
    let now = json!(object::moment(world.now));
    if let Some(name) = world.memory.events.get(&mark).cloned()
        && let Some(mut event) = world.get("events", &namespace, &name).cloned()
    {
        let count = object::number(&event, "/count").unwrap_or_default() + 1;
        object::put(&mut event, &["count"], json!(count));
        object::put(&mut event, &["lastTimestamp"], now);
        world.save(event);
        return;
    }
    let end = world.memory.events.len();
    let name = format!("{}.{end:016x}", object::name(about));
    world.memory.events.insert(mark, name.clone());
    world.put(json!({
        "apiVersion": "v1", "kind": "Event", "metadata": { "name": name, "namespace": namespace },
        "involvedObject": {
            "apiVersion": about["apiVersion"], "kind": about["kind"], "name": object::name(about), "namespace": namespace,
            "uid": object::uid(about), "resourceVersion": about["metadata"]["resourceVersion"],
        },
        "type": kind, "reason": reason, "message": message, "source": { "component": source.0 },
        "firstTimestamp": now, "lastTimestamp": now, "count": 1, "reportingComponent": source.0, "reportingInstance": "",
    }));
}
