//! Kinds of objects, as the API server's addresses have them.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// A kind of objects. Compared by all that is in its address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    /// The API group; empty for the core one.
    pub group: String,
    /// The version within the group.
    pub version: String,
    /// The name in an object's `kind`.
    pub kind: String,
    /// The name in an address.
    pub plural: String,
    /// Whether its objects are in a namespace.
    pub namespaced: bool,
}

/// A kind that every server has.
macro_rules! built_in {
    ($($(#[$doc:meta])* $name:ident = $group:literal, $version:literal, $kind:literal, $plural:literal;)*) => {
        impl Kind {
            $($(#[$doc])*
            #[must_use]
            pub fn $name() -> Self {
                Self {
                    group: $group.to_owned(),
                    version: $version.to_owned(),
                    kind: $kind.to_owned(),
                    plural: $plural.to_owned(),
                    namespaced: true,
                }
            })*
        }
    };
}

built_in! {
    /// What has a stable address.
    service = "", "v1", "Service", "services";
    /// What runs.
    pod = "", "v1", "Pod", "pods";
    /// What was noticed.
    event = "", "v1", "Event", "events";
    /// What a namespace may use.
    resource_quota = "", "v1", "ResourceQuota", "resourcequotas";
    /// Room on a disk that a pod asks for.
    volume_claim = "", "v1", "PersistentVolumeClaim", "persistentvolumeclaims";
    /// Pods that are alike and replaceable.
    deployment = "apps", "v1", "Deployment", "deployments";
    /// A Deployment's revision.
    replica_set = "apps", "v1", "ReplicaSet", "replicasets";
    /// Pods with names of their own.
    stateful_set = "apps", "v1", "StatefulSet", "statefulsets";
    /// A pod a node.
    daemon_set = "apps", "v1", "DaemonSet", "daemonsets";
    /// The earlier templates of the two above.
    controller_revision = "apps", "v1", "ControllerRevision", "controllerrevisions";
    /// What runs to its end.
    job = "batch", "v1", "Job", "jobs";
    /// What a Service leads to.
    endpoint_slice = "discovery.k8s.io", "v1", "EndpointSlice", "endpointslices";
    /// What scales by load.
    autoscaler = "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers";
    /// What scales by load, in KEDA's words.
    scaled_object = "keda.sh", "v1alpha1", "ScaledObject", "scaledobjects";
    /// How many pods may be evicted.
    disruption_budget = "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets";
    /// A lock.
    lease = "coordination.k8s.io", "v1", "Lease", "leases";
    /// Routes of ingress controllers.
    ingress = "networking.k8s.io", "v1", "Ingress", "ingresses";
    /// Routes of the Gateway API.
    http_route = "gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes";
    /// Routes of Istio.
    virtual_service = "networking.istio.io", "v1", "VirtualService", "virtualservices";
    /// Subsets of Istio.
    destination_rule = "networking.istio.io", "v1", "DestinationRule", "destinationrules";
}

impl Kind {
    /// The `apiVersion` of its objects.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The same kind in another version.
    #[must_use]
    pub fn in_version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// The address of all its objects in a namespace, which is ignored where there is none.
    #[must_use]
    pub fn collection(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() { "/api" } else { "/apis" };
        let version = self.api_version();
        if self.namespaced {
            format!(
                "{root}/{version}/namespaces/{}/{}",
                segment(namespace),
                self.plural
            )
        } else {
            format!("{root}/{version}/{}", self.plural)
        }
    }

    /// The address of one.
    #[must_use]
    pub fn address(&self, namespace: &str, name: &str) -> String {
        format!("{}/{}", self.collection(namespace), segment(name))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)
    }
}

/// What a name of an object may have in an address as it is.
const PLAIN: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b':');

/// A name as a part of an address. Names of objects are path segments already
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>); what a user wrote in their place may be none.
fn segment(name: &str) -> PercentEncode<'_> {
    utf8_percent_encode(name, &PLAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_api() {
        assert_eq!(
            Kind::service().address("shop", "web"),
            "/api/v1/namespaces/shop/services/web"
        );
        assert_eq!(
            Kind::deployment().address("shop", "web-blue"),
            "/apis/apps/v1/namespaces/shop/deployments/web-blue"
        );
        let class = Kind {
            group: "storage.k8s.io".to_owned(),
            version: "v1".to_owned(),
            kind: "StorageClass".to_owned(),
            plural: "storageclasses".to_owned(),
            namespaced: false,
        };
        assert_eq!(class.collection("shop"), "/apis/storage.k8s.io/v1/storageclasses");
    }

    #[test]
    fn what_is_no_name_stays_one_segment() {
        assert_eq!(
            Kind::service().address("a/../b", "x?y#z"),
            "/api/v1/namespaces/a%2F..%2Fb/services/x%3Fy%23z"
        );
    }
}
