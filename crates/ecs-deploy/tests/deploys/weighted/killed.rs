//! Runs that are killed after each of their writes, and what another machine makes of it.

use super::*;

/// What a kill at any point leaves: one version whole, or the weights of a step; and then `recover` brings order.
#[tokio::test(start_paused = true)]
async fn recover_after_a_kill_at_each_write() {
    for writes in 1..=14 {
        let mut world = World::new().in_one_job();
        let shop = pair(&world);
        let ended = world.killed_after(writes, &deploy(&shop, NEW)).await;
        assert!(ended.is_none(), "there is no write {writes}");
        is_a_step(&world, &shop, writes);
        let early = world.other("8").run(&line("recover", &shop, &[])).await;
        let is_locked = !tags(&world, &shop).is_empty();
        match is_locked {
            true => drop(early.failed(Exit::Locked)),
            false => assert_eq!(early.fact("status"), "unchanged"),
        }
        // Its own run does it at once, another when the lock is out of date.
        let other = world.other("9");
        let recovered = if writes % 2 == 0 {
            world.run(&line("recover", &shop, &[])).await
        } else {
            tokio::time::advance(Duration::from_secs(20 * 60)).await;
            other.run(&line("recover", &shop, &[])).await
        };
        recovered.good();
        // After the last step nothing is left but to tidy up.
        let new_serves = writes >= 11;
        let (serves, idle) = if new_serves {
            (NEW, "web-blue")
        } else {
            (OLD, "web-green")
        };
        assert_eq!(world.cloud.serving(&shop), [serves], "{writes}");
        assert_eq!(desired(&world, idle), 0, "{writes}");
        scaling_is_restored(&world);
        no_tag_is_left(&world, &shop);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_deploy_after_a_kill_before_the_traffic_moves() {
    for writes in 1..=4 {
        for own in [true, false] {
            let mut world = World::new().in_one_job();
            let shop = pair(&world);
            assert!(world.killed_after(writes, &deploy(&shop, NEW)).await.is_none());
            let other = world.other("8");
            if !own {
                tokio::time::advance(Duration::from_secs(20 * 60)).await;
            }
            let ended = if own { &world } else { &other }.run(&deploy(&shop, NEW)).await;
            ended.good();
            assert_eq!(world.cloud.serving(&shop), [NEW], "{writes}");
            scaling_is_restored(&world);
            no_tag_is_left(&world, &shop);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_deploy_after_a_kill_in_the_shift_is_sent_to_recover() {
    for writes in [6, 10, 11] {
        let mut world = World::new().in_one_job();
        let shop = pair(&world);
        assert!(world.killed_after(writes, &deploy(&shop, NEW)).await.is_none());
        let before = weights(&world, &shop);
        let ended = world.run(&deploy(&shop, "shop:1.2.0")).await;
        ended.failed(Exit::Locked);
        assert_eq!((weights(&world, &shop), ended.writes().len()), (before, 0));
        world.run(&line("recover", &shop, &[])).await.good();
        world.run(&deploy(&shop, "shop:1.2.0")).await.good();
        assert_eq!(world.cloud.serving(&shop), ["shop:1.2.0"]);
        scaling_is_restored(&world);
    }
}

/// The old version serves whole, or the new one, or both by the weights of a step.
#[track_caller]
pub(super) fn is_a_step(world: &World, shop: &Shop, at: impl std::fmt::Debug) {
    let weights = weights(world, shop);
    let steps = [(100, 0), (90, 10), (50, 50), (0, 100)];
    assert!(steps.contains(&weights), "{at:?}: {weights:?}");
    let shares = world.cloud.shares(shop);
    for (image, weight) in [(OLD, weights.0), (NEW, weights.1)] {
        let share = shares
            .iter()
            .find(|(of, _)| of == image)
            .map_or(0.0, |(_, share)| *share);
        let expected = f64::from(u32::try_from(weight).unwrap()) / 100.0;
        assert!(
            (share - expected).abs() < 1e-9,
            "{at:?}: {shares:?} at {weights:?}"
        );
    }
}
