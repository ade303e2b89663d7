//! The flags for the strategies by which ECS itself shifts traffic.

use std::time::Duration;

use clap::{Args, ValueEnum};

/// How ECS deploys the service. What is not given stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct Strategy {
    /// How ECS deploys the service, set with the deploy: `rolling`, `blue-green`, `linear` or `canary` [default: as the service
    /// is set].
    #[arg(
        long,
        value_name = "STRATEGY",
        hide_possible_values = true,
        help_heading = "Strategy"
    )]
    pub strategy: Option<StrategyName>,
    /// How long both versions run after all traffic was shifted, in whole minutes.
    #[arg(long, value_name = "DURATION", value_parser = gha::duration::parse, help_heading = "Strategy")]
    pub bake_time: Option<Duration>,
    /// Share of the first step of `canary`, such as `5%`.
    #[arg(long, value_name = "PERCENT", value_parser = percent, help_heading = "Strategy")]
    pub canary_percent: Option<f64>,
    /// How long the first step of `canary` is held, in whole minutes.
    #[arg(long, value_name = "DURATION", value_parser = gha::duration::parse, help_heading = "Strategy")]
    pub canary_bake_time: Option<Duration>,
    /// Share of each step of `linear`, such as `10%`.
    #[arg(long, value_name = "PERCENT", value_parser = percent, help_heading = "Strategy")]
    pub step_percent: Option<f64>,
    /// How long each step of `linear` is held, in whole minutes.
    #[arg(long, value_name = "DURATION", value_parser = gha::duration::parse, help_heading = "Strategy")]
    pub step_bake_time: Option<Duration>,
}

/// The strategies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StrategyName {
    /// Tasks are replaced a few at a time.
    Rolling,
    /// All traffic at once, between two sets of tasks.
    BlueGreen,
    /// Traffic in equal steps.
    Linear,
    /// One small step, then the rest.
    Canary,
}

/// A percentage, with or without its sign.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim_end();
    let percent: f64 = number
        .parse()
        .map_err(|_| "expected a percentage such as `5%`".to_owned())?;
    if !(0.0..=100.0).contains(&percent) {
        return Err("a percentage is from 0% to 100%".to_owned());
    }
    Ok(percent)
}
