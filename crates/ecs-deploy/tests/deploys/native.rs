//! Deploys whose traffic ECS shifts itself.

use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::{Setup, Shop};
use serde_json::json;

use crate::cloud::World;

const DEPLOY: [&str; 7] = [
    "deploy",
    "--cluster",
    "prod",
    "--service",
    "web",
    "--image",
    "shop:1.1.0",
];
pub(crate) const WRITES: [&str; 2] = ["RegisterTaskDefinition", "UpdateService"];

/// A service of two tasks with a strategy whose steps and bake are a minute long.
pub(crate) fn shop(world: &World, strategy: &str) -> Shop {
    set(strategy).build(&world.cloud)
}

pub(crate) fn set(strategy: &str) -> Setup {
    Setup::new("prod", "web")
        .desired(2)
        .strategy(strategy)
        .configured("bakeTimeInMinutes", json!(1))
        .configured(
            "canaryConfiguration",
            json!({ "canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1 }),
        )
        .configured(
            "linearConfiguration",
            json!({ "stepPercent": 40.0, "stepBakeTimeInMinutes": 1 }),
        )
}

pub(crate) fn deploy<'a>(image: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut line = DEPLOY.to_vec();
    line[6] = image;
    line.extend(more);
    line
}

#[tokio::test(start_paused = true)]
async fn each_strategy_shifts_all_traffic() {
    for (strategy, weights) in [
        ("BLUE_GREEN", vec!["100%"]),
        ("CANARY", vec!["10%", "100%"]),
        ("LINEAR", vec!["40%", "80%", "100%"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let summary = folder.path().join("summary.md");
        let mut world = World::new();
        world.variables = vec![("GITHUB_STEP_SUMMARY", summary.display().to_string())];
        let shop = shop(&world, strategy);
        let ended = world.run(&deploy("shop:1.1.0", &[])).await;
        let summary = std::fs::read_to_string(summary).unwrap();
        for weight in &weights {
            let moved = format!("traffic: {weight} to the new version");
            assert!(summary.contains(&moved), "{moved}: {summary}");
        }
        let headline = &ended.good().headline;
        assert!(
            headline.contains("runs `web:2` with 2 tasks and all traffic"),
            "{headline}"
        );
        assert_eq!(ended.writes(), WRITES, "{strategy}");
        assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
        assert_eq!(ended.fact("status"), "deployed");
        assert_eq!(ended.fact("previous-task-definition"), "web:1");
        assert_eq!(ended.fact("live-weight"), "100");
        let mut rest = ended.log.as_str();
        for weight in weights {
            let line = format!("{weight} of production traffic to the new version");
            let at = rest
                .find(&line)
                .unwrap_or_else(|| panic!("{line}\n{}", ended.log));
            rest = &rest[at..];
        }
        let update = ended
            .calls
            .iter()
            .find(|call| call.operation == "UpdateService")
            .unwrap();
        assert_eq!(
            update.input.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["cluster", "service", "taskDefinition"],
            "nothing is sent that was not asked for"
        );
        // What the service calls its current one is the one before for a while.
        let looks = ended
            .calls
            .iter()
            .filter(|call| call.operation == "DescribeServiceDeployments");
        let mut looked: Vec<_> = looks
            .map(|call| call.input["serviceDeploymentArns"].to_string())
            .collect();
        looked.dedup();
        assert_eq!(
            looked.len(),
            1,
            "only the one of this run is looked at: {looked:?}"
        );
        let again = world.again().run(&deploy("shop:1.1.0", &[])).await;
        assert_eq!(again.fact("status"), "unchanged");
        assert!(again.writes().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_strategy_is_set_in_the_same_call() {
    let world = World::new();
    let shop = shop(&world, "BLUE_GREEN");
    let flags = [
        "--strategy",
        "canary",
        "--canary-percent",
        "20%",
        "--canary-bake-time",
        "2m",
    ];
    let ended = world.run(&deploy("shop:1.1.0", &flags)).await;
    ended.good();
    let update = ended
        .calls
        .iter()
        .find(|call| call.operation == "UpdateService")
        .unwrap();
    assert_eq!(
        update.input["deploymentConfiguration"],
        json!({ "strategy": "CANARY", "canaryConfiguration": { "canaryPercent": 20.0, "canaryBakeTimeInMinutes": 2 } })
    );
    assert!(ended.log.contains("20% of production traffic"), "{}", ended.log);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
    let set = world
        .again()
        .run(&deploy("shop:1.1.0", &["--strategy", "rolling"]))
        .await;
    assert!(set.good().headline.contains("how it is deployed was set"));
    assert_eq!(set.writes(), ["UpdateService"]);
    let wrong = world
        .again()
        .run(&deploy("shop:1.1.0", &["--step-percent", "10"]))
        .await;
    wrong.failed(Exit::Usage);
    assert!(wrong.writes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_that_crashes_is_taken_back_before_it_gets_traffic() {
    for image in ["shop:1.1.0-crash", "shop:1.1.0-unpullable"] {
        let world = World::new();
        let shop = shop(&world, "CANARY");
        let ended = world.run(&deploy(image, &[])).await;
        let failure = ended.failed(Exit::Failed);
        let error = failure.error.to_string();
        assert!(
            error.contains("`web:1` serves again: ") && error.contains("tasks failed"),
            "{error}"
        );
        assert_eq!(ended.fact("status"), "rolled-back");
        assert_eq!(ended.fact("live-weight"), "0");
        assert_eq!(ended.writes(), [&WRITES[..], &["StopServiceDeployment"]].concat());
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
        assert!(ended.took < Duration::from_secs(180), "{:?}", ended.took);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_left_stays() {
    let world = World::new();
    shop(&world, "CANARY");
    let ended = world
        .run(&deploy("shop:1.1.0-crash", &["--on-failure", "leave"]))
        .await;
    let failure = ended.failed(Exit::NeedsHuman);
    assert!(failure.error.to_string().contains("left as it is"));
    assert_eq!(ended.writes(), WRITES);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_takes_it_back() {
    for rollback in [true, false] {
        let world = World::new();
        let alarms = json!({ "alarmNames": ["errors"], "enable": true, "rollback": rollback });
        let shop = set("CANARY").configured("alarms", alarms).build(&world.cloud);
        world.cloud.world(|cloud| {
            let at = cloud.now() + Duration::from_secs(60);
            cloud.metrics.alarm("errors", "OK", "fine", Duration::ZERO);
            cloud.metrics.alarm("errors", "ALARM", "5 of 5 points", at);
            cloud
                .metrics
                .alarm("errors", "OK", "fine again", at + Duration::from_secs(2));
        });
        let ended = world.run(&deploy("shop:1.1.0", &[])).await;
        let error = ended.failed(Exit::Failed).error.to_string();
        assert!(
            error.contains("`web:1` serves again") && error.contains("errors"),
            "{error}"
        );
        // Without a rollback by ECS the earlier revision is deployed again.
        let writes = if rollback { 2 } else { 3 };
        assert_eq!(ended.writes().len(), writes, "{:?}", ended.writes());
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_rings_on_lets_nothing_back() {
    let world = World::new();
    let alarms = json!({ "alarmNames": ["errors"], "enable": true, "rollback": false });
    let shop = set("CANARY").configured("alarms", alarms).build(&world.cloud);
    world.cloud.world(|cloud| {
        let at = cloud.now() + Duration::from_secs(60);
        cloud.metrics.alarm("errors", "ALARM", "5 of 5 points", at);
    });
    let ended = world.run(&deploy("shop:1.1.0", &[])).await;
    let error = ended.failed(Exit::NeedsHuman).error.to_string();
    assert!(
        error.contains("going back to `web:1` failed too (it was stopped where it was: alarm `errors`"),
        "{error}"
    );
    let shares = world.cloud.shares(&shop);
    let sum: f64 = shares.iter().map(|(_, share)| share).sum();
    assert!((sum - 1.0).abs() < 1e-6, "all requests are answered: {shares:?}");
}

#[tokio::test(start_paused = true)]
async fn somebody_who_stops_it_is_told() {
    let world = World::new();
    let shop = shop(&world, "LINEAR");
    world.cloud.after("DescribeServiceDeployments", 8, |cloud| {
        let listed = cloud.act(
            "ecs",
            "ListServiceDeployments",
            json!({ "cluster": "prod", "service": "web" }),
        );
        let arn = listed.unwrap()["serviceDeployments"][0]["serviceDeploymentArn"].clone();
        let stop = json!({ "serviceDeploymentArn": arn, "stopType": "ROLLBACK" });
        cloud.act("ecs", "StopServiceDeployment", stop).unwrap();
    });
    let ended = world.run(&deploy("shop:1.1.0", &[])).await;
    let error = ended.failed(Exit::Failed).error.to_string();
    assert!(
        error.contains("`web:1` serves again") && error.contains("rollback was requested"),
        "{error}"
    );
    assert_eq!(ended.writes(), WRITES, "nobody stops it twice");
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn somebody_who_deploys_meanwhile_is_left_alone() {
    let world = World::new();
    let shop = shop(&world, "CANARY");
    let family = shop.family.clone();
    world.cloud.after("DescribeServiceDeployments", 8, move |cloud| {
        let described = cloud
            .act(
                "ecs",
                "DescribeTaskDefinition",
                json!({ "taskDefinition": family }),
            )
            .unwrap();
        let mut containers = described["taskDefinition"]["containerDefinitions"].clone();
        containers[0]["image"] = json!("shop:2.0.0");
        let mut definition = described["taskDefinition"].clone();
        definition["containerDefinitions"] = containers;
        for key in [
            "taskDefinitionArn",
            "revision",
            "status",
            "registeredAt",
            "registeredBy",
            "requiresAttributes",
            "compatibilities",
        ] {
            definition.as_object_mut().unwrap().remove(key);
        }
        cloud.act("ecs", "RegisterTaskDefinition", definition).unwrap();
        let update = json!({ "cluster": "prod", "service": "web", "taskDefinition": family });
        cloud.act("ecs", "UpdateService", update).unwrap();
    });
    let ended = world.run(&deploy("shop:1.1.0", &[])).await;
    let error = ended.failed(Exit::Locked).error.to_string();
    assert!(error.contains("someone else deployed `web:3`"), "{error}");
    assert_eq!(ended.fact("status"), "superseded");
    assert_eq!(ended.writes(), WRITES);
    let calm = world.cloud.until(Duration::from_secs(900), |cloud| {
        cloud.ecs.is_steady("prod", "web")
    });
    assert!(calm && world.cloud.serving(&shop) == ["shop:2.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn one_of_somebody_else_is_waited_for_or_replaced() {
    let world = World::new();
    let shop = shop(&world, "CANARY");
    let line = deploy("shop:1.1.0", &[]);
    let first = world.run(&line);
    let begun = tokio::time::timeout(Duration::from_secs(8), first).await;
    assert!(begun.is_err(), "it is killed while it waits");
    let other = world.again().run(&deploy("shop:1.2.0", &[])).await;
    let error = other.failed(Exit::Locked).error.to_string();
    assert!(
        error.contains("another deployment") && error.contains("`web:2`"),
        "{error}"
    );
    assert!(other.writes().is_empty());
    let over = world.again().run(&deploy("shop:1.2.0", &["--replace"])).await;
    over.good();
    assert_eq!(world.cloud.serving(&shop), ["shop:1.2.0"]);
}
