//! The fault matrix: each call of a deploy, of a rollback and of a recover, in turn, and each way in which it can go wrong.

use std::time::Duration;

use gha::Status;
use tokio::time::sleep;

use crate::cluster::{How, World};
use crate::shop::{blue, plain, replicas, serving};

const DEPLOY: [&str; 7] = ["deploy", "--service", "web", "--image", "shop:2", "--soak", "5s"];
const ROLLBACK: [&str; 3] = ["rollback", "--service", "web"];
const RECOVER: [&str; 3] = ["recover", "--service", "web"];

pub(crate) const WAYS: [How; 9] = [
    How::KilledBefore,
    How::KilledAfter,
    How::Answered(500),
    How::Answered(503),
    How::Answered(429),
    How::Reset,
    How::Lost,
    How::Silent,
    How::Always(503),
];

#[derive(Clone, Copy, Debug)]
enum Shop {
    Blue,
    Plain,
}

impl Shop {
    async fn open(self) -> World {
        match self {
            Self::Blue => blue().await,
            Self::Plain => plain().await,
        }
    }
}

/// One version has all traffic.
#[track_caller]
fn whole(world: &World, images: &[&str], what: &str) {
    let now = serving(world);
    assert!(now.len() == 1 && images.contains(&&*now[0].0), "{what}: {now:?}");
}

#[tokio::test(start_paused = true)]
async fn a_deploy_goes_through_every_fault() {
    for shop in [Shop::Blue, Shop::Plain] {
        let calls = {
            let world = shop.open().await;
            let deploy = world.run(&DEPLOY).await;
            deploy.good();
            deploy.sent
        };
        for how in WAYS {
            for nth in 1..=calls {
                let what = format!("{shop:?} {how:?} at call {nth}");
                let world = shop.open().await;
                world.strike(nth, how);
                let struck = world.run(&DEPLOY).await;
                whole(&world, &["shop:1", "shop:2"], &what);
                if let Err(failure) = &struck.result
                    && !struck.is_killed()
                {
                    assert_ne!(failure.exit.code(), 1, "{what}: {}", struck.says());
                }
                // Another step of the same job, once the fault is over.
                sleep(Duration::from_secs(5)).await;
                let recover = world.run(&RECOVER).await;
                assert!(recover.result.is_ok(), "{what}: recover: {}", recover.says());
                sleep(Duration::from_secs(5)).await;
                whole(&world, &["shop:1", "shop:2"], &what);
                let again = world.run(&DEPLOY).await;
                assert!(
                    again.result.is_ok(),
                    "{what}: again: {}\n{}",
                    again.says(),
                    again.log
                );
                sleep(Duration::from_secs(5)).await;
                whole(&world, &["shop:2"], &what);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_goes_through_every_fault() {
    for shop in [Shop::Blue, Shop::Plain] {
        let calls = {
            let world = shop.open().await;
            world.run(&DEPLOY).await.good();
            let back = world.run(&ROLLBACK).await;
            assert_eq!(back.good().status, Status::RolledBack);
            back.sent
        };
        for how in WAYS {
            for nth in 1..=calls {
                let what = format!("{shop:?} {how:?} at call {nth}");
                let world = shop.open().await;
                world.run(&DEPLOY).await.good();
                world.strike(nth, how);
                let _ = world.other("8").run(&ROLLBACK).await;
                whole(&world, &["shop:1", "shop:2"], &what);
                let again = world.other("9").run(&ROLLBACK).await;
                assert!(again.result.is_ok(), "{what}: {}", again.says());
                sleep(Duration::from_secs(5)).await;
                whole(&world, &["shop:1"], &what);
                let old = match shop {
                    Shop::Blue => "web-blue",
                    Shop::Plain => "web",
                };
                assert!(replicas(&world, old).unwrap() >= 3, "{what}");
            }
        }
    }
}
