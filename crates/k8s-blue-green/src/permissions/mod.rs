//! What an account must be allowed to do: the least Role of a deploy, asked about by access reviews
//! (<https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access>).

use crate::route::Provider;

mod need;
mod review;

pub use need::{Needed, Uses, needed};
pub use review::{ROLE, missing, role};

/// A resource and what is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its API group; empty for the first.
    pub group: &'static str,
    /// Its name in the API, as `pods/log`.
    pub resource: &'static str,
    /// What is done with it.
    pub verbs: &'static [&'static str],
}

const fn rule(group: &'static str, resource: &'static str, verbs: &'static [&'static str]) -> Rule {
    Rule {
        group,
        resource,
        verbs,
    }
}

/// What moves the traffic of a Service, with the second version beside the first.
pub const BLUE_GREEN: &[Rule] = &[
    rule(
        "",
        "services",
        &["get", "list", "create", "update", "patch", "delete"],
    ),
    rule("", "pods", &["list"]),
    rule(
        "apps",
        "deployments",
        &["get", "list", "create", "update", "patch"],
    ),
    rule("apps", "replicasets", &["list"]),
    rule("discovery.k8s.io", "endpointslices", &["list"]),
    rule("coordination.k8s.io", "leases", &["get", "create", "update"]),
    rule(
        "autoscaling",
        "horizontalpodautoscalers",
        &["get", "list", "patch"],
    ),
];

/// What replaces pods one by one.
pub const ROLLING: &[Rule] = &[
    rule("apps", "deployments", &["get", "patch"]),
    rule("apps", "statefulsets", &["get", "patch"]),
    rule("apps", "daemonsets", &["get", "patch"]),
    rule("apps", "replicasets", &["list"]),
    rule("apps", "controllerrevisions", &["list"]),
    rule("", "pods", &["list"]),
];

/// What says why pods are not well; without it a failure is told with less.
pub const DIAGNOSE: &[Rule] = &[
    rule("", "events", &["list"]),
    rule("", "pods/log", &["get"]),
    rule("apps", "replicasets", &["get"]),
    rule("", "resourcequotas", &["list"]),
];

/// What is looked at and done without where it may not be.
pub const LOOKS: &[Rule] = &[
    rule("networking.k8s.io", "ingresses", &["list"]),
    rule("gateway.networking.k8s.io", "httproutes", &["list"]),
    rule("networking.istio.io", "destinationrules", &["list"]),
    rule("networking.istio.io", "virtualservices", &["list"]),
    rule("policy", "poddisruptionbudgets", &["list"]),
    rule("", "resourcequotas", &["list"]),
    rule("", "persistentvolumeclaims", &["list"]),
];

/// What runs a migration.
pub const MIGRATION: &[Rule] = &[
    rule("batch", "jobs", &["get", "list", "create", "delete"]),
    rule("", "pods/log", &["get"]),
];

/// What leads to the preview.
/// Servers before 1.35 ask for `get` alone, later ones for both.
pub const PREVIEW: &[Rule] = &[rule("", "pods/portforward", &["get", "create"])];

/// What moves an autoscaler of KEDA.
pub const KEDA: &[Rule] = &[rule("keda.sh", "scaledobjects", &["get", "patch"])];

/// What deletes the old version.
pub const DELETE: &[Rule] = &[rule("apps", "deployments", &["delete"])];

const HTTP_ROUTE: &[Rule] = &[rule("gateway.networking.k8s.io", "httproutes", &["get", "patch"])];
const GRPC_ROUTE: &[Rule] = &[rule("gateway.networking.k8s.io", "grpcroutes", &["get", "patch"])];
const VIRTUAL_SERVICE: &[Rule] = &[
    rule("networking.istio.io", "virtualservices", &["get", "patch"]),
    rule(
        "networking.istio.io",
        "destinationrules",
        &["get", "list", "create", "update", "patch", "delete"],
    ),
];
const INGRESS: &[Rule] = &[rule(
    "networking.k8s.io",
    "ingresses",
    &["get", "list", "create", "patch", "delete"],
)];

/// What divides the traffic of a canary.
#[must_use]
pub fn canary(provider: Provider) -> &'static [Rule] {
    match provider {
        Provider::HttpRoute => HTTP_ROUTE,
        Provider::GrpcRoute => GRPC_ROUTE,
        Provider::VirtualService => VIRTUAL_SERVICE,
        Provider::Ingress => INGRESS,
    }
}
