//! Service deployments and revisions: how far a rollout is, and the calls that go on with it or take it back.

use aws_sdk_ecs::types as sdk;
use aws_smithy_types::DateTime;
use jiff::Timestamp;

use crate::observed::{BreakerSeen, Hook, RevisionSeen, Rollback, ServiceDeployment};
use crate::words::{HookStatus, ServiceDeploymentStatus};

use super::{Api, Refused, count, instant, refused, written};

/// A service deployment in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its ARN.
    pub arn: String,
    /// The ARN of the service revision that it brings.
    pub revision: Option<String>,
    /// How far it is.
    pub status: ServiceDeploymentStatus,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

/// What is said at a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtPause {
    /// Go on.
    Continue,
    /// Go back to the revision before.
    RollBack,
}

impl Api {
    /// The latest service deployments, newest first, of those created after a time if one is given.
    ///
    /// # Errors
    /// When they can't be listed.
    pub async fn service_deployments(
        &self,
        service: &str,
        after: Option<Timestamp>,
    ) -> Result<Vec<Listed>, Refused> {
        let after = after.map(|after| {
            let time = DateTime::from_secs(after.as_second());
            sdk::CreatedAt::builder().after(time).build()
        });
        let answer = self
            .ecs
            .list_service_deployments()
            .cluster(&self.cluster)
            .service(service)
            .set_created_at(after)
            .max_results(100)
            .send()
            .await
            .map_err(|error| refused("ecs:ListServiceDeployments", &error))?;
        let listed = answer.service_deployments.unwrap_or_default();
        Ok(listed.into_iter().map(brief).collect())
    }

    /// Service deployments, whole. At most 20 are asked for.
    ///
    /// # Errors
    /// When they can't be asked.
    pub async fn service_deployment(&self, arns: &[String]) -> Result<Vec<ServiceDeployment>, Refused> {
        let asked: Vec<String> = arns.iter().take(20).cloned().collect();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self
            .ecs
            .describe_service_deployments()
            .set_service_deployment_arns(Some(asked))
            .send()
            .await
            .map_err(|error| refused("ecs:DescribeServiceDeployments", &error))?;
        let whole = answer.service_deployments.unwrap_or_default();
        Ok(whole.into_iter().map(plain).collect())
    }

    /// The ARN of the task definition of each service revision that is known, with the revision's own.
    ///
    /// # Errors
    /// When they can't be asked.
    pub async fn service_revisions(&self, arns: &[String]) -> Result<Vec<(String, String)>, Refused> {
        let asked: Vec<String> = arns.iter().take(20).cloned().collect();
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self
            .ecs
            .describe_service_revisions()
            .set_service_revision_arns(Some(asked))
            .send()
            .await
            .map_err(|error| refused("ecs:DescribeServiceRevisions", &error))?;
        let revisions = answer.service_revisions.unwrap_or_default();
        let pair = |revision: sdk::ServiceRevision| {
            Some((revision.service_revision_arn?, revision.task_definition?))
        };
        Ok(revisions.into_iter().filter_map(pair).collect())
    }

    /// Ends a service deployment and has ECS go back to the revision before.
    ///
    /// # Errors
    /// When it is refused, or no answer came.
    pub async fn stop_service_deployment(&self, arn: &str) -> Result<(), Refused> {
        written(|| async {
            self.ecs_write
                .stop_service_deployment()
                .service_deployment_arn(arn)
                .stop_type(sdk::StopServiceDeploymentStopType::Rollback)
                .send()
                .await
                .map(drop)
                .map_err(|error| refused("ecs:StopServiceDeployment", &error))
        })
        .await
    }

    /// Answers a pause.
    ///
    /// # Errors
    /// When it is refused, or no answer came.
    pub async fn answer_pause(&self, arn: &str, hook: &str, answer: AtPause) -> Result<(), Refused> {
        let action = match answer {
            AtPause::Continue => sdk::DeploymentLifecycleHookAction::Continue,
            AtPause::RollBack => sdk::DeploymentLifecycleHookAction::Rollback,
        };
        written(|| async {
            self.ecs_write
                .continue_service_deployment()
                .service_deployment_arn(arn)
                .hook_id(hook)
                .action(action.clone())
                .send()
                .await
                .map(drop)
                .map_err(|error| refused("ecs:ContinueServiceDeployment", &error))
        })
        .await
    }
}

fn brief(listed: sdk::ServiceDeploymentBrief) -> Listed {
    Listed {
        status: status(listed.status.as_ref()),
        created_at: listed.created_at.as_ref().and_then(instant),
        arn: listed.service_deployment_arn.unwrap_or_default(),
        revision: listed.target_service_revision_arn,
    }
}

fn status(status: Option<&sdk::ServiceDeploymentStatus>) -> ServiceDeploymentStatus {
    ServiceDeploymentStatus::of(status.map_or("", sdk::ServiceDeploymentStatus::as_str))
}

fn plain(seen: sdk::ServiceDeployment) -> ServiceDeployment {
    ServiceDeployment {
        status: status(seen.status.as_ref()),
        stage: seen.lifecycle_stage.map(|stage| stage.as_str().to_owned()),
        created_at: seen.created_at.as_ref().and_then(instant),
        finished_at: seen.finished_at.as_ref().and_then(instant),
        breaker: seen.deployment_circuit_breaker.map(|breaker| BreakerSeen {
            status: breaker
                .status
                .map(|status| status.as_str().to_owned())
                .unwrap_or_default(),
            failures: count(breaker.failure_count),
            threshold: count(breaker.threshold),
        }),
        rollback: seen.rollback.map(|rollback| Rollback {
            reason: rollback.reason,
            revision: rollback.service_revision_arn,
        }),
        triggered_alarms: seen
            .alarms
            .and_then(|alarms| alarms.triggered_alarm_names)
            .unwrap_or_default(),
        hooks: seen
            .lifecycle_hook_details
            .unwrap_or_default()
            .into_iter()
            .map(hook)
            .collect(),
        sources: seen
            .source_service_revisions
            .unwrap_or_default()
            .into_iter()
            .map(revision)
            .collect(),
        target: seen.target_service_revision.map(revision),
        arn: seen.service_deployment_arn.unwrap_or_default(),
        reason: seen.status_reason,
    }
}

fn revision(seen: sdk::ServiceRevisionSummary) -> RevisionSeen {
    RevisionSeen {
        arn: seen.arn.unwrap_or_default(),
        requested: count(seen.requested_task_count),
        running: count(seen.running_task_count),
        pending: count(seen.pending_task_count),
        production_weight: seen.requested_production_traffic_weight,
        test_weight: seen.requested_test_traffic_weight,
    }
}

fn hook(seen: sdk::DeploymentLifecycleHookDetail) -> Hook {
    Hook {
        id: seen.hook_id.unwrap_or_default(),
        kind: seen
            .target_type
            .map(|kind| kind.as_str().to_owned())
            .unwrap_or_default(),
        status: HookStatus::of(seen.status.as_ref().map_or("", |status| status.as_str())),
        expires_at: seen.expires_at.as_ref().and_then(instant),
        timeout_action: seen.timeout_action.map(|action| action.as_str().to_owned()),
    }
}
