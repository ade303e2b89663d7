//! The stand-ins of AWS that are neither ECS nor load balancers, judged by botocore's models of the services.
//!
//! An answer with a member that the model does not have, without one that it requires, or with a value of another kind is a
//! fault; so is a code that the operation does not have.

use std::time::Duration;

use sandbox::http::{Reply, Script, Server};
use sandbox::peers::{Botocore, Place};
use sandbox::stand_ins::aws::Role;
use serde_json::{Value, json};

use crate::court::Court;

#[test]
fn the_judge_sees_what_is_wrong() {
    let court = Court::open();
    // An input that the model does not have never leaves botocore.
    let judged = court
        .botocore
        .call("sts", "GetCallerIdentity", &json!({ "No": 1 }))
        .unwrap();
    assert!(
        judged.faults[0].contains("Unknown parameter"),
        "{:?}",
        judged.faults
    );
    let list = json!({ "clusterArns": "none", "next": 1 });
    let json = Reply::json(200, &list);
    let rules = "<R><DescribeRulesResult><Rules><member><Rank>1</Rank><IsDefault>yes</IsDefault></member><item/></Rules>\
                 </DescribeRulesResult></R>";
    let xml = Reply::text(200, rules);
    // {"MetricAlarms": [{"StateValue": "BAD", "Period": 1.5}]}
    let alarms =
        b"\xa1\x6cMetricAlarms\x81\xa2\x6aStateValue\x63BAD\x66Period\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00";
    let cbor = Reply::bytes(200, alarms.to_vec()).header("smithy-protocol", "rpc-v2-cbor");
    let unknown = Reply::json(400, &json!({ "__type": "NoSuchThing", "message": "" }));
    for (service, operation, reply, expected) in [
        (
            "ecs",
            "ListClusters",
            json,
            &[
                "no request id",
                "`next` is not in the model",
                "clusterArns: no list",
            ][..],
        ),
        (
            "elbv2",
            "DescribeRules",
            xml,
            &[
                "`Rank` is not in the model",
                "'yes' is not true or false",
                "`item` is not `member`",
            ],
        ),
        (
            "cloudwatch",
            "DescribeAlarms",
            cbor,
            &["'BAD' is none of", "1.5 is no integer"],
        ),
        (
            "ecs",
            "DescribeClusters",
            unknown,
            &["`NoSuchThing` is not one of", "says nothing"],
        ),
    ] {
        let (place, server) = (
            Place::new().unwrap(),
            Server::start(Script::new().any([reply])).unwrap(),
        );
        let mut environment = court.cloud.environment();
        environment.retain(|(name, _)| *name != "AWS_ENDPOINT_URL");
        environment.push(("AWS_ENDPOINT_URL", server.url("")));
        let botocore = Botocore::start(&place, environment).unwrap();
        let faults = botocore
            .call(service, operation, &json!({}))
            .unwrap()
            .faults
            .join("\n");
        for fault in expected {
            assert!(faults.contains(fault), "{fault}: {faults}");
        }
    }
}

