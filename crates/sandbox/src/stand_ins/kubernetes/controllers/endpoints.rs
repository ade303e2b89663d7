//! EndpointSlices of Services with selectors, a settable time behind the pods, and where connections go by them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::pods;
use crate::stand_ins::kubernetes::kinds;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::selectors::Labels;
use crate::stand_ins::kubernetes::store::Key;
use crate::stand_ins::kubernetes::world::World;

/// Endpoints of one slice at most.
const SLICE: usize = 100;
const OF_SERVICE: &str = "kubernetes.io/service-name";

/// Which Services wait for their slices since when, and what connections have gone by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lagging {
    since: BTreeMap<Key, Duration>,
    routes: BTreeMap<Key, Vec<(Duration, Vec<Value>)>>,
}

pub(super) fn run(world: &mut World) -> Option<Duration> {
    let services: Vec<Value> = world.store.list("services", "").cloned().collect();
    services
        .into_iter()
        .filter_map(|service| one(world, &service))
        .min()
}

/// The slices by which connections to a Service go now: ports and endpoints of each.
pub(crate) fn route(world: &World, namespace: &str, service: &str) -> Vec<Value> {
    let key = Key::new("services", namespace, service);
    let now = world.now;
    let lag = world.settings.proxy_lag;
    let routes = world.memory.endpoints.routes.get(&key);
    let found = routes.and_then(|routes| routes.iter().rev().find(|(at, _)| *at + lag <= now));
    found.map(|(_, slices)| slices.clone()).unwrap_or_default()
}

fn one(world: &mut World, service: &Value) -> Option<Duration> {
    let selector = Labels::of_map(object::map(service, "/spec/selector"));
    let is_external = object::text(service, "/spec/type") == "ExternalName";
    let selector = selector.filter(|_| !is_external)?;
    let wanted = wanted(world, service, &selector);
    let there: Vec<Value> = world
        .store
        .list("endpointslices", object::namespace(service))
        .filter(|slice| {
            object::label(slice, OF_SERVICE) == object::name(service)
                && object::is_controlled_by(slice, object::uid(service))
        })
        .cloned()
        .collect();
    let key = Key::new("services", object::namespace(service), object::name(service));
    let is_same = wanted.len() == there.len()
        && wanted.iter().zip(&there).all(|(ports, slice)| {
            ports["endpoints"] == slice["endpoints"] && ports["ports"] == slice["ports"]
        });
    if is_same {
        world.memory.endpoints.since.remove(&key);
        return None;
    }
    let now = world.now;
    let since = *world.memory.endpoints.since.entry(key.clone()).or_insert(now);
    let due = since + world.settings.endpoint_lag;
    if due > now {
        return Some(due);
    }
    world.memory.endpoints.since.remove(&key);
    write(world, service, &wanted, &there);
    let routes = world.memory.endpoints.routes.entry(key).or_default();
    routes.push((now, wanted));
    let old = routes.len().saturating_sub(20);
    routes.drain(..old);
    Some(now + world.settings.proxy_lag)
}

/// Ports and endpoints as they should be: pods whose ports are the same share a slice.
fn wanted(world: &World, service: &Value, selector: &Labels) -> Vec<Value> {
    let always = object::flag(service, "/spec/publishNotReadyAddresses");
    let mut groups: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
    for pod in world.store.list("pods", object::namespace(service)) {
        let address = object::text(pod, "/status/podIP");
        let is_over = matches!(object::text(pod, "/status/phase"), "Succeeded" | "Failed");
        if address.is_empty() || is_over || !selector.fit(pod) {
            continue;
        }
        let (ready, leaving) = (pods::is_ready(pod), object::is_leaving(pod));
        let endpoint = json!({
            "addresses": [address],
            "conditions": { "ready": always || ready && !leaving, "serving": always || ready, "terminating": leaving },
            "targetRef": { "kind": "Pod", "namespace": object::namespace(pod), "name": object::name(pod), "uid": object::uid(pod) },
            "nodeName": pod["spec"]["nodeName"],
        });
        let ports = ports(service, pod);
        match groups.iter_mut().find(|(known, _)| *known == ports) {
            Some((_, endpoints)) => endpoints.push(endpoint),
            None => groups.push((ports, vec![endpoint])),
        }
    }
    let slices = groups.into_iter().flat_map(|(ports, endpoints)| {
        let parts: Vec<Value> = endpoints
            .chunks(SLICE)
            .map(|part| json!({ "ports": ports, "endpoints": part }))
            .collect();
        parts
    });
    let slices: Vec<Value> = slices.collect();
    if slices.is_empty() {
        return vec![json!({ "ports": [], "endpoints": [] })];
    }
    slices
}

/// The ports of a Service as a pod has them; one that goes by a name the pod does not have is left out.
fn ports(service: &Value, pod: &Value) -> Vec<Value> {
    let ports = object::items(service, "/spec/ports").iter();
    let found = ports.filter_map(|port| {
        let number = match &port["targetPort"] {
            Value::String(name) => named(pod, name)?,
            Value::Number(number) => number.as_i64()?,
            _ => object::number(port, "/port")?,
        };
        Some(json!({ "name": object::text(port, "/name"), "port": number, "protocol": port["protocol"] }))
    });
    found.collect()
}

fn named(pod: &Value, name: &str) -> Option<i64> {
    let containers = object::items(pod, "/spec/containers").iter();
    let mut ports = containers.flat_map(|container| object::items(container, "/ports"));
    let port = ports.find(|port| object::text(port, "/name") == name)?;
    object::number(port, "/containerPort")
}

fn write(world: &mut World, service: &Value, wanted: &[Value], there: &[Value]) {
    let Some(kind) = kinds::named("endpointslices") else {
        return;
    };
    for (at, slice) in wanted.iter().enumerate() {
        match there.get(at) {
            Some(known) => {
                let mut known = known.clone();
                for field in ["ports", "endpoints"] {
                    object::put(&mut known, &[field], slice[field].clone());
                }
                world.save(known);
            }
            None => {
                // Names that sort in the order of the list.
                let name = format!("{}-{at:03}{}", object::name(service), world.random_end());
                world.add(
                    kind,
                    json!({
                        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                        "metadata": {
                            "name": name, "generateName": format!("{}-", object::name(service)), "namespace": object::namespace(service),
                            "labels": { OF_SERVICE: object::name(service), "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io" },
                            "ownerReferences": [object::owner_reference(service)],
                        },
                        "addressType": "IPv4", "ports": slice["ports"], "endpoints": slice["endpoints"],
                    }),
                );
            }
        }
    }
    for extra in there.iter().skip(wanted.len()) {
        world.delete("endpointslices", object::namespace(extra), object::name(extra));
    }
}
