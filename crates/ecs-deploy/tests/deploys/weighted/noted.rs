//! What a run leaves that is over, but for stickiness: a note, and nobody's lock, on whichever side it is; and a tag that
//! nobody can read.

use std::sync::{Arc, Mutex};

use sandbox::stand_ins::aws::{Fault, Turn, World as Inside};

use super::*;

const BLUE: &str = "service/prod/web-blue";

/// Clients of the pair stick to their target group for an hour.
fn sticky(world: &World) -> Shop {
    let shop = pair(world);
    let mut actions = rule(world, &shop);
    actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({ "Enabled": true, "DurationSeconds": 3600 });
    let input = json!({ "RuleArn": shop.rule, "Actions": actions });
    world
        .cloud
        .act("elasticloadbalancing", "ModifyRule", input)
        .unwrap();
    shop
}

fn sticks(world: &World, shop: &Shop) -> Value {
    rule(world, shop)[0]["ForwardConfig"]["TargetGroupStickinessConfig"]["Enabled"].clone()
}

/// The stages in the tags that are there, blue's first.
fn stages(world: &World, shop: &Shop) -> Vec<String> {
    let values = tags(world, shop).into_iter();
    let values = values.map(|tag| tag["value"].as_str().unwrap_or_default().to_owned());
    let stage = |value: String| value.rsplit_once(" at=").unwrap_or_default().1.to_owned();
    values.map(stage).collect()
}

