//! What the edge keeps, and lets go by cache tags and by paths.

use gha::Exit;
use sandbox::stand_ins::aws::Distribution;

use crate::cloud::{BUCKET, World};
use crate::site::{Folder, converged, edge_serves, warm};

const TAGGED: [&str; 2] = ["--cache-tag", "html"];

/// Pages and data that the edge may keep.
const KEPT: [&str; 2] = ["--rule", "**/*.{html,json} = public, max-age=600"];

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
    let flags = [&TAGGED[..], &KEPT].concat();
    world.publish(one.path(), &flags).await.good();
    warm(&world, &one);
    let ended = world.publish(two.path(), &flags).await;
    ended.good();
    let told: Vec<String> = ended
        .of_site("CreateInvalidation")
        .iter()
        .map(|call| call.line())
        .collect();
    assert_eq!(told, ["CreateInvalidation #html"]);
    converged(&world, &two, "by tag");
    edge_serves(&world, &two, "by tag");
    warm(&world, &two);
    world.run(&["rollback"]).await.good();
    edge_serves(&world, &one, "back by tag");
}

#[tokio::test(start_paused = true)]
async fn what_the_edge_keeps_it_lets_go_by_paths_too_and_keeps_where_nobody_tells_it() {
    for told in [true, false] {
        let mut world = World::new();
        let (one, two) = (Folder::version(1), Folder::version(2));
        world.publish(one.path(), &KEPT).await.good();
        warm(&world, &one);
        world.has_cdn = told;
        world.publish(two.path(), &KEPT).await.good();
        if told {
            edge_serves(&world, &two, "by paths");
        } else {
            let visit = world.hosting.visit(&world.distribution, "/index.html");
            assert_eq!(
                visit.body, one.files["index.html"],
                "the edge keeps pages in this test"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_distribution_without_tags_is_refused_before_anything_is_sent() {
    let world = World::new();
    let ended = world.publish(Folder::version(1).path(), &TAGGED).await;
    ended.failed(Exit::Usage);
    assert!(ended.says().contains("has no cache tags"), "{}", ended.says());
    assert!(ended.of_site("PutObject").is_empty());
}
