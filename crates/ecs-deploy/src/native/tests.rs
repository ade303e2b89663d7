use super::*;
use crate::observed::RevisionSeen;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{any, proptest};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn limits() -> Limits {
    Limits {
        poll: secs(5),
        timeout: secs(600),
        rollback_timeout: secs(300),
        api_grace: secs(120),
    }
}

fn deployment(status: &str, stage: &str, production: f64) -> ServiceDeployment {
    ServiceDeployment {
        arn: "arn:aws:ecs:eu-west-1:123456789012:service-deployment/shop/web/1".to_owned(),
        status: ServiceDeploymentStatus::of(status),
        reason: None,
        stage: (!stage.is_empty()).then(|| stage.to_owned()),
        target: Some(RevisionSeen {
            arn: "revision/2".to_owned(),
            requested: 3,
            running: 3,
            pending: 0,
            production_weight: Some(production),
            test_weight: Some(100.0),
        }),
        sources: Vec::new(),
        hooks: Vec::new(),
        breaker: None,
        triggered_alarms: Vec::new(),
        rollback: None,
        created_at: None,
        finished_at: None,
    }
}

fn paused(stage: &str) -> ServiceDeployment {
    let mut paused = deployment("IN_PROGRESS", stage, 0.0);
    paused.hooks = vec![Hook {
        id: "hook-1".to_owned(),
        kind: "PAUSE".to_owned(),
        status: HookStatus::AwaitingAction,
        expires_at: None,
        timeout_action: Some("ROLLBACK".to_owned()),
    }];
    paused
}

