//! Deployments that someone or something else ends, with their numbers in the list of scenarios.

use super::*;

fn rolled_back_service(breaker: bool) -> Service {
    let mut back = service(vec![
        deployment(3, DeploymentStatus::Primary, Some("IN_PROGRESS"), [3, 0, 3, 0]),
        deployment(2, DeploymentStatus::Active, Some("FAILED"), [0, 0, 0, 3]),
    ]);
    back.deployments[0].task_definition = arn(1);
    back.deployments[1].reason = Some("ECS deployment circuit breaker: tasks failed to start.".to_owned());
    back.breaker = Some(BreakerSetting {
        enable: breaker,
        rollback: breaker,
    });
    back
}

#[test]
fn scenario_7_a_rollback_by_the_breaker_is_no_success() {
    let told = run(vec![
        (0, See(under_way([3, 3, 0, 0]))),
        (60, See(rolled_back_service(true))),
    ])
    .play();
    let Decision::RolledBack {
        by,
        reason,
        deployment,
    } = told.end
    else {
        panic!("{:?}", told.end)
    };
    assert_eq!(
        (by, told.at, deployment.unwrap().id.as_str()),
        (Undoer::Breaker, 60, "ecs-svc/3")
    );
    assert_eq!(
        reason,
        "the circuit breaker ended the deployment, `web:1` comes back: ECS deployment circuit breaker: tasks failed to start."
    );
    // Our deployment may be gone, and the old revision may be complete.
    let mut gone = rolled_back_service(true);
    gone.deployments.pop();
    gone.deployments[0].rollout_state = Some(RolloutState::Completed);
    let told = run(vec![(0, See(under_way([3, 3, 0, 0]))), (60, See(gone))]).play();
    assert!(matches!(told.end, Decision::RolledBack { .. }), "{:?}", told.end);
    // The revision that was complete last need not be the one that the service had before.
    let mut other = rolled_back_service(true);
    other.deployments[0].task_definition = arn(7);
    let told = run(vec![(0, See(under_way([3, 3, 0, 0]))), (60, See(other.clone()))]).play();
    assert!(
        matches!(
            told.end,
            Decision::RolledBack {
                by: Undoer::Breaker,
                ..
            }
        ),
        "{:?}",
        told.end
    );
    other.breaker = None;
    let told = run(vec![(0, See(under_way([3, 3, 0, 0]))), (60, See(other))]).play();
    assert!(
        matches!(told.end, Decision::Superseded { .. }),
        "nobody but a person does that: {:?}",
        told.end
    );
    // It is announced before it begins.
    let mut announced = service(vec![ours(Some("FAILED"), [3, 0, 0, 3]), before(3)]);
    announced.breaker = Some(BreakerSetting {
        enable: true,
        rollback: true,
    });
    let told = run(vec![
        (0, See(announced.clone())),
        (30, See(rolled_back_service(true))),
    ])
    .play();
    assert!(
        matches!(
            told.end,
            Decision::RolledBack {
                by: Undoer::Breaker,
                ..
            }
        ),
        "{:?}",
        told.end
    );
    let told = run(vec![(0, See(announced))]).play();
    assert_eq!(
        (failed(&told.end).0, failed(&told.end).2, told.at),
        (Why::Rollout, true, 120)
    );
}

