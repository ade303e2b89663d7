//! Objects of manifests, applied.

use k8s_blue_green::api::MANAGER;
use k8s_blue_green::apply::{ApplyError, Change, How, What, apply, touched};
use k8s_blue_green::manifests::{Manifest, Origin};
use sandbox::stand_ins::aws::Turn;
use sandbox::stand_ins::kubernetes::{Fault, Role, User};
use serde_json::{Value, json};

use crate::cluster::World;

fn given(objects: &[Value]) -> Vec<Manifest> {
    let manifest = |(index, object): (usize, &Value)| Manifest {
        object: object.clone(),
        from: Origin {
            source: "web.yaml".to_owned(),
            document: index + 1,
            line: 1,
        },
    };
    objects.iter().enumerate().map(manifest).collect()
}

fn map(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": value}})
}

fn service() -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})
}

fn lines(changes: &[Change]) -> Vec<String> {
    changes.iter().map(|change| change.line(false)).collect()
}

const PLAIN: How<'static> = How {
    dry_run: false,
    services: &[],
    annotations: &[],
};

#[tokio::test(start_paused = true)]
async fn objects_are_created_in_order_then_changed_then_left() {
    let world = World::new();
    let place = world.place();
    let route = json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "web"}, "spec": {"rules": []}});
    let marks = [("deploy-actions/run".to_owned(), "1".to_owned())];
    let how = How {
        annotations: &marks,
        ..PLAIN
    };
    let changes = apply(&given(&[route.clone(), service(), map("c", "1")]), how, &place)
        .await
        .unwrap();
    assert_eq!(
        lines(&changes),
        [
            "ConfigMap c: created",
            "Service web: created",
            "HTTPRoute web: created"
        ]
    );
    let later = [("deploy-actions/run".to_owned(), "2".to_owned())];
    let how = How {
        annotations: &later,
        ..PLAIN
    };
    let changes = apply(&given(&[route, service(), map("c", "2")]), how, &place)
        .await
        .unwrap();
    assert_eq!(
        lines(&changes),
        [
            "ConfigMap c: changed (.data.a)",
            "Service web: unchanged",
            "HTTPRoute web: unchanged"
        ]
    );
    let template = json!({"spec": {"containers": [{"envFrom": [{"configMapRef": {"name": "c"}}]}]}});
    assert_eq!(touched(&changes, &template), ["ConfigMap c"]);
    let live = world
        .cluster
        .world(|world| world.get("configmaps", "default", "c").cloned())
        .unwrap();
    assert_eq!(live["metadata"]["annotations"]["deploy-actions/run"], "2");
    assert_eq!(live["metadata"]["managedFields"][0]["manager"], MANAGER);
}

#[tokio::test(start_paused = true)]
async fn a_plan_changes_nothing() {
    let world = World::new();
    world.cluster.world(|world| world.put(map("c", "1")));
    let how = How {
        dry_run: true,
        ..PLAIN
    };
    let before = world
        .cluster
        .world(|world| world.get("configmaps", "default", "c").cloned());
    let changes = apply(&given(&[map("d", "1"), service()]), how, &world.place())
        .await
        .unwrap();
    let told: Vec<String> = changes.iter().map(|change| change.line(true)).collect();
    assert_eq!(
        told,
        ["ConfigMap d: would be created", "Service web: would be created"]
    );
    world.cluster.world(|world| {
        assert!(world.get("services", "default", "web").is_none());
        assert_eq!(world.get("configmaps", "default", "c").cloned(), before);
    });
}

#[tokio::test(start_paused = true)]
async fn the_selector_of_a_service_that_is_moved_stays() {
    let world = World::new();
    let mut live = service();
    live["spec"]["selector"] = json!({"app": "web", "color": "blue"});
    world.cluster.world(|world| world.put(live));
    let mut wanted = service();
    wanted["metadata"]["labels"] = json!({"team": "shop"});
    let services = ["web".to_owned()];
    let how = How {
        services: &services,
        ..PLAIN
    };
    let changes = apply(&given(&[wanted]), how, &world.place()).await.unwrap();
    assert_eq!(lines(&changes), ["Service web: changed (.metadata.labels)"]);
    let live = world
        .cluster
        .world(|world| world.get("services", "default", "web").cloned())
        .unwrap();
    assert_eq!(live["spec"]["selector"], json!({"app": "web", "color": "blue"}));
}

