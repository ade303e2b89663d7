//! What goes wrong outside: blips of the API, denials, and others who change the same workload.

use std::time::Duration;

use gha::{Exit, Status};
use sandbox::stand_ins::kubernetes::{Fault, Refusal, Turn};
use serde_json::{Value, json};

use crate::cluster::World;
use crate::ends::{KINDS, deploy};

const WEB: &str = "deployment/web";

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}})
}

#[tokio::test(start_paused = true)]
async fn blips_of_the_api_fail_nothing() {
    for (kind, plural, name) in KINDS {
        let history = if kind == "Deployment" {
            "replicasets"
        } else {
            "controllerrevisions"
        };
        for call in [
            format!("get {plural} web"),
            "list pods".to_owned(),
            format!("list {history}"),
            format!("patch {plural} web"),
        ] {
            for fault in [
                Fault::Internal,
                Fault::Unavailable,
                Fault::Throttled,
                Fault::TimedOut,
                Fault::BadGateway,
                Fault::Reset,
                Fault::Hang,
                Fault::Lost,
            ] {
                let world = World::with(kind, "shop:1.0.0").settled().await;
                world.cluster.fault(&call, Turn::Nth(1), fault.clone());
                let ended = deploy(&world, name, "shop:1.1.0", &[]).await;
                ended.good();
                assert_eq!(world.serving(), ["shop:1.1.0"; 3], "{call} {fault:?}");
                assert_eq!(ended.fact("status"), "deployed");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out_up_to_its_grace() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    let outage = async {
        world.later(3).await;
        world.cluster.fault("*", Turn::Every, Fault::Unavailable);
        world.later(120).await;
        world.cluster.heal();
    };
    let (ended, ()) = tokio::join!(deploy(&world, WEB, "shop:1.1.0", &[]), outage);
    ended.good();
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    let outage = async {
        world.later(3).await;
        world.cluster.fault("*", Turn::Every, Fault::Unavailable);
    };
    let (ended, ()) = tokio::join!(deploy(&world, WEB, "shop:1.1.0", &["--api-grace", "1m"]), outage);
    let failure = ended.failed(Exit::NeedsHuman);
    assert!(
        ended.says().contains("how it goes is not known"),
        "{}",
        ended.says()
    );
    assert!(
        failure
            .help
            .as_ref()
            .unwrap()
            .contains("k8s-blue-green rollback --workload deployment/web")
    );
    assert!(ended.took < Duration::from_secs(180), "{:?}", ended.took);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_came_between_is_not_written_over() {
    for (kind, plural, name) in KINDS {
        let world = World::with(kind, "shop:1.0.0").settled().await;
        world
            .cluster
            .before(&format!("patch {plural} web"), 1, move |world| {
                world.merge(plural, "default", "web", image("other:1"));
            });
        let ended = deploy(&world, name, "shop:1.1.0", &[]).await;
        ended.failed(Exit::Locked);
        assert_eq!(ended.fact("status"), "superseded");
        assert_eq!(world.template_image(plural), "other:1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_manifest_is_not_applied_over_a_change_that_came_between() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    *world.manifest.borrow_mut() = Some(crate::cluster::workload("Deployment", "shop:1.1.0"));
    // The first is the dry run.
    world.cluster.before("patch deployments web", 2, |world| {
        world.merge("deployments", "default", "web", image("other:1"));
    });
    let ended = world.run(&["deploy", "--strategy", "rolling"]).await;
    ended.failed(Exit::Locked);
    assert_eq!(world.template_image("deployments"), "other:1");
}

#[tokio::test(start_paused = true)]
async fn a_status_that_came_between_is_no_change() {
    for (kind, plural, _) in KINDS {
        let world = World::with(kind, "shop:1.0.0").settled().await;
        *world.manifest.borrow_mut() = Some(crate::cluster::workload(kind, "shop:1.1.0"));
        world
            .cluster
            .before(&format!("patch {plural} web"), 2, move |world| {
                world.merge(
                    plural,
                    "default",
                    "web",
                    json!({"metadata": {"labels": {"seen": "yes"}}}),
                );
            });
        world.run(&["deploy", "--strategy", "rolling"]).await.good();
        assert_eq!(world.serving(), ["shop:1.1.0"; 3], "{kind}");
    }
    // A map of annotations that is not there yet has a version as its condition, too.
    let world = World::with("StatefulSet", "shop:1.0.0").settled().await;
    world.cluster.before("patch statefulsets web", 1, |world| {
        world.merge(
            "statefulsets",
            "default",
            "web",
            json!({"metadata": {"labels": {"seen": "yes"}}}),
        );
    });
    deploy(&world, "statefulset/web", "shop:1.1.0", &[]).await.good();
}

#[tokio::test(start_paused = true)]
async fn a_change_while_it_rolls_ends_it_and_stays() {
    for (kind, plural, name) in KINDS {
        let world = World::with(kind, "shop:1.0.0").settled().await;
        let other = async {
            world.later(4).await;
            world
                .cluster
                .world(|world| world.merge(plural, "default", "web", image("other:1")));
        };
        let (ended, ()) = tokio::join!(deploy(&world, name, "shop:1.1.0", &[]), other);
        ended.failed(Exit::Locked);
        assert!(ended.says().contains("taken over"), "{}", ended.says());
        assert_eq!(world.template_image(plural), "other:1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_before_the_way_back_stays() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    world.cluster.before("patch deployments web", 2, |world| {
        world.merge("deployments", "default", "web", image("other:1"));
    });
    let ended = deploy(&world, WEB, "shop:2-unpullable", &[]).await;
    ended.failed(Exit::Locked);
    assert!(ended.says().contains("can't pull"), "{}", ended.says());
    assert_eq!(world.template_image("deployments"), "other:1");
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_says_no_is_quoted_and_nothing_changes() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    let refusal = Refusal::webhook("policy.example.com", "images must be signed");
    world
        .cluster
        .fault("patch deployments web", Turn::Every, Fault::Refused(refusal));
    let ended = deploy(&world, WEB, "shop:2", &[]).await;
    ended.failed(Exit::Failed);
    assert!(
        ended.says().contains("was not changed") && ended.says().contains("images must be signed"),
        "{}",
        ended.says()
    );
    assert_eq!(world.template_image("deployments"), "shop:1.0.0");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_no_write_is_given_up() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    world
        .cluster
        .fault("patch deployments web", Turn::Every, Fault::Internal);
    let ended = deploy(&world, WEB, "shop:2", &[]).await;
    ended.failed(Exit::Access);
    assert!(ended.says().contains("was not changed"), "{}", ended.says());
    assert!(ended.took < Duration::from_secs(60), "{:?}", ended.took);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_decides_nothing() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    for call in ["list pods", "list replicasets", "list events", "get pods/log"] {
        world.cluster.fault(call, Turn::Every, Fault::Denied);
    }
    let ended = deploy(&world, WEB, "shop:1.1.0", &[]).await;
    ended.good();
    assert_eq!(ended.fact("revision"), "");
    let ended = deploy(&world, WEB, "shop:2-unpullable", &["--timeout", "1m"]).await;
    let failure = ended.failed(Exit::Failed);
    assert_eq!(failure.outcome.status, Status::RolledBack);
    assert!(ended.log.contains("not shown: pods:"), "{}", ended.log);
}

#[tokio::test(start_paused = true)]
async fn without_permission_nothing_is_changed() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    world
        .cluster
        .fault("patch deployments web", Turn::Every, Fault::Denied);
    let ended = deploy(&world, WEB, "shop:2", &[]).await;
    ended.failed(Exit::Access);
    world.cluster.heal();
    world.cluster.fault("*", Turn::Every, Fault::Expired);
    let ended = deploy(&world, WEB, "shop:2", &[]).await;
    ended.failed(Exit::Access);
    assert_eq!(world.template_image("deployments"), "shop:1.0.0");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_end_on_the_way_are_told() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    let end = async {
        world.later(3).await;
        world.cluster.fault("*", Turn::Every, Fault::Expired);
    };
    let (ended, ()) = tokio::join!(deploy(&world, WEB, "shop:1.1.0", &[]), end);
    ended.failed(Exit::Access);
    assert!(
        ended.says().contains("goes on, and how it goes is not known"),
        "{}",
        ended.says()
    );
}

#[tokio::test(start_paused = true)]
async fn a_stuck_pod_that_may_not_be_deleted_is_named() {
    let world = World::with("StatefulSet", "shop:1.0.0").settled().await;
    world.cluster.fault("delete pods", Turn::Every, Fault::Denied);
    let ended = deploy(
        &world,
        "statefulset/web",
        "shop:2-unpullable",
        &["--timeout", "2m"],
    )
    .await;
    ended.failed(Exit::NeedsHuman);
    assert!(ended.log.contains("kubectl delete pod web-2"), "{}", ended.log);
}
