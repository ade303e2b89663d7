//! Target groups: the health of their targets, and how long a target drains.

use std::time::Duration;

use crate::observed::TargetHealth;
use crate::words::TargetState;

use super::{Api, Refused, refused};

/// The attribute that says how long a target drains
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html>).
const DRAINING: &str = "deregistration_delay.timeout_seconds";

impl Api {
    /// The health of each target of a group.
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn target_health(&self, group: &str) -> Result<Vec<TargetHealth>, Refused> {
        let answer = self
            .elb
            .describe_target_health()
            .target_group_arn(group)
            .send()
            .await
            .map_err(|error| refused("elasticloadbalancing:DescribeTargetHealth", &error))?;
        let described = answer.target_health_descriptions.unwrap_or_default();
        Ok(described.into_iter().map(plain).collect())
    }

    /// How long a target of a group drains; `None` where the group does not say.
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn draining_time(&self, group: &str) -> Result<Option<Duration>, Refused> {
        let answer = self
            .elb
            .describe_target_group_attributes()
            .target_group_arn(group)
            .send()
            .await
            .map_err(|error| refused("elasticloadbalancing:DescribeTargetGroupAttributes", &error))?;
        let attributes = answer.attributes.unwrap_or_default();
        let delay = attributes
            .iter()
            .find(|attribute| attribute.key() == Some(DRAINING))
            .and_then(|attribute| attribute.value()?.parse().ok());
        Ok(delay.map(Duration::from_secs))
    }
}

fn plain(described: aws_sdk_elasticloadbalancingv2::types::TargetHealthDescription) -> TargetHealth {
    let target = described.target;
    let health = described.target_health;
    let id = target
        .as_ref()
        .and_then(|target| target.id.clone())
        .unwrap_or_default();
    let port = target.and_then(|target| target.port);
    TargetHealth {
        target: port.map_or_else(|| id.clone(), |port| format!("{id}:{port}")),
        state: TargetState::of(
            health
                .as_ref()
                .and_then(|health| health.state.as_ref())
                .map_or("", |state| state.as_str()),
        ),
        reason: health
            .as_ref()
            .and_then(|health| health.reason.as_ref())
            .map(|reason| reason.as_str().to_owned()),
        description: health.and_then(|health| health.description),
    }
}
