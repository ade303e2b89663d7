//! Strategies that shift traffic, by ECS and by hand.

use sandbox::stand_ins::aws::Setup;
use serde_json::json;

use crate::hands::{cloud, deploy, ecs, record_of, register, seconds, settle};

#[test]
fn a_canary_shifts_by_weights_and_a_hook_holds_it() {
    let cloud = cloud();
    let hook = json!([{ "targetType": "PAUSE", "lifecycleStages": ["POST_PRODUCTION_TRAFFIC_SHIFT"] }]);
    let setup = Setup::new("prod", "web").desired(2).strategy("CANARY");
    let setup = setup.configured(
        "canaryConfiguration",
        json!({ "canaryPercent": 10.0, "canaryBakeTimeInMinutes": 5 }),
    );
    let shop = setup
        .configured("bakeTimeInMinutes", json!(2))
        .configured("lifecycleHooks", hook)
        .build(&cloud);
    let (_, arn) = deploy(&cloud, &shop, "shop:2");
    let both = cloud.until(seconds(120), |world| {
        world
            .elb
            .shares(&shop.rule)
            .iter()
            .any(|(_, share)| (share - 0.1).abs() < 1e-9)
    });
    assert!(both);
    assert_eq!(cloud.serving(&shop), ["shop:1.0.0", "shop:2"]);
    let record = record_of(&cloud, &arn);
    assert_eq!(
        (
            &record["lifecycleStage"],
            &record["targetServiceRevision"]["requestedProductionTrafficWeight"]
        ),
        (&json!("PRODUCTION_TRAFFIC_SHIFT"), &json!(10.0))
    );
    cloud.skip(seconds(310));
    let record = record_of(&cloud, &arn);
    let hook = &record["lifecycleHookDetails"][0];
    assert_eq!(
        (&record["lifecycleStage"], &hook["status"]),
        (&json!("POST_PRODUCTION_TRAFFIC_SHIFT"), &json!("AWAITING_ACTION"))
    );
    cloud.skip(seconds(3600));
    assert_eq!(cloud.shares(&shop), [("shop:2".to_owned(), 1.0)]);
    let input = json!({ "serviceDeploymentArn": arn, "hookId": hook["hookId"], "action": "CONTINUE" });
    ecs(&cloud, "ContinueServiceDeployment", input);
    assert!(settle(&cloud, &shop));
    assert_eq!(record_of(&cloud, &arn)["status"], "SUCCESSFUL");
    // The next one goes the other way, and back at a word.
    let (_, arn) = deploy(&cloud, &shop, "shop:3");
    assert!(cloud.until(seconds(120), |world| {
        let shares = world.elb.shares(&shop.rule);
        shares
            .iter()
            .any(|(group, share)| *group == shop.group && (share - 0.1).abs() < 1e-9)
    }));
    ecs(
        &cloud,
        "StopServiceDeployment",
        json!({ "serviceDeploymentArn": arn }),
    );
    cloud.skip(seconds(1));
    assert_eq!(cloud.shares(&shop), [("shop:2".to_owned(), 1.0)]);
    assert!(settle(&cloud, &shop));
    assert_eq!(record_of(&cloud, &arn)["status"], "ROLLBACK_SUCCESSFUL");
}

#[test]
fn a_strategy_goes_back_when_the_new_tasks_fail() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web")
        .desired(2)
        .strategy("BLUE_GREEN")
        .breaker(true)
        .build(&cloud);
    let (_, arn) = deploy(&cloud, &shop, "shop:2-crash");
    assert!(settle(&cloud, &shop));
    assert_eq!(record_of(&cloud, &arn)["status"], "ROLLBACK_SUCCESSFUL");
    assert_eq!(cloud.shares(&shop), [("shop:1.0.0".to_owned(), 1.0)]);
}

#[test]
fn a_pair_is_moved_by_weights() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web").desired(2).pair().build(&cloud);
    let definition = register(&cloud, &shop, "shop:2");
    let green =
        json!({ "cluster": "prod", "service": shop.green, "taskDefinition": definition, "desiredCount": 2 });
    ecs(&cloud, "UpdateService", green);
    cloud.skip(seconds(60));
    assert_eq!(cloud.serving(&shop), ["shop:1.0.0"]);
    let groups = json!([{ "TargetGroupArn": shop.group, "Weight": 75 }, { "TargetGroupArn": shop.other_group, "Weight": 25 }]);
    let actions = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": groups } }]);
    cloud
        .act(
            "elasticloadbalancing",
            "ModifyRule",
            json!({ "RuleArn": shop.rule, "Actions": actions }),
        )
        .unwrap();
    assert_eq!(
        cloud.shares(&shop),
        [("shop:1.0.0".to_owned(), 0.75), ("shop:2".to_owned(), 0.25)]
    );
}

#[test]
fn a_strategy_that_is_taken_the_place_of_leaves_nothing_behind() {
    let cloud = cloud();
    let shop = Setup::new("prod", "web")
        .desired(2)
        .strategy("CANARY")
        .build(&cloud);
    deploy(&cloud, &shop, "shop:2");
    assert!(cloud.until(seconds(120), |world| world.elb.shares(&shop.rule)[1].1 > 0.0));
    deploy(&cloud, &shop, "shop:3");
    assert_eq!(cloud.shares(&shop), [("shop:1.0.0".to_owned(), 1.0)]);
    assert!(settle(&cloud, &shop));
    assert_eq!(cloud.shares(&shop), [("shop:3".to_owned(), 1.0)]);
}
