//! Application Auto Scaling: a service's scalable target, which must not act while its traffic is split.
//!
//! <https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-suspend-resume-scaling.html>

use aws_sdk_applicationautoscaling::types as sdk;

use super::{Api, Refused, refused, written};
use crate::state::Suspended;

impl Api {
    /// What is suspended of a service's scaling; `None` where nothing scales it.
    ///
    /// # Errors
    /// When it can't be asked.
    pub async fn scaling(&self, service: &str) -> Result<Option<Suspended>, Refused> {
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

    /// Sets what is suspended of the scaling of a service that has scaling already. Its bounds are not sent, so that they stay as
    /// somebody may have set them a moment ago.
    ///
    /// # Errors
    /// When it is refused, or no answer came.
    pub async fn set_scaling(&self, service: &str, scaling: Suspended) -> Result<(), Refused> {
        let suspended = sdk::SuspendedState::builder()
            .dynamic_scaling_in_suspended(scaling.scaling_in)
            .dynamic_scaling_out_suspended(scaling.scaling_out)
            .scheduled_scaling_suspended(scaling.scheduled)
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

fn plain(target: &sdk::ScalableTarget) -> Suspended {
    let suspended = target.suspended_state.as_ref();
    let is = |which: fn(&sdk::SuspendedState) -> Option<bool>| suspended.and_then(which).unwrap_or_default();
    Suspended {
        scaling_in: is(|state| state.dynamic_scaling_in_suspended),
        scaling_out: is(|state| state.dynamic_scaling_out_suspended),
        scheduled: is(|state| state.scheduled_scaling_suspended),
    }
}
