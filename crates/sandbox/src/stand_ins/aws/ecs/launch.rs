//! New tasks: of a service's deployment, or on their own.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Ecs;
use super::definitions::Definition;
use super::images::{Behaviour, Start};
use super::service::Service;
use super::task::{Container, Phase, Task, Times};
use crate::stand_ins::aws::input::text;

/// How long it takes until a task that could not be placed is tried again.
const AGAIN: Duration = Duration::from_secs(15);
/// How long a container may take to end, without a word.
const STOP_TIMEOUT: u64 = 30;

impl Ecs {
    /// Launches tasks of one of a service's deployments.
    pub(super) fn launch(&mut self, service: &mut Service, at: usize, count: u64, now: Duration) {
        let deployment = &mut service.deployments[at];
        if count == 0 || now < deployment.placed_from {
            return;
        }
        let (id, definition, targets) = (
            deployment.id.clone(),
            deployment.definition.clone(),
            deployment.targets.clone(),
        );
        if let Some((event, _)) = self.unplaced(&definition) {
            deployment.placed_from = now + AGAIN;
            deployment.failed += 1;
            let record = deployment.record.clone();
            if let Some(record) = self.record(&record) {
                record.failures += 1;
            }
            service.say(now, &format!("was unable to place a task because {event}."));
            return;
        }
        let mut started = Vec::new();
        for _ in 0..count {
            let mut task = self.new_task(&service.cluster, &definition, &service.given, now);
            task.group = format!("service:{}", service.name);
            task.started_by = Some(id.clone());
            task.service = Some(service.name.clone());
            task.deployment = Some(id.clone());
            task.targets.clone_from(&targets);
            started.push(format!("(task {})", task.id));
            self.tasks.push(task);
        }
        service.say(now, &format!("has started {count} tasks: {}.", started.join(" ")));
    }

    /// Why no task of a definition is placed: for an event, and for `RunTask`.
    pub(super) fn unplaced(&self, definition: &str) -> Option<(String, String)> {
        let definition = self.definition(definition).ok()?;
        let mut behaviours = definition
            .containers()
            .iter()
            .map(|container| self.behaviour(text(container, "image")));
        behaviours.find_map(|behaviour| match behaviour.start {
            Start::Unplaced(event, reason) => Some((event, reason)),
            _ => None,
        })
    }

    /// A task of nobody yet.
    pub(super) fn new_task(
        &mut self,
        cluster: &str,
        definition: &str,
        given: &Map<String, Value>,
        now: Duration,
    ) -> Task {
        let id = self.task_id();
        let number = self.number;
        let found = self.definition(definition).ok();
        let containers = found.map(|found| self.containers(found)).unwrap_or_default();
        let mut kept = Map::new();
        for key in [
            "launchType",
            "platformVersion",
            "overrides",
            "tags",
            "enableExecuteCommand",
        ] {
            if let Some(value) = given.get(key) {
                kept.insert(key.to_owned(), value.clone());
            }
        }
        if let Some(provider) = given
            .get("capacityProviderStrategy")
            .and_then(|strategy| strategy[0]["capacityProvider"].as_str())
        {
            kept.insert("capacityProviderName".to_owned(), provider.into());
        }
        for key in ["cpu", "memory"] {
            if let Some(value) = found.and_then(|found| found.shown.get(key)) {
                kept.insert(key.to_owned(), value.clone());
            }
        }
        Task {
            arn: self.home.arn("ecs", &format!("task/{cluster}/{id}")),
            id,
            cluster: cluster.to_owned(),
            definition: definition.to_owned(),
            group: String::new(),
            started_by: None,
            service: None,
            deployment: None,
            containers,
            phase: Phase::Provisioning,
            since: now,
            times: Times {
                created: now,
                ..Times::default()
            },
            stop: None,
            counted: false,
            settled: false,
            targets: Vec::new(),
            address: format!("10.0.{}.{}", number / 250 % 250, number % 250 + 4),
            given: kept,
        }
    }

    fn containers(&self, definition: &Definition) -> Vec<Container> {
        let container = |shown: &Value| {
            let (name, image) = (text(shown, "name"), text(shown, "image"));
            let log = &shown["logConfiguration"];
            let option = |key: &str| log["options"][key].as_str();
            let group = option("awslogs-group").filter(|_| log["logDriver"] == "awslogs");
            let prefix = option("awslogs-stream-prefix").unwrap_or("ecs");
            Container {
                name: name.to_owned(),
                image: image.to_owned(),
                essential: shown["essential"] != false,
                behaviour: self.behaviour(image),
                checked: !shown["healthCheck"].is_null(),
                exit: None,
                reason: None,
                log: group.map(|group| (group.to_owned(), format!("{prefix}/{name}"))),
                makes_group: option("awslogs-create-group") == Some("true"),
                said: 0,
                stop_timeout: Duration::from_secs(shown["stopTimeout"].as_u64().unwrap_or(STOP_TIMEOUT)),
            }
        };
        definition.containers().iter().map(container).collect()
    }

    fn behaviour(&self, image: &str) -> Behaviour {
        self.images
            .get(image)
            .cloned()
            .unwrap_or_else(|| Behaviour::by_name(image))
    }
}
