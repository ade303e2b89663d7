//! What one look saw of ECS and of its load balancer, as plain values. The edge fills them from the SDK's types; all
//! decisions are functions of them.
//!
//! What an answer may leave out is an `Option`; a word that is not known here is kept, so that it can be shown. Times
//! are those of the vendor's clock: they are compared with each other and shown, never with the runner's clock.

use std::time::Duration;

use jiff::Timestamp;

use crate::words::{
    Controller, DeploymentStatus, HookStatus, RolloutState, Scheduling, ServiceDeploymentStatus,
    ServiceStatus, StopCode, Strategy, TargetState,
};

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Whether it is there.
    pub status: ServiceStatus,
    /// How many tasks are wanted.
    pub desired: u32,
    /// How many run, of all deployments.
    pub running: u32,
    /// How many are being started, of all deployments.
    pub pending: u32,
    /// The ARN of its task definition.
    pub task_definition: Option<String>,
    /// Who deploys it.
    pub controller: Controller,
    /// How.
    pub strategy: Strategy,
    /// How many tasks it has.
    pub scheduling: Scheduling,
    /// Its deployments.
    pub deployments: Vec<Deployment>,
    /// What happened lately, newest first, at most a hundred.
    pub events: Vec<Event>,
    /// Its circuit breaker.
    pub breaker: Option<BreakerSetting>,
    /// Whether an alarm ends and rolls back a deployment.
    pub alarms_roll_back: bool,
    /// Its target groups.
    pub load_balancers: Vec<LoadBalancer>,
    /// How long health checks of a new task are not judged.
    pub health_check_grace: Option<Duration>,
    /// The ARN of the service deployment under way. Lags behind after an update.
    pub current_service_deployment: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

/// A deployment of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// Its id, `ecs-svc/…`.
    pub id: String,
    /// Its place among the others.
    pub status: DeploymentStatus,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// How many tasks are wanted.
    pub desired: u32,
    /// How many are being started.
    pub pending: u32,
    /// How many run.
    pub running: u32,
    /// How many failed in a row. Goes back to 0 when one runs, so it is no count of what failed.
    pub failed: u32,
    /// How far it is. Absent where a service has no rolling deployments or a Classic Load Balancer.
    pub rollout_state: Option<RolloutState>,
    /// What ECS says about that.
    pub reason: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

/// The setting of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSetting {
    /// Whether it ends a deployment whose tasks fail.
    pub enable: bool,
    /// Whether it brings the last completed deployment back.
    pub rollback: bool,
}

/// A message of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// When.
    pub created_at: Option<Timestamp>,
    /// What. Foreign text, and no contract: to be shown, not to be decided on.
    pub message: String,
}

/// A target group that a service registers its tasks in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadBalancer {
    /// The ARN of the group.
    pub target_group: Option<String>,
    /// The other group, where ECS shifts traffic itself.
    pub alternate_target_group: Option<String>,
    /// The rule that ECS shifts itself.
    pub production_rule: Option<String>,
    /// The container that gets the requests.
    pub container: Option<String>,
    /// Its port.
    pub port: Option<u16>,
}

/// A service deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceDeployment {
    /// Its ARN.
    pub arn: String,
    /// How far it is.
    pub status: ServiceDeploymentStatus,
    /// What ECS says about that.
    pub reason: Option<String>,
    /// The lifecycle stage, such as `BAKE_TIME`. Absent where a deployment is rolling.
    pub stage: Option<String>,
    /// The revision that it brings.
    pub target: Option<RevisionSeen>,
    /// The revisions that it replaces.
    pub sources: Vec<RevisionSeen>,
    /// Its hooks.
    pub hooks: Vec<Hook>,
    /// Its circuit breaker.
    pub breaker: Option<BreakerSeen>,
    /// The alarms that ended it.
    pub triggered_alarms: Vec<String>,
    /// Its rollback.
    pub rollback: Option<Rollback>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A service revision in a service deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct RevisionSeen {
    /// The ARN of the service revision.
    pub arn: String,
    /// How many tasks are wanted.
    pub requested: u32,
    /// How many run.
    pub running: u32,
    /// How many are being started.
    pub pending: u32,
    /// Its share of the production traffic, in percent.
    pub production_weight: Option<f64>,
    /// Its share of the test traffic, in percent.
    pub test_weight: Option<f64>,
}

