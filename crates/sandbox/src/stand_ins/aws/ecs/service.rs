//! A service: what it was given, its deployments, its events, and how the API shows it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::deployment::{Counts, Deployment};
use crate::stand_ins::aws::home::Home;

/// How many events are kept.
const EVENTS: usize = 100;

/// A service.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) arn: String,
    pub(super) name: String,
    /// The cluster's name.
    pub(super) cluster: String,
    pub(super) status: &'static str,
    pub(super) desired: u64,
    pub(super) definition: String,
    /// Members of `CreateService` and `UpdateService` that are shown as they were given.
    pub(super) given: Map<String, Value>,
    /// The newest first.
    pub(super) deployments: Vec<Deployment>,
    /// Newest first: moment, id, message.
    pub(super) events: Vec<(Duration, String, String)>,
    pub(super) created: Duration,
    /// The record of its newest deployment, since when, and the one before.
    pub(super) current: (String, Duration, Option<String>),
    /// The last revision that was deployed well.
    pub(super) good: Option<String>,
    /// Whether its last event says that it is steady.
    pub(super) steady: bool,
    /// How many events it had.
    pub(super) number: u64,
}

impl Service {
    /// The deployment configuration, with what it is without a word.
    pub(super) fn configuration(&self) -> Value {
        configuration(self.given.get("deploymentConfiguration"))
    }

    /// Whether ECS itself deploys it, and not CodeDeploy or somebody else.
    pub(super) fn is_ours(&self) -> bool {
        let controller = self.given.get("deploymentController");
        controller.is_none_or(|controller| controller["type"].as_str().is_none_or(|kind| kind == "ECS"))
    }

    /// How long checks are not looked at after a task's start.
    pub(super) fn grace(&self) -> Duration {
        let seconds = self
            .given
            .get("healthCheckGracePeriodSeconds")
            .and_then(Value::as_u64);
        Duration::from_secs(seconds.unwrap_or(0))
    }

    /// Target groups and ports that it was given; `other`: the alternate ones where there are some.
    pub(super) fn targets(&self, other: bool) -> Vec<(String, u16)> {
        let balancers = self.given.get("loadBalancers").and_then(Value::as_array);
        let target = |balancer: &Value| {
            let usual = balancer["targetGroupArn"].as_str()?;
            let alternate = balancer["advancedConfiguration"]["alternateTargetGroupArn"].as_str();
            let group = alternate.filter(|_| other).unwrap_or(usual);
            let port = balancer["containerPort"]
                .as_u64()
                .and_then(|port| u16::try_from(port).ok());
            Some((group.to_owned(), port.unwrap_or(80)))
        };
        balancers.into_iter().flatten().filter_map(target).collect()
    }

    /// The rules of a kind that its load balancers name: `productionListenerRule`, `testListenerRule`.
    pub(super) fn rules(&self, kind: &str) -> Vec<String> {
        let balancers = self.given.get("loadBalancers").and_then(Value::as_array);
        let rule = |balancer: &Value| {
            balancer["advancedConfiguration"][kind]
                .as_str()
                .map(str::to_owned)
        };
        balancers.into_iter().flatten().filter_map(rule).collect()
    }

    /// Adds an event: `(service web) …`.
    pub(super) fn say(&mut self, now: Duration, message: &str) {
        self.number += 1;
        let id = format!("{:08x}-0000-4000-8000-{:012x}", self.number, now.as_millis());
        self.events
            .insert(0, (now, id, format!("(service {}) {message}", self.name)));
        self.events.truncate(EVENTS);
    }

    /// As `DescribeServices` shows it.
    pub(super) fn shown(&self, home: &Home, current: &str, counts: impl Fn(&Deployment) -> Counts) -> Value {
        let mut shown = self.given.clone();
        let mut put = |key: &str, value: Value| {
            shown.insert(key.to_owned(), value);
        };
        let (mut running, mut pending) = (0, 0);
        let mut deployments = Vec::new();
        for (at, deployment) in self.deployments.iter().enumerate() {
            let counted = counts(deployment);
            running += counted.running;
            pending += counted.pending;
            deployments.push(deployment.shown(at == 0, counted, &self.given, home));
        }
        put("serviceArn", json!(self.arn));
        put("serviceName", json!(self.name));
        put(
            "clusterArn",
            json!(home.arn("ecs", &format!("cluster/{}", self.cluster))),
        );
        put("status", json!(self.status));
        put("desiredCount", json!(self.desired));
        put("runningCount", json!(running));
        put("pendingCount", json!(pending));
        put("taskDefinition", json!(self.definition));
        put("deploymentConfiguration", self.configuration());
        put("createdAt", json!(home.time(self.created)));
        put(
            "createdBy",
            json!(format!("arn:aws:iam::{}:user/sandbox", home.account)),
        );
        put(
            "events",
            self.events.iter().map(|event| show_event(event, home)).collect(),
        );
        put("deployments", Value::Array(deployments));
        if self.is_ours() {
            put("currentServiceDeployment", json!(current));
            let revisions = self.deployments.iter().map(|deployment| {
                let counted = counts(deployment);
                json!({
                    "arn": deployment.revision,
                    "requestedTaskCount": deployment.size,
                    "runningTaskCount": counted.running,
                    "pendingTaskCount": counted.pending,
                })
            });
            put("currentServiceRevisions", revisions.collect());
        }
        for (key, usual) in [
            ("loadBalancers", json!([])),
            ("serviceRegistries", json!([])),
            ("placementConstraints", json!([])),
            ("placementStrategy", json!([])),
            ("schedulingStrategy", json!("REPLICA")),
            ("deploymentController", json!({ "type": "ECS" })),
            ("enableECSManagedTags", json!(false)),
            ("propagateTags", json!("NONE")),
            ("enableExecuteCommand", json!(false)),
        ] {
            shown.entry(key).or_insert(usual);
        }
        Value::Object(shown)
    }
}

/// A configuration with the usual where nothing was said.
pub(super) fn configuration(given: Option<&Value>) -> Value {
    let mut full = json!({
        "deploymentCircuitBreaker": { "enable": false, "rollback": false },
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    });
    for (key, value) in given.and_then(Value::as_object).into_iter().flatten() {
        full[key] = value.clone();
    }
    full
}

fn show_event((at, id, message): &(Duration, String, String), home: &Home) -> Value {
    json!({ "id": id, "createdAt": home.time(*at), "message": message })
}