#[tokio::test(start_paused = true)]
async fn a_note_on_the_side_that_served_before_is_nobodys_lock() {
    let world = World::new().in_one_job();
    let shop = sticky(&world);
    world.run(&deploy(&shop, NEW)).await.good();
    assert_eq!(
        (sticks(&world, &shop), stages(&world, &shop)),
        (json!(false), vec!["over end".to_owned()])
    );
    let status = world.other("2").run(&line("status", &shop, &[])).await;
    let headline = "`web-green` (`web:2`) serves with all traffic, `web-blue` (`web:1`) with none";
    assert_eq!(status.good().headline, headline);
    assert!(
        status.log.contains("stickiness of the rule was off"),
        "{}",
        status.log
    );
    // The next deploy takes the other side, and keeps one note of what is still to be turned on.
    let next = world.other("8").run(&deploy(&shop, "shop:1.2.0")).await;
    assert_eq!(next.fact("live-service"), "web-blue", "{}", next.says());
    assert_eq!(world.cloud.serving(&shop), ["shop:1.2.0"]);
    assert_eq!(stages(&world, &shop), ["over end"]);
    let back = world.other("9").run(&line("rollback", &shop, &[])).await;
    assert_eq!(
        back.good().headline,
        "`web-green` serves `web:2` again, with all traffic"
    );
    assert_eq!(world.cloud.serving(&shop), [NEW]);
    scaling_is_restored(&world);
    let later = world.other("10");
    let early = later.run(&line("recover", &shop, &[])).await;
    assert!(early.good().headline.contains("nothing to do") && early.writes().is_empty());
    world.cloud.skip(Duration::from_secs(3700));
    let later = world.other("11");
    let turned = later.run(&line("recover", &shop, &[])).await;
    assert_eq!(turned.good().headline, "the stickiness of the rule is on again");
    assert_eq!(
        (sticks(&world, &shop), weights(&world, &shop)),
        (json!(true), (0, 100))
    );
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn a_rollback_right_after_a_deploy_and_a_recover_right_after_that_find_their_side() {
    let world = World::new().in_one_job();
    let shop = sticky(&world);
    world.run(&deploy(&shop, NEW)).await.good();
    let nothing = world.other("8").run(&line("recover", &shop, &[])).await;
    assert!(nothing.good().headline.starts_with("stickiness stays off"));
    let back = world.other("9").run(&line("rollback", &shop, &[])).await;
    assert_eq!(
        back.good().headline,
        "`web-blue` serves `web:1` again, with all traffic"
    );
    assert_eq!(
        (weights(&world, &shop), world.cloud.serving(&shop)),
        ((100, 0), vec![OLD.to_owned()])
    );
    scaling_is_restored(&world);
}

/// Writes the tag of a service over.
fn tagged(inside: &mut Inside, service: &str, value: &str) {
    let described = json!({ "cluster": "prod", "services": [service] });
    let described = inside.act("ecs", "DescribeServices", described).unwrap();
    let arn = described["services"][0]["serviceArn"].clone();
    let tags = json!([{ "key": "deploy-actions.ecs-deploy", "value": value }]);
    let input = json!({ "resourceArn": arn, "tags": tags });
    inside.act("ecs", "TagResource", input).unwrap();
}

/// Takes the tag of a service off, and gives what it was.
fn untagged(inside: &mut Inside, service: &str) -> String {
    let described = json!({ "cluster": "prod", "services": [service] });
    let described = inside.act("ecs", "DescribeServices", described).unwrap();
    let arn = described["services"][0]["serviceArn"].clone();
    let tags = inside.act("ecs", "ListTagsForResource", json!({ "resourceArn": arn }));
    let value = tags.unwrap()["tags"][0]["value"].as_str().unwrap().to_owned();
    let input = json!({ "resourceArn": arn, "tagKeys": ["deploy-actions.ecs-deploy"] });
    inside.act("ecs", "UntagResource", input).unwrap();
    value
}

#[tokio::test(start_paused = true)]
async fn the_lock_of_a_newer_version_stays_and_status_shows_it() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let newer = "2 run=acme/shop:99.1 of a time to come end";
    let steal = |inside: &mut Inside| tagged(inside, "web-blue", newer);
    world.cloud.after("ModifyRule", 1, steal);
    let ended = world.run(&deploy(&shop, NEW)).await;
    let said = ended.failed(Exit::Locked).error.to_string();
    assert!(said.contains("has schema 2"), "{said}");
    assert_eq!(weights(&world, &shop), (90, 10));
    assert_eq!(tags(&world, &shop)[0]["value"], newer);
    let suspended = world.cloud.world(|inside| inside.scaling.suspended(BLUE));
    assert_eq!(suspended, Some([true; 3]), "it holds scaling still by now");
    let status = world.other("2").run(&line("status", &shop, &[])).await;
    let headline = "`web-green` (`web:2`) gets 10% of the traffic, `web-blue` (`web:1`) the rest";
    assert_eq!(status.good().headline, headline);
    assert!(status.writes().is_empty());
    assert!(
        status.log.contains("has schema 2") && status.log.contains("take the tag"),
        "{}",
        status.log
    );
    for command in ["rollback", "recover", "promote"] {
        let ended = world.other("3").run(&line(command, &shop, &[])).await;
        ended.failed(Exit::Locked);
        assert!(ended.writes().is_empty(), "{command}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_tried_again_knows_scaling_as_it_was_before_it_was_pinned() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    // Blue is pinned, and the answer is lost; the tag that was written before does not show until the second claim.
    world
        .cloud
        .fault("RegisterScalableTarget", Turn::Nth(2), Fault::Lost);
    for nth in 6..=8 {
        let written = Arc::new(Mutex::new(String::new()));
        let back = Arc::clone(&written);
        world.cloud.before("ListTagsForResource", nth, move |inside| {
            *written.lock().unwrap() = untagged(inside, "web-blue");
        });
        world.cloud.after("ListTagsForResource", nth, move |inside| {
            tagged(inside, "web-blue", &back.lock().unwrap());
        });
    }
    let ended = world.run(&deploy(&shop, NEW)).await;
    ended.good();
    let claims = ended.writes()[1..5].to_vec();
    let twice = ["TagResource", "RegisterScalableTarget", "TagResource"];
    assert_eq!(claims[..3], twice, "{claims:?}");
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_taken_back_is_nothing_to_go_back_to() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    world.run(&deploy(&shop, NEW)).await.good();
    let bad = world.other("8").run(&deploy(&shop, "shop:1.2.0-crash")).await;
    bad.failed(Exit::Failed);
    let force = json!({ "cluster": "prod", "service": "web-green", "forceNewDeployment": true });
    world.cloud.act("ecs", "UpdateService", force).unwrap();
    world.cloud.skip(Duration::from_secs(600));
    let back = world.other("9").run(&line("rollback", &shop, &[])).await;
    let said = back.failed(Exit::Usage).error.to_string();
    assert!(said.contains("there is nothing to go back to"), "{said}");
    assert!(back.writes().is_empty());
    assert_eq!(world.cloud.serving(&shop), [NEW]);
    // What serves in the end is one, whatever was tried before; and back again.
    let next = world.other("10").run(&deploy(&shop, "shop:1.3.0")).await;
    assert_eq!(next.fact("live-service"), "web-blue");
    let back = world.other("11").run(&line("rollback", &shop, &[])).await;
    back.good();
    assert_eq!(world.cloud.serving(&shop), [NEW]);
}
