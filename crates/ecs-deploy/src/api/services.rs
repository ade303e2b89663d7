//! Services: read whole, updated with nothing but what was asked for.

use std::time::Duration;

use aws_sdk_ecs::types as sdk;

use crate::observed::{BreakerSetting, Deployment, Event, LoadBalancer, Service};
use crate::words::{Controller, DeploymentStatus, RolloutState, Scheduling, ServiceStatus, Strategy};

use super::configuration::Configuration;
use super::{Api, Refused, count, instant, refused, written};

/// A service, and what a task beside it is started with.
#[derive(Clone, Debug)]
pub struct Described {
    /// The service.
    pub service: Service,
    /// Its ARN, which tags and service deployments are asked by. Holds the account's number.
    pub arn: String,
    /// Where and on what its tasks run.
    pub launch: Launch,
    /// How its traffic is shifted, as far as that is set.
    pub configuration: Configuration,
    propagate_tags: Option<String>,
    managed_tags: bool,
}

impl Described {
    /// The service's own values of the settings that an update changes, for the way back: nothing else is in it.
    #[must_use]
    pub fn before(&self, changed: &Update) -> Update {
        let capacity = self.launch.capacity.iter().map(|part| Capacity {
            provider: part.capacity_provider.clone(),
            weight: part.weight,
            base: part.base,
        });
        let tags = self.propagate_tags.clone().unwrap_or_else(|| "NONE".to_owned());
        Update {
            task_definition: None,
            desired: changed.desired.map(|_| self.service.desired),
            force: None,
            propagate_tags: changed.propagate_tags.as_ref().map(|_| tags),
            managed_tags: changed.managed_tags.map(|_| self.managed_tags),
            // None at all means the launch type that the service was made with.
            capacity: changed.capacity.as_ref().map(|_| capacity.collect()),
            // How deployments go stays as it was set.
            configuration: None,
        }
    }
}

/// Where and on what tasks run, as the SDK has it: it is handed on and not looked into.
#[derive(Clone, Debug, Default)]
pub struct Launch {
    pub(super) network: Option<sdk::NetworkConfiguration>,
    pub(super) capacity: Vec<sdk::CapacityProviderStrategyItem>,
    pub(super) launch_type: Option<sdk::LaunchType>,
    pub(super) platform_version: Option<String>,
}

/// What is changed of a service. What is `None` is not sent, so that it stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    /// The ARN or `family:revision` of the task definition.
    pub task_definition: Option<String>,
    /// How many tasks.
    pub desired: Option<u32>,
    /// Whether tasks are replaced although nothing changed.
    pub force: Option<bool>,
    /// Where the tags of new tasks come from: `SERVICE`, `TASK_DEFINITION` or `NONE`.
    pub propagate_tags: Option<String>,
    /// Whether ECS tags the tasks.
    pub managed_tags: Option<bool>,
    /// What new tasks run on: provider, weight, base.
    pub capacity: Option<Vec<Capacity>>,
    /// How traffic is shifted.
    pub configuration: Option<Configuration>,
}

/// A capacity provider and its part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Such as `FARGATE_SPOT`.
    pub provider: String,
    /// Its share beside the other providers.
    pub weight: i32,
    /// How many tasks run there before shares count.
    pub base: i32,
}

impl Api {
    /// A service of the cluster; `None` where there is none of this name.
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn service(&self, name: &str) -> Result<Option<Described>, Refused> {
        let answer = self
            .ecs
            .describe_services()
            .cluster(&self.cluster)
            .services(name)
            .send()
            .await
            .map_err(|error| refused("ecs:DescribeServices", &error))?;
        Ok(answer
            .services
            .unwrap_or_default()
            .into_iter()
            .next()
            .map(described))
    }

    /// Names of the services of the cluster, for a word about what there is.
    ///
    /// # Errors
    /// When they can't be listed.
    pub async fn service_names(&self) -> Result<Vec<String>, Refused> {
        let answer = self
            .ecs
            .list_services()
            .cluster(&self.cluster)
            .max_results(100)
            .send()
            .await
            .map_err(|error| refused("ecs:ListServices", &error))?;
        let last = |arn: String| arn.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(answer
            .service_arns
            .unwrap_or_default()
            .into_iter()
            .map(last)
            .collect())
    }

    /// Changes a service, and gives it as it is from then on.
    ///
    /// # Errors
    /// When it is refused, or no answer came.
    pub async fn update_service(&self, name: &str, update: &Update) -> Result<Described, Refused> {
        let desired = |count| i32::try_from(count).unwrap_or(i32::MAX);
        let capacity = update.capacity.as_ref();
        let capacity = capacity.map(|parts| parts.iter().filter_map(strategy).collect::<Vec<_>>());
        let answer = written(|| async {
            self.ecs_write
                .update_service()
                .cluster(&self.cluster)
                .service(name)
                .set_task_definition(update.task_definition.clone())
                .set_desired_count(update.desired.map(desired))
                .set_force_new_deployment(update.force)
                .set_propagate_tags(update.propagate_tags.as_deref().map(sdk::PropagateTags::from))
                .set_enable_ecs_managed_tags(update.managed_tags)
                .set_capacity_provider_strategy(capacity.clone())
                .set_deployment_configuration(update.configuration.as_ref().map(Configuration::sent))
                .send()
                .await
                .map_err(|error| refused("ecs:UpdateService", &error))
        })
        .await?;
        Ok(described(
            answer.service.unwrap_or_else(|| sdk::Service::builder().build()),
        ))
    }
}

