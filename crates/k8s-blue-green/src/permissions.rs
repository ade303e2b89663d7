//! What an account must be allowed to do: the least Role of a deploy, asked about by access reviews
//! (<https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access>).

use std::fmt;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use gha::text;
use serde_json::{Value, json};

use crate::api::Refused;
use crate::cli::{Deploy, Strategy};
use crate::place::Place;
use crate::route::{Divider, Provider};

/// How many questions are under way at a time.
const AT_ONCE: usize = 8;

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
pub const PREVIEW: &[Rule] = &[rule("", "pods/portforward", &["create"])];

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

/// What a deploy can't do without.
#[must_use]
pub fn needed(flags: &Deploy) -> Vec<Rule> {
    let mut rules = Vec::new();
    match flags.strategy {
        Strategy::Rolling => {
            let named = |kind: &str| {
                let workloads = &flags.target.workload;
                let mut kinds = workloads.iter().filter_map(|named| named.split_once('/'));
                workloads.is_empty() && kind == "deployments"
                    || kinds.any(|(named, _)| kind.starts_with(&named.to_ascii_lowercase()))
            };
            rules.extend(ROLLING.iter().filter(|rule| {
                !matches!(rule.resource, "deployments" | "statefulsets" | "daemonsets")
                    || named(rule.resource)
            }));
        }
        Strategy::BlueGreen | Strategy::Canary => rules.extend(BLUE_GREEN),
    }
    if flags.migration.migrate.is_some() {
        rules.extend(MIGRATION);
    }
    if flags.gates.smoke.is_some() && flags.strategy != Strategy::Rolling {
        rules.extend(PREVIEW);
    }
    if flags.switch.retire == crate::cli::Retire::Delete {
        rules.extend(DELETE);
    }
    for divider in &flags.canary.route {
        if let Divider::Route(route) = divider {
            rules.extend(canary(route.provider));
        }
    }
    rules
}

/// Something that an account may not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    group: &'static str,
    resource: &'static str,
    verb: &'static str,
}

/// As `patch services`.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{} {}`", self.verb, self.resource)
    }
}

/// Asks the server for each permission that a deploy needs; gives those that are not there.
///
/// # Errors
/// When it can't be asked.
pub async fn missing(flags: &Deploy, place: &Place<'_>) -> Result<Vec<Missing>, Refused> {
    let asked: Vec<Missing> = needed(flags)
        .into_iter()
        .flat_map(|rule| {
            rule.verbs.iter().map(move |verb| Missing {
                group: rule.group,
                resource: rule.resource,
                verb,
            })
        })
        .collect();
    let mut missing: Vec<Missing> = Vec::new();
    let answers: Vec<Option<Missing>> = stream::iter(asked)
        .map(|one| async move { Ok::<_, Refused>((!allowed(&one, place).await?).then_some(one)) })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    for one in answers.into_iter().flatten() {
        if !missing.contains(&one) {
            missing.push(one);
        }
    }
    Ok(missing)
}

async fn allowed(one: &Missing, place: &Place<'_>) -> Result<bool, Refused> {
    let (resource, sub) = one.resource.split_once('/').unwrap_or((one.resource, ""));
    let question = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {
            "namespace": place.namespace, "verb": one.verb, "group": one.group, "resource": resource, "subresource": sub,
        }},
    });
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let answer = place.api.review(path, &question).await?;
    Ok(answer.pointer("/status/allowed") == Some(&Value::Bool(true)))
}

/// The Role of what is missing, as YAML that `kubectl apply` takes.
#[must_use]
pub fn role(missing: &[Missing], namespace: &str) -> String {
    let mut rules: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for one in missing {
        match rules
            .iter_mut()
            .find(|(group, resource, _)| (*group, *resource) == (one.group, one.resource))
        {
            Some((_, _, verbs)) => verbs.push(one.verb),
            None => rules.push((one.group, one.resource, vec![one.verb])),
        }
    }
    let mut role = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: deploy\n  namespace: {}\nrules:\n",
        text::line(namespace)
    );
    for (group, resource, verbs) in rules {
        role.push_str(&format!(
            "  - apiGroups: [\"{group}\"]\n    resources: [\"{resource}\"]\n    verbs: [{}]\n",
            verbs
                .iter()
                .map(|verb| format!("\"{verb}\""))
                .collect::<Vec<_>>()
                .join(", ")
        ));
    }
    role
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_a_rule_for_each_resource() {
        let missing = |group, resource, verb| Missing {
            group,
            resource,
            verb,
        };
        let role = role(
            &[
                missing("", "services", "get"),
                missing("", "services", "patch"),
                missing("apps", "deployments", "get"),
            ],
            "shop",
        );
        assert_eq!(
            role,
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: deploy\n  namespace: shop\nrules:\n  \
             - apiGroups: [\"\"]\n    resources: [\"services\"]\n    verbs: [\"get\", \"patch\"]\n  \
             - apiGroups: [\"apps\"]\n    resources: [\"deployments\"]\n    verbs: [\"get\"]\n"
        );
    }
}
