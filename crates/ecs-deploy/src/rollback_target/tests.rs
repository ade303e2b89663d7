use super::*;
use crate::words::DeploymentStatus;
use proptest::collection::vec;
use proptest::prelude::{any, proptest};

fn arn(revision: u32) -> String {
    format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:{revision}")
}

fn past(revision: u32, status: &str, second: i64, versions: &[&str]) -> Past {
    Past {
        task_definition: arn(revision),
        status: ServiceDeploymentStatus::of(status),
        created_at: Timestamp::from_second(second).ok(),
        versions: versions.iter().map(|version| (*version).to_owned()).collect(),
    }
}

fn deployment(status: DeploymentStatus, revision: u32, state: Option<&str>, running: u32) -> Deployment {
    Deployment {
        running,
        rollout_state: state.map(RolloutState::of),
        ..Deployment::fixture(revision, status)
    }
}

fn service(deployments: Vec<Deployment>) -> Service {
    Service {
        task_definition: deployments.first().map(|first| first.task_definition.clone()),
        deployments,
        ..Service::fixture()
    }
}

#[test]
fn what_served_last_is_gone_back_to() {
    use DeploymentStatus::{Active, Primary};
    let history = [
        past(39, "SUCCESSFUL", 39, &[]),
        past(41, "ROLLBACK_SUCCESSFUL", 41, &[]),
        past(40, "SUCCESSFUL", 40, &[]),
        past(42, "STOPPED", 42, &[]),
    ];
    for (what, deployments, history, expected) in [
        (
            "complete",
            vec![deployment(Primary, 38, Some("COMPLETED"), 2)],
            &history[..],
            Some(38),
        ),
        (
            "the latest itself was failing",
            vec![deployment(Primary, 42, Some("FAILED"), 0)],
            &history,
            Some(40),
        ),
        (
            "an earlier one still serves",
            vec![
                deployment(Primary, 42, Some("IN_PROGRESS"), 0),
                deployment(Active, 37, Some("COMPLETED"), 2),
            ],
            &history,
            Some(37),
        ),
        (
            "no state is given",
            vec![deployment(Primary, 36, None, 2)],
            &history,
            Some(36),
        ),
        (
            "no state is given, and too few run",
            vec![deployment(Primary, 42, None, 1)],
            &history,
            Some(40),
        ),
        (
            "a first deploy",
            vec![deployment(Primary, 1, Some("FAILED"), 0)],
            &[],
            None,
        ),
        ("a new service", vec![], &[], None),
    ] {
        let target = at_start(&service(deployments), history).map(|target| target.task_definition);
        assert_eq!(target, expected.map(arn), "{what}");
    }
}

#[test]
fn the_one_before_is_not_the_number_before() {
    let history = [
        past(40, "SUCCESSFUL", 40, &[]),
        past(41, "ROLLBACK_SUCCESSFUL", 41, &[]),
        past(42, "SUCCESSFUL", 42, &[]),
    ];
    assert_eq!(before(&arn(42), &history).unwrap().task_definition, arn(40));
    assert_eq!(before(&arn(42), &history[1..]), Err(TargetError::Nothing));
}

#[test]
fn a_person_names_a_revision_or_a_version() {
    let history = [
        past(40, "SUCCESSFUL", 40, &["1.2.0", "39"]),
        past(41, "ROLLBACK_SUCCESSFUL", 41, &["1.3.0"]),
        past(42, "SUCCESSFUL", 42, &["1.2.0"]),
        past(43, "SUCCESSFUL", 43, &["1.4.0", "43"]),
        past(43, "SUCCESSFUL", 44, &["1.4.0", "43"]),
    ];
    let to = |wanted: &str| named(wanted, &arn(43), &history);
    for (wanted, expected) in [
        ("1.2.0", arn(42)),
        ("40", arn(40)),
        ("web:40", arn(40)),
        (" 43 ", arn(43)),
        ("7", "web:7".to_owned()),
        (arn(40).as_str(), arn(40)),
    ] {
        assert_eq!(to(wanted).unwrap().task_definition, expected, "{wanted}");
    }
    assert_eq!(to("7").unwrap().evidence, Evidence::Named);
    for (wanted, error) in [
        (
            "1.3.0",
            "no successful deployment of `1.3.0` is known; the latest are `web:43`, `web:42`, `web:40`",
        ),
        (
            "39",
            "`39` is revision `web:39` and also the version of `web:40`; write one of the two",
        ),
        ("api:4", "`api:4` is of another family than the service's `web`"),
        (
            "0",
            "no successful deployment of `0` is known; the latest are `web:43`, `web:42`, `web:40`",
        ),
    ] {
        assert_eq!(to(wanted).unwrap_err().to_string(), error);
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_only_successful_versions_are_found(
        wanted in any::<String>(), current in any::<String>(), versions in vec(any::<String>(), 0..4), good in any::<bool>(),
    ) {
        let status = if good { "SUCCESSFUL" } else { "STOPPED" };
        let history = [Past { versions: versions.clone(), ..past(5, status, 5, &[]) }];
        let found = named(&wanted, &current, &history);
        if let Ok(Target { evidence: Evidence::Successful(_), .. }) = &found {
            assert!(good);
        }
        if let Err(error) = found {
            assert!(!error.to_string().contains('\n'));
        }
    }
}
