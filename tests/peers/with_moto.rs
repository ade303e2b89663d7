//! The stand-ins of load balancers, scaling and task definitions beside moto: both are asked the same by botocore and must
//! keep and give back the same, as far as moto can tell.
//!
//! Left out is what moto, by Amazon's pages, has otherwise:
//! - it answers with the flag that stands for a client secret, and with the secret, which is
//!   [only written](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AuthenticateOidcActionConfig.html);
//! - it takes any weight and any group, keeps no key of a task definition that its model does not have, lists revisions
//!   upwards when asked for downwards, and takes the newest revision of a family for its
//!   [newest active one](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html);
//! - it names no suspension before the
//!   [first one](https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DescribeScalableTargets.html), and a target
//!   that is not there by a
//!   [code of other faults](https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html);
//! - it does not know service deployments, and its services don't move, so that no deploy can be judged.

use serde_json::{Value, json};

use crate::sides::{Side, asked, balancer, forward, revision, service, sign_in};

#[test]
fn weights_stickiness_and_sign_in_are_kept_alike() {
    asked(|side| {
        balancer(side);
        let (on, off) = (
            json!({ "Enabled": true, "DurationSeconds": 600 }),
            json!({ "Enabled": false }),
        );
        let first = json!({
            "ListenerArn": side.arn("listener"), "Priority": 7,
            "Conditions": [{ "Field": "path-pattern", "PathPatternConfig": { "Values": ["/api/*"] } }],
            "Actions": [sign_in(json!({ "ClientSecret": "hush" })), forward(side, 100, 0, off.clone())],
        });
        side.make("rule", "elbv2", "CreateRule", first, "/Rules/0/RuleArn");
        let (rule, listener) = (json!([side.arn("rule")]), json!([side.arn("listener")]));
        let mut told = Vec::new();
        for (blue, green, sticky) in [(90, 10, &on), (50, 50, &on), (0, 100, &off), (0, 999, &on)] {
            let kept = sign_in(json!({ "UseExistingClientSecret": true }));
            let actions = json!([kept, forward(side, blue, green, sticky.clone())]);
            let input = json!({ "RuleArn": rule[0], "Actions": actions });
            told.push(side.tells("elbv2", "ModifyRule", input, "/Rules/0/Actions"));
            told.push(side.tells(
                "elbv2",
                "DescribeRules",
                json!({ "RuleArns": rule }),
                "/Rules/0/Actions",
            ));
            let input = json!({ "ListenerArn": listener[0], "DefaultActions": [forward(side, blue, green, sticky.clone())] });
            told.push(side.tells("elbv2", "ModifyListener", input, "/Listeners/0/DefaultActions"));
            let input = json!({ "ListenerArns": listener });
            told.push(side.tells("elbv2", "DescribeListeners", input, "/Listeners/0/DefaultActions"));
        }
        for at in ["/Rules/0/Priority", "/Rules/0/IsDefault", "/Rules/0/RuleArn"] {
            told.push(side.tells("elbv2", "DescribeRules", json!({ "RuleArns": rule }), at));
        }
        let input = json!({ "RuleArn": rule[0], "Actions": [{ "Type": "forward", "TargetGroupArn": side.arn("green") }] });
        told.push(side.tells("elbv2", "ModifyRule", input, "/Rules/0/Actions/0/TargetGroupArn"));
        told.push(side.tells("elbv2", "DeleteRule", json!({ "RuleArn": rule[0] }), ""));
        told.push(side.tells("elbv2", "DescribeRules", json!({ "RuleArns": rule }), "/Rules"));
        told
    });
}

#[test]
fn scalable_targets_are_pinned_and_let_go_alike() {
    asked(|side| {
        let of = |service: &str, more: Value| {
            let mut target = json!({ "ServiceNamespace": "ecs", "ResourceId": format!("service/prod/{service}"), "ScalableDimension": "ecs:service:DesiredCount" });
            target
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            target
        };
        service(side, "web", None);
        let mut told = Vec::new();
        for more in [
            json!({ "MinCapacity": 2, "MaxCapacity": 9, "SuspendedState": { "DynamicScalingInSuspended": true, "DynamicScalingOutSuspended": false, "ScheduledScalingSuspended": true } }),
            json!({ "MinCapacity": 5 }),
            json!({ "SuspendedState": { "DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": false, "ScheduledScalingSuspended": false } }),
            json!({ "MinCapacity": 2, "MaxCapacity": 9 }),
        ] {
            side.ask(
                "application-autoscaling",
                "RegisterScalableTarget",
                of("web", more),
            );
            for field in [
                "ResourceId",
                "ScalableDimension",
                "MinCapacity",
                "MaxCapacity",
                "SuspendedState",
            ] {
                let input = json!({ "ServiceNamespace": "ecs", "ResourceIds": ["service/prod/web"] });
                let at = format!("/ScalableTargets/0/{field}");
                told.push(side.tells("application-autoscaling", "DescribeScalableTargets", input, &at));
            }
        }
        for (operation, input) in [
            (
                "DescribeScalableTargets",
                json!({ "ServiceNamespace": "ecs", "ResourceIds": ["service/prod/none"] }),
            ),
            ("DeregisterScalableTarget", of("web", json!({}))),
            ("DescribeScalableTargets", json!({ "ServiceNamespace": "ecs" })),
        ] {
            told.push(side.tells("application-autoscaling", operation, input, ""));
        }
        told
    });
}

#[test]
fn revisions_are_numbered_kept_and_left_alike() {
    asked(|side| {
        let mut told = Vec::new();
        for image in ["shop:1.0.0", "shop:1.1.0"] {
            let input = revision("web", image);
            for at in [
                "revision",
                "family",
                "status",
                "taskDefinitionArn",
                "containerDefinitions/0/image",
            ] {
                // Each question registers one more.
                let at = format!("/taskDefinition/{at}");
                told.push(side.tells("ecs", "RegisterTaskDefinition", input.clone(), &at));
            }
        }
        let ask = |side: &Side, which: &str, at: &str| {
            let input = json!({ "taskDefinition": which, "include": ["TAGS"] });
            side.tells("ecs", "DescribeTaskDefinition", input, at)
        };
        let kept = revision("web", "");
        for key in kept
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| !["tags", "containerDefinitions"].contains(&key.as_str()))
        {
            told.push(ask(side, "web:1", &format!("/taskDefinition/{key}")));
        }
        for key in kept["containerDefinitions"][0].as_object().unwrap().keys() {
            told.push(ask(
                side,
                "web:1",
                &format!("/taskDefinition/containerDefinitions/0/{key}"),
            ));
        }
        told.push(ask(side, "web:1", "/tags"));
        told.push(ask(side, "web", "/taskDefinition/revision"));
        for which in ["web:99", "none", "none:1"] {
            told.push(ask(side, which, ""));
        }
        let input = json!({ "taskDefinition": "web:10" });
        told.push(side.tells("ecs", "DeregisterTaskDefinition", input, "/taskDefinition/status"));
        told.push(ask(side, "web:10", "/taskDefinition/status"));
        for input in [
            json!({ "familyPrefix": "web", "status": "ACTIVE" }),
            json!({ "familyPrefix": "web", "status": "INACTIVE" }),
            json!({ "familyPrefix": "none" }),
        ] {
            told.push(side.tells("ecs", "ListTaskDefinitions", input, "/taskDefinitionArns"));
        }
        told.push(side.tells(
            "ecs",
            "RegisterTaskDefinition",
            revision("web", "shop:1.2.0"),
            "/taskDefinition/revision",
        ));
        told
    });
}
