//! How a service is to be deployed, from the flags and from what it is set to: only what differs is sent.
//!
//! Ranges are those of
//! [`CanaryConfiguration`](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CanaryConfiguration.html),
//! [`LinearConfiguration`](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinearConfiguration.html) and
//! [`DeploymentConfiguration`](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html).

use std::time::Duration;

use gha::{duration, text};

use crate::api::configuration::{Configuration, Hooks, Steps};
use crate::cli;
use crate::cli::StrategyName;
use crate::error::Error;
use crate::observed::Service;
use crate::words::Strategy;

/// Where a gate runs: the new version has all test traffic, and then all production traffic.
const GATED: [&str; 2] = ["POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"];

/// The longest bake time.
const LONGEST_BAKE: u32 = 1440;

/// The longest that a hook may wait.
const LONGEST_PAUSE: u64 = 14 * 24 * 60;

/// The first step of a canary that has none set: percent, minutes.
const CANARY: (f64, u32) = (5.0, 10);

/// The steps of a linear shift that has none set.
const LINEAR: (f64, u32) = (10.0, 6);

/// How a service is to be deployed.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// By which strategy.
    pub strategy: Strategy,
    /// What has to be sent for it.
    pub change: Option<Configuration>,
    /// How long ECS holds steps, all together.
    pub bakes: Duration,
}

impl Wanted {
    /// Whether ECS shifts the traffic.
    #[must_use]
    pub fn is_native(&self) -> bool {
        self.strategy != Strategy::Rolling
    }
}

/// What the flags ask for. `gated`: a gate is to run at the pauses; `answer`: how long one may take.
///
/// # Errors
/// When a flag does not fit, or the service can't be deployed like this.
pub fn wanted(
    flags: &cli::Strategy,
    set: &Configuration,
    service: &Service,
    gated: bool,
    answer: Duration,
) -> Result<Wanted, Error> {
    let strategy = flags.strategy.map_or(service.strategy.clone(), named);
    if let Strategy::Other(word) = &strategy {
        return Err(Error::Strategy {
            service: text::line(&service.name),
            strategy: text::line(word),
        });
    }
    fits(flags, &strategy)?;
    let mut to = Configuration {
        strategy: Some(strategy.clone()).filter(|strategy| *strategy != service.strategy),
        bake: minutes("bake-time", flags.bake_time)?,
        canary: steps(
            ("canary-percent", flags.canary_percent, 0.1),
            ("canary-bake-time", flags.canary_bake_time),
            set.canary,
        )?,
        linear: steps(
            ("step-percent", flags.step_percent, 3.0),
            ("step-bake-time", flags.step_bake_time),
            set.linear,
        )?,
        hooks: None,
    };
    if to.strategy.is_some() && strategy != Strategy::Rolling {
        can_shift(service)?;
    }
    let bake = to.bake.or(set.bake);
    if strategy == Strategy::BlueGreen && bake.is_none() {
        return Err(Error::Flag {
            flag: "strategy",
            reason: "`blue-green` needs `--bake-time`, because the service has none set".to_owned(),
        });
    }
    let bakes = bakes(
        &strategy,
        bake,
        to.canary.or(set.canary),
        to.linear.or(set.linear),
    );
    to.bake = to.bake.filter(|_| to.bake != set.bake);
    to.canary = to.canary.filter(|_| to.canary != set.canary);
    to.linear = to.linear.filter(|_| to.linear != set.linear);
    if gated && strategy != Strategy::Rolling {
        to.hooks = pauses(set.hooks.as_ref(), answer);
    }
    Ok(Wanted {
        change: Some(to).filter(|to| !to.is_empty()),
        strategy,
        bakes,
    })
}

fn named(name: StrategyName) -> Strategy {
    match name {
        StrategyName::Rolling => Strategy::Rolling,
        StrategyName::BlueGreen => Strategy::BlueGreen,
        StrategyName::Linear => Strategy::Linear,
        StrategyName::Canary => Strategy::Canary,
    }
}

