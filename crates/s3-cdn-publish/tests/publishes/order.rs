//! In which order things happen, and what an unchanged or a little changed site costs.

use std::time::Duration;

use gha::{Exit, Status};
use sandbox::stand_ins::aws::{Fault, HostingEntry, Turn};

use crate::cloud::{BUCKET, Ended, PREFIX, World};
use crate::site::{Folder, consistent, converged, edge_serves, foreigners, intact, serves, strays, warm};
use crate::way::What;

fn key_of(call: &HostingEntry) -> &str {
    call.key.strip_prefix(PREFIX).unwrap_or(&call.key)
}

/// Where the calls are that write something of the site that the name of a phase means.
fn phase(ended: &Ended, name: &str) -> Vec<usize> {
    ended.places(|call| {
        let key = key_of(call);
        let is_page = key.ends_with(".html");
        matches!(call.operation, "PutObject" | "CopyObject")
            && !key.starts_with(".deploy-actions/")
            && name
                == match key {
                    "index.html" => "index",
                    _ if is_page => "pages",
                    _ if key.starts_with("assets/") => "assets",
                    _ => "others",
                }
    })
}

/// Where the calls are that write or delete something that the commands keep.
fn state(ended: &Ended, operation: &str, name: &str) -> Vec<usize> {
    let key = format!("{PREFIX}.deploy-actions/{name}");
    ended.places(|call| call.operation == operation && (call.key == key || call.keys.contains(&key)))
}

#[tokio::test(start_paused = true)]
async fn what_is_referred_to_is_there_before_what_refers_and_goes_after_it() {
    let mut world = World::new();
    for seed in 1..6 {
        world.weather.seed = seed * 7919;
        let versions = [1, 2, 3].map(|version| Folder::version(version + 10 * u32::try_from(seed).unwrap()));
        let more = ["--delete", "--keep-releases", "1", "--max-delete", "100%"];
        for version in &versions[..2] {
            world.publish(version.path(), &more).await.good();
        }
        let ended = world.publish(versions[2].path(), &more).await;
        ended.good();
        let deletes = |end: &str| {
            ended.places(|call| {
                let keys = call.keys.iter().chain([&call.key]);
                call.operation.starts_with("DeleteObject") && keys.into_iter().any(|key| key.ends_with(end))
            })
        };
        let invalidation = ended.places(|call| call.operation == "CreateInvalidation");
        let confirmed = ended.places(|call| call.operation == "GetInvalidation");
        let order = [
            state(&ended, "PutObject", "intent"),
            phase(&ended, "assets"),
            phase(&ended, "others"),
            phase(&ended, "pages"),
            phase(&ended, "index"),
            state(&ended, "PutObject", "manifest"),
            invalidation[..1].to_vec(),
            confirmed[..1].to_vec(),
            deletes(".html"),
            deletes(".js"),
            state(&ended, "DeleteObjects", "lock"),
        ];
        for pair in order.windows(2) {
            ended.barrier(&pair[0], &pair[1]);
        }
        converged(&world, &versions[2], "published");
        consistent(&world, "published");
    }
}

#[tokio::test(start_paused = true)]
async fn one_refused_asset_changes_nothing_that_visitors_see_and_the_next_run_completes_it() {
    let world = World::new();
    let theirs = foreigners(&world);
    let (one, two) = (Folder::version(1), Folder::version(2));
    world.publish(one.path(), &["--delete"]).await.good();
    let before = world.objects();
    world
        .hosting
        .fault("PutObject www/assets/own*", Turn::Every, Fault::Denied);
    let ended = world.publish(two.path(), &["--delete"]).await;
    let failure = ended.failed(Exit::Failed);
    assert!(
        failure
            .error
            .to_string()
            .contains("nothing that visitors see was changed"),
        "{}",
        ended.says()
    );
    for name in ["others", "pages", "index"] {
        assert_eq!(phase(&ended, name), [0_usize; 0], "{:#?}", ended.lines());
    }
    assert!(ended.of_site("DeleteObjects").is_empty());
    assert!(ended.of_site("CreateInvalidation").is_empty());
    for (key, object) in before {
        if !key.starts_with("www/.deploy-actions/") {
            assert_eq!(world.objects().get(&key), Some(&object), "{key}");
        }
    }
    serves(&world, &one, "after the failure");
    world.hosting.heal();
    let again = world.publish(two.path(), &["--delete"]).await;
    again.good();
    // What came in the first run is there.
    assert_eq!(again.of_site("PutObject").len(), 6, "{:#?}", again.lines());
    converged(&world, &two, "again");
    edge_serves(&world, &two, "again");
    intact(&world, &theirs, "again");
}

