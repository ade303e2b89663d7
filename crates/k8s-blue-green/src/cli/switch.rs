//! The flags by which a Service is switched.

use std::time::Duration;

use clap::{Args, ValueEnum};

/// How a Service is switched, and what becomes of the old version.
#[derive(Clone, Debug, Args)]
pub struct Switch {
    /// How the Service is switched: `atomic` by one change, `overlap` with both versions behind it for a moment, as load balancers
    /// outside the cluster need it, or `auto`.
    #[arg(
        long,
        value_name = "HOW",
        default_value = "auto",
        hide_possible_values = true,
        help_heading = "Switch"
    )]
    pub switch: SwitchBy,
    /// How long both versions stay behind the Service in an overlap.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = gha::duration::parse, help_heading = "Switch")]
    pub overlap: Duration,
    /// How long the new version is watched after the switch, with the old one ready to take over.
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = gha::duration::parse, help_heading = "Switch")]
    pub soak: Duration,
    /// How long the old version stays after that. The run waits for up to a minute itself; for longer it leaves a date, and the
    /// next deploy or `gc` retires what is over.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = gha::duration::parse, help_heading = "Switch")]
    pub drain: Duration,
    /// What retiring is: `scale` to no pods, which a rollback scales up again, or `delete`.
    #[arg(
        long,
        value_name = "HOW",
        default_value = "scale",
        hide_possible_values = true,
        help_heading = "Switch"
    )]
    pub retire: Retire,
    /// Label that tells the colours apart [default: the one of the Service's selector, else `color`].
    #[arg(long, value_name = "LABEL", help_heading = "Switch")]
    pub color_label: Option<String>,
}

/// How a Service is switched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum SwitchBy {
    /// As what is in front of the Service needs it.
    #[default]
    Auto,
    /// By one change of the selector.
    Atomic,
    /// With both versions behind it for a moment.
    Overlap,
}

/// What retiring the old version is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Retire {
    /// It has no pods any more.
    #[default]
    Scale,
    /// It is gone.
    Delete,
}
