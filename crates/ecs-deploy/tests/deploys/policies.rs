//! The policies of the documentation hold every call that a command makes, and none that no command makes.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sandbox::stand_ins::aws::Setup;
use serde_json::{Value, json};

use crate::cloud::{Ended, World};
use crate::verify::{image, shop};

/// What IAM asks for beside the calls themselves: roles that are handed on, and tags of what is registered.
const BESIDE: [&str; 2] = ["iam:PassRole", "ecs:TagResource"];

/// The actions of the policy that stands first under a heading of the page.
fn policy(heading: &str) -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ecs-deploy.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, under) = page.split_once(&format!("\n#### {heading}\n")).unwrap();
    let (_, block) = under.split_once("```json\n").unwrap();
    let policy: Value = serde_json::from_str(block.split("```").next().unwrap()).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    statements.iter().flat_map(actions).collect()
}

fn actions(statement: &Value) -> Vec<String> {
    match &statement["Action"] {
        Value::String(action) => vec![action.clone()],
        actions => {
            let actions = actions.as_array().unwrap().iter();
            actions
                .map(|action| action.as_str().unwrap().to_owned())
                .collect()
        }
    }
}

/// The resources that IAM asks for, as the words in front of their ARNs; nothing where it knows none but `*`
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>).
const RESOURCES: [(&str, &[&str]); 34] = [
    ("application-autoscaling:DescribeScalableTargets", &[]),
    (
        "application-autoscaling:RegisterScalableTarget",
        &["scalable-target/"],
    ),
    ("ecr:DescribeImages", &["repository/"]),
    ("ecr:DescribePullThroughCacheRules", &[]),
    (
        "ecs:ContinueServiceDeployment",
        &["service/", "service-deployment/"],
    ),
    (
        "ecs:DescribeServiceDeployments",
        &["service/", "service-deployment/"],
    ),
    ("ecs:DescribeServiceRevisions", &["service/", "service-revision/"]),
    ("ecs:DescribeServices", &["service/"]),
    ("ecs:DescribeTaskDefinition", &[]),
    ("ecs:DescribeTasks", &["task/"]),
    ("ecs:ListServiceDeployments", &["service/"]),
    ("ecs:ListServices", &[]),
    ("ecs:ListTagsForResource", &["service/"]),
    ("ecs:ListTasks", &["container-instance/"]),
    ("ecs:RegisterTaskDefinition", &["task-definition/"]),
    ("ecs:RunTask", &["task-definition/"]),
    ("ecs:StopServiceDeployment", &["service/", "service-deployment/"]),
    ("ecs:StopTask", &["task/"]),
    ("ecs:TagResource", &[]),
    ("ecs:UntagResource", &["service/"]),
    ("ecs:UpdateService", &["service/"]),
    ("elasticloadbalancing:DescribeListeners", &[]),
    ("elasticloadbalancing:DescribeRules", &[]),
    ("elasticloadbalancing:DescribeTargetGroupAttributes", &[]),
    ("elasticloadbalancing:DescribeTargetHealth", &[]),
    ("elasticloadbalancing:ModifyListener", &["listener/app/"]),
    ("elasticloadbalancing:ModifyRule", &["listener-rule/app/"]),
    ("iam:GetRole", &["role/"]),
    ("iam:PassRole", &["role/"]),
    ("logs:DescribeLogGroups", &[]),
    ("logs:GetLogEvents", &["log-group:"]),
    ("secretsmanager:DescribeSecret", &["secret:"]),
    ("ssm:DescribeParameters", &[]),
    ("sts:AssumeRoleWithWebIdentity", &["role/"]),
];

#[test]
fn each_statement_names_the_resources_that_iam_asks_for() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ecs-deploy.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page
        .split("```json\n")
        .skip(1)
        .filter_map(|block| block.split("```").next());
    let mut checked = 0;
    for policy in blocks.filter_map(|block| serde_json::from_str::<Value>(block).ok()) {
        for statement in policy["Statement"].as_array().into_iter().flatten() {
            let resources = match &statement["Resource"] {
                Value::String(one) => vec![one.as_str()],
                Value::Array(all) => all.iter().map(|one| one.as_str().unwrap()).collect(),
                _ => continue,
            };
            for action in actions(statement) {
                let known = RESOURCES.iter().find(|(known, _)| *known == action);
                let (_, kinds) = known.unwrap_or_else(|| panic!("{action} is not in the table"));
                // A tag may be written to whatever carries one.
                let is_any = action == "ecs:TagResource";
                let after_account = |arn: &&str| arn.splitn(6, ':').nth(5).unwrap_or_default().to_owned();
                let named: Vec<String> = resources.iter().map(after_account).collect();
                let fits = resources == ["*"]
                    || is_any
                    || (!kinds.is_empty()
                        && kinds
                            .iter()
                            .all(|kind| named.iter().any(|arn| arn.starts_with(kind))));
                assert!(fits, "{action} on {resources:?}");
                checked += 1;
            }
        }
    }
    assert!(checked > 40, "{checked}");
}

fn calls(all: &[Ended]) -> BTreeSet<String> {
    let calls = all.iter().flat_map(|ended| &ended.calls);
    calls
        .map(|call| format!("{}:{}", call.service, call.operation))
        .collect()
}

fn place<'a>(command: &'a str, service: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let line = [command, "--cluster", "prod", "--service", service];
    line.into_iter().chain(more.iter().copied()).collect()
}

