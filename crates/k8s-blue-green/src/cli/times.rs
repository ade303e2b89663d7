//! The flags of time and failure: how long things may take, and what becomes of a deploy that can't go on.

use std::time::Duration;

use clap::{Args, ValueEnum};

/// How long things may take.
#[derive(Clone, Debug, Args)]
pub struct Times {
    /// Longest time until all pods of the new version are ready; gates, steps, soak and drain come on top.
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = some_time, help_heading = "Time")]
    pub timeout: Duration,
    /// How long pods may find no node: an autoscaler may be adding one.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = gha::duration::parse, help_heading = "Time")]
    pub unschedulable_grace: Duration,
    /// How long the API server may be out of reach before the run gives up.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = gha::duration::parse, help_heading = "Time")]
    pub api_grace: Duration,
    /// How long to wait for another deploy to end.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = gha::duration::parse, help_heading = "Time")]
    pub lock_timeout: Duration,
}

/// What becomes of a deploy that can't go on.
#[derive(Clone, Copy, Debug, Args)]
pub struct Ends {
    /// What a failure does: `rollback` brings the old version back, `leave` changes nothing more.
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "rollback",
        hide_possible_values = true,
        help_heading = "Failure"
    )]
    pub on_failure: Undo,
    /// What a cancel does: `rollback` or `leave`.
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "rollback",
        hide_possible_values = true,
        help_heading = "Failure"
    )]
    pub on_cancel: Undo,
}

/// What becomes of a deploy that can't go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Undo {
    /// The old version comes back.
    Rollback,
    /// Nothing is changed any more.
    Leave,
}

/// A duration that is one: without any time nothing could succeed.
pub(super) fn some_time(text: &str) -> Result<Duration, String> {
    match gha::duration::parse(text) {
        Ok(time) if time.is_zero() => Err("must be longer than 0s".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}
