//! Deploys to two services behind one rule.

use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::{Behaviour, Checks, Setup, Shop};
use serde_json::{Value, json};

use crate::cloud::World;

mod at_once;
mod ended;
mod failing;
mod faults;
mod fit;
mod foreign_rules;
mod gated;
mod killed;
mod lost_lock;
mod noted;
mod order;
mod others;
mod promoted;
mod scaled;
mod shown;
mod sizes;
mod spared;
mod steps;
mod undone;

/// The key of the tag that names what was tried: a way back leaves it.
const TRIED: &str = "deploy-actions.ecs-deploy.tried";
/// The key of the tag that tells a live run that it was undone.
const UNDONE: &str = "deploy-actions.ecs-deploy.undone";
const OLD: &str = "shop:1.0.0";
const NEW: &str = "shop:1.1.0";
const STEPS: &str = "10% 1m, 50% 1m, 100%";

/// Two services, of which blue serves, and scaling of blue.
fn pair(world: &World) -> Shop {
    scaled(world, 3)
}

/// The same with so many tasks.
fn scaled(world: &World, tasks: u64) -> Shop {
    let shop = Setup::new("prod", "web")
        .image(OLD)
        .desired(tasks)
        .pair()
        .build(&world.cloud);
    let scaling = json!({
        "ServiceNamespace": "ecs", "ResourceId": "service/prod/web-blue",
        "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 2, "MaxCapacity": 8,
        "SuspendedState": { "DynamicScalingOutSuspended": true },
    });
    let made = world
        .cloud
        .act("application-autoscaling", "RegisterScalableTarget", scaling);
    made.unwrap();
    shop
}

/// A command line for the two.
fn line<'a>(command: &'a str, shop: &'a Shop, more: &[&'a str]) -> Vec<&'a str> {
    let flags = [
        "--cluster",
        "prod",
        "--blue-service",
        "web-blue",
        "--green-service",
        "web-green",
    ];
    let rule = ["--traffic-rule", shop.rule.as_str()];
    let all = std::iter::once(command).chain(flags).chain(rule);
    all.chain(more.iter().copied()).collect()
}

fn deploy<'a>(shop: &'a Shop, image: &'a str) -> Vec<&'a str> {
    line(
        "deploy",
        shop,
        &["--image", image, "--steps", STEPS, "--keep", "2m"],
    )
}

/// Scaling of blue is as it was.
#[track_caller]
fn scaling_is_restored(world: &World) {
    let (bounds, suspended) = world.cloud.world(|world| {
        let blue = "service/prod/web-blue";
        (world.scaling.bounds(blue), world.scaling.suspended(blue))
    });
    assert_eq!((bounds, suspended), (Some((2, 8)), Some([false, true, false])));
}

/// No tag is left on either service.
#[track_caller]
fn no_tag_is_left(world: &World, shop: &Shop) {
    assert_eq!(tags(world, shop), Vec::<Value>::new());
}

/// The tags of others, and the lock.
fn tags(world: &World, shop: &Shop) -> Vec<Value> {
    let mut tags = all_tags(world, shop);
    tags.retain(|tag| tag["key"] != TRIED && tag["key"] != UNDONE);
    tags
}

fn all_tags(world: &World, shop: &Shop) -> Vec<Value> {
    let of = |name: &str| {
        let described = json!({ "cluster": "prod", "services": [name] });
        let arn = world.cloud.act("ecs", "DescribeServices", described).unwrap()["services"][0]["serviceArn"]
            .clone();
        let asked = json!({ "resourceArn": arn });
        let tags = world.cloud.act("ecs", "ListTagsForResource", asked).unwrap();
        tags["tags"].as_array().cloned().unwrap_or_default()
    };
    shop.services().into_iter().flat_map(of).collect()
}

fn rule(world: &World, shop: &Shop) -> Vec<Value> {
    let described = json!({ "RuleArns": [shop.rule] });
    let rules = world
        .cloud
        .act("elasticloadbalancing", "DescribeRules", described)
        .unwrap();
    rules["Rules"][0]["Actions"].as_array().cloned().unwrap()
}

/// The weights of blue and green.
fn weights(world: &World, shop: &Shop) -> (u64, u64) {
    let actions = rule(world, shop);
    let forward = actions.iter().find(|action| action["Type"] == "forward").unwrap();
    let of = |group: &str| {
        let groups = forward["ForwardConfig"]["TargetGroups"].as_array().unwrap();
        let found = groups.iter().find(|tuple| tuple["TargetGroupArn"] == group);
        found
            .and_then(|tuple| tuple["Weight"].as_u64())
            .unwrap_or_default()
    };
    (of(&shop.group), of(&shop.other_group))
}

fn desired(world: &World, service: &str) -> u64 {
    let described = json!({ "cluster": "prod", "services": [service] });
    let described = world.cloud.act("ecs", "DescribeServices", described).unwrap();
    described["services"][0]["desiredCount"].as_u64().unwrap()
}