#[tokio::test(start_paused = true)]
async fn a_refused_new_file_without_a_hash_leaves_nothing_to_bring_back() {
    let world = World::new();
    let one = Folder::new()
        .with("index.html", "index 1\n")
        .with("about.html", "about 1\n");
    let two = Folder::new()
        .with("index.html", "index 2\nneeds new.png any\n")
        .with("about.html", "about 2\n")
        .with("new.png", "a picture");
    world.publish(one.path(), &[]).await.good();
    world
        .hosting
        .fault("PutObject www/new.png", Turn::Every, Fault::Denied);
    let ended = world.publish(two.path(), &[]).await;
    let failure = ended.failed(Exit::Failed);
    assert!(
        failure
            .error
            .to_string()
            .contains("nothing that visitors see was changed"),
        "{}",
        ended.says()
    );
    for page in ["index.html", "about.html"] {
        let key = format!("www/{page}");
        let written = |call: &&HostingEntry| call.key == key && call.writes();
        assert_eq!(
            ended.calls.iter().filter(written).count(),
            0,
            "{:#?}",
            ended.lines()
        );
    }
    serves(&world, &one, "after the failure");
}

#[tokio::test(start_paused = true)]
async fn a_refused_page_brings_the_earlier_pages_back() {
    for refused in ["www/own-2.html", "www/index.html", "www/docs/index.html"] {
        let world = World::new();
        let (one, two) = (Folder::version(1), Folder::version(2));
        world.publish(one.path(), &[]).await.good();
        warm(&world, &one);
        world
            .hosting
            .fault(&format!("PutObject {refused}"), Turn::Every, Fault::Denied);
        let ended = world.publish(two.path(), &[]).await;
        let failure = ended.failed(Exit::Failed);
        assert!(
            failure.error.to_string().contains("serves again"),
            "{}",
            ended.says()
        );
        serves(&world, &one, refused);
        consistent(&world, refused);
        edge_serves(&world, &one, refused);
        assert!(!world.state().contains(&"lock".to_owned()));
        world.hosting.heal();
        world.publish(two.path(), &[]).await.good();
        converged(&world, &two, refused);
        edge_serves(&world, &two, refused);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_site_costs_the_pages_of_the_listing_and_one_request() {
    let world = World::new();
    world.hosting.settings(|settings| settings.page = 100);
    let mut folder = Folder::version(1);
    for number in 0..300 {
        folder.write(&format!("pages/{number}.html"), format!("page {number}"));
    }
    world.publish(folder.path(), &[]).await.good();
    let ended = world.publish(folder.path(), &[]).await;
    assert_eq!(ended.good().status, Status::Unchanged);
    let objects = world.objects().len();
    let pages = objects.div_ceil(100);
    let listed = ended.of_site("ListObjectsV2").len();
    assert_eq!(listed, pages, "{objects}");
    let others: Vec<String> = ended
        .lines()
        .into_iter()
        .filter(|line| !line.starts_with("List") && !line.starts_with("GetDistribution"))
        .collect();
    assert_eq!(others, ["GetObject www/.deploy-actions/manifest 200"]);
}

#[tokio::test(start_paused = true)]
async fn of_three_hundred_files_only_those_that_changed_are_sent() {
    let world = World::new();
    let mut folder = Folder::version(1);
    for number in 0..300 {
        folder.write(&format!("pages/{number}.html"), format!("page {number}"));
    }
    let first = world.publish(folder.path(), &[]).await;
    assert_eq!(first.of_site("PutObject").len(), folder.files.len());
    for number in [7, 77, 277] {
        folder.write(&format!("pages/{number}.html"), format!("changed {number}"));
    }
    let ended = world.publish(folder.path(), &[]).await;
    ended.good();
    assert_eq!(ended.of_site("PutObject").len(), 3);
    assert!(
        ended
            .of_site("CopyObject")
            .iter()
            .all(|call| call.key.contains("/.deploy-actions/"))
    );
    assert_eq!(ended.fact("uploaded"), "3");
    converged(&world, &folder, "changed");
}

#[tokio::test(start_paused = true)]
async fn other_headers_alone_are_copies_of_objects_onto_themselves() {
    let world = World::new();
    let folder = Folder::version(1);
    world.publish(folder.path(), &[]).await.good();
    let rules = ["--rule", "robots.txt = public, max-age=60"];
    let ended = world.publish(folder.path(), &rules).await;
    ended.good();
    assert!(ended.of_site("PutObject").is_empty(), "{:#?}", ended.lines());
    let copies = ended.of_site("CopyObject");
    assert_eq!(copies.len(), 1, "{:#?}", ended.lines());
    assert_eq!(copies[0].key, "www/robots.txt");
    let objects = world.objects();
    let robots = &objects["www/robots.txt"];
    assert_eq!(robots.headers["cache-control"], "public, max-age=60");
    assert_eq!(robots.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(
        world.publish(folder.path(), &rules).await.good().status,
        Status::Unchanged
    );
}

#[tokio::test(start_paused = true)]
async fn a_plan_changes_nothing_and_says_what_publish_does() {
    let world = World::new();
    let theirs = foreigners(&world);
    let (one, two) = (Folder::version(1), Folder::version(2));
    for (folder, more) in [(&one, &[][..]), (&two, &["--delete", "--keep-releases", "0"])] {
        let before = world.objects();
        let source = folder.path().to_str().unwrap();
        let plan = world.run(&[&["plan", "--source", source], more].concat()).await;
        plan.good();
        assert!(
            plan.calls.iter().all(|call| !call.writes()),
            "{:#?}",
            plan.lines()
        );
        assert_eq!(world.objects(), before);
        let ended = world.publish(folder.path(), more).await;
        ended.good();
        let puts = ended.of_site("PutObject").len().to_string();
        let planned: u64 = ["added", "changed-files"]
            .map(|name| plan.fact(name).parse::<u64>().unwrap())
            .iter()
            .sum();
        assert_eq!(planned.to_string(), puts);
        assert_eq!(plan.fact("deleted"), ended.fact("deleted"));
        assert_eq!(plan.fact("bytes"), ended.fact("bytes"));
    }
    assert!(strays(&world, &[&two], &theirs).is_empty());
    intact(&world, &theirs, "published");
    assert_eq!(
        world.hosting.stock(|stock| stock.s3.keys(BUCKET)).len(),
        two.files.len() + theirs.len() + world.state().len()
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancel_while_the_manifest_is_written_tells_which_release_serves() {
    let (one, two) = (Folder::version(1), Folder::version(2));
    let world = World::new();
    world.publish(one.path(), &[]).await.good();
    let stock = world.stock();
    let calls = world.publish(two.path(), &[]).await;
    let manifest = state(&calls, "PutObject", "manifest")[0] + 1;
    for (arrives, serving, says) in [
        (Duration::from_millis(500), &two, "serves all the same"),
        (Duration::from_secs(60), &one, "serves again"),
    ] {
        let mut world = World::of(&stock);
        world.weather.late = true;
        world.next(manifest, What::CancelThenArrive(arrives));
        let ended = world.publish(two.path(), &[]).await;
        assert!(ended.says().contains(says), "{}", ended.says());
        assert_eq!(ended.exit(), Exit::Terminated.code());
        serves(&world, serving, says);
    }
}