#[test]
fn the_service_deployment_tells_who_ended_it() {
    let seen = under_way([3, 3, 0, 0]);
    let mut alarm = service_deployment("ROLLBACK_SUCCESSFUL");
    alarm.triggered_alarms = vec!["errors".to_owned()];
    let told = run(vec![(0, with(seen.clone(), alarm))]).play();
    assert!(
        matches!(&told.end, Decision::RolledBack { by: Undoer::Alarm, reason, .. } if reason == "ECS rolled back: said by ECS"),
        "{:?}",
        told.end
    );
    for (status, why) in [
        ("STOPPED", Why::Stopped),
        ("ROLLBACK_FAILED", Why::RollbackFailed),
    ] {
        let told = run(vec![(0, with(seen.clone(), service_deployment(status)))]).play();
        assert_eq!(failed(&told.end).0, why);
    }
    let told = run(vec![(
        0,
        with(completed(), service_deployment("ROLLBACK_IN_PROGRESS")),
    )])
    .play();
    assert_eq!(
        failed(&told.end).0,
        Why::Rollout,
        "never a success: {:?}",
        told.end
    );
    let told = run(vec![(
        0,
        with(
            rolled_back_service(true),
            service_deployment("ROLLBACK_IN_PROGRESS"),
        ),
    )])
    .play();
    assert!(
        matches!(
            told.end,
            Decision::RolledBack {
                by: Undoer::Someone,
                ..
            }
        ),
        "{:?}",
        told.end
    );
}

#[test]
fn scenario_8_without_a_breaker_it_is_ours_to_roll_back() {
    let stuck = service(vec![ours(Some("FAILED"), [3, 0, 0, 3]), before(3)]);
    let told = run(vec![(0, See(stuck))]).play();
    assert_eq!(
        (failed(&told.end).0, failed(&told.end).2, told.at),
        (Why::Rollout, true, 0)
    );
    let told = run(vec![(0, See(under_way([3, 1, 2, 0])))]).play();
    let (why, reason, ours) = failed(&told.end);
    assert_eq!(
        (why, reason, ours, told.at),
        (
            Why::Timeout,
            "`web:2` is not complete after 30m: 2 of 3 tasks run, 1 are being started",
            true,
            1800
        )
    );
}

#[test]
fn scenario_9_a_newer_deployment_of_someone_is_theirs() {
    let mut newer = under_way([3, 3, 0, 0]);
    newer.deployments[0].status = DeploymentStatus::Active;
    newer.deployments.insert(
        0,
        deployment(3, DeploymentStatus::Primary, Some("IN_PROGRESS"), [3, 3, 0, 0]),
    );
    let told = run(vec![(0, See(under_way([3, 3, 0, 0]))), (10, See(newer.clone()))]).play();
    assert!(
        matches!(&told.end, Decision::Superseded { by } if by.id == "ecs-svc/3"),
        "{:?}",
        told.end
    );
    newer.deployments[0].task_definition = arn(2);
    let told = run(vec![(0, See(newer.clone()))]).play();
    assert!(
        matches!(told.end, Decision::Superseded { .. }),
        "our revision again: {:?}",
        told.end
    );
    newer.deployments[0].task_definition = arn(1);
    let told = run(vec![(0, See(newer))]).play();
    assert!(
        matches!(
            told.end,
            Decision::RolledBack {
                by: Undoer::Someone,
                ..
            }
        ),
        "{:?}",
        told.end
    );
}

#[test]
fn scenario_10_nothing_that_ran_is_told() {
    let none = service(vec![ours(Some("COMPLETED"), [0, 0, 0, 0])]);
    assert_eq!(
        run(vec![(0, See(under_way([3, 3, 0, 0]))), (10, See(none))])
            .play()
            .end,
        Decision::ScaledToZero
    );
}

#[test]
fn scenario_11_a_service_that_goes_is_gone() {
    let mut draining = completed();
    draining.status = ServiceStatus::Draining;
    assert!(matches!(
        run(vec![(0, See(completed())), (10, See(draining))]).play().end,
        Decision::Gone { .. }
    ));
    let told = run(vec![(0, See(completed())), (10, Missing)]).play();
    assert_eq!((matches!(told.end, Decision::Gone { .. }), told.at), (true, 20));
    let told = run(vec![(0, See(completed())), (10, Missing), (15, See(completed()))]).play();
    assert_eq!(
        (told.end, told.at),
        (Decision::Succeeded { tasks: 3 }, 45),
        "one answer may lag behind"
    );
}
