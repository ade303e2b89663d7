//! What a test does with a cloud.

use std::time::Duration;

use sandbox::stand_ins::aws::{Clock, Cloud, Shop};
use serde_json::{Value, json};

/// So many.
pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A cloud whose clock the test moves.
pub(crate) fn cloud() -> Cloud {
    Cloud::unheard(Clock::manual())
}

/// One call of ECS that is done.
pub(crate) fn ecs(cloud: &Cloud, operation: &str, input: Value) -> Value {
    cloud.act("ecs", operation, input).unwrap()
}

/// Registers the task definition with another image, and updates the service; the deployment's id and its record's ARN.
pub(crate) fn deploy(cloud: &Cloud, shop: &Shop, image: &str) -> (String, String) {
    let definition = register(cloud, shop, image);
    let service = update(cloud, shop, json!({ "taskDefinition": definition }));
    cloud.skip(seconds(4));
    let current = service_of(cloud, shop)["currentServiceDeployment"]
        .as_str()
        .unwrap()
        .to_owned();
    (
        service["deployments"][0]["id"].as_str().unwrap().to_owned(),
        current,
    )
}

/// Registers the newest revision of the task definition with another image; its ARN.
pub(crate) fn register(cloud: &Cloud, shop: &Shop, image: &str) -> Value {
    let mut definition = ecs(
        cloud,
        "DescribeTaskDefinition",
        json!({ "taskDefinition": shop.family }),
    )["taskDefinition"]
        .take();
    definition["containerDefinitions"][0]["image"] = json!(image);
    ecs(cloud, "RegisterTaskDefinition", definition)["taskDefinition"]["taskDefinitionArn"].take()
}

/// Updates the service; how it is shown.
pub(crate) fn update(cloud: &Cloud, shop: &Shop, mut input: Value) -> Value {
    input["cluster"] = json!(shop.cluster);
    input["service"] = json!(shop.service);
    ecs(cloud, "UpdateService", input)["service"].take()
}

/// How the service is shown.
pub(crate) fn service_of(cloud: &Cloud, shop: &Shop) -> Value {
    let input = json!({ "cluster": shop.cluster, "services": [shop.service] });
    ecs(cloud, "DescribeServices", input)["services"][0].take()
}

/// How a service deployment is shown.
pub(crate) fn record_of(cloud: &Cloud, arn: &str) -> Value {
    ecs(
        cloud,
        "DescribeServiceDeployments",
        json!({ "serviceDeploymentArns": [arn] }),
    )["serviceDeployments"][0]
        .take()
}

/// The stopped tasks that a deployment started.
pub(crate) fn stopped(cloud: &Cloud, shop: &Shop, by: &str) -> Vec<Value> {
    let arns = ecs(
        cloud,
        "ListTasks",
        json!({ "cluster": shop.cluster, "startedBy": by, "desiredStatus": "STOPPED" }),
    );
    let input = json!({ "cluster": shop.cluster, "tasks": arns["taskArns"] });
    ecs(cloud, "DescribeTasks", input)["tasks"]
        .as_array()
        .unwrap()
        .clone()
}

/// Lets time pass until the service is steady.
pub(crate) fn settle(cloud: &Cloud, shop: &Shop) -> bool {
    cloud.until(seconds(1800), |world| {
        world.ecs.is_steady(&shop.cluster, &shop.service)
    })
}

/// The texts of events, newest first.
pub(crate) fn messages(service: &Value) -> Vec<&str> {
    service["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["message"].as_str().unwrap())
        .collect()
}
