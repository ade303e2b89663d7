//! Deploys whose traffic ECS shifts, with each of their calls failing in turn, and ended at each of their writes.

use std::collections::BTreeMap;
use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::{End, Fault, Shop, Turn};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::cloud::{Ended, World};
use crate::native::{deploy, shop};
use crate::native_gates::{Errors, file, traffic};

const FAULTS: [Fault; 6] = [
    Fault::Internal,
    Fault::Throttled,
    Fault::Reset,
    Fault::Hang,
    Fault::Lost,
    Fault::Denied,
];

/// How often each operation of ECS is called by a run.
fn counted(ended: &Ended) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in ended.calls.iter().filter(|call| call.service == "ecs") {
        *counts.entry(call.operation.clone()).or_default() += 1;
    }
    counts
}

/// Nothing but the two versions gets requests, and all requests are answered.
#[track_caller]
fn is_whole(world: &World, shop: &Shop, versions: [&str; 2], story: &str) {
    let shares = world.cloud.shares(shop);
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    let known = shares.iter().all(|(image, _)| versions.contains(&image.as_str()));
    assert!(known && (sum - 1.0).abs() < 1e-6, "{story}: {shares:?}");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_leaves_a_version_that_serves_and_a_second_run_converges() {
    let runs = each_call_fails(is_write).await;
    assert!(runs >= 30, "{runs}");
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_leaves_a_version_that_serves_and_a_second_run_converges() {
    let runs = each_call_fails(|operation| !is_write(operation)).await;
    assert!(runs > 60, "{runs}");
}

fn is_write(operation: &str) -> bool {
    let reads = ["Describe", "List", "Get"];
    !reads.iter().any(|read| operation.starts_with(read))
}

/// Lets each of these calls of a deploy fail, in each way; gives how often.
async fn each_call_fails(concerned: fn(&str) -> bool) -> usize {
    let gate = file("pause");
    let line = deploy(
        "shop:1.1.0",
        &["--api-grace", "40s", "--poll", "20s", "--gate", &gate],
    );
    let calls = {
        let world = World::new();
        let _traffic = traffic(&world, &shop(&world, "CANARY"), Errors::Never);
        counted(&world.run(&line).await)
    };
    let mut runs = 0;
    for (operation, count) in calls.iter().filter(|(operation, _)| concerned(operation)) {
        for fault in FAULTS {
            let mut turns = vec![Turn::Nth(1), Turn::Nth(*count)];
            turns.dedup();
            if matches!(fault, Fault::Denied | Fault::Reset) {
                turns.push(Turn::Every);
            }
            for turn in turns {
                let story = format!("{operation} {turn:?} {fault:?}");
                let world = World::new();
                let shop = shop(&world, "CANARY");
                let _traffic = traffic(&world, &shop, Errors::Never);
                world.cloud.fault(operation, turn, fault.clone());
                let ended = world.run(&line).await;
                let exit = ended
                    .result
                    .as_ref()
                    .map_or_else(|failure| failure.exit, |_| Exit::Done);
                let expected = [Exit::Done, Exit::Failed, Exit::NeedsHuman, Exit::Access];
                assert!(expected.contains(&exit), "{story}: {exit:?}\n{}", ended.log);
                is_whole(&world, &shop, ["shop:1.0.0", "shop:1.1.0"], &story);
                if exit == Exit::Access {
                    let done = ended
                        .calls
                        .iter()
                        .any(|call| call.operation == "UpdateService" && call.end == End::Done);
                    assert!(!done, "{story}: nothing was changed\n{}", ended.log);
                }
                if matches!(fault, Fault::Denied) {
                    assert_ne!(exit, Exit::Bug, "{story}");
                } else if matches!(turn, Turn::Nth(_)) {
                    // One bad answer never fails a deploy.
                    assert_eq!(exit, Exit::Done, "{story}\n{}", ended.log);
                }
                world.cloud.heal();
                let again = world.again().run(&line).await;
                assert!(
                    again.result.is_ok(),
                    "{story}: {}\n{}",
                    again.failed(exit).error,
                    again.log
                );
                assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"], "{story}");
                runs += 1;
            }
        }
    }
    runs
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_fails_is_made_again() {
    for fault in FAULTS {
        for turn in [Turn::Nth(1), Turn::First(3)] {
            let story = format!("{turn:?} {fault:?}");
            let world = World::new();
            let shop = shop(&world, "CANARY");
            world.cloud.fault("StopServiceDeployment", turn, fault.clone());
            let ended = world.run(&deploy("shop:1.1.0-crash", &[])).await;
            let exit = if fault == Fault::Denied {
                Exit::NeedsHuman
            } else {
                Exit::Failed
            };
            let error = ended.failed(exit).error.to_string();
            assert!(error.contains("tasks failed"), "{story}: {error}");
            assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"], "{story}");
            world.cloud.heal();
            let back = world
                .again()
                .run(&["rollback", "--cluster", "prod", "--service", "web"])
                .await;
            if fault == Fault::Denied {
                assert_eq!(back.writes(), ["StopServiceDeployment"], "{story}");
                back.good();
            }
            let fixed = world.again().run(&deploy("shop:1.2.0", &[])).await;
            fixed.good();
            assert_eq!(world.cloud.serving(&shop), ["shop:1.2.0"], "{story}");
        }
    }
}

/// Runs a deploy until right after its nth call of an operation, or before it, and ends it there.
async fn killed(world: &World, line: &[&str], operation: &str, nth: usize, done: bool) {
    let (dead, death) = oneshot::channel::<()>();
    let kill = move |_: &mut sandbox::stand_ins::aws::World| {
        let _ = dead.send(());
    };
    if done {
        world.cloud.after(operation, nth, kill);
    } else {
        world.cloud.fault(operation, Turn::Nth(nth), Fault::Hang);
        world.cloud.before(operation, nth, kill);
    }
    let run = world.run(line);
    let ended = tokio::select! {
        biased;
        _ = death => None,
        ended = run => Some(ended),
    };
    assert!(
        ended.is_none(),
        "{operation} {nth} was not reached: {}",
        ended.unwrap().log
    );
    world.cloud.heal();
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_at_a_write_is_finished_by_the_next() {
    let gate = file("pause");
    for strategy in ["BLUE_GREEN", "CANARY", "LINEAR"] {
        for (operation, nth) in [
            ("RegisterTaskDefinition", 1),
            ("UpdateService", 1),
            ("ContinueServiceDeployment", 1),
            ("ContinueServiceDeployment", 2),
        ] {
            for done in [true, false] {
                let story = format!("{strategy} {operation} {nth} {done}");
                let world = World::new();
                let shop = shop(&world, strategy);
                // The set-up registered a revision of its own, past the wire.
                let line = deploy("shop:1.1.0", &["--gate", &gate]);
                let _traffic = traffic(&world, &shop, Errors::Never);
                killed(&world, &line, operation, nth, done).await;
                is_whole(&world, &shop, ["shop:1.0.0", "shop:1.1.0"], &story);
                let again = world.again().run(&line).await;
                assert!(again.result.is_ok(), "{story}\n{}", again.log);
                assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"], "{story}");
                let records = world.cloud.act(
                    "ecs",
                    "ListServiceDeployments",
                    serde_json::json!({ "cluster": "prod", "service": "web" }),
                );
                let records = records.unwrap()["serviceDeployments"].as_array().unwrap().len();
                assert_eq!(records, 2, "{story}: nothing is deployed twice");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_on_the_way_back_is_told_by_the_next() {
    let gate = file("pause");
    for done in [true, false] {
        let world = World::new();
        let shop = shop(&world, "CANARY");
        let line = deploy("shop:1.1.0", &["--gate", &gate]);
        let _traffic = traffic(&world, &shop, Errors::Always);
        killed(&world, &line, "ContinueServiceDeployment", 1, done).await;
        is_whole(&world, &shop, ["shop:1.0.0", "shop:1.1.0"], "on the way back");
        let again = world.again().run(&line).await;
        again.failed(Exit::Failed);
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn no_answer_at_all_is_no_verdict() {
    let world = World::new();
    let shop = shop(&world, "CANARY");
    let since = world.cloud.world(|cloud| cloud.now()) + Duration::from_secs(20);
    world.cloud.fault("ecs:*", Turn::Since(since), Fault::Hang);
    let line = deploy("shop:1.1.0", &["--api-grace", "3m"]);
    let ended = timeout(Duration::from_secs(3600), world.run(&line))
        .await
        .unwrap();
    let error = ended.failed(Exit::NeedsHuman).error.to_string();
    assert!(
        error.contains("is not known") && error.contains("could not be read for"),
        "{error}"
    );
    is_whole(&world, &shop, ["shop:1.0.0", "shop:1.1.0"], "no answer");
}
