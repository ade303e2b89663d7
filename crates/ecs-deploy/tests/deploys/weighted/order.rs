//! What must hold after any weighted run, whatever befell it.

use sandbox::stand_ins::aws::{End, Entry};

use super::*;
use crate::cloud::Ended;

/// The key of the tag that holds the state.
const TAG: &str = "deploy-actions.ecs-deploy";

/// The pair with what is none of this tool's business: another service with its own load balancer and scaling, and tags of
/// others on the two services.
pub(super) fn crowded(world: &World) -> Shop {
    let shop = scaled(world, 1);
    Setup::new("prod", "blog")
        .image("blog:1.0.0")
        .balanced()
        .build(&world.cloud);
    world.cloud.world(|inside| {
        let scaling = json!({
            "ServiceNamespace": "ecs", "ResourceId": "service/prod/blog", "ScalableDimension": "ecs:service:DesiredCount",
            "MinCapacity": 1, "MaxCapacity": 3,
        });
        inside
            .act("application-autoscaling", "RegisterScalableTarget", scaling)
            .unwrap();
        for service in ["web-blue", "web-green"] {
            let described = json!({ "cluster": "prod", "services": [service] });
            let arn = inside.act("ecs", "DescribeServices", described).unwrap()["services"][0]["serviceArn"]
                .clone();
            let tag = json!({ "resourceArn": arn, "tags": [{ "key": "team", "value": service }] });
            inside.act("ecs", "TagResource", tag).unwrap();
        }
    });
    shop
}

/// All that no run may change.
pub(super) fn foreign(world: &World, shop: &Shop) -> Value {
    let scaling = json!({ "ServiceNamespace": "ecs", "ResourceIds": ["service/prod/blog"] });
    let services = ["web-blue", "web-green", "blog"].map(|name| {
        let described = json!({ "cluster": "prod", "services": [name] });
        let described = world.cloud.act("ecs", "DescribeServices", described).unwrap();
        let mut service = described["services"][0].clone();
        let own = [
            "desiredCount",
            "runningCount",
            "pendingCount",
            "taskDefinition",
            "deployments",
            "events",
            "currentServiceDeployment",
            "currentServiceRevisions",
        ];
        if name == "blog" {
            // Nothing of it happens by itself.
            assert_eq!(service["deployments"].as_array().unwrap().len(), 1);
        } else {
            let service = service.as_object_mut().unwrap();
            service.retain(|key, _| !own.contains(&key.as_str()));
        }
        service
    });
    let mut rule = rule(world, shop);
    for action in &mut rule {
        for group in action["ForwardConfig"]["TargetGroups"].as_array_mut().unwrap() {
            group["Weight"].take();
        }
    }
    let mut tags = tags(world, shop);
    tags.retain(|tag| tag["key"] != TAG);
    let scaling = world
        .cloud
        .act("application-autoscaling", "DescribeScalableTargets", scaling);
    json!({ "services": services, "rule": rule, "tags": tags, "scaling": scaling.unwrap() })
}

/// Scaling is as it was, and no tag of this tool is left.
#[track_caller]
pub(super) fn is_tidy(world: &World, shop: &Shop, story: &str) {
    let left: Vec<Value> = tags(world, shop)
        .into_iter()
        .filter(|tag| tag["key"] == TAG)
        .collect();
    assert!(left.is_empty(), "{story}: {left:?}");
    let (bounds, suspended) = world.cloud.world(|world| {
        let blue = "service/prod/web-blue";
        (world.scaling.bounds(blue), world.scaling.suspended(blue))
    });
    let as_before = (Some((2, 8)), Some([false, true, false]));
    assert_eq!((bounds, suspended), as_before, "{story}");
}