/// Somebody applies an object under a name of their own.
async fn applied_by(manager: &str, operation: &str, world: &World, object: &Value) {
    let object = object.clone();
    let (manager, operation) = (manager.to_owned(), operation.to_owned());
    world.cluster.world(|world| {
        let mut put = object;
        put["metadata"]["namespace"] = "default".into();
        put["metadata"]["managedFields"] = json!([{
            "manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1",
            "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": {"f:a": {}}},
        }]);
        world.put(put);
    });
}

#[tokio::test(start_paused = true)]
async fn fields_of_somebody_else_are_left_and_told() {
    let world = World::new();
    applied_by("argocd-controller", "Apply", &world, &map("c", "theirs")).await;
    let error = apply(&given(&[map("c", "ours"), service()]), PLAIN, &world.place())
        .await
        .unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, ApplyError::Conflict { .. }), "{said}");
    assert!(
        said.contains("web.yaml:1 (document 1): ConfigMap `c`")
            && said.contains("`argocd-controller`")
            && said.contains(".data.a"),
        "{said}"
    );
    world.cluster.world(|world| {
        assert_eq!(
            world.get("configmaps", "default", "c").unwrap()["data"]["a"],
            "theirs"
        );
        assert!(world.get("services", "default", "web").is_none());
    });
}

#[tokio::test(start_paused = true)]
async fn what_kubectl_apply_wrote_of_the_same_manifests_is_taken_over() {
    let world = World::new();
    applied_by("kubectl-client-side-apply", "Update", &world, &map("c", "before")).await;
    let changes = apply(&given(&[map("c", "now")]), PLAIN, &world.place())
        .await
        .unwrap();
    assert_eq!(changes[0].what, What::Changed(vec![".data.a".to_owned()]));
    // Somebody changes it between our look and our write: it is theirs.
    applied_by("kubectl-client-side-apply", "Update", &world, &map("d", "before")).await;
    world.cluster.before("patch configmaps d", 2, |world| {
        world.merge("configmaps", "default", "d", json!({"data": {"a": "theirs"}}));
    });
    let error = apply(&given(&[map("d", "now")]), PLAIN, &world.place())
        .await
        .unwrap_err();
    assert!(matches!(error, ApplyError::Conflict { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn kinds_are_all_known_before_the_first_write() {
    let world = World::new();
    for (object, words) in [
        (
            json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}),
            "the cluster knows no kind `Widget` of `example.com/v1`",
        ),
        (
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}}),
            "Namespace `other` is in no namespace",
        ),
    ] {
        let error = apply(&given(&[map("c", "1"), object]), PLAIN, &world.place())
            .await
            .unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(world.writes(), Vec::<String>::new());
    let own = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}});
    let changes = apply(&given(&[own]), PLAIN, &world.place()).await.unwrap();
    assert!(matches!(changes[0].what, What::LeftOut(_)));
}

#[tokio::test(start_paused = true)]
async fn an_apply_whose_answer_is_lost_is_looked_after() {
    for (fault, patches) in [
        (Fault::Lost, 1),
        (Fault::Reset, 2),
        (Fault::Internal, 2),
        (Fault::Hang, 2),
    ] {
        let world = World::new();
        world
            .cluster
            .fault("patch configmaps c", Turn::Nth(1), fault.clone());
        let changes = apply(&given(&[map("c", "1")]), PLAIN, &world.place())
            .await
            .unwrap();
        assert_eq!(changes[0].what, What::Created, "{fault:?}");
        assert_eq!(world.writes().len(), patches, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_may_be_written_and_not_read_is_applied() {
    let world = World::new();
    let role = Role::nothing().rule("", "secrets", &["create", "patch"]);
    world.cluster.allow(User::new("deployer", "t0ken").role(role));
    let world = world.with_token("t0ken");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"p": "hunter2"}});
    let changes = apply(&given(&[secret]), PLAIN, &world.place()).await.unwrap();
    assert_eq!(lines(&changes), ["Secret s: applied"]);
}
