//! A run that is killed right before or after each of its writes: a second run, or a rollback, brings it to an end.

use std::time::Duration;

use super::{deploy, rollback, shop};
use crate::cloud::World;

const WRITES: [(&str, usize); 3] = [
    ("RegisterTaskDefinition", 1),
    ("RunTask", 1),
    ("UpdateService", 1),
];

#[tokio::test(start_paused = true)]
async fn a_second_run_of_a_good_version_deploys_it() {
    for (operation, nth) in WRITES {
        for after in [false, true] {
            let world = World::new();
            let shop = shop(&world);
            let line = deploy(&["--image", "shop:1.1.0", "--migrate", "bin/migrate"]);
            world.kill_at(operation, nth, after);
            assert!(world.run(&line).await.is_killed(), "{operation}");
            let begun = operation == "UpdateService" && after;
            assert!(begun || world.cloud.serving(&shop) == ["shop:1.0.0"]);
            let ended = world.run(&line).await;
            ended.good();
            assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"], "{operation} {after}");
            // No revision was registered twice.
            assert!(
                ended.fact("task-definition") == "web:2",
                "{}",
                ended.fact("task-definition")
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_run_of_a_bad_version_goes_back() {
    for after in [false, true] {
        for nth in [1, 2] {
            let world = World::new();
            let shop = shop(&world);
            let line = deploy(&["--image", "shop:1.1.0-crash"]);
            world.kill_at("UpdateService", nth, after);
            assert!(world.run(&line).await.is_killed());
            let ended = world.run(&line).await;
            // What takes the version back already is not deployed over.
            let expected = if (nth, after) == (2, true) { 6 } else { 3 };
            assert_eq!(ended.exit(), expected, "{nth} {after}: {}", ended.says());
            let back = world.run(&rollback(&["--to", "web:1"])).await;
            back.good();
            world.cloud.skip(Duration::from_secs(60));
            assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_rollback_ends_what_the_first_began() {
    for after in [false, true] {
        let world = World::new();
        let shop = shop(&world);
        world.run(&deploy(&["--image", "shop:1.1.0"])).await.good();
        world.kill_at("UpdateService", 1, after);
        assert!(world.run(&rollback(&[])).await.is_killed());
        world.run(&rollback(&[])).await.good();
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    }
}
