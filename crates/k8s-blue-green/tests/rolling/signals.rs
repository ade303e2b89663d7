//! Signals and ends of the runner, at each call.

use std::time::Duration;

use gha::Exit;

use crate::cluster::{Ended, World};
use crate::ends::{KINDS, deploy};

/// How many calls a deploy makes.
async fn calls(kind: &str, name: &str, image: &str) -> usize {
    let world = World::with(kind, "shop:1.0.0").settled().await;
    deploy(&world, name, image, &[]).await.calls.len()
}

/// The first calls and the last ones, and some in between: what is between them is looks that are alike.
fn some(calls: usize) -> impl Iterator<Item = usize> {
    (1..=calls).filter(move |nth| *nth <= 6 || *nth + 3 > calls || nth.is_multiple_of(20))
}

/// How long it took to leave after its nth call.
fn left(ended: &Ended, nth: usize, world: &World) -> Duration {
    world.cluster.world(|world| world.now()) - ended.calls[nth - 1].at
}

#[tokio::test(start_paused = true)]
async fn a_cancel_leaves_in_time_and_one_version_serves() {
    for (kind, plural, name) in KINDS {
        let calls = calls(kind, name, "shop:1.1.0").await;
        for (nth, after) in some(calls).flat_map(|nth| [(nth, false), (nth, true)]) {
            let world = World::with(kind, "shop:1.0.0").settled().await;
            world.strike(nth, after, false);
            let ended = deploy(&world, name, "shop:1.1.0", &[]).await;
            let says = ended.says();
            let at = format!("{kind} {nth} {after}: {says}");
            assert!(left(&ended, nth, &world) <= Duration::from_secs(5), "{at}");
            world.later(90).await;
            if ended.result.is_ok() {
                // It was the last note.
                assert!(nth == calls, "{at}");
                assert_eq!(world.serving(), ["shop:1.1.0"; 3], "{at}");
                continue;
            }
            ended.failed(Exit::Terminated);
            let words = ["not changed", "nothing was changed", "on its way back"];
            assert!(words.iter().any(|words| says.contains(words)), "{at}");
            assert_eq!(
                says.contains("on its way back"),
                ended.fact("status") == "rolled-back",
                "{at}"
            );
            assert_eq!(world.serving(), ["shop:1.0.0"; 3], "{at}");
            assert_eq!(world.template_image(plural), "shop:1.0.0", "{at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancel_of_what_fails_leaves_in_time_too() {
    for (kind, plural, name) in KINDS {
        let calls = calls(kind, name, "shop:2-unpullable").await;
        for nth in some(calls) {
            let world = World::with(kind, "shop:1.0.0").settled().await;
            world.strike(nth, true, false);
            let ended = deploy(&world, name, "shop:2-unpullable", &[]).await;
            let at = format!("{kind} {nth} of {calls}: {}", ended.says());
            // One that comes with the last looks finds the earlier version back.
            if !ended.says().contains("is back with 3 pods") {
                ended.failed(Exit::Terminated);
                assert!(left(&ended, nth, &world) <= Duration::from_secs(5), "{at}");
            } else {
                assert!(nth + 1 >= calls, "{at}");
            }
            world.later(60).await;
            assert_eq!(world.template_image(plural), "shop:1.0.0", "{at}");
            // A StatefulSet waits for the pod that can't start until somebody deletes it.
            if kind == "StatefulSet" && world.serving().len() < 3 {
                world.run(&["recover", "--workload", name]).await.good();
            }
            assert_eq!(world.serving(), ["shop:1.0.0"; 3], "{at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancel_that_is_to_leave_leaves() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    world.strike(6, true, false);
    let ended = deploy(&world, "deployment/web", "shop:1.1.0", &["--on-cancel", "leave"]).await;
    ended.failed(Exit::Terminated);
    assert!(ended.says().contains("left to go on"), "{}", ended.says());
    world.later(60).await;
    assert_eq!(world.serving(), ["shop:1.1.0"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_run_again_ends_what_a_killed_one_began() {
    for (kind, _, name) in KINDS {
        let calls = calls(kind, name, "shop:1.1.0").await;
        for (nth, after) in some(calls).flat_map(|nth| [(nth, false), (nth, true)]) {
            let world = World::with(kind, "shop:1.0.0").settled().await;
            world.strike(nth, after, true);
            let ended = deploy(&world, name, "shop:1.1.0", &[]).await;
            assert!(ended.is_killed(), "{kind} {nth} {after}: {}", ended.says());
            world.run.set("8");
            let again = deploy(&world, name, "shop:1.1.0", &[]).await;
            again.good();
            assert_eq!(world.serving(), ["shop:1.1.0"; 3], "{kind} {nth} {after}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_again_takes_back_what_a_killed_one_began_and_fails() {
    for (kind, plural, name) in KINDS {
        let calls = calls(kind, name, "shop:2-unpullable").await;
        for nth in some(calls) {
            let world = World::with(kind, "shop:1.0.0").settled().await;
            world.strike(nth, true, true);
            assert!(deploy(&world, name, "shop:2-unpullable", &[]).await.is_killed());
            world.run.set("8");
            let again = deploy(&world, name, "shop:2-unpullable", &[]).await;
            again.failed(Exit::Failed);
            assert_eq!(world.template_image(plural), "shop:1.0.0", "{kind} {nth}");
            assert_eq!(world.serving(), ["shop:1.0.0"; 3], "{kind} {nth}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn recover_takes_back_what_its_own_run_left() {
    for (kind, _, name) in KINDS {
        for image in ["shop:1.1.0", "shop:2-unpullable"] {
            let calls = calls(kind, name, image).await;
            for (nth, after) in some(calls).flat_map(|nth| [(nth, false), (nth, true)]) {
                let world = World::with(kind, "shop:1.0.0").settled().await;
                world.strike(nth, after, true);
                assert!(deploy(&world, name, image, &[]).await.is_killed());
                let recovered = world.run(&["recover", "--workload", name]).await;
                let at = format!("{kind} {image} {nth} {after}: {}", recovered.says());
                recovered.good();
                let ended_well = recovered.says().contains("nothing to do") && nth == calls && after;
                let expected = if ended_well && image == "shop:1.1.0" {
                    "shop:1.1.0"
                } else {
                    "shop:1.0.0"
                };
                assert_eq!(world.serving(), [expected; 3], "{at}");
                let again = world.run(&["recover", "--workload", name]).await;
                assert!(again.good().headline.contains("nothing to do"), "{at}");
                assert!(again.writes().is_empty());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn recover_leaves_another_run_alone() {
    let world = World::with("Deployment", "shop:1.0.0").settled().await;
    world.strike(6, true, true);
    assert!(
        deploy(&world, "deployment/web", "shop:1.1.0", &[])
            .await
            .is_killed()
    );
    world.run.set("8");
    let recovered = world.run(&["recover", "--workload", "deployment/web"]).await;
    recovered.failed(Exit::Locked);
    assert!(
        recovered.says().contains("run `acme/shop:7.1`"),
        "{}",
        recovered.says()
    );
    assert!(recovered.writes().is_empty());
}
