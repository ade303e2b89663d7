//! What the server fills in where an object says nothing.

use serde_json::{Value, json};

use crate::stand_ins::kubernetes::kinds::Kind;
use crate::stand_ins::kubernetes::object::{self, put, put_missing};
use crate::stand_ins::kubernetes::world::World;

pub(crate) fn fill(world: &mut World, kind: &Kind, object: &mut Value) {
    match kind.plural {
        "pods" => pod(object.get_mut("spec")),
        "services" => service(world, object),
        "deployments" => {
            for (path, value) in [
                (&["spec", "replicas"][..], json!(1)),
                (&["spec", "revisionHistoryLimit"], json!(10)),
                (&["spec", "progressDeadlineSeconds"], json!(600)),
                (&["spec", "strategy", "type"], json!("RollingUpdate")),
            ] {
                put_missing(object, path, value);
            }
            if object::text(object, "/spec/strategy/type") == "RollingUpdate" {
                for name in ["maxUnavailable", "maxSurge"] {
                    put_missing(object, &["spec", "strategy", "rollingUpdate", name], json!("25%"));
                }
            }
            pod(object.pointer_mut("/spec/template/spec"));
        }
        "replicasets" => {
            put_missing(object, &["spec", "replicas"], json!(1));
            pod(object.pointer_mut("/spec/template/spec"));
        }
        "statefulsets" => {
            put_missing(object, &["spec", "replicas"], json!(1));
            put_missing(object, &["spec", "podManagementPolicy"], json!("OrderedReady"));
            put_missing(
                object,
                &["spec", "updateStrategy"],
                json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } }),
            );
            put_missing(object, &["spec", "revisionHistoryLimit"], json!(10));
            pod(object.pointer_mut("/spec/template/spec"));
        }
        "daemonsets" => {
            let strategy =
                json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 1 } });
            put_missing(object, &["spec", "updateStrategy"], strategy);
            put_missing(object, &["spec", "revisionHistoryLimit"], json!(10));
            pod(object.pointer_mut("/spec/template/spec"));
        }
        "jobs" => job(world, object),
        "horizontalpodautoscalers" => put_missing(object, &["spec", "minReplicas"], json!(1)),
        "httproutes" | "grpcroutes" => route(object),
        "secrets" => put_missing(object, &["type"], json!("Opaque")),
        "namespaces" => {
            put_missing(object, &["status", "phase"], json!("Active"));
            let name = json!(object::name(object));
            put_missing(
                object,
                &["metadata", "labels", "kubernetes.io/metadata.name"],
                name,
            );
        }
        _ => {}
    }
}

fn pod(spec: Option<&mut Value>) {
    let Some(spec) = spec else { return };
    for (name, value) in [
        ("restartPolicy", json!("Always")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("dnsPolicy", json!("ClusterFirst")),
        ("securityContext", json!({})),
        ("schedulerName", json!("default-scheduler")),
    ] {
        put_missing(spec, &[name], value);
    }
    for list in ["initContainers", "containers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        containers.into_iter().flatten().for_each(container);
    }
}

fn container(container: &mut Value) {
    let image = object::text(container, "/image");
    let tag = image.rsplit('/').next().unwrap_or_default();
    let is_latest = !tag.contains('@') && tag.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    let policy = if is_latest { "Always" } else { "IfNotPresent" };
    for (name, value) in [
        ("imagePullPolicy", json!(policy)),
        ("terminationMessagePath", json!("/dev/termination-log")),
        ("terminationMessagePolicy", json!("File")),
        ("resources", json!({})),
    ] {
        put_missing(container, &[name], value);
    }
    for port in container
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        put_missing(port, &["protocol"], json!("TCP"));
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get_mut(probe).filter(|probe| probe.is_object()) else {
            continue;
        };
        for (name, value) in [
            ("timeoutSeconds", 1),
            ("periodSeconds", 10),
            ("successThreshold", 1),
            ("failureThreshold", 3),
        ] {
            put_missing(probe, &[name], json!(value));
        }
        if probe.get("httpGet").is_some() {
            put_missing(probe, &["httpGet", "path"], json!("/"));
            put_missing(probe, &["httpGet", "scheme"], json!("HTTP"));
        }
    }
}

fn service(world: &mut World, object: &mut Value) {
    put_missing(object, &["spec", "type"], json!("ClusterIP"));
    put_missing(object, &["spec", "sessionAffinity"], json!("None"));
    let kind = object::text(object, "/spec/type").to_owned();
    for port in object
        .pointer_mut("/spec/ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        put_missing(port, &["protocol"], json!("TCP"));
        let number = port.get("port").cloned().unwrap_or_default();
        if kind != "ExternalName" {
            put_missing(port, &["targetPort"], number);
        }
        if matches!(kind.as_str(), "NodePort" | "LoadBalancer") && port.get("nodePort").is_none() {
            put(port, &["nodePort"], json!(world.next_node_port()));
        }
    }
    if kind == "ExternalName" {
        return;
    }
    if object::text(object, "/spec/clusterIP").is_empty() {
        put(
            object,
            &["spec", "clusterIP"],
            json!(world.next_service_address()),
        );
    }
    let address = object["spec"]["clusterIP"].clone();
    put_missing(object, &["spec", "clusterIPs"], json!([address]));
    put_missing(object, &["spec", "ipFamilies"], json!(["IPv4"]));
    put_missing(object, &["spec", "ipFamilyPolicy"], json!("SingleStack"));
    put_missing(object, &["spec", "internalTrafficPolicy"], json!("Cluster"));
    if kind != "ClusterIP" {
        put_missing(object, &["spec", "externalTrafficPolicy"], json!("Cluster"));
    }
}

fn job(world: &mut World, object: &mut Value) {
    for (name, value) in [
        ("backoffLimit", json!(6)),
        ("completions", json!(1)),
        ("parallelism", json!(1)),
        ("completionMode", json!("NonIndexed")),
        ("suspend", json!(false)),
        ("manualSelector", json!(false)),
        ("podReplacementPolicy", json!("TerminatingOrFailed")),
    ] {
        put_missing(object, &["spec", name], value);
    }
    if object.pointer("/spec/selector").is_none() {
        let mark = world.random_mark();
        let name = object::name(object).to_owned();
        let selector = json!({ "matchLabels": { "batch.kubernetes.io/controller-uid": mark } });
        put(object, &["spec", "selector"], selector);
        for (label, value) in [
            ("batch.kubernetes.io/controller-uid", &mark),
            ("batch.kubernetes.io/job-name", &name),
            ("controller-uid", &mark),
            ("job-name", &name),
        ] {
            put(
                object,
                &["spec", "template", "metadata", "labels", label],
                json!(value),
            );
        }
    }
    pod(object.pointer_mut("/spec/template/spec"));
}

fn route(object: &mut Value) {
    let rules = object.pointer_mut("/spec/rules").and_then(Value::as_array_mut);
    for rule in rules.into_iter().flatten() {
        for reference in rule
            .get_mut("backendRefs")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            put_missing(reference, &["group"], json!(""));
            put_missing(reference, &["kind"], json!("Service"));
            put_missing(reference, &["weight"], json!(1));
        }
    }
}
