//! The canary's Service: what a route leads to for the new version.

use serde_json::{Value, json};

use super::Sides;
use crate::object::{Labels, entries, labels_at};

/// Annotations of a Service that say how a proxy speaks to its pods. No others are copied: those of load balancers, of DNS and of
/// monitoring would make the canary a second address, or count it twice.
const OF_PROXIES: [&str; 8] = [
    "networking.istio.io/",
    "cloud.google.com/app-protocols",
    "cloud.google.com/backend-config",
    "cloud.google.com/neg",
    "networking.gke.io/",
    "service.alpha.kubernetes.io/app-protocols",
    "traefik.ingress.kubernetes.io/service.",
    "konghq.com/",
];

/// The canary's Service: the same ports and the same ways to pods, inside the cluster, and another selector. It has no labels: what
/// watches Services by labels would count pods twice. A pod that is not ready is never behind it.
#[must_use]
pub fn of(service: &Value, sides: &Sides, selector: &Labels, marks: &Labels) -> Value {
    let ports: Vec<Value> = entries(service, "/spec/ports")
        .iter()
        .map(|port| {
            let mut port = port.clone();
            if let Some(fields) = port.as_object_mut() {
                fields.shift_remove("nodePort");
            }
            port
        })
        .collect();
    let mut annotations = labels_at(service, "/metadata/annotations");
    annotations.retain(|key, _| OF_PROXIES.iter().any(|known| key.starts_with(known)));
    // What the controller of GKE writes about the groups that it made is about those of the other Service.
    annotations.remove("cloud.google.com/neg-status");
    annotations.extend(marks.clone());
    let mut spec = json!({"type": "ClusterIP", "selector": selector, "ports": ports});
    if service
        .pointer("/spec/clusterIP")
        .is_some_and(|address| address == "None")
    {
        spec["clusterIP"] = "None".into();
    }
    for key in [
        "ipFamilies",
        "ipFamilyPolicy",
        "internalTrafficPolicy",
        "sessionAffinity",
        "sessionAffinityConfig",
        "trafficDistribution",
    ] {
        if let Some(value) = service.pointer(&format!("/spec/{key}")) {
            spec[key] = value.clone();
        }
    }
    let mut metadata = json!({"name": sides.canary, "namespace": sides.namespace});
    if !annotations.is_empty() {
        metadata["annotations"] = json!(annotations);
    }
    json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_ports_and_another_selector() {
        let service = json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "web", "namespace": "shop", "uid": "1", "resourceVersion": "7", "labels": {"app": "web"}, "annotations": {
                "networking.istio.io/exportTo": ".", "prometheus.io/scrape": "true", "cloud.google.com/neg-status": "{}",
                "deploy-actions/state": "{}", "external-dns.alpha.kubernetes.io/hostname": "a.example",
            }},
            "spec": {
                "type": "LoadBalancer", "clusterIP": "10.0.0.1", "selector": {"app": "web", "color": "blue"}, "sessionAffinity": "None",
                "publishNotReadyAddresses": true, "externalTrafficPolicy": "Local", "ipFamilies": ["IPv4"],
                "ports": [{"name": "http", "port": 80, "targetPort": "http", "nodePort": 30001, "appProtocol": "http", "protocol": "TCP"}],
            },
        });
        let labels = |pairs: [(&str, &str); 2]| -> Labels {
            pairs
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into()
        };
        let sides = Sides {
            namespace: "shop".to_owned(),
            stable: "web".to_owned(),
            canary: "web-canary".to_owned(),
        };
        let marks = labels([
            ("deploy-actions/managed-by", "k8s-blue-green"),
            ("deploy-actions/run", "7"),
        ]);
        let made = of(
            &service,
            &sides,
            &labels([("app", "web"), ("color", "green")]),
            &marks,
        );
        assert_eq!(
            made,
            json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": {"name": "web-canary", "namespace": "shop", "annotations": {
                    "networking.istio.io/exportTo": ".", "deploy-actions/managed-by": "k8s-blue-green", "deploy-actions/run": "7",
                }},
                "spec": {
                    "type": "ClusterIP", "selector": {"app": "web", "color": "green"}, "sessionAffinity": "None", "ipFamilies": ["IPv4"],
                    "ports": [{"name": "http", "port": 80, "targetPort": "http", "appProtocol": "http", "protocol": "TCP"}],
                },
            })
        );
        let headless = of(
            &json!({"spec": {"clusterIP": "None"}}),
            &sides,
            &Labels::new(),
            &Labels::new(),
        );
        assert_eq!(headless["spec"]["clusterIP"], "None");
    }
}
