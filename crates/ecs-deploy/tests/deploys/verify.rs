//! `verify`, and the question whether an image is there, against a stand-in of AWS.

use std::fs;

use gha::Exit;
use sandbox::stand_ins::aws::{Fault, Setup, Shop, Turn};
use serde_json::{Value, json};

use crate::cloud::{Ended, World};

const REGISTRY: &str = "123456789012.dkr.ecr.eu-central-1.amazonaws.com";

/// A service whose task definition needs all kinds of things, all of which are there.
pub(crate) fn shop(world: &World) -> Shop {
    let secret = world.cloud.world(|aws| {
        aws.registry.push("shop", "1.0.0", &digest(1), aws.now());
        aws.registry.push("shop", "1.1.0", &digest(2), aws.now());
        aws.iam.role("execution", "ecs-tasks.amazonaws.com");
        aws.iam.role("task", "ecs-tasks.amazonaws.com");
        aws.parameters.add("/shop/db");
        aws.parameters.empty_pages(2);
        aws.secrets.add("key", &["AWSCURRENT"])
    });
    let file = json!({
        "name": "app", "image": format!("{REGISTRY}/shop:1.0.0"), "essential": true,
        "portMappings": [{ "containerPort": 8080, "protocol": "tcp" }],
        "secrets": [{ "name": "DB", "valueFrom": "/shop/db" }, { "name": "KEY", "valueFrom": secret }],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": { "awslogs-group": "/ecs/web", "awslogs-region": "eu-central-1", "awslogs-stream-prefix": "ecs" },
        },
    });
    Setup::new("prod", "web")
        .desired(2)
        .balanced()
        .defined("taskRoleArn", json!("arn:aws:iam::123456789012:role/task"))
        .defined("containerDefinitions", json!([file]))
        .build(&world.cloud)
}

fn digest(number: u8) -> String {
    format!("sha256:{number:064}")
}

/// An image of the registry.
pub(crate) fn image(tag: &str) -> String {
    format!("{REGISTRY}/shop:{tag}")
}

async fn verify(world: &World, more: &[&str]) -> Ended {
    let line = ["verify", "--cluster", "prod", "--service", "web"];
    world.run(&[&line[..], more].concat()).await
}

