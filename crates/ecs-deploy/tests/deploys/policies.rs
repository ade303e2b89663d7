//! The policies of the documentation hold every call that a command makes, and none that no command makes.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails where it stands")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sandbox::stand_ins::aws::Setup;
use serde_json::Value;

use crate::cloud::{Ended, World};

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
