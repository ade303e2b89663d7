//! The scenarios that people meet, each with its number in the list of scenarios where it has one.

use super::*;

#[test]
fn a_good_one_succeeds_after_it_stayed() {
    let told = run(vec![
        (0, See(under_way([3, 3, 0, 0]))),
        (20, See(under_way([3, 1, 2, 0]))),
        (40, See(completed())),
    ])
    .play();
    assert_eq!((told.end, told.at), (Decision::Succeeded { tasks: 3 }, 70));
    assert_eq!(told.looks, 15, "one each five seconds");
    assert!(told.fetches <= 7, "{}", told.fetches);
    assert_eq!(told.notes, [""; 0]);
}

#[test]
fn scenario_1_an_image_that_is_not_there_is_fatal_at_the_second_task() {
    let told = run(vec![
        (0, See(under_way([3, 3, 0, 0]))),
        (30, See(under_way([3, 3, 0, 1]))),
    ])
    .tasks(vec![(20, no_image(1)), (40, no_image(2))])
    .play();
    let (why, reason, ours) = failed(&told.end);
    assert_eq!((why, ours), (Why::Tasks, true));
    assert!(
        told.at <= 45 && reason.contains("`2`: container `web` image not found: CannotPull"),
        "{} {reason}",
        told.at
    );
    assert!(told.notes[0].starts_with("a task failed: container `web` image not found"));
}

#[test]
fn scenario_3_and_5_crashes_are_counted_by_ourselves() {
    // The count of ECS goes back each time a task runs for a while.
    let slow = |failed| See(under_way([3, 0, 3, failed]));
    let worlds = vec![
        (0, slow(0)),
        (40, slow(1)),
        (50, slow(0)),
        (90, slow(1)),
        (100, slow(0)),
        (140, slow(1)),
    ];
    let told = run(worlds.clone())
        .tasks(vec![(40, crash(1)), (90, crash(2)), (140, crash(3))])
        .play();
    let (why, reason, ours) = failed(&told.end);
    assert_eq!((why, ours, told.at), (Why::Tasks, true, 140));
    assert!(
        reason.starts_with("3 tasks failed; task `3`: container `web` ended with exit code 1"),
        "{reason}"
    );
    let mut blind = run(worlds);
    blind.tasks_readable = false;
    let told = blind.play();
    assert_eq!(
        (failed(&told.end).0, told.at),
        (Why::Tasks, 140),
        "also where tasks can't be read"
    );
    assert_eq!(told.notes.len(), 1);
}

#[test]
fn tasks_of_others_and_normal_ends_do_not_count() {
    let scaling = |name| {
        stopped_task(
            name,
            OURS,
            "ServiceSchedulerInitiated",
            "Scaling activity initiated by (deployment ecs-svc/2)",
        )
    };
    let theirs = |name| stopped_task(name, "ecs-svc/1", "EssentialContainerExited", "x");
    let mut running = crash(9);
    running.last_status = "RUNNING".to_owned();
    let tasks = (1..5)
        .map(|n| (5, scaling(n)))
        .chain((5..9).map(|n| (5, theirs(n))))
        .chain([(5, running)])
        .collect();
    let told = run(vec![(0, See(under_way([3, 3, 0, 0]))), (40, See(completed()))])
        .tasks(tasks)
        .play();
    assert_eq!(told.end, Decision::Succeeded { tasks: 3 });
}

#[test]
fn scenario_4_failed_checks_of_the_load_balancer_count() {
    let elb = |name| {
        stopped_task(
            name,
            OURS,
            "ServiceSchedulerInitiated",
            "Task failed ELB health checks in (target-group x)",
        )
    };
    let told = run(vec![(0, See(under_way([3, 0, 3, 0])))])
        .tasks(vec![(90, elb(1)), (120, elb(2)), (150, elb(3))])
        .play();
    let (why, reason, _) = failed(&told.end);
    assert!(
        why == Why::Tasks && reason.contains("failed the load balancer's checks: Task failed ELB"),
        "{reason}"
    );
}

