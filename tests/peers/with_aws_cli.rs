//! The stand-ins of AWS that are not ECS, driven by the `aws` command.

use std::time::Duration;

use sandbox::peers::{AwsCli, Place};
use sandbox::stand_ins::aws::{Clock, Cloud};
use serde_json::{Value, json};

#[test]
fn the_command_line_works_with_what_is_not_ecs() {
    let (cloud, place) = (Cloud::open(Clock::manual()).unwrap(), Place::new().unwrap());
    let aws = AwsCli::new(&place, cloud.environment()).unwrap();
    let run = |line: &str| aws.run(&line.split(' ').collect::<Vec<_>>()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let balancer = text(
        &run("elbv2 create-load-balancer --name shop --subnets subnet-1")["LoadBalancers"][0]["LoadBalancerArn"],
    );
    run(&format!(
        "elbv2 wait load-balancer-available --load-balancer-arns {balancer}"
    ));
    let group = |name: &str| {
        text(
            &run(&format!(
                "elbv2 create-target-group --name {name} --protocol HTTP --port 80 --target-type ip"
            ))["TargetGroups"][0]["TargetGroupArn"],
        )
    };
    let (blue, green) = (group("blue"), group("green"));
    let listener = run(&format!(
        "elbv2 create-listener --load-balancer-arn {balancer} --protocol HTTP --port 80 --default-actions Type=forward,TargetGroupArn={blue}"
    ));
    let listener = text(&listener["Listeners"][0]["ListenerArn"]);
    let rule = run(&format!(
        "elbv2 create-rule --listener-arn {listener} --priority 1 --conditions Field=path-pattern,Values=/* --actions Type=forward,TargetGroupArn={blue}"
    ));
    let rule = text(&rule["Rules"][0]["RuleArn"]);
    let actions = json!([{ "Type": "forward", "ForwardConfig": { "TargetGroups": [
        { "TargetGroupArn": blue, "Weight": 0 }, { "TargetGroupArn": green, "Weight": 100 },
    ] } }]);
    run(&format!(
        "elbv2 modify-rule --rule-arn {rule} --actions {actions}"
    ));
    assert_eq!(
        cloud.world(|world| world.elb.shares(&rule)),
        [(blue, 0.0), (green.clone(), 1.0)]
    );
    run(&format!(
        "elbv2 register-targets --target-group-arn {green} --targets Id=10.0.0.1,Port=80"
    ));
    cloud.skip(Duration::from_secs(10));
    run(&format!(
        "elbv2 wait target-in-service --target-group-arn {green}"
    ));
    let service = "--service-namespace ecs --resource-id service/prod/web --scalable-dimension ecs:service:DesiredCount";
    run(&format!(
        "application-autoscaling register-scalable-target {service} --min-capacity 2 --max-capacity 8 --suspended-state DynamicScalingInSuspended=true"
    ));
    assert_eq!(
        cloud.world(|world| world.scaling.suspended("service/prod/web")),
        Some([true, false, false])
    );
    run(
        "cloudwatch put-metric-data --namespace App --metric-name Requests --value 3 --timestamp 2026-01-01T00:00:00Z",
    );
    assert_eq!(
        run("cloudwatch list-metrics --namespace App")["Metrics"][0]["MetricName"],
        "Requests"
    );
    run("logs create-log-group --log-group-name /shop");
    cloud.world(|world| world.logs.append("/shop", "web/1", Duration::ZERO, "starting"));
    let events = run("logs get-log-events --log-group-name /shop --log-stream-name web/1 --start-from-head");
    assert_eq!(events["events"][0]["message"], "starting");
    assert_eq!(run("sts get-caller-identity")["Account"], "123456789012");
    let refusal = aws
        .run(&["elbv2", "describe-rules", "--rule-arns", "arn:none"])
        .unwrap_err();
    assert!(
        refusal
            .to_string()
            .contains("(RuleNotFound) when calling the DescribeRules operation"),
        "{refusal}"
    );
}