/// The decision of the last of several looks, each at its second.
fn play(looks: &[(u64, Look<'_>)]) -> Decision {
    let mut state = State::new(limits(), Duration::ZERO);
    let mut last = None;
    for (at, look) in looks {
        let (next, step) = state.next(*look, secs(*at));
        (state, last) = (next, Some(step.decision));
    }
    last.unwrap()
}

#[test]
fn ends_are_told_apart() {
    let mut rolled_back = deployment("ROLLBACK_SUCCESSFUL", "CLEAN_UP", 0.0);
    rolled_back.triggered_alarms = vec!["errors".to_owned()];
    rolled_back.reason = Some("Service deployment rolled back because of alarms".to_owned());
    for (seen, expected) in [
        (deployment("SUCCESSFUL", "CLEAN_UP", 100.0), Decision::Succeeded),
        (
            rolled_back,
            Decision::RolledBack {
                reason: "alarm `errors`; Service deployment rolled back because of alarms".to_owned(),
            },
        ),
        (
            deployment("ROLLBACK_FAILED", "", 0.0),
            Decision::RollbackFailed {
                reason: "ECS gave no reason".to_owned(),
            },
        ),
        (
            deployment("STOPPED", "", 0.0),
            Decision::Stopped {
                reason: "ECS gave no reason".to_owned(),
            },
        ),
        (
            deployment("IN_PROGRESS", "SCALE_UP", 0.0),
            Decision::Wait { next: secs(5) },
        ),
        (
            deployment("ROLLBACK_IN_PROGRESS", "", 0.0),
            Decision::Wait { next: secs(5) },
        ),
        (
            deployment("SOMETHING_NEW", "", 0.0),
            Decision::Wait { next: secs(5) },
        ),
    ] {
        assert_eq!(
            play(&[(1, Look::Deployment(&seen))]),
            expected,
            "{:?}",
            seen.status
        );
    }
}

#[test]
fn tasks_that_fail_stop_it_once() {
    let seen = deployment("IN_PROGRESS", "SCALE_UP", 0.0);
    let looks = [(1, Look::Deployment(&seen)), (2, Look::Failing("3 tasks failed"))];
    let reason = "3 tasks failed".to_owned();
    assert_eq!(play(&looks), Decision::Stop { reason });
    let again = [looks[0], looks[1], (3, Look::Failing("4 tasks failed"))];
    assert_eq!(play(&again), Decision::Wait { next: secs(5) });
    let back = deployment("ROLLBACK_SUCCESSFUL", "", 0.0);
    let ended = [looks[0], looks[1], (9, Look::Deployment(&back))];
    let reason = "3 tasks failed".to_owned();
    assert_eq!(play(&ended), Decision::RolledBack { reason });
}

#[test]
fn a_pause_is_gated_once_and_answered() {
    let pause = paused("POST_TEST_TRAFFIC_SHIFT");
    let later = paused("PRODUCTION_TRAFFIC_SHIFT");
    let look = Look::Deployment(&pause);
    let wait = Decision::Wait { next: secs(5) };
    let gate = |stage: &str| Decision::Gate {
        hook: "hook-1".to_owned(),
        stage: stage.to_owned(),
        expires_at: None,
    };
    let go_on = Decision::Continue {
        hook: "hook-1".to_owned(),
    };
    assert_eq!(play(&[(1, look)]), gate("POST_TEST_TRAFFIC_SHIFT"));
    assert_eq!(play(&[(1, look), (6, look)]), wait, "the gate runs");
    let passed = [(1, look), (60, Look::Gate(Says::Pass))];
    assert_eq!(play(&passed), go_on);
    let looks = |more: &[(u64, Look<'static>)]| [&passed[..], more].concat();
    assert_eq!(
        play(&[&passed[..], &[(61, look)]].concat()),
        wait,
        "the answer is on its way"
    );
    assert_eq!(
        play(&[&passed[..], &[(120, look)]].concat()),
        go_on,
        "it was lost"
    );
    assert_eq!(
        play(&[&passed[..], &[(70, Look::Deployment(&later))]].concat()),
        gate("PRODUCTION_TRAFFIC_SHIFT"),
        "another stage is another question"
    );
    assert_eq!(
        play(&looks(&[(62, Look::Gate(Says::Fail("late")))])),
        wait,
        "nobody asked"
    );
    let refused = [(1, look), (60, Look::Gate(Says::Fail("errors\nat 4%")))];
    let reason = "errors\\nat 4%".to_owned();
    assert_eq!(
        play(&refused),
        Decision::RollBack {
            hook: "hook-1".to_owned(),
            reason: reason.clone()
        }
    );
    let back = deployment("ROLLBACK_SUCCESSFUL", "", 0.0);
    let end = play(&[&refused[..], &[(90, Look::Deployment(&back))]].concat());
    assert_eq!(end, Decision::RolledBack { reason });
}

#[test]
fn time_and_silence_end_it() {
    let runs = deployment("IN_PROGRESS", "BAKE_TIME", 10.0);
    let back = deployment("ROLLBACK_IN_PROGRESS", "", 10.0);
    let (look, late) = (
        Look::Deployment(&runs),
        "the deployment is not complete after 10m".to_owned(),
    );
    assert_eq!(play(&[(600, look)]), Decision::Stop { reason: late });
    assert_eq!(
        play(&[(600, look), (601, look)]),
        Decision::Wait { next: secs(5) },
        "told once"
    );
    let stuck = play(&[(600, look), (900, Look::Deployment(&back))]);
    assert!(
        matches!(&stuck, Decision::RollbackFailed { reason } if reason.ends_with("not complete after 5m")),
        "{stuck:?}"
    );
    assert_eq!(play(&[(5, Look::Missing)]), Decision::Wait { next: secs(5) });
    assert!(matches!(play(&[(30, Look::Missing)]), Decision::Unknown { .. }));
    assert!(matches!(
        play(&[(5, look), (6, Look::Missing)]),
        Decision::Unknown { .. }
    ));
    let silent = Look::Unreadable("rate exceeded");
    assert_eq!(
        play(&[(5, silent), (100, silent)]),
        Decision::Wait { next: secs(5) }
    );
    assert!(matches!(
        play(&[(5, silent), (125, silent)]),
        Decision::Unknown { .. }
    ));
    assert_eq!(
        play(&[(5, silent), (100, look), (140, silent)]),
        Decision::Wait { next: secs(5) }
    );
}

#[test]
fn a_line_is_shown_where_something_changed() {
    let state = State::new(limits(), Duration::ZERO);
    let first = deployment("IN_PROGRESS", "BAKE_TIME", 2.5);
    let (state, step) = state.next(Look::Deployment(&first), secs(1));
    let line = "stage `BAKE_TIME`, 2.5000% of production traffic to the new version, 100% of test traffic to the new version, 3 of 3 tasks run";
    assert_eq!(step.line.as_deref(), Some(line));
    let (state, step) = state.next(Look::Deployment(&first), secs(6));
    assert_eq!(step.line, None);
    let (_, step) = state.next(Look::Deployment(&paused("BAKE_TIME")), secs(11));
    assert!(step.line.unwrap().ends_with("hook `hook-1` waits for an answer"));
}

#[test]
fn ours_is_found_and_never_guessed() {
    let named = |arn: &str, revision: &str, second: i64| {
        let mut one = deployment("IN_PROGRESS", "", 0.0);
        one.arn = arn.to_owned();
        one.created_at = Timestamp::from_second(second).ok();
        one.target.as_mut().unwrap().arn = revision.to_owned();
        one
    };
    let at = |second| Timestamp::from_second(second).ok();
    let listed = [named("c", "r3", 30), named("b", "r2", 20), named("a", "r1", 10)];
    let before = ["a".to_owned()];
    assert_eq!(find(&listed, &before, Some("r2"), at(20)), Found::One(&listed[1]));
    assert_eq!(find(&listed, &before, None, at(20)), Found::Several);
    assert_eq!(find(&listed, &before, None, at(25)), Found::One(&listed[0]));
    assert_eq!(
        find(&listed[2..], &before, None, at(5)),
        Found::None,
        "the earlier one lags behind"
    );
    assert_eq!(find(&listed[2..], &[], None, at(20)), Found::None);
}

proptest! {
    #[test]
    fn success_is_only_what_ecs_calls_successful(
        looks in vec((0u64..60, 0usize..5, any::<String>(), any::<String>(), option::of(any::<f64>())), 1..20),
    ) {
        let mut state = State::new(limits(), Duration::ZERO);
        let mut now = Duration::ZERO;
        for (step, kind, word, stage, weight) in looks {
            now += secs(step);
            let mut seen = paused(&stage);
            seen.status = ServiceDeploymentStatus::of(["SUCCESSFUL", "IN_PROGRESS", "STOP_REQUESTED", &word, &word][kind]);
            seen.target.as_mut().unwrap().production_weight = weight;
            let look = match kind {
                4 => Look::Gate(Says::Fail(&word)),
                _ => Look::Deployment(&seen),
            };
            let (next, step) = state.next(look, now);
            assert!(step.line.is_none_or(|line| !line.contains('\n')));
            assert!(step.decision != Decision::Succeeded || kind == 0 || word == "SUCCESSFUL");
            state = next;
        }
    }
}
