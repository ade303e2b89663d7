//! The fault matrix of canaries: each call of a deploy and of a rollback, in turn, and each way in which it can go wrong.

use std::time::Duration;

use gha::Status;
use gha::edge::cancel::Signal;
use tokio::time::sleep;

use super::{DEPLOY, as_before, gateway_route, left, share, shop, watched};
use crate::cluster::{How, World};
use crate::faults::WAYS;
use crate::shop::{object, replicas, serving};

/// One version has all of what goes through the route, and all of what goes to the Service.
#[track_caller]
fn whole(world: &World, images: &[&str], what: &str) {
    let shares = world
        .cluster
        .world(|cluster| cluster.route_shares("httproutes", "default", "web"));
    let now = serving(world);
    assert!(now.len() == 1 && images.contains(&&*now[0].0), "{what}: {now:?}");
    assert!(
        shares.iter().all(|(image, _)| images.contains(&&**image)),
        "{what}: {shares:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancel_at_each_call_of_a_canary_is_taken_back_or_finished_by_recover() {
    let line = short();
    let calls = {
        let world = shop(gateway_route()).await;
        let deploy = world.run(&line).await;
        deploy.good();
        deploy.sent
    };
    for nth in 1..=calls {
        let what = format!("cancelled at call {nth} of {calls}");
        let world = shop(gateway_route()).await;
        world.strike(nth, How::Cancelled(Signal::Terminate));
        let (deploy, _) = watched(&world, &line, "httproutes").await;
        let is_over = deploy.fact("status") == "deployed";
        let goes_to = if is_over { "shop:2" } else { "shop:1" };
        if deploy.result.is_err() {
            sleep(Duration::from_secs(3)).await;
            if !is_over {
                assert_eq!(share(&world, "httproutes"), 0.0, "{what}: {}", deploy.says());
            }
            let recover = world.run(&["recover", "--service", "web"]).await;
            assert!(recover.result.is_ok(), "{what}: {}", recover.says());
        }
        sleep(Duration::from_secs(5)).await;
        whole(&world, &[goes_to], &what);
        as_before(&world, &what);
        assert_eq!(left(&world), Vec::<String>::new(), "{what}");
    }
}

/// A short canary: the faults of each of its calls are many.
fn short() -> Vec<&'static str> {
    let mut line = DEPLOY.to_vec();
    (line[10], line[12]) = ("10% 1s, 100%", "1s");
    line
}

/// Those of a whole canary: a call that is put off or hangs goes the way of one that is not done, or done and lost; that is seen at
/// each call of a deploy without a canary.
const OF_A_CANARY: [How; 6] = [
    How::KilledBefore,
    How::KilledAfter,
    How::Answered(500),
    How::Reset,
    How::Lost,
    How::Always(503),
];

#[tokio::test(start_paused = true)]
async fn a_canary_goes_through_every_fault() {
    let line = short();
    let calls = {
        let world = shop(gateway_route()).await;
        let deploy = world.run(&line).await;
        deploy.good();
        deploy.sent
    };
    for how in OF_A_CANARY {
        for nth in 1..=calls {
            let what = format!("{how:?} at call {nth} of {calls}");
            let world = shop(gateway_route()).await;
            world.strike(nth, how);
            let struck = world.run(&line).await;
            if let Err(failure) = &struck.result
                && !struck.is_killed()
            {
                assert_ne!(failure.exit.code(), 1, "{what}: {}", struck.says());
            }
            sleep(Duration::from_secs(5)).await;
            let recover = world.run(&["recover", "--service", "web"]).await;
            assert!(recover.result.is_ok(), "{what}: recover: {}", recover.says());
            sleep(Duration::from_secs(5)).await;
            whole(&world, &["shop:1", "shop:2"], &what);
            if struck.result.is_ok() {
                whole(&world, &["shop:2"], &what);
                as_before(&world, &what);
                continue;
            }
            let again = world.run(&line).await;
            assert!(
                again.result.is_ok(),
                "{what}: again: {}\n{}",
                again.says(),
                again.log
            );
            sleep(Duration::from_secs(5)).await;
            whole(&world, &["shop:2"], &what);
            as_before(&world, &what);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_of_a_canary_that_waits_goes_through_every_fault() {
    let mut line = short();
    line.extend(["--until", "10%"]);
    let waiting = async || {
        let world = shop(gateway_route()).await;
        world.run(&line).await.good();
        world
    };
    let back = ["rollback", "--service", "web"];
    let calls = {
        let rollback = waiting().await.other("8").run(&back).await;
        rollback.good();
        rollback.sent
    };
    for how in WAYS {
        for nth in 1..=calls {
            let what = format!("{how:?} at call {nth} of {calls}");
            let world = waiting().await;
            world.strike(nth, how);
            let struck = world.run(&back).await;
            if let Ok(outcome) = &struck.result {
                assert_eq!(outcome.status, Status::RolledBack, "{what}");
                assert_eq!(share(&world, "httproutes"), 0.0, "{what}");
            }
            sleep(Duration::from_secs(5)).await;
            let again = world.run(&back).await;
            assert!(again.result.is_ok(), "{what}: {}", again.says());
            let recover = world.run(&["recover", "--service", "web"]).await;
            assert!(recover.result.is_ok(), "{what}: recover: {}", recover.says());
            sleep(Duration::from_secs(5)).await;
            whole(&world, &["shop:1"], &what);
            as_before(&world, &what);
            assert_eq!(left(&world), Vec::<String>::new(), "{what}");
            assert_eq!(replicas(&world, "web-green"), Some(0), "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_from_elsewhere_wins_at_every_call_of_a_canary() {
    let line = short();
    let calls = {
        let world = shop(gateway_route()).await;
        let deploy = world.run(&line).await;
        deploy.good();
        deploy.sent
    };
    for nth in 1..=calls {
        let what = format!("rolled back at call {nth} of {calls}");
        let world = shop(gateway_route()).await;
        world.strike(nth, How::Held);
        let deploying = world.run(&line);
        tokio::pin!(deploying);
        tokio::select! {
            biased;
            ended = &mut deploying => panic!("{what}: {}", ended.says()),
            () = world.held() => {}
        }
        let announced = object(&world, "services", "web").unwrap();
        if announced["metadata"]["annotations"]["deploy-actions/state"].is_null() {
            world.go_on();
            continue;
        }
        // The deploy stands still with this call on its way, and everything of the rollback happens.
        let back = world.other("8").run(&["rollback", "--service", "web"]).await;
        world.go_on();
        let deploy = deploying.await;
        assert!(back.result.is_ok(), "{what}: {}", back.says());
        sleep(Duration::from_secs(30)).await;
        whole(&world, &["shop:1"], &format!("{what}: {}", deploy.says()));
    }
}
