//! What is done past the wire, what no run may change, and what a run may send.

use std::time::Duration;

use serde_json::{Value, json};

use super::{NEW, Scene};
use crate::cloud::Ended;

impl Scene {
    /// `shop:1.1.0` as the second revision, past the wire.
    pub(super) fn by_hand(&self) {
        let cloud = &self.world.cloud;
        let asked = json!({ "taskDefinition": "web:1" });
        let mut definition =
            cloud.act("ecs", "DescribeTaskDefinition", asked).unwrap()["taskDefinition"].clone();
        definition["containerDefinitions"][0]["image"] = json!(NEW);
        let kept = [
            "family",
            "containerDefinitions",
            "cpu",
            "memory",
            "networkMode",
            "executionRoleArn",
            "taskRoleArn",
            "requiresCompatibilities",
        ];
        definition
            .as_object_mut()
            .unwrap()
            .retain(|key, _| kept.contains(&key.as_str()));
        cloud.act("ecs", "RegisterTaskDefinition", definition).unwrap();
        let update = json!({ "cluster": "prod", "service": "web", "taskDefinition": "web:2" });
        cloud.act("ecs", "UpdateService", update).unwrap();
        for _ in 0..60 {
            cloud.skip(Duration::from_secs(10));
            let listed = json!({ "cluster": "prod", "service": "web" });
            let listed = cloud.act("ecs", "ListServiceDeployments", listed).unwrap();
            let Some(arn) = listed["serviceDeployments"][0]["serviceDeploymentArn"].as_str() else {
                continue;
            };
            let described = json!({ "serviceDeploymentArns": [arn] });
            let described = cloud.act("ecs", "DescribeServiceDeployments", described).unwrap();
            let deployment = &described["serviceDeployments"][0];
            if deployment["status"] == "SUCCESSFUL" && cloud.serving(&self.shop) == [NEW] {
                return;
            }
            let waits = deployment["lifecycleHookDetails"]
                .as_array()
                .into_iter()
                .flatten();
            for hook in waits.filter(|hook| hook["status"] == "AWAITING_ACTION") {
                let answer =
                    json!({ "serviceDeploymentArn": arn, "hookId": hook["hookId"], "action": "CONTINUE" });
                cloud.act("ecs", "ContinueServiceDeployment", answer).unwrap();
            }
        }
        panic!("it never served");
    }

    /// All that no run may change: the neighbour, and of the service what nobody asked for.
    pub(super) fn others(&self) -> Value {
        let described = json!({ "cluster": "prod", "services": ["web", "blog"] });
        let described = self
            .world
            .cloud
            .act("ecs", "DescribeServices", described)
            .unwrap();
        let mut services = described["services"].clone();
        let web = services[0].as_object_mut().unwrap();
        let hooks = web["deploymentConfiguration"]["lifecycleHooks"].take();
        let hook = hooks[0].clone();
        let own = [
            "taskDefinition",
            "deployments",
            "events",
            "currentServiceDeployment",
            "currentServiceRevisions",
            "runningCount",
            "pendingCount",
            "taskSets",
        ];
        web.retain(|key, _| !own.contains(&key.as_str()));
        let rules = self.world.cloud.act(
            "elasticloadbalancing",
            "DescribeRules",
            json!({ "ListenerArn": self.shop.listener }),
        );
        let mut rules = rules.unwrap()["Rules"].clone();
        for rule in rules.as_array_mut().unwrap() {
            for action in rule["Actions"].as_array_mut().unwrap() {
                action["ForwardConfig"].take();
            }
        }
        json!({ "services": services, "hook": hook, "rules": rules })
    }
}

/// Only what was asked for is sent, and only to the service; and nothing but the way back follows the way back.
#[track_caller]
pub(super) fn sends_no_more_than_asked(ended: &Ended, story: &str) {
    let mut is_back = false;
    for call in ended.calls.iter().filter(|call| call.writes()) {
        let input = &call.input;
        let ours = |key: &str| input[key].as_str().is_some_and(|arn| arn.contains("/prod/web/"));
        let fits = match call.operation.as_str() {
            "RegisterTaskDefinition" => !is_back && input["family"] == "web",
            "UpdateService" => {
                let known = ["cluster", "service", "taskDefinition", "deploymentConfiguration"];
                let configuration = input["deploymentConfiguration"].as_object();
                let hooks = configuration.is_none_or(|set| set.keys().all(|key| key == "lifecycleHooks"));
                let only = input
                    .as_object()
                    .unwrap()
                    .keys()
                    .all(|key| known.contains(&key.as_str()));
                !is_back && input["service"] == "web" && hooks && only
            }
            "StopServiceDeployment" => ours("serviceDeploymentArn") && input["stopType"] == "ROLLBACK",
            "ContinueServiceDeployment" => {
                ours("serviceDeploymentArn") && (!is_back || input["action"] == "ROLLBACK")
            }
            _ => false,
        };
        assert!(fits, "{story}: {} {input}", call.operation);
        is_back |= call.operation == "StopServiceDeployment" || input["action"] == "ROLLBACK";
    }
}
