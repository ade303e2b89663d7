//! Ways back where ECS shifts the traffic: cancels, rollbacks, and what status and plan say.

use std::time::Duration;

use gha::Exit;
use serde_json::json;

use crate::cloud::World;
use crate::native::{WRITES, deploy, set, shop};

const ROLLBACK: [&str; 5] = ["rollback", "--cluster", "prod", "--service", "web"];

#[tokio::test(start_paused = true)]
async fn a_cancel_stops_it_within_seconds() {
    // Before it is listed, while tasks start, at the canary, and while it bakes.
    for after in [1_000, 2_500, 20_000, 60_000, 130_000] {
        let world = World::new();
        let shop = shop(&world, "CANARY");
        world.cancel_after(Duration::from_millis(after));
        let ended = world.run(&deploy("shop:1.1.0", &[])).await;
        let failure = ended.failed(Exit::Terminated);
        let error = failure.error.to_string();
        assert!(
            error.contains("`web:1` is on its way back"),
            "{after}: {error}\n{}",
            ended.log
        );
        assert!(
            ended.took < Duration::from_millis(after + 5_000),
            "{after}: {:?}",
            ended.took
        );
        assert_eq!(ended.writes().last(), Some(&"StopServiceDeployment"));
        let calm = world.cloud.until(Duration::from_secs(600), |cloud| {
            cloud.ecs.is_steady("prod", "web")
        });
        assert!(calm && world.cloud.serving(&shop) == ["shop:1.0.0"], "{after}");
        let again = world.again().run(&deploy("shop:1.1.0", &[])).await;
        again.good();
        assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancel_may_leave_it() {
    let world = World::new();
    let shop = shop(&world, "CANARY");
    world.cancel_after(Duration::from_secs(30));
    let ended = world.run(&deploy("shop:1.1.0", &["--on-cancel", "leave"])).await;
    ended.failed(Exit::Terminated);
    assert_eq!(ended.writes(), WRITES);
    let resumed = world.again().run(&deploy("shop:1.1.0", &[])).await;
    resumed.good();
    assert!(resumed.writes().is_empty(), "it is followed, not begun again");
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_stops_what_is_under_way() {
    let world = World::new();
    let shop = shop(&world, "LINEAR");
    world.cancel_after(Duration::from_secs(60));
    world.run(&deploy("shop:1.1.0", &["--on-cancel", "leave"])).await;
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("output");
    let mut looking = world.again();
    looking.variables = vec![("GITHUB_OUTPUT", output.display().to_string())];
    let shown = looking
        .run(&["status", "--cluster", "prod", "--service", "web"])
        .await;
    assert!(!output.exists(), "to look is no result");
    assert_eq!(shown.fact("live-weight"), "40", "{}", shown.log);
    assert!(shown.log.contains("40% of production traffic"), "{}", shown.log);
    let ended = world.again().run(&ROLLBACK).await;
    assert!(ended.good().headline.contains("runs `web:1` again"));
    assert_eq!(ended.writes(), ["StopServiceDeployment"]);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_of_one_that_succeeded_is_a_deployment() {
    let world = World::new();
    let pauses = json!([{ "targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
        "timeoutConfiguration": { "timeoutInMinutes": 1, "action": "CONTINUE" } }]);
    let shop = set("BLUE_GREEN")
        .configured("lifecycleHooks", pauses)
        .build(&world.cloud);
    let ended = world.run(&deploy("shop:1.1.0", &[])).await;
    ended.good();
    assert!(ended.log.contains("until somebody answers hook"), "{}", ended.log);
    let back = world.again().run(&ROLLBACK).await;
    assert!(back.good().headline.contains("runs `web:1` again"));
    assert_eq!(
        back.writes(),
        ["UpdateService", "ContinueServiceDeployment"],
        "nobody is waited for"
    );
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    let again = world
        .again()
        .run(&[&ROLLBACK[..], &["--to", "web:2"]].concat())
        .await;
    again.good();
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_plan_names_what_would_be_sent() {
    let world = World::new();
    shop(&world, "CANARY");
    let line = deploy("shop:1.1.0", &["--strategy", "linear"]);
    let plan: Vec<&str> = std::iter::once("plan").chain(line.into_iter().skip(1)).collect();
    let ended = world.run(&plan).await;
    ended.good();
    assert!(
        ended.log.contains("taskDefinition, deploymentConfiguration"),
        "{}",
        ended.log
    );
    assert!(ended.writes().is_empty());
}
