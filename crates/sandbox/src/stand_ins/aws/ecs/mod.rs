//! [Amazon ECS](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/Welcome.html): task definitions, services with their
//! deployments, tasks; what becomes of a task is said by its image.
//!
//! Limits: no container instances (all capacity is there unless an image says otherwise), no daemons, no task sets: a service of
//! CodeDeploy or of an external controller can be made and looked at, and never does anything.

mod breaker;
mod clusters;
mod definitions;
mod deployment;
mod images;
mod launch;
mod life;
mod records;
mod revisions;
mod rollback;
mod schedule;
mod service;
mod services;
mod stages;
mod strategy;
mod tags;
mod task;
mod tasks;
mod traffic;
mod update;

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use serde_json::Value;

pub use images::Behaviour;

use super::call::{Answer, Call, Refusal};
use super::elb::Balancers;
use super::home::Home;
use super::logs::Logs;
use super::metrics::Metrics;
use definitions::Definition;
use deployment::{Counts, Record};
use revisions::Revision;
use service::Service;
use task::{Phase, Task};

/// How long a stopped task is remembered.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// How long a new task is not found yet by questions: they are answered from elsewhere.
const UNSEEN: Duration = Duration::from_secs(2);

/// The containers of one account.
#[derive(Clone, Debug)]
pub struct Ecs {
    home: Home,
    clusters: Vec<String>,
    definitions: Vec<Definition>,
    services: Vec<Service>,
    records: Vec<Record>,
    revisions: Vec<Revision>,
    /// Tasks that something may still become of.
    tasks: Vec<Task>,
    /// Tasks that have stopped, as long as they are remembered.
    ended: Vec<Task>,
    tags: BTreeMap<String, Vec<Value>>,
    images: BTreeMap<String, Behaviour>,
    /// What `RunTask` did for a client token: its input, and the ARNs of its tasks.
    tokens: BTreeMap<String, (Value, Vec<String>)>,
    number: u64,
}

/// What tasks meet outside.
pub(crate) struct Around<'a> {
    pub(crate) elb: &'a mut Balancers,
    pub(crate) logs: &'a mut Logs,
    pub(crate) metrics: &'a Metrics,
}

impl Ecs {
    /// No cluster yet.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self {
            home,
            clusters: Vec::new(),
            definitions: Vec::new(),
            services: Vec::new(),
            records: Vec::new(),
            revisions: Vec::new(),
            tasks: Vec::new(),
            ended: Vec::new(),
            tags: BTreeMap::new(),
            images: BTreeMap::new(),
            tokens: BTreeMap::new(),
            number: 0,
        }
    }

    /// Says what becomes of the containers of an image that start from now on.
    pub fn image(&mut self, image: &str, behaviour: Behaviour) {
        self.images.insert(image.to_owned(), behaviour);
    }

    /// Answers one call.
    pub fn answer(&mut self, call: &Call) -> Answer {
        match call.operation.as_str() {
            "CreateCluster" => self.create_cluster(call),
            "DescribeClusters" => self.describe_clusters(call),
            "ListClusters" => self.list_clusters(call),
            "RegisterTaskDefinition" => self.register_definition(call),
            "DescribeTaskDefinition" => self.describe_definition(call),
            "DeregisterTaskDefinition" => self.deregister_definition(call),
            "ListTaskDefinitions" => self.list_definitions(call),
            "ListTaskDefinitionFamilies" => self.list_families(call),
            "CreateService" => self.create_service(call),
            "UpdateService" => self.update_service(call),
            "DeleteService" => self.delete_service(call),
            "DescribeServices" => self.describe_services(call),
            "ListServices" => self.list_services(call),
            "ListServiceDeployments" => self.list_records(call),
            "DescribeServiceDeployments" => self.describe_records(call),
            "DescribeServiceRevisions" => self.describe_revisions(call),
            "StopServiceDeployment" => self.stop_record(call),
            "ContinueServiceDeployment" => self.continue_record(call),
            "RunTask" => self.run_task(call),
            "StopTask" => self.stop_task(call),
            "DescribeTasks" => self.describe_tasks(call),
            "ListTasks" => self.list_tasks(call),
            "TagResource" => self.tag(call),
            "UntagResource" => self.untag(call),
            "ListTagsForResource" => self.list_tags(call),
            other => Err(Refusal::new(
                "UnknownOperationException",
                format!("no stand-in for {other}"),
            )),
        }
    }

    /// One second of everything.
    pub(crate) fn tick(&mut self, now: Duration, around: &mut Around<'_>) {
        let mut tasks = mem::take(&mut self.tasks);
        for task in &mut tasks {
            let grace = task
                .service
                .as_ref()
                .and_then(|name| self.service(&task.cluster, name));
            task.tick(now, grace.map(Service::grace).unwrap_or_default(), around);
        }
        let over = |task: &mut Task| task.phase == Phase::Stopped && (task.counted || !task.is_failure());
        self.ended.extend(tasks.extract_if(.., over));
        let stopped = |task: &Task| task.times.stopped.unwrap_or(now);
        self.ended
            .retain(|task| now.saturating_sub(stopped(task)) < REMEMBERED);
        self.tasks = tasks;
        let mut services = mem::take(&mut self.services);
        for service in &mut services {
            self.schedule(service, now, around);
        }
        self.services = services;
    }

    fn service(&self, cluster: &str, name: &str) -> Option<&Service> {
        // A name may be used again after the service that had it is gone.
        let mut all = self.services.iter().rev();
        all.find(|service| service.cluster == cluster && service.name == name)
    }

    /// How many tasks a deployment has that run, and that are about to.
    fn counts(&self, deployment: &str) -> Counts {
        let mut counts = Counts::default();
        for task in self
            .tasks
            .iter()
            .filter(|task| task.deployment.as_deref() == Some(deployment))
        {
            match task.phase {
                Phase::Running => counts.running += 1,
                phase if phase < Phase::Running && task.wanted() => counts.pending += 1,
                _ => {}
            }
        }
        counts
    }

    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    /// The id of a task: 32 digits.
    fn task_id(&mut self) -> String {
        let number = self.next();
        format!("{:016x}{number:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The number of a deployment: 19 digits.
    fn deployment_number(&mut self) -> String {
        let number = self.next();
        format!(
            "{:019}",
            1_000_000_000_000_000_000
                + number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 8_000_000_000_000_000_000
        )
    }
}

/// The last part of an ARN, or the name itself.
fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new("InvalidParameterException", message)
}

fn client_error(message: impl Into<String>) -> Refusal {
    Refusal::new("ClientException", message)
}
