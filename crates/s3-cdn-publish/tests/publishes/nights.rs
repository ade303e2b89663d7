//! What an engineer finds at night: runs that failed over what other runs left, and what must be true of what is said then.

use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::{Fault, Object, Turn};

use crate::cloud::{PREFIX, World};
use crate::site::{Folder, consistent, converged, edge_serves, foreigners, intact, serves, stale, warm};
use crate::way::What;

fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// The number of the first call of a run that writes this key, if it runs to its end on a copy of the world.
async fn nth_write(world: &World, folder: &Folder, more: &[&str], name: &str) -> usize {
    let copy = World::of(&world.stock());
    let ended = copy.publish(folder.path(), more).await;
    let at = ended
        .calls
        .iter()
        .position(|call| call.writes() && call.key == key(name));
    at.unwrap_or_else(|| panic!("{:#?}", ended.lines())) + 1
}

/// A run is killed after it has written this key.
async fn killed_after(world: &World, folder: &Folder, name: &str) {
    let at = nth_write(world, folder, &[], name).await;
    world.next(at, What::Kill { after: true });
    assert!(world.publish(folder.path(), &[]).await.is_killed());
}

#[tokio::test(start_paused = true)]
async fn a_first_publish_that_fails_brings_back_what_another_tool_had_put_there() {
    let world = World::new();
    let old = Folder::version(1);
    for (name, content) in &old.files {
        let object = Object::new(content.clone()).header("cache-control", "max-age=5");
        world.put(
            &key(name),
            object.header("content-type", "x/old").metadata("m", "1"),
        );
    }
    let before = world.objects();
    warm(&world, &old);
    world
        .hosting
        .fault("PutObject www/index.html", Turn::Every, Fault::Denied);
    let ended = world.publish(Folder::version(2).path(), &[]).await;
    let failure = ended.failed(Exit::Failed);
    assert!(
        failure
            .error
            .to_string()
            .contains("what was there before serves again"),
        "{}",
        ended.says()
    );
    let now = world.objects();
    for (name, object) in &before {
        let there = &now[name];
        assert_eq!(
            (there.bytes(), &there.headers),
            (object.bytes(), &object.headers),
            "{name}"
        );
    }
    edge_serves(&world, &old, "back");
    world.hosting.heal();
    world.publish(Folder::version(2).path(), &[]).await.good();
    converged(&world, &Folder::version(2), "after all");
    edge_serves(&world, &Folder::version(2), "after all");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_over_a_half_done_one_does_not_say_that_the_earlier_release_serves() {
    for refused in ["PutObject www/assets/*", "PutObject www/index.html"] {
        let world = World::new();
        let (one, two, three) = (Folder::version(1), Folder::version(2), Folder::version(3));
        world.publish(one.path(), &[]).await.good();
        killed_after(&world, &two, "about.html").await;
        world.lock_ends().await;
        world.hosting.fault(refused, Turn::Every, Fault::Denied);
        let ended = world.other("8").publish(three.path(), &[]).await;
        ended.failed(Exit::NeedsHuman);
        assert!(
            ended.says().contains("but for files of a run before"),
            "{}",
            ended.says()
        );
        assert!(stale(&world, &one).is_some());
        consistent(&world, refused);
        world.hosting.heal();
        let recovered = world.other("9").run(&["recover"]).await;
        recovered.good();
        converged(&world, &one, refused);
        edge_serves(&world, &one, refused);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_half_done_run_overwrote_stays_ours_when_it_leaves_the_site() {
    let world = World::new();
    let one = Folder::version(1);
    world.publish(one.path(), &[]).await.good();
    killed_after(&world, &Folder::version(2), "about.html").await;
    world.lock_ends().await;
    let three = Folder::version(3);
    std::fs::remove_file(three.path().join("about.html")).unwrap();
    let more = ["--delete", "--keep-releases", "0", "--max-delete", "100%"];
    let ended = world.other("8").publish(three.path(), &more).await;
    ended.good();
    assert!(!ended.log.contains("somebody else"), "{}", ended.log);
    assert!(!world.objects().contains_key(&key("about.html")));
}

#[tokio::test(start_paused = true)]
async fn what_somebody_puts_where_a_killed_run_was_about_to_write_is_theirs() {
    let world = World::new();
    let theirs = foreigners(&world);
    world.publish(Folder::version(1).path(), &[]).await.good();
    let two = Folder::version(2).with("news.html", "ours");
    let at = nth_write(&world, &two, &[], "news.html").await;
    world.next(at, What::Kill { after: false });
    assert!(world.publish(two.path(), &[]).await.is_killed());
    world.put(&key("news.html"), Object::new("of another team"));
    world.lock_ends().await;
    let more = ["--delete", "--keep-releases", "0", "--max-delete", "100%"];
    for version in [3, 4] {
        world
            .other("8")
            .publish(Folder::version(version).path(), &more)
            .await
            .good();
    }
    assert_eq!(world.text("news.html"), "of another team");
    intact(&world, &theirs, "news");
}

#[tokio::test(start_paused = true)]
async fn without_a_cdn_what_could_not_be_brought_back_is_there_for_recover() {
    let mut world = World::new();
    world.has_cdn = false;
    let one = Folder::version(1);
    world.publish(one.path(), &[]).await.good();
    // Nothing is added: only contents change.
    let mut two = Folder::new();
    for (name, content) in &one.files {
        let is_page = name.ends_with(".html");
        two.write(
            name,
            if is_page {
                [content.as_slice(), b"!"].concat()
            } else {
                content.clone()
            },
        );
    }
    world
        .hosting
        .fault("PutObject www/index.html", Turn::Every, Fault::Denied);
    world
        .hosting
        .fault("CopyObject www/about.html", Turn::Every, Fault::Denied);
    let ended = world.publish(two.path(), &[]).await;
    ended.failed(Exit::NeedsHuman);
    assert!(ended.says().contains("recover"), "{}", ended.says());
    assert!(stale(&world, &one).is_some());
    world.hosting.heal();
    // Nobody waits for a lock of a run that has ended.
    let recovered = world.other("8").run(&["recover"]).await;
    assert!(
        recovered.good().headline.contains("serves whole"),
        "{}",
        recovered.says()
    );
    converged(&world, &one, "recovered");
}

#[tokio::test(start_paused = true)]
async fn prune_takes_nothing_while_pages_of_a_half_done_run_are_there() {
    let world = World::new();
    for version in [1, 2] {
        world.publish(Folder::version(version).path(), &[]).await.good();
    }
    killed_after(&world, &Folder::version(3), "about.html").await;
    world.lock_ends().await;
    let before = world.objects();
    let prune = ["prune", "--keep-releases", "0", "--max-delete", "100%"];
    let ended = world.other("8").run(&prune).await;
    ended.failed(Exit::NeedsHuman);
    assert!(ended.says().contains("recover"), "{}", ended.says());
    assert!(world.objects() == before);
    consistent(&world, "prune");
    world.other("9").run(&["recover"]).await.good();
    serves(&world, &Folder::version(2), "recovered");
    world.other("10").run(&prune).await.good();
    consistent(&world, "pruned");
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_to_the_cdn_is_not_forgotten_by_runs_that_do_not_name_it() {
    let mut world = World::new();
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(one.path(), &[]).await.good();
    warm(&world, &one);
    world
        .hosting
        .fault("CreateInvalidation", Turn::Every, Fault::Denied);
    world.publish(two.path(), &[]).await.failed(Exit::NeedsHuman);
    world.hosting.heal();
    world.has_cdn = false;
    let recover = world.other("8").run(&["recover"]).await;
    recover.failed(Exit::Usage);
    assert!(recover.says().contains(&world.distribution), "{}", recover.says());
    let rolled = world.other("9").run(&["rollback"]).await;
    rolled.good();
    assert!(rolled.log.contains("is owed an invalidation"), "{}", rolled.log);
    let three = Folder::version(3);
    let more = ["--delete", "--keep-releases", "0", "--max-delete", "100%"];
    let published = world.other("10").publish(three.path(), &more).await;
    published.good();
    // Cached pages of the first release need its assets.
    assert_eq!(published.fact("deleted"), "0");
    world.has_cdn = true;
    world.other("11").run(&["recover"]).await.good();
    edge_serves(&world, &three, "paid");
    converged(&world, &three, "paid");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_may_not_delete_holds_nobody_up_and_leaves_nothing_that_grows() {
    let world = World::new();
    world.hosting.fault("DeleteObject", Turn::Every, Fault::Denied);
    world.hosting.fault("DeleteObjects", Turn::Every, Fault::Denied);
    for version in [1, 2, 3] {
        world
            .other(&version.to_string())
            .publish(Folder::version(version).path(), &[])
            .await
            .good();
    }
    let again = world.other("4").publish(Folder::version(3).path(), &[]).await;
    assert!(again.good().headline.contains("already"), "{}", again.says());
    let recover = world.other("5").run(&["recover"]).await;
    recover.good();
    serves(&world, &Folder::version(3), "not deleted");
}

#[tokio::test(start_paused = true)]
async fn a_way_back_is_named_only_where_there_is_one() {
    let world = World::new();
    world.publish(Folder::version(1).path(), &[]).await.good();
    let more = ["--keep-releases", "0"];
    let ended = world.publish(Folder::version(2).path(), &more).await;
    assert_eq!(ended.good().undo, None);
    world.run(&["rollback"]).await.failed(Exit::Usage);
    let ended = world.publish(Folder::version(3).path(), &[]).await;
    assert!(ended.good().undo.is_some());
    world.run(&["rollback"]).await.good();
    serves(&world, &Folder::version(2), "back");
}

#[tokio::test(start_paused = true)]
async fn assets_stay_as_long_as_the_cdn_may_have_pages_that_need_them() {
    let world = World::new();
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(one.path(), &[]).await.good();
    let more = [
        "--delete",
        "--keep-releases",
        "0",
        "--max-delete",
        "100%",
        "--wait",
        "false",
    ];
    let ended = world.publish(two.path(), &more).await;
    assert_eq!(ended.fact("deleted"), "0");
    ended.good();
    serves(&world, &two, "two");
    let own = one
        .files
        .keys()
        .find(|name| name.starts_with("assets/own"))
        .unwrap();
    assert!(world.objects().contains_key(&key(own)));
    tokio::time::sleep(Duration::from_secs(600)).await;
    world.publish(two.path(), &more).await.good();
    assert!(!world.objects().contains_key(&key(own)));
}

#[tokio::test(start_paused = true)]
async fn what_another_run_left_between_the_look_and_the_lock_is_seen() {
    let world = World::new();
    world.publish(Folder::version(1).path(), &[]).await.good();
    let intent = key(".deploy-actions/intent");
    let put = intent.clone();
    world
        .hosting
        .before("PutObject www/.deploy-actions/lock", 1, move |stock| {
            stock.s3.put("site", &put, Object::new("of a run that failed"));
        });
    world.hosting.forget();
    let ended = world.publish(Folder::version(2).path(), &[]).await;
    ended.failed(Exit::Locked);
    serves(&world, &Folder::version(1), "nothing was done");
    assert!(world.objects().contains_key(&intent));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_can_not_keep_its_lock_stops_before_another_may_take_it() {
    let world = World::new();
    let one = Folder::version(1);
    world.publish(one.path(), &[]).await.good();
    // The index takes so long that the lock has to be written again, and it can't be.
    world
        .hosting
        .fault("PutObject www/index.html", Turn::Every, Fault::Hang);
    world.hosting.forget();
    world.hosting.after("PutObject www/about.html", 1, |_| {});
    let now = world.hosting.stock(|stock| stock.now());
    let later = Turn::Since(now + Duration::from_secs(20));
    world
        .hosting
        .fault("PutObject www/.deploy-actions/lock", later, Fault::Hang);
    let ended = world.publish(Folder::version(2).path(), &[]).await;
    ended.failed(Exit::NeedsHuman);
    assert!(ended.says().contains("could not be written"), "{}", ended.says());
    let last = ended
        .calls
        .iter()
        .rfind(|call| call.writes() && !call.key.contains(".deploy-actions"));
    assert!(
        last.unwrap().at < now + Duration::from_secs(120),
        "{:#?}",
        ended.lines()
    );
    consistent(&world, "unkept");
    world.hosting.heal();
    world.lock_ends().await;
    world.other("8").run(&["recover"]).await.good();
    converged(&world, &one, "recovered");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_after_rollbacks_goes_where_it_says_and_loses_nothing() {
    let world = World::new();
    let versions = [1, 2, 3, 4].map(Folder::version);
    let more = ["--delete", "--max-delete", "100%"];
    for version in &versions[..3] {
        world.publish(version.path(), &more).await.good();
    }
    let ids: Vec<String> = {
        let listed = world.run(&["releases"]).await;
        let outcome = listed.good();
        let all = outcome.facts["releases"].as_array().unwrap();
        all.iter()
            .map(|release| release["id"].as_str().unwrap().to_owned())
            .collect()
    };
    for (to, version) in [(2, 1), (0, 3), (1, 2), (0, 3), (2, 1)] {
        world.run(&["rollback", "--to", &ids[to]]).await.good();
        serves(&world, &versions[version - 1], &format!("to {version}"));
        consistent(&world, "rollbacks");
        edge_serves(&world, &versions[version - 1], "rollbacks");
    }
    // From the first there is none before it, though there are later ones.
    world.run(&["rollback"]).await.failed(Exit::Usage);
    world.publish(versions[3].path(), &more).await.good();
    world.run(&["rollback"]).await.good();
    serves(&world, &versions[0], "to what was current before");
    world.run(&["rollback", "--to", &ids[1]]).await.good();
    serves(&world, &versions[1], "to one between");
}
