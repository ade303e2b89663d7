//! What serves: the images behind a service's requests, for tests.

use std::collections::BTreeMap;
use std::time::Duration;

use super::task::Task;
use super::{Around, Ecs};

impl Ecs {
    /// Each image's share of the requests to these services; one that gets none is not named.
    pub(crate) fn shares(
        &self,
        cluster: &str,
        services: &[&str],
        now: Duration,
        around: &Around<'_>,
    ) -> Vec<(String, f64)> {
        let mine = |task: &&Task| {
            task.cluster == cluster
                && task
                    .service
                    .as_deref()
                    .is_some_and(|name| services.contains(&name))
                && task.serves(now, around)
        };
        // Without a load balancer all tasks are one group that gets everything.
        let mut groups: BTreeMap<(Option<&str>, &str), Vec<&str>> = BTreeMap::new();
        for task in self.tasks.iter().filter(mine) {
            let group = task.targets.first().map(|(group, _)| group.as_str());
            let image = task.containers.iter().find(|container| container.essential);
            let service = task.service.as_deref().unwrap_or_default();
            let images = groups.entry((group, service)).or_default();
            images.extend(image.map(|container| container.image.as_str()));
        }
        let mut shares: BTreeMap<String, f64> = BTreeMap::new();
        for ((group, service), images) in groups {
            let rule = self
                .service(cluster, service)
                .and_then(|service| service.rules("productionListenerRule").pop());
            let share =
                group.map_or(1.0, |group| share_of(group, rule.as_deref(), around)) / images.len() as f64;
            for image in images {
                *shares.entry(image.to_owned()).or_default() += share;
            }
        }
        shares.into_iter().filter(|(_, share)| *share > 0.0).collect()
    }

    /// The images of the containers of a service's tasks that run or are about to, each with their number.
    #[must_use]
    pub fn images_of(&self, cluster: &str, service: &str) -> BTreeMap<String, usize> {
        let mine = |task: &&Task| {
            task.cluster == cluster && task.service.as_deref() == Some(service) && task.wanted()
        };
        let mut images = BTreeMap::new();
        for container in self.tasks.iter().filter(mine).flat_map(|task| &task.containers) {
            *images.entry(container.image.clone()).or_default() += 1;
        }
        images
    }

    /// Whether a service is what it is to be: one deployment, completed, at its size.
    #[must_use]
    pub fn is_steady(&self, cluster: &str, service: &str) -> bool {
        self.service(cluster, service)
            .is_some_and(|service| service.steady)
    }
}

/// A group's share of the requests, of one rule or of whichever gives it the most.
fn share_of(group: &str, rule: Option<&str>, around: &Around<'_>) -> f64 {
    let Some(rule) = rule else {
        return around.elb.weights_of(group);
    };
    let shares = around.elb.shares(rule);
    shares
        .into_iter()
        .filter(|(known, _)| known == group)
        .map(|(_, share)| share)
        .sum()
}
