//! `ecs-deploy` on moto, a stand-in of AWS that was not made for it.
//!
//! No deploy can be followed there: services don't move, and their deployment keeps the revision that they were made with.

use sandbox::peers::{Moto, Place};
use serde_json::{Value, json};

use crate::sides::{RUNNING, Side, balancer, forward, revision, service, sign_in};

/// `ecs-deploy` on moto: its exit code, and what it says.
fn tool(moto: &Moto, words: &[&str]) -> (Option<i32>, String) {
    let place = black_box::Place::new();
    let mut command = place.command("ecs-deploy");
    command.envs(moto.environment()).args(words);
    let output = command.args(["--cluster", "prod"]).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn the_tool_reads_registers_and_runs_where_nothing_was_made_for_it() {
    let place = Place::new().unwrap();
    let moto = Moto::start(&place, RUNNING).unwrap();
    let side = Side::new(&place, moto.environment(), moto.network().clone());
    service(&side, "web", None);
    let revisions = |side: &Side| {
        side.tells(
            "ecs",
            "ListTaskDefinitions",
            json!({ "familyPrefix": "web" }),
            "/taskDefinitionArns",
        )
    };
    let before = revisions(&side);
    let (code, said) = tool(&moto, &["status", "--service", "web"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("service `web` is active: 3 tasks of `web:1` run, 3 wanted"),
        "{said}"
    );
    let image = ["--service", "web", "--image", "shop:1.1.0"];
    let (code, said) = tool(&moto, &[&["plan"][..], &image].concat());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("app: image: shop:1.0.0 → shop:1.1.0"), "{said}");
    assert_eq!(revisions(&side), before);

    let (code, said) = tool(
        &moto,
        &[
            &["run-task", "--run", "app=bin/seed", "--poll", "100ms"][..],
            &image,
        ]
        .concat(),
    );
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the task of `web:2` succeeded"), "{said}");
    let kept = |which: &str| {
        let input = json!({ "taskDefinition": which, "include": ["TAGS"] });
        let mut kept = side.ask("ecs", "DescribeTaskDefinition", input);
        let definition = kept["taskDefinition"].as_object_mut().unwrap();
        for key in ["revision", "taskDefinitionArn", "registeredAt"] {
            definition.shift_remove(key);
        }
        (definition["containerDefinitions"][0]["image"].take(), kept)
    };
    let (one, two) = (kept("web:1"), kept("web:2"));
    assert_eq!((one.0, two.0), (json!("shop:1.0.0"), json!("shop:1.1.0")));
    assert_eq!(one.1, two.1, "all but the image is as it was");
}

#[test]
fn the_tool_takes_the_traffic_back_behind_a_sign_in() {
    let place = Place::new().unwrap();
    let moto = Moto::start(&place, RUNNING).unwrap();
    let mut side = Side::new(&place, moto.environment(), moto.network().clone());
    balancer(&mut side);
    service(&side, "web-blue", Some("blue"));
    side.ask("ecs", "RegisterTaskDefinition", revision("web", "shop:1.1.0"));
    service(&side, "web-green", Some("green"));
    // moto's services register none by themselves.
    let targets: Vec<Value> = (0..RUNNING)
        .map(|task| json!({ "Id": format!("10.0.0.{task}"), "Port": 8080 }))
        .collect();
    let input = json!({ "TargetGroupArn": side.arn("blue"), "Targets": targets });
    side.ask("elbv2", "RegisterTargets", input);
    let pinned = json!({
        "ServiceNamespace": "ecs", "ResourceId": "service/prod/web-blue", "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": 2, "MaxCapacity": 9, "SuspendedState": {
            "DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": true, "ScheduledScalingSuspended": false,
        },
    });
    side.ask("application-autoscaling", "RegisterScalableTarget", pinned);
    let scaling = |side: &Side| {
        let input = json!({ "ServiceNamespace": "ecs" });
        side.tells(
            "application-autoscaling",
            "DescribeScalableTargets",
            input,
            "/ScalableTargets",
        )
    };
    let before = scaling(&side);
    let sticky = json!({ "Enabled": true, "DurationSeconds": 60 });
    let shifted = json!({
        "ListenerArn": side.arn("listener"), "Priority": 7, "Conditions": [{ "Field": "path-pattern", "Values": ["/*"] }],
        "Actions": [sign_in(json!({ "ClientSecret": "hush" })), forward(&side, 0, 100, sticky)],
    });
    side.make("rule", "elbv2", "CreateRule", shifted, "/Rules/0/RuleArn");
    let rule = side.arn("rule").to_owned();

    let sides = [
        "--traffic-rule",
        &rule,
        "--blue-service",
        "web-blue",
        "--green-service",
        "web-green",
    ];
    let (code, said) = tool(
        &moto,
        &[
            &[
                "rollback",
                "--timeout",
                "30s",
                "--stable-for",
                "100ms",
                "--poll",
                "100ms",
            ][..],
            &sides,
        ]
        .concat(),
    );
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("`web-blue` serves `web:1` again, with all traffic"),
        "{said}"
    );
    let actions = side.tells(
        "elbv2",
        "DescribeRules",
        json!({ "RuleArns": [rule] }),
        "/Rules/0/Actions",
    );
    // Clients that stick to the other side are let go for as long as they may remember it.
    let loose = json!({ "Enabled": false, "DurationSeconds": 60 });
    let mut wanted = json!([sign_in(json!({})), forward(&side, 100, 0, loose)]);
    for (arn, name) in &side.made {
        wanted = serde_json::from_str(&wanted.to_string().replace(arn, name)).unwrap();
    }
    assert_eq!(actions, wanted);
    let written = side.ask("elbv2", "DescribeRules", json!({ "RuleArns": [rule] }));
    let oidc = &written["Rules"][0]["Actions"][0]["AuthenticateOidcConfig"];
    assert_eq!(
        oidc["UseExistingClientSecret"], true,
        "the tool says that the secret stays"
    );
    assert_eq!(scaling(&side), before);
    let input = json!({ "cluster": "prod", "services": ["web-blue", "web-green"] });
    for (at, tasks) in [(0, RUNNING), (1, 0)] {
        let at = format!("/services/{at}/desiredCount");
        assert_eq!(side.tells("ecs", "DescribeServices", input.clone(), &at), tasks);
    }
}
