//! Gates inside deploys: each of the gate files beside this one stands for a way that people judge a new version.

use std::sync::Arc;
use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::{Cloud, Fault, Setup, Shop, Turn, World as Aws};
use serde_json::json;
use tokio::time::sleep;

use crate::cloud::{Ended, World};

mod steps;

const NAMESPACE: &str = "AWS/ApplicationELB";

/// What a gate file of this folder is called.
fn file(name: &str) -> String {
    format!("{}/tests/deploys/gates/{name}.yml", env!("CARGO_MANIFEST_DIR"))
}

async fn deploy(world: &World, image: &str, gate: &str, more: &[&str]) -> Ended {
    let line = [
        "deploy",
        "--cluster",
        "prod",
        "--service",
        "web",
        "--image",
        image,
        "--gate",
        gate,
    ];
    world.run(&[&line[..], more].concat()).await
}

/// How the new version answers: `1.1.0` and what follows it.
#[derive(Clone, Copy)]
struct Answers {
    /// How many of a hundred requests end in a 500.
    errors: f64,
    /// Seconds.
    latency: f64,
    /// Targets that are called unhealthy.
    unhealthy: f64,
}

const GOOD: Answers = Answers {
    errors: 0.0,
    latency: 0.12,
    unhealthy: 0.0,
};

/// Lets requests come, as the load balancer counts them: a hundred each ten seconds.
fn traffic(cloud: &Arc<Cloud>, shop: &Shop, new: Answers) {
    let (cloud, shop) = (Arc::clone(cloud), shop.clone());
    tokio::spawn(async move {
        loop {
            sleep(Duration::from_secs(10)).await;
            cloud.world(|world| count(world, &shop, new));
        }
    });
}

fn count(world: &mut Aws, shop: &Shop, new: Answers) {
    let now = world.now();
    for (image, share) in world.shares(&shop.cluster, &shop.services()) {
        let answers = if image.contains("1.1.") { new } else { GOOD };
        let service = [("Service", shop.service.as_str())];
        let mut record =
            |metric: &str, value: f64| world.metrics.record(NAMESPACE, metric, &service, now, value);
        record("RequestCount", 100.0 * share);
        record("TargetResponseTime", answers.latency);
        if answers.errors > 0.0 {
            record("HTTPCode_Target_5XX_Count", answers.errors * share);
        }
        if answers.unhealthy > 0.0 {
            record("UnHealthyHostCount", answers.unhealthy);
        }
    }
}

fn shop(world: &World) -> Shop {
    let setup = Setup::new("prod", "web").image("shop:1.0.0").desired(3);
    setup.build(&world.cloud)
}

/// A deploy of `shop:1.1.0` behind this gate, with a version that answers so.
async fn judged(gate: &str, answers: Answers) -> (World, Shop, Ended) {
    let world = World::new();
    let shop = shop(&world);
    traffic(&world.cloud, &shop, answers);
    let ended = deploy(&world, "shop:1.1.0", &file(gate), &[]).await;
    (world, shop, ended)
}

