//! `recover` for a single service, after a real deploy was ended half way.

use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::{Fault, Setup, Turn};
use serde_json::{Value, json};

use crate::cloud::{Ended, World};
use crate::rolling::DEPLOY;

mod native;

const RECOVER: [&str; 5] = ["recover", "--cluster", "prod", "--service", "web"];

fn deploy(image: &str) -> Vec<&str> {
    [&DEPLOY[..], &["--image", image]].concat()
}

fn three() -> Setup {
    Setup::new("prod", "web").image("shop:1.0.0").desired(3)
}

async fn recover(world: &World, more: &[&str]) -> Ended {
    let ended = world.run(&[&RECOVER[..], more].concat()).await;
    assert!(ended.writes().is_empty(), "{:?}", ended.writes());
    ended
}

/// A deploy that is cancelled or killed at a call.
async fn ended_at(world: &World, image: &str, at: (&str, usize, bool), is_killed: bool) -> Ended {
    match is_killed {
        true => world.kill_at(at.0, at.1, at.2),
        false => world.cancel_at(at.0, at.1, at.2),
    }
    world.run(&deploy(image)).await
}

#[track_caller]
fn says(ended: &Ended, words: &[&str]) {
    let says = ended.says();
    assert!(
        words.iter().all(|word| says.contains(word)),
        "{says}\n{}",
        ended.log
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_under_way_is_said_with_what_serves() {
    let world = World::new();
    let shop = three().build(&world.cloud);
    // Before the update nothing is left but a revision that nobody runs.
    ended_at(&world, "shop:1.1.0", ("UpdateService", 1, false), true).await;
    let ended = recover(&world, &[]).await;
    ended.good();
    says(
        &ended,
        &["no deployment of service `web` is under way: 3 tasks of `web:1` run; nothing to do"],
    );
    assert_eq!(ended.fact("status"), "unchanged");
    assert_eq!(ended.fact("task-definition"), "web:1");
    assert_eq!(ended.good().undo, None);
    // A way back that has arrived is nothing to do either.
    ended_at(&world, "shop:1.1.0", ("ListTasks", 1, true), false).await;
    world.cloud.skip(Duration::from_secs(300));
    let ended = recover(&world, &[]).await;
    says(&ended, &["no deployment", "3 tasks of `web:1` run"]);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_was_killed_and_completed_meanwhile_is_told() {
    let world = World::new();
    let shop = three().build(&world.cloud);
    assert!(
        ended_at(&world, "shop:1.1.0", ("UpdateService", 1, true), true)
            .await
            .is_killed()
    );
    world.cloud.skip(Duration::from_secs(400));
    let ended = recover(&world, &[]).await;
    ended.good();
    says(&ended, &["3 tasks of `web:2` run; nothing to do"]);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn tasks_that_do_not_run_are_told() {
    let world = World::new();
    let shop = three().build(&world.cloud);
    let tasks = json!({ "cluster": "prod", "serviceName": "web" });
    let listed = world.cloud.act("ecs", "ListTasks", tasks).unwrap();
    let stop = json!({ "cluster": "prod", "task": listed["taskArns"][0] });
    world.cloud.act("ecs", "StopTask", stop).unwrap();
    world.cloud.skip(Duration::from_secs(1));
    let ended = recover(&world, &[]).await;
    ended.good();
    says(
        &ended,
        &["is under way, but 2 tasks of `web:1` run, and 3 are wanted"],
    );
    assert!(
        ended.log.contains("not all tasks of service `web` run: 2 of 3"),
        "{}",
        ended.log
    );
    let none = json!({ "cluster": "prod", "service": shop.service, "desiredCount": 0 });
    world.cloud.act("ecs", "UpdateService", none).unwrap();
    world.cloud.skip(Duration::from_secs(300));
    says(
        &recover(&world, &[]).await,
        &["no task runs, and none is wanted; nothing to do"],
    );
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_failed_for_good_is_told_with_the_way_back() {
    let world = World::new();
    three().breaker(false).build(&world.cloud);
    ended_at(&world, "shop:1.1.0-crash", ("UpdateService", 1, true), true).await;
    world.cloud.skip(Duration::from_secs(900));
    let ended = recover(&world, &[]).await;
    let undo = ended.good().undo.clone();
    says(
        &ended,
        &[
            "the latest deployment of service `web`, of `web:2`, failed, and nothing takes it back",
            "3 wanted",
        ],
    );
    assert_eq!(ended.fact("status"), "unchanged");
    assert!(
        ended
            .log
            .contains("run `ecs-deploy rollback --cluster prod --service web`"),
        "{}",
        ended.log
    );
    let undo = undo.unwrap();
    assert_eq!(
        undo,
        "ecs-deploy rollback --cluster prod --service web --to web:1"
    );
    let line: Vec<&str> = undo.split(' ').skip(1).collect();
    world.run(&line).await.good();
}

#[tokio::test(start_paused = true)]
async fn the_way_back_of_a_cancelled_run_is_waited_for() {
    for at in [
        ("UpdateService", 1, true),
        ("ListTasks", 1, true),
        ("DescribeServices", 5, true),
    ] {
        let world = World::new();
        let shop = three().build(&world.cloud);
        let cancelled = ended_at(&world, "shop:1.1.0", at, false).await;
        cancelled.failed(Exit::Terminated);
        assert_eq!(cancelled.fact("status"), "rolled-back");
        let ended = recover(&world, &[]).await;
        ended.good();
        says(&ended, &["service `web` runs `web:1` again, with 3 tasks"]);
        assert_eq!(ended.fact("status"), "rolled-back");
        assert_eq!(ended.fact("previous-task-definition"), "web:2");
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
        says(&recover(&world, &[]).await, &["nothing to do"]);
    }
}

/// The revisions of the service's deployments, the latest first.
fn deployments(world: &World) -> Vec<String> {
    let web = json!({ "cluster": "prod", "services": ["web"] });
    let described = world.cloud.act("ecs", "DescribeServices", web).unwrap();
    let deployments = described["services"][0]["deployments"].as_array().unwrap();
    let name = |deployment: &Value| {
        let arn = deployment["taskDefinition"].as_str().unwrap();
        arn.rsplit('/').next().unwrap().to_owned()
    };
    deployments.iter().map(name).collect()
}

/// Lets time pass until so.
fn until(world: &World, so: impl Fn(&World) -> bool) {
    for _ in 0..900 {
        if so(world) {
            return;
        }
        world.cloud.skip(Duration::from_secs(1));
    }
    panic!("it never was so: {:?}", deployments(world));
}

#[tokio::test(start_paused = true)]
async fn the_way_back_of_the_circuit_breaker_is_waited_for() {
    for image in ["shop:1.1.0-crash", "shop:1.1.0-unpullable"] {
        let world = World::new();
        let shop = three().breaker(true).build(&world.cloud);
        let killed = ended_at(&world, image, ("UpdateService", 1, true), true).await;
        assert!(killed.is_killed());
        // As long as it tries, nobody knows whose it is.
        recover(&world, &[]).await.failed(Exit::Locked);
        until(&world, |world| deployments(world)[0] == "web:1");
        let ended = recover(&world, &[]).await;
        ended.good();
        says(&ended, &["service `web` runs `web:1` again, with 3 tasks"]);
        assert_eq!(ended.fact("status"), "rolled-back");
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_somebody_stops_is_waited_for_too() {
    let world = World::new();
    let shop = three().build(&world.cloud);
    ended_at(&world, "shop:1.1.0", ("UpdateService", 1, true), true).await;
    world.cloud.skip(Duration::from_secs(5));
    stop(&world);
    let ended = recover(&world, &[]).await;
    ended.good();
    says(&ended, &["service `web` runs `web:1` again, with 3 tasks"]);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

/// Somebody stops the latest service deployment.
fn stop(world: &World) {
    let web = json!({ "cluster": "prod", "service": "web" });
    let listed = world.cloud.act("ecs", "ListServiceDeployments", web).unwrap();
    let arn = &listed["serviceDeployments"][0]["serviceDeploymentArn"];
    let stop = json!({ "serviceDeploymentArn": arn, "stopType": "ROLLBACK" });
    world.cloud.act("ecs", "StopServiceDeployment", stop).unwrap();
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_its_time_or_a_signal() {
    let world = World::new();
    let shop = three().build(&world.cloud);
    ended_at(&world, "shop:1.1.0", ("DescribeServices", 5, true), false).await;
    let late = recover(&world, &["--timeout", "2s", "--poll", "1s"]).await;
    late.failed(Exit::NeedsHuman);
    says(
        &late,
        &[
            "going back to `web:1` on service `web` failed",
            "ecs-deploy rollback",
        ],
    );
    assert!(late.took < Duration::from_secs(20), "{:?}", late.took);
    world.cancel_after(Duration::from_secs(2));
    let cancelled = recover(&world, &[]).await;
    cancelled.failed(Exit::Terminated);
    says(
        &cancelled,
        &["service `web` is on its way back to `web:1`", "ecs-deploy status"],
    );
    assert!(cancelled.took < Duration::from_secs(10), "{:?}", cancelled.took);
    world.cloud.skip(Duration::from_secs(300));
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    world.cancel_at("DescribeServices", 1, true);
    let early = recover(&world, &[]).await;
    early.failed(Exit::Terminated);
    says(&early, &["service `web` was not changed"]);
}

#[tokio::test(start_paused = true)]
async fn a_way_back_that_somebody_deploys_over_is_left_to_them() {
    let world = World::new();
    let shop = three().build(&world.cloud);
    ended_at(&world, "shop:1.1.0", ("DescribeServices", 5, true), false).await;
    world.cloud.after("DescribeServices", 8, |cloud| {
        let again = json!({ "cluster": "prod", "service": "web", "taskDefinition": "web:2" });
        cloud.act("ecs", "UpdateService", again).unwrap();
    });
    let ended = recover(&world, &[]).await;
    ended.failed(Exit::Locked);
    assert_eq!(ended.fact("status"), "superseded");
    world.cloud.skip(Duration::from_secs(400));
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_version_under_way_may_be_somebody_elses() {
    for is_killed in [true, false] {
        let world = World::new();
        let shop = three().build(&world.cloud);
        match is_killed {
            true => world.kill_at("DescribeServices", 4, true),
            false => world.cancel_at("DescribeServices", 4, true),
        }
        let line = [&deploy("shop:1.1.0")[..], &["--on-cancel", "leave"]].concat();
        world.run(&line).await;
        // Another run is told the same as the next step of the same job.
        for world in [world.again(), world.other("8")] {
            let ended = recover(&world, &[]).await;
            ended.failed(Exit::Locked);
            says(
                &ended,
                &[
                    "a deployment of service `web` is under way, and no word is left of whose it is: web:2 in progress: ",
                    " of 3 running, ",
                    "of earlier revisions",
                    "ECS goes on with it by itself, and nothing was changed",
                    "`ecs-deploy rollback --cluster prod --service web`",
                    "`ecs-deploy status --cluster prod --service web`",
                ],
            );
            assert_eq!(ended.fact("task-definition"), "web:2");
            assert_eq!(ended.fact("previous-task-definition"), "web:1");
        }
        world.cloud.skip(Duration::from_secs(400));
        assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_read_is_no_claim() {
    let world = World::new();
    three().build(&world.cloud);
    ended_at(&world, "shop:1.1.0", ("DescribeServices", 5, true), false).await;
    // Without its records nothing says that what comes served before.
    world
        .cloud
        .fault("ListServiceDeployments", Turn::Every, Fault::Denied);
    let ended = recover(&world, &[]).await;
    ended.failed(Exit::Locked);
    assert!(
        ended.log.contains("earlier deployments are not known"),
        "{}",
        ended.log
    );
    world.cloud.heal();
    world.cloud.fault("DescribeServices", Turn::Every, Fault::Denied);
    recover(&world, &[]).await.failed(Exit::Access);
}
