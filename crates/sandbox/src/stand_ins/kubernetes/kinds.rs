//! The kinds of objects that the cluster knows, with their names in addresses.

/// A kind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The API group; empty for the core one.
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) namespaced: bool,
    pub(crate) short: &'static [&'static str],
    /// Such as `status` and `scale`.
    pub(crate) parts: &'static [&'static str],
    /// Whether a definition brought it, so that there is no strategic merge.
    pub(crate) custom: bool,
    /// The versions beside its own that it is also served in.
    pub(crate) older: &'static [&'static str],
}

const fn of(
    group: &'static str,
    version: &'static str,
    plural: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
    parts: &'static [&'static str],
) -> Kind {
    Kind {
        group,
        version,
        plural,
        kind,
        namespaced: true,
        short,
        parts,
        custom: false,
        older: &[],
    }
}

const fn custom(
    group: &'static str,
    version: &'static str,
    plural: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
    older: &'static [&'static str],
) -> Kind {
    let mut found = of(group, version, plural, kind, short, &["status"]);
    found.custom = true;
    found.older = older;
    found
}

const fn global(mut kind: Kind) -> Kind {
    kind.namespaced = false;
    kind
}

const STATUS: &[&str] = &["status"];
const SCALED: &[&str] = &["status", "scale"];

/// All of them; those of a group side by side.
pub(crate) static KINDS: &[Kind] = &[
    global(of(
        "",
        "v1",
        "namespaces",
        "Namespace",
        &["ns"],
        &["status", "finalize"],
    )),
    of(
        "",
        "v1",
        "pods",
        "Pod",
        &["po"],
        &["status", "log", "portforward"],
    ),
    of("", "v1", "services", "Service", &["svc"], STATUS),
    of("", "v1", "configmaps", "ConfigMap", &["cm"], &[]),
    of("", "v1", "secrets", "Secret", &[], &[]),
    of("", "v1", "serviceaccounts", "ServiceAccount", &["sa"], &[]),
    of("", "v1", "events", "Event", &["ev"], &[]),
    of("", "v1", "resourcequotas", "ResourceQuota", &["quota"], STATUS),
    of(
        "",
        "v1",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        &["pvc"],
        STATUS,
    ),
    of("apps", "v1", "deployments", "Deployment", &["deploy"], SCALED),
    of("apps", "v1", "replicasets", "ReplicaSet", &["rs"], SCALED),
    of("apps", "v1", "statefulsets", "StatefulSet", &["sts"], SCALED),
    of("apps", "v1", "daemonsets", "DaemonSet", &["ds"], STATUS),
    of(
        "apps",
        "v1",
        "controllerrevisions",
        "ControllerRevision",
        &[],
        &[],
    ),
    of("batch", "v1", "jobs", "Job", &[], STATUS),
    of("batch", "v1", "cronjobs", "CronJob", &["cj"], STATUS),
    of(
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        &["hpa"],
        STATUS,
    ),
    of(
        "policy",
        "v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        &["pdb"],
        STATUS,
    ),
    of(
        "discovery.k8s.io",
        "v1",
        "endpointslices",
        "EndpointSlice",
        &[],
        &[],
    ),
    of("coordination.k8s.io", "v1", "leases", "Lease", &[], &[]),
    of(
        "networking.k8s.io",
        "v1",
        "ingresses",
        "Ingress",
        &["ing"],
        STATUS,
    ),
    of(
        "networking.k8s.io",
        "v1",
        "networkpolicies",
        "NetworkPolicy",
        &["netpol"],
        &[],
    ),
    of("rbac.authorization.k8s.io", "v1", "roles", "Role", &[], &[]),
    of(
        "rbac.authorization.k8s.io",
        "v1",
        "rolebindings",
        "RoleBinding",
        &[],
        &[],
    ),
    custom(
        "gateway.networking.k8s.io",
        "v1",
        "httproutes",
        "HTTPRoute",
        &[],
        &["v1beta1"],
    ),
    custom(
        "gateway.networking.k8s.io",
        "v1",
        "grpcroutes",
        "GRPCRoute",
        &[],
        &[],
    ),
    custom(
        "gateway.networking.k8s.io",
        "v1",
        "gateways",
        "Gateway",
        &["gtw"],
        &["v1beta1"],
    ),
    custom(
        "networking.istio.io",
        "v1",
        "virtualservices",
        "VirtualService",
        &["vs"],
        &["v1beta1", "v1alpha3"],
    ),
    custom(
        "networking.istio.io",
        "v1",
        "destinationrules",
        "DestinationRule",
        &["dr"],
        &["v1beta1", "v1alpha3"],
    ),
    custom(
        "traefik.io",
        "v1alpha1",
        "traefikservices",
        "TraefikService",
        &[],
        &[],
    ),
    custom(
        "keda.sh",
        "v1alpha1",
        "scaledobjects",
        "ScaledObject",
        &["so"],
        &[],
    ),
];

impl Kind {
    /// `deployments.apps`, as messages name it; `services` for the core group.
    pub(crate) fn qualified(&self) -> String {
        match self.group {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// `Deployment.apps`, as messages on what is invalid name it.
    pub(crate) fn qualified_kind(&self) -> String {
        match self.group {
            "" => self.kind.to_owned(),
            group => format!("{}.{group}", self.kind),
        }
    }

    /// `apps/v1`, or `v1`, in one of its versions.
    pub(crate) fn api_version_in(&self, version: &str) -> String {
        match self.group {
            "" => version.to_owned(),
            group => format!("{group}/{version}"),
        }
    }

    /// The same in the version that is stored.
    pub(crate) fn api_version(&self) -> String {
        self.api_version_in(self.version)
    }

    pub(crate) fn has(&self, part: &str) -> bool {
        self.parts.contains(&part)
    }

    pub(crate) fn serves(&self, version: &str) -> bool {
        self.version == version || self.older.contains(&version)
    }

    /// The type of its fields in the schema.
    pub(crate) fn type_name(&self) -> &'static str {
        match self.kind {
            "Gateway" | "TraefikService" | "ScaledObject" => "Custom",
            kind => kind,
        }
    }
}

/// The kind behind a name in an address.
pub(crate) fn by_plural(group: &str, plural: &str) -> Option<&'static Kind> {
    KINDS
        .iter()
        .find(|kind| kind.group == group && kind.plural == plural)
}

/// The kind that a test names by its plural alone: no two groups here share one.
pub(crate) fn named(plural: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.plural == plural)
}

/// The kind of an object by its own words.
pub(crate) fn by_object(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    KINDS
        .iter()
        .find(|known| known.group == group && known.serves(version) && known.kind == kind)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn plurals_and_kinds_are_told_apart() {
        let plurals: BTreeSet<&str> = KINDS.iter().map(|kind| kind.plural).collect();
        let kinds: BTreeSet<&str> = KINDS.iter().map(|kind| kind.kind).collect();
        assert_eq!([plurals.len(), kinds.len()], [KINDS.len(); 2]);
        assert_eq!(
            by_object("networking.istio.io/v1beta1", "VirtualService").map(|kind| kind.plural),
            Some("virtualservices")
        );
        assert_eq!(by_object("apps/v1beta1", "Deployment"), None);
    }
}
