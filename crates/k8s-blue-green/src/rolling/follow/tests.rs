//! Stories of rollouts, look by look.

use proptest::prelude::{any, proptest};
use serde_json::json;

use super::*;

const LIMITS: Limits = Limits {
    poll: Duration::from_secs(2),
    settle: Duration::from_secs(10),
    timeout: Duration::from_secs(100),
    grace: Duration::from_secs(20),
    unschedulable: Duration::from_secs(60),
    api: Duration::from_secs(30),
};

fn state() -> State {
    let ours = Ours {
        sort: Sort::Deployment,
        uid: "u".to_owned(),
        template: json!({"t": 1}),
    };
    State::new(ours, LIMITS, Duration::ZERO)
}

fn deployment(updated: u64, available: u64) -> Value {
    json!({
        "metadata": {"uid": "u", "generation": 2}, "spec": {"replicas": 2, "template": {"t": 1}},
        "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": updated, "availableReplicas": available},
    })
}

fn waiting(reason: &str) -> Value {
    json!({
        "metadata": {"name": "web-x", "uid": "p"}, "spec": {"containers": [{"name": "web", "image": "shop:2"}]},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "web", "image": "shop:2", "ready": false,
            "restartCount": 0, "state": {"waiting": {"reason": reason, "message": "not found"}}}]},
    })
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn ready_is_believed_when_it_stays() {
    let mut state = state();
    let whole = deployment(2, 2);
    let half = deployment(2, 1);
    assert!(matches!(
        state.next(Look::Seen(&whole, &[]), at(1)).decision,
        Decision::Wait(_)
    ));
    assert!(matches!(
        state.next(Look::Seen(&half, &[]), at(9)).decision,
        Decision::Wait(_)
    ));
    assert!(matches!(
        state.next(Look::Seen(&whole, &[]), at(12)).decision,
        Decision::Wait(_)
    ));
    assert!(matches!(
        state.next(Look::Seen(&whole, &[]), at(21)).decision,
        Decision::Wait(_)
    ));
    assert_eq!(
        state.next(Look::Seen(&whole, &[]), at(22)).decision,
        Decision::Ready(2)
    );
}

#[test]
fn an_image_that_can_not_be_pulled_fails_after_its_grace_and_two_looks() {
    let mut state = state();
    let (workload, pods) = (deployment(1, 1), [waiting("ErrImagePull")]);
    let first = state.next(Look::Seen(&workload, &pods), at(5));
    assert!(matches!(first.decision, Decision::Wait(_)));
    assert!(first.note.unwrap().contains("can't pull `shop:2`"));
    // Pulling again is no sign of health; being gone is.
    assert!(matches!(
        state.next(Look::Seen(&workload, &pods), at(24)).decision,
        Decision::Wait(_)
    ));
    let Decision::Failed { why, reason } = state.next(Look::Seen(&workload, &pods), at(25)).decision else {
        panic!("it goes on");
    };
    assert_eq!(why, Why::Pods);
    assert_eq!(
        reason,
        "pod `web-x`: container `web` can't pull `shop:2`: not found"
    );
}

#[test]
fn one_look_is_never_enough_and_what_mends_itself_is_forgotten() {
    let mut state = state();
    let (workload, pods) = (deployment(1, 1), [waiting("ErrImagePull")]);
    state.next(Look::Seen(&workload, &pods), at(0));
    state.next(Look::Seen(&workload, &[waiting("ContainerCreating")]), at(2));
    assert!(matches!(
        state.next(Look::Seen(&workload, &pods), at(60)).decision,
        Decision::Wait(_)
    ));
}

#[test]
fn pods_that_can_not_be_made_fail_like_those_that_can_not_start() {
    let mut blocked = deployment(0, 2);
    blocked["status"]["conditions"] =
        json!([{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}]);
    let mut state = state();
    assert!(matches!(
        state.next(Look::Seen(&blocked, &[]), at(0)).decision,
        Decision::Wait(_)
    ));
    let step = state.next(Look::Seen(&blocked, &[]), at(20));
    assert!(
        matches!(
            step.decision,
            Decision::Failed {
                why: Why::Blocked,
                ..
            }
        ),
        "{step:?}"
    );
}

