//! Answers at the pauses of deploys whose traffic ECS shifts.

use std::time::Duration;

use ecs_deploy::shift::GateSays;
use gha::Exit;
use serde_json::{Value, json};

use crate::cloud::{Answers, World};
use crate::native::{deploy, set, shop};

const MINUTE: Duration = Duration::from_secs(60);

fn hooks(world: &World) -> Value {
    let described = world.cloud.act(
        "ecs",
        "DescribeServices",
        json!({ "cluster": "prod", "services": ["web"] }),
    );
    described.unwrap()["services"][0]["deploymentConfiguration"]["lifecycleHooks"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_passes_lets_it_go_on() {
    for strategy in ["BLUE_GREEN", "CANARY", "LINEAR"] {
        let world = World::new();
        let lambda = json!({ "targetType": "AWS_LAMBDA", "hookTargetArn": "arn:aws:lambda:eu-central-1:123456789012:function:f",
            "roleArn": "arn:aws:iam::123456789012:role/hooks", "lifecycleStages": ["PRE_SCALE_UP"] });
        let shop = set(strategy)
            .configured("lifecycleHooks", json!([lambda]))
            .build(&world.cloud);
        let gates = Answers::saying([(MINUTE, GateSays::Pass), (MINUTE, GateSays::Pass)]);
        let ended = world
            .run_gated(&deploy("shop:1.1.0", &[]), Some(gates.clone()))
            .await;
        ended.good();
        assert_eq!(
            ended.writes(),
            [
                "RegisterTaskDefinition",
                "UpdateService",
                "ContinueServiceDeployment",
                "ContinueServiceDeployment"
            ]
        );
        assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
        let hooks = hooks(&world);
        assert_eq!(hooks[0], lambda, "what was there stays");
        assert_eq!(
            hooks[1]["lifecycleStages"],
            json!(["POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"])
        );
        let second = world
            .again()
            .run_gated(&deploy("shop:1.2.0", &[]), Some(Answers::default()))
            .await;
        second.good();
        let update = second
            .calls
            .iter()
            .find(|call| call.operation == "UpdateService")
            .unwrap();
        assert_eq!(
            update.input["deploymentConfiguration"],
            Value::Null,
            "the pauses are there already"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_says_no_takes_it_back() {
    let pass = || (MINUTE, GateSays::Pass);
    let no = || (MINUTE, GateSays::Fail("5xx is 4.2%, above 1%".to_owned()));
    let unsure = || (MINUTE, GateSays::Inconclusive("no samples".to_owned()));
    for (verdicts, exit, reason) in [
        (vec![no()], Exit::Failed, "the gate failed: 5xx is 4.2%, above 1%"),
        (
            vec![pass(), no()],
            Exit::Failed,
            "the gate failed: 5xx is 4.2%, above 1%",
        ),
        (
            vec![unsure()],
            Exit::Inconclusive,
            "the gate is inconclusive: no samples",
        ),
    ] {
        let world = World::new();
        let shop = shop(&world, "CANARY");
        let ended = world
            .run_gated(&deploy("shop:1.1.0", &[]), Some(Answers::saying(verdicts)))
            .await;
        let error = ended.failed(exit).error.to_string();
        assert!(
            error.contains(&format!("`web:1` serves again: {reason}")),
            "{error}"
        );
        assert_eq!(ended.fact("status"), "rolled-back");
        assert!(!ended.writes().contains(&"StopServiceDeployment"));
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_ends_with_its_deployment() {
    let world = World::new();
    let shop = shop(&world, "BLUE_GREEN");
    let day = Duration::from_secs(86_400);
    let gates = Answers::saying([(day, GateSays::Pass)]);
    world.cloud.after("DescribeServiceDeployments", 20, |cloud| {
        let listed = cloud.act(
            "ecs",
            "ListServiceDeployments",
            json!({ "cluster": "prod", "service": "web" }),
        );
        let arn = listed.unwrap()["serviceDeployments"][0]["serviceDeploymentArn"].clone();
        let stop = json!({ "serviceDeploymentArn": arn, "stopType": "ROLLBACK" });
        cloud.act("ecs", "StopServiceDeployment", stop).unwrap();
    });
    let ended = world
        .run_gated(&deploy("shop:1.1.0", &[]), Some(gates.clone()))
        .await;
    ended.failed(Exit::Failed);
    assert!(ended.took < Duration::from_secs(900), "{:?}", ended.took);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    assert!(!ended.writes().contains(&"ContinueServiceDeployment"));
}

#[tokio::test(start_paused = true)]
async fn a_gate_without_an_end_is_ended_by_the_time_limit() {
    let world = World::new();
    let shop = shop(&world, "BLUE_GREEN");
    let gates = Answers::saying([(Duration::from_secs(86_400), GateSays::Pass)]);
    let ended = world
        .run_gated(&deploy("shop:1.1.0", &["--timeout", "5m"]), Some(gates.clone()))
        .await;
    let error = ended.failed(Exit::Failed).error.to_string();
    assert!(
        error.contains("not complete after 6m") || error.contains("hook"),
        "{error}"
    );
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_under_way_without_pauses_is_not_taken_for_gated() {
    let world = World::new();
    shop(&world, "CANARY");
    world.cancel_after(Duration::from_secs(20));
    world.run(&deploy("shop:1.1.0", &["--on-cancel", "leave"])).await;
    let gates = Answers::default();
    let ended = world
        .again()
        .run_gated(&deploy("shop:1.1.0", &[]), Some(gates.clone()))
        .await;
    ended.failed(Exit::Locked);
    assert!(ended.writes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_given_again() {
    use sandbox::stand_ins::aws::{Fault, Turn};
    for fault in [
        Fault::Lost,
        Fault::Reset,
        Fault::Hang,
        Fault::Internal,
        Fault::Throttled,
    ] {
        let world = World::new();
        let shop = shop(&world, "BLUE_GREEN");
        world
            .cloud
            .fault("ContinueServiceDeployment", Turn::Nth(1), fault.clone());
        let ended = world
            .run_gated(&deploy("shop:1.1.0", &[]), Some(Answers::default()))
            .await;
        ended.good();
        assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"], "{fault:?}");
    }
    let world = World::new();
    let shop = shop(&world, "BLUE_GREEN");
    world
        .cloud
        .fault("ContinueServiceDeployment", Turn::Every, Fault::Denied);
    let ended = world
        .run_gated(&deploy("shop:1.1.0", &[]), Some(Answers::default()))
        .await;
    let error = ended.failed(Exit::Failed).error.to_string();
    assert!(
        error.contains("the pause could not be answered") && error.contains("ContinueServiceDeployment"),
        "{error}"
    );
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}
