//! Rolling deploys that end as they should: what works serves, and what is asked for is all that is sent.

use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::{Entry, Setup, Shop};
use serde_json::json;

use crate::cloud::World;

mod cancels;
mod faults;
mod kills;
mod migrations;
mod others;
mod pace;
mod rollbacks;
mod shown;
mod tasks;
mod unchanged;
mod ways_back;

pub(crate) const DEPLOY: [&str; 5] = ["deploy", "--cluster", "prod", "--service", "web"];
const ROLLBACK: [&str; 5] = ["rollback", "--cluster", "prod", "--service", "web"];

fn deploy<'a>(more: &[&'a str]) -> Vec<&'a str> {
    DEPLOY.into_iter().chain(more.iter().copied()).collect()
}

fn rollback<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ROLLBACK.into_iter().chain(more.iter().copied()).collect()
}

/// Three tasks of `shop:1.0.0`.
fn shop(world: &World) -> Shop {
    three().build(&world.cloud)
}

fn three() -> Setup {
    Setup::new("prod", "web").image("shop:1.0.0").desired(3)
}

/// The calls of one operation.
fn of<'a>(calls: &'a [Entry], operation: &str) -> Vec<&'a Entry> {
    calls.iter().filter(|call| call.operation == operation).collect()
}

#[tokio::test(start_paused = true)]
async fn a_version_that_works_serves() {
    let world = World::new();
    let shop = shop(&world);
    let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    let outcome = ended.good();
    assert!(
        outcome.headline.contains("runs `web:2` with 3 tasks"),
        "{}",
        outcome.headline
    );
    assert_eq!(ended.fact("status"), "deployed");
    assert_eq!(ended.fact("previous-task-definition"), "web:1");
    assert_eq!(
        outcome.undo.as_deref(),
        Some("ecs-deploy rollback --cluster prod --service web --to web:1")
    );
    assert_eq!(ended.writes(), ["RegisterTaskDefinition", "UpdateService"]);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
    assert!(ended.took < Duration::from_secs(400), "{:?}", ended.took);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_that_was_not_asked_for() {
    let world = World::new();
    shop(&world);
    let ended = world.run(&deploy(&["--image", "shop:1.1.0-crash"])).await;
    ended.failed(Exit::Failed);
    let updates = of(&ended.calls, "UpdateService");
    assert_eq!(updates.len(), 2, "{:?}", ended.writes());
    for update in updates {
        let input = update.input.as_object().unwrap();
        let keys: Vec<&String> = input.keys().collect();
        assert_eq!(keys, ["cluster", "service", "taskDefinition"]);
    }
    let asked = world
        .run(&deploy(&[
            "--image",
            "shop:1.2.0",
            "--desired-count",
            "2",
            "--propagate-tags",
            "SERVICE",
            "--capacity-provider",
            "FARGATE=1",
            "--enable-ecs-managed-tags",
        ]))
        .await;
    asked.good();
    let update = &of(&asked.calls, "UpdateService")[0].input;
    assert_eq!(
        *update,
        json!({
            "cluster": "prod", "service": "web", "taskDefinition": update["taskDefinition"], "desiredCount": 2,
            "propagateTags": "SERVICE", "enableECSManagedTags": true,
            "capacityProviderStrategy": [{ "capacityProvider": "FARGATE", "weight": 1, "base": 0 }],
        })
    );
}

#[tokio::test(start_paused = true)]
async fn the_service_is_looked_at_every_five_seconds_and_stopped_tasks_every_fifteen() {
    let world = World::new();
    shop(&world);
    let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    ended.good();
    let follows = of(&ended.calls, "UpdateService")[0].at;
    let looks = |operation| {
        let mut times: Vec<Duration> = of(&ended.calls, operation).iter().map(|call| call.at).collect();
        times.retain(|at| *at > follows);
        times
    };
    let services = looks("DescribeServices");
    let pauses = services.windows(2).map(|pair| pair[1] - pair[0]);
    let least = pauses.min().unwrap();
    assert!(least >= Duration::from_millis(4900), "{least:?} in {services:?}");
    // Stopped tasks too when counts change, which is a few times in a rollout.
    let (looks, lists) = (services.len(), looks("ListTasks").len());
    assert!(lists <= looks, "{lists} of {looks}");
    let minutes = (ended.at - follows).as_secs_f64() / 60.0;
    let of_rollout = ended.calls.iter().filter(|call| call.at > follows).count();
    assert!(
        (of_rollout as f64) / minutes < 40.0,
        "{of_rollout} calls in {minutes} minutes"
    );
}
