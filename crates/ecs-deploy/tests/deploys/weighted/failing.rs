//! New versions that fail, each by its class: what does not work gets no traffic, or loses it by one write, and is told with its
//! reason. And deploys that can't begin.

use sandbox::stand_ins::aws::{Fault, Turn};

use super::*;
use crate::cloud::Ended;

fn moves(ended: &Ended) -> usize {
    let writes = ended.writes();
    writes.iter().filter(|write| **write == "ModifyRule").count()
}

/// The old version serves whole, and nothing of the run is left.
#[track_caller]
fn is_as_before(world: &World, shop: &Shop) {
    assert_eq!(
        (world.cloud.serving(shop), weights(world, shop)),
        (vec![OLD.to_owned()], (100, 0))
    );
    assert_eq!((desired(world, "web-blue"), desired(world, "web-green")), (3, 0));
    scaling_is_restored(world);
    no_tag_is_left(world, shop);
}

#[tokio::test(start_paused = true)]
async fn each_class_of_failure_is_told_before_there_is_traffic() {
    for (tag, words) in [
        ("unpullable", "image not found"),
        ("missing-secret", "secret:shop/database"),
        ("crash", "exit code 1"),
        ("oom", "out of memory"),
        ("segfault", "exit code 139"),
        ("wrong-arch", "wrong architecture"),
        ("unhealthy", "tasks run, a target is `"),
        ("unplaced", "insufficient memory"),
        ("stuck", "0 of 3 tasks run"),
    ] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        let image = format!("shop:1.1.0-{tag}");
        let line = [deploy(&shop, &image), vec!["--warm-up", "4m"]].concat();
        let ended = world.run(&line).await;
        ended.failed(Exit::Failed);
        let told = format!("{}\n{}", ended.says(), ended.log);
        assert!(told.contains(words), "{tag}: {told}");
        assert_eq!(
            (moves(&ended), ended.fact("status")),
            (0, "rolled-back".to_owned()),
            "{tag}"
        );
        assert!(ended.took < Duration::from_secs(330), "{tag}: {:?}", ended.took);
        is_as_before(&world, &shop);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_crashes_after_a_while_loses_its_traffic_by_one_write() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let ended = world.run(&deploy(&shop, "shop:1.1.0-slow-crash")).await;
    ended.failed(Exit::Failed);
    assert!(ended.says().contains("exit code 1"), "{}", ended.says());
    let writes = ended.writes();
    let first = writes.iter().position(|write| *write == "ModifyRule").unwrap();
    let back = [
        "ModifyRule",
        "UpdateService",
        "RegisterScalableTarget",
        "UntagResource",
    ];
    assert_eq!(writes[first], "ModifyRule");
    assert_eq!(writes[writes.len() - 4..], back);
    is_as_before(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn a_way_back_that_is_refused_says_what_serves_and_what_to_run() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    for nth in 2..20 {
        world.cloud.fault("ModifyRule", Turn::Nth(nth), Fault::Denied);
    }
    let ended = world.run(&deploy(&shop, "shop:1.1.0-slow-crash")).await;
    ended.failed(Exit::NeedsHuman);
    let says = ended.says();
    for words in [
        "weights are 90 old, 10 new",
        "access denied for `elasticloadbalancing:ModifyRule`",
        "exit code 1",
        "ecs-deploy rollback --cluster prod --traffic-rule listener-rule/app/web/",
    ] {
        assert!(says.contains(words), "{words}: {says}");
    }
    assert_eq!(
        (weights(&world, &shop), ended.fact("live-weight")),
        ((90, 10), "10".to_owned())
    );
    world.cloud.heal();
    world.other("8").run(&line("rollback", &shop, &[])).await.good();
    is_as_before(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn traffic_is_not_moved_to_a_side_that_is_dead_or_goes() {
    // Its targets are healthy until they are drained; and one that is wanted again may find no room.
    for (seconds, wanted, words) in [
        (0, 0, "the old side is scaled to 0"),
        (400, 0, "the old side is scaled to 0"),
        (400, 3, "no target of the old side is healthy"),
    ] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        let until = ["--image", NEW, "--steps", STEPS, "--until", "50%"];
        world.run(&line("deploy", &shop, &until)).await.good();
        // Somebody scales the side away that served before.
        let size = |tasks: u64| {
            let update = json!({ "cluster": "prod", "service": "web-blue", "desiredCount": tasks });
            world.cloud.act("ecs", "UpdateService", update).unwrap();
        };
        size(0);
        world.cloud.skip(Duration::from_secs(seconds));
        if wanted > 0 {
            world
                .cloud
                .world(|inside| inside.ecs.image(OLD, Behaviour::unplaced()));
            size(wanted);
            world.cloud.skip(Duration::from_secs(20));
        }
        for (run, command) in [("8", "rollback"), ("7", "recover")] {
            let ended = world.other(run).run(&line(command, &shop, &[])).await;
            ended.failed(Exit::NeedsHuman);
            let says = ended.says();
            assert!(
                says.contains(&format!("{words}; weights are 50 old, 50 new")),
                "{command}: {says}"
            );
            assert_eq!(
                (moves(&ended), weights(&world, &shop)),
                (0, (50, 50)),
                "{command}"
            );
            assert!(!tags(&world, &shop).is_empty(), "the word of it stays");
        }
        world
            .cloud
            .world(|inside| inside.ecs.image(OLD, Behaviour::good()));
        size(3);
        world.cloud.skip(Duration::from_secs(120));
        world.other("8").run(&line("rollback", &shop, &[])).await.good();
        is_as_before(&world, &shop);
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_that_end_at_a_tenth_leave_the_exact_state_and_no_claim() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let since = world.cloud.world(|inside| inside.now()) + Duration::from_secs(70);
    world.cloud.fault("*", Turn::Since(since), Fault::Expired);
    let ended = world.run(&deploy(&shop, NEW)).await;
    ended.failed(Exit::NeedsHuman);
    let says = ended.says();
    for words in ["90 old, 10 new", "expired", "ecs-deploy recover --cluster prod"] {
        assert!(says.contains(words), "{words}: {says}");
    }
    assert_eq!(
        (weights(&world, &shop), ended.fact("live-weight")),
        ((90, 10), "10".to_owned())
    );
    world.cloud.heal();
    world.run(&line("recover", &shop, &[])).await.good();
    is_as_before(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_fails_leaves_both_sides_the_rule_and_the_lock() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let line = [
        deploy(&shop, "shop:1.1.0-job-fails"),
        vec!["--migrate", "bin/migrate"],
    ]
    .concat();
    let ended = world.run(&line).await;
    ended.failed(Exit::Failed);
    assert!(ended.says().contains("migration"), "{}", ended.says());
    assert_eq!(ended.writes(), ["RegisterTaskDefinition", "RunTask"]);
    is_as_before(&world, &shop);
    let line = [deploy(&shop, NEW), vec!["--migrate", "bin/migrate"]].concat();
    let ended = world.other("8").run(&line).await;
    ended.good();
    assert_eq!(
        ended.writes()[..3],
        ["RegisterTaskDefinition", "RunTask", "TagResource"]
    );
    assert_eq!(world.cloud.serving(&shop), [NEW]);
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_and_is_not_needed_stops_nothing() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    for operation in [
        "DescribeTargetHealth",
        "DescribeScalableTargets",
        "ListTasks",
        "GetLogEvents",
    ] {
        world.cloud.fault(operation, Turn::Every, Fault::Denied);
    }
    let ended = world.run(&deploy(&shop, NEW)).await;
    ended.good();
    assert!(
        ended.log.contains("scaling of `web-blue` is not held still"),
        "{}",
        ended.log
    );
    assert_eq!(world.cloud.serving(&shop), [NEW]);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_or_not_the_tools_is_told_before_anything_is_written() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let gone = format!("{}0", shop.rule);
    for (flag, value, words) in [
        ("--green-service", "web-gren", "there is `web-green`"),
        ("--traffic-rule", &*gone, "there is no rule"),
    ] {
        let mut line = deploy(&shop, NEW);
        let at = line.iter().position(|word| *word == flag).unwrap();
        line[at + 1] = value;
        let ended = world.run(&line).await;
        ended.failed(Exit::Usage);
        assert!(ended.says().contains(words), "{flag}: {}", ended.says());
        assert!(ended.writes().is_empty(), "{flag}");
    }
    let delete = json!({ "cluster": "prod", "service": "web-green", "force": true });
    world.cloud.act("ecs", "DeleteService", delete).unwrap();
    let ended = world.run(&deploy(&shop, NEW)).await;
    ended.failed(Exit::Usage);
    assert!(ended.writes().is_empty(), "{:?}", ended.writes());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_ecs_shifts_itself_is_refused() {
    let world = World::new().in_one_job();
    let shop = Setup::new("prod", "web")
        .image(OLD)
        .pair()
        .strategy("CANARY")
        .build(&world.cloud);
    let ended = world.run(&deploy(&shop, NEW)).await;
    ended.failed(Exit::Usage);
    assert!(ended.says().contains("`CANARY`"), "{}", ended.says());
    assert!(ended.writes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn with_nothing_before_there_is_nothing_to_go_back_to() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let ended = world.run(&line("rollback", &shop, &[])).await;
    ended.failed(Exit::Usage);
    assert!(ended.says().contains("nothing to go back to"), "{}", ended.says());
    assert!(ended.writes().is_empty());
}
