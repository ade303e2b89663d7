//! Somebody else: who changes the rule, deploys, or holds the lock; and what of the rule is not this tool's.

use sandbox::stand_ins::aws::World as Inside;

use super::*;

fn forward(shop: &Shop, blue: u64, green: u64) -> Value {
    json!({ "Type": "forward", "ForwardConfig": { "TargetGroups": [
        { "TargetGroupArn": shop.group, "Weight": blue }, { "TargetGroupArn": shop.other_group, "Weight": green },
    ] } })
}

fn write(inside: &mut Inside, shop: &Shop, actions: &Value) {
    let input = json!({ "RuleArn": shop.rule, "Actions": actions });
    inside.act("elasticloadbalancing", "ModifyRule", input).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_foreign_change_of_the_rule_stops_the_shift() {
    // Right after a write of this run, and right before one.
    for nth in [2, 3] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        let theirs = shop.clone();
        let change = move |inside: &mut Inside| write(inside, &theirs, &json!([forward(&theirs, 70, 30)]));
        if nth == 2 {
            world.cloud.after("ModifyRule", nth, change);
        } else {
            // The tag of the step is written, and the rule is read after that.
            world.cloud.after("TagResource", nth, change);
        }
        let ended = world.run(&deploy(&shop, NEW)).await;
        let failure = ended.failed(Exit::Locked);
        assert!(
            failure
                .error
                .to_string()
                .contains("changed by someone else: 70 old, 30 new"),
            "{}",
            failure.error
        );
        assert_eq!(
            (weights(&world, &shop), ended.fact("status")),
            ((70, 30), "superseded".to_owned())
        );
        assert!(ended.says().contains("ecs-deploy rollback"), "{}", ended.says());
        // The tag is all that says which side served before.
        assert_eq!(tags(&world, &shop).len(), 1);
        world.other("8").run(&line("rollback", &shop, &[])).await.good();
        assert_eq!(world.cloud.serving(&shop), [OLD]);
        scaling_is_restored(&world);
        no_tag_is_left(&world, &shop);
    }
}

