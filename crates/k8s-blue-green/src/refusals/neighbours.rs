//! Who else has a say: other Services that would lead to the new version before it is judged, and tools that would put the selector
//! back.

use serde_json::Value;

use super::{Around, Concern};
use crate::object::{entries, labels_at, listed, name, selects, shown, text};

pub(super) fn concerns(around: &Around<'_>) -> Vec<Concern> {
    let mut concerns = Vec::new();
    let of_pods = labels_at(around.new, "/spec/template/metadata/labels");
    let is_together = |service: &Value| {
        name(service) == name(around.service) || around.together.iter().any(|other| other == name(service))
    };
    let leading: Vec<&str> = around
        .services
        .iter()
        .filter(|service| !is_together(service))
        .filter(|service| selects(&labels_at(service, "/spec/selector"), &of_pods))
        .map(name)
        .collect();
    if !leading.is_empty() {
        concerns.push(Concern::warning(format!(
            "the new version gets requests through {} as soon as its pods are ready, before it is judged: give each as another \
             `--service`, or a label in its selector that only the live pods have",
            listed(leading)
        )));
    }
    let mut tools: Vec<&str> = entries(around.service, "/metadata/managedFields")
        .iter()
        .filter(|entry| entry.pointer("/fieldsV1/f:spec/f:selector").is_some())
        .filter_map(|entry| tool(text(entry, "/manager")))
        .collect();
    // Helm 3 patches as itself; what it leaves on the object tells, too.
    let annotations = labels_at(around.service, "/metadata/annotations");
    if annotations.contains_key("meta.helm.sh/release-name") {
        tools.push("Helm");
    }
    tools.sort_unstable();
    tools.dedup();
    for tool in tools {
        concerns.push(Concern::warning(format!(
            "{tool} keeps service `{}`: its next sync or release switches back, unless it leaves `/spec/selector` alone",
            shown(name(around.service))
        )));
    }
    concerns
}

/// The tools that write what a repository says, by the name they write under.
fn tool(manager: &str) -> Option<&'static str> {
    let prefixes = [
        ("argocd", "Argo CD"),
        ("kustomize-controller", "Flux"),
        ("helm-controller", "Flux"),
        ("helm", "Helm"),
        ("Terraform", "Terraform"),
        ("HashiCorp", "Terraform"),
        ("pulumi", "Pulumi"),
        ("kapp", "kapp"),
        ("fleet", "Fleet"),
    ];
    let found = prefixes.iter().find(|(prefix, _)| manager.starts_with(prefix));
    found.map(|(_, tool)| *tool)
}