/// A hook of a service deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Its id.
    pub id: String,
    /// What it is: `PAUSE` or `AWS_LAMBDA`.
    pub kind: String,
    /// Its state.
    pub status: HookStatus,
    /// When ECS goes on without an answer.
    pub expires_at: Option<Timestamp>,
    /// What ECS does then: `ROLLBACK` or `CONTINUE`.
    pub timeout_action: Option<String>,
}

/// A circuit breaker at work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerSeen {
    /// `TRIGGERED`, `MONITORING`, `MONITORING_COMPLETE` or `DISABLED`.
    pub status: String,
    /// How many tasks failed.
    pub failures: u32,
    /// How many may.
    pub threshold: u32,
}

/// A rollback by ECS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// Why.
    pub reason: Option<String>,
    /// The ARN of the service revision that came back.
    pub revision: Option<String>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its ARN.
    pub arn: String,
    /// Who started it: the id of a deployment, or what `RunTask` was told.
    pub started_by: Option<String>,
    /// Its state, such as `RUNNING` or `STOPPED`.
    pub last_status: String,
    /// Why it stopped, as a word.
    pub stop_code: Option<StopCode>,
    /// Why it stopped, as text.
    pub stopped_reason: Option<String>,
    /// Its containers.
    pub containers: Vec<Container>,
    /// When it stopped.
    pub stopped_at: Option<Timestamp>,
}

/// A container of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its exit code. Absent where it never ran.
    pub exit_code: Option<i64>,
    /// Why it ended.
    pub reason: Option<String>,
    /// Whether its task can't be without it, where the task definition was read. Not known is taken for yes.
    pub essential: Option<bool>,
    /// The image, as the task definition names it.
    pub image: Option<String>,
    /// The log stream, where it writes to CloudWatch Logs.
    pub log: Option<LogStream>,
    /// The last lines of its log, where they were read. Foreign text.
    pub log_tail: Vec<String>,
}

/// A stream of CloudWatch Logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStream {
    /// The group's name.
    pub group: String,
    /// The stream's name.
    pub stream: String,
}

/// The health of one target of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHealth {
    /// Its address and port, or its instance.
    pub target: String,
    /// Its state.
    pub state: TargetState,
    /// Why, as a word such as `Target.Timeout`.
    pub reason: Option<String>,
    /// Why, as text.
    pub description: Option<String>,
}

impl Service {
    /// The latest deployment.
    #[must_use]
    pub fn primary(&self) -> Option<&Deployment> {
        let primary = |deployment: &&Deployment| deployment.status == DeploymentStatus::Primary;
        self.deployments.iter().find(primary)
    }

    /// The latest deployment, where it has not ended. Where ECS does not say how far it is, an earlier one beside it does.
    #[must_use]
    pub fn under_way(&self) -> Option<&Deployment> {
        let going = |primary: &&Deployment| match &primary.rollout_state {
            Some(state) => *state == RolloutState::InProgress,
            None => self.deployments.len() > 1,
        };
        self.primary().filter(going)
    }

    /// The latest deployment, where it failed.
    #[must_use]
    pub fn failed(&self) -> Option<&Deployment> {
        let failed = |primary: &&Deployment| primary.rollout_state == Some(RolloutState::Failed);
        self.primary().filter(failed)
    }

    /// The deployment with this id.
    #[must_use]
    pub fn deployment(&self, id: &str) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.id == id)
    }
}

impl Task {
    /// The last part of its ARN, which the console shows.
    #[must_use]
    pub fn id(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }

    /// Whether it stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.last_status == "STOPPED"
    }
}

/// `family:revision` of the ARN of a task definition, which holds no account number; other texts stay as they are.
#[must_use]
pub fn revision_name(task_definition: &str) -> &str {
    task_definition
        .split_once(":task-definition/")
        .map_or(task_definition, |(_, name)| name)
}

#[cfg(test)]
mod fixture;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_without_the_account() {
        let arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:42";
        assert_eq!(revision_name(arn), "web:42");
        assert_eq!(revision_name("web:42"), "web:42");
    }
}