/// A flag of another strategy would be sent and mean nothing.
fn fits(flags: &cli::Strategy, strategy: &Strategy) -> Result<(), Error> {
    use Strategy::{BlueGreen, Canary, Linear};
    let given: [(&'static str, bool, &[Strategy]); 5] = [
        (
            "bake-time",
            flags.bake_time.is_some(),
            &[BlueGreen, Linear, Canary],
        ),
        ("canary-percent", flags.canary_percent.is_some(), &[Canary]),
        ("canary-bake-time", flags.canary_bake_time.is_some(), &[Canary]),
        ("step-percent", flags.step_percent.is_some(), &[Linear]),
        ("step-bake-time", flags.step_bake_time.is_some(), &[Linear]),
    ];
    let wrong = given
        .into_iter()
        .find(|(_, given, of)| *given && !of.contains(strategy));
    wrong.map_or(Ok(()), |(flag, ..)| {
        Err(Error::Flag {
            flag,
            reason: format!("the strategy `{}` has no such setting", strategy.word()),
        })
    })
}

/// A load balancer that ECS shifts needs a second target group and the rule to shift.
fn can_shift(service: &Service) -> Result<(), Error> {
    let shifts = service
        .load_balancers
        .iter()
        .all(|balancer| balancer.alternate_target_group.is_some() && balancer.production_rule.is_some());
    if shifts {
        return Ok(());
    }
    Err(Error::Flag {
        flag: "strategy",
        reason: format!(
            "service `{}` has no alternate target group and listener rule that ECS could shift; set \
             `loadBalancers[].advancedConfiguration` first",
            text::line(&service.name)
        ),
    })
}

fn minutes(flag: &'static str, time: Option<Duration>) -> Result<Option<u32>, Error> {
    let Some(time) = time else { return Ok(None) };
    let whole = time.as_secs().is_multiple_of(60) && time.subsec_nanos() == 0;
    let minutes = u32::try_from(time.as_secs() / 60).ok();
    let minutes = minutes.filter(|minutes| whole && *minutes <= LONGEST_BAKE);
    minutes.map(Some).ok_or_else(|| Error::Flag {
        flag,
        reason: format!(
            "`{}` is not in whole minutes up to 24 hours, as ECS takes it",
            duration::display(time)
        ),
    })
}

/// A step, whole: what was not asked for stays as it is set.
fn steps(
    (percent_flag, percent, least): (&'static str, Option<f64>, f64),
    (bake_flag, bake): (&'static str, Option<Duration>),
    set: Option<Steps>,
) -> Result<Option<Steps>, Error> {
    let bake = minutes(bake_flag, bake)?;
    if let Some(percent) = percent {
        let tenths = percent * 10.0;
        // A tenth has no exact place among binary fractions.
        if percent < least || (tenths - tenths.round()).abs() > 1e-6 {
            return Err(Error::Flag {
                flag: percent_flag,
                reason: format!("`{percent}%` is not in tenths of a percent from {least}% to 100%"),
            });
        }
    }
    if percent.is_none() && bake.is_none() {
        return Ok(None);
    }
    let set = set.unwrap_or_default();
    Ok(Some(Steps {
        percent: percent.or(set.percent),
        bake: bake.or(set.bake),
    }))
}

/// The hooks with pauses at the stages that have none; nothing where all have.
fn pauses(set: Option<&Hooks>, answer: Duration) -> Option<Hooks> {
    let set = set.cloned().unwrap_or_default();
    let missing: Vec<&str> = GATED.into_iter().filter(|stage| !set.pauses_at(stage)).collect();
    let limit = answer.as_secs().div_ceil(60).clamp(1, LONGEST_PAUSE);
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    (!missing.is_empty()).then(|| set.with_pause(&missing, limit))
}

/// How long ECS holds its steps, all together.
#[must_use]
pub fn bakes(
    strategy: &Strategy,
    bake: Option<u32>,
    canary: Option<Steps>,
    linear: Option<Steps>,
) -> Duration {
    let or = |steps: Option<Steps>, usual: (f64, u32)| {
        let steps = steps.unwrap_or_default();
        (steps.percent.unwrap_or(usual.0), steps.bake.unwrap_or(usual.1))
    };
    let held = match strategy {
        Strategy::Canary => or(canary, CANARY).1,
        Strategy::Linear => {
            let (percent, bake) = or(linear, LINEAR);
            // The last step is not held.
            let mut before_all = 0;
            let mut weight = percent.max(1.0);
            while weight < 100.0 {
                before_all += 1;
                weight += percent.max(1.0);
            }
            bake.saturating_mul(before_all)
        }
        _ => 0,
    };
    Duration::from_secs(u64::from(held.saturating_add(bake.unwrap_or_default())) * 60)
}

#[cfg(test)]
mod tests;
