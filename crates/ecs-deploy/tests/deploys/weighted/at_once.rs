//! Two runs at the same pair: one of them deploys, and the other one writes nothing that counts.

use sandbox::stand_ins::aws::World as Inside;
use tokio::time::sleep;

use super::order::{crowded, foreign, is_tidy, sends_no_more_than_asked};
use super::*;

const OTHER: &str = "shop:1.2.0";

fn short<'a>(shop: &'a Shop, image: &'a str) -> Vec<&'a str> {
    line(
        "deploy",
        shop,
        &[
            "--image",
            image,
            "--steps",
            "50% 10s, 100%",
            "--keep",
            "5s",
            "--poll",
            "20s",
        ],
    )
}

#[tokio::test(start_paused = true)]
async fn who_comes_while_another_holds_the_lock_writes_nothing() {
    // While the new side warms up, at a step, and while the earlier version is kept.
    for after in [5, 30, 70, 130, 200] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        let (first, second) = (deploy(&shop, NEW), deploy(&shop, OTHER));
        let other = world.other("8");
        let (ended, refused) = tokio::join!(world.run(&first), async {
            sleep(Duration::from_secs(after)).await;
            other.run(&second).await
        });
        ended.good();
        refused.failed(Exit::Locked);
        let says = refused.says();
        assert!(says.contains("run `acme/shop:7."), "{after}: {says}");
        assert_eq!(refused.fact("status"), "failed");
        assert_eq!(world.cloud.serving(&shop), [NEW], "{after}");
        // Of that image nothing was even registered.
        let registered = world.cloud.calls("RegisterTaskDefinition");
        assert!(
            !registered
                .iter()
                .any(|call| call.input.to_string().contains(OTHER)),
            "{after}"
        );
        scaling_is_restored(&world);
        no_tag_is_left(&world, &shop);
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_that_claim_in_the_same_second_one_wins() {
    let mut both = 0;
    for offset in (0..=400).step_by(20) {
        let story = format!("{offset}ms");
        let world = World::new().in_one_job();
        let shop = crowded(&world);
        let others = foreign(&world, &shop);
        let other = world.other("8");
        let (first, second) = (short(&shop, NEW), short(&shop, OTHER));
        let (first, second) = tokio::join!(world.run(&first), async {
            sleep(Duration::from_millis(offset)).await;
            other.run(&second).await
        });
        let serves = world.cloud.serving(&shop);
        let (winner, loser) = match (first.exit(), second.exit()) {
            (0, 6) => (NEW, &second),
            (6, 0) => (OTHER, &first),
            (one, two) => panic!("{story}: {one} and {two}\n{}\n{}", first.log, second.log),
        };
        let says = loser.says();
        assert!(
            says.contains("the lock") || says.contains("someone else deploys"),
            "{story}: {says}"
        );
        assert_eq!(serves, [winner], "{story}");
        both += usize::from(loser.writes().contains(&"TagResource"));
        assert_eq!(foreign(&world, &shop), others, "{story}");
        sends_no_more_than_asked(&first, &shop, &story);
        is_tidy(&world, &shop, &story);
        // Whoever lost deploys after it.
        let again = if winner == NEW { OTHER } else { NEW };
        world.other("9").run(&short(&shop, again)).await.good();
        assert_eq!(world.cloud.serving(&shop), [again], "{story}");
        is_tidy(&world, &shop, &story);
    }
    assert!(both > 0, "some of them claimed at the same time");
}

/// The tag of another run.
const THEIRS: &str = "1 run=acme/shop:9.1 trace=0af7651916cd43dd8448eb211c80319c began=2026-01-02T03:04:05Z \
                      seen=2026-01-01T00:00:00Z before=100:0 wrote=100:0 step=0 idle=0 end";

/// The claim of another run: its tag, and scaling held still.
fn claim(inside: &mut Inside, theirs: &str) {
    let described = json!({ "cluster": "prod", "services": ["web-blue"] });
    let described = inside.act("ecs", "DescribeServices", described).unwrap();
    let arn = described["services"][0]["serviceArn"].clone();
    let tag =
        json!({ "resourceArn": arn, "tags": [{ "key": "deploy-actions.ecs-deploy", "value": theirs }] });
    inside.act("ecs", "TagResource", tag).unwrap();
    let scaling = json!({
        "ServiceNamespace": "ecs", "ResourceId": "service/prod/web-blue",
        "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 2, "MaxCapacity": 8,
        "SuspendedState": {
            "DynamicScalingInSuspended": true, "DynamicScalingOutSuspended": true, "ScheduledScalingSuspended": true,
        },
    });
    inside
        .act("application-autoscaling", "RegisterScalableTarget", scaling)
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_another_run_holds_still_is_not_taken_for_what_was_before() {
    for (theirs, words) in [
        (THEIRS, "run `acme/shop:9.1` holds the lock"),
        // Of a version that is not known here.
        ("9 run=acme/shop:9.1", "changed by someone else"),
    ] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        // Between the look that shows no lock and the claim.
        world
            .cloud
            .before("DescribeScalableTargets", 1, |inside| claim(inside, theirs));
        let ended = world.run(&deploy(&shop, NEW)).await;
        ended.failed(Exit::Locked);
        assert!(ended.says().contains(words), "{}", ended.says());
        assert_eq!(ended.writes(), ["RegisterTaskDefinition"]);
        assert_eq!(tags(&world, &shop)[0]["value"], theirs);
    }
}
