//! Signals at each phase: the run leaves within five seconds, begins the way back where there is something to take back, and
//! says what serves.

use std::time::Duration;

use gha::{Exit, Status};
use sandbox::stand_ins::aws::{Fault, Turn};

use super::{deploy, of, rollback, shop};
use crate::cloud::{Ended, World};

/// Cancels a deploy with a migration at a call; gives how long it took to leave, too.
async fn cancelled(world: &World, image: &str, at: (&str, usize, bool)) -> Ended {
    let (operation, nth, after) = at;
    world.cancel_at(operation, nth, after);
    let mut words = vec!["--image", image];
    if !image.ends_with("crash") {
        words.extend(["--migrate", "bin/migrate"]);
    }
    let line = deploy(&words);
    let ended = world.run(&line).await;
    let failure = ended.failed(Exit::Terminated);
    assert_eq!(failure.outcome.status, Status::Cancelled);
    assert!(ended.says().contains("cancelled by SIGTERM"), "{}", ended.says());
    let at = of(&ended.calls, operation)[nth - 1].at;
    assert!(ended.at - at <= Duration::from_secs(5), "{:?}", ended.at - at);
    ended
}

#[tokio::test(start_paused = true)]
async fn before_anything_was_changed() {
    for at in [
        ("DescribeServices", 1, false),
        ("DescribeTaskDefinition", 1, true),
        ("ListServiceDeployments", 1, true),
        ("RegisterTaskDefinition", 1, false),
        ("RegisterTaskDefinition", 1, true),
    ] {
        let world = World::new();
        let shop = shop(&world);
        let ended = cancelled(&world, "shop:1.1.0", at).await;
        assert!(
            ended.says().contains("service `web` was not changed"),
            "{}",
            ended.says()
        );
        assert!(!ended.writes().contains(&"UpdateService"));
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn during_the_migration() {
    for (at, fault, words) in [
        (("RunTask", 1, true), None, "goes on"),
        (
            ("RunTask", 1, true),
            Some(Fault::Hang),
            "whether its task was started is not known",
        ),
        (("DescribeTasks", 1, true), None, "goes on"),
    ] {
        let world = World::new();
        let shop = shop(&world);
        if let Some(fault) = fault {
            world.cloud.fault("RunTask", Turn::Every, fault);
        }
        let ended = cancelled(&world, "shop:1.1.0", at).await;
        let says = ended.says();
        assert!(says.contains("was not changed") && says.contains(words), "{says}");
        assert_eq!(ended.writes(), ["RegisterTaskDefinition", "RunTask"]);
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn while_the_service_is_changed_or_after_it() {
    for at in [
        ("UpdateService", 1, false),
        ("UpdateService", 1, true),
        ("DescribeServices", 4, true),
        ("ListTasks", 1, true),
    ] {
        let world = World::new();
        let shop = shop(&world);
        let ended = cancelled(&world, "shop:1.1.0", at).await;
        assert!(
            ended.says().contains("`web:1` is on its way back"),
            "{}",
            ended.says()
        );
        assert_eq!(ended.fact("status"), "rolled-back");
        assert_eq!(of(&ended.calls, "UpdateService").len(), 2);
        world.cloud.skip(Duration::from_secs(300));
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn at_the_last_look_before_the_change() {
    let world = World::new();
    let shop = shop(&world);
    let ended = cancelled(&world, "shop:1.1.0", ("DescribeServices", 2, true)).await;
    assert!(ended.says().contains("was not changed"), "{}", ended.says());
    assert!(!ended.writes().contains(&"UpdateService"));
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn while_no_answer_comes() {
    // Done and unanswered, or never done: a look says which, and nothing is written twice.
    for (fault, words) in [
        (Fault::Lost, "is on its way back"),
        (Fault::Hang, "whether it was changed is not known"),
    ] {
        let world = World::new();
        let shop = shop(&world);
        world.cloud.fault("UpdateService", Turn::Nth(1), fault);
        let ended = cancelled(&world, "shop:1.1.0", ("UpdateService", 1, false)).await;
        assert!(ended.says().contains(words), "{}", ended.says());
        world.cloud.skip(Duration::from_secs(300));
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn during_the_way_back() {
    for at in [("UpdateService", 2, false), ("UpdateService", 2, true)] {
        let world = World::new();
        let shop = shop(&world);
        let ended = cancelled(&world, "shop:1.1.0-crash", at).await;
        assert!(
            ended.says().contains("`web:1` is on its way back"),
            "{}",
            ended.says()
        );
        world.cloud.skip(Duration::from_secs(300));
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_left_goes_on() {
    let world = World::new();
    let shop = shop(&world);
    world.cancel_at("ListTasks", 1, true);
    let line = deploy(&["--image", "shop:1.1.0", "--on-cancel", "leave"]);
    let ended = world.run(&line).await;
    ended.failed(Exit::Terminated);
    assert!(ended.says().contains("goes on"), "{}", ended.says());
    assert_eq!(of(&ended.calls, "UpdateService").len(), 1);
    world.cloud.skip(Duration::from_secs(300));
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_rollback() {
    for (at, words, serves) in [
        (("DescribeServices", 1, true), "was not changed", "shop:1.1.0"),
        (
            ("UpdateService", 1, false),
            "is on its way back to `web:1`",
            "shop:1.0.0",
        ),
        (
            ("UpdateService", 1, true),
            "is on its way back to `web:1`",
            "shop:1.0.0",
        ),
        (
            ("ListTasks", 1, true),
            "is on its way back to `web:1`",
            "shop:1.0.0",
        ),
    ] {
        let world = World::new();
        let shop = shop(&world);
        world.run(&deploy(&["--image", "shop:1.1.0"])).await.good();
        world.cancel_at(at.0, at.1, at.2);
        let ended = world.run(&rollback(&[])).await;
        ended.failed(Exit::Terminated);
        assert!(ended.says().contains(words), "{at:?}: {}", ended.says());
        let began = of(&ended.calls, at.0)[at.1 - 1].at;
        assert!(
            ended.at - began <= Duration::from_secs(5),
            "{:?}",
            ended.at - began
        );
        world.cloud.skip(Duration::from_secs(300));
        assert_eq!(world.cloud.serving(&shop), [serves]);
    }
}
