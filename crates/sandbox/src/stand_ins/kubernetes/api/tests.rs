//! Requests as clients send them, without a socket.

mod around;

use std::time::Duration;

use serde_json::{Value, json};

use crate::http::Request;
use crate::stand_ins::kubernetes::object;
use crate::stand_ins::kubernetes::{Clock, Cluster, Heard, Piece, Stream};

const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";
const SERVICES: &str = "/api/v1/namespaces/default/services";
const WEB: &str = "/api/v1/namespaces/default/services/web";

fn cluster() -> Cluster {
    let cluster = Cluster::unheard(Clock::manual());
    let (status, _) = ask(&cluster, "POST", SERVICES, "", &service("web"));
    assert_eq!(status, 201);
    cluster
}

fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
        "spec": { "selector": { "app": "web", "color": "blue" }, "ports": [{ "port": 80 }] },
    })
}

fn request(method: &str, path: &str, kind: &str, body: &Value) -> Request {
    let kind = if kind.is_empty() { "application/json" } else { kind };
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: vec![
            (
                "authorization".to_owned(),
                "Bearer sandbox-admin-token".to_owned(),
            ),
            ("content-type".to_owned(), kind.to_owned()),
            ("user-agent".to_owned(), "judge/1".to_owned()),
        ],
        body: if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        },
        at: Duration::ZERO,
    }
}

