//! The command `rollback`.

use std::time::Duration;

use gha::Exit;

use super::{deploy, rollback, shop, three};
use crate::cloud::World;

/// `web:1` to `web:3` served, the latest does.
async fn three_versions(world: &World) -> sandbox::stand_ins::aws::Shop {
    let shop = three().balanced().build(&world.cloud);
    for image in ["shop:1.1.0", "shop:1.2.0"] {
        world.run(&deploy(&["--image", image])).await.good();
    }
    shop
}

#[tokio::test(start_paused = true)]
async fn it_goes_to_the_revision_that_served_before() {
    let world = World::new();
    let shop = three_versions(&world).await;
    let ended = world.run(&rollback(&[])).await;
    assert!(
        ended.good().headline.contains("runs `web:2` again"),
        "{}",
        ended.says()
    );
    assert_eq!(ended.writes(), ["UpdateService"]);
    assert_eq!(ended.fact("status"), "rolled-back");
    assert_eq!(ended.fact("previous-task-definition"), "web:3");
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn it_goes_to_a_version_a_revision_or_a_number() {
    for to in ["1.0.0", "web:1", "1"] {
        let world = World::new();
        let shop = three_versions(&world).await;
        let ended = world.run(&rollback(&["--to", to])).await;
        assert!(
            ended.good().headline.contains("runs `web:1` again"),
            "{}",
            ended.says()
        );
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
        // And again: it is there.
        let again = world.run(&rollback(&["--to", to])).await;
        assert!(
            again.good().headline.contains("nothing to do"),
            "{}",
            again.says()
        );
        assert!(again.writes().is_empty(), "{:?}", again.writes());
    }
}

#[tokio::test(start_paused = true)]
async fn it_goes_to_the_revision_with_that_tag_version() {
    let world = World::new();
    let shop = shop(&world);
    let folder = tempfile::tempdir().unwrap();
    for (version, image) in [("v7", "shop:main-7"), ("v8", "shop:main-8")] {
        let file = folder.path().join(version);
        let definition = serde_json::json!({
            "family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "requiresCompatibilities": ["FARGATE"], "containerDefinitions": [{ "name": "app", "image": image }],
            "tags": [{ "key": "version", "value": version }],
        });
        std::fs::write(&file, definition.to_string()).unwrap();
        let file = file.display().to_string();
        world.run(&deploy(&["--task-definition", &file])).await.good();
    }
    let ended = world.run(&rollback(&["--to", "v7"])).await;
    assert!(
        ended.good().headline.contains("runs `web:2` again"),
        "{}",
        ended.says()
    );
    assert_eq!(world.cloud.serving(&shop), ["shop:main-7"]);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_never_served_is_refused_with_what_did() {
    let world = World::new();
    three_versions(&world).await;
    let ended = world.run(&rollback(&["--to", "9.9.9"])).await;
    ended.failed(Exit::Usage);
    assert!(
        ended.says().contains("`web:3`, `web:2`, `web:1`"),
        "{}",
        ended.says()
    );
    assert!(ended.writes().is_empty(), "{:?}", ended.writes());
}

#[tokio::test(start_paused = true)]
async fn it_takes_back_what_is_under_way() {
    let world = World::new();
    let shop = three_versions(&world).await;
    world.kill_at("DescribeServices", 6, true);
    assert!(
        world
            .run(&deploy(&["--image", "shop:2.0.0-crash"]))
            .await
            .is_killed()
    );
    let ended = world.run(&rollback(&[])).await;
    assert!(
        ended.good().headline.contains("runs `web:3` again"),
        "{}",
        ended.says()
    );
    assert_eq!(world.cloud.serving(&shop), ["shop:1.2.0"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_was_killed_is_taken_up_and_not_turned_round() {
    let world = World::new();
    let shop = three_versions(&world).await;
    world.kill_at("UpdateService", 1, true);
    assert!(world.run(&rollback(&[])).await.is_killed());
    let ended = world.run(&rollback(&[])).await;
    assert!(
        ended.good().headline.contains("runs `web:2` again"),
        "{}",
        ended.says()
    );
    assert!(ended.writes().is_empty(), "{:?}", ended.writes());
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_fails_now_is_told_with_what_runs() {
    let world = World::new();
    let shop = three_versions(&world).await;
    let crash = sandbox::stand_ins::aws::Behaviour::crash(1, Duration::from_secs(2));
    world.cloud.world(|world| world.ecs.image("shop:1.1.0", crash));
    let ended = world.run(&rollback(&[])).await;
    ended.failed(Exit::NeedsHuman);
    assert!(
        ended.says().contains("3 tasks of `web:3` run"),
        "{}",
        ended.says()
    );
    assert_eq!(ended.fact("status"), "failed");
    assert_eq!(world.cloud.serving(&shop), ["shop:1.2.0"]);
}

#[tokio::test(start_paused = true)]
async fn with_nothing_before_there_is_nothing_to_go_back_to() {
    let world = World::new();
    shop(&world);
    let ended = world.run(&rollback(&[])).await;
    ended.failed(Exit::Usage);
    assert!(ended.writes().is_empty(), "{:?}", ended.writes());
}