#[test]
fn scenario_5_a_task_that_dies_after_completion_starts_the_time_anew() {
    let told = run(vec![(0, See(completed()))])
        .tasks(vec![(25, crash(1))])
        .play();
    assert_eq!(told.end, Decision::Succeeded { tasks: 3 });
    assert!((55..=65).contains(&told.at), "{}", told.at);
    let dip = service(vec![ours(Some("COMPLETED"), [3, 1, 2, 1])]);
    let told = run(vec![
        (0, See(completed())),
        (20, See(dip)),
        (40, See(completed())),
    ])
    .play();
    assert_eq!((told.end, told.at), (Decision::Succeeded { tasks: 3 }, 70));
}

#[test]
fn scenario_6_no_room_is_waited_for_and_then_fails() {
    let mut full = under_way([3, 0, 1, 0]);
    let event = |id: &str, second| {
        Event {
        id: id.to_owned(),
        created_at: Timestamp::from_second(second).ok(),
        message: "(service web) was unable to place a task because no container instance met all of its requirements.".to_owned(),
    }
    };
    full.events = vec![event("new", 210), event("old", 150)];
    let told = run(vec![(0, See(full.clone()))]).play();
    let (why, reason, ours) = failed(&told.end);
    assert_eq!((why, ours, told.at), (Why::Placement, true, 300));
    assert!(
        reason.starts_with("ECS found no room for 2 of 3 tasks for 5m"),
        "{reason}"
    );
    assert_eq!(told.notes.len(), 1);
    let told = run(vec![(0, See(full.clone())), (200, See(completed()))]).play();
    assert_eq!(told.end, Decision::Succeeded { tasks: 3 }, "room came");
    full.events.remove(0);
    let mut slow = run(vec![(0, See(full)), (400, See(completed()))]);
    assert_eq!(
        slow.play().end,
        Decision::Succeeded { tasks: 3 },
        "the event was of an earlier deployment"
    );
    let capacity = stopped_task(
        1,
        OURS,
        "TaskFailedToStart",
        "Capacity is unavailable at this time.",
    );
    slow.worlds[0].1 = See(under_way([3, 1, 1, 0]));
    assert_eq!(
        failed(&slow.tasks(vec![(30, capacity)]).play().end).0,
        Why::Placement
    );
}

#[test]
fn scenario_13_draining_is_no_failure_of_the_new_version() {
    let drains = service(vec![ours(Some("IN_PROGRESS"), [3, 0, 3, 0]), before(2)]);
    let told = run(vec![(0, See(drains.clone())), (320, See(completed()))]).play();
    assert_eq!((told.end, told.at), (Decision::Succeeded { tasks: 3 }, 350));
    let told = run(vec![(0, See(drains))]).play();
    assert_eq!(
        (failed(&told.end).0, failed(&told.end).2),
        (Why::Draining, false),
        "not to be rolled back"
    );
}

#[test]
fn scenario_14_reads_that_fail_are_waited_for() {
    let told = run(vec![
        (0, See(under_way([3, 3, 0, 0]))),
        (10, Silent),
        (250, See(completed())),
    ])
    .play();
    assert_eq!(told.end, Decision::Succeeded { tasks: 3 });
    assert!(told.looks < 25, "it asks less often: {}", told.looks);
    let told = run(vec![(0, See(completed())), (10, Silent)]).play();
    let (why, reason, ours) = failed(&told.end);
    assert_eq!((why, ours), (Why::Unreadable, false));
    assert!(
        (310..=345).contains(&told.at) && reason.ends_with("is not known: rate exceeded"),
        "{} {reason}",
        told.at
    );
}

#[test]
fn scenario_24_a_deployment_that_is_not_visible_yet_is_waited_for() {
    let stale = service(vec![deployment(
        1,
        DeploymentStatus::Primary,
        Some("COMPLETED"),
        [3, 0, 3, 0],
    )]);
    let told = run(vec![(0, See(stale.clone())), (12, See(completed()))]).play();
    assert_eq!((told.end, told.at), (Decision::Succeeded { tasks: 3 }, 45));
    let told = run(vec![
        (0, See(under_way([3, 1, 2, 0]))),
        (10, See(stale.clone())),
        (20, See(completed())),
    ])
    .play();
    assert_eq!(
        told.end,
        Decision::Succeeded { tasks: 3 },
        "answers may go back in time"
    );
    assert_eq!(
        failed(&run(vec![(0, See(stale.clone()))]).play().end).0,
        Why::Unreadable,
        "the latest is never taken for ours"
    );
    let mut twin = stale;
    twin.deployments[0].created_at = plan().created_at;
    let told = run(vec![(0, See(twin.clone())), (25, See(completed()))]).play();
    assert_eq!(
        told.end,
        Decision::Succeeded { tasks: 3 },
        "made in the same instant"
    );
    let told = run(vec![(0, See(completed())), (5, See(twin))]).play();
    assert!(matches!(told.end, Decision::RolledBack { .. }), "{:?}", told.end);
}

