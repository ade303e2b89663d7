//! What goes wrong in clusters, and what a person is told of it. In each the old version keeps all traffic.

use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::Turn;
use sandbox::stand_ins::kubernetes::{Fault, Refusal};
use serde_json::json;
use tokio::time::sleep;

use crate::cluster::{Ended, World};
use crate::shop::{blue, deployment, object, plain, replicas, selector, serves};

/// Deploys an image, and checks that the old version serves and the new one has no pods.
async fn deployed(world: &World, image: &str) -> Ended {
    let ended = world
        .run(&["deploy", "--service", "web", "--image", image, "--timeout", "2m"])
        .await;
    sleep(Duration::from_secs(5)).await;
    serves(world, "shop:1");
    assert!(
        replicas(world, "web-green").is_none_or(|pods| pods == 0),
        "{}",
        ended.says()
    );
    ended
}

#[tokio::test(start_paused = true)]
async fn pods_that_do_not_become_ready_are_told_by_their_cause() {
    for (image, says, soon) in [
        ("shop:unpullable", "shop:unpullable", true),
        ("shop:crash", "exit", true),
        ("shop:configerror", "CreateContainerConfigError", true),
        ("shop:oom", "OOMKilled", true),
        ("shop:unready", "not ready after 2m", false),
        ("shop:unschedulable", "not ready after 2m", false),
    ] {
        let world = blue().await;
        let ended = deployed(&world, image).await;
        ended.failed(Exit::Failed);
        assert!(
            ended.says().contains(says) || ended.log.contains(says),
            "{image}: {}\n{}",
            ended.says(),
            ended.log
        );
        assert_eq!(
            ended.took < Duration::from_secs(100),
            soon,
            "{image}: {:?}",
            ended.took
        );
        assert!(
            ended.log.contains("why `web-green` failed"),
            "{image}: {}",
            ended.log
        );
        assert!(ended.says().contains("no traffic had moved"), "{}", ended.says());
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_denies_the_deployment_is_quoted() {
    let world = blue().await;
    let refusal = Refusal::webhook("policy.example.com", "images need a digest");
    world
        .cluster
        .fault("create deployments *", Turn::Every, Fault::Refused(refusal));
    let ended = deployed(&world, "shop:2").await;
    assert!(ended.result.is_err());
    for says in ["policy.example.com", "images need a digest"] {
        assert!(ended.says().contains(says), "{}", ended.says());
    }
}

#[tokio::test(start_paused = true)]
async fn pods_that_are_denied_are_told_by_the_event() {
    let world = blue().await;
    world.cluster.world(|cluster| {
        cluster.settings.deny_pods = Some("violates PodSecurity \"restricted:latest\"".into());
    });
    let ended = deployed(&world, "shop:2").await;
    ended.failed(Exit::Failed);
    assert!(
        ended.says().contains("PodSecurity") || ended.log.contains("PodSecurity"),
        "{}",
        ended.log
    );
    assert!(ended.took < Duration::from_secs(110), "{:?}", ended.took);
}

#[tokio::test(start_paused = true)]
async fn services_that_can_not_be_switched_are_refused_and_nothing_is_made() {
    let external = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"type": "ExternalName", "externalName": "a.example"},
    });
    let selectless = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"ports": [{"port": 80}]},
    });
    for (what, put) in [
        ("no Service", None),
        ("no selector", Some(selectless)),
        ("an external name", Some(external)),
    ] {
        let world = blue().await;
        world.cluster.world(|cluster| {
            cluster.delete("services", "default", "web");
            put.into_iter().for_each(|put| drop(cluster.put(put)));
        });
        let ended = world
            .run(&["deploy", "--service", "web", "--image", "shop:2"])
            .await;
        ended.failed(Exit::Usage);
        assert!(ended.says().contains("`web`"), "{what}: {}", ended.says());
        assert!(object(&world, "deployments", "web-green").is_none(), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_selector_with_pods_of_two_deployments_is_refused_by_their_names() {
    let world = plain().await;
    world.cluster.world(|cluster| {
        cluster.put(deployment(
            "other",
            &[("app", "web"), ("part", "other")],
            "other:1",
        ));
    });
    sleep(Duration::from_secs(10)).await;
    let ended = world
        .run(&["deploy", "--service", "web", "--image", "shop:2"])
        .await;
    ended.failed(Exit::Usage);
    assert!(
        ended.says().contains("`other`") && ended.says().contains("`web`"),
        "{}",
        ended.says()
    );
    assert!(object(&world, "deployments", "web-green").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_deployment_of_the_other_colour_that_is_somebody_elses_is_not_replaced() {
    let world = blue().await;
    world.cluster.world(|cluster| {
        cluster.put(deployment("web-green", &[("team", "other")], "other:1"));
    });
    sleep(Duration::from_secs(5)).await;
    let ended = world
        .run(&["deploy", "--service", "web", "--image", "shop:2"])
        .await;
    ended.failed(Exit::Usage);
    assert!(
        ended.says().contains("kubectl delete deployment web-green"),
        "{}",
        ended.says()
    );
    assert_eq!(replicas(&world, "web-green"), Some(3));
    serves(&world, "shop:1");
}

#[tokio::test(start_paused = true)]
async fn a_new_version_that_the_service_does_not_reach_is_taken_back() {
    let world = blue().await;
    // After the switch no pod of the new version is ready any more.
    world.cluster.after("patch services web", 2, |cluster| {
        let pods: Vec<String> = cluster
            .list("pods", "default")
            .iter()
            .filter(|pod| pod["metadata"]["labels"]["color"] == "green")
            .map(|pod| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned())
            .collect();
        for pod in pods {
            cluster.delete("pods", "default", &pod);
        }
        cluster.settings.images.clear();
        cluster.settings.deny_pods = Some("no more".into());
    });
    let ended = world
        .run(&["deploy", "--service", "web", "--image", "shop:2", "--soak", "2m"])
        .await;
    assert!(ended.result.is_err(), "{}", ended.log);
    assert_eq!(ended.fact("status"), "rolled-back", "{}", ended.says());
    sleep(Duration::from_secs(5)).await;
    serves(&world, "shop:1");
}

#[tokio::test(start_paused = true)]
async fn an_old_version_without_pods_is_scaled_up_before_the_way_back() {
    let world = blue().await;
    world
        .run(&[
            "deploy",
            "--service",
            "web",
            "--image",
            "shop:2",
            "--soak",
            "5s",
            "--drain",
            "10s",
        ])
        .await
        .good();
    assert_eq!(replicas(&world, "web-blue"), Some(0));
    let back = world.other("8").run(&["rollback", "--service", "web"]).await;
    back.good();
    assert!(back.log.contains("it is scaled to 3"), "{}", back.log);
    serves(&world, "shop:1");
    // One that is gone is no way back, and the traffic stays.
    let world = blue().await;
    world
        .run(&["deploy", "--service", "web", "--image", "shop:2", "--soak", "5s"])
        .await
        .good();
    world
        .cluster
        .world(|cluster| cluster.delete("deployments", "default", "web-blue"));
    let back = world.other("8").run(&["rollback", "--service", "web"]).await;
    assert!(back.result.is_err());
    assert!(
        back.says().contains("its traffic was not moved"),
        "{}",
        back.says()
    );
    serves(&world, "shop:2");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_end_in_the_middle_are_told_with_where_the_traffic_is() {
    let world = blue().await;
    world
        .cluster
        .fault("get deployments web-green", Turn::EveryNth(3), Fault::Expired);
    let ended = deployed(&world, "shop:2").await;
    assert!(ended.result.is_err());
    assert!(ended.says().contains("no traffic had moved"), "{}", ended.says());
}

#[tokio::test(start_paused = true)]
async fn another_deploy_is_waited_for_or_refused_by_name() {
    let world = blue().await;
    let other = world.other("8");
    let deploying = world.run(&["deploy", "--service", "web", "--image", "shop:2", "--soak", "2m"]);
    tokio::pin!(deploying);
    tokio::select! {
        biased;
        ended = &mut deploying => panic!("{}", ended.says()),
        () = sleep(Duration::from_secs(20)) => {}
    }
    let (first, second) = tokio::join!(
        deploying,
        other.run(&["deploy", "--service", "web", "--image", "shop:3"])
    );
    first.good();
    second.failed(Exit::Locked);
    assert!(second.says().contains("acme/shop/7"), "{}", second.says());
    assert_eq!(selector(&world), json!({"app": "web", "color": "green"}));
}