#[test]
fn logs_metrics_scaling_images_roles_and_secrets_speak_as_the_models_have_it() {
    let court = Court::open();
    let start = court.cloud.world(|world| {
        world.logs.append("/shop", "web/1", Duration::ZERO, "starting");
        world
            .registry
            .push("shop", "1.0.0", &format!("sha256:{:064}", 1), Duration::ZERO);
        world.metrics.record(
            "AWS/ApplicationELB",
            "RequestCount",
            &[("TargetGroup", "blue")],
            Duration::ZERO,
            4.0,
        );
        world.registry.cache("docker-hub");
        world.iam.role("execution", "ecs-tasks.amazonaws.com");
        world.secrets.add("db", &["AWSCURRENT"]);
        world.secrets.add("gone", &["AWSCURRENT"]);
        world.secrets.delete("gone");
        world.parameters.add("/shop/db");
        world.metrics.alarm("errors", "ALARM", "5 of 5", Duration::ZERO);
        world.home.began
    });
    let dimensions = json!([{ "Name": "TargetGroup", "Value": "blue" }]);
    let metric =
        json!({ "Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount", "Dimensions": dimensions });
    let queries = json!([
        { "Id": "m1", "MetricStat": { "Metric": metric, "Period": 60, "Stat": "Sum" } },
        { "Id": "e1", "Expression": "m1 / 2" },
    ]);
    let datum = json!({ "MetricName": "Own", "Value": 1.5, "Timestamp": start, "Dimensions": dimensions });
    let target = json!({ "ServiceNamespace": "ecs", "ResourceId": "service/prod/web", "ScalableDimension": "ecs:service:DesiredCount" });
    let with = |more: Value| {
        let mut target = target.clone();
        target
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        target
    };
    let stream = json!({ "logGroupName": "/shop", "logStreamName": "web/2" });
    let tracking = json!({ "TargetValue": 50.0, "PredefinedMetricSpecification": { "PredefinedMetricType": "ECSServiceAverageCPUUtilization" } });
    let image = json!({ "repositoryName": "shop", "imageIds": [{ "imageTag": "1.0.0" }] });
    for (service, operation, input) in [
        ("logs", "CreateLogStream", stream.clone()),
        (
            "logs",
            "PutLogEvents",
            json!({ "logGroupName": "/shop", "logStreamName": "web/2", "logEvents": [{ "timestamp": 1, "message": "x" }] }),
        ),
        ("logs", "GetLogEvents", stream),
        ("logs", "FilterLogEvents", json!({ "logGroupName": "/shop" })),
        ("logs", "DescribeLogGroups", json!({ "logGroupNamePrefix": "/s" })),
        ("logs", "DescribeLogStreams", json!({ "logGroupName": "/shop" })),
        (
            "cloudwatch",
            "GetMetricData",
            json!({ "MetricDataQueries": queries, "StartTime": start, "EndTime": start + 60.0 }),
        ),
        (
            "cloudwatch",
            "PutMetricData",
            json!({ "Namespace": "App", "MetricData": [datum] }),
        ),
        ("cloudwatch", "ListMetrics", json!({ "Namespace": "App" })),
        (
            "cloudwatch",
            "DescribeAlarms",
            json!({ "AlarmNames": ["errors"] }),
        ),
        (
            "cloudwatch",
            "SetAlarmState",
            json!({ "AlarmName": "errors", "StateValue": "OK", "StateReason": "x" }),
        ),
        (
            "application-autoscaling",
            "RegisterScalableTarget",
            with(json!({ "MinCapacity": 2, "MaxCapacity": 9 })),
        ),
        (
            "application-autoscaling",
            "RegisterScalableTarget",
            with(json!({ "SuspendedState": { "DynamicScalingInSuspended": true } })),
        ),
        (
            "application-autoscaling",
            "PutScalingPolicy",
            with(
                json!({ "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": tracking }),
            ),
        ),
        (
            "application-autoscaling",
            "DescribeScalableTargets",
            json!({ "ServiceNamespace": "ecs" }),
        ),
        (
            "application-autoscaling",
            "DescribeScalingPolicies",
            json!({ "ServiceNamespace": "ecs" }),
        ),
        ("ecr", "BatchGetImage", image.clone()),
        ("ecr", "DescribeImages", image),
        (
            "ecr",
            "BatchGetImage",
            json!({ "repositoryName": "shop", "imageIds": [{ "imageTag": "none" }] }),
        ),
        ("ecr", "DescribePullThroughCacheRules", json!({})),
        ("iam", "GetRole", json!({ "RoleName": "execution" })),
        ("secretsmanager", "DescribeSecret", json!({ "SecretId": "db" })),
        ("secretsmanager", "DescribeSecret", json!({ "SecretId": "gone" })),
        (
            "ssm",
            "DescribeParameters",
            json!({ "ParameterFilters": [{ "Key": "Name", "Option": "Equals", "Values": ["/shop/db"] }] }),
        ),
    ] {
        let output = court.ask(service, operation, input);
        if operation == "GetMetricData" {
            assert_eq!(output["MetricDataResults"][1]["Values"], json!([2.0]));
        }
    }
    for (service, operation, input, code) in [
        (
            "logs",
            "GetLogEvents",
            json!({ "logGroupName": "/none", "logStreamName": "x" }),
            "ResourceNotFoundException",
        ),
        (
            "cloudwatch",
            "SetAlarmState",
            json!({ "AlarmName": "none", "StateValue": "OK", "StateReason": "x" }),
            "ResourceNotFound",
        ),
        (
            "application-autoscaling",
            "DeregisterScalableTarget",
            json!({ "ServiceNamespace": "ecs", "ResourceId": "service/a/b", "ScalableDimension": "ecs:service:DesiredCount" }),
            "ObjectNotFoundException",
        ),
        (
            "ecr",
            "DescribeImages",
            json!({ "repositoryName": "none" }),
            "RepositoryNotFoundException",
        ),
        ("iam", "GetRole", json!({ "RoleName": "none" }), "NoSuchEntity"),
        (
            "secretsmanager",
            "DescribeSecret",
            json!({ "SecretId": "none" }),
            "ResourceNotFoundException",
        ),
    ] {
        assert_eq!(court.refused(service, operation, input), code);
    }
}

