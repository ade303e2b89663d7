//! What a person is told of tasks that fail: why, with which container, and nothing that must not be told.

use std::time::Duration;

use gha::Exit;
use serde_json::json;

use super::{deploy, of, shop, three};
use crate::cloud::{Ended, World};

/// The account of the stand-in.
const ACCOUNT: &str = "123456789012";

/// Deploys an image that fails, and goes back.
async fn failing(image: &str) -> (Ended, String) {
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary.md");
    let mut world = World::new();
    world.variables = vec![("GITHUB_STEP_SUMMARY", summary.display().to_string())];
    let shop = three()
        .balanced()
        .health_checked()
        .with("healthCheckGracePeriodSeconds", json!(40))
        .build(&world.cloud);
    let ended = world.run(&deploy(&["--image", image])).await;
    ended.failed(Exit::Failed);
    assert!(ended.says().contains("`web:1` serves again"), "{}", ended.says());
    assert_eq!(ended.fact("status"), "rolled-back");
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    let summary = std::fs::read_to_string(summary).unwrap();
    for text in [&ended.says(), &ended.log, &summary] {
        assert!(!text.contains(ACCOUNT), "{text}");
    }
    (ended, summary)
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_not_there_ends_it_after_two_tasks() {
    let (ended, summary) = failing("shop:1.1.0-unpullable").await;
    let says = ended.says();
    assert!(
        says.contains("image not found") && says.contains("shop:1.1.0-unpullable"),
        "{says}"
    );
    assert!(summary.contains("check that the image was pushed"), "{summary}");
    let updates = of(&ended.calls, "UpdateService");
    let back_after = updates[1].at - updates[0].at;
    assert!(back_after < Duration::from_secs(60), "{back_after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_may_not_be_read_is_named_with_the_permission() {
    let (ended, _) = failing("shop:1.1.0-missing-secret").await;
    let says = ended.says();
    assert!(says.contains("secret not readable"), "{says}");
    assert!(says.contains("secret:shop/database"), "{says}");
    assert!(says.contains("secretsmanager:GetSecretValue"), "{says}");
    assert!(ended.log.contains("shop/database"), "{}", ended.log);
}

#[tokio::test(start_paused = true)]
async fn a_crash_has_its_exit_code_its_meaning_and_its_last_lines() {
    for (tag, words) in [
        ("crash", "exit code 1"),
        ("oom", "out of memory"),
        ("segfault", "exit code 139"),
        ("wrong-arch", "wrong architecture"),
    ] {
        let (ended, summary) = failing(&format!("shop:1.1.0-{tag}")).await;
        assert!(ended.says().contains(words), "{tag}: {}", ended.says());
        let line = if tag == "wrong-arch" {
            "exec format error"
        } else {
            "fatal: can't go on"
        };
        assert!(summary.contains(line), "{tag}: {summary}");
    }
}

#[tokio::test(start_paused = true)]
async fn failed_checks_of_the_load_balancer_have_the_targets_reason() {
    let (ended, _) = failing("shop:1.1.0-unhealthy").await;
    let says = ended.says();
    assert!(says.contains("failed the load balancer's checks"), "{says}");
    assert!(says.contains("Target.ResponseCodeMismatch"), "{says}");
    assert!(says.contains("[503]"), "{says}");
}

#[tokio::test(start_paused = true)]
async fn failed_checks_of_the_container_are_told() {
    let (ended, _) = failing("shop:1.1.0-sick").await;
    assert!(
        ended.says().contains("failed its own health check"),
        "{}",
        ended.says()
    );
}

#[tokio::test(start_paused = true)]
async fn values_of_the_environment_are_not_shown() {
    let world = World::new();
    shop(&world);
    let line = deploy(&["--image", "shop:1.1.0", "--env", "TOKEN=s3cr3t-value-of-it"]);
    let ended = world.run(&line).await;
    ended.good();
    assert!(ended.log.contains("TOKEN"), "{}", ended.log);
    assert!(!ended.log.contains("s3cr3t"), "{}", ended.log);
    let plan = [
        "plan",
        "--cluster",
        "prod",
        "--service",
        "web",
        "--env",
        "TOKEN=an0ther-value",
    ];
    let plan = world.run(&plan).await;
    plan.good();
    assert!(plan.log.contains("TOKEN"), "{}", plan.log);
    assert!(!plan.log.contains("an0ther"), "{}", plan.log);
    assert!(plan.writes().is_empty(), "{:?}", plan.writes());
}

#[tokio::test(start_paused = true)]
async fn lines_of_a_log_are_inert() {
    use sandbox::stand_ins::aws::Behaviour;
    let mut world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("summary.md");
    world.variables = vec![
        ("GITHUB_STEP_SUMMARY", summary.display().to_string()),
        ("GITHUB_ACTIONS", "true".to_owned()),
    ];
    shop(&world);
    let hostile = Behaviour::crash(1, Duration::from_secs(2))
        .saying(Duration::from_secs(1), "::error::not ours\n```\n<script>");
    world.cloud.world(|world| world.ecs.image("shop:1.1.0", hostile));
    let ended = world
        .run(&deploy(&["--image", "shop:1.1.0", "--migrate", "true"]))
        .await;
    ended.failed(Exit::Failed);
    let own = ended
        .log
        .lines()
        .filter(|line| line.starts_with("::error::not ours"));
    assert_eq!(own.count(), 0, "{}", ended.log);
    assert!(ended.log.contains("not ours"), "{}", ended.log);
}

#[tokio::test(start_paused = true)]
async fn draining_is_no_failure_and_its_delay_is_told() {
    let world = World::new();
    let leaves = Duration::from_secs(200);
    let slow = sandbox::stand_ins::aws::Behaviour::good().leaving_in(leaves);
    world.cloud.world(|world| world.ecs.image("shop:1.0.0", slow));
    let shop = three()
        .balanced()
        .with("healthCheckGracePeriodSeconds", json!(30))
        .build(&world.cloud);
    let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    ended.good();
    assert!(
        ended.log.contains("the target group lets a target drain for"),
        "{}",
        ended.log
    );
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}