#[tokio::test(start_paused = true)]
async fn sign_in_and_stickiness_survive() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let oidc = json!({ "Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {
        "Issuer": "https://id.example.com", "AuthorizationEndpoint": "https://id.example.com/a",
        "TokenEndpoint": "https://id.example.com/t", "UserInfoEndpoint": "https://id.example.com/u",
        "ClientId": "shop", "ClientSecret": "secret",
    } });
    let mut forward = forward(&shop, 100, 0);
    forward["Order"] = json!(2);
    forward["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({ "Enabled": true, "DurationSeconds": 60 });
    world
        .cloud
        .world(|inside| write(inside, &shop, &json!([oidc, forward])));
    let before = rule(&world, &shop);
    let ended = world.run(&deploy(&shop, NEW)).await;
    ended.good();
    let mut after = rule(&world, &shop);
    assert_eq!(weights(&world, &shop), (0, 100));
    for (weight, group) in [(100, 0), (0, 1)] {
        after[1]["ForwardConfig"]["TargetGroups"][group]["Weight"] = json!(weight);
    }
    assert_eq!(after, before);
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn who_sticks_to_a_bad_version_is_moved_too() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let mut forward = forward(&shop, 100, 0);
    forward["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({ "Enabled": true, "DurationSeconds": 3600 });
    world
        .cloud
        .world(|inside| write(inside, &shop, &json!([forward])));
    let sticks = |world: &World| {
        rule(world, &shop)[0]["ForwardConfig"]["TargetGroupStickinessConfig"]["Enabled"].clone()
    };
    world
        .run(&line(
            "deploy",
            &shop,
            &["--image", NEW, "--steps", STEPS, "--until", "10%"],
        ))
        .await
        .good();
    assert_eq!(sticks(&world), true);
    let back = world.other("8").run(&line("rollback", &shop, &[])).await;
    back.good();
    assert!(
        back.log.contains("stickiness of the rule stays off"),
        "{}",
        back.log
    );
    assert_eq!((sticks(&world), weights(&world, &shop)), (json!(false), (100, 0)));
    scaling_is_restored(&world);
    // The note of it is nobody's lock.
    let fresh = world.other("9");
    let early = fresh.run(&line("recover", &shop, &[])).await;
    assert!(early.good().headline.contains("nothing to do") && early.writes().is_empty());
    tokio::time::advance(Duration::from_secs(3700)).await;
    let later = fresh.run(&line("recover", &shop, &[])).await;
    assert_eq!(later.good().headline, "the stickiness of the rule is on again");
    assert_eq!((sticks(&world), weights(&world, &shop)), (json!(true), (100, 0)));
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn a_second_run_waits_for_the_first() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let first = deploy(&shop, NEW);
    let second = world.other("8");
    let (ended, refused) = tokio::join!(world.run(&first), async {
        tokio::time::sleep(Duration::from_secs(30)).await;
        let deploy = second.run(&deploy(&shop, "shop:1.2.0")).await;
        let recover = second.run(&line("recover", &shop, &[])).await;
        [deploy, recover]
    });
    ended.good();
    for refused in refused {
        let failure = refused.failed(Exit::Locked);
        assert!(
            failure.error.to_string().contains("holds the lock"),
            "{}",
            failure.error
        );
    }
    assert_eq!(world.cloud.serving(&shop), [NEW]);
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_is_taken_ends_this_run() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let arn = world.cloud.act(
        "ecs",
        "DescribeServices",
        json!({ "cluster": "prod", "services": ["web-blue"] }),
    );
    let arn = arn.unwrap()["services"][0]["serviceArn"].clone();
    let theirs = "1 run=acme/shop:9.1 trace=0af7651916cd43dd8448eb211c80319c began=2026-01-02T03:04:05Z \
                  seen=2099-01-02T03:09:05Z before=100:0 wrote=90:10 step=1 idle=0 end";
    let tag =
        json!({ "resourceArn": arn, "tags": [{ "key": "deploy-actions.ecs-deploy", "value": theirs }] });
    let steal = move |inside: &mut Inside| drop(inside.act("ecs", "TagResource", tag).unwrap());
    world.cloud.after("ModifyRule", 1, steal);
    let ended = world.run(&deploy(&shop, NEW)).await;
    let failure = ended.failed(Exit::Locked);
    assert!(
        failure
            .error
            .to_string()
            .contains("run `acme/shop:9.1` took the lock"),
        "{}",
        failure.error
    );
    assert_eq!(
        (weights(&world, &shop), tags(&world, &shop)[0]["value"].clone()),
        ((90, 10), json!(theirs))
    );
}

#[tokio::test(start_paused = true)]
async fn a_deployment_of_someone_else_turns_the_shift_back() {
    for service in ["web-blue", "web-green"] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        let deploys = move |inside: &mut Inside| {
            let update = json!({ "cluster": "prod", "service": service, "forceNewDeployment": true, "taskDefinition": "web:1" });
            inside.act("ecs", "UpdateService", update).unwrap();
        };
        world.cloud.after("ModifyRule", 1, deploys);
        let ended = world.run(&deploy(&shop, NEW)).await;
        let failure = ended.failed(Exit::Locked);
        assert!(
            failure.error.to_string().contains("someone else deploys"),
            "{}",
            failure.error
        );
        assert_eq!(weights(&world, &shop), (100, 0));
        scaling_is_restored(&world);
        no_tag_is_left(&world, &shop);
    }
}

#[tokio::test(start_paused = true)]
async fn mixed_weights_and_nothing_that_runs_are_refused() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    world
        .cloud
        .world(|inside| write(inside, &shop, &json!([forward(&shop, 50, 50)])));
    for command in [
        deploy(&shop, NEW),
        line("recover", &shop, &[]),
        line("rollback", &shop, &[]),
    ] {
        let ended = world.run(&command).await;
        ended.failed(Exit::Locked);
        assert!(!ended.writes().contains(&"ModifyRule"));
    }
    world
        .cloud
        .world(|inside| write(inside, &shop, &json!([forward(&shop, 100, 0)])));
    let none = json!({ "cluster": "prod", "service": "web-blue", "desiredCount": 0 });
    world.cloud.act("ecs", "UpdateService", none).unwrap();
    tokio::time::advance(Duration::from_secs(400)).await;
    let ended = world.run(&deploy(&shop, NEW)).await;
    ended.failed(Exit::Usage);
    assert!(ended.writes().is_empty());
}
