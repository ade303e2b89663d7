//! Answers at the pauses of deploys whose traffic ECS shifts.

use std::sync::Arc;
use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::Shop;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::cloud::{Ended, World};
use crate::native::{deploy, set, shop};

/// A gate file of the folder `gates`.
pub(crate) fn file(name: &str) -> String {
    format!("{}/tests/deploys/gates/{name}.yml", env!("CARGO_MANIFEST_DIR"))
}

/// Which requests fail, nine of a hundred.
#[derive(Clone, Copy)]
pub(crate) enum Errors {
    Never,
    /// Those to the new version.
    OfTheNew,
    Always,
}

/// Requests that come until this is dropped.
pub(crate) struct Traffic(JoinHandle<()>);

impl Drop for Traffic {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A hundred requests each ten seconds, as the load balancer counts them.
#[must_use]
pub(crate) fn traffic(world: &World, shop: &Shop, errors: Errors) -> Traffic {
    let (cloud, shop) = (Arc::clone(&world.cloud), shop.clone());
    Traffic(tokio::spawn(async move {
        loop {
            sleep(Duration::from_secs(10)).await;
            cloud.world(|world| {
                let now = world.now();
                let service = [("Service", shop.service.as_str())];
                for (image, share) in world.shares(&shop.cluster, &shop.services()) {
                    let fails = match errors {
                        Errors::Never => false,
                        Errors::OfTheNew => image.contains("1.1."),
                        Errors::Always => true,
                    };
                    let mut record = |metric: &str, value: f64| {
                        let namespace = "AWS/ApplicationELB";
                        world.metrics.record(namespace, metric, &service, now, value);
                    };
                    record("RequestCount", 100.0 * share);
                    if fails {
                        record("HTTPCode_Target_5XX_Count", 9.0 * share);
                    }
                }
            });
        }
    }))
}

async fn gated(world: &World, image: &str, gate: &str, more: &[&str]) -> Ended {
    let gate = file(gate);
    world
        .run(&deploy(image, &[&["--gate", &gate], more].concat()))
        .await
}

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
        let _traffic = traffic(&world, &shop, Errors::Never);
        let ended = gated(&world, "shop:1.1.0", "pause", &[]).await;
        let facts = &ended.good().facts;
        let gates = facts["gates"].as_array().unwrap();
        assert_eq!(gates.len(), 2, "one at each pause: {gates:?}");
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
        let second = gated(&world.again(), "shop:1.2.0", "pause", &[]).await;
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
    for (errors, exit, reason, answers) in [
        (
            Some(Errors::Always),
            Exit::Failed,
            "the gate failed: error-rate: 9%",
            1,
        ),
        (
            Some(Errors::OfTheNew),
            Exit::Failed,
            "the gate failed: error-rate: ",
            2,
        ),
        (None, Exit::Inconclusive, "the gate is inconclusive: ", 1),
    ] {
        let world = World::new();
        let shop = shop(&world, "CANARY");
        let _traffic = errors.map(|errors| traffic(&world, &shop, errors));
        let ended = gated(&world, "shop:1.1.0", "pause", &[]).await;
        let error = ended.failed(exit).error.to_string();
        assert!(
            error.contains(&format!("`web:1` serves again: {reason}")),
            "{error}"
        );
        let writes = ended.writes();
        let answered = writes
            .iter()
            .filter(|write| **write == "ContinueServiceDeployment");
        assert_eq!(answered.count(), answers, "{writes:?}");
        assert_eq!(ended.fact("status"), "rolled-back");
        assert!(!ended.writes().contains(&"StopServiceDeployment"));
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_gate_ends_with_its_deployment() {
    let world = World::new();
    let shop = shop(&world, "BLUE_GREEN");
    let _traffic = traffic(&world, &shop, Errors::Never);
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
    let ended = gated(&world, "shop:1.1.0", "day", &[]).await;
    ended.failed(Exit::Failed);
    assert!(ended.took < Duration::from_secs(900), "{:?}", ended.took);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    assert!(!ended.writes().contains(&"ContinueServiceDeployment"));
}

#[tokio::test(start_paused = true)]
async fn a_gate_without_an_end_is_ended_by_the_time_limit() {
    let world = World::new();
    let shop = shop(&world, "BLUE_GREEN");
    let _traffic = traffic(&world, &shop, Errors::Never);
    let ended = gated(&world, "shop:1.1.0", "day", &["--timeout", "5m"]).await;
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
    let ended = gated(&world.again(), "shop:1.1.0", "pause", &[]).await;
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
        let _traffic = traffic(&world, &shop, Errors::Never);
        let ended = gated(&world, "shop:1.1.0", "pause", &[]).await;
        ended.good();
        assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"], "{fault:?}");
    }
    let world = World::new();
    let shop = shop(&world, "BLUE_GREEN");
    world
        .cloud
        .fault("ContinueServiceDeployment", Turn::Every, Fault::Denied);
    let _traffic = traffic(&world, &shop, Errors::Never);
    let ended = gated(&world, "shop:1.1.0", "pause", &[]).await;
    let error = ended.failed(Exit::Failed).error.to_string();
    assert!(
        error.contains("the pause could not be answered") && error.contains("ContinueServiceDeployment"),
        "{error}"
    );
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}
