//! Tasks: which there are, what became of them, and one-off tasks.

use aws_sdk_ecs::types as sdk;

use crate::observed::{Container, Task};
use crate::words::StopCode;

use super::services::Launch;
use super::{Api, Refused, instant, refused, written};

/// The most tasks that one call tells of (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>).
const TASKS: usize = 100;

/// Which tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that are to run.
    Running,
    /// Those that are to stop or have stopped, for about an hour.
    Stopped,
}

/// A one-off task.
#[derive(Clone, Debug)]
pub struct OneOff<'a> {
    /// The ARN or `family:revision` of its task definition.
    pub task_definition: &'a str,
    /// Where and on what it runs.
    pub launch: &'a Launch,
    /// With the same token the same task is meant, so that a repeated call starts it once.
    pub client_token: &'a str,
    /// Who started it, as it is shown.
    pub started_by: &'a str,
    /// The container whose command is another, and the command.
    pub command: Option<(&'a str, &'a [String])>,
}

/// What starting a task gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// Why there are none, as `(reason, detail)`.
    pub failures: Vec<(String, String)>,
}

impl Api {
    /// The ARNs of a service's tasks.
    ///
    /// # Errors
    /// When they can't be listed.
    pub async fn tasks_of_service(&self, service: &str, which: Which) -> Result<Vec<String>, Refused> {
        self.task_arns(Some(service), None, which).await
    }

    /// The ARNs of the tasks that a deployment started.
    ///
    /// # Errors
    /// When they can't be listed.
    pub async fn tasks_started_by(&self, started_by: &str, which: Which) -> Result<Vec<String>, Refused> {
        self.task_arns(None, Some(started_by), which).await
    }

    async fn task_arns(
        &self,
        service: Option<&str>,
        started_by: Option<&str>,
        which: Which,
    ) -> Result<Vec<String>, Refused> {
        let status = match which {
            Which::Running => sdk::DesiredStatus::Running,
            Which::Stopped => sdk::DesiredStatus::Stopped,
        };
        let mut pages = self
            .ecs
            .list_tasks()
            .cluster(&self.cluster)
            .set_service_name(service.map(str::to_owned))
            .set_started_by(started_by.map(str::to_owned))
            .desired_status(status)
            .into_paginator()
            .send();
        let mut arns = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refused("ecs:ListTasks", &error))?;
            arns.extend(page.task_arns.unwrap_or_default());
        }
        Ok(arns)
    }

    /// What became of tasks. Those that are not known any more, or not yet, are left out.
    ///
    /// # Errors
    /// When they can't be asked.
    pub async fn tasks(&self, arns: &[String]) -> Result<Vec<Task>, Refused> {
        let mut tasks = Vec::with_capacity(arns.len());
        for part in arns.chunks(TASKS) {
            let answer = self
                .ecs
                .describe_tasks()
                .cluster(&self.cluster)
                .set_tasks(Some(part.to_vec()))
                .send()
                .await
                .map_err(|error| refused("ecs:DescribeTasks", &error))?;
            tasks.extend(answer.tasks.unwrap_or_default().into_iter().map(plain));
        }
        Ok(tasks)
    }

    /// Starts a one-off task. Its token makes it safe to call again.
    ///
    /// # Errors
    /// When it is refused, or no answer came.
    pub async fn run_task(&self, task: &OneOff<'_>) -> Result<Started, Refused> {
        let over = task.command.map(|(container, command)| {
            let container = sdk::ContainerOverride::builder()
                .name(container)
                .set_command(Some(command.to_vec()))
                .build();
            sdk::TaskOverride::builder()
                .container_overrides(container)
                .build()
        });
        // A strategy and a launch type exclude each other.
        let capacity = Some(task.launch.capacity.clone()).filter(|strategy| !strategy.is_empty());
        let launch_type = task.launch.launch_type.clone().filter(|_| capacity.is_none());
        let answer = written(|| async {
            self.ecs_write
                .run_task()
                .cluster(&self.cluster)
                .task_definition(task.task_definition)
                .client_token(task.client_token)
                .started_by(task.started_by)
                .set_overrides(over.clone())
                .set_network_configuration(task.launch.network.clone())
                .set_capacity_provider_strategy(capacity.clone())
                .set_launch_type(launch_type.clone())
                .set_platform_version(task.launch.platform_version.clone())
                .send()
                .await
                .map_err(|error| refused("ecs:RunTask", &error))
        })
        .await?;
        let failure = |failure: sdk::Failure| {
            (
                failure.reason.unwrap_or_default(),
                failure.detail.unwrap_or_default(),
            )
        };
        Ok(Started {
            tasks: answer.tasks.unwrap_or_default().into_iter().map(plain).collect(),
            failures: answer
                .failures
                .unwrap_or_default()
                .into_iter()
                .map(failure)
                .collect(),
        })
    }

    /// Stops a task.
    ///
    /// # Errors
    /// When it is refused, or no answer came.
    pub async fn stop_task(&self, arn: &str, reason: &str) -> Result<(), Refused> {
        written(|| async {
            self.ecs_write
                .stop_task()
                .cluster(&self.cluster)
                .task(arn)
                .reason(reason)
                .send()
                .await
                .map(drop)
                .map_err(|error| refused("ecs:StopTask", &error))
        })
        .await
    }
}

fn plain(task: sdk::Task) -> Task {
    Task {
        stop_code: task.stop_code.map(|code| StopCode::of(code.as_str())),
        stopped_at: task.stopped_at.as_ref().and_then(instant),
        containers: task
            .containers
            .unwrap_or_default()
            .into_iter()
            .map(container)
            .collect(),
        arn: task.task_arn.unwrap_or_default(),
        started_by: task.started_by,
        last_status: task.last_status.unwrap_or_default(),
        stopped_reason: task.stopped_reason,
    }
}

fn container(container: sdk::Container) -> Container {
    Container {
        name: container.name.unwrap_or_default(),
        exit_code: container.exit_code.map(i64::from),
        reason: container.reason,
        essential: None,
        image: container.image,
        log: None,
        log_tail: Vec::new(),
    }
}
