//! What is there already: nothing is registered, and nothing is claimed that is not so.

use std::time::Duration;

use gha::Exit;
use serde_json::json;

use super::{deploy, of, shop, three};
use crate::cloud::World;

#[tokio::test(start_paused = true)]
async fn the_same_content_is_nothing_to_do() {
    let world = World::new();
    let shop = shop(&world);
    let ended = world.run(&deploy(&["--image", "shop:1.0.0"])).await;
    assert!(
        ended.good().headline.contains("nothing to do"),
        "{}",
        ended.says()
    );
    assert_eq!(ended.fact("status"), "unchanged");
    assert!(ended.writes().is_empty(), "{:?}", ended.writes());
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn it_is_replaced_if_that_is_asked_for_and_no_revision_is_registered() {
    let world = World::new();
    shop(&world);
    let ended = world
        .run(&deploy(&["--image", "shop:1.0.0", "--force-new-deployment"]))
        .await;
    ended.good();
    assert_eq!(ended.writes(), ["UpdateService"]);
    let input = &of(&ended.calls, "UpdateService")[0].input;
    assert_eq!(
        *input,
        json!({ "cluster": "prod", "service": "web", "forceNewDeployment": true })
    );
}

#[tokio::test(start_paused = true)]
async fn a_number_of_tasks_alone_starts_no_deployment() {
    let world = World::new();
    shop(&world);
    let ended = world.run(&deploy(&["--desired-count", "5"])).await;
    assert!(ended.good().headline.contains("with 5 tasks"), "{}", ended.says());
    assert_eq!(ended.writes(), ["UpdateService"]);
}

#[tokio::test(start_paused = true)]
async fn content_whose_deployment_failed_is_not_taken_for_deployed() {
    let world = World::new();
    three()
        .balanced()
        .configured(
            "deploymentCircuitBreaker",
            json!({ "enable": true, "rollback": false, "thresholdConfiguration": { "type": "COUNT", "value": 1 } }),
        )
        .build(&world.cloud);
    let line = deploy(&["--image", "shop:1.1.0-crash", "--on-failure", "leave"]);
    world.run(&line).await.failed(Exit::NeedsHuman);
    let again = world.run(&line).await;
    again.failed(Exit::NeedsHuman);
    let says = again.says();
    assert!(
        says.contains("its deployment failed; 3 tasks of `web:1` run"),
        "{says}"
    );
    assert!(again.writes().is_empty(), "{:?}", again.writes());
}

#[tokio::test(start_paused = true)]
async fn the_same_version_under_way_is_followed() {
    let world = World::new();
    let shop = shop(&world);
    let line = deploy(&["--image", "shop:1.1.0"]);
    world.kill_at("UpdateService", 1, true);
    assert!(world.run(&line).await.is_killed());
    let ended = world.run(&line).await;
    ended.good();
    assert!(ended.writes().is_empty(), "{:?}", ended.writes());
    assert!(ended.log.contains("this run follows it"), "{}", ended.log);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn the_run_follows_the_deployment_of_its_own_update_though_ecs_shows_another_yet() {
    // The stand-in shows the service deployment of before for a few seconds after an update.
    let world = World::new();
    shop(&world);
    let first = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    let second = world.run(&deploy(&["--image", "shop:1.2.0"])).await;
    first.good();
    second.good();
    let (first, second) = (first.fact("deployment-id"), second.fact("deployment-id"));
    assert!(
        first.starts_with("ecs-svc/") && second.starts_with("ecs-svc/"),
        "{first} {second}"
    );
    assert_ne!(first, second);
    let shown = world
        .cloud
        .act(
            "ecs",
            "DescribeServices",
            json!({ "cluster": "prod", "services": ["web"] }),
        )
        .unwrap();
    assert_eq!(shown["services"][0]["deployments"][0]["id"], second.as_str());
    assert!(world.cloud.world(|world| world.now()) > Duration::from_secs(60));
}