#[test]
fn where_ecs_gives_no_state_it_must_be_alone_and_whole() {
    let alone = |counts| See(service(vec![ours(None, counts)]));
    let both = See(service(vec![ours(None, [3, 0, 3, 0]), before(1)]));
    let told = run(vec![
        (0, both),
        (50, alone([3, 1, 3, 0])),
        (60, alone([3, 0, 3, 0])),
    ])
    .play();
    assert_eq!((told.end, told.at), (Decision::Succeeded { tasks: 3 }, 90));
}

#[test]
fn what_completed_in_time_may_show_that_it_stays() {
    let told = run(vec![(0, See(under_way([3, 1, 2, 0]))), (1790, See(completed()))]).play();
    assert_eq!((told.end, told.at), (Decision::Succeeded { tasks: 3 }, 1820));
    let grown = service(vec![ours(Some("COMPLETED"), [9, 6, 3, 0])]);
    let told = run(vec![(0, See(completed())), (10, See(grown))]).play();
    assert_eq!(
        (told.end, told.at),
        (Decision::Succeeded { tasks: 3 }, 30),
        "scaled up is not worse"
    );
}

#[test]
fn a_task_that_found_no_room_once_counts_once() {
    let capacity = stopped_task(
        1,
        OURS,
        "TaskFailedToStart",
        "Capacity is unavailable at this time.",
    );
    let told = run(vec![
        (0, See(under_way([3, 1, 1, 0]))),
        (200, See(under_way([3, 1, 2, 0]))),
        (600, See(completed())),
    ])
    .tasks(vec![(30, capacity)])
    .play();
    assert_eq!(
        (told.end, told.at),
        (Decision::Succeeded { tasks: 3 }, 630),
        "it is listed on"
    );
}

#[test]
fn unhealthy_targets_explain_a_time_out_and_decide_nothing() {
    let target = |state: &str| TargetHealth {
        target: "10.0.0.1:80".to_owned(),
        state: TargetState::of(state),
        reason: Some("Target.ResponseCodeMismatch".to_owned()),
        description: Some("Health checks failed with these codes: [404]".to_owned()),
    };
    let targets = [target("unhealthy"), target("healthy"), target("draining")];
    let slow = under_way([3, 1, 2, 0]);
    let (state, early) = State::new(plan()).next(Look::Targets(&targets), secs(59));
    assert_eq!(early.notes, [""; 0], "within the grace period");
    let (state, step) = state.next(Look::Targets(&targets), secs(60));
    let note = "1 of 3 targets are unhealthy: Target.ResponseCodeMismatch, Health checks failed with these codes: [404]";
    assert_eq!(step.notes, [note]);
    let (state, step) = state.next(Look::Targets(&targets), secs(65));
    assert_eq!(
        (step.notes.len(), matches!(step.decision, Decision::Wait { .. })),
        (0, true),
        "told once"
    );
    let (state, _) = state.next(Look::Service(&slow, None), secs(1800));
    let (_, step) = state.next(Look::Stopped(&[]), secs(1800));
    assert!(failed(&step.decision).1.ends_with(note), "{step:?}");
}

#[test]
fn stopped_tasks_are_looked_at_right_before_success() {
    let mut run = run(vec![(0, See(completed()))]).tasks(vec![(27, crash(1))]);
    run.limits.tasks_every = secs(600);
    assert!(run.play().at >= 60, "a task that died at 27 is seen at 30");
}

#[test]
fn a_deployment_that_does_not_know_its_size_is_not_complete() {
    let mut blank = service(vec![ours(Some("COMPLETED"), [0, 0, 0, 0])]);
    blank.desired = 3;
    let told = run(vec![(0, See(blank)), (60, See(completed()))]).play();
    assert_eq!((told.end, told.at), (Decision::Succeeded { tasks: 3 }, 90));
}