#[tokio::test(start_paused = true)]
async fn traffic_moves_in_steps() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let ended = world.run(&deploy(&shop, NEW)).await;
    let outcome = ended.good();
    assert_eq!(outcome.headline, "`web-green` serves `web:2` with all traffic");
    assert_eq!(
        ended.writes(),
        [
            "RegisterTaskDefinition",
            "TagResource",
            "RegisterScalableTarget",
            "UpdateService",
            "TagResource",
            "ModifyRule",
            "TagResource",
            "ModifyRule",
            "TagResource",
            "ModifyRule",
            "TagResource",
            "UpdateService",
            "RegisterScalableTarget",
            "UntagResource",
        ]
    );
    let facts = [
        "status",
        "live-weight",
        "live-service",
        "task-definition",
        "previous-task-definition",
    ];
    assert_eq!(
        facts.map(|fact| ended.fact(fact)),
        ["deployed", "100", "web-green", "web:2", "web:1"]
    );
    assert_eq!(world.cloud.serving(&shop), [NEW]);
    assert_eq!(
        (desired(&world, "web-blue"), desired(&world, "web-green")),
        (0, 3)
    );
    let undo = outcome.undo.clone().unwrap();
    assert!(
        undo.starts_with("ecs-deploy rollback --cluster prod --traffic-rule listener-rule/app/web/"),
        "{undo}"
    );
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
    let slept = Duration::from_secs(60 + 60 + 120);
    assert!(
        ended.took > slept && ended.took < slept + Duration::from_secs(120),
        "{:?}",
        ended.took
    );
    let again = world.other("8").run(&deploy(&shop, NEW)).await;
    assert_eq!(
        (again.fact("status"), again.writes().len()),
        ("unchanged".to_owned(), 0)
    );
}

#[tokio::test(start_paused = true)]
async fn and_back_and_forth_with_the_sides_changed() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    world.run(&deploy(&shop, NEW)).await.good();
    let back = world.other("8").run(&line("rollback", &shop, &[])).await;
    assert_eq!(
        back.good().headline,
        "`web-blue` serves `web:1` again, with all traffic"
    );
    assert_eq!(world.cloud.serving(&shop), [OLD]);
    assert_eq!(
        (desired(&world, "web-blue"), desired(&world, "web-green")),
        (3, 0)
    );
    let nowhere = world.other("9").run(&line("rollback", &shop, &[])).await;
    let failure = nowhere.failed(Exit::Usage);
    assert!(
        failure.error.to_string().contains("nothing to go back to"),
        "{}",
        failure.error
    );
    let ended = world.other("10").run(&deploy(&shop, "shop:1.2.0")).await;
    assert_eq!(
        ended.good().headline,
        "`web-green` serves `web:3` with all traffic"
    );
    let ended = world.other("11").run(&deploy(&shop, "shop:1.3.0")).await;
    assert_eq!(
        ended.good().headline,
        "`web-blue` serves `web:4` with all traffic"
    );
    assert_eq!(
        (weights(&world, &shop), world.cloud.serving(&shop)),
        ((100, 0), vec!["shop:1.3.0".to_owned()])
    );
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn one_that_crashes_gets_no_traffic() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    for (run, image) in [
        ("8", "shop:1.1.0-crash"),
        ("9", "shop:1.1.0-crash"),
        ("10", "shop:1.1.0-unpullable"),
    ] {
        let ended = world.other(run).run(&deploy(&shop, image)).await;
        let failure = ended.failed(Exit::Failed);
        let said = failure.error.to_string();
        assert!(
            said.starts_with("`web-blue` serves with all traffic: the new side failed"),
            "{said}"
        );
        assert!(!ended.writes().contains(&"ModifyRule"));
        assert_eq!(
            (ended.fact("status"), ended.fact("live-weight")),
            ("rolled-back".to_owned(), "0".to_owned())
        );
        assert!(ended.took < Duration::from_secs(180), "{:?}", ended.took);
        assert_eq!(world.cloud.serving(&shop), [OLD]);
        assert_eq!(desired(&world, "web-green"), 0);
        scaling_is_restored(&world);
        no_tag_is_left(&world, &shop);
    }
    let ended = world.other("11").run(&deploy(&shop, NEW)).await;
    assert_eq!(ended.fact("live-service"), "web-green", "{}", ended.log);
}

#[tokio::test(start_paused = true)]
async fn one_that_gets_sick_at_a_tenth_goes_back_by_one_write() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let checks = Checks::healthy_after(Duration::from_secs(5));
    let sick = checks.then_unhealthy(Duration::from_secs(60), "Target.Timeout", "Request timed out");
    let behaviour = Behaviour::good().checked(sick);
    world.cloud.world(|world| world.ecs.image(NEW, behaviour));
    let ended = world.run(&deploy(&shop, NEW)).await;
    let failure = ended.failed(Exit::Failed);
    assert!(
        failure
            .error
            .to_string()
            .contains("no target of the new side is healthy any more"),
        "{}",
        failure.error
    );
    let writes = ended.writes();
    let at = writes
        .iter()
        .position(|write| *write == "ModifyRule")
        .unwrap_or_else(|| panic!("{}", ended.log));
    assert_eq!(
        writes[at..],
        [
            "ModifyRule",
            "ModifyRule",
            "UpdateService",
            "RegisterScalableTarget",
            "UntagResource"
        ]
    );
    assert_eq!(
        (weights(&world, &shop), world.cloud.serving(&shop)),
        ((100, 0), vec![OLD.to_owned()])
    );
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}
