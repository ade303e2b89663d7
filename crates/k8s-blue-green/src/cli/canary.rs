//! The flags of a canary.

use std::str::FromStr;

use clap::Args;
use gha::steps::{Steps, StepsError, Weight};

use crate::route::{Divider, Header};

/// How a canary gets its traffic.
#[derive(Clone, Debug, Default, Args)]
pub struct Canary {
    /// What divides the traffic of a canary: `httproute/NAME`, `grpcroute/NAME`, `virtualservice/NAME`, `ingress/NAME` (of
    /// ingress-nginx), or `pods` for an approximation by their number. The first three may go on with names of rules, as
    /// `virtualservice/web/main`, or `/*` for all that lead to the Service.
    #[arg(long, value_name = "ROUTE", help_heading = "Canary")]
    pub route: Vec<Divider>,
    /// Steps of a canary, as weights and how long each is watched; the last is `100%` [default: 10% 5m, 50% 5m, 100%].
    #[arg(long, value_name = "STEPS", help_heading = "Canary")]
    pub steps: Option<Steps>,
    /// Header whose requests always reach the canary, also before it has a weight, such as `canary: true`.
    #[arg(long, value_name = "HEADER", help_heading = "Canary")]
    pub header: Option<Header>,
}

/// Where a deploy ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Before any traffic.
    Preview,
    /// When the canary has been watched with this weight.
    Weight(Weight),
}

impl FromStr for Until {
    type Err = StepsError;

    fn from_str(text: &str) -> Result<Self, StepsError> {
        match text {
            "preview" => Ok(Self::Preview),
            weight => weight.parse().map(Self::Weight),
        }
    }
}
