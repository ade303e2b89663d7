use super::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{any, proptest};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn container(name: &str, exit_code: Option<i64>, essential: Option<bool>) -> Container {
    Container {
        name: name.to_owned(),
        exit_code,
        reason: None,
        essential,
        image: None,
        log: None,
        log_tail: Vec::new(),
    }
}

fn task(status: &str, code: Option<StopCode>, containers: Vec<Container>) -> Task {
    Task {
        arn: "arn:aws:ecs:eu-west-1:123456789012:task/shop/0a".to_owned(),
        started_by: None,
        last_status: status.to_owned(),
        stop_code: code,
        stopped_reason: Some("Essential container in task exited".to_owned()),
        containers,
        stopped_at: None,
    }
}

fn limits() -> Limits {
    Limits {
        poll: secs(5),
        timeout: secs(600),
        api_grace: secs(300),
    }
}

#[test]
fn essential_containers_decide() {
    let exited = Some(StopCode::EssentialContainerExited);
    let main = |code| container("migrate", code, Some(true));
    let good = |warnings: &[&str]| Decision::Succeeded {
        warnings: warnings.iter().map(|warning| (*warning).to_owned()).collect(),
    };
    let failed = |reason: &str| Decision::Failed {
        reason: reason.to_owned(),
    };
    let side = |code| container("proxy", code, Some(false));
    for (what, code, containers, expected) in [
        ("good", exited.clone(), vec![main(Some(0))], good(&[])),
        (
            "a killed sidecar",
            exited.clone(),
            vec![side(Some(143)), main(Some(0))],
            good(&["container `proxy` ended with exit code 143 (SIGTERM: it was asked to stop)"]),
        ),
        (
            "a sidecar that never ran",
            exited.clone(),
            vec![main(Some(0)), side(None)],
            good(&["container `proxy` has no exit code, so it never ran"]),
        ),
        (
            "bad",
            exited.clone(),
            vec![side(Some(0)), main(Some(2))],
            failed(
                "container `migrate` ended with exit code 2 (wrong use of a command, or the program's own error)",
            ),
        ),
        (
            "no code",
            exited.clone(),
            vec![main(None)],
            failed(
                "container `migrate` has no exit code, so it never ran: Essential container in task exited",
            ),
        ),
        (
            "two, one bad",
            exited.clone(),
            vec![main(Some(0)), container("second", Some(7), None)],
            failed("container `second` ended with exit code 7"),
        ),
        (
            "stopped by someone with 0",
            Some(StopCode::UserInitiated),
            vec![main(Some(0))],
            failed("the task was stopped before it ended: Essential container in task exited"),
        ),
        (
            "Spot with 0",
            Some(StopCode::SpotInterruption),
            vec![main(Some(0))],
            failed("the task was stopped before it ended: Essential container in task exited"),
        ),
        (
            "no container",
            exited,
            vec![],
            failed("the task stopped without a container: Essential container in task exited"),
        ),
        (
            "only sidecars",
            None,
            vec![side(Some(0))],
            failed("the task was stopped before it ended: Essential container in task exited"),
        ),
    ] {
        assert_eq!(verdict(&task("STOPPED", code, containers)), expected, "{what}");
    }
    let mut unpullable = task("STOPPED", Some(StopCode::TaskFailedToStart), vec![main(None)]);
    unpullable.stopped_reason = Some("CannotPullContainerError: web:9: not found".to_owned());
    assert_eq!(
        verdict(&unpullable),
        failed("container `migrate` image not found: CannotPullContainerError: web:9: not found")
    );
}

#[test]
fn what_run_task_says_is_told() {
    let failure = |reason: &str, detail: Option<&str>| NotStarted {
        reason: Some(reason.to_owned()),
        detail: detail.map(str::to_owned),
    };
    let none = started(
        &[],
        &[
            failure("RESOURCE:MEMORY", None),
            failure("AGENT", Some("not connected")),
        ],
    );
    assert_eq!(
        none.unwrap_err(),
        "ECS started no task: RESOURCE:MEMORY, AGENT (not connected)"
    );
    assert_eq!(
        started(&[], &[]).unwrap_err(),
        "ECS started no task and gave no reason"
    );
    let one = task("PROVISIONING", None, vec![]);
    assert_eq!(started(std::slice::from_ref(&one), &[]).unwrap(), one.arn);
}

#[test]
fn a_task_is_followed_to_its_end() {
    let running = task("RUNNING", None, vec![container("m", None, None)]);
    let state = State::new(limits(), secs(10));
    let wait = Decision::Wait { next: secs(5) };
    let (state, decision) = state.next(Look::Missing, secs(10));
    assert_eq!(decision, wait, "a new task may be missing");
    let lost = state.clone().next(Look::Missing, secs(41)).1;
    assert!(matches!(lost, Decision::Unknown { .. }), "not for long: {lost:?}");
    let (state, decision) = state.next(Look::Task(&running), secs(20));
    assert_eq!(decision, wait);
    let gone = state.clone().next(Look::Missing, secs(21)).1;
    assert!(
        matches!(gone, Decision::Unknown { .. }),
        "not once it was seen: {gone:?}"
    );
    let (state, decision) = state.next(Look::Unreadable("rate exceeded"), secs(30));
    assert_eq!(decision, wait, "reads never fail it");
    let silent = state.clone().next(Look::Unreadable("rate exceeded"), secs(330)).1;
    assert!(
        matches!(&silent, Decision::Unknown { reason } if reason.contains("for 5m")),
        "{silent:?}"
    );
    let (state, decision) = state.next(Look::Task(&running), secs(607));
    assert_eq!(decision, Decision::Wait { next: secs(3) }, "the time-out is met");
    let (state, decision) = state.next(Look::Task(&running), secs(610));
    let late = "the task did not end within 10m".to_owned();
    assert_eq!(decision, Decision::Stop { reason: late.clone() });
    let (state, decision) = state.next(Look::Task(&running), secs(611));
    assert_eq!(decision, wait, "told once");
    let stuck = state.clone().next(Look::Task(&running), secs(850)).1;
    assert!(
        matches!(&stuck, Decision::Failed { reason } if reason.ends_with("did not stop within 4m")),
        "{stuck:?}"
    );
    let obeyed = task(
        "STOPPED",
        Some(StopCode::UserInitiated),
        vec![container("m", Some(0), None)],
    );
    assert_eq!(
        state.next(Look::Task(&obeyed), secs(620)).1,
        Decision::Failed { reason: late }
    );
}

proptest! {
    #[test]
    fn success_is_every_essential_container_with_0(
        containers in vec((any::<String>(), option::of(0i64..3), option::of(any::<bool>())), 0..4),
        code in option::of(any::<String>()),
    ) {
        let containers: Vec<Container> = containers.iter().map(|(name, code, essential)| container(name, *code, *essential)).collect();
        let stopped = task("STOPPED", code.map(|code| StopCode::of(&code)), containers.clone());
        if let Decision::Succeeded { .. } = verdict(&stopped) {
            let mut essential = containers.iter().filter(|container| container.essential != Some(false)).peekable();
            assert!(essential.peek().is_some());
            assert!(essential.all(|container| container.exit_code == Some(0)));
        }
    }
}
