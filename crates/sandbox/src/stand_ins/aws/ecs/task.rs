//! One task: what it is made of, where it stands, and how the API shows it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::images::Behaviour;
use crate::stand_ins::aws::home::Home;

/// The steps of a
/// [task's lifecycle](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Provisioning,
    Pending,
    Activating,
    Running,
    Deactivating,
    Stopping,
    Deprovisioning,
    Stopped,
}

/// Why a task stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) code: &'static str,
    pub(super) reason: String,
    /// Whether its service counts it as a failure.
    pub(super) failed: bool,
}

/// When what happened to a task.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    pub(super) created: Duration,
    pub(super) pulling: Option<Duration>,
    pub(super) pulled: Option<Duration>,
    pub(super) started: Option<Duration>,
    pub(super) stopping: Option<Duration>,
    pub(super) executed: Option<Duration>,
    pub(super) stopped: Option<Duration>,
}

/// A container of a task.
#[derive(Clone, Debug)]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) essential: bool,
    pub(super) behaviour: Behaviour,
    /// Whether its definition has a health check.
    pub(super) checked: bool,
    pub(super) exit: Option<i64>,
    pub(super) reason: Option<String>,
    /// Log group and the stream's beginning.
    pub(super) log: Option<(String, String)>,
    /// Whether the log group is made where it is missing.
    pub(super) makes_group: bool,
    /// How many lines it has printed.
    pub(super) said: usize,
    pub(super) stop_timeout: Duration,
}

/// A task.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) cluster: String,
    pub(super) definition: String,
    pub(super) group: String,
    pub(super) started_by: Option<String>,
    /// The service and the deployment that it belongs to now; a rollback takes over what still runs.
    pub(super) service: Option<String>,
    pub(super) deployment: Option<String>,
    pub(super) containers: Vec<Container>,
    pub(super) phase: Phase,
    /// When the phase began.
    pub(super) since: Duration,
    pub(super) times: Times,
    pub(super) stop: Option<Stop>,
    /// Whether the failure was counted by the service.
    pub(super) counted: bool,
    /// Whether it was seen healthy.
    pub(super) settled: bool,
    /// Target groups with the port in each.
    pub(super) targets: Vec<(String, u16)>,
    pub(super) address: String,
    /// What `RunTask` or the service was given of launch type, network and tags.
    pub(super) given: Map<String, Value>,
}

impl Phase {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Pending => "PENDING",
            Self::Activating => "ACTIVATING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Deprovisioning => "DEPROVISIONING",
            Self::Stopped => "STOPPED",
        }
    }
}

impl Task {
    /// Whether it is to run: it was not told to stop.
    pub(super) fn wanted(&self) -> bool {
        self.stop.is_none()
    }

    /// Whether it runs and nothing told it to stop.
    pub(super) fn runs(&self) -> bool {
        self.wanted() && self.phase == Phase::Running
    }

    /// Whether its service is to count it as a failure.
    pub(super) fn is_failure(&self) -> bool {
        self.service.is_some() && self.stop.as_ref().is_some_and(|stop| stop.failed)
    }

    /// Tells it to stop, unless it stops already.
    pub(super) fn stop(
        &mut self,
        now: Duration,
        code: &'static str,
        reason: impl Into<String>,
        failed: bool,
    ) {
        if self.stop.is_none() {
            self.stop = Some(Stop {
                code,
                reason: reason.into(),
                failed,
            });
            self.times.stopping = Some(now);
        }
    }