#[test]
fn somebody_elses_change_ends_it() {
    for (pointer, value) in [
        ("/metadata/uid", json!("other")),
        ("/spec/template", json!({"t": 2})),
        ("/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z")),
    ] {
        let mut workload = deployment(2, 2);
        workload["metadata"]["deletionTimestamp"] = Value::Null;
        *workload.pointer_mut(pointer).unwrap() = value;
        let step = state().next(Look::Seen(&workload, &[]), at(1));
        assert!(matches!(step.decision, Decision::Foreign(_)), "{pointer}");
    }
    assert!(matches!(
        state().next(Look::Gone, at(1)).decision,
        Decision::Foreign(_)
    ));
}

#[test]
fn the_time_ends_with_how_far_it_came() {
    let mut state = state();
    let workload = deployment(1, 1);
    state.next(Look::Seen(&workload, &[]), at(1));
    let Decision::Failed { why, reason } = state.next(Look::Seen(&workload, &[]), at(100)).decision else {
        panic!("it goes on");
    };
    assert_eq!(
        (why, reason.as_str()),
        (
            Why::Timeout,
            "it is not ready after 1m40s: 1 of 2 pods are updated, 1 available"
        )
    );
}

#[test]
fn an_api_that_comes_back_is_forgiven() {
    let refused = Refused::unanswered("get Deployment `web`", "connection refused");
    let workload = deployment(1, 1);
    let mut state = state();
    for second in [1, 10, 29] {
        assert!(matches!(
            state.next(Look::Unreadable(&refused), at(second)).decision,
            Decision::Wait(_)
        ));
    }
    state.next(Look::Seen(&workload, &[]), at(30));
    assert!(matches!(
        state.next(Look::Unreadable(&refused), at(59)).decision,
        Decision::Wait(_)
    ));
    let step = state.next(Look::Unreadable(&refused), at(60));
    assert!(matches!(
        step.decision,
        Decision::Failed {
            why: Why::Unreadable,
            ..
        }
    ));
}

#[test]
fn a_denial_is_believed_the_third_time() {
    let refused = Refused::answered("get Deployment `web`", 401, None, b"Unauthorized");
    let mut state = state();
    let mut ends = || state.next(Look::Unreadable(&refused), at(1)).decision;
    assert!(matches!(ends(), Decision::Wait(_)) && matches!(ends(), Decision::Wait(_)));
    assert!(matches!(ends(), Decision::Failed { why: Why::Access, .. }));
}

#[test]
fn what_has_no_pods_has_nothing_to_wait_for() {
    let mut workload = deployment(0, 0);
    workload["spec"]["replicas"] = 0.into();
    workload["status"]["replicas"] = 0.into();
    assert_eq!(
        state().next(Look::Seen(&workload, &[]), at(1)).decision,
        Decision::Ready(0)
    );
}

proptest! {
    /// Whatever is seen, it ends by its limits.
    #[test]
    fn every_story_ends(looks in proptest::collection::vec((0u8..6, 0u64..3, 0u64..3), 400)) {
        let mut state = state();
        let refused = Refused::unanswered("x", "y");
        let mut now = Duration::ZERO;
        for (kind, updated, available) in looks {
            let workload = deployment(updated, available);
            let pods = [waiting(if available == 0 { "ErrImagePull" } else { "ContainerCreating" })];
            let look = match kind {
                0 => Look::Unreadable(&refused),
                _ => Look::Seen(&workload, &pods),
            };
            match state.next(look, now).decision {
                Decision::Wait(time) => now += time.max(Duration::from_millis(1)),
                _ => return Ok(()),
            }
        }
        // Only what is ready for a moment again and again may take longer.
        assert!(now <= LIMITS.timeout + LIMITS.api + LIMITS.settle, "{now:?}");
    }

    #[test]
    fn any_pods_are_judged(text in any::<String>()) {
        let odd = json!({"metadata": {"name": text, "uid": text}, "status": {"containerStatuses": [{"state": text}]}});
        state().next(Look::Seen(&deployment(1, 1), &[odd]), at(1));
    }
}
