//! What is in front of a Service, and whether it follows a switch at once. Pure.
//!
//! kube-proxy does: it takes endpoints away and adds others in one step. A load balancer outside the cluster does not; it takes the
//! old ones out before the new ones are healthy, and answers 502 meanwhile (kubernetes/ingress-gce#638, argoproj/argo-rollouts#4834).

use serde_json::Value;

use crate::object;

/// Classes of Ingress controllers that lead to pods by a load balancer of the cloud.
const CLOUD_CLASSES: [&str; 4] = ["alb", "gce", "gce-internal", "azure-application-gateway"];

/// Why both versions must be behind the Service for a while when it is switched; nothing where one change is enough.
#[must_use]
pub fn needs_overlap(
    service: &Value,
    ingresses: &[Value],
    routes: &[Value],
    pods: &[Value],
) -> Option<String> {
    let kind = object::text(service, "/spec/type");
    if kind == "LoadBalancer" || kind == "NodePort" {
        return Some(format!("its type is `{kind}`"));
    }
    if object::text(service, "/spec/externalTrafficPolicy") == "Local" {
        return Some("its external traffic stays on a node".to_owned());
    }
    let annotations = object::labels_at(service, "/metadata/annotations");
    if let Some(key) = annotations
        .keys()
        .find(|key| key.starts_with("cloud.google.com/neg"))
    {
        return Some(format!("it has the annotation `{key}`"));
    }
    let name = object::name(service);
    let cloud = ingresses
        .iter()
        .find(|ingress| leads_to(ingress, name) && is_of_a_cloud(ingress));
    if let Some(ingress) = cloud {
        return Some(format!(
            "Ingress `{}` is a load balancer of the cloud",
            object::name(ingress)
        ));
    }
    if let Some(route) = routes.iter().find(|route| names(route, name)) {
        return Some(format!("HTTPRoute `{}` leads to it", object::name(route)));
    }
    let is_meshed = pods.iter().any(|pod| {
        let containers = ["/spec/containers", "/spec/initContainers"];
        containers
            .iter()
            .flat_map(|path| object::entries(pod, path))
            .any(|container| {
                matches!(
                    object::text(container, "/name"),
                    "istio-proxy" | "linkerd-proxy" | "kuma-sidecar"
                )
            })
    });
    is_meshed.then(|| "its pods are in a mesh".to_owned())
}

fn leads_to(ingress: &Value, service: &str) -> bool {
    let paths = object::entries(ingress, "/spec/rules")
        .iter()
        .flat_map(|rule| object::entries(rule, "/http/paths"));
    let backends = paths.filter_map(|path| path.pointer("/backend/service/name"));
    let default = ingress.pointer("/spec/defaultBackend/service/name");
    backends.chain(default).any(|name| name == service)
}

fn is_of_a_cloud(ingress: &Value) -> bool {
    let class = object::text(ingress, "/spec/ingressClassName");
    let legacy = object::annotation(ingress, "kubernetes.io/ingress.class").unwrap_or_default();
    let annotations = object::labels_at(ingress, "/metadata/annotations");
    CLOUD_CLASSES.contains(&class)
        || CLOUD_CLASSES.contains(&legacy)
        || annotations
            .keys()
            .any(|key| key.starts_with("alb.ingress.kubernetes.io/"))
}

fn names(route: &Value, service: &str) -> bool {
    object::entries(route, "/spec/rules")
        .iter()
        .flat_map(|rule| object::entries(rule, "/backendRefs"))
        .any(|backend| object::text(backend, "/name") == service)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_of_the_cluster_alone_is_switched_at_once() {
        let service = json!({"metadata": {"name": "web"}, "spec": {"type": "ClusterIP"}});
        let ingress = json!({"metadata": {"name": "shop"}, "spec": {"ingressClassName": "nginx", "rules": [
            {"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}]}});
        assert_eq!(needs_overlap(&service, &[ingress], &[], &[json!({})]), None);
    }

    #[test]
    fn what_a_load_balancer_leads_to_overlaps() {
        let service = |more: Value| {
            let mut service = json!({"metadata": {"name": "web"}, "spec": {"type": "ClusterIP"}});
            json_patch::merge(&mut service, &more);
            service
        };
        let plain = service(json!({}));
        let alb = json!({"metadata": {"name": "shop"}, "spec": {"ingressClassName": "alb", "rules": [
            {"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}]}});
        let route =
            json!({"metadata": {"name": "r"}, "spec": {"rules": [{"backendRefs": [{"name": "web"}]}]}});
        let meshed = json!({"spec": {"containers": [{"name": "web"}, {"name": "istio-proxy"}]}});
        for (service, ingresses, routes, pods) in [
            (
                service(json!({"spec": {"type": "LoadBalancer"}})),
                vec![],
                vec![],
                vec![],
            ),
            (
                service(json!({"spec": {"externalTrafficPolicy": "Local"}})),
                vec![],
                vec![],
                vec![],
            ),
            (
                service(json!({"metadata": {"annotations": {"cloud.google.com/neg": "{}"}}})),
                vec![],
                vec![],
                vec![],
            ),
            (plain.clone(), vec![alb], vec![], vec![]),
            (plain.clone(), vec![], vec![route], vec![]),
            (plain, vec![], vec![], vec![meshed]),
        ] {
            assert!(needs_overlap(&service, &ingresses, &routes, &pods).is_some());
        }
    }
}