#[test]
fn keys_are_those_that_the_cloud_gave_away_and_only_for_their_time() {
    let court = Court::open();
    let arn = "arn:aws:iam::123456789012:role/deploy";
    court
        .cloud
        .world(|world| world.sts.add(Role::of_repository(arn, "org/shop")));
    let credentials = court.ask(
        "sts",
        "AssumeRole",
        json!({ "RoleArn": arn, "RoleSessionName": "run", "DurationSeconds": 900 }),
    );
    let credentials = &credentials["Credentials"];
    let with = |secret: &str| {
        let mut environment = court.cloud.environment();
        environment.retain(|(name, _)| !name.ends_with("KEY_ID") && !name.ends_with("ACCESS_KEY"));
        let of = |name: &str| credentials[name].as_str().unwrap().to_owned();
        environment.extend([
            ("AWS_ACCESS_KEY_ID", of("AccessKeyId")),
            ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
            ("AWS_SESSION_TOKEN", of("SessionToken")),
        ]);
        environment
    };
    let (place, other) = (Place::new().unwrap(), Place::new().unwrap());
    let secret = credentials["SecretAccessKey"].as_str().unwrap();
    let role = Botocore::start(&place, with(secret)).unwrap();
    let thief = Botocore::start(&other, with("guessed")).unwrap();
    let who = role.call("sts", "GetCallerIdentity", &json!({})).unwrap();
    assert_eq!(
        who.output["Arn"],
        "arn:aws:sts::123456789012:assumed-role/deploy/run"
    );
    let services = [
        (
            "sts",
            "GetCallerIdentity",
            json!({}),
            "SignatureDoesNotMatch",
            "ExpiredToken",
        ),
        (
            "logs",
            "DescribeLogGroups",
            json!({}),
            "InvalidSignatureException",
            "ExpiredTokenException",
        ),
        (
            "cloudwatch",
            "DescribeAlarms",
            json!({}),
            "InvalidSignatureException",
            "ExpiredTokenException",
        ),
    ];
    let ends = |judge: &Botocore, service, operation, input: &Value, code: Option<&str>| {
        let judged = judge.call(service, operation, input).unwrap();
        assert_eq!(
            (judged.code.as_deref(), judged.faults),
            (code, vec![]),
            "{service}"
        );
    };
    for (service, operation, input, wrong, _) in &services {
        ends(&thief, service, operation, input, Some(wrong));
        ends(&role, service, operation, input, None);
    }
    court.cloud.skip(Duration::from_secs(900));
    for (service, operation, input, _, expired) in &services {
        ends(&role, service, operation, input, Some(expired));
    }
}
