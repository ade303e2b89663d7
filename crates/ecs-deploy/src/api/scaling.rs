//! Application Auto Scaling: a service's scalable target, which must not act while its traffic is split.
//!
//! <https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-suspend-resume-scaling.html>

use aws_sdk_applicationautoscaling::types as sdk;

use super::{Api, Refused, refused, written};

/// How far scaling may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaling {
    /// Whether it may not scale in by itself.
    pub in_suspended: bool,
    /// Whether it may not scale out by itself.
    pub out_suspended: bool,
    /// Whether it may not scale by a schedule.
    pub scheduled_suspended: bool,
}

impl Api {
    /// How far scaling may act on a service; `None` where nothing scales it.
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn scaling(&self, service: &str) -> Result<Option<Scaling>, Refused> {
        let answer = self
            .scaling
            .describe_scalable_targets()
            .service_namespace(sdk::ServiceNamespace::Ecs)
            .resource_ids(self.resource(service))
            .scalable_dimension(sdk::ScalableDimension::EcsServiceDesiredCount)
            .send()
            .await
            .map_err(|error| refused("application-autoscaling:DescribeScalableTargets", &error))?;
        Ok(answer.scalable_targets.unwrap_or_default().first().map(plain))
    }

    /// Sets how far scaling may act on a service that has scaling already. Its bounds are not sent, so that they stay as
    /// somebody may have set them a moment ago.
    ///
    /// # Errors
    /// When it is refused, or no answer came.
    pub async fn set_scaling(&self, service: &str, scaling: Scaling) -> Result<(), Refused> {
        let suspended = sdk::SuspendedState::builder()
            .dynamic_scaling_in_suspended(scaling.in_suspended)
            .dynamic_scaling_out_suspended(scaling.out_suspended)
            .scheduled_scaling_suspended(scaling.scheduled_suspended)
            .build();
        written(|| async {
            self.scaling_write
                .register_scalable_target()
                .service_namespace(sdk::ServiceNamespace::Ecs)
                .resource_id(self.resource(service))
                .scalable_dimension(sdk::ScalableDimension::EcsServiceDesiredCount)
                .suspended_state(suspended.clone())
                .send()
                .await
                .map(drop)
                .map_err(|error| refused("application-autoscaling:RegisterScalableTarget", &error))
        })
        .await
    }

    /// How Application Auto Scaling names a service; it knows clusters by name only.
    fn resource(&self, service: &str) -> String {
        let cluster = self.cluster.rsplit('/').next().unwrap_or(&self.cluster);
        format!("service/{cluster}/{service}")
    }
}

fn plain(target: &sdk::ScalableTarget) -> Scaling {
    let suspended = target.suspended_state.as_ref();
    let is = |which: fn(&sdk::SuspendedState) -> Option<bool>| suspended.and_then(which).unwrap_or_default();
    Scaling {
        in_suspended: is(|state| state.dynamic_scaling_in_suspended),
        out_suspended: is(|state| state.dynamic_scaling_out_suspended),
        scheduled_suspended: is(|state| state.scheduled_scaling_suspended),
    }
}
