//! Where a Service leads, by its EndpointSlices: whether all wanted pods are behind each of its ports, in each of its address
//! families. Pure.
//!
//! A slice has the ports that its pods really have. A named port that no pod has is missing there, which the status of no
//! Deployment shows (<https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/>).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::object::{self, entries, labels, name, shown, text};

/// The label of a slice that names its Service.
const SERVICE: &str = "kubernetes.io/service-name";

/// What a Service's endpoints say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoints {
    /// Each port leads to at least as many of the wanted pods as are wanted, and to nothing else.
    Ready,
    /// It may come to that; what is missing, for people.
    Waiting(String),
    /// It will not come to that by itself; why.
    Wrong(String),
}

/// Where a Service leads, as against some pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    /// To these pods alone, and to how many of them.
    Only(usize),
    /// To these and to others.
    Mixed {
        /// How many of these.
        these: usize,
        /// How many others.
        others: usize,
    },
    /// To others alone, and how many.
    Others(usize),
    /// To nothing.
    Nowhere,
}

/// Judges a Service's slices: `pods` are the unique ids of the pods that may be behind it, and `wanted` is how many of them must be.
/// The pods must be read after the slices, so that none is missing for being new.
#[must_use]
pub fn judge(service: &Value, slices: &[Value], pods: &BTreeSet<String>, wanted: usize) -> Endpoints {
    let called = shown(name(service));
    let slices: Vec<&Value> = slices
        .iter()
        .filter(|slice| is_of(slice, name(service)))
        .collect();
    let ready: Vec<Target<'_>> = slices.iter().flat_map(|slice| targets(slice, service)).collect();
    if let Some(other) = ready.iter().find(|target| !pods.contains(target.id)) {
        let other = shown(other.name);
        return Endpoints::Wrong(format!(
            "service `{called}` leads to `{other}`, which is no pod of this version"
        ));
    }
    let wanted = wanted.max(1);
    let mut waits = None;
    for family in families(service, &slices) {
        for port in ports(service) {
            let there: BTreeSet<&str> = ready
                .iter()
                .filter(|target| target.family == family && has_port(target.slice, &port))
                .map(|target| target.id)
                .collect();
            if there.len() >= wanted {
                continue;
            }
            let all: BTreeSet<&str> = ready
                .iter()
                .filter(|target| target.family == family)
                .map(|target| target.id)
                .collect();
            if all.len() > there.len() {
                return Endpoints::Wrong(nowhere(&called, &port, all.len() - there.len()));
            }
            let of_port = if port.name.is_empty() {
                String::new()
            } else {
                format!(", port `{}`", shown(port.name))
            };
            let of_family = shown(family);
            waits.get_or_insert(format!(
                "{} of {wanted} pods behind service `{called}`{of_port} ({of_family})",
                there.len()
            ));
        }
    }
    match waits {
        Some(text) => Endpoints::Waiting(text),
        None => Endpoints::Ready,
    }
}

/// Where slices lead, as against the pods of these unique ids. A pod counts once, in whatever families and slices it is.
#[must_use]
pub fn leads_to(service: &Value, slices: &[Value], pods: &BTreeSet<String>) -> Leads {
    let (mut these, mut others) = (BTreeSet::new(), BTreeSet::new());
    for slice in slices.iter().filter(|slice| is_of(slice, name(service))) {
        for target in targets(slice, service) {
            if pods.contains(target.id) {
                these.insert(target.id);
            } else {
                others.insert(target.id);
            }
        }
    }
    match (these.len(), others.len()) {
        (0, 0) => Leads::Nowhere,
        (these, 0) => Leads::Only(these),
        (0, others) => Leads::Others(others),
        (these, others) => Leads::Mixed { these, others },
    }
}

/// An endpoint that gets requests.
struct Target<'a> {
    /// The unique id of its pod; the address of one that is no pod.
    id: &'a str,
    /// Its name, or its address.
    name: &'a str,
    family: &'a str,
    slice: &'a Value,
}

/// The endpoints of a slice that get requests.
fn targets<'a>(slice: &'a Value, service: &Value) -> Vec<Target<'a>> {
    // With this a pod that is not ready is told as ready; whether it serves is told all the same.
    let is_lenient = service["spec"]["publishNotReadyAddresses"] == true;
    let gets_requests = |endpoint: &&Value| {
        let condition = |key: &str| endpoint.pointer(&format!("/conditions/{key}"));
        let is = |key: &str| condition(key).and_then(Value::as_bool);
        let serves = !is_lenient || is("serving") != Some(false);
        // Not told is ready (https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/).
        is("ready") != Some(false) && is("terminating") != Some(true) && serves
    };
    let endpoints = entries(slice, "/endpoints").iter();
    endpoints
        .filter(gets_requests)
        .map(|endpoint| {
            let address = text(endpoint, "/addresses/0");
            let or_address = |text: &'a str| if text.is_empty() { address } else { text };
            Target {
                id: or_address(text(endpoint, "/targetRef/uid")),
                name: or_address(text(endpoint, "/targetRef/name")),
                family: text(slice, "/addressType"),
                slice,
            }
        })
        .collect()
}

/// A slice that names no Service was asked for by its Service.
fn is_of(slice: &Value, service: &str) -> bool {
    labels(slice).get(SERVICE).is_none_or(|named| named == service) && !object::is_leaving(slice)
}

/// The families that a Service has an address in; else those that there are slices of.
fn families<'a>(service: &'a Value, slices: &[&'a Value]) -> BTreeSet<&'a str> {
    let of_service = entries(service, "/spec/ipFamilies")
        .iter()
        .filter_map(Value::as_str);
    let mut families: BTreeSet<&str> = of_service.collect();
    if families.is_empty() {
        families = slices.iter().map(|slice| text(slice, "/addressType")).collect();
    }
    if families.is_empty() {
        families.insert("IPv4");
    }
    families
}

/// A port of a Service.
struct Port<'a> {
    /// Its name; empty for the only one.
    name: &'a str,
    /// The port of the pods that it leads to, where it is named.
    of_pods: Option<&'a str>,
    /// Whether the Service has none, so that all of them are meant.
    is_any: bool,
}

fn ports(service: &Value) -> Vec<Port<'_>> {
    let ports: Vec<Port<'_>> = entries(service, "/spec/ports")
        .iter()
        .map(|port| Port {
            name: text(port, "/name"),
            of_pods: port["targetPort"].as_str(),
            is_any: false,
        })
        .collect();
    if ports.is_empty() {
        let (name, of_pods, is_any) = ("", None, true);
        return vec![Port {
            name,
            of_pods,
            is_any,
        }];
    }
    ports
}

/// Whether the pods of a slice have the port. One without a number leads nowhere.
fn has_port(slice: &Value, port: &Port<'_>) -> bool {
    let has = |there: &Value| text(there, "/name") == port.name && there["port"].is_u64();
    port.is_any || entries(slice, "/ports").iter().any(has)
}

fn nowhere(service: &str, port: &Port<'_>, pods: usize) -> String {
    let called = if port.name.is_empty() {
        "the port".to_owned()
    } else {
        format!("port `{}`", shown(port.name))
    };
    let why = match port.of_pods {
        Some(named) => format!(
            ": none of their containers has a port of the name `{}`",
            shown(named)
        ),
        None => String::new(),
    };
    let of = if pods == 1 {
        "a ready pod".to_owned()
    } else {
        format!("{pods} ready pods")
    };
    format!("{called} of service `{service}` does not lead to {of}{why}")
}

#[cfg(test)]
mod tests;