fn ask(cluster: &Cluster, method: &str, path: &str, kind: &str, body: &Value) -> (u16, Value) {
    match cluster.hear(&request(method, path, kind, body)) {
        Heard::Answer { status, body, .. } => (status, serde_json::from_slice(&body).unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

fn watch(cluster: &Cluster, path: &str) -> Stream {
    match cluster.hear(&request("GET", path, "", &Value::Null)) {
        Heard::Stream { stream, .. } => stream,
        other => panic!("{other:?}"),
    }
}

fn events(stream: &mut Stream) -> Vec<(String, Value)> {
    let Piece::Data(bytes) = stream.take() else {
        return Vec::new();
    };
    let text = String::from_utf8(bytes).unwrap();
    let lines = text.lines().map(|line| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        (event["type"].as_str().unwrap().to_owned(), event["object"].take())
    });
    lines.collect()
}

#[test]
fn a_stale_version_is_a_conflict_and_the_same_again_changes_nothing() {
    let cluster = cluster();
    let (_, live) = ask(&cluster, "GET", WEB, "", &Value::Null);
    let version = live["metadata"]["resourceVersion"].clone();
    let change = |color: &str| json!({ "metadata": { "resourceVersion": version }, "spec": { "selector": { "color": color } } });
    assert_eq!(ask(&cluster, "PATCH", WEB, MERGE, &change("green")).0, 200);
    let (status, refusal) = ask(&cluster, "PATCH", WEB, MERGE, &change("red"));
    assert_eq!((status, &refusal["reason"]), (409, &json!("Conflict")));
    let again = json!({ "spec": { "selector": { "color": "green" } } });
    let (_, one) = ask(&cluster, "PATCH", WEB, MERGE, &again);
    let (_, two) = ask(&cluster, "PATCH", WEB, MERGE, &again);
    assert_eq!(one, two);
    assert_eq!(ask(&cluster, "POST", SERVICES, "", &service("web")).0, 409);
}

#[test]
fn a_dry_run_answers_as_if_and_stores_nothing() {
    let cluster = cluster();
    let before = cluster.world(|world| world.store.revision());
    let (status, made) = ask(
        &cluster,
        "POST",
        &format!("{SERVICES}?dryRun=All"),
        "",
        &service("other"),
    );
    assert_eq!((status, made["spec"]["type"].as_str()), (201, Some("ClusterIP")));
    let change = json!({ "spec": { "selector": { "color": "green" } } });
    let (_, patched) = ask(&cluster, "PATCH", &format!("{WEB}?dryRun=All"), MERGE, &change);
    assert_eq!(patched["spec"]["selector"]["color"], "green");
    let applied = format!("{SERVICES}/third?dryRun=All&fieldManager=a");
    assert_eq!(ask(&cluster, "PATCH", &applied, APPLY, &service("third")).0, 201);
    assert_eq!(
        ask(&cluster, "DELETE", &format!("{WEB}?dryRun=All"), "", &Value::Null).0,
        200
    );
    assert_eq!(cluster.world(|world| world.store.revision()), before);
}

#[test]
fn unknown_fields_are_refused_where_that_is_asked_for() {
    let cluster = cluster();
    let mut wrong = service("wrong");
    object::put(&mut wrong, &["spec", "selectors"], json!({}));
    let strict = format!("{SERVICES}?fieldValidation=Strict");
    let (status, refusal) = ask(&cluster, "POST", &strict, "", &wrong);
    assert_eq!(status, 400);
    assert!(
        refusal["message"]
            .as_str()
            .unwrap()
            .contains("unknown field \"spec.selectors\"")
    );
    let Heard::Answer { status, headers, .. } = cluster.hear(&request("POST", SERVICES, "", &wrong)) else {
        panic!("no answer");
    };
    assert_eq!(status, 201);
    assert!(headers.iter().any(|(name, _)| name == "warning"));
}

#[test]
fn a_selector_is_never_changed_on_a_deployment_and_must_fit_its_template() {
    let cluster = cluster();
    let path = "/apis/apps/v1/namespaces/default/deployments";
    let deployment = |label: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
            "spec": { "selector": { "matchLabels": { "app": label } }, "template": {
                "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [{ "name": "web", "image": "web:1" }] } } },
        })
    };
    assert_eq!(ask(&cluster, "POST", path, "", &deployment("other")).0, 422);
    assert_eq!(ask(&cluster, "POST", path, "", &deployment("web")).0, 201);
    let change = json!({ "spec": { "selector": { "matchLabels": { "app": "x" } }, "template": { "metadata": { "labels": { "app": "x" } } } } });
    let (status, refusal) = ask(&cluster, "PATCH", &format!("{path}/web"), MERGE, &change);
    assert_eq!(status, 422);
    assert!(
        refusal["message"]
            .as_str()
            .unwrap()
            .ends_with("field is immutable")
    );
}

#[test]
fn a_watch_tells_changes_as_its_selector_sees_them() {
    let cluster = cluster();
    let mut stream = watch(
        &cluster,
        &format!("{SERVICES}?watch=true&labelSelector=a&allowWatchBookmarks=true"),
    );
    assert_eq!(stream.take(), Piece::Later);
    for (label, expected) in [
        (json!("1"), "ADDED"),
        (json!("2"), "MODIFIED"),
        (Value::Null, "DELETED"),
    ] {
        let change = json!({ "metadata": { "labels": { "a": label } } });
        ask(&cluster, "PATCH", WEB, MERGE, &change);
        let seen: Vec<String> = events(&mut stream).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(seen, [expected]);
    }
    cluster.skip(Duration::from_secs(61));
    assert_eq!(events(&mut stream)[0].0, "BOOKMARK");
    cluster.hang_up();
    stream.take();
    assert_eq!(stream.take(), Piece::End);
}

#[test]
fn what_is_too_old_is_gone() {
    let cluster = cluster();
    let mut running = watch(&cluster, &format!("{SERVICES}?watch=true&resourceVersion=0"));
    assert_eq!(events(&mut running)[0].0, "ADDED");
    ask(&cluster, "POST", SERVICES, "", &service("b"));
    let (_, list) = ask(&cluster, "GET", &format!("{SERVICES}?limit=1"), "", &Value::Null);
    assert_eq!(list["metadata"]["remainingItemCount"], 1);
    let next = list["metadata"]["continue"].as_str().unwrap().to_owned();
    let page = format!("{SERVICES}?limit=1&continue={next}");
    let (_, second) = ask(&cluster, "GET", &page, "", &Value::Null);
    assert_eq!(second["items"][0]["metadata"]["name"], "web");
    ask(&cluster, "POST", SERVICES, "", &service("c"));
    cluster.world(|world| world.compact());
    let gone = events(&mut running);
    assert_eq!((gone[0].0.as_str(), &gone[0].1["code"]), ("ERROR", &json!(410)));
    let mut late = watch(&cluster, &format!("{SERVICES}?watch=true&resourceVersion=1001"));
    assert_eq!(events(&mut late)[0].1["reason"], "Expired");
    assert_eq!(late.take(), Piece::End);
    assert_eq!(ask(&cluster, "GET", &page, "", &Value::Null).0, 410);
}

#[test]
fn deletion_heeds_preconditions_finalizers_and_owners() {
    let cluster = cluster();
    let wrong = json!({ "preconditions": { "uid": "other" } });
    assert_eq!(ask(&cluster, "DELETE", WEB, "", &wrong).0, 409);
    let held = json!({ "metadata": { "finalizers": ["example.org/hold"] } });
    ask(&cluster, "PATCH", WEB, MERGE, &held);
    let (_, left) = ask(&cluster, "DELETE", WEB, "", &Value::Null);
    assert!(object::is_leaving(&left));
    let slices = |cluster: &Cluster| cluster.world(|world| world.list("endpointslices", "default").len());
    cluster.skip(Duration::from_secs(1));
    assert_eq!(slices(&cluster), 1);
    ask(
        &cluster,
        "PATCH",
        WEB,
        MERGE,
        &json!({ "metadata": { "finalizers": null } }),
    );
    assert_eq!(ask(&cluster, "GET", WEB, "", &Value::Null).0, 404);
    // What it owned goes with it.
    cluster.skip(Duration::from_secs(1));
    assert_eq!(slices(&cluster), 0);
}

#[test]
fn namespaces_that_are_missing_or_end_take_nothing() {
    let cluster = cluster();
    let path = "/api/v1/namespaces/shop/services";
    let (status, refusal) = ask(&cluster, "POST", path, "", &service("web"));
    assert_eq!(
        (status, refusal["message"].as_str()),
        (404, Some("namespaces \"shop\" not found"))
    );
    let shop = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop", "finalizers": ["example.org/hold"] } });
    cluster.world(|world| world.put(shop));
    ask(&cluster, "POST", path, "", &service("web"));
    ask(&cluster, "DELETE", "/api/v1/namespaces/shop", "", &Value::Null);
    let (status, refusal) = ask(&cluster, "POST", path, "", &service("late"));
    assert_eq!(status, 403);
    assert_eq!(refusal["details"]["causes"][0]["reason"], "NamespaceTerminating");
    assert_eq!(cluster.world(|world| world.list("services", "shop").len()), 0);
}

#[test]
fn custom_objects_are_merged_and_bound() {
    let cluster = cluster();
    let path = "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes";
    let route = json!({ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": { "name": "web" },
        "spec": { "rules": [{ "backendRefs": [{ "name": "web", "port": 80, "weight": 100 }] }] } });
    let (status, made) = ask(&cluster, "POST", path, "", &route);
    assert_eq!(
        (status, &made["spec"]["rules"][0]["backendRefs"][0]["kind"]),
        (201, &json!("Service"))
    );
    let weight =
        |weight: i64| json!([{ "op": "add", "path": "/spec/rules/0/backendRefs/0/weight", "value": weight }]);
    let patch = |by: &Value| {
        ask(
            &cluster,
            "PATCH",
            &format!("{path}/web"),
            "application/json-patch+json",
            by,
        )
        .0
    };
    assert_eq!([patch(&weight(1_000_000)), patch(&weight(1_000_001))], [200, 422]);
    let strategic = "application/strategic-merge-patch+json";
    assert_eq!(
        ask(&cluster, "PATCH", &format!("{path}/web"), strategic, &json!({})).0,
        415
    );
    let older = "/apis/networking.istio.io/v1beta1/namespaces/default/virtualservices";
    let service = json!({ "apiVersion": "networking.istio.io/v1beta1", "kind": "VirtualService", "metadata": { "name": "web" }, "spec": { "hosts": ["web"] } });
    let (status, made) = ask(&cluster, "POST", older, "", &service);
    assert_eq!(
        (status, made["apiVersion"].as_str()),
        (201, Some("networking.istio.io/v1beta1"))
    );
}

#[test]
fn leases_are_taken_once_and_renewed_by_version() {
    let cluster = cluster();
    let path = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    let lease = |holder: &str| {
        json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": "lock" },
        "spec": { "holderIdentity": holder, "leaseDurationSeconds": 60, "renewTime": "2026-01-01T00:00:00.000000Z" } })
    };
    let (_, made) = ask(&cluster, "POST", path, "", &lease("a"));
    assert_eq!(ask(&cluster, "POST", path, "", &lease("b")).0, 409);
    let mut renewed = made.clone();
    object::put(&mut renewed, &["spec", "leaseTransitions"], json!(1));
    let at = format!("{path}/lock");
    assert_eq!(ask(&cluster, "PUT", &at, "", &renewed).0, 200);
    assert_eq!(ask(&cluster, "PUT", &at, "", &made).0, 409);
}
