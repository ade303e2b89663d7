//! Which releases there are, and which one of them a person means.

use std::time::Duration;

use gha::{Exit, Status};
use serde_json::Value;
use tokio::time::sleep;

use crate::cloud::{Ended, World};
use crate::site::{Folder, converged};

/// So many releases, an hour apart, each of a commit of its own: their sites and ids, the first one first.
async fn releases(world: &mut World, count: u32) -> (Vec<Folder>, Vec<String>) {
    let (mut folders, mut ids) = (Vec::new(), Vec::new());
    for version in 1..=count {
        sleep(Duration::from_secs(3600)).await;
        let folder = Folder::version(version);
        world.commit = commit(version);
        let ended = world.publish(folder.path(), &["--keep-releases", "3"]).await;
        ended.good();
        ids.push(ended.fact("release-id"));
        folders.push(folder);
    }
    (folders, ids)
}

fn commit(version: u32) -> String {
    format!("{version:x}").repeat(40)[..40].to_owned()
}

fn listed(ended: &Ended) -> Vec<Value> {
    ended.good().facts["releases"].as_array().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn releases_are_listed_the_latest_first_with_who_when_and_what() {
    let mut world = World::new();
    let none = world.run(&["releases"]).await;
    assert!(none.good().headline.contains("nothing was published here"));
    let (_, ids) = releases(&mut world, 3).await;
    let ended = world.run(&["releases"]).await;
    let outcome = ended.good();
    assert!(outcome.dry_run && outcome.status == Status::Unchanged);
    assert_eq!(outcome.facts["release-id"], Value::from(&*ids[2]));
    let all = listed(&ended);
    let told: Vec<&str> = all.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(told, [&*ids[2], &*ids[1], &*ids[0]]);
    for (one, version) in all.iter().zip([3, 2, 1]) {
        assert_eq!(one["commit"], Value::from(commit(version)));
        assert_eq!(one["who"], "mona");
        assert_eq!(
            one["run"],
            "https://github.com/acme/shop/actions/runs/7/attempts/1"
        );
        assert_eq!(one["files"], 9);
        let at: jiff::Timestamp = one["at"].as_str().unwrap().parse().unwrap();
        let stamp = at.strftime("%Y%m%dT%H%M%SZ-").to_string();
        assert!(one["id"].as_str().unwrap().starts_with(&stamp), "{one}");
    }
    let lines: Vec<&str> = ended
        .log
        .lines()
        .filter(|line| line.contains(" files, "))
        .collect();
    assert_eq!(lines.len(), 3, "{}", ended.log);
    for (line, (id, version)) in lines.iter().zip([(&ids[2], 3), (&ids[1], 2), (&ids[0], 1)]) {
        let end = format!(", commit {}, by mona", commit(version));
        assert!(
            line.contains(&**id) && line.contains(" 9 files, ") && line.ends_with(&end),
            "{line}"
        );
    }
    assert!(lines[0].contains(&format!("* {}", ids[2])), "{}", lines[0]);
    assert!(!lines[1].contains('*') && !lines[2].contains('*'), "{lines:?}");
    assert!(ended.calls.iter().all(|call| !call.writes()));
}

#[tokio::test(start_paused = true)]
async fn a_release_is_meant_by_its_id_its_beginning_or_its_commit() {
    let mut world = World::new();
    let (folders, ids) = releases(&mut world, 4).await;
    // An id is its time and seven digits; half of these tell enough.
    let beginning = &ids[1][..ids[1].len() - 4];
    for (to, at) in [
        (&*ids[0], 0),
        (beginning, 1),
        (&*commit(3), 2),
        (&commit(1)[..7], 0),
        (&*ids[3], 3),
    ] {
        let before = world.run(&["releases"]).await.fact("release-id");
        let ended = world.run(&["rollback", "--to", to]).await;
        let outcome = ended.good();
        assert_eq!(outcome.status, Status::RolledBack, "{to}");
        assert_eq!(ended.fact("release-id"), ids[at], "{to}");
        assert_eq!(ended.fact("previous-release"), before, "{to}");
        assert!(
            outcome
                .undo
                .as_ref()
                .unwrap()
                .ends_with(&format!("--to {before}")),
            "{to}"
        );
        converged(&world, &folders[at], to);
    }
    // All are there still, in the order in which they were left.
    let all = listed(&world.run(&["releases"]).await);
    assert_eq!(all.len(), 4, "{all:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_release_that_nobody_can_mean_is_refused_with_those_that_are_there() {
    let mut world = World::new();
    let (folders, ids) = releases(&mut world, 5).await;
    let there = format!("; there is `{}`, `{}`, `{}`", ids[3], ids[2], ids[1]);
    for (to, why) in [
        ("20300101T000000Z-0000000", there.clone()),
        ("deadbeefdeadbeef", there.clone()),
        // Too short for a commit.
        (&commit(2)[..6], there.clone()),
        // Fallen: three are kept.
        (&*ids[0], format!(": it is from before all that are kept{there}")),
        (&*commit(1), there.clone()),
        (&*ids[4], ": it is the current one".to_owned()),
        (&*commit(5), ": it is the current one".to_owned()),
        (&ids[0][..8], "are both called so".to_owned()),
    ] {
        let ended = world.run(&["rollback", "--to", to]).await;
        ended.failed(Exit::Usage);
        assert!(ended.says().contains(&why), "{to}: {}", ended.says());
        assert!(
            ended.calls.iter().all(|call| !call.writes()),
            "{:#?}",
            ended.lines()
        );
    }
    converged(&world, &folders[4], "refused");

    world
        .run(&["prune", "--keep-releases", "0", "--max-delete", "100%"])
        .await
        .good();
    let ended = world.run(&["rollback", "--to", &ids[3]]).await;
    ended.failed(Exit::Usage);
    let only = ": it is from before all that are kept: there is only the current one";
    assert!(ended.says().contains(only), "{}", ended.says());
    world.run(&["rollback"]).await.failed(Exit::Usage);
    assert_eq!(listed(&world.run(&["releases"]).await).len(), 1);
    converged(&world, &folders[4], "pruned");
}

#[tokio::test(start_paused = true)]
async fn a_release_whose_manifest_or_contents_are_gone_is_refused() {
    let mut world = World::new();
    let (folders, ids) = releases(&mut world, 3).await;
    let manifest = format!("www/.deploy-actions/releases/{}", ids[0]);
    world.hosting.stock(|stock| stock.s3.remove("site", &manifest));
    let ended = world.run(&["rollback", "--to", &ids[0]]).await;
    ended.failed(Exit::Usage);
    assert!(
        ended.says().contains("whose manifest is gone"),
        "{}",
        ended.says()
    );
    for key in world.objects().keys().filter(|key| key.contains("/store/")) {
        world.hosting.stock(|stock| stock.s3.remove("site", key));
    }
    let ended = world.run(&["rollback", "--to", &ids[1]]).await;
    ended.failed(Exit::NeedsHuman);
    assert!(ended.says().contains("of its files are gone"), "{}", ended.says());
    assert!(
        ended.calls.iter().all(|call| !call.writes()),
        "{:#?}",
        ended.lines()
    );
    converged(&world, &folders[2], "refused");
}