/// What of the traffic each write of the rule that was done gives to this target group, in percent.
fn shares(calls: &[Entry], group: &str) -> Vec<u64> {
    let moves = calls
        .iter()
        .filter(|call| call.operation == "ModifyRule" && matches!(call.end, End::Done | End::Lost));
    let share = |call: &Entry| {
        let actions = call.input["Actions"].as_array().unwrap();
        let forward = actions.iter().find(|action| action["Type"] == "forward").unwrap();
        let groups = forward["ForwardConfig"]["TargetGroups"].as_array().unwrap();
        let found = groups.iter().find(|tuple| tuple["TargetGroupArn"] == group);
        found.unwrap()["Weight"].as_u64().unwrap()
    };
    moves.map(share).collect()
}

/// Traffic rises step by step to a target group, from a share on; once it falls it falls to nothing, and nothing but tidying
/// up is written after that.
#[track_caller]
pub(super) fn rises_or_goes_back(ended: &Ended, group: &str, from: u64, story: &str) {
    let shares = shares(&ended.calls, group);
    let mut last = from;
    let mut is_back = false;
    for share in &shares {
        let goes_back = *share < last || is_back;
        assert!(!goes_back || *share == 0, "{story}: {shares:?}");
        (is_back, last) = (goes_back, *share);
    }
    if !is_back {
        return;
    }
    let back = |call: &Entry| call.operation == "ModifyRule" && shares_of(call, group) == 0;
    let at = ended.calls.iter().position(back).unwrap();
    for call in ended.calls[at..].iter().filter(|call| call.writes()) {
        let is_fine = match call.operation.as_str() {
            "UpdateService" => call.input["desiredCount"] == 0 && call.input["taskDefinition"].is_null(),
            "ModifyRule" | "RegisterScalableTarget" | "UntagResource" => true,
            "TagResource" => call.input["tags"][0]["key"] == UNDONE,
            _ => false,
        };
        assert!(
            is_fine,
            "{story}: {} {} after the way back",
            call.operation, call.input
        );
    }
}

fn shares_of(call: &Entry, group: &str) -> u64 {
    let done = Entry {
        end: End::Done,
        ..call.clone()
    };
    shares(&[done], group)[0]
}

/// Only what was asked for is sent, and only to the pair.
#[track_caller]
pub(super) fn sends_no_more_than_asked(ended: &Ended, shop: &Shop, story: &str) {
    for call in ended.calls.iter().filter(|call| call.writes()) {
        let keys: Vec<&str> = call
            .input
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let input = &call.input;
        let is_pair = |arn: &Value| {
            let arn = arn.as_str().unwrap();
            arn.ends_with("service/prod/web-blue") || arn.ends_with("service/prod/web-green")
        };
        let (known, ours): (&[&str], bool) = match call.operation.as_str() {
            "RegisterTaskDefinition" => (&keys, input["family"] == "web"),
            "UpdateService" => (
                &["cluster", "desiredCount", "service", "taskDefinition"],
                input["service"] == "web-blue" || input["service"] == "web-green",
            ),
            "ModifyRule" => (&["Actions", "RuleArn"], input["RuleArn"] == shop.rule.as_str()),
            "TagResource" => {
                let tags = input["tags"].as_array().unwrap();
                let own = tags
                    .iter()
                    .all(|tag| [TAG, TRIED, UNDONE].iter().any(|own| tag["key"] == *own));
                (&["resourceArn", "tags"], own && is_pair(&input["resourceArn"]))
            }
            "UntagResource" => (
                &["resourceArn", "tagKeys"],
                [
                    json!([TAG]),
                    json!([TAG, TRIED]),
                    json!([TAG, UNDONE]),
                    json!([TAG, TRIED, UNDONE]),
                ]
                .contains(&input["tagKeys"])
                    && is_pair(&input["resourceArn"]),
            ),
            "RegisterScalableTarget" => (&keys, is_pair(&input["ResourceId"])),
            other => panic!("{story}: {other} was never asked for"),
        };
        let more = keys.iter().find(|key| !known.contains(key));
        assert!(ours && more.is_none(), "{story}: {} {input}", call.operation);
    }
}
