//! Blue-green deploys from the first look to the end.

use std::time::Duration;

use gha::edge::cancel::Signal;
use gha::{Exit, Status};
use serde_json::json;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::cluster::{How, World};
use crate::shop::{PODS, blue, object, plain, replicas, selector, serves, visit};

const DEPLOY: [&str; 5] = ["deploy", "--service", "web", "--image", "shop:2"];

#[tokio::test(start_paused = true)]
async fn a_new_version_gets_the_traffic_and_no_visit_is_lost() {
    let world = blue().await;
    let (ended, all_over) = oneshot::channel();
    let other = world.other("7");
    let visits = tokio::task::LocalSet::new();
    let (visits, lost, deploy) = visits
        .run_until(async move {
            let visiting = tokio::task::spawn_local(async move {
                visit(&other, Duration::from_millis(20), async {
                    let _ = all_over.await;
                    sleep(Duration::from_secs(120)).await;
                })
                .await
            });
            let deploy = world.run(&DEPLOY).await;
            let _ = ended.send(());
            let (visits, lost) = visiting.await.unwrap();
            serves(&world, "shop:2");
            assert_eq!(selector(&world), json!({"app": "web", "color": "green"}));
            (visits, lost, deploy)
        })
        .await;
    let outcome = deploy.good();
    assert_eq!(outcome.status, Status::Done);
    assert_eq!(
        (deploy.fact("status"), deploy.fact("live-color")),
        ("deployed".to_owned(), "green".to_owned())
    );
    assert!(
        outcome
            .undo
            .as_ref()
            .unwrap()
            .starts_with("k8s-blue-green rollback --service web")
    );
    assert!(visits > 1000, "{visits}");
    assert_eq!(lost, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_service_without_a_colour_is_adopted_without_restarting_a_pod() {
    let world = plain().await;
    let before = world.cluster.world(|cluster| {
        let pods = cluster.list("pods", "default");
        pods.iter()
            .map(|pod| pod["metadata"]["uid"].clone())
            .collect::<Vec<_>>()
    });
    let deploy = world.run(&DEPLOY).await;
    deploy.good();
    serves(&world, "shop:2");
    let left = world.cluster.world(|cluster| {
        let pods = cluster.list("pods", "default");
        before
            .iter()
            .filter(|uid| pods.iter().any(|pod| pod["metadata"]["uid"] == **uid))
            .count()
    });
    assert_eq!(
        left,
        before.len(),
        "the old version keeps its pods while it is kept"
    );
    assert!(object(&world, "deployments", "web").is_some());
    assert!(object(&world, "services", "web-preview").is_none());
}

#[tokio::test(start_paused = true)]
async fn deploying_back_and_forth_and_rolling_back() {
    let world = blue().await;
    world.run(&DEPLOY).await.good();
    serves(&world, "shop:2");
    let back = world.other("8").run(&["rollback", "--service", "web"]).await;
    assert_eq!(back.good().status, Status::RolledBack);
    serves(&world, "shop:1");
    assert_eq!(replicas(&world, "web-green"), Some(0));
    assert_eq!(back.writes().first().unwrap(), "patch services web");
    let again = world.other("9").run(&["rollback", "--service", "web"]).await;
    assert_eq!(again.good().status, Status::Unchanged);
    world
        .other("10")
        .run(&["deploy", "--service", "web", "--image", "shop:3"])
        .await
        .good();
    sleep(Duration::from_secs(5)).await;
    serves(&world, "shop:3");
}

#[tokio::test(start_paused = true)]
async fn what_is_live_already_is_not_deployed_again() {
    let world = blue().await;
    let deploy = world
        .run(&["deploy", "--service", "web", "--image", "shop:1"])
        .await;
    assert_eq!(deploy.good().status, Status::Unchanged);
    let changed = deploy
        .writes()
        .into_iter()
        .filter(|write| !write.contains("leases"));
    assert_eq!(changed.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_crashes_gets_no_traffic_and_says_why() {
    for (image, said) in [
        ("shop:crash", "exit code 1"),
        ("shop:unpullable", "pull"),
        ("shop:oom", "memory"),
        ("shop:configerror", "config"),
    ] {
        for world in [blue().await, plain().await] {
            let before = selector(&world);
            let deploy = world.run(&["deploy", "--service", "web", "--image", image]).await;
            let failure = deploy.failed(Exit::Failed);
            assert!(
                deploy.says().to_lowercase().contains(said),
                "{image}: {}",
                deploy.says()
            );
            assert_eq!(failure.outcome.status, Status::Failed);
            assert!(
                deploy.took < Duration::from_secs(240),
                "{image}: {:?}",
                deploy.took
            );
            serves(&world, "shop:1");
            assert_eq!(selector(&world), before, "{image}");
            assert_eq!(replicas(&world, "web-green"), Some(0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_fails_with_the_traffic_on_it_is_taken_back() {
    let world = blue().await;
    let deploy = world
        .run(&[
            "deploy",
            "--service",
            "web",
            "--image",
            "shop:lost-after-60s",
            "--soak",
            "5m",
        ])
        .await;
    let failure = deploy.failed(Exit::Failed);
    assert_eq!(failure.outcome.status, Status::RolledBack);
    sleep(Duration::from_secs(5)).await;
    serves(&world, "shop:1");
    assert_eq!(replicas(&world, "web-blue"), Some(PODS));
}

#[tokio::test(start_paused = true)]
async fn a_cancel_at_each_call_leaves_the_old_version_or_the_new_one_serving_whole() {
    let calls = {
        let world = blue().await;
        let deploy = world.run(&DEPLOY).await;
        deploy.good();
        deploy.sent
    };
    for nth in 1..=calls {
        let world = blue().await;
        world.strike(nth, How::Cancelled(Signal::Terminate));
        let deploy = world.run(&DEPLOY).await;
        whole(&world, &format!("cancelled at {nth}"));
        if let Ok(outcome) = &deploy.result {
            assert_eq!(outcome.status, Status::Done);
            continue;
        }
        deploy.failed(Exit::Terminated);
        let recover = world.run(&["recover", "--service", "web"]).await;
        recover.good();
        sleep(Duration::from_secs(10)).await;
        whole(&world, &format!("recovered from {nth}"));
    }
}

/// One version has all traffic, and at least as many pods as the shop is to have.
#[track_caller]
fn whole(world: &World, what: &str) {
    let serving = crate::shop::serving(world);
    assert_eq!(serving.len(), 1, "{what}: {serving:?}");
    let image = &serving[0].0;
    assert!(image == "shop:1" || image == "shop:2", "{what}: {serving:?}");
}

#[tokio::test(start_paused = true)]
async fn a_migration_runs_before_the_new_version_and_once() {
    let world = blue().await;
    let line = [
        "deploy",
        "--service",
        "web",
        "--image",
        "shop:2-jobok",
        "--migrate",
        "web=bin/migrate",
    ];
    world.run(&line).await.good();
    let jobs = || {
        world
            .cluster
            .world(|cluster| cluster.list("jobs", "default").len())
    };
    assert_eq!(jobs(), 1);
    let down = [
        "rollback",
        "--service",
        "web",
        "--migrate-down",
        "web=bin/migrate down",
    ];
    let back = world.other("8").run(&down).await;
    assert_eq!(back.good().status, Status::RolledBack);
    assert_eq!(jobs(), 2, "one up, one down");
    sleep(Duration::from_secs(2)).await;
    serves(&world, "shop:1");
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_fails_leaves_all_as_it_was() {
    let world = blue().await;
    let line = [
        "deploy",
        "--service",
        "web",
        "--image",
        "shop:2-jobfail",
        "--migrate",
        "web=bin/migrate",
    ];
    let deploy = world.run(&line).await;
    deploy.failed(Exit::Failed);
    serves(&world, "shop:1");
    assert_eq!(replicas(&world, "web-green"), None, "{}", deploy.says());
}

#[tokio::test(start_paused = true)]
async fn what_is_up_waits_and_is_promoted_from_another_machine() {
    let world = blue().await;
    let line = [&DEPLOY[..], &["--until", "preview"]].concat();
    let deploy = world.run(&line).await;
    deploy.good();
    assert_eq!(deploy.fact("status"), "prepared");
    serves(&world, "shop:1");
    let other = world
        .other("8")
        .run(&["deploy", "--service", "web", "--image", "shop:3"])
        .await;
    other.failed(Exit::Locked);
    world
        .other("9")
        .run(&["promote", "--service", "web"])
        .await
        .good();
    sleep(Duration::from_secs(2)).await;
    serves(&world, "shop:2");
    sleep(Duration::from_secs(300)).await;
    world.other("10").run(&["gc", "--service", "web"]).await.good();
    assert_eq!(replicas(&world, "web-blue"), Some(0));
    let back = world.other("11").run(&["rollback", "--service", "web"]).await;
    back.good();
    sleep(Duration::from_secs(2)).await;
    serves(&world, "shop:1");
}

#[tokio::test(start_paused = true)]
async fn who_undoes_wins_and_nobody_is_written_over() {
    let world = blue().await;
    let line = [&DEPLOY[..], &["--soak", "5m"]].concat();
    world.cluster.after("patch services web", 2, |cluster| {
        // GitOps puts the selector back, some time into the soak.
        cluster.merge(
            "services",
            "default",
            "web",
            json!({"spec": {"selector": {"color": "blue"}}}),
        );
    });
    let deploy = world.run(&line).await;
    deploy.failed(Exit::Locked);
    assert_eq!(deploy.fact("status"), "superseded");
    sleep(Duration::from_secs(2)).await;
    serves(&world, "shop:1");
}

#[tokio::test(start_paused = true)]
async fn an_autoscaler_of_keda_is_moved_by_its_owner() {
    let world = blue().await;
    world.cluster.world(|cluster| {
        let owner = cluster.put(json!({
            "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": {"name": "web", "namespace": "default"},
            "spec": {"scaleTargetRef": {"name": "web-blue"}, "minReplicaCount": 2, "maxReplicaCount": 9, "triggers": [{"type": "cpu"}]},
        }));
        cluster.put(json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "keda-hpa-web", "namespace": "default", "ownerReferences": [
                {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "web", "uid": owner["metadata"]["uid"], "controller": true},
            ]},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web-blue"}, "minReplicas": 2, "maxReplicas": 9},
        }))
    });
    let spec = |world: &World| object(world, "scaledobjects", "web").unwrap()["spec"].clone();
    let before = spec(&world);
    let deploy = world.run(&[&DEPLOY[..], &["--soak", "5s"]].concat()).await;
    deploy.good();
    assert_eq!(spec(&world)["scaleTargetRef"]["name"], "web-green");
    assert_eq!(spec(&world)["minReplicaCount"], 2);
    assert!(
        !deploy
            .writes()
            .iter()
            .any(|write| write.contains("horizontalpodautoscalers")),
        "{:?}",
        deploy.writes()
    );
    world.run(&["rollback", "--service", "web"]).await.good();
    assert_eq!(spec(&world), before);
}
