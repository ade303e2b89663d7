use super::*;

#[test]
fn checks_begin_when_a_rule_refers_to_the_group_and_end_in_draining() {
    let mut front = Front::new();
    let green = front.green.clone();
    assert!(front.elb.register(
        &green,
        "10.0.0.1",
        8080,
        Checks::healthy_after(seconds(10)),
        seconds(5)
    ));
    assert!(
        !front
            .elb
            .register("arn:none", "10.0.0.1", 8080, Checks::default(), seconds(5))
    );
    assert_eq!(front.state(&green, 60), Some(State::Unused));
    // Weight zero is a reference too.
    let split = front.split(1, 0);
    front.write(&split, 100).unwrap();
    assert_eq!(front.elb.weights_of(&green), 0.0);
    assert_eq!(
        [109, 110].map(|now| front.state(&green, now)),
        [Some(State::Initial), Some(State::Healthy)]
    );
    // Another write leaves the checks alone.
    let split = front.split(1, 1);
    front.write(&split, 120).unwrap();
    assert_eq!(front.state(&green, 120), Some(State::Healthy));
    let delay = json!([{ "Key": "deregistration_delay.timeout_seconds", "Value": "30" }]);
    front
        .ask(
            "ModifyTargetGroupAttributes",
            json!({ "TargetGroupArn": green, "Attributes": delay }),
            120,
        )
        .unwrap();
    front.elb.deregister(&green, "10.0.0.1", 8080, seconds(200));
    assert_eq!(
        [229, 230].map(|now| front.state(&green, now)),
        [Some(State::Draining), None]
    );
    front
        .elb
        .register(&green, "10.0.0.1", 8080, Checks::default(), seconds(240));
    assert_eq!(front.state(&green, 245), Some(State::Initial));
    let blue = json!([{ "Type": "forward", "TargetGroupArn": front.blue }]);
    front.write(&blue, 300).unwrap();
    assert_eq!(
        (front.state(&green, 300), front.elb.is_used(&green)),
        (Some(State::Unused), false)
    );
}

#[test]
fn targets_are_described_all_or_by_name() {
    let mut front = Front::new();
    let blue = front.blue.clone();
    let unhealthy = Checks::unhealthy_after(
        seconds(20),
        "Target.ResponseCodeMismatch",
        "Health checks failed with these codes: [404]",
    );
    front.elb.register(&blue, "10.0.0.1", 8080, unhealthy, seconds(0));
    let described = front
        .ask("DescribeTargetHealth", json!({ "TargetGroupArn": blue }), 20)
        .unwrap();
    let health = json!({
        "State": "unhealthy",
        "Reason": "Target.ResponseCodeMismatch",
        "Description": "Health checks failed with these codes: [404]",
    });
    assert_eq!(described["TargetHealthDescriptions"][0]["TargetHealth"], health);
    let named =
        json!({ "TargetGroupArn": blue, "Targets": [{ "Id": "10.0.0.1" }, { "Id": "10.0.0.2", "Port": 1 }] });
    let described = front.ask("DescribeTargetHealth", named.clone(), 20).unwrap();
    assert_eq!(
        described["TargetHealthDescriptions"][0]["TargetHealth"]["State"],
        "unhealthy"
    );
    assert_eq!(
        described["TargetHealthDescriptions"][1]["TargetHealth"]["Reason"],
        "Target.NotRegistered"
    );
    assert_eq!(
        front.ask("DeregisterTargets", named, 20).unwrap_err().code,
        "InvalidTarget"
    );
    let unknown = json!({ "TargetGroupArn": "arn:none" });
    assert_eq!(
        front.ask("DescribeTargetHealth", unknown, 20).unwrap_err().code,
        "TargetGroupNotFound"
    );
}

#[test]
fn tags_are_of_what_exists() {
    let mut front = Front::new();
    let tags =
        json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }, { "Key": "a", "Value": "3" }]);
    front
        .ask(
            "AddTags",
            json!({ "ResourceArns": [front.rule], "Tags": tags }),
            1,
        )
        .unwrap();
    front
        .ask(
            "RemoveTags",
            json!({ "ResourceArns": [front.rule], "TagKeys": ["b"] }),
            1,
        )
        .unwrap();
    let shown = front
        .ask(
            "DescribeTags",
            json!({ "ResourceArns": [front.rule, front.blue] }),
            1,
        )
        .unwrap();
    assert_eq!(
        list(&shown["TagDescriptions"][0], "Tags"),
        [json!({ "Key": "a", "Value": "3" })]
    );
    assert_eq!(list(&shown["TagDescriptions"][1], "Tags"), [] as [Value; 0]);
    assert_eq!(
        front
            .ask("DescribeTags", json!({ "ResourceArns": ["x"] }), 1)
            .unwrap_err()
            .code,
        "RuleNotFound"
    );
}

#[test]
fn what_is_in_use_stays_and_what_is_elsewhere_is_not_shared() {
    let mut front = Front::new();
    let delete = json!({ "TargetGroupArn": front.blue });
    assert_eq!(
        front.ask("DeleteTargetGroup", delete, 1).unwrap_err().code,
        "ResourceInUse"
    );
    let other = front.made(
        "CreateLoadBalancer",
        json!({ "Name": "other" }),
        "/LoadBalancers/0/LoadBalancerArn",
    );
    let actions = json!([{ "Type": "forward", "TargetGroupArn": front.blue }]);
    let listener =
        json!({ "LoadBalancerArn": other, "Port": 80, "Protocol": "HTTP", "DefaultActions": actions });
    assert_eq!(
        front.ask("CreateListener", listener, 1).unwrap_err().code,
        "TargetGroupAssociationLimit"
    );
    let groups = front
        .ask("DescribeTargetGroups", json!({ "Names": ["blue", "green"] }), 1)
        .unwrap();
    assert_eq!(list(&groups["TargetGroups"][0], "LoadBalancerArns").len(), 1);
    assert_eq!(list(&groups["TargetGroups"][1], "LoadBalancerArns").len(), 0);
}
