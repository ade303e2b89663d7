//! The commands `run-task`, `status` and `plan`.

use std::time::Duration;

use gha::{Exit, Status};
use sandbox::stand_ins::aws::{Fault, Turn};

use super::{deploy, of, shop, three};
use crate::cloud::World;

fn run_task<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let begin = ["run-task", "--cluster", "prod", "--service", "web"];
    begin.into_iter().chain(more.iter().copied()).collect()
}

const STATUS: [&str; 5] = ["status", "--cluster", "prod", "--service", "web"];

#[tokio::test(start_paused = true)]
async fn a_task_ends_as_its_containers_do() {
    let world = World::new();
    shop(&world);
    let ended = world.run(&run_task(&["--run", "bin/clean"])).await;
    let outcome = ended.good();
    // It is no verdict on the service.
    assert_eq!(outcome.target.as_deref(), Some("prod/web (task)"));
    assert_eq!(ended.fact("status"), "");
    assert_eq!(ended.writes(), ["RunTask"]);
    let ended = world.run(&run_task(&["--image", "shop:1.1.0-job-fails"])).await;
    ended.failed(Exit::Failed);
    assert!(ended.says().contains("exit code 1"), "{}", ended.says());
    assert!(ended.log.contains("migration 7 failed"), "{}", ended.log);
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_is_stopped_and_a_cancel_says_which_task_goes_on() {
    let world = World::new();
    shop(&world);
    let line = run_task(&["--image", "shop:1.1.0-job-hangs", "--timeout", "1m"]);
    let ended = world.run(&line).await;
    ended.failed(Exit::Failed);
    assert!(ended.writes().contains(&"StopTask"), "{:?}", ended.writes());
    world.cancel_after(Duration::from_secs(20));
    let ended = world.run(&line).await;
    let failure = ended.failed(Exit::Terminated);
    assert!(ended.says().contains("goes on"), "{}", ended.says());
    assert_eq!(failure.outcome.status, Status::Cancelled);
    assert!(!ended.writes().contains(&"StopTask"), "{:?}", ended.writes());
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_no_task_is_started() {
    let world = World::new();
    shop(&world);
    world.cloud.fault("RunTask", Turn::Every, Fault::Denied);
    let ended = world.run(&run_task(&[])).await;
    ended.failed(Exit::Access);
    assert!(
        ended.says().contains("access denied for `ecs:RunTask`"),
        "{}",
        ended.says()
    );
}

#[tokio::test(start_paused = true)]
async fn the_status_says_what_serves_first() {
    let world = World::new();
    three().balanced().build(&world.cloud);
    let ended = world.run(&STATUS).await;
    assert_eq!(
        ended.good().headline,
        "service `web` is active: 3 tasks of `web:1` run, 3 wanted; `web:1` is complete"
    );
    let line = deploy(&["--image", "shop:1.1.0-crash"]);
    world.kill_at("ListTasks", 3, true);
    assert!(world.run(&line).await.is_killed());
    let ended = world.run(&STATUS).await;
    let headline = &ended.good().headline;
    assert!(
        headline.contains("3 tasks of `web:1` run, 3 wanted; `web:2` is in progress, 0 of 3"),
        "{headline}"
    );
    assert!(ended.log.contains("exit code 1"), "{}", ended.log);
    assert!(!ended.log.contains("123456789012"), "{}", ended.log);
    assert!(ended.writes().is_empty());
    assert_eq!(ended.good().facts["deployments"][0]["task-definition"], "web:2");
}

#[tokio::test(start_paused = true)]
async fn a_plan_tells_the_calls_and_makes_none() {
    let world = World::new();
    shop(&world);
    let line = [
        "plan",
        "--cluster",
        "prod",
        "--service",
        "web",
        "--image",
        "shop:1.1.0",
    ];
    let ended = world.run(&line).await;
    ended.good();
    for words in [
        "shop:1.0.0 → shop:1.1.0",
        "ecs:RegisterTaskDefinition",
        "ecs:UpdateService with taskDefinition",
        "goes back to `web:1`",
    ] {
        assert!(ended.log.contains(words), "{words}: {}", ended.log);
    }
    assert!(ended.writes().is_empty() && of(&ended.calls, "UpdateService").is_empty());
}
