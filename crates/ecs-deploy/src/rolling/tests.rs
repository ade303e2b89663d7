//! Rolling deployments as sequences of looks, on virtual time.

use World::{Missing, Service as See, Silent, With};

use super::*;
use crate::observed::{BreakerSetting, Container, Deployment, Event};
use crate::words::{
    DeploymentStatus, RolloutState, ServiceDeploymentStatus, ServiceStatus, StopCode, TargetState,
};

mod any_run;
mod replaced;
mod scenarios;

const OURS: &str = "ecs-svc/2";

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn arn(revision: u32) -> String {
    format!("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:{revision}")
}

fn plan() -> Plan {
    Plan {
        deployment: OURS.to_owned(),
        task_definition: arn(2),
        previous: Some(arn(1)),
        created_at: Timestamp::from_second(200).ok(),
        started: Duration::ZERO,
        limits: Limits::default(),
    }
}

/// Deployment `number` runs revision `number`, and was created at second `100 × number`.
fn deployment(number: u32, status: DeploymentStatus, state: Option<&str>, counts: [u32; 4]) -> Deployment {
    let [desired, pending, running, failed] = counts;
    Deployment {
        desired,
        pending,
        running,
        failed,
        rollout_state: state.map(RolloutState::of),
        created_at: Timestamp::from_second(i64::from(number) * 100).ok(),
        ..Deployment::fixture(number, status)
    }
}

fn service(deployments: Vec<Deployment>) -> Service {
    let first = deployments.first();
    Service {
        desired: first.map_or(0, |first| first.desired),
        running: deployments.iter().map(|deployment| deployment.running).sum(),
        pending: deployments.iter().map(|deployment| deployment.pending).sum(),
        task_definition: first.map(|first| first.task_definition.clone()),
        deployments,
        ..Service::fixture()
    }
}

/// Our deployment as the latest.
fn ours(state: Option<&str>, counts: [u32; 4]) -> Deployment {
    deployment(2, DeploymentStatus::Primary, state, counts)
}

/// The one before, with so many tasks.
fn before(running: u32) -> Deployment {
    deployment(1, DeploymentStatus::Active, Some("COMPLETED"), [0, 0, running, 0])
}

fn under_way(counts: [u32; 4]) -> Service {
    service(vec![ours(Some("IN_PROGRESS"), counts), before(3)])
}

fn completed() -> Service {
    service(vec![ours(Some("COMPLETED"), [3, 0, 3, 0])])
}

fn stopped_task(name: u32, started_by: &str, code: &str, reason: &str) -> Task {
    Task {
        arn: format!("arn:aws:ecs:eu-west-1:123456789012:task/shop/{name}"),
        started_by: Some(started_by.to_owned()),
        last_status: "STOPPED".to_owned(),
        stop_code: Some(StopCode::of(code)),
        stopped_reason: Some(reason.to_owned()),
        containers: vec![Container {
            name: "web".to_owned(),
            exit_code: (code == "EssentialContainerExited").then_some(1),
            reason: None,
            essential: Some(true),
            image: None,
            log: None,
            log_tail: Vec::new(),
        }],
        stopped_at: None,
    }
}

fn crash(name: u32) -> Task {
    stopped_task(
        name,
        OURS,
        "EssentialContainerExited",
        "Essential container in task exited",
    )
}

fn no_image(name: u32) -> Task {
    stopped_task(
        name,
        OURS,
        "TaskFailedToStart",
        "CannotPullContainerError: web:9: not found",
    )
}

/// What is looked at, from a second on.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a handful of values, and the large one is the common one"
)]
enum World {
    Service(Service),
    With(Box<(Service, ServiceDeployment)>),
    Missing,
    Silent,
}

fn with(service: Service, deployment: ServiceDeployment) -> World {
    With(Box::new((service, deployment)))
}

/// A run: what there is from which second on, and the stopped tasks with the second from which on they are listed.
#[derive(Clone)]
struct Run {
    worlds: Vec<(u64, World)>,
    tasks: Vec<(u64, Task)>,
    tasks_readable: bool,
    limits: Limits,
}

struct Told {
    end: Decision,
    at: u64,
    looks: u32,
    fetches: u32,
    notes: Vec<String>,
}

fn run(worlds: Vec<(u64, World)>) -> Run {
    Run {
        worlds,
        tasks: Vec::new(),
        tasks_readable: true,
        limits: Limits::default(),
    }
}

impl Run {
    fn tasks(mut self, tasks: Vec<(u64, Task)>) -> Self {
        self.tasks = tasks;
        self
    }

    /// Runs to the end, as the edge would.
    fn play(&self) -> Told {
        let mut state = State::new(Plan {
            limits: self.limits,
            ..plan()
        });
        let (mut now, mut looks, mut fetches, mut notes) = (Duration::ZERO, 0, 0, Vec::new());
        let mut fetch = false;
        loop {
            assert!(now < secs(3 * 3600), "it never ends");
            let listed: Vec<Task> = self
                .tasks
                .iter()
                .filter(|(at, _)| secs(*at) <= now)
                .map(|(_, task)| task.clone())
                .collect();
            let world = self
                .worlds
                .iter()
                .rev()
                .find(|(at, _)| secs(*at) <= now)
                .map(|(_, world)| world);
            let look = match (fetch, self.tasks_readable, world.unwrap()) {
                (true, true, _) => Look::Stopped(&listed),
                (true, false, _) => Look::StoppedUnreadable("access denied for `ecs:ListTasks`"),
                (false, _, See(service)) => Look::Service(service, None),
                (false, _, With(both)) => Look::Service(&both.0, Some(&both.1)),
                (false, _, Missing) => Look::Missing,
                (false, _, Silent) => Look::Unreadable("rate exceeded"),
            };
            if fetch {
                fetches += 1;
            } else {
                looks += 1;
            }
            let (next, step) = state.next(look, now);
            state = next;
            notes.extend(step.notes);
            fetch = false;
            match step.decision {
                Decision::Wait { next } | Decision::Steady { next, .. } => {
                    assert!(
                        !next.is_zero() || now == Duration::ZERO,
                        "a wait of nothing at {now:?}"
                    );
                    now += next;
                }
                Decision::FetchStopped => fetch = true,
                end => {
                    return Told {
                        end,
                        at: now.as_secs(),
                        looks,
                        fetches,
                        notes,
                    };
                }
            }
        }
    }
}

fn failed(end: &Decision) -> (Why, &str, bool) {
    match end {
        Decision::Failed {
            why,
            reason,
            ours_to_roll_back,
        } => (*why, reason, *ours_to_roll_back),
        other => panic!("{other:?}"),
    }
}

fn service_deployment(status: &str) -> ServiceDeployment {
    ServiceDeployment {
        arn: "sd".to_owned(),
        status: ServiceDeploymentStatus::of(status),
        reason: Some("said by ECS".to_owned()),
        stage: None,
        target: None,
        sources: Vec::new(),
        hooks: Vec::new(),
        breaker: None,
        triggered_alarms: Vec::new(),
        rollback: None,
        created_at: None,
        finished_at: None,
    }
}
