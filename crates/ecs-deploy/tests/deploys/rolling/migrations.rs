//! The migration before the service changes: what does not succeed leaves the service as it is.

use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::{Behaviour, Fault, Turn};

use super::{deploy, of, shop, three};
use crate::cloud::{Ended, World};

async fn migrating(world: &World, image: &str, more: &[&str]) -> Ended {
    let mut words = vec!["--image", image, "--migrate", "app=bin/migrate --all"];
    words.extend_from_slice(more);
    world.run(&deploy(&words)).await
}

#[tokio::test(start_paused = true)]
async fn one_that_succeeds_is_followed_by_the_deploy() {
    let world = World::new();
    let shop = shop(&world);
    let ended = migrating(&world, "shop:1.1.0", &[]).await;
    ended.good();
    assert_eq!(
        ended.writes(),
        ["RegisterTaskDefinition", "RunTask", "UpdateService"]
    );
    let input = &of(&ended.calls, "RunTask")[0].input;
    let over = &input["overrides"]["containerOverrides"][0];
    assert_eq!(over["command"][1], "--all");
    assert_eq!(
        input["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"][0],
        "sg-1"
    );
    assert_eq!(input["launchType"], "FARGATE");
    assert!(input["clientToken"].as_str().unwrap().len() <= 64);
    assert!(ended.log.contains("app: starting"), "{}", ended.log);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

/// It fails with these words, and the service stays.
async fn fails(image: &str, exit: Exit, words: &str) {
    let world = World::new();
    let shop = shop(&world);
    let ended = migrating(&world, image, &["--migrate-timeout", "2m"]).await;
    ended.failed(exit);
    let says = ended.says();
    assert!(says.contains(words), "{says}");
    assert!(says.contains("was not changed"), "{says}");
    assert_eq!(ended.fact("status"), "failed");
    assert!(of(&ended.calls, "UpdateService").is_empty());
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_leaves_the_service() {
    fails("shop:1.1.0-job-fails", Exit::Failed, "exit code 1").await;
}

#[tokio::test(start_paused = true)]
async fn one_that_never_starts_has_its_reason() {
    fails("shop:1.1.0-unpullable", Exit::Failed, "image not found").await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_placed_has_ecs_own_words() {
    fails("shop:1.1.0-unplaced", Exit::Failed, "RESOURCE:MEMORY").await;
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_is_stopped() {
    fails("shop:1.1.0-job-hangs", Exit::Failed, "did not end within 2m").await;
}

#[tokio::test(start_paused = true)]
async fn the_last_lines_of_a_failure_are_in_the_log() {
    let world = World::new();
    shop(&world);
    let ended = migrating(&world, "shop:1.1.0-job-fails", &[]).await;
    assert!(ended.log.contains("migration 7 failed"), "{}", ended.log);
}

#[tokio::test(start_paused = true)]
async fn a_sidecar_that_fails_is_a_warning() {
    let world = World::new();
    let shop = three().sidecar("proxy:1-crash").build(&world.cloud);
    let good = Behaviour::good().job(0, Duration::from_secs(10));
    world.cloud.world(|world| world.ecs.image("shop:1.1.0", good));
    let proxy = Behaviour::good().job(3, Duration::from_secs(4));
    world.cloud.world(|world| world.ecs.image("proxy:1-crash", proxy));
    let line = deploy(&["--image", "app=shop:1.1.0", "--migrate", "app=bin/migrate"]);
    let ended = world.run(&line).await;
    ended.good();
    assert!(
        ended.log.contains("container `sidecar` ended with exit code 3"),
        "{}",
        ended.log
    );
    assert_eq!(world.cloud.serving(&shop).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_runs_it_once() {
    let world = World::new();
    shop(&world);
    world.cloud.fault("RunTask", Turn::First(2), Fault::Lost);
    let ended = migrating(&world, "shop:1.1.0", &[]).await;
    ended.good();
    let asked = of(&ended.calls, "RunTask");
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|call| call.input == asked[0].input));
    assert_eq!(ended.log.matches("migration runs as task").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_answer_at_all_is_not_known_and_not_a_failure_of_the_migration() {
    let world = World::new();
    let shop = shop(&world);
    world.cloud.fault("RunTask", Turn::Every, Fault::Lost);
    let ended = migrating(&world, "shop:1.1.0", &[]).await;
    ended.failed(Exit::Inconclusive);
    assert!(
        ended.says().contains("whether its task was started is not known"),
        "{}",
        ended.says()
    );
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}
