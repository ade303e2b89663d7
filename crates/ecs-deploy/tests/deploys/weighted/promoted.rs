//! What is promoted, and to how many tasks: the version that was judged, as large as what it takes the place of; and which
//! target groups the rule weighs.

use sandbox::stand_ins::aws::World as Inside;

use super::*;

fn update(inside: &mut Inside, service: &str, mut more: Value) {
    more["cluster"] = json!("prod");
    more["service"] = json!(service);
    inside.act("ecs", "UpdateService", more).unwrap();
}

/// A deploy that stopped at a tenth.
async fn stopped(world: &World) -> Shop {
    let shop = pair(world);
    let until = ["--image", NEW, "--steps", STEPS, "--until", "10%"];
    world.run(&line("deploy", &shop, &until)).await.good();
    shop
}

fn promote(shop: &Shop) -> Vec<&str> {
    line("promote", shop, &["--steps", STEPS, "--keep", "1m"])
}

/// So many targets of green are healthy when its second step is written.
fn healthy_at_the_next_step(world: &World, shop: &Shop, count: usize) {
    let group = json!({ "TargetGroupArn": shop.other_group });
    world.cloud.before("ModifyRule", 2, move |inside| {
        let health = inside.act("elasticloadbalancing", "DescribeTargetHealth", group);
        let health = health.unwrap();
        let targets = health["TargetHealthDescriptions"].as_array().unwrap();
        let healthy = targets
            .iter()
            .filter(|target| target["TargetHealth"]["State"] == "healthy");
        assert_eq!(healthy.count(), count, "{targets:?}");
    });
}

/// The sizes that green is asked to have.
fn sizes(ended: &crate::cloud::Ended) -> Vec<Value> {
    let updates = ended
        .calls
        .iter()
        .filter(|call| call.operation == "UpdateService");
    let green = updates.filter(|call| call.input["service"] == "web-green");
    green.map(|call| call.input["desiredCount"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_side_that_is_scaled_to_nothing_gets_its_tasks_before_more_traffic() {
    let none = |inside: &mut Inside| update(inside, "web-green", json!({ "desiredCount": 0 }));
    let world = World::new().in_one_job();
    let shop = stopped(&world).await;
    world.cloud.after("TagResource", 4, none);
    healthy_at_the_next_step(&world, &shop, 3);
    let ended = world.other("8").run(&promote(&shop)).await;
    ended.good();
    assert_eq!(sizes(&ended), [json!(3)]);
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn it_grows_with_the_side_that_serves_before_it_gets_more() {
    let world = World::new().in_one_job();
    let shop = stopped(&world).await;
    let more = |inside: &mut Inside| update(inside, "web-blue", json!({ "desiredCount": 8 }));
    world.cloud.world(more);
    world.cloud.skip(Duration::from_secs(600));
    healthy_at_the_next_step(&world, &shop, 8);
    let ended = world.other("8").run(&promote(&shop)).await;
    ended.good();
    assert_eq!(sizes(&ended), [json!(8)]);
    let begun = ended
        .calls
        .iter()
        .filter(|call| call.operation == "UpdateService");
    let forced = begun.filter(|call| call.input["forceNewDeployment"] == true);
    assert_eq!(forced.count(), 0);
    assert_eq!(
        (desired(&world, "web-green"), world.cloud.serving(&shop)),
        (8, vec![NEW.to_owned()])
    );
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn in_one_deploy_too() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let more = |inside: &mut Inside| update(inside, "web-blue", json!({ "desiredCount": 6 }));
    world.cloud.after("ModifyRule", 1, more);
    let force = [deploy(&shop, NEW), vec!["--force-new-deployment"]].concat();
    let ended = world.run(&force).await;
    ended.good();
    assert_eq!(sizes(&ended), [json!(3), json!(6)]);
    assert_eq!(desired(&world, "web-green"), 6);
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_deployed_meanwhile_is_not_promoted() {
    let world = World::new().in_one_job();
    let shop = stopped(&world).await;
    let held = tags(&world, &shop)[0]["value"].as_str().unwrap().to_owned();
    assert!(held.contains(" rev=2 "), "{held}");
    let theirs = |inside: &mut Inside| update(inside, "web-green", json!({ "taskDefinition": "web:1" }));
    world.cloud.world(theirs);
    world.cloud.skip(Duration::from_secs(600));
    let ended = world.other("8").run(&promote(&shop)).await;
    let said = ended.failed(Exit::Locked).error.to_string();
    let why = "`web-green` has `web:1`, where run `acme/shop:7.1` brought revision 2; nothing was changed";
    assert_eq!(said, why);
    assert!(ended.writes().is_empty());
    assert_eq!(weights(&world, &shop), (90, 10));
    world.other("9").run(&line("rollback", &shop, &[])).await.good();
    assert_eq!(world.cloud.serving(&shop), [OLD]);
    no_tag_is_left(&world, &shop);
}

/// Both services get a second target group of their own, which stands first.
fn with_admin(world: &World, shop: &Shop) -> [String; 2] {
    let made = ["blue", "green"].map(|side| {
        let group = json!({
            "Name": format!("admin-{side}"), "Protocol": "HTTP", "Port": 8080, "TargetType": "ip", "VpcId": "vpc-1",
        });
        let made = world.cloud.act("elasticloadbalancing", "CreateTargetGroup", group).unwrap();
        made["TargetGroups"][0]["TargetGroupArn"].as_str().unwrap().to_owned()
    });
    let own = [&shop.group, &shop.other_group];
    for ((service, admin), own) in ["web-blue", "web-green"].into_iter().zip(&made).zip(own) {
        let balancers = [admin, own]
            .map(|group| json!({ "targetGroupArn": group, "containerName": "app", "containerPort": 8080 }));
        world
            .cloud
            .world(|inside| update(inside, service, json!({ "loadBalancers": balancers })));
    }
    world.cloud.skip(Duration::from_secs(900));
    made
}

#[tokio::test(start_paused = true)]
async fn the_rule_says_which_of_several_target_groups_it_weighs() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let [_, admin] = with_admin(&world, &shop);
    world.run(&deploy(&shop, NEW)).await.good();
    assert_eq!(weights(&world, &shop), (0, 100));
    assert_eq!(
        rule(&world, &shop)[0]["ForwardConfig"]["TargetGroups"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // A rule that names none of the idle side's, or two.
    let unclear = [
        json!([{ "TargetGroupArn": shop.other_group, "Weight": 100 }]),
        json!([
            { "TargetGroupArn": shop.group, "Weight": 100 },
            { "TargetGroupArn": shop.other_group, "Weight": 0 },
            { "TargetGroupArn": admin, "Weight": 0 },
        ]),
    ];
    for groups in unclear {
        let actions = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }]);
        let input = json!({ "RuleArn": shop.rule, "Actions": actions });
        world
            .cloud
            .act("elasticloadbalancing", "ModifyRule", input)
            .unwrap();
        for command in [deploy(&shop, "shop:1.2.0"), line("rollback", &shop, &[])] {
            let ended = world.other("8").run(&command).await;
            let said = ended.failed(Exit::Usage).error.to_string();
            assert!(
                said.contains("which target groups it weighs is not clear"),
                "{said}"
            );
            assert!(ended.writes().is_empty());
        }
    }
}