async fn runs(lines: &[(&str, &str, &[&str])]) -> BTreeSet<String> {
    let world = World::new();
    Setup::new("prod", "web")
        .image("shop:1.0.0")
        .desired(2)
        .build(&world.cloud);
    let mut all = Vec::new();
    for (command, service, more) in lines {
        all.push(world.run(&place(command, service, more)).await);
    }
    calls(&all)
}

#[tokio::test(start_paused = true)]
async fn what_a_deploy_needs_is_in_the_policy_and_no_more() {
    let called = runs(&[
        (
            "deploy",
            "web",
            &["--image", "shop:1.1.0", "--migrate", "bin/migrate"],
        ),
        ("deploy", "web", &["--image", "shop:1.2.0-crash"]),
        ("rollback", "web", &["--to", "1.0.0"]),
        ("deploy", "wep", &["--image", "shop:1.1.0"]),
        (
            "run-task",
            "web",
            &["--image", "shop:1.3.0-job-hangs", "--timeout", "1m"],
        ),
    ])
    .await;
    let policy = policy("Deploy, rollback, run-task");
    let missing: Vec<&String> = called.difference(&policy).collect();
    assert!(missing.is_empty(), "not in the policy: {missing:?}");
    let idle = policy.difference(&called);
    let idle: Vec<&str> = idle
        .map(String::as_str)
        .filter(|action| !BESIDE.contains(action))
        .collect();
    assert!(idle.is_empty(), "no call: {idle:?}");
}

#[tokio::test(start_paused = true)]
async fn what_asking_for_images_needs_is_in_the_policy_and_no_more() {
    let world = World::new();
    shop(&world);
    let mut all = Vec::new();
    for (command, tag) in [
        ("plan", "1.1.0"),
        ("run-task", "9.9.9"),
        ("deploy", "9.9.9"),
        ("deploy", "1.1.0"),
    ] {
        let image = image(tag);
        all.push(world.run(&place(command, "web", &["--image", &image])).await);
    }
    let mut called = calls(&all);
    called.retain(|call| call.starts_with("ecr:"));
    assert_eq!(called, policy("Images in ECR"));
}

#[tokio::test(start_paused = true)]
async fn what_verifying_needs_is_in_the_policy_and_no_more() {
    let world = World::new();
    shop(&world);
    let (there, missing) = (image("1.1.0"), image("9.9.9"));
    let mut all = Vec::new();
    for (service, image) in [("web", &there), ("web", &missing), ("wep", &there)] {
        all.push(world.run(&place("verify", service, &["--image", image])).await);
    }
    assert_eq!(calls(&all), policy("Verification"));
}

#[tokio::test(start_paused = true)]
async fn what_looking_needs_is_in_the_policy_and_no_more() {
    let called = runs(&[
        ("deploy", "web", &["--image", "shop:1.1.0-crash"]),
        ("plan", "web", &["--image", "shop:1.2.0"]),
        ("status", "web", &[]),
        ("status", "wep", &[]),
    ])
    .await;
    let looked: BTreeSet<String> = called
        .into_iter()
        .filter(|call| {
            ![
                "ecs:RegisterTaskDefinition",
                "ecs:UpdateService",
                "logs:GetLogEvents",
            ]
            .contains(&call.as_str())
        })
        .collect();
    assert_eq!(looked, policy("Plan and status"));
}

#[tokio::test(start_paused = true)]
async fn what_moves_traffic_is_in_the_policy_and_no_more() {
    let mut all = Vec::new();
    for default_rule in [false, true] {
        let world = World::new().in_one_job();
        let setup = Setup::new("prod", "web").image("shop:1.0.0").desired(2).pair();
        let shop = if default_rule { setup.default_rule() } else { setup }.build(&world.cloud);
        let scaling = json!({
            "ServiceNamespace": "ecs", "ResourceId": "service/prod/web-blue",
            "ScalableDimension": "ecs:service:DesiredCount", "MinCapacity": 1, "MaxCapacity": 4,
        });
        world
            .cloud
            .act("application-autoscaling", "RegisterScalableTarget", scaling)
            .unwrap();
        let steps = ["--steps", "10% 1m, 100%", "--keep", "1m"];
        let until = [&["--image", "shop:1.1.0", "--until", "10%"][..], &steps].concat();
        let crash = [&["--image", "shop:1.2.0-crash"][..], &steps].concat();
        let lines: [(&str, &[&str]); 6] = [
            ("plan", &["--image", "shop:1.1.0"]),
            ("deploy", &until),
            ("status", &[]),
            ("promote", &steps),
            ("deploy", &crash),
            ("rollback", &[]),
        ];
        for (command, more) in lines {
            let rule = ["--traffic-rule", &shop.rule, "--cluster", "prod"];
            let services = ["--blue-service", "web-blue", "--green-service", "web-green"];
            let line = [&[command][..], &rule, &services, more].concat();
            all.push(world.run(&line).await);
        }
    }
    let called = calls(&all);
    let policy = policy("Weighted");
    let missing: Vec<&String> = called.difference(&policy).collect();
    assert!(missing.is_empty(), "not in the policy: {missing:?}");
    let idle = policy.difference(&called);
    let idle: Vec<&str> = idle
        .map(String::as_str)
        .filter(|action| !BESIDE.contains(action))
        .collect();
    assert!(idle.is_empty(), "no call: {idle:?}");
}
