//! Clusters, which are names here.

use serde_json::{Value, json};

use super::definitions::PAGES;
use super::task::Phase;
use super::{Ecs, short};
use crate::stand_ins::aws::call::{Answer, Call, Refusal};
use crate::stand_ins::aws::input::{text, texts};

impl Ecs {
    pub(super) fn create_cluster(&mut self, call: &Call) -> Answer {
        let name = cluster_name(text(&call.input, "clusterName")).to_owned();
        if !self.clusters.contains(&name) {
            self.clusters.push(name.clone());
        }
        Ok(json!({ "cluster": self.shown_cluster(&name) }))
    }

    pub(super) fn describe_clusters(&self, call: &Call) -> Answer {
        let asked = texts(&call.input, "clusters");
        let asked = if asked.is_empty() { vec!["default"] } else { asked };
        let (mut clusters, mut failures) = (Vec::new(), Vec::new());
        for name in asked.into_iter().map(short) {
            if self.clusters.iter().any(|known| known == name) {
                clusters.push(self.shown_cluster(name));
            } else {
                failures.push(json!({ "arn": self.cluster_arn(name), "reason": "MISSING" }));
            }
        }
        Ok(json!({ "clusters": clusters, "failures": failures }))
    }

    pub(super) fn list_clusters(&self, call: &Call) -> Answer {
        let arns = self
            .clusters
            .iter()
            .map(|name| json!(self.cluster_arn(name)))
            .collect();
        Ok(PAGES.of(&call.input, "clusterArns", arns))
    }

    /// The name of the cluster that an input means, which must be there.
    pub(super) fn cluster_of(&self, input: &Value) -> Result<String, Refusal> {
        let name = cluster_name(text(input, "cluster"));
        let known = self.clusters.iter().find(|known| *known == name);
        known
            .cloned()
            .ok_or_else(|| Refusal::new("ClusterNotFoundException", "Cluster not found."))
    }

    pub(super) fn cluster_arn(&self, name: &str) -> String {
        self.home.arn("ecs", &format!("cluster/{name}"))
    }

    fn shown_cluster(&self, name: &str) -> Value {
        let tasks = |phase: fn(Phase) -> bool| {
            self.tasks
                .iter()
                .filter(|task| task.cluster == name && phase(task.phase))
                .count()
        };
        let services = self
            .services
            .iter()
            .filter(|service| service.cluster == name && service.status == "ACTIVE");
        json!({
            "clusterArn": self.cluster_arn(name),
            "clusterName": name,
            "status": "ACTIVE",
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": tasks(|phase| phase == Phase::Running),
            "pendingTasksCount": tasks(|phase| phase < Phase::Running),
            "activeServicesCount": services.count(),
            "statistics": [],
            "tags": [],
            "settings": [],
            "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": [],
        })
    }
}

/// By ARN, by name, or the one that is meant without a word.
fn cluster_name(name: &str) -> &str {
    match short(name) {
        "" => "default",
        name => name,
    }
}
