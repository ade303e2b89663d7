//! A deployment as `DescribeServices` shows it, and the record of it that `DescribeServiceDeployments` shows.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::stages::Course;
use crate::stand_ins::aws::home::Home;

/// Where a deployment's rollout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rollout {
    InProgress,
    Completed,
    Failed,
}

/// One entry of a service's `deployments`. The first of a service is its `PRIMARY`.
#[derive(Clone, Debug)]
pub(super) struct Deployment {
    /// `ecs-svc/…`.
    pub(super) id: String,
    pub(super) definition: String,
    /// The service revision's ARN.
    pub(super) revision: String,
    /// The ARN of its record.
    pub(super) record: String,
    pub(super) created: Duration,
    pub(super) updated: Duration,
    /// How many tasks it is to have; for the primary one of a rolling deployment the service's desired count.
    pub(super) size: u64,
    /// Failures since a task was last seen healthy.
    pub(super) failed: u64,
    pub(super) rollout: Rollout,
    pub(super) reason: String,
    /// Whether it takes a service back.
    pub(super) back: bool,
    /// Target groups and ports of its tasks.
    pub(super) targets: Vec<(String, u16)>,
    /// When it may try to place a task again.
    pub(super) placed_from: Duration,
}

/// The statuses of
/// [`ServiceDeployment`](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html) that are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    InProgress,
    Successful,
    Stopped,
    RollbackRequested,
    RollbackInProgress,
    RollbackSuccessful,
    RollbackFailed,
}

/// The record of a deployment.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) arn: String,
    pub(super) service: String,
    pub(super) cluster: String,
    pub(super) created: Duration,
    pub(super) updated: Duration,
    pub(super) started: Option<Duration>,
    pub(super) finished: Option<Duration>,
    pub(super) stopped: Option<Duration>,
    pub(super) status: Status,
    pub(super) reason: Option<String>,
    /// ARNs of revisions.
    pub(super) sources: Vec<String>,
    pub(super) target: String,
    pub(super) configuration: Value,
    /// Reason, moment, and revision of its rollback.
    pub(super) rollback: Option<(String, Duration, String)>,
    /// What the circuit breaker counted.
    pub(super) failures: u64,
    pub(super) tripped: bool,
    /// Names of alarms that ring.
    pub(super) alarms: Vec<String>,
    /// The stages of a strategy that shifts traffic.
    pub(super) course: Option<Course>,
}

/// How many tasks a deployment or a revision has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) running: u64,
    pub(super) pending: u64,
}

impl Rollout {
    fn name(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::InProgress => "IN_PROGRESS",
            Self::Successful => "SUCCESSFUL",
            Self::Stopped => "STOPPED",
            Self::RollbackRequested => "ROLLBACK_REQUESTED",
            Self::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            Self::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
            Self::RollbackFailed => "ROLLBACK_FAILED",
        }
    }

    /// Whether nothing more comes.
    pub(super) fn is_final(self) -> bool {
        matches!(
            self,
            Self::Successful | Self::Stopped | Self::RollbackSuccessful | Self::RollbackFailed
        )
    }
}

impl Deployment {
    pub(super) fn shown(
        &self,
        primary: bool,
        counts: Counts,
        given: &Map<String, Value>,
        home: &Home,
    ) -> Value {
        let mut shown = json!({
            "id": self.id,
            "status": if primary { "PRIMARY" } else { "ACTIVE" },
            "taskDefinition": self.definition,
            "desiredCount": self.size,
            "pendingCount": counts.pending,
            "runningCount": counts.running,
            "failedTasks": self.failed,
            "createdAt": home.time(self.created),
            "updatedAt": home.time(self.updated),
            "rolloutState": self.rollout.name(),
            "rolloutStateReason": self.reason,
        });
        for key in [
            "launchType",
            "platformVersion",
            "platformFamily",
            "capacityProviderStrategy",
            "networkConfiguration",
        ] {
            if let Some(value) = given.get(key) {
                shown[key] = value.clone();
            }
        }
        shown
    }

    pub(super) fn settle(&mut self, rollout: Rollout, reason: String, now: Duration) {
        self.rollout = rollout;
        self.reason = reason;
        self.updated = now;
    }
}

impl Record {
    /// As `ListServiceDeployments` shows it.
    pub(super) fn brief(&self, home: &Home) -> Value {
        let mut shown = json!({
            "serviceDeploymentArn": self.arn,
            "serviceArn": self.service,
            "clusterArn": self.cluster,
            "createdAt": home.time(self.created),
            "targetServiceRevisionArn": self.target,
            "status": self.status.name(),
        });
        for (key, time) in [("startedAt", self.started), ("finishedAt", self.finished)] {
            if let Some(time) = time {
                shown[key] = json!(home.time(time));
            }
        }
        if let Some(reason) = &self.reason {
            shown["statusReason"] = json!(reason);
        }
        shown
    }

    /// As `DescribeServiceDeployments` shows it. `revision` shows one by its ARN.
    pub(super) fn shown(&self, home: &Home, threshold: u64, revision: impl Fn(&str) -> Value) -> Value {
        let mut shown = self.brief(home);
        if let Some(shown) = shown.as_object_mut() {
            shown.remove("targetServiceRevisionArn");
        }
        shown["updatedAt"] = json!(home.time(self.updated));
        shown["targetServiceRevision"] = revision(&self.target);
        shown["sourceServiceRevisions"] = self.sources.iter().map(|arn| revision(arn)).collect();
        shown["deploymentConfiguration"] = self.configuration.clone();
        shown["deploymentCircuitBreaker"] = self.breaker(threshold);
        if self.configuration["alarms"]["enable"] == true {
            shown["alarms"] = self.shown_alarms();
        }
        if let Some(stopped) = self.stopped {
            shown["stoppedAt"] = json!(home.time(stopped));
        }
        if let Some((reason, at, revision)) = &self.rollback {
            shown["rollback"] =
                json!({ "reason": reason, "startedAt": home.time(*at), "serviceRevisionArn": revision });
        }
        if let Some(course) = &self.course {
            course.show(&mut shown, home);
        }
        shown
    }

    fn shown_alarms(&self) -> Value {
        let status = match (self.alarms.is_empty(), self.status.is_final()) {
            (false, _) => "TRIGGERED",
            (true, true) => "MONITORING_COMPLETE",
            (true, false) => "MONITORING",
        };
        let names = &self.configuration["alarms"]["alarmNames"];
        json!({ "status": status, "alarmNames": names, "triggeredAlarmNames": self.alarms })
    }

    fn breaker(&self, threshold: u64) -> Value {
        let enabled = self.configuration["deploymentCircuitBreaker"]["enable"] == true;
        let status = match (enabled, self.tripped, self.status.is_final()) {
            (false, ..) => "DISABLED",
            (_, true, _) => "TRIGGERED",
            (_, _, true) => "MONITORING_COMPLETE",
            _ => "MONITORING",
        };
        json!({ "status": status, "failureCount": self.failures, "threshold": threshold })
    }
}
