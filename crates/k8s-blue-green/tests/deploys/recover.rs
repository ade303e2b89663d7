//! `recover` where somebody asks a second time, and where it was a rolling deploy that did not end.

use gha::edge::cancel::Signal;
use gha::{Exit, Status};
use sandbox::stand_ins::aws::Turn;
use sandbox::stand_ins::kubernetes::Fault;
use serde_json::json;

use crate::cluster::{How, World};
use crate::shop::{blue, object, plain, replicas, selector, serves};

const DEPLOY: [&str; 5] = ["deploy", "--service", "web", "--image", "shop:2"];
const ROLLING: [&str; 7] = [
    "deploy",
    "--strategy",
    "rolling",
    "--workload",
    "deployment/web",
    "--image",
    "shop:2",
];
const RECOVER: [&str; 3] = ["recover", "--service", "web"];

/// Steps of one attempt of one job: they share a trace, as they do in a workflow.
fn steps(mut world: World) -> World {
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    world.variables.push(("TRACEPARENT", trace.to_owned()));
    world
}

/// A call of this verb to this resource, from 1, of a command on a fresh shop.
async fn call_of(line: &[&str], shop: World, verb: &str, resource: &str) -> usize {
    let ended = shop.run(line).await;
    ended.good();
    let is_it = |call: &sandbox::stand_ins::kubernetes::Entry| call.verb == verb && call.resource == resource;
    ended.calls.iter().position(is_it).unwrap() + 1
}

#[tokio::test(start_paused = true)]
async fn a_second_time_there_is_nothing_to_do() {
    let created = call_of(&DEPLOY, blue().await, "create", "deployments").await;
    for how in [How::KilledAfter, How::Cancelled(Signal::Terminate)] {
        let world = blue().await;
        world.strike(created + 3, how);
        assert!(world.run(&DEPLOY).await.result.is_err(), "{how:?}");
        let first = world.run(&RECOVER).await;
        assert_eq!(
            first.good().status,
            Status::RolledBack,
            "{how:?}: {}",
            first.says()
        );
        assert_eq!(replicas(&world, "web-green"), Some(0), "{how:?}");
        for _ in 0..2 {
            let again = world.run(&RECOVER).await;
            assert_eq!(
                again.good().status,
                Status::Unchanged,
                "{how:?}: {}",
                again.says()
            );
            assert_eq!(again.fact("status"), "unchanged");
            assert!(again.says().contains("is left to undo"), "{}", again.says());
            assert_eq!(again.writes(), [] as [&str; 0], "{how:?}");
        }
        serves(&world, "shop:1");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_a_cancelled_run_left_is_still_tidied_up() {
    let world = blue().await;
    world.cluster.world(|cluster| {
        cluster.put(json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web-blue"}, "minReplicas": 2, "maxReplicas": 9},
        }))
    });
    world.run(&DEPLOY).await.good();
    world.run(&["rollback", "--service", "web"]).await.good();
    assert_eq!(world.run(&RECOVER).await.good().status, Status::Unchanged);
    // Each of what a run has no time for when it is cancelled, by itself.
    let scale = json!({"spec": {"replicas": 2}});
    let points = json!({"spec": {"scaleTargetRef": {"name": "web-green"}}});
    let least = json!({"spec": {"minReplicas": 3}});
    for (plural, name, left) in [
        ("deployments", "web-green", scale),
        ("horizontalpodautoscalers", "web", points),
        ("horizontalpodautoscalers", "web", least),
    ] {
        world
            .cluster
            .world(|cluster| cluster.merge(plural, "default", name, left.clone()));
        let recover = world.run(&RECOVER).await;
        assert_eq!(recover.good().status, Status::RolledBack, "{left}");
        assert!(recover.says().contains("is tidied up"), "{}", recover.says());
        assert_eq!(replicas(&world, "web-green"), Some(0), "{left}");
        let scaler = object(&world, "horizontalpodautoscalers", "web").unwrap();
        assert_eq!(scaler["spec"]["scaleTargetRef"]["name"], "web-blue", "{left}");
        assert_eq!(scaler["spec"]["minReplicas"], 2, "{left}");
        assert_eq!(
            world.run(&RECOVER).await.good().status,
            Status::Unchanged,
            "{left}"
        );
    }
    assert_eq!(selector(&world), json!({"app": "web", "color": "blue"}));
}

#[tokio::test(start_paused = true)]
async fn a_rolling_deploy_that_did_not_end_is_found_by_the_service() {
    let patched = call_of(&ROLLING, plain().await, "patch", "deployments").await;
    let world = steps(plain().await);
    world.strike(patched, How::KilledAfter);
    assert!(world.run(&ROLLING).await.is_killed());
    let recover = world.run(&RECOVER).await;
    assert_eq!(recover.fact("status"), "rolled-back", "{}", recover.says());
    assert!(
        recover.says().contains("`deployment/web` runs"),
        "{}",
        recover.says()
    );
    serves(&world, "shop:1");
    let again = world.run(&RECOVER).await;
    assert_eq!(again.good().status, Status::Unchanged, "{}", again.says());
    assert_eq!(again.writes(), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn another_runs_rolling_deploy_is_named_and_left_alone() {
    let patched = call_of(&ROLLING, plain().await, "patch", "deployments").await;
    let world = plain().await;
    world.strike(patched, How::KilledAfter);
    assert!(world.run(&ROLLING).await.is_killed());
    let recover = world.other("8").run(&RECOVER).await;
    recover.failed(Exit::Locked);
    assert!(recover.says().contains("acme/shop:7.1"), "{}", recover.says());
    assert_eq!(recover.writes(), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn where_the_workload_may_not_be_seen_it_says_what_to_run() {
    let world = plain().await;
    world
        .cluster
        .fault("list replicasets", Turn::Every, Fault::Denied);
    let recover = world.run(&RECOVER).await;
    assert_eq!(recover.good().status, Status::Unchanged);
    let says = "k8s-blue-green recover --workload deployment/NAME --namespace default";
    assert!(recover.log.contains(says), "{}", recover.log);
}
