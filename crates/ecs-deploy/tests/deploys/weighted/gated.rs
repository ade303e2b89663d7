//! Gates of weighted deploys, with gate files that ask CloudWatch.

use std::sync::Arc;

use sandbox::stand_ins::aws::{Fault, Turn};
use tokio::time::sleep;

use super::*;
use crate::cloud::Ended;

/// Steps that last long enough for CloudWatch to tell of them.
const LASTING: &str = "10% 5m, 50% 5m, 100% 5m";

fn file(name: &str) -> String {
    format!("{}/tests/deploys/gates/{name}.yml", env!("CARGO_MANIFEST_DIR"))
}

/// A hundred requests each ten seconds. Of those to the new version so many of a hundred end in a 500, from a share of the
/// traffic on.
fn traffic(world: &World, shop: &Shop, errors: f64, from: f64) {
    let (cloud, shop) = (Arc::clone(&world.cloud), shop.clone());
    tokio::spawn(async move {
        loop {
            sleep(Duration::from_secs(10)).await;
            cloud.world(|world| {
                let now = world.now();
                for (image, share) in world.shares(&shop.cluster, &shop.services()) {
                    let is_new = image.contains("1.1.");
                    let service = [("Service", if is_new { "web-green" } else { "web-blue" })];
                    let mut record = |metric: &str, value: f64| {
                        let namespace = "AWS/ApplicationELB";
                        world.metrics.record(namespace, metric, &service, now, value);
                    };
                    record("RequestCount", 100.0 * share);
                    if is_new && share >= from && errors > 0.0 {
                        record("HTTPCode_Target_5XX_Count", errors * share);
                    }
                }
            });
        }
    });
}

async fn gated(world: &World, shop: &Shop, gate: &str, more: &[&str]) -> Ended {
    let gate = file(gate);
    let flags = ["--image", NEW, "--keep", "2m", "--gate", &gate];
    world.run(&line("deploy", shop, &[&flags, more].concat())).await
}

fn moves(ended: &Ended) -> usize {
    let writes = ended.writes();
    writes.iter().filter(|write| **write == "ModifyRule").count()
}

#[tokio::test(start_paused = true)]
async fn each_step_is_watched_for_as_long_as_it_lasts() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    traffic(&world, &shop, 0.0, 0.0);
    let ended = gated(&world, &shop, "steady", &["--steps", LASTING]).await;
    assert_eq!(
        ended.good().headline,
        "`web-green` serves `web:2` with all traffic"
    );
    assert_eq!(moves(&ended), 3);
    let told = ended.fact("gates");
    assert_eq!(told.matches("3 rules held for 5m").count(), 3, "{told}");
    assert!(ended.took > Duration::from_secs(17 * 60), "{:?}", ended.took);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn a_no_in_any_step_moves_the_traffic_back_with_the_rule_as_the_reason() {
    for (from, at, moved) in [(0.0, "10%", 2), (0.4, "50%", 3), (0.9, "100%", 4)] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        traffic(&world, &shop, 9.0, from);
        let ended = gated(&world, &shop, "steady", &["--steps", LASTING]).await;
        let said = ended.failed(Exit::Failed).error.to_string();
        assert!(
            said.starts_with(&format!(
                "`web-blue` serves with all traffic: the gate said no at {at}: "
            )),
            "{said}"
        );
        assert_eq!(
            (moves(&ended), weights(&world, &shop), ended.fact("status")),
            (moved, (100, 0), "rolled-back".to_owned())
        );
        assert!(ended.fact("gates").contains("\"verdict\":\"fail\""));
        assert_eq!(world.cloud.serving(&shop), [OLD]);
        scaling_is_restored(&world);
        no_tag_is_left(&world, &shop);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_a_version_that_its_gate_does_not_find_ready() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    traffic(&world, &shop, 0.0, 0.0);
    let ended = gated(&world, &shop, "blue-green", &["--steps", LASTING]).await;
    let said = ended.failed(Exit::Failed).error.to_string();
    assert!(said.contains("the gate said no: not ready after "), "{said}");
    assert_eq!((moves(&ended), desired(&world, "web-green")), (0, 0));
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn a_promoted_step_is_watched_too() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    traffic(&world, &shop, 9.0, 0.4);
    let until = ["--steps", LASTING, "--until", "10%"];
    gated(&world, &shop, "steady", &until).await.good();
    let gate = file("steady");
    let promote = line("promote", &shop, &["--steps", LASTING, "--gate", &gate]);
    let ended = world.other("8").run(&promote).await;
    let said = ended.failed(Exit::Failed).error.to_string();
    assert!(said.contains("the gate said no at 50%: "), "{said}");
    assert_eq!((moves(&ended), weights(&world, &shop)), (2, (100, 0)));
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_could_never_judge_is_refused_before_anything_is_changed() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    for (steps, why) in [("100%", "no step lasts"), ("10% 30s, 100%", "steady.yml")] {
        let ended = gated(&world, &shop, "steady", &["--steps", steps]).await;
        let said = ended.failed(Exit::Usage).error.to_string();
        assert!(said.contains(why), "{said}");
        assert!(ended.writes().is_empty(), "{steps}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_no_counts_although_nothing_but_the_rule_can_be_read() {
    let second_move = {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        traffic(&world, &shop, 0.0, 0.0);
        let ended = gated(&world, &shop, "steady", &["--steps", LASTING]).await;
        let mut moves = ended.calls.iter().filter(|call| call.operation == "ModifyRule");
        moves.nth(1).unwrap().at
    };
    for operation in ["ListTagsForResource", "DescribeTargetHealth"] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        traffic(&world, &shop, 9.0, 0.4);
        let since = Turn::Since(second_move + Duration::from_secs(20));
        world.cloud.fault(operation, since, Fault::Unavailable);
        let more = ["--steps", LASTING, "--api-grace", "10m"];
        let ended = gated(&world, &shop, "steady", &more).await;
        assert_eq!(weights(&world, &shop), (100, 0), "{operation}: {}", ended.says());
        let back = ended
            .calls
            .iter()
            .rfind(|call| call.operation == "ModifyRule")
            .unwrap();
        // Within the time of the step, and long before the API was given up.
        assert!(
            back.at < second_move + Duration::from_secs(330),
            "{operation}: {:?}",
            back.at
        );
    }
}
