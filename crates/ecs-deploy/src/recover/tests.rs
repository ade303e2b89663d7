use super::*;
use crate::words::{DeploymentStatus, RolloutState, ServiceDeploymentStatus};
use jiff::Timestamp;

fn arn(revision: u32) -> String {
    format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:{revision}")
}

/// Revisions as service deployments ended or stand, the oldest first.
fn history(records: &[(u32, &str)]) -> Vec<Past> {
    let past = |(at, (revision, status)): (i64, &(u32, &str))| Past {
        task_definition: arn(*revision),
        status: ServiceDeploymentStatus::of(status),
        created_at: Timestamp::from_second(at).ok(),
        versions: Vec::new(),
    };
    (0_i64..).zip(records).map(past).collect()
}

/// Revisions of deployments with their states, the latest first.
fn service(deployments: &[(u32, &str)]) -> Service {
    let mut service = Service::fixture();
    for (at, (revision, state)) in deployments.iter().enumerate() {
        let status = match at {
            0 => DeploymentStatus::Primary,
            _ => DeploymentStatus::Active,
        };
        service.deployments.push(Deployment {
            rollout_state: Some(*state)
                .filter(|state| !state.is_empty())
                .map(RolloutState::of),
            ..Deployment::fixture(*revision, status)
        });
    }
    service
}

#[test]
fn where_a_service_goes_is_told_by_its_deployments_and_their_records() {
    use Standing::{Brings, ComesBack, Settled, Turns};
    let good = (1, "SUCCESSFUL");
    for (what, deployments, records, expected) in [
        (
            "complete",
            vec![(2, "COMPLETED")],
            vec![good, (2, "SUCCESSFUL")],
            Settled,
        ),
        ("no deployment", vec![], vec![], Settled),
        (
            "failed for good",
            vec![(2, "FAILED"), (1, "COMPLETED")],
            vec![good, (2, "STOPPED")],
            Settled,
        ),
        (
            "a new version",
            vec![(2, "IN_PROGRESS"), (1, "COMPLETED")],
            vec![good, (2, "IN_PROGRESS")],
            Brings,
        ),
        (
            "not listed yet",
            vec![(2, "IN_PROGRESS"), (1, "COMPLETED")],
            vec![good],
            Brings,
        ),
        ("no states", vec![(2, ""), (1, "")], vec![good], Brings),
        (
            "a first deploy",
            vec![(1, "IN_PROGRESS")],
            vec![(1, "IN_PROGRESS")],
            Brings,
        ),
        (
            "once more",
            vec![(2, "IN_PROGRESS"), (2, "COMPLETED")],
            vec![good, (2, "SUCCESSFUL")],
            Brings,
        ),
        (
            "an update back",
            vec![(1, "IN_PROGRESS"), (2, "IN_PROGRESS"), (1, "COMPLETED")],
            vec![good, (2, "STOPPED")],
            ComesBack,
        ),
        (
            "the breaker's way back, while the version that failed has tasks",
            vec![(1, "IN_PROGRESS"), (2, "FAILED")],
            vec![good, (2, "ROLLBACK_IN_PROGRESS")],
            ComesBack,
        ),
        (
            "and when it has none left",
            vec![(1, "IN_PROGRESS")],
            vec![good, (2, "ROLLBACK_IN_PROGRESS")],
            ComesBack,
        ),
        (
            "an update back, when what it replaces has no tasks left",
            vec![(1, "IN_PROGRESS")],
            vec![good, (2, "STOPPED"), (1, "IN_PROGRESS")],
            ComesBack,
        ),
        (
            "the same once more, after a way back that has ended",
            vec![(1, "IN_PROGRESS"), (1, "COMPLETED")],
            vec![good, (2, "ROLLBACK_SUCCESSFUL"), (1, "IN_PROGRESS")],
            Brings,
        ),
        (
            "the breaker is about to go back",
            vec![(2, "FAILED"), (1, "COMPLETED")],
            vec![good, (2, "ROLLBACK_IN_PROGRESS")],
            Turns,
        ),
        (
            "somebody asked for a way back",
            vec![(2, "IN_PROGRESS"), (1, "COMPLETED")],
            vec![good, (2, "ROLLBACK_REQUESTED")],
            Turns,
        ),
    ] {
        assert_eq!(
            standing(&service(&deployments), &history(&records)),
            expected,
            "{what}"
        );
    }
}
