//! A lock that is lost, that can't be taken, and that must be renewed.

use sandbox::stand_ins::aws::{Fault, Refusal, Turn};
use tokio::time::sleep;

use super::*;

fn held(world: &World, shop: &Shop) -> String {
    tags(world, shop)[0]["value"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_rollback_by_another_run_stops_one_that_warms_up() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    // It needs two minutes to be healthy.
    let slow = Behaviour::good().checked(Checks::healthy_after(Duration::from_secs(120)));
    world.cloud.world(|world| world.ecs.image(NEW, slow));
    let first = deploy(&shop, NEW);
    let other = world.other("8");
    let (ended, back) = tokio::join!(world.run(&first), async {
        sleep(Duration::from_secs(40)).await;
        other.run(&line("rollback", &shop, &[])).await
    });
    back.good();
    let failure = ended.failed(Exit::Locked);
    assert!(
        failure
            .error
            .to_string()
            .contains("another run undid this deploy"),
        "{}",
        failure.error
    );
    assert_eq!(ended.fact("status"), "superseded");
    assert!(!ended.writes().contains(&"ModifyRule"));
    assert_eq!(world.cloud.serving(&shop), [OLD]);
    assert_eq!(desired(&world, "web-green"), 0);
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn scaling_is_given_back_although_somebody_took_the_tag_off() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let arn = world
        .cloud
        .act(
            "ecs",
            "DescribeServices",
            json!({ "cluster": "prod", "services": ["web-blue"] }),
        )
        .unwrap()["services"][0]["serviceArn"]
        .clone();
    let untag = json!({ "resourceArn": arn, "tagKeys": ["deploy-actions.ecs-deploy"] });
    // While the earlier version is kept.
    world.cloud.after("TagResource", 5, move |inside| {
        inside.act("ecs", "UntagResource", untag).unwrap();
    });
    let ended = world.run(&deploy(&shop, NEW)).await;
    ended.good();
    assert_eq!(desired(&world, "web-blue"), 3, "it may be another's by now");
    assert!(
        ended.log.contains("because the lock of this run is gone"),
        "{}",
        ended.log
    );
    assert_eq!(world.cloud.serving(&shop), [NEW]);
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn the_lock_is_renewed_while_the_new_side_warms_up() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let slow = Behaviour::good().checked(Checks::healthy_after(Duration::from_secs(20 * 60)));
    world.cloud.world(|world| world.ecs.image(NEW, slow));
    let first = [deploy(&shop, NEW), vec!["--warm-up", "30m", "--timeout", "1h"]].concat();
    let other = world.other("8");
    let (ended, early) = tokio::join!(world.run(&first), async {
        // Longer than a lock lasts that nobody renews.
        sleep(Duration::from_secs(18 * 60)).await;
        other.run(&line("recover", &shop, &[])).await
    });
    early.failed(Exit::Locked);
    ended.good();
    assert_eq!(world.cloud.serving(&shop), [NEW]);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_may_not_be_written_is_named_and_is_no_lock_of_others() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    world.cloud.fault("TagResource", Turn::Every, Fault::Denied);
    let ended = world.run(&deploy(&shop, NEW)).await;
    ended.failed(Exit::Access);
    assert!(ended.says().contains("ecs:TagResource"), "{}", ended.says());
    world.cloud.heal();
    assert_eq!(world.cloud.serving(&shop), [OLD]);
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn what_waits_to_be_promoted_still_does_where_it_could_not_be_claimed() {
    // Before anything is written, and the tag itself.
    for operation in ["DescribeScalableTargets", "TagResource"] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        let until = ["--image", NEW, "--steps", STEPS, "--until", "10%"];
        world.run(&line("deploy", &shop, &until)).await.good();
        let calls = world.cloud.calls(operation).len();
        let refused = Fault::Refused(Refusal::new("ValidationException", "no"));
        for more in 1..=40 {
            world
                .cloud
                .fault(operation, Turn::Nth(calls + more), refused.clone());
        }
        let promote = line("promote", &shop, &["--steps", STEPS]);
        let ended = world.other("8").run(&promote).await;
        ended.failed(Exit::Access);
        assert_eq!(weights(&world, &shop), (90, 10));
        assert!(held(&world, &shop).contains("at=paused"), "{operation}");
        world.cloud.heal();
        world.other("9").run(&promote).await.good();
        assert_eq!(world.cloud.serving(&shop), [NEW]);
        scaling_is_restored(&world);
        no_tag_is_left(&world, &shop);
    }
}

#[tokio::test(start_paused = true)]
async fn a_signal_in_the_claim_gives_back_what_was_taken() {
    for operation in ["TagResource", "RegisterScalableTarget"] {
        for after in [false, true] {
            let world = World::new().in_one_job();
            let shop = pair(&world);
            world.cancel_at(operation, 1, after);
            let ended = world.run(&deploy(&shop, NEW)).await;
            ended.failed(Exit::Terminated);
            assert_eq!(world.cloud.serving(&shop), [OLD]);
            scaling_is_restored(&world);
            no_tag_is_left(&world, &shop);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_signal_before_a_promote_claims_leaves_what_waits_as_it_is() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let until = ["--image", NEW, "--steps", STEPS, "--until", "10%"];
    world.run(&line("deploy", &shop, &until)).await.good();
    let before = held(&world, &shop);
    let other = world.other("8");
    let promote = line("promote", &shop, &["--steps", STEPS]);
    // The call of the first look.
    let reads = {
        let calls = world.cloud.log().len();
        let world = World::new().in_one_job();
        let shop = pair(&world);
        world.run(&line("deploy", &shop, &until)).await.good();
        let promote = line("promote", &shop, &["--steps", STEPS]);
        let ended = world.other("8").run(&promote).await;
        assert!(calls > 0);
        let claim = ended.calls.iter().position(|call| call.writes()).unwrap();
        let looks = ended.calls[..claim].iter();
        looks
            .filter(|call| call.operation == "DescribeTargetHealth")
            .count()
    };
    other.cancel_at("DescribeTargetHealth", reads, true);
    let ended = other.run(&promote).await;
    ended.failed(Exit::Terminated);
    assert!(ended.says().contains("ecs-deploy promote"), "{}", ended.says());
    assert_eq!((weights(&world, &shop), ended.writes().len()), ((90, 10), 0));
    assert_eq!(held(&world, &shop), before);
    world.other("9").run(&promote).await.good();
    assert_eq!(world.cloud.serving(&shop), [NEW]);
}

#[tokio::test(start_paused = true)]
async fn a_lock_from_a_time_far_to_come_is_out_of_date() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let described = json!({ "cluster": "prod", "services": ["web-blue"] });
    let described = world.cloud.act("ecs", "DescribeServices", described).unwrap();
    let theirs = "1 run=acme/shop:9.1 trace=0af7651916cd43dd8448eb211c80319c began=2026-01-02T03:04:05Z \
                  seen=2099-01-02T03:09:05Z before=100:0 wrote=90:10 step=1 idle=0 end";
    let arn = &described["services"][0]["serviceArn"];
    let tag =
        json!({ "resourceArn": arn, "tags": [{ "key": "deploy-actions.ecs-deploy", "value": theirs }] });
    world.cloud.act("ecs", "TagResource", tag).unwrap();
    world.run(&line("recover", &shop, &[])).await.good();
    no_tag_is_left(&world, &shop);
}
