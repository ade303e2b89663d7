//! The same where ECS shifts the traffic.

use std::time::Duration;

use gha::Exit;
use serde_json::json;

use super::{deploy, recover, says, stop};
use crate::cloud::World;
use crate::native::{set, shop};

/// A deploy that is killed after a time.
async fn killed_after(world: &World, time: Duration, image: &str) {
    let line = deploy(image);
    let ended = tokio::time::timeout(time, world.run(&line)).await;
    assert!(ended.is_err(), "it ended by itself");
}

#[tokio::test(start_paused = true)]
async fn nothing_under_way_is_said_with_what_serves() {
    let world = World::new();
    shop(&world, "CANARY");
    let ended = recover(&world, &[]).await;
    ended.good();
    says(
        &ended,
        &["no deployment of service `web` is under way: 2 tasks of `web:1` run; nothing to do"],
    );
    assert_eq!(ended.fact("status"), "unchanged");
    killed_after(&world, Duration::from_secs(20), "shop:1.1.0").await;
    world.cloud.skip(Duration::from_secs(900));
    says(
        &recover(&world, &[]).await,
        &["2 tasks of `web:2` run; nothing to do"],
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_was_stopped_where_it_was_is_told() {
    let world = World::new();
    let alarms = json!({ "alarmNames": ["errors"], "enable": true, "rollback": false });
    set("CANARY").configured("alarms", alarms).build(&world.cloud);
    killed_after(&world, Duration::from_secs(60), "shop:1.1.0").await;
    world.cloud.world(|cloud| {
        let now = cloud.now();
        cloud.metrics.alarm("errors", "ALARM", "5 of 5 points", now);
    });
    world.cloud.skip(Duration::from_secs(60));
    let ended = recover(&world, &[]).await;
    ended.good();
    says(
        &ended,
        &[
            "the latest deployment of service `web` was stopped where it was",
            "2 wanted; nothing was changed",
        ],
    );
    assert!(ended.log.contains("alarm detected: errors"), "{}", ended.log);
    assert!(
        ended
            .log
            .contains("run `ecs-deploy rollback --cluster prod --service web`"),
        "{}",
        ended.log
    );
}

#[tokio::test(start_paused = true)]
async fn what_ecs_takes_back_is_waited_for() {
    for strategy in ["BLUE_GREEN", "CANARY", "LINEAR"] {
        // By the run that was cancelled, and by somebody after a run was killed.
        for is_killed in [false, true] {
            let world = World::new();
            let shop = shop(&world, strategy);
            if is_killed {
                killed_after(&world, Duration::from_secs(60), "shop:1.1.0").await;
                stop(&world);
            } else {
                world.cancel_after(Duration::from_secs(60));
                world.run(&deploy("shop:1.1.0")).await.failed(Exit::Terminated);
            }
            let ended = recover(&world, &[]).await;
            ended.good();
            says(&ended, &["service `web` runs `web:1` again"]);
            assert_eq!(ended.fact("status"), "rolled-back");
            assert_eq!(ended.fact("task-definition"), "web:1");
            assert_eq!(ended.fact("previous-task-definition"), "web:2");
            assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_was_killed_is_brought_to_its_end_by_either_command() {
    for command in ["recover", "rollback"] {
        is_brought_to_its_end(command).await;
    }
}

async fn is_brought_to_its_end(command: &str) {
    let world = World::new();
    let pauses = json!([{ "targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
        "timeoutConfiguration": { "timeoutInMinutes": 60, "action": "ROLLBACK" } }]);
    let shop = set("BLUE_GREEN").build(&world.cloud);
    world.run(&deploy("shop:1.1.0")).await.good();
    let set = json!({ "cluster": "prod", "service": "web", "deploymentConfiguration": {
        "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1, "lifecycleHooks": pauses } });
    world.cloud.act("ecs", "UpdateService", set).unwrap();
    world.kill_at("UpdateService", 1, true);
    let back = ["rollback", "--cluster", "prod", "--service", "web"];
    assert!(world.run(&back).await.is_killed());
    world.cloud.skip(Duration::from_secs(120));
    let line = [command, "--cluster", "prod", "--service", "web"];
    let ended = world.run(&line).await;
    ended.good();
    assert_eq!(
        ended.writes(),
        ["ContinueServiceDeployment"],
        "it waits for nobody"
    );
    says(&ended, &["service `web` runs `web:1` again"]);
    assert_eq!(ended.fact("previous-task-definition"), "web:2");
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_version_under_way_may_be_somebody_elses() {
    let world = World::new();
    let shop = shop(&world, "CANARY");
    killed_after(&world, Duration::from_secs(60), "shop:1.1.0").await;
    let ended = recover(&world, &[]).await;
    ended.failed(Exit::Locked);
    says(
        &ended,
        &[
            "a deployment of service `web` is under way, and no word is left of whose it is: `web:2`, stage `",
            "10% of production traffic to the new version, ",
            ", 2 of 2 tasks run; ECS goes on",
            "`ecs-deploy rollback --cluster prod --service web`",
            "`ecs-deploy status --cluster prod --service web`",
        ],
    );
    assert_eq!(ended.fact("previous-task-definition"), "web:1");
    world.cloud.skip(Duration::from_secs(900));
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_told_with_its_end() {
    for (action, words) in [("ROLLBACK", "goes back"), ("CONTINUE", "goes on")] {
        let world = World::new();
        let pauses = json!([{ "targetType": "PAUSE", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
            "timeoutConfiguration": { "timeoutInMinutes": 30, "action": action } }]);
        set("BLUE_GREEN")
            .configured("lifecycleHooks", pauses)
            .build(&world.cloud);
        killed_after(&world, Duration::from_secs(120), "shop:1.1.0").await;
        let ended = recover(&world, &[]).await;
        ended.failed(Exit::Locked);
        says(
            &ended,
            &[
                "stage `POST_TEST_TRAFFIC_SHIFT`",
                "waits for an answer, and without one ECS",
                &format!("{words} at 2026-01-01T00:"),
            ],
        );
    }
}
