//! Runners whose clocks differ: how old a lock is, the store says.

use std::time::Duration;

use gha::Exit;
use jiff::SignedDuration;
use tokio::time::sleep;

use crate::cloud::World;
use crate::site::{Folder, converged};
use crate::way::What;

const APART: SignedDuration = SignedDuration::from_mins(10);

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_ahead_or_behind_takes_no_live_lock_and_takes_a_dead_one() {
    for ahead in [APART, -APART, SignedDuration::ZERO] {
        let world = World::new();
        let (one, two) = (Folder::version(1), Folder::version(2));
        world.publish(Folder::version(0).path(), &[]).await.good();
        world.publish(one.path(), &[]).await.good();
        world.next(12, What::Kill { after: true });
        assert!(world.publish(two.path(), &[]).await.is_killed());
        let mut other = world.other("8");
        other.ahead = ahead;
        for seconds in [0, 60, 55] {
            sleep(Duration::from_secs(seconds)).await;
            for line in [&["recover"][..], &["rollback"], &["prune"]] {
                let refused = other.run(line).await;
                refused.failed(Exit::Locked);
                assert!(!refused.calls.iter().any(|call| call.writes()), "{ahead:?}");
            }
            other.publish(two.path(), &[]).await.failed(Exit::Locked);
        }
        sleep(Duration::from_secs(10)).await;
        other.publish(two.path(), &[]).await.good();
        converged(&world, &two, "taken over");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_is_written_again_is_live_however_long_its_run_takes() {
    for ahead in [APART, -APART] {
        let mut world = World::new();
        world.ahead = ahead;
        let (one, two) = (Folder::version(1), Folder::version(2));
        world.publish(one.path(), &[]).await.good();
        world
            .hosting
            .settings(|settings| settings.invalidation_takes = Duration::from_secs(400));
        let mut other = world.other("8");
        other.ahead = SignedDuration::ZERO;
        let first = world.publish(two.path(), &[]);
        let second = async {
            sleep(Duration::from_secs(300)).await;
            other.publish(one.path(), &[]).await
        };
        let (first, second) = tokio::join!(first, second);
        first.good();
        second.failed(Exit::Locked);
        converged(&world, &two, "alone");
    }
}
