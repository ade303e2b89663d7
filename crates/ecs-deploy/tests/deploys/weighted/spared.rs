//! What one bad answer does not do: end a shift half way, or keep a bad version in service.

use sandbox::stand_ins::aws::{Fault, Turn};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_stale_answer_of_the_rule_is_no_change_of_somebody_else() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let forward = |blue: u64| {
        json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": [
            { "TargetGroupArn": shop.group, "Weight": blue },
            { "TargetGroupArn": shop.other_group, "Weight": 100 - blue },
        ] } }])
    };
    let write = |actions: Value| {
        let input = json!({ "RuleArn": shop.rule, "Actions": actions });
        move |inside: &mut sandbox::stand_ins::aws::World| {
            inside.act("elasticloadbalancing", "ModifyRule", input).unwrap();
        }
    };
    // In the time of the first step one look shows the weights before, and the next ones do not.
    let nth = {
        let (stage, calls) = (World::new().in_one_job(), Duration::from_secs(30));
        let shop = pair(&stage);
        let ended = stage.run(&deploy(&shop, NEW)).await;
        let moved = ended.calls.iter().find(|call| call.operation == "ModifyRule");
        let moved = moved.unwrap().at + calls;
        let rules = ended
            .calls
            .iter()
            .filter(|call| call.operation == "DescribeRules");
        rules.take_while(|call| call.at < moved).count()
    };
    world.cloud.before("DescribeRules", nth, write(forward(100)));
    world.cloud.before("DescribeRules", nth + 1, write(forward(90)));
    let ended = world.run(&deploy(&shop, NEW)).await;
    ended.good();
    assert_eq!(world.cloud.serving(&shop), [NEW]);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn before_it_gives_up_the_traffic_goes_back_by_the_rule_alone() {
    // From the second step on.
    let at = {
        let stage = World::new().in_one_job();
        let shop = pair(&stage);
        let ended = stage.run(&deploy(&shop, NEW)).await;
        let mut moves = ended.calls.iter().filter(|call| call.operation == "ModifyRule");
        moves.nth(1).unwrap().at + Duration::from_secs(20)
    };
    for operation in ["ListTagsForResource", "DescribeTargetHealth", "DescribeServices"] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        world.cloud.fault(operation, Turn::Since(at), Fault::Unavailable);
        let shift = [deploy(&shop, NEW), vec!["--api-grace", "1m"]].concat();
        let ended = world.run(&shift).await;
        assert_eq!(weights(&world, &shop), (100, 0), "{operation}: {}", ended.says());
        assert_eq!(world.cloud.serving(&shop), [OLD]);
        assert_ne!(ended.exit(), 0);
        world.cloud.heal();
        tokio::time::advance(Duration::from_secs(20 * 60)).await;
        world.other("8").run(&line("recover", &shop, &[])).await.good();
        scaling_is_restored(&world);
        no_tag_is_left(&world, &shop);
    }
}
