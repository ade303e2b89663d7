//! The order in which objects are applied: what others need first, workloads behind what they read, and Jobs last. Pure.

use serde_json::Value;

use crate::object;

/// Where an object of this kind stands; smaller is earlier.
#[must_use]
pub fn rank(object: &Value) -> u8 {
    match object::text(object, "/kind") {
        "ResourceQuota" | "LimitRange" => 0,
        "ServiceAccount" => 1,
        "Secret" | "ConfigMap" => 2,
        "PersistentVolumeClaim" => 3,
        "Role" => 4,
        "RoleBinding" => 5,
        "NetworkPolicy" => 6,
        "Service" => 8,
        "Ingress" | "HTTPRoute" | "GRPCRoute" | "TCPRoute" | "TLSRoute" | "VirtualService"
        | "DestinationRule" | "TraefikService" | "IngressRoute" => 9,
        "PodDisruptionBudget" => 10,
        "StatefulSet" | "Deployment" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Pod" => 11,
        "HorizontalPodAutoscaler" | "VerticalPodAutoscaler" | "ScaledObject" => 12,
        "Job" | "CronJob" => 13,
        // Custom resources: secrets of a vault, certificates, monitors.
        _ => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_others_need_comes_first() {
        let mut kinds = [
            "Job",
            "Deployment",
            "HorizontalPodAutoscaler",
            "Service",
            "Ingress",
            "ExternalSecret",
            "ConfigMap",
            "ServiceAccount",
        ];
        kinds.sort_by_key(|kind| rank(&json!({"kind": kind})));
        assert_eq!(
            kinds,
            [
                "ServiceAccount",
                "ConfigMap",
                "ExternalSecret",
                "Service",
                "Ingress",
                "Deployment",
                "HorizontalPodAutoscaler",
                "Job"
            ]
        );
    }
}
