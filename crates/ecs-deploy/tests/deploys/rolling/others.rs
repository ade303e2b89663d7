//! What others do meanwhile, and what AWS keeps from the run: nothing foreign is written over, and no claim is made that was
//! not seen.

use std::time::Duration;

use gha::Exit;
use sandbox::stand_ins::aws::{Fault, Setup, Turn, World as Aws};
use serde_json::json;

use super::{deploy, of, shop, three};
use crate::cloud::World;

/// Someone deploys another image.
fn someone_deploys(image: &'static str) -> impl FnOnce(&mut Aws) + Send + 'static {
    move |world| {
        let definition = json!({
            "family": "web", "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "requiresCompatibilities": ["FARGATE"], "containerDefinitions": [{ "name": "app", "image": image }],
        });
        let registered = world.act("ecs", "RegisterTaskDefinition", definition).unwrap();
        let arn = &registered["taskDefinition"]["taskDefinitionArn"];
        let update = json!({ "cluster": "prod", "service": "web", "taskDefinition": arn });
        world.act("ecs", "UpdateService", update).unwrap();
    }
}

fn someone_scales(desired: u32) -> impl FnOnce(&mut Aws) + Send + 'static {
    move |world| {
        let update = json!({ "cluster": "prod", "service": "web", "desiredCount": desired });
        world.act("ecs", "UpdateService", update).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn another_deploy_takes_over_and_is_left_alone() {
    let world = World::new();
    let shop = shop(&world);
    world
        .cloud
        .before("DescribeServices", 6, someone_deploys("shop:2.0.0"));
    let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    ended.failed(Exit::Locked);
    assert!(
        ended.says().contains("someone else deployed `web:3`"),
        "{}",
        ended.says()
    );
    assert_eq!(ended.fact("status"), "superseded");
    assert_eq!(of(&ended.calls, "UpdateService").len(), 1);
    world.cloud.skip(Duration::from_secs(300));
    assert_eq!(world.cloud.serving(&shop), ["shop:2.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn another_deploy_during_the_way_back_is_left_alone_too() {
    let world = World::new();
    let shop = shop(&world);
    world
        .cloud
        .after("UpdateService", 2, someone_deploys("shop:2.0.0"));
    let ended = world.run(&deploy(&["--image", "shop:1.1.0-crash"])).await;
    ended.failed(Exit::Locked);
    assert_eq!(of(&ended.calls, "UpdateService").len(), 2);
    world.cloud.skip(Duration::from_secs(300));
    assert_eq!(world.cloud.serving(&shop), ["shop:2.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_change_during_the_migration_stops_the_deploy_before_its_update() {
    let world = World::new();
    let shop = shop(&world);
    world.cloud.after("RunTask", 1, someone_deploys("shop:2.0.0"));
    let line = deploy(&["--image", "shop:1.1.0", "--migrate", "bin/migrate"]);
    let ended = world.run(&line).await;
    ended.failed(Exit::Locked);
    assert!(
        of(&ended.calls, "UpdateService").is_empty(),
        "{:?}",
        ended.writes()
    );
    world.cloud.skip(Duration::from_secs(300));
    assert_eq!(world.cloud.serving(&shop), ["shop:2.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_deployment_under_way_is_not_deployed_over_unless_it_is_asked_for() {
    let world = World::new();
    let shop = shop(&world);
    world.cloud.world(someone_deploys("shop:2.0.0"));
    let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    ended.failed(Exit::Locked);
    assert!(ended.says().contains("`web:2`"), "{}", ended.says());
    assert!(ended.writes().is_empty(), "{:?}", ended.writes());
    let ended = world.run(&deploy(&["--image", "shop:1.1.0", "--replace"])).await;
    ended.good();
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_of_no_tasks_is_deployed_and_nothing_is_claimed() {
    let world = World::new();
    Setup::new("prod", "web")
        .image("shop:1.0.0")
        .desired(0)
        .build(&world.cloud);
    let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    assert!(
        ended.good().headline.contains("0 tasks; nothing was verified"),
        "{}",
        ended.says()
    );
    assert!(ended.log.contains("it is scaled to 0"), "{}", ended.log);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_scaled_to_nothing_meanwhile_is_told_apart() {
    let world = World::new();
    shop(&world);
    world.cloud.before("DescribeServices", 5, someone_scales(0));
    let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    assert!(
        ended.good().headline.contains("nothing was verified"),
        "{}",
        ended.says()
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_there_is_told_before_anything_is_registered() {
    let world = World::new();
    shop(&world);
    let line = [
        "deploy",
        "--cluster",
        "prod",
        "--service",
        "webb",
        "--image",
        "shop:1.1.0",
    ];
    let ended = world.run(&line).await;
    ended.failed(Exit::Usage);
    assert!(ended.says().contains("there is `web`"), "{}", ended.says());
    assert!(ended.writes().is_empty(), "{:?}", ended.writes());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_deleted_is_not_deployed_to() {
    let world = World::new();
    shop(&world);
    let delete = json!({ "cluster": "prod", "service": "web", "force": true });
    world.cloud.act("ecs", "DeleteService", delete).unwrap();
    let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    ended.failed(Exit::Usage);
    assert!(ended.says().contains("`DRAINING`"), "{}", ended.says());
    assert!(ended.writes().is_empty(), "{:?}", ended.writes());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_deleted_meanwhile_is_gone_and_no_success() {
    let world = World::new();
    shop(&world);
    world.cloud.before("DescribeServices", 5, |world| {
        let delete = json!({ "cluster": "prod", "service": "web", "force": true });
        world.act("ecs", "DeleteService", delete).unwrap();
    });
    let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    ended.failed(Exit::Locked);
    assert!(ended.says().contains("went away"), "{}", ended.says());
}

#[tokio::test(start_paused = true)]
async fn blips_of_the_network_fail_nothing() {
    let world = World::new();
    let shop = shop(&world);
    for (nth, fault) in [
        (5, Fault::Throttled),
        (8, Fault::Internal),
        (11, Fault::Reset),
        (14, Fault::Hang),
        (17, Fault::Unavailable),
    ] {
        for nth in nth..nth + 3 {
            world
                .cloud
                .fault("DescribeServices", Turn::Nth(nth), fault.clone());
        }
    }
    let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    ended.good();
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn aws_out_of_reach_for_too_long_is_no_word_on_the_deployment() {
    let world = World::new();
    shop(&world);
    let since = Turn::Since(world.cloud.world(|world| world.now()) + Duration::from_secs(10));
    world.cloud.fault("*", since, Fault::Reset);
    let line = deploy(&["--image", "shop:1.1.0", "--api-grace", "2m"]);
    let ended = world.run(&line).await;
    ended.failed(Exit::NeedsHuman);
    let says = ended.says();
    assert!(says.contains("is not known"), "{says}");
    assert!(
        says.contains("ecs-deploy status --cluster prod --service web"),
        "{says}"
    );
    assert!(says.contains("--to web:1"), "{says}");
}

#[tokio::test(start_paused = true)]
async fn credentials_that_end_meanwhile_leave_the_exact_state_and_no_claim() {
    let world = World::new();
    shop(&world);
    let since = Turn::Since(world.cloud.world(|world| world.now()) + Duration::from_secs(10));
    world.cloud.fault("*", since, Fault::Expired);
    let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    ended.failed(Exit::Access);
    let says = ended.says();
    assert!(says.contains(&ended.fact("deployment-id")), "{says}");
    assert!(
        says.contains("goes on") && says.contains("have expired"),
        "{says}"
    );
    assert!(
        says.contains("ecs-deploy rollback --cluster prod --service web --to web:1"),
        "{says}"
    );
    assert!(ended.took < Duration::from_secs(60), "{:?}", ended.took);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_and_is_not_needed_is_told_once() {
    let world = World::new();
    let shop = three().balanced().build(&world.cloud);
    let optional = [
        "ListTasks",
        "DescribeTargetHealth",
        "DescribeTargetGroupAttributes",
        "ListServiceDeployments",
        "GetLogEvents",
    ];
    for operation in optional {
        world.cloud.fault(operation, Turn::Every, Fault::Denied);
    }
    let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    ended.good();
    for call in [
        "ecs:ListTasks",
        "elasticloadbalancing:DescribeTargetHealth",
        "ecs:ListServiceDeployments",
    ] {
        assert_eq!(ended.log.matches(call).count(), 1, "{call}: {}", ended.log);
    }
    assert_eq!(world.cloud.serving(&shop), ["shop:1.1.0"]);
}

#[tokio::test(start_paused = true)]
async fn without_stopped_tasks_a_failure_is_found_all_the_same() {
    let world = World::new();
    let shop = shop(&world);
    world.cloud.fault("ListTasks", Turn::Every, Fault::Denied);
    let ended = world.run(&deploy(&["--image", "shop:1.1.0-crash"])).await;
    ended.failed(Exit::Failed);
    assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
}

#[tokio::test(start_paused = true)]
async fn a_needed_permission_that_lacks_is_told_before_the_service_changes() {
    for operation in [
        "DescribeServices",
        "DescribeTaskDefinition",
        "RegisterTaskDefinition",
        "UpdateService",
    ] {
        let world = World::new();
        let shop = shop(&world);
        world.cloud.fault(operation, Turn::Every, Fault::Denied);
        let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
        ended.failed(Exit::Access);
        let says = ended.says();
        assert!(
            says.contains(&format!("access denied for `ecs:{operation}`")),
            "{says}"
        );
        assert_eq!(world.cloud.serving(&shop), ["shop:1.0.0"]);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_end_before_the_run_may_are_warned_of() {
    let mut world = World::new();
    shop(&world);
    world.variables = vec![
        ("AWS_SESSION_TOKEN", "token".to_owned()),
        ("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z".to_owned()),
    ];
    let ended = world.run(&deploy(&["--image", "shop:1.1.0"])).await;
    ended.good();
    assert!(ended.log.contains("the credentials end in"), "{}", ended.log);
}
