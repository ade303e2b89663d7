//! What becomes of files that left the site, and of objects of others.

use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::{Fault, Object, Turn};
use tokio::time::sleep;

use crate::cloud::World;
use crate::site::{Folder, consistent, converged, foreigners, intact, strays};

fn has(world: &World, key: &str) -> bool {
    world.objects().contains_key(&format!("www/{key}"))
}

#[tokio::test(start_paused = true)]
async fn files_stay_for_as_long_as_a_release_that_has_them_or_their_grace() {
    let world = World::new();
    let theirs = foreigners(&world);
    let versions: Vec<Folder> = (1..=6).map(Folder::version).collect();
    let more = ["--delete", "--keep-releases", "2"];
    for (at, version) in versions[..4].iter().enumerate() {
        world.publish(version.path(), &more).await.good();
        for earlier in 1..=at + 1 {
            let stays = earlier + 2 > at;
            assert_eq!(
                has(&world, &format!("own-{earlier}.html")),
                stays,
                "{earlier} at {at}"
            );
        }
    }
    let grace = ["--delete", "--keep-releases", "0", "--grace", "1h"];
    world.publish(versions[4].path(), &grace).await.good();
    assert!(has(&world, "own-4.html"));
    sleep(Duration::from_secs(2 * 3600)).await;
    world
        .publish(
            versions[5].path(),
            &[&grace[..], &["--max-delete", "100%"]].concat(),
        )
        .await
        .good();
    assert!(!has(&world, "own-4.html"));
    assert!(has(&world, "own-5.html"));
    world
        .run(&["prune", "--keep-releases", "0", "--max-delete", "100%"])
        .await
        .good();
    assert!(strays(&world, &[&versions[5]], &theirs).is_empty());
    assert_eq!(world.state(), ["manifest"]);
    intact(&world, &theirs, "all gone");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_unasked_or_beyond_what_is_allowed() {
    let world = World::new();
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(one.path(), &[]).await.good();
    let before = world.objects();
    let guarded = ["--delete", "--keep-releases", "0", "--max-delete", "2"];
    let ended = world.publish(two.path(), &guarded).await;
    ended.failed(Exit::Failed);
    assert_eq!(world.objects(), before);
    world.publish(two.path(), &["--keep-releases", "0"]).await.good();
    assert!(has(&world, "own-1.html"));
    converged(&world, &two, "kept");
}

#[tokio::test(start_paused = true)]
async fn what_the_store_does_not_delete_is_named_and_no_page_is_left_without_its_assets() {
    for denied in ["DeleteObject www/own-1.html", "DeleteObjects www/assets/own-*"] {
        let world = World::new();
        let (one, two) = (Folder::version(1), Folder::version(2));
        world.publish(one.path(), &[]).await.good();
        world.hosting.fault(denied, Turn::Every, Fault::Denied);
        let more = ["--delete", "--keep-releases", "0", "--max-delete", "100%"];
        let ended = world.publish(two.path(), &more).await;
        let failure = ended.failed(Exit::NeedsHuman);
        assert!(
            failure.error.to_string().contains("AccessDenied"),
            "{}",
            ended.says()
        );
        consistent(&world, denied);
        world.hosting.heal();
        world.publish(two.path(), &more).await.good();
        assert!(!has(&world, "own-1.html"));
        converged(&world, &two, denied);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_changed_by_hand_is_put_right_if_it_is_of_the_site_and_left_alone_if_not() {
    let world = World::new();
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(one.path(), &[]).await.good();
    world.put("www/about.html", Object::new("by hand"));
    world
        .hosting
        .stock(|stock| stock.s3.remove("site", "www/data.json"));
    world.publish(one.path(), &[]).await.good();
    converged(&world, &one, "put right");
    world.put("www/own-1.html", Object::new("mine now"));
    let more = ["--delete", "--keep-releases", "0", "--max-delete", "100%"];
    let ended = world.publish(two.path(), &more).await;
    ended.good();
    assert!(ended.log.contains("own-1.html"), "{}", ended.log);
    assert_eq!(world.text("own-1.html"), "mine now");
    converged(&world, &two, "theirs stays");
}
