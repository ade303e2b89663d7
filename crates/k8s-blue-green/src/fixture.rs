//! Objects for tests, as a cluster has them: each one's unique id is `uid-` and its name.

use serde_json::{Value, json};

use crate::object::Labels;

pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(pair).collect()
}

/// The Service `web`, with a named port 80 to the port `http` of its pods.
pub(crate) fn service(selector: &[(&str, &str)]) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web-service"},
        "spec": {
            "type": "ClusterIP", "clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack", "selector": labels(selector),
            "ports": [{"name": "web", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    })
}

/// A Deployment that is complete.
pub(crate) fn deployment(name: &str, replicas: u64, of_pods: &[(&str, &str)]) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "generation": 7},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels(of_pods)},
            "template": {
                "metadata": {"labels": labels(of_pods)},
                "spec": {"containers": [{
                    "name": "web", "image": "registry.example.com/web:1",
                    "ports": [{"name": "http", "containerPort": 8080}],
                    "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}},
                }]},
            },
        },
        "status": {
            "observedGeneration": 7, "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas,
            "availableReplicas": replicas,
            "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}],
        },
    })
}

/// A ReplicaSet, with its own name as the hash of its template.
pub(crate) fn replica_set(name: &str, deployment: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "labels": {"pod-template-hash": name},
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment, "uid": format!("uid-{deployment}"), "controller": true},
            ],
        },
    })
}

/// A pod that is ready.
pub(crate) fn pod(name: &str, replica_set: &str, of_pod: &[(&str, &str)]) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "labels": labels(of_pod),
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": replica_set, "uid": format!("uid-{replica_set}"), "controller": true},
            ],
        },
        "spec": {"containers": [{"name": "web", "image": "registry.example.com/web:1"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": "True"}],
            "containerStatuses": [{
                "name": "web", "ready": true, "started": true, "restartCount": 0, "image": "registry.example.com/web:1",
                "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}, "lastState": {},
            }],
        },
    })
}
