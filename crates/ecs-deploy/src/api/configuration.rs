//! How ECS shifts the traffic of a service: the part of its deployment configuration that a deploy may set.
//!
//! In an update what is `None` is not sent. Steps and hooks are each sent whole, because ECS replaces them whole.

use aws_sdk_ecs::types as sdk;

use crate::words::Strategy;

use super::count;

/// The parts of
/// [`DeploymentConfiguration`](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html)
/// that say how traffic is shifted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// How.
    pub strategy: Option<Strategy>,
    /// How long both versions run after all traffic was shifted, in minutes.
    pub bake: Option<u32>,
    /// The first step of a canary.
    pub canary: Option<Steps>,
    /// Each step of a linear shift.
    pub linear: Option<Steps>,
    /// The hooks.
    pub hooks: Option<Hooks>,
}

/// The size of a step, and how long it is held.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Steps {
    /// In percent of the production traffic.
    pub percent: Option<f64>,
    /// In minutes.
    pub bake: Option<u32>,
}

/// Hooks as the SDK has them: those that are there are handed on and not changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hooks(Vec<sdk::DeploymentLifecycleHook>);

impl Configuration {
    /// Whether nothing of it is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn of(configuration: &sdk::DeploymentConfiguration) -> Self {
        let canary = configuration.canary_configuration.as_ref();
        let linear = configuration.linear_configuration.as_ref();
        Self {
            strategy: configuration
                .strategy
                .as_ref()
                .map(|strategy| Strategy::of(strategy.as_str())),
            bake: configuration.bake_time_in_minutes.map(count),
            canary: canary.map(|canary| Steps {
                percent: canary.canary_percent,
                bake: canary.canary_bake_time_in_minutes.map(count),
            }),
            linear: linear.map(|linear| Steps {
                percent: linear.step_percent,
                bake: linear.step_bake_time_in_minutes.map(count),
            }),
            hooks: configuration.lifecycle_hooks.clone().map(Hooks),
        }
    }

    pub(super) fn sent(&self) -> sdk::DeploymentConfiguration {
        let canary = self.canary.map(|steps| {
            sdk::CanaryConfiguration::builder()
                .set_canary_percent(steps.percent)
                .set_canary_bake_time_in_minutes(steps.bake.map(minutes))
                .build()
        });
        let linear = self.linear.map(|steps| {
            sdk::LinearConfiguration::builder()
                .set_step_percent(steps.percent)
                .set_step_bake_time_in_minutes(steps.bake.map(minutes))
                .build()
        });
        let strategy = self.strategy.as_ref().map(Strategy::word);
        sdk::DeploymentConfiguration::builder()
            .set_strategy(strategy.map(sdk::DeploymentStrategy::from))
            .set_bake_time_in_minutes(self.bake.map(minutes))
            .set_canary_configuration(canary)
            .set_linear_configuration(linear)
            .set_lifecycle_hooks(self.hooks.clone().map(|hooks| hooks.0))
            .build()
    }
}

impl Hooks {
    /// Whether a deployment pauses at this stage.
    #[must_use]
    pub fn pauses_at(&self, stage: &str) -> bool {
        let pauses = |hook: &sdk::DeploymentLifecycleHook| {
            hook.target_type == Some(sdk::DeploymentLifecycleHookTargetType::Pause)
                && hook
                    .lifecycle_stages
                    .as_ref()
                    .is_some_and(|stages| stages.iter().any(|known| known.as_str() == stage))
        };
        self.0.iter().any(pauses)
    }

    /// The same hooks, and one more that pauses at these stages; whoever does not answer in time is taken for a no.
    #[must_use]
    pub fn with_pause(&self, stages: &[&str], timeout_minutes: u32) -> Self {
        let timeout = sdk::DeploymentLifecycleHookTimeoutConfiguration::builder()
            .timeout_in_minutes(minutes(timeout_minutes))
            .action(sdk::DeploymentLifecycleHookAction::Rollback)
            .build();
        let stages = stages
            .iter()
            .map(|stage| sdk::DeploymentLifecycleHookStage::from(*stage))
            .collect();
        let pause = sdk::DeploymentLifecycleHook::builder()
            .target_type(sdk::DeploymentLifecycleHookTargetType::Pause)
            .set_lifecycle_stages(Some(stages))
            .timeout_configuration(timeout)
            .build();
        let mut hooks = self.0.clone();
        hooks.push(pause);
        Self(hooks)
    }
}

fn minutes(minutes: u32) -> i32 {
    i32::try_from(minutes).unwrap_or(i32::MAX)
}
