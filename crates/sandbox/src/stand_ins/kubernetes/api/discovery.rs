//! Discovery: groups, versions and resources, in the old form and in the aggregated one.

use serde_json::{Value, json};

use crate::http::Request;
use crate::stand_ins::kubernetes::ask::REVIEWS;
use crate::stand_ins::kubernetes::kinds::{KINDS, Kind};

pub(super) fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "gitVersion": "v1.36.0", "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean", "buildDate": "2026-04-01T00:00:00Z", "goVersion": "go1.26.0", "compiler": "gc",
        "platform": "linux/amd64",
    })
}

pub(super) fn answer(path: &str, request: &Request) -> Option<Value> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let accept = request.header("accept").unwrap_or_default();
    let aggregated = accept.contains("as=APIGroupDiscoveryList");
    match parts.as_slice() {
        [] => Some(json!({ "paths": ["/api", "/api/v1", "/apis", "/openapi/v3", "/version"] })),
        ["api"] if aggregated => Some(list(vec![group_entry("")])),
        ["apis"] if aggregated => Some(list(groups().into_iter().map(group_entry).collect())),
        ["api"] => {
            Some(json!({ "kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [] }))
        }
        ["apis"] => {
            let groups: Vec<Value> = groups().into_iter().map(group).collect();
            Some(json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups }))
        }
        ["apis", name] => groups().contains(name).then(|| group(name)),
        ["api", version] => resources("", version),
        ["apis", name, version] => resources(name, version),
        _ => None,
    }
}

/// All kinds, with those that are only asked.
fn kinds() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().chain(&REVIEWS)
}

/// The groups beside the core one, each once.
pub(super) fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = Vec::new();
    for kind in kinds().filter(|kind| !kind.group.is_empty()) {
        if !groups.contains(&kind.group) {
            groups.push(kind.group);
        }
    }
    groups
}

pub(super) fn versions(group: &str) -> Vec<&'static str> {
    let mut versions: Vec<&str> = Vec::new();
    for kind in kinds().filter(|kind| kind.group == group) {
        for version in std::iter::once(&kind.version).chain(kind.older) {
            if !versions.contains(version) {
                versions.push(version);
            }
        }
    }
    versions
}

pub(super) fn served(group: &str, version: &str) -> Vec<&'static Kind> {
    kinds()
        .filter(|kind| kind.group == group && kind.serves(version))
        .collect()
}

fn group(name: &str) -> Value {
    let versions: Vec<Value> = versions(name)
        .iter()
        .map(|version| json!({ "groupVersion": format!("{name}/{version}"), "version": version }))
        .collect();
    json!({ "kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": versions, "preferredVersion": versions.first() })
}

fn verbs(kind: &Kind) -> Vec<&'static str> {
    if kind.plural.starts_with("selfsubject") {
        return vec!["create"];
    }
    vec![
        "create",
        "delete",
        "deletecollection",
        "get",
        "list",
        "patch",
        "update",
        "watch",
    ]
}

/// Group, version, kind and verbs of a part.
fn part(kind: &Kind, part: &str) -> (&'static str, &'static str, &'static str, Vec<&'static str>) {
    match part {
        "scale" => ("autoscaling", "v1", "Scale", vec!["get", "patch", "update"]),
        "log" => ("", "v1", "Pod", vec!["get"]),
        "portforward" => ("", "v1", "PodPortForwardOptions", vec!["create", "get"]),
        _ => (
            kind.group,
            kind.version,
            kind.kind,
            vec!["get", "patch", "update"],
        ),
    }
}

fn resources(group: &str, version: &str) -> Option<Value> {
    let served = served(group, version);
    if served.is_empty() {
        return None;
    }
    let mut listed = Vec::new();
    for kind in &served {
        let mut entry = json!({
            "name": kind.plural, "singularName": kind.kind.to_lowercase(), "namespaced": kind.namespaced, "kind": kind.kind,
            "verbs": verbs(kind), "storageVersionHash": "",
        });
        if !kind.short.is_empty() {
            super::super::object::put(&mut entry, &["shortNames"], json!(kind.short));
        }
        listed.push(entry);
        for name in kind.parts {
            let (group, version, of, verbs) = part(kind, name);
            listed.push(json!({
                "name": format!("{}/{name}", kind.plural), "singularName": "", "namespaced": kind.namespaced,
                "group": group, "version": version, "kind": of, "verbs": verbs,
            }));
        }
    }
    let group_version = served.first().map(|kind| kind.api_version_in(version));
    Some(
        json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed }),
    )
}

fn list(items: Vec<Value>) -> Value {
    json!({ "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items })
}

fn group_entry(name: &str) -> Value {
    let versions: Vec<Value> = versions(name)
        .iter()
        .map(|version| {
            let resources: Vec<Value> = served(name, version)
                .iter()
                .map(|kind| aggregated(kind, version))
                .collect();
            json!({ "version": version, "freshness": "Current", "resources": resources })
        })
        .collect();
    json!({ "metadata": { "name": name, "creationTimestamp": null }, "versions": versions })
}

fn aggregated(kind: &Kind, version: &str) -> Value {
    let parts: Vec<Value> = kind
        .parts
        .iter()
        .map(|name| {
            let (group, version, of, verbs) = part(kind, name);
            json!({ "subresource": name, "responseKind": { "group": group, "version": version, "kind": of }, "verbs": verbs })
        })
        .collect();
    json!({
        "resource": kind.plural, "responseKind": { "group": kind.group, "version": version, "kind": kind.kind },
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" }, "singularResource": kind.kind.to_lowercase(),
        "verbs": verbs(kind), "shortNames": kind.short, "subresources": parts,
    })
}
