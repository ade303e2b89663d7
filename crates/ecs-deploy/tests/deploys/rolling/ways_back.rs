//! Deploys that fail in ways of their own, and what they go back to.

use std::time::Duration;

use gha::Exit;
use serde_json::json;

use super::{deploy, of, shop, three};
use crate::cloud::World;

/// Registers a revision and deploys it, past the tool.
fn deployed_past_the_tool(world: &World, image: &str) {
    let definition = json!({
        "family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "requiresCompatibilities": ["FARGATE"], "executionRoleArn": "arn:aws:iam::123456789012:role/execution",
        "containerDefinitions": [{ "name": "app", "image": image }],
    });
    let registered = world
        .cloud
        .act("ecs", "RegisterTaskDefinition", definition)
        .unwrap();
    let arn = &registered["taskDefinition"]["taskDefinitionArn"];
    let update = json!({ "cluster": "prod", "service": "web", "taskDefinition": arn });
    world.cloud.act("ecs", "UpdateService", update).unwrap();
}

#[tokio::test(start_paused = true)]
async fn tasks_that_crash_after_a_while_are_counted_though_ecs_forgets_them() {
    // Without any check a task that runs is healthy at once, so it must stay for longer than it lasts.
    for (setup, more) in [
        (three().balanced(), &[] as &[&str]),
        (three(), &["--stable-for", "1m"]),
    ] {
        let world = World::new();
        let shop = setup.build(&world.cloud);
        let line = deploy(&[&["--image", "shop:1.1.0-slow-crash"], more].concat());
        let ended = world.run(&line).await;
        ended.failed(Exit::Failed);
        assert!(ended.says().contains("exit code 1"), "{}", ended.says());
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn want_of_room_is_waited_for_and_then_a_failure() {
    let world = World::new();
    let shop = shop(&world);
    let line = deploy(&["--image", "shop:1.1.0-unplaced", "--placement-timeout", "2m"]);
    let ended = world.run(&line).await;
    ended.failed(Exit::Failed);
    assert!(ended.says().contains("found no room"), "{}", ended.says());
    assert!(ended.log.contains("insufficient memory"), "{}", ended.log);
    let updates = of(&ended.calls, "UpdateService");
    let waited = updates[1].at - updates[0].at;
    assert!(waited >= Duration::from_secs(120), "{waited:?}");
    assert!(waited < Duration::from_secs(180), "{waited:?}");
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_circuit_breaker_takes_back_is_a_failure_that_is_waited_for() {
    let world = World::new();
    let shop = three()
        .configured(
            "deploymentCircuitBreaker",
            json!({ "enable": true, "rollback": true, "thresholdConfiguration": { "type": "COUNT", "value": 1 } }),
        )
        .build(&world.cloud);
    let ended = world.run(&deploy(&["--image", "shop:1.1.0-crash"])).await;
    ended.failed(Exit::Failed);
    assert!(ended.says().contains("circuit breaker"), "{}", ended.says());
    assert!(ended.says().contains("`web:1` serves again"), "{}", ended.says());
    assert_eq!(ended.fact("status"), "rolled-back");
    assert_eq!(ended.writes(), ["RegisterTaskDefinition", "UpdateService"]);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    // It was waited for: the last look saw the deployment complete.
    let service = world
        .cloud
        .act(
            "ecs",
            "DescribeServices",
            json!({ "cluster": "prod", "services": ["web"] }),
        )
        .unwrap();
    assert_eq!(
        service["services"][0]["deployments"][0]["rolloutState"],
        "COMPLETED"
    );
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_only_stops_leaves_the_way_back_to_the_run() {
    let world = World::new();
    let shop = three()
        .configured(
            "deploymentCircuitBreaker",
            json!({ "enable": true, "rollback": false, "thresholdConfiguration": { "type": "COUNT", "value": 1 } }),
        )
        .build(&world.cloud);
    let ended = world.run(&deploy(&["--image", "shop:1.1.0-crash"])).await;
    ended.failed(Exit::Failed);
    assert!(ended.says().contains("`web:1` serves again"), "{}", ended.says());
    assert_eq!(of(&ended.calls, "UpdateService").len(), 2);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_is_to_be_left_says_what_runs_and_how_to_go_back() {
    let world = World::new();
    let shop = three().balanced().build(&world.cloud);
    let line = deploy(&["--image", "shop:1.1.0-crash", "--on-failure", "leave"]);
    let ended = world.run(&line).await;
    ended.failed(Exit::NeedsHuman);
    let says = ended.says();
    assert!(says.contains("3 tasks of `web:1` run"), "{says}");
    assert!(
        says.contains("ecs-deploy rollback --cluster prod --service web --to web:1"),
        "{says}"
    );
    assert_eq!(ended.fact("status"), "failed");
    assert_eq!(of(&ended.calls, "UpdateService").len(), 1);
    // The command that it names does what it says.
    let back = world
        .run(&[
            "rollback",
            "--cluster",
            "prod",
            "--service",
            "web",
            "--to",
            "web:1",
        ])
        .await;
    assert!(
        back.good().headline.contains("runs `web:1` again"),
        "{}",
        back.says()
    );
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_deregistered_revision_comes_back_under_a_new_number() {
    let world = World::new();
    let shop = shop(&world);
    world.cloud.after("UpdateService", 1, |world| {
        world
            .act(
                "ecs",
                "DeregisterTaskDefinition",
                json!({ "taskDefinition": "web:1" }),
            )
            .unwrap();
    });
    let ended = world.run(&deploy(&["--image", "shop:1.1.0-crash"])).await;
    ended.failed(Exit::Failed);
    assert!(ended.log.contains("registered again as `web:3`"), "{}", ended.log);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn the_way_back_leads_past_revisions_that_failed() {
    let world = World::new();
    let shop = three().balanced().build(&world.cloud);
    deployed_past_the_tool(&world, "shop:1.0.1-crash");
    world.cloud.skip(Duration::from_secs(60));
    let line = deploy(&["--image", "shop:1.1.0-crash", "--replace"]);
    let ended = world.run(&line).await;
    ended.failed(Exit::Failed);
    assert_eq!(ended.fact("previous-task-definition"), "web:1");
    assert!(ended.says().contains("`web:1` serves again"), "{}", ended.says());
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_first_deploy_has_nothing_to_go_back_to_and_says_so() {
    let world = World::new();
    world
        .cloud
        .act("ecs", "CreateCluster", json!({ "clusterName": "prod" }))
        .unwrap();
    let definition = json!({
        "family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512", "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [{ "name": "app", "image": "shop:1.0.0-crash" }],
    });
    world
        .cloud
        .act("ecs", "RegisterTaskDefinition", definition)
        .unwrap();
    let service = json!({
        "cluster": "prod", "serviceName": "web", "taskDefinition": "web:1", "desiredCount": 2, "launchType": "FARGATE",
        "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-a"] } },
    });
    world.cloud.act("ecs", "CreateService", service).unwrap();
    let line = deploy(&["--image", "shop:1.1.0-crash", "--replace"]);
    let ended = world.run(&line).await;
    ended.failed(Exit::NeedsHuman);
    assert!(
        ended
            .says()
            .contains("no earlier revision is known to have served"),
        "{}",
        ended.says()
    );
    assert!(
        ended.log.contains("a failure has nothing to go back to"),
        "{}",
        ended.log
    );
    assert_eq!(of(&ended.calls, "UpdateService").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn tasks_of_the_same_revision_have_no_earlier_one_to_go_back_to() {
    let world = World::new();
    let shop = three().balanced().build(&world.cloud);
    let crash = sandbox::stand_ins::aws::Behaviour::crash(1, Duration::from_secs(2));
    world.cloud.world(|world| world.ecs.image("shop:1.0.0", crash));
    let ended = world.run(&deploy(&["--force-new-deployment"])).await;
    ended.failed(Exit::NeedsHuman);
    let says = ended.says();
    assert!(
        says.contains("the earlier tasks are of the same revision"),
        "{says}"
    );
    assert!(says.contains("of `web:1` run"), "{says}");
    assert_eq!(of(&ended.calls, "UpdateService").len(), 1);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn settings_that_were_changed_come_back_too() {
    let world = World::new();
    let shop = shop(&world);
    let line = deploy(&[
        "--image",
        "shop:1.1.0-crash",
        "--desired-count",
        "5",
        "--propagate-tags",
        "SERVICE",
        "--enable-ecs-managed-tags",
    ]);
    let ended = world.run(&line).await;
    ended.failed(Exit::Failed);
    let back = &of(&ended.calls, "UpdateService")[1].input;
    assert_eq!(back["desiredCount"], 3);
    assert_eq!(back["propagateTags"], "NONE");
    assert_eq!(back["enableECSManagedTags"], false);
    assert!(back["capacityProviderStrategy"].is_null(), "{back}");
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}
