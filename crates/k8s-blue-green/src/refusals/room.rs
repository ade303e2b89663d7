//! Whether the namespace's quotas leave room for the new pods
//! (<https://kubernetes.io/docs/concepts/policy/resource-quotas/>). A quota for some kinds of pods only is not judged.

use serde_json::Value;

use super::{Around, Concern};
use crate::object::{entries, name, shown, text};
use crate::quantity::Quantity;

pub(super) fn concerns(around: &Around<'_>) -> Vec<Concern> {
    let pods = around.still_to_make();
    if pods == 0 {
        return Vec::new();
    }
    let for_all = |quota: &&Value| {
        entries(quota, "/spec/scopes").is_empty()
            && quota.pointer("/spec/scopeSelector").is_none_or(Value::is_null)
    };
    let quotas = around.quotas.iter().filter(for_all);
    quotas
        .filter_map(|quota| too_small(quota, around.new, pods))
        .collect()
}

/// The first limit of a quota that so many pods more would be over.
fn too_small(quota: &Value, new: &Value, pods: u64) -> Option<Concern> {
    let spec = new.pointer("/spec/template/spec")?;
    let hard = ["/status/hard", "/spec/hard"]
        .into_iter()
        .find_map(|pointer| quota.pointer(pointer)?.as_object())?;
    for (key, hard) in hard {
        let used = quota.pointer("/status/used").and_then(|used| used.get(key));
        let (Some(of_pod), Some(hard), Some(used)) =
            (needed(spec, key), Quantity::of(hard), used.and_then(Quantity::of))
        else {
            continue;
        };
        if of_pod > Quantity::default() && of_pod.times(pods) > hard.minus(used) {
            let (called, key) = (shown(name(quota)), shown(key));
            let word = if pods == 1 { "pod" } else { "pods" };
            return Some(Concern::refusal(format!(
                "quota `{called}` has no room for {pods} {word} more: {used} of {hard} of `{key}` is used, and a pod needs {of_pod}"
            )));
        }
    }
    None
}

/// What a pod takes of what a quota counts; none where it is something else that is counted.
fn needed(spec: &Value, key: &str) -> Option<Quantity> {
    let (list, resource) = match key {
        "pods" | "count/pods" => return Some(Quantity::count(1)),
        "cpu" | "memory" | "ephemeral-storage" => ("requests", key),
        _ => match key.split_once('.') {
            Some((list @ ("requests" | "limits"), resource)) => (list, resource),
            _ => return None,
        },
    };
    // Volumes are no resource of a pod.
    (resource != "storage").then(|| of_pod(spec, list, resource))
}

/// A pod's need: that of its containers together, or that of an init container, if that is more
/// (<https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers>).
fn of_pod(spec: &Value, list: &str, resource: &str) -> Quantity {
    let of = |container: &Value| {
        let at = |list: &str| {
            container
                .get("resources")?
                .get(list)?
                .get(resource)
                .and_then(Quantity::of)
        };
        // A request that is not there is the limit.
        at(list)
            .or_else(|| at("limits").filter(|_| list == "requests"))
            .unwrap_or_default()
    };
    let sum = |one: Quantity, other: Quantity| one.plus(other);
    let mut companions = Quantity::default();
    let mut most = Quantity::default();
    for container in entries(spec, "/initContainers") {
        if text(container, "/restartPolicy") == "Always" {
            companions = companions.plus(of(container));
            most = most.max(companions);
        } else {
            most = most.max(companions.plus(of(container)));
        }
    }
    let main = entries(spec, "/containers").iter().map(of).fold(companions, sum);
    let overhead = spec
        .pointer("/overhead")
        .and_then(|overhead| overhead.get(resource));
    main.max(most)
        .plus(overhead.and_then(Quantity::of).unwrap_or_default())
}
