//! The stand-in of load balancers, judged by botocore's model of it.

use std::time::Duration;

use sandbox::stand_ins::aws::Checks;
use serde_json::{Value, json};

use crate::court::Court;

#[test]
fn load_balancers_speak_as_the_model_has_it() {
    let court = Court::open();
    let ask = |operation: &str, input: Value| court.ask("elbv2", operation, input);
    let made = |operation: &str, input: Value, at: &str| court.made("elbv2", operation, input, at);
    let balancer =
        json!({ "Name": "shop", "Subnets": ["subnet-1"], "Tags": [{ "Key": "a", "Value": "<&>" }] });
    let balancer = made("CreateLoadBalancer", balancer, "/LoadBalancers/0/LoadBalancerArn");
    let group = |name: &str| {
        let input =
            json!({ "Name": name, "Port": 8080, "Protocol": "HTTP", "VpcId": "vpc-1", "TargetType": "ip" });
        made("CreateTargetGroup", input, "/TargetGroups/0/TargetGroupArn")
    };
    let (blue, green) = (group("blue"), group("green"));
    let oidc = json!({
        "Issuer": "https://id.example", "AuthorizationEndpoint": "https://id.example/a", "TokenEndpoint": "https://id.example/t",
        "UserInfoEndpoint": "https://id.example/u", "ClientId": "shop", "ClientSecret": "hush",
        "AuthenticationRequestExtraParams": { "prompt": "login" },
    });
    let actions = json!([
        { "Type": "authenticate-oidc", "AuthenticateOidcConfig": oidc, "Order": 1 },
        { "Type": "forward", "TargetGroupArn": blue, "Order": 2 },
    ]);
    let listener =
        json!({ "LoadBalancerArn": balancer, "Port": 443, "Protocol": "HTTPS", "DefaultActions": actions });
    let listener = made("CreateListener", listener, "/Listeners/0/ListenerArn");
    let rule = json!({
        "ListenerArn": listener, "Priority": 7,
        "Conditions": [{ "Field": "path-pattern", "Values": ["/api/*"] }, { "Field": "host-header", "HostHeaderConfig": { "Values": ["a.example"] } }],
        "Actions": [{ "Type": "forward", "TargetGroupArn": blue }],
    });
    let rule = made("CreateRule", rule, "/Rules/0/RuleArn");
    let weights =
        json!([{ "TargetGroupArn": blue, "Weight": 90 }, { "TargetGroupArn": green, "Weight": 10 }]);
    let config = json!({ "TargetGroups": weights, "TargetGroupStickinessConfig": { "Enabled": true, "DurationSeconds": 60 } });
    let forward = json!([{ "Type": "forward", "ForwardConfig": config }]);
    let written = ask("ModifyRule", json!({ "RuleArn": rule, "Actions": forward }));
    assert_eq!(written["Rules"][0]["Actions"], forward);
    assert_eq!(ask("DescribeRules", json!({ "RuleArns": [rule] })), written);
    let share = court.cloud.world(|world| world.elb.weights_of(&green));
    assert_eq!(share, 0.1);

    // Targets from their beginning to their end.
    let health = |now: u64| {
        court.cloud.skip(Duration::from_secs(now));
        let input = json!({ "TargetGroupArn": green });
        let states = ask("DescribeTargetHealth", input)["TargetHealthDescriptions"].clone();
        states
            .as_array()
            .unwrap()
            .iter()
            .map(|state| state["TargetHealth"]["State"].clone())
            .collect::<Value>()
    };
    court.cloud.world(|world| {
        let (elb, well) = (&mut world.elb, Checks::healthy_after(Duration::from_secs(10)));
        assert!(elb.register(&green, "10.0.0.1", 8080, well, Duration::ZERO));
        let ill = Checks::unhealthy_after(Duration::from_secs(5), "Target.Timeout", "Request timed out");
        assert!(elb.register(&green, "10.0.0.2", 8080, ill, Duration::ZERO));
    });
    assert_eq!(health(0), json!(["initial", "initial"]));
    assert_eq!(health(10), json!(["healthy", "unhealthy"]));
    ask(
        "DeregisterTargets",
        json!({ "TargetGroupArn": green, "Targets": [{ "Id": "10.0.0.1", "Port": 8080 }] }),
    );
    assert_eq!(health(299), json!(["draining", "unhealthy"]));
    assert_eq!(health(1), json!(["unhealthy"]));

    for (operation, input) in [
        ("DescribeLoadBalancers", json!({ "Names": ["shop"] })),
        ("DescribeListeners", json!({ "LoadBalancerArn": balancer })),
        ("DescribeRules", json!({ "ListenerArn": listener, "PageSize": 1 })),
        ("DescribeTargetGroups", json!({ "LoadBalancerArn": balancer })),
        ("DescribeTags", json!({ "ResourceArns": [balancer, rule] })),
        (
            "DescribeTargetGroupAttributes",
            json!({ "TargetGroupArn": green }),
        ),
        (
            "ModifyTargetGroupAttributes",
            json!({ "TargetGroupArn": green, "Attributes": [{ "Key": "slow_start.duration_seconds", "Value": "30" }] }),
        ),
        (
            "DescribeLoadBalancerAttributes",
            json!({ "LoadBalancerArn": balancer }),
        ),
        (
            "ModifyListener",
            json!({ "ListenerArn": listener, "DefaultActions": forward }),
        ),
        (
            "AddTags",
            json!({ "ResourceArns": [rule], "Tags": [{ "Key": "b", "Value": "1" }] }),
        ),
        ("RemoveTags", json!({ "ResourceArns": [rule], "TagKeys": ["b"] })),
        (
            "DescribeTargetHealth",
            json!({ "TargetGroupArn": green, "Targets": [{ "Id": "10.0.0.9", "Port": 1 }] }),
        ),
        ("DeleteRule", json!({ "RuleArn": rule })),
        ("DeleteListener", json!({ "ListenerArn": listener })),
        ("DeleteTargetGroup", json!({ "TargetGroupArn": blue })),
    ] {
        ask(operation, input);
    }
    for (operation, input, code) in [
        ("DescribeRules", json!({ "RuleArns": [rule] }), "RuleNotFound"),
        (
            "DescribeListeners",
            json!({ "ListenerArns": [listener] }),
            "ListenerNotFound",
        ),
        (
            "DescribeTargetHealth",
            json!({ "TargetGroupArn": blue }),
            "TargetGroupNotFound",
        ),
        (
            "DescribeLoadBalancers",
            json!({ "Names": ["none"] }),
            "LoadBalancerNotFound",
        ),
    ] {
        assert_eq!(court.refused("elbv2", operation, input), code);
    }
}
