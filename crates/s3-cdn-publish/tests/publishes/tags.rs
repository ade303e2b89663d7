//! Invalidation by cache tags, through an edge that keeps what it was sent with them.

use gha::Exit;
use sandbox::stand_ins::aws::Distribution;

use crate::cloud::{BUCKET, World};
use crate::site::{Folder, converged, edge_serves, warm};

const TAGGED: [&str; 2] = ["--cache-tag", "html"];

/// A bucket behind a distribution that reads tags from the metadata `cache-tag`.
fn tagged() -> World {
    let mut world = World::new();
    world.distribution = world.hosting.stock(|stock| {
        let distribution = Distribution::of(BUCKET).path("/www").root("index.html");
        stock.cloudfront.add(distribution.tags("x-amz-meta-cache-tag"))
    });
    world
}

#[tokio::test(start_paused = true)]
async fn one_tag_takes_all_pages_of_the_edge() {
    let world = tagged();
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(one.path(), &TAGGED).await.good();
    warm(&world, &one);
    let ended = world.publish(two.path(), &TAGGED).await;
    ended.good();
    let told: Vec<String> = ended
        .of_site("CreateInvalidation")
        .iter()
        .map(|call| call.line())
        .collect();
    assert_eq!(told, ["CreateInvalidation #html"]);
    converged(&world, &two, "by tag");
    edge_serves(&world, &two, "by tag");
    world.run(&["rollback"]).await.good();
    edge_serves(&world, &one, "back by tag");
}

#[tokio::test(start_paused = true)]
async fn what_the_edge_has_from_before_there_were_tags_goes_too() {
    let world = tagged();
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(one.path(), &[]).await.good();
    warm(&world, &one);
    world.publish(two.path(), &TAGGED).await.good();
    converged(&world, &two, "the first tag");
    edge_serves(&world, &two, "the first tag");
}

#[tokio::test(start_paused = true)]
async fn a_distribution_without_tags_is_refused_before_anything_is_sent() {
    let world = World::new();
    let ended = world.publish(Folder::version(1).path(), &TAGGED).await;
    ended.failed(Exit::Usage);
    assert!(ended.says().contains("has no cache tags"), "{}", ended.says());
    assert!(ended.of_site("PutObject").is_empty());
}