#[tokio::test(start_paused = true)]
async fn a_version_that_its_gate_likes_serves() {
    for (gate, minutes) in [("canary", 15), ("steady", 10)] {
        let (world, shop, ended) = judged(gate, GOOD).await;
        ended.good();
        assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
        assert_eq!(
            ended.writes(),
            ["RegisterTaskDefinition", "UpdateService"],
            "{gate}"
        );
        assert!(
            ended.took > Duration::from_secs(60 * minutes),
            "{gate}: {:?}",
            ended.took
        );
        let told = ended.fact("gates");
        assert!(told.contains("\"verdict\":\"pass\""), "{gate}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_it_refuses_goes_back_with_the_rule_as_the_reason() {
    let bad = |errors: f64| Answers { errors, ..GOOD };
    let slow = Answers { latency: 0.7, ..GOOD };
    let sick = Answers {
        unhealthy: 1.0,
        ..GOOD
    };
    for (gate, answers, rule, value) in [
        ("canary", bad(1.0), "server-errors", "6 > 0"),
        ("canary", slow, "p95", "0.7 > 0.5"),
        ("steady", bad(9.0), "error-rate", "9% ("),
        ("steady", bad(2.0), "server-errors", "12 >= 10"),
        ("steady", sick, "health", "1 > 0"),
    ] {
        let (world, shop, ended) = judged(gate, answers).await;
        let failure = ended.failed(Exit::Failed);
        let said = failure.error.to_string();
        assert!(
            said.contains("`web:1` serves again: the gate said no: "),
            "{said}"
        );
        assert!(
            said.contains(&format!("{rule}: ")) && said.contains(value),
            "{gate}: {said}"
        );
        assert_eq!(ended.fact("status"), "rolled-back");
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
        assert!(
            ended.fact("gates").contains(&format!("\"{rule}\"")),
            "{}",
            ended.fact("gates")
        );
        assert_eq!(
            ended.writes(),
            ["RegisterTaskDefinition", "UpdateService", "UpdateService"]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn without_traffic_nothing_is_known_and_it_goes_back() {
    let world = World::new();
    let shop = shop(&world);
    let ended = deploy(&world, "shop:1.1.0", &file("canary"), &[]).await;
    let said = ended.failed(Exit::Inconclusive).error.to_string();
    assert!(
        said.contains("`web:1` serves again: the gate could not say: "),
        "{said}"
    );
    assert_eq!(ended.fact("status"), "rolled-back");
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_crash_while_the_gate_watches_is_a_no() {
    let world = World::new();
    let shop = shop(&world);
    traffic(&world.cloud, &shop, GOOD);
    // It stays for three minutes, which is longer than the deployment must stay complete.
    let ended = deploy(&world, "shop:1.1.0-crash-1-180s", &file("canary"), &[]).await;
    let said = ended.failed(Exit::Failed).error.to_string();
    assert!(said.contains("the gate said no: crashes: "), "{said}");
    assert!(said.contains("container `app` ended with exit code 1"), "{said}");
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_while_the_gate_watches_goes_back() {
    let world = World::new();
    let shop = shop(&world);
    traffic(&world.cloud, &shop, GOOD);
    world.cancel_after(Duration::from_secs(600));
    let ended = deploy(&world, "shop:1.1.0", &file("canary"), &[]).await;
    ended.failed(Exit::Terminated);
    assert!(ended.log.contains("gate "), "{}", ended.log);
    world.cloud.skip(Duration::from_secs(600));
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn someone_elses_deploy_while_the_gate_watches_is_left_alone() {
    let world = World::new();
    let shop = shop(&world);
    traffic(&world.cloud, &shop, GOOD);
    let cloud = Arc::clone(&world.cloud);
    tokio::spawn(async move {
        sleep(Duration::from_secs(600)).await;
        let theirs = json!({
            "family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512", "requiresCompatibilities": ["FARGATE"],
            "containerDefinitions": [{ "name": "app", "image": "shop:9.0.0", "essential": true }],
        });
        cloud.act("ecs", "RegisterTaskDefinition", theirs).unwrap();
        let update = json!({ "cluster": "prod", "service": "web", "taskDefinition": "web:3" });
        cloud.act("ecs", "UpdateService", update).unwrap();
    });
    let ended = deploy(&world, "shop:1.1.0", &file("steady"), &[]).await;
    let said = ended.failed(Exit::Locked).error.to_string();
    assert!(said.contains("someone else deployed `web:3`"), "{said}");
    assert_eq!(ended.writes(), ["RegisterTaskDefinition", "UpdateService"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_is_a_matter_for_a_person() {
    let world = World::new();
    let shop = shop(&world);
    traffic(&world.cloud, &shop, Answers { errors: 9.0, ..GOOD });
    let ended = deploy(&world, "shop:1.1.0", &file("steady"), &["--on-failure", "leave"]).await;
    let said = ended.failed(Exit::NeedsHuman).error.to_string();
    assert!(said.starts_with("the gate said no: error-rate: "), "{said}");
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn what_will_never_answer_is_told_before_anything_is_changed() {
    let world = World::new();
    shop(&world);
    let steady = file("steady");
    for (gate, more, exit, reason) in [
        (
            "no.yml",
            &[][..],
            Exit::Usage,
            "failed to read the gate file `no.yml`",
        ),
        ("stedy http://x.test/", &[], Exit::Usage, "did you mean `steady`"),
        (
            steady.as_str(),
            &["--gate-var", "color=red"],
            Exit::Usage,
            "no variable `color`",
        ),
        (
            steady.as_str(),
            &["--gate-var", "color"],
            Exit::Usage,
            "`--gate-var`: `color`",
        ),
    ] {
        let ended = deploy(&world, "shop:1.1.0", gate, more).await;
        let said = ended.failed(exit).error.to_string();
        assert!(said.contains(reason), "{said}");
        assert!(ended.calls.is_empty(), "{gate}");
    }
    world.cloud.fault("GetMetricData", Turn::Every, Fault::Denied);
    let ended = deploy(&world, "shop:1.1.0", &steady, &[]).await;
    let said = ended.failed(Exit::Access).error.to_string();
    assert!(
        said.contains("source `cloudwatch`") && said.contains("cloudwatch:GetMetricData"),
        "{said}"
    );
    assert_eq!(ended.writes(), [""; 0]);
    world.cloud.heal();
    world.cloud.fault("ListTasks", Turn::Every, Fault::Denied);
    let ended = deploy(&world, "shop:1.1.0", &file("canary"), &[]).await;
    let said = ended.failed(Exit::Access).error.to_string();
    assert!(
        said.contains("source `ecs`") && said.contains("ecs:ListTasks"),
        "{said}"
    );
    assert_eq!(ended.writes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_metric_source_that_is_out_of_reach_is_inconclusive() {
    let world = World::new();
    let shop = shop(&world);
    traffic(&world.cloud, &shop, GOOD);
    world.cloud.fault(
        "GetMetricData",
        Turn::Since(Duration::from_secs(300)),
        Fault::Unavailable,
    );
    let ended = deploy(&world, "shop:1.1.0", &file("steady"), &[]).await;
    let said = ended.failed(Exit::Inconclusive).error.to_string();
    assert!(said.contains("the gate could not say: "), "{said}");
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}