/// A part as the SDK takes it, which needs a provider's name and no more.
fn strategy(capacity: &Capacity) -> Option<sdk::CapacityProviderStrategyItem> {
    sdk::CapacityProviderStrategyItem::builder()
        .capacity_provider(&capacity.provider)
        .weight(capacity.weight)
        .base(capacity.base)
        .build()
        .ok()
}

fn described(service: sdk::Service) -> Described {
    let launch = Launch {
        network: service.network_configuration.clone(),
        capacity: service.capacity_provider_strategy.clone().unwrap_or_default(),
        launch_type: service.launch_type.clone(),
        platform_version: service.platform_version.clone(),
    };
    let configuration = service.deployment_configuration.as_ref();
    Described {
        configuration: configuration.map(Configuration::of).unwrap_or_default(),
        arn: service.service_arn.clone().unwrap_or_default(),
        propagate_tags: service
            .propagate_tags
            .as_ref()
            .map(|from| from.as_str().to_owned()),
        managed_tags: service.enable_ecs_managed_tags,
        service: plain(service),
        launch,
    }
}

fn plain(service: sdk::Service) -> Service {
    let configuration = service.deployment_configuration.as_ref();
    let breaker = configuration.and_then(|configuration| configuration.deployment_circuit_breaker.as_ref());
    let alarms = configuration.and_then(|configuration| configuration.alarms.as_ref());
    let strategy = configuration.and_then(|configuration| configuration.strategy.as_ref());
    let controller = service.deployment_controller.as_ref();
    let grace = service
        .health_check_grace_period_seconds
        .and_then(|seconds| u64::try_from(seconds).ok());
    Service {
        status: ServiceStatus::of(service.status.as_deref().unwrap_or_default()),
        desired: count(service.desired_count),
        running: count(service.running_count),
        pending: count(service.pending_count),
        controller: controller.map_or(Controller::Ecs, |controller| {
            Controller::of(controller.r#type.as_str())
        }),
        strategy: strategy.map_or(Strategy::Rolling, |strategy| Strategy::of(strategy.as_str())),
        scheduling: service
            .scheduling_strategy
            .as_ref()
            .map_or(Scheduling::Replica, |scheduling| {
                Scheduling::of(scheduling.as_str())
            }),
        breaker: breaker.map(|breaker| BreakerSetting {
            enable: breaker.enable,
            rollback: breaker.rollback,
        }),
        alarms_roll_back: alarms.is_some_and(|alarms| alarms.enable && alarms.rollback),
        health_check_grace: grace.map(Duration::from_secs),
        created_at: service.created_at.as_ref().and_then(instant),
        name: service.service_name.unwrap_or_default(),
        task_definition: service.task_definition,
        deployments: service
            .deployments
            .unwrap_or_default()
            .into_iter()
            .map(deployment)
            .collect(),
        events: service
            .events
            .unwrap_or_default()
            .into_iter()
            .map(event)
            .collect(),
        load_balancers: service
            .load_balancers
            .unwrap_or_default()
            .into_iter()
            .map(load_balancer)
            .collect(),
        current_service_deployment: service.current_service_deployment,
    }
}

fn deployment(deployment: sdk::Deployment) -> Deployment {
    Deployment {
        status: DeploymentStatus::of(deployment.status.as_deref().unwrap_or_default()),
        desired: count(deployment.desired_count),
        pending: count(deployment.pending_count),
        running: count(deployment.running_count),
        failed: count(deployment.failed_tasks),
        rollout_state: deployment
            .rollout_state
            .map(|state| RolloutState::of(state.as_str())),
        created_at: deployment.created_at.as_ref().and_then(instant),
        id: deployment.id.unwrap_or_default(),
        task_definition: deployment.task_definition.unwrap_or_default(),
        reason: deployment.rollout_state_reason,
    }
}

fn event(event: sdk::ServiceEvent) -> Event {
    Event {
        created_at: event.created_at.as_ref().and_then(instant),
        id: event.id.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
    }
}

fn load_balancer(balancer: sdk::LoadBalancer) -> LoadBalancer {
    let advanced = balancer.advanced_configuration;
    let (alternate, rule) = advanced.map_or((None, None), |advanced| {
        (
            advanced.alternate_target_group_arn,
            advanced.production_listener_rule,
        )
    });
    LoadBalancer {
        target_group: balancer.target_group_arn,
        alternate_target_group: alternate,
        production_rule: rule,
        container: balancer.container_name,
        port: balancer.container_port.and_then(|port| u16::try_from(port).ok()),
    }
}
