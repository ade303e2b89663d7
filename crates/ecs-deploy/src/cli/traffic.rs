//! The flags of deploys to two services behind one rule of a load balancer.

use std::time::Duration;

use clap::Args;
use gha::reproduce::quote;

use super::{Ends, Gates, Place, Times};

/// Two services behind one rule of a load balancer, one of which serves.
#[derive(Clone, Debug, Default, Args)]
pub struct Traffic {
    /// Rule of a listener that leads to both services: its ARN, or the end of it from `listener-rule/` on; of a default rule,
    /// the listener's. Its weights move the traffic.
    #[arg(
        long,
        value_name = "ARN",
        requires = "blue_service",
        requires = "green_service",
        help_heading = "Traffic"
    )]
    pub traffic_rule: Option<String>,
    /// One of the two services. Which one serves is read from the rule.
    #[arg(
        long,
        value_name = "NAME",
        requires = "traffic_rule",
        help_heading = "Traffic"
    )]
    pub blue_service: Option<String>,
    /// The other one.
    #[arg(
        long,
        value_name = "NAME",
        requires = "traffic_rule",
        help_heading = "Traffic"
    )]
    pub green_service: Option<String>,
}

/// How long the earlier version is kept, and the new one may take to be healthy, where nothing else is asked for.
const USUAL: Duration = Duration::from_secs(600);

/// How traffic moves to the new version.
#[derive(Clone, Debug, Args)]
pub struct Shift {
    /// Shares of the new version and how long each stays, such as `10% 5m, 50% 5m, 100%` [default: 100%].
    #[arg(
        long,
        value_name = "STEPS",
        requires = "traffic_rule",
        help_heading = "Traffic"
    )]
    pub steps: Option<String>,
    /// Step after which the run ends and leaves the traffic as it is, to be promoted by another, such as `10%`.
    #[arg(
        long,
        value_name = "WEIGHT",
        requires = "traffic_rule",
        help_heading = "Traffic"
    )]
    pub until: Option<String>,
    /// How long the earlier version stays at full size after the last step.
    #[arg(long, value_name = "DURATION", default_value = "10m", requires = "traffic_rule", value_parser = gha::duration::parse, help_heading = "Traffic")]
    pub keep: Duration,
    /// How long the tasks and targets of the new version may take to be healthy.
    #[arg(long, value_name = "DURATION", default_value = "10m", requires = "traffic_rule", value_parser = gha::duration::parse, help_heading = "Traffic")]
    pub warm_up: Duration,
}

impl Shift {
    /// The flags with which a run that stopped at `until` is gone on with, for a command line.
    #[must_use]
    pub fn again(&self) -> String {
        let steps = self
            .steps
            .iter()
            .map(|steps| format!(" --steps {}", quote(steps)))
            .collect::<String>();
        let times = [("keep", self.keep), ("warm-up", self.warm_up)]
            .into_iter()
            .filter(|(_, time)| *time != USUAL)
            .map(|(flag, time)| format!(" --{flag} {}ms", time.as_millis()));
        steps + &times.collect::<String>()
    }
}

/// The flags of `promote`.
#[derive(Clone, Debug, Args)]
pub struct Promote {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// The two services.
    #[command(flatten)]
    pub traffic: Traffic,
    /// The steps: those that the deploy was given.
    #[command(flatten)]
    pub shift: Shift,
    /// What judges the new version.
    #[command(flatten)]
    pub gates: Gates,
    /// How long.
    #[command(flatten)]
    pub times: Times,
    /// What becomes of one that can't go on.
    #[command(flatten)]
    pub ends: Ends,
}

/// The flags of `recover`.
#[derive(Clone, Debug, Args)]
pub struct Recover {
    /// Where.
    #[command(flatten)]
    pub place: Place,
    /// The two services.
    #[command(flatten)]
    pub traffic: Traffic,
    /// How long.
    #[command(flatten)]
    pub times: Times,
}
