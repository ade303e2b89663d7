//! What the CDN is told, and what becomes of it when that fails.

use gha::Exit;
use sandbox::stand_ins::aws::{Fault, Turn};

use crate::cloud::World;
use crate::site::{Folder, converged, edge_serves, warm};

/// The first version is out and in the edge's cache, and the second is published while the CDN can't be told.
async fn untold() -> (World, Folder) {
    let world = World::new();
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(one.path(), &[]).await.good();
    warm(&world, &one);
    world
        .hosting
        .fault("CreateInvalidation", Turn::Every, Fault::Denied);
    let ended = world.publish(two.path(), &[]).await;
    let failure = ended.failed(Exit::NeedsHuman);
    assert!(
        failure.error.to_string().contains("serves all the same"),
        "{}",
        ended.says()
    );
    world.hosting.heal();
    (world, two)
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_that_failed_is_completed_by_the_next_run() {
    let (world, two) = untold().await;
    let ended = world.publish(two.path(), &[]).await;
    ended.good();
    assert!(ended.of_site("PutObject").is_empty(), "{:#?}", ended.lines());
    assert_eq!(ended.of_site("CreateInvalidation").len(), 1);
    converged(&world, &two, "the next run");
    edge_serves(&world, &two, "the next run");
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_that_failed_is_completed_by_recover() {
    let (world, two) = untold().await;
    world.other("8").run(&["recover"]).await.good();
    converged(&world, &two, "recover");
    edge_serves(&world, &two, "recover");
}

#[tokio::test(start_paused = true)]
async fn too_many_invalidations_in_progress_are_waited_for() {
    let world = World::new();
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(one.path(), &[]).await.good();
    warm(&world, &one);
    let id = world.distribution.clone();
    world.hosting.stock(|stock| stock.cloudfront.fill(&id, 3000, 0));
    let ended = world.publish(two.path(), &[]).await;
    ended.good();
    assert!(
        ended.of_site("CreateInvalidation").len() > 1,
        "{:#?}",
        ended.lines()
    );
    converged(&world, &two, "crowded");
    edge_serves(&world, &two, "crowded");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_where_nobody_wants_to_and_a_wait_that_is_too_long_is_no_success() {
    let world = World::new();
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(one.path(), &[]).await.good();
    let ended = world.publish(two.path(), &["--wait", "false"]).await;
    ended.good();
    assert!(ended.of_site("GetInvalidation").is_empty());
    converged(&world, &two, "not waited");
    let ended = world.publish(one.path(), &["--wait-timeout", "10s"]).await;
    ended.failed(Exit::Inconclusive);
    world.publish(one.path(), &[]).await.good();
    converged(&world, &one, "waited for too short");
}
