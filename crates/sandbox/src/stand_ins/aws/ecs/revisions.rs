//! Service revisions: what a deployment was to bring, kept for good.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Ecs;
use super::deployment::Counts;
use super::service::Service;
use super::task::digest;
use crate::stand_ins::aws::call::{Answer, Call};
use crate::stand_ins::aws::input::{text, texts};

/// One revision of a service.
#[derive(Clone, Debug)]
pub(super) struct Revision {
    pub(super) arn: String,
    pub(super) definition: String,
    /// Target groups and ports of its tasks.
    pub(super) targets: Vec<(String, u16)>,
    /// As `DescribeServiceRevisions` shows it.
    shown: Value,
}

impl Ecs {
    /// Writes down what a service is to become.
    pub(super) fn revise(
        &mut self,
        service: &Service,
        targets: Vec<(String, u16)>,
        now: Duration,
    ) -> Revision {
        let number = self.deployment_number();
        let path = format!("service-revision/{}/{}/{number}", service.cluster, service.name);
        let arn = self.home.arn("ecs", &path);
        let mut shown = Map::new();
        for key in [
            "launchType",
            "capacityProviderStrategy",
            "platformVersion",
            "platformFamily",
            "loadBalancers",
            "serviceRegistries",
            "networkConfiguration",
            "serviceConnectConfiguration",
            "volumeConfigurations",
            "vpcLatticeConfigurations",
        ] {
            if let Some(value) = service.given.get(key) {
                shown.insert(key.to_owned(), value.clone());
            }
        }
        let rules = service.rules("productionListenerRule");
        let resolved = targets.iter().enumerate().map(|(at, (group, _))| {
            let mut balancer = json!({ "targetGroupArn": group });
            if let Some(rule) = rules.get(at) {
                balancer["productionListenerRule"] = json!(rule);
            }
            balancer
        });
        shown.insert(
            "resolvedConfiguration".to_owned(),
            json!({ "loadBalancers": resolved.collect::<Vec<_>>() }),
        );
        shown.insert("serviceRevisionArn".to_owned(), json!(arn));
        shown.insert("serviceArn".to_owned(), json!(service.arn));
        shown.insert("clusterArn".to_owned(), json!(self.cluster_arn(&service.cluster)));
        shown.insert("taskDefinition".to_owned(), json!(service.definition));
        shown.insert("createdAt".to_owned(), json!(self.home.time(now)));
        shown.insert("guardDutyEnabled".to_owned(), json!(false));
        let definition = self.definition(&service.definition);
        let images = definition.map(super::Definition::containers).unwrap_or_default().iter().map(|container| {
            let image = text(container, "image");
            json!({ "containerName": text(container, "name"), "image": image, "imageDigest": digest(image) })
        });
        shown.insert("containerImages".to_owned(), images.collect());
        let revision = Revision {
            arn,
            definition: service.definition.clone(),
            targets,
            shown: Value::Object(shown),
        };
        self.revisions.push(revision.clone());
        revision
    }

    pub(super) fn describe_revisions(&self, call: &Call) -> Answer {
        let asked = texts(&call.input, "serviceRevisionArns");
        if asked.is_empty() || asked.len() > 20 {
            return Err(super::invalid("serviceRevisionArns must have 1 to 20 elements."));
        }
        let (mut found, mut failures) = (Vec::new(), Vec::new());
        for arn in asked {
            match self.revisions.iter().find(|known| known.arn == arn) {
                Some(known) => found.push(known.shown.clone()),
                None => failures.push(json!({ "arn": arn, "reason": "MISSING" })),
            }
        }
        Ok(json!({ "serviceRevisions": found, "failures": failures }))
    }

    /// A revision as a record shows it: with the tasks it has.
    pub(super) fn revision_summary(&self, arn: &str) -> Value {
        let deployments = self.services.iter().flat_map(|service| &service.deployments);
        let found = deployments
            .into_iter()
            .find(|deployment| deployment.revision == arn);
        let counts = found.map_or_else(Counts::default, |deployment| self.counts(&deployment.id));
        json!({
            "arn": arn,
            "requestedTaskCount": found.map_or(0, |deployment| deployment.size),
            "runningTaskCount": counts.running,
            "pendingTaskCount": counts.pending,
        })
    }
}