    /// What its containers' own checks say; none where no definition has one.
    pub(super) fn health(&self, now: Duration) -> Option<&'static str> {
        let mut checked = self
            .containers
            .iter()
            .filter(|container| container.checked)
            .peekable();
        checked.peek()?;
        let Some(started) = self.times.started else {
            return Some("UNKNOWN");
        };
        let running = now.saturating_sub(started);
        // The first check comes after its interval, which the stand-in takes as five seconds.
        let sick = |container: &Container| {
            container
                .behaviour
                .sick_after
                .is_some_and(|after| after <= running)
        };
        Some(match checked.any(sick) {
            true => "UNHEALTHY",
            false if running < Duration::from_secs(5) => "UNKNOWN",
            false => "HEALTHY",
        })
    }

    /// As `DescribeTasks` shows it.
    pub(super) fn shown(&self, home: &Home, now: Duration) -> Value {
        let mut shown = self.given.clone();
        let mut put = |key: &str, value: Value| {
            shown.insert(key.to_owned(), value);
        };
        put("taskArn", json!(self.arn));
        put("taskDefinitionArn", json!(self.definition));
        put(
            "clusterArn",
            json!(home.arn("ecs", &format!("cluster/{}", self.cluster))),
        );
        put("group", json!(self.group));
        put("lastStatus", json!(self.phase.name()));
        put(
            "desiredStatus",
            json!(if self.wanted() { "RUNNING" } else { "STOPPED" }),
        );
        put("connectivity", json!("CONNECTED"));
        put("availabilityZone", json!(format!("{}a", home.region)));
        put("healthStatus", json!(self.health(now).unwrap_or("UNKNOWN")));
        put("version", json!(self.phase as u64 + 1));
        put("createdAt", json!(home.time(self.times.created)));
        put(
            "containers",
            self.containers
                .iter()
                .map(|container| self.container(container, now))
                .collect(),
        );
        put("attachments", json!([self.interface()]));
        if let Some(by) = &self.started_by {
            put("startedBy", json!(by));
        }
        if let Some(stop) = &self.stop {
            put("stopCode", json!(stop.code));
            put("stoppedReason", json!(stop.reason));
        }
        for (key, time) in [
            ("pullStartedAt", self.times.pulling),
            ("pullStoppedAt", self.times.pulled),
            ("startedAt", self.times.started),
            ("stoppingAt", self.times.stopping),
            ("executionStoppedAt", self.times.executed),
            ("stoppedAt", self.times.stopped),
        ] {
            if let Some(time) = time {
                put(key, json!(home.time(time)));
            }
        }
        Value::Object(shown)
    }

    fn container(&self, container: &Container, now: Duration) -> Value {
        let status = match self.phase {
            _ if container.exit.is_some() || self.phase >= Phase::Deprovisioning => "STOPPED",
            Phase::Provisioning | Phase::Pending | Phase::Activating => "PENDING",
            _ => "RUNNING",
        };
        let health = if container.checked { self.health(now) } else { None };
        let mut shown = json!({
            "containerArn": format!("{}/{}", self.arn.replacen(":task/", ":container/", 1), container.name),
            "taskArn": self.arn,
            "name": container.name,
            "image": container.image,
            "lastStatus": status,
            "networkInterfaces": [{ "attachmentId": self.id, "privateIpv4Address": self.address }],
            "healthStatus": health.unwrap_or("UNKNOWN"),
        });
        if self.times.pulled.is_some() {
            shown["imageDigest"] = json!(digest(&container.image));
            shown["runtimeId"] = json!(format!("{}-{}", self.id, container.name));
        }
        if let Some(exit) = container.exit {
            shown["exitCode"] = json!(exit);
        }
        if let Some(reason) = &container.reason {
            shown["reason"] = json!(reason);
        }
        shown
    }

    fn interface(&self) -> Value {
        let status = if self.phase == Phase::Stopped {
            "DELETED"
        } else {
            "ATTACHED"
        };
        json!({
            "id": self.id,
            "type": "ElasticNetworkInterface",
            "status": status,
            "details": [{ "name": "privateIPv4Address", "value": self.address }],
        })
    }
}

/// A digest as a registry would give one: the same for the same image.
pub(super) fn digest(image: &str) -> String {
    if let Some((_, digest)) = image.split_once('@') {
        return digest.to_owned();
    }
    // FNV-1a, four times with other beginnings.
    let hash = |seed: u64| {
        image.bytes().fold(seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    let parts: String = (0..4_u64)
        .map(|seed| format!("{:016x}", hash(0xcbf2_9ce4_8422_2325 ^ seed)))
        .collect();
    format!("sha256:{parts}")
}