/// The checks of a result, each as `what: found`.
fn checks(ended: &Ended) -> Vec<String> {
    let facts = match &ended.result {
        Ok(outcome) => &outcome.facts,
        Err(failure) => &failure.outcome.facts,
    };
    let checks = facts["checks"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    checks
        .map(|check| format!("{}: {}", text(&check["what"]), text(&check["found"])))
        .collect()
}

/// How many checks came to this.
fn count(ended: &Ended, found: &str) -> usize {
    let end = format!(": {found}");
    checks(ended).iter().filter(|check| check.ends_with(&end)).count()
}

#[tokio::test(start_paused = true)]
async fn all_that_a_deploy_needs_is_asked_for_and_nothing_is_changed() {
    let world = World::new();
    shop(&world);
    let ended = verify(&world, &["--image", &image("1.1.0"), "--migrate", "bin/migrate"]).await;
    let outcome = ended.good();
    assert!(
        outcome
            .headline
            .contains("could work: 12 things are as it needs them"),
        "{}",
        ended.log
    );
    assert!(outcome.dry_run);
    assert_eq!(
        checks(&ended),
        [
            "service: ok",
            "strategy: ok",
            "target group: ok",
            "task definition: ok",
            "migration: ok",
            "container of the load balancer: ok",
            "image: ok",
            "execution role: ok",
            "task role: ok",
            "secret: ok",
            "secret: ok",
            "log group: ok",
        ]
    );
    assert_eq!(ended.writes(), [""; 0]);
    assert!(
        !format!("{}{:?}", ended.log, outcome).contains("123456789012"),
        "{}",
        ended.log
    );
}

#[tokio::test(start_paused = true)]
async fn all_that_is_wrong_is_told_at_once() {
    let world = World::new();
    let shop = shop(&world);
    world.cloud.world(|aws| {
        aws.secrets.delete("key");
        aws.iam.role("machine", "ec2.amazonaws.com");
    });
    world.cloud.fault(
        "DescribeTargetHealth",
        Turn::Every,
        Fault::Refused(sandbox::stand_ins::aws::Refusal::new(
            "TargetGroupNotFound",
            "One or more target groups not found",
        )),
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("task.json");
    let definition = json!({
        "family": "web", "executionRoleArn": "arn:aws:iam::123456789012:role/none",
        "taskRoleArn": "arn:aws:iam::123456789012:role/machine",
        "containerDefinitions": [{
            "name": "other", "image": image("9.9.9"),
            "secrets": [{ "name": "A", "valueFrom": "/shop/none" }, {
                "name": "B",
                "valueFrom": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:key-AbCdEf:field::",
            }],
            "logConfiguration": { "logDriver": "awslogs", "options": { "awslogs-group": "/ecs" } },
        }],
    });
    fs::write(&file, definition.to_string()).unwrap();
    let ended = verify(
        &world,
        &[
            "--task-definition",
            file.to_str().unwrap(),
            "--migrate",
            "app=bin/migrate",
            "--strategy",
            "canary",
            "--bake-time",
            "90s",
            "--gate",
            "/none/gate.yml",
        ],
    )
    .await;
    let failure = ended.failed(Exit::Usage);
    assert!(
        failure
            .error
            .to_string()
            .ends_with("and 10 more things are wrong"),
        "{}",
        failure.error
    );
    let wrong: Vec<String> = checks(&ended)
        .into_iter()
        .filter(|check| check.ends_with(": wrong"))
        .collect();
    assert_eq!(
        wrong,
        [
            "strategy: wrong",
            "target group: wrong",
            "migration: wrong",
            "container of the load balancer: wrong",
            "image: wrong",
            "execution role: wrong",
            "task role: wrong",
            "secret: wrong",
            "secret: wrong",
            "log group: wrong",
            "gates: wrong",
        ]
    );
    for part in [
        "wrong: image `<account>.dkr.ecr.eu-central-1.amazonaws.com/shop:9.9.9`: there is no image `9.9.9` in repository `shop`",
        "wrong: execution role `none`: there is no such role",
        "wrong: task role `machine`: it does not let `ecs-tasks.amazonaws.com` take it",
        "wrong: secret `/shop/none`: there is no such parameter",
        "it is being deleted, and can't be read",
        "wrong: log group `/ecs`: there is no such log group",
    ] {
        assert!(ended.log.contains(part), "{part}\n{}", ended.log);
    }
    assert_eq!(ended.writes(), [""; 0]);
    assert_eq!(world.cloud.serving(&shop), [image("1.0.0")]);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_asked_is_told_and_nothing_wrong() {
    for fault in [Fault::Denied, Fault::Internal, Fault::Reset, Fault::Hang] {
        let world = World::new();
        shop(&world);
        for operation in [
            "DescribeImages",
            "GetRole",
            "DescribeSecret",
            "DescribeParameters",
            "DescribeLogGroups",
            "DescribeTargetHealth",
        ] {
            world.cloud.fault(operation, Turn::Every, fault.clone());
        }
        let ended = verify(&world, &["--image", &image("9.9.9")]).await;
        let headline = &ended.good().headline;
        assert_eq!(count(&ended, "not-asked"), 7, "{}", ended.log);
        assert!(headline.ends_with("7 could not be asked for"), "{headline}");
        if fault == Fault::Denied {
            assert!(
                ended
                    .log
                    .contains("not asked: task role `task`: access denied for `iam:GetRole`"),
                "{}",
                ended.log
            );
        }
        assert!(ended.took.as_secs() < 200, "{fault:?}: {:?}", ended.took);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_deploy_cannot_do_without_must_be_readable() {
    let world = World::new();
    shop(&world);
    world.cloud.fault("DescribeServices", Turn::Every, Fault::Denied);
    let ended = verify(&world, &[]).await;
    let failure = ended.failed(Exit::Access);
    assert!(
        failure
            .error
            .to_string()
            .contains("access denied for `ecs:DescribeServices`"),
        "{}",
        failure.error
    );
    assert_eq!(checks(&ended), ["service: wrong", "task definition: not-asked"]);
    world.cloud.heal();
    let line = [
        "verify",
        "--cluster",
        "prod",
        "--service",
        "wep",
        "--task-definition",
        "web",
    ];
    let ended = world.run(&line).await;
    let failure = ended.failed(Exit::Usage);
    assert!(
        failure.error.to_string().contains("there is `web`"),
        "{}",
        failure.error
    );
    // The rest is asked all the same.
    assert_eq!(
        (count(&ended, "ok"), count(&ended, "wrong")),
        (7, 1),
        "{}",
        ended.log
    );
}

#[tokio::test(start_paused = true)]
async fn a_weighted_deploy_is_verified_with_its_rule_and_both_sides() {
    let world = World::new();
    let shop = Setup::new("prod", "web").desired(2).pair().build(&world.cloud);
    let line = |rule: &'static str, more: &[&'static str]| {
        let rule = if rule.is_empty() {
            shop.rule.clone()
        } else {
            rule.to_owned()
        };
        let all = [
            "verify",
            "--cluster",
            "prod",
            "--blue-service",
            "web-blue",
            "--green-service",
            "web-green",
            "--traffic-rule",
        ];
        let all = all.into_iter().map(str::to_owned).chain([rule]);
        all.chain(more.iter().map(|&more| more.to_owned()))
            .collect::<Vec<_>>()
    };
    let run = async |line: Vec<String>| {
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        world.run(&words).await
    };
    let ended = run(line("", &["--image", "shop:1.1.0", "--steps", "10% 1m, 100%"])).await;
    assert!(
        ended
            .log
            .contains("`web-blue` serves with weight 100, and `web-green` gets the new version"),
        "{}",
        ended.log
    );
    // The execution role of the set-up is not there.
    ended.failed(Exit::Usage);
    world
        .cloud
        .world(|aws| aws.iam.role("execution", "ecs-tasks.amazonaws.com"));
    let ended = run(line("", &["--image", "shop:1.1.0", "--steps", "10% 1m, 100%"])).await;
    assert_eq!(ended.good().target.as_deref(), Some("prod/web-blue+web-green"));
    assert_eq!(count(&ended, "ok"), 10, "{}", ended.log);
    let other = "listener-rule/app/web/0000000000000000/0000000000000000/0000000000000000";
    let ended = run(line(other, &["--steps", "50% 1m, 10%", "--desired-count", "3"])).await;
    ended.failed(Exit::Usage);
    assert_eq!(
        checks(&ended)[..4],
        [
            "steps: wrong",
            "service: ok",
            "service: ok",
            "traffic rule: wrong"
        ]
    );
    assert_eq!(ended.writes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_not_there_is_refused_before_anything_is_registered() {
    let world = World::new();
    let shop = shop(&world);
    let tag = image("9.9.9");
    let by_digest = format!("{REGISTRY}/shop@{}", digest(9));
    let elsewhere = format!("{REGISTRY}/shoe:1");
    for command in ["deploy", "plan", "run-task"] {
        for (reference, says) in [
            (
                &tag,
                "there is no image `9.9.9` in repository `shop` of ECR in eu-central-1",
            ),
            (&by_digest, "there is no image `sha256:0000"),
            (&elsewhere, "there is no repository `shoe` in ECR in eu-central-1"),
        ] {
            let line = [
                command,
                "--cluster",
                "prod",
                "--service",
                "web",
                "--image",
                reference.as_str(),
            ];
            let ended = world.run(&line).await;
            let failure = ended.failed(Exit::Usage);
            assert!(failure.error.to_string().starts_with(says), "{}", failure.error);
            assert!(ended.says().contains("check `--image`"), "{}", ended.says());
            assert_eq!(ended.writes(), [""; 0], "{command}");
        }
    }
    assert_eq!(world.cloud.serving(&shop), [image("1.0.0")]);
    let there = image("1.1.0");
    let ended = world
        .run(&[
            "deploy",
            "--cluster",
            "prod",
            "--service",
            "web",
            "--image",
            &there,
        ])
        .await;
    ended.good();
    assert_eq!(world.cloud.serving(&shop), [there]);
    assert_eq!(ended.calls.iter().filter(|call| call.service == "ecr").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_asked_for_is_deployed() {
    for fault in [
        Fault::Denied,
        Fault::Internal,
        Fault::Throttled,
        Fault::Expired,
        Fault::Reset,
        Fault::Hang,
    ] {
        for operation in ["DescribeImages", "DescribePullThroughCacheRules"] {
            let world = World::new();
            let shop = shop(&world);
            world.cloud.fault(operation, Turn::Every, fault.clone());
            let reference = image("9.9.9");
            let line = [
                "deploy",
                "--cluster",
                "prod",
                "--service",
                "web",
                "--image",
                &reference,
            ];
            let ended = world.run(&line).await;
            ended.good();
            assert_eq!(world.cloud.serving(&shop), [reference], "{fault:?}");
            let says = ["was not asked", "unless a pull-through cache brings it"];
            assert!(says.iter().any(|says| ended.log.contains(says)), "{}", ended.log);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_that_a_cache_may_bring_is_deployed() {
    let world = World::new();
    let shop = shop(&world);
    world.cloud.world(|aws| aws.registry.cache("docker-hub"));
    let reference = format!("{REGISTRY}/docker-hub/shop:1.1.0");
    let line = [
        "deploy",
        "--cluster",
        "prod",
        "--service",
        "web",
        "--image",
        &reference,
    ];
    world.run(&line).await.good();
    assert_eq!(world.cloud.serving(&shop), [reference]);
    let beside = format!("{REGISTRY}/docker-hubs/shop:1.2.0");
    let line = [
        "deploy",
        "--cluster",
        "prod",
        "--service",
        "web",
        "--image",
        &beside,
    ];
    world.run(&line).await.failed(Exit::Usage);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_of_other_registries_nor_for_what_runs_already() {
    let world = World::new();
    shop(&world);
    for reference in ["shop:1.1.0", "public.ecr.aws/acme/shop:1.2.0"] {
        let line = [
            "deploy",
            "--cluster",
            "prod",
            "--service",
            "web",
            "--image",
            reference,
        ];
        let ended = world.run(&line).await;
        ended.good();
        assert!(ended.calls.iter().all(|call| call.service != "ecr"));
        let again = world.run(&line).await;
        again.good();
    }
}
