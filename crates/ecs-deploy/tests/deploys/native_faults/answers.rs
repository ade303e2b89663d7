//! Calls that fail several times in a row, and no answer at all.

use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::{Fault, Turn};
use tokio::time::timeout;

use crate::cloud::World;
use crate::native::{deploy, shop};

const FAULTS: [Fault; 6] = [
    Fault::Internal,
    Fault::Throttled,
    Fault::Reset,
    Fault::Hang,
    Fault::Lost,
    Fault::Denied,
];

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
    let shares = world.cloud.shares(&shop);
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    assert!((sum - 1.0).abs() < 1e-6, "{shares:?}");
}
