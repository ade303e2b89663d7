//! `UpdateService`, and the deployment that it may start.

use std::time::Duration;

use serde_json::{Value, json};

use super::Ecs;
use super::deployment::{Deployment, Record, Rollout, Status};
use super::service::Service;
use super::services::given;
use super::stages::Course;
use crate::stand_ins::aws::call::{Answer, Call, Refusal};
use crate::stand_ins::aws::input::text;

/// Members whose change starts a deployment, by
/// [`UpdateService`](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html).
const TRIGGERS: [&str; 8] = [
    "networkConfiguration",
    "platformVersion",
    "capacityProviderStrategy",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
];

impl Ecs {
    pub(super) fn update_service(&mut self, call: &Call) -> Answer {
        let (_, at) = self.service_at(&call.input, text(&call.input, "service"))?;
        let mut service = self.services[at].clone();
        if service.status != "ACTIVE" {
            return Err(Refusal::new(
                "ServiceNotActiveException",
                "Service was not ACTIVE.",
            ));
        }
        if !service.is_ours() && !call.input["taskDefinition"].is_null() {
            return Err(super::invalid(
                "Unable to update task definition on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.",
            ));
        }
        let mut deploys = call.input["forceNewDeployment"] == true;
        if let Some(name) = call.input["taskDefinition"].as_str() {
            let definition = self.active_definition(name)?.arn.clone();
            deploys |= definition != service.definition;
            service.definition = definition;
        }
        if let Some(desired) = call.input["desiredCount"].as_u64() {
            service.desired = desired;
        }
        for (key, value) in given(&call.input) {
            let changed = service.given.get(&key) != Some(&value);
            deploys |= changed && TRIGGERS.contains(&key.as_str());
            let value = match key.as_str() {
                "deploymentConfiguration" => merged(service.given.get(&key), value),
                _ => value,
            };
            service.given.insert(key, value);
        }
        if deploys && service.is_ours() {
            self.deploy(&mut service, call.now);
        }
        service.steady = false;
        let shown = self.shown_service(&service, call.now);
        self.services[at] = service;
        Ok(json!({ "service": shown }))
    }

    /// Starts the deployment of what the service is to be now.
    pub(super) fn deploy(&mut self, service: &mut Service, now: Duration) {
        self.supersede(service, now);
        let configuration = service.configuration();
        let course = Course::of(&configuration, now).filter(|_| service.good.is_some());
        let targets = self.next_targets(service, course.is_some());
        let revision = self.revise(service, targets, now);
        let number = self.deployment_number();
        let path = format!("service-deployment/{}/{}/{number}", service.cluster, service.name);
        let record = Record {
            arn: self.home.arn("ecs", &path),
            service: service.arn.clone(),
            cluster: self.cluster_arn(&service.cluster),
            created: now,
            updated: now,
            started: None,
            finished: None,
            stopped: None,
            status: Status::Pending,
            reason: None,
            sources: sources(service),
            target: revision.arn.clone(),
            configuration,
            rollback: None,
            failures: 0,
            tripped: false,
            alarms: Vec::new(),
            course,
        };
        let before = Some(service.current.0.clone()).filter(|arn| !arn.is_empty());
        service.current = (record.arn.clone(), now, before);
        let id = format!("ecs-svc/{}", self.deployment_number());
        let deployment = Deployment {
            reason: format!("ECS deployment {id} in progress."),
            id,
            definition: revision.definition,
            revision: revision.arn,
            record: record.arn.clone(),
            created: now,
            updated: now,
            size: if record.course.is_some() {
                0
            } else {
                service.desired
            },
            failed: 0,
            rollout: Rollout::InProgress,
            back: false,
            targets: revision.targets,
            placed_from: now,
        };
        self.records.push(record);
        service.deployments.insert(0, deployment);
    }

    /// Ends the record of a deployment that another one takes the place of.
    fn supersede(&mut self, service: &Service, now: Duration) {
        let Some(running) = service
            .deployments
            .first()
            .map(|deployment| deployment.record.clone())
        else {
            return;
        };
        if let Some(record) = self.record(&running).filter(|record| !record.status.is_final()) {
            record.status = Status::Stopped;
            record.reason = Some(
                "Service deployment was stopped because a newer service deployment was started.".to_owned(),
            );
            (record.stopped, record.finished, record.updated) = (Some(now), Some(now), now);
        }
    }

    /// Where the tasks of the next revision register: a strategy that shifts traffic takes the group that does not serve.
    fn next_targets(&self, service: &Service, shifts: bool) -> Vec<(String, u16)> {
        let usual = service.targets(false);
        let good = self
            .revisions
            .iter()
            .find(|revision| Some(&revision.arn) == service.good.as_ref());
        let Some(live) = good
            .map(|revision| &revision.targets)
            .filter(|_| !service.rules("productionListenerRule").is_empty())
        else {
            return usual;
        };
        let serves_usual = *live == usual;
        match shifts {
            true => service.targets(serves_usual),
            false => live.clone(),
        }
    }
}

/// The last good revision first.
fn sources(service: &Service) -> Vec<String> {
    let mut sources: Vec<String> = service.good.iter().cloned().collect();
    for deployment in &service.deployments {
        if !sources.contains(&deployment.revision) {
            sources.push(deployment.revision.clone());
        }
    }
    sources
}

/// Members that are not sent stay as they are.
fn merged(before: Option<&Value>, sent: Value) -> Value {
    let mut merged = before.and_then(Value::as_object).cloned().unwrap_or_default();
    merged.extend(sent.as_object().cloned().unwrap_or_default());
    Value::Object(merged)
}
