//! Stops at a step, goes on in another process, comes back; and signals.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_step_waits_for_another_process() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let stopped = world
        .run(&line(
            "deploy",
            &shop,
            &["--image", NEW, "--steps", STEPS, "--until", "10%"],
        ))
        .await;
    let outcome = stopped.good();
    assert_eq!(
        outcome.headline,
        "`web-green` serves `web:2` with 10% of the traffic, and waits for `promote`"
    );
    assert_eq!(
        (stopped.fact("live-weight"), weights(&world, &shop)),
        ("10".to_owned(), (90, 10))
    );
    assert!(outcome.undo.is_some());
    let go_on = format!("--green-service web-green --steps '{STEPS}'");
    assert!(
        stopped.log.contains("go on with: ecs-deploy promote ") && stopped.log.contains(&go_on),
        "the steps that are left, and not all at once: {}",
        stopped.log
    );
    // Not another deploy, nor somebody else's cleaning up, also after a weekend.
    world.cloud.skip(Duration::from_secs(48 * 3600));
    let other = world.other("8").run(&deploy(&shop, "shop:1.2.0")).await;
    other.failed(Exit::Locked);
    let other = world.other("9").run(&line("recover", &shop, &[])).await;
    let failure = other.failed(Exit::Locked);
    assert!(
        failure.error.to_string().contains("waits to be promoted"),
        "{}",
        failure.error
    );
    let wrong = ["--steps", "20% 1m, 100%"];
    world
        .other("9")
        .run(&line("promote", &shop, &wrong))
        .await
        .failed(Exit::Usage);
    let next = ["--steps", STEPS, "--until", "50%", "--keep", "1m"];
    let half = world.other("10").run(&line("promote", &shop, &next)).await;
    half.good();
    assert_eq!(weights(&world, &shop), (50, 50));
    let whole = world
        .other("11")
        .run(&line("promote", &shop, &["--keep", "1m"]))
        .await;
    assert_eq!(
        whole.good().headline,
        "`web-green` serves `web:2` with all traffic"
    );
    assert_eq!(whole.fact("previous-task-definition"), "web:1");
    assert_eq!(
        (world.cloud.serving(&shop), desired(&world, "web-blue")),
        (vec![NEW.to_owned()], 0)
    );
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
    world
        .other("12")
        .run(&line("promote", &shop, &[]))
        .await
        .failed(Exit::Usage);
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_rolled_back_from_a_fresh_machine_by_one_write() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    world
        .run(&line(
            "deploy",
            &shop,
            &["--image", NEW, "--steps", STEPS, "--until", "50%"],
        ))
        .await
        .good();
    let back = world.other("8").run(&line("rollback", &shop, &[])).await;
    assert_eq!(
        back.good().headline,
        "`web-blue` serves with all traffic: it was asked for"
    );
    assert_eq!(
        back.writes(),
        [
            "ModifyRule",
            "UpdateService",
            "RegisterScalableTarget",
            "UntagResource"
        ]
    );
    assert_eq!(
        (world.cloud.serving(&shop), desired(&world, "web-green")),
        (vec![OLD.to_owned()], 0)
    );
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn a_signal_moves_the_traffic_back_at_once() {
    // While the new side warms up, at a tenth, at a half, and while the earlier version is kept.
    for (after, moves) in [(20, false), (70, true), (130, true), (200, true)] {
        let world = World::new().in_one_job();
        let shop = pair(&world);
        let signal = Duration::from_secs(after);
        world.cancel_after(signal);
        let ended = world.run(&deploy(&shop, NEW)).await;
        let failure = ended.failed(Exit::Terminated);
        let said = failure.error.to_string();
        assert!(
            said.contains("`web-blue` serves with all traffic: cancelled by SIGTERM"),
            "{said}"
        );
        assert!(ended.took < signal + Duration::from_secs(5), "{:?}", ended.took);
        assert_eq!(
            (ended.fact("live-weight"), ended.fact("status")),
            ("0".to_owned(), "rolled-back".to_owned())
        );
        let since = ended
            .calls
            .iter()
            .filter(|call| call.at >= signal && call.writes());
        let writes: Vec<&str> = since.map(|call| call.operation.as_str()).collect();
        let back = [
            "ModifyRule",
            "UpdateService",
            "RegisterScalableTarget",
            "UntagResource",
        ];
        assert_eq!(writes[writes.len() - 3..], back[1..], "{after}");
        assert_eq!(writes.contains(&"ModifyRule"), moves, "{after}");
        assert_eq!(
            (world.cloud.serving(&shop), weights(&world, &shop)),
            (vec![OLD.to_owned()], (100, 0))
        );
        scaling_is_restored(&world);
        no_tag_is_left(&world, &shop);
    }
}

#[tokio::test(start_paused = true)]
async fn a_signal_leaves_all_where_that_is_asked_for() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    world.cancel_after(Duration::from_secs(70));
    let leave = [deploy(&shop, NEW), vec!["--on-cancel", "leave"]].concat();
    let ended = world.run(&leave).await;
    let failure = ended.failed(Exit::Terminated);
    assert!(
        failure.error.to_string().contains("weights are 90 old, 10 new"),
        "{}",
        failure.error
    );
    assert_eq!(
        (weights(&world, &shop), ended.fact("live-weight")),
        ((90, 10), "10".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_leaves_all_where_that_is_asked_for() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let leave = [deploy(&shop, "shop:1.1.0-crash"), vec!["--on-failure", "leave"]].concat();
    let ended = world.run(&leave).await;
    ended.failed(Exit::NeedsHuman);
    assert_eq!(
        (world.cloud.serving(&shop), desired(&world, "web-green")),
        (vec![OLD.to_owned()], 3)
    );
    world.run(&line("recover", &shop, &[])).await.good();
    assert_eq!(desired(&world, "web-green"), 0);
    scaling_is_restored(&world);
    no_tag_is_left(&world, &shop);
}

#[tokio::test(start_paused = true)]
async fn flags_that_can_not_be() {
    let world = World::new().in_one_job();
    let shop = pair(&world);
    let cases: [&[&str]; 8] = [
        &["--steps", "50%, 100%"],
        &["--steps", "10% 5m"],
        &["--until", "20%"],
        &["--steps", "10% 2h, 100%", "--timeout", "1h"],
        &["--desired-count", "3"],
        &["--steps", "10% 40m, 100%", "--timeout", "30m"],
        &["--strategy", "canary"],
        &["--replace"],
    ];
    for more in cases {
        let ended = world
            .run(&line("deploy", &shop, &[&["--image", NEW], more].concat()))
            .await;
        ended.failed(Exit::Usage);
        assert!(ended.writes().is_empty(), "{more:?}");
    }
    let none = ["recover", "--cluster", "prod", "--service", "web-blue"];
    assert_eq!(world.run(&none).await.fact("status"), "unchanged");
    let none = ["promote", "--cluster", "prod", "--service", "web-blue"];
    world.run(&none).await.failed(Exit::Usage);
    assert!(
        world
            .run(&line("recover", &shop, &[]))
            .await
            .good()
            .headline
            .contains("nothing to do")
    );
}
