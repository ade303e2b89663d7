//! Canary against baseline: does the new version fail more often than the old one, at the same time, under the same load?
//!
//! Both arms report counts (bad and total) for each interval of the watch; "bad" is an error, or a request over a latency
//! limit. At a few planned times ([`Plan::due`]) a one-sided test ([`ratio`]) asks whether the canary's rate is above
//! `fail_ratio` times the baseline's. Several looks at growing data would each add their chance of a false alarm, so
//! each look has its own share of `alpha` ([`spending`]). A pass comes only at the last look, and only when the data rule
//! out a rate of `pass_ratio` times the baseline's, or when the canary's rate is surely below a floor that nobody minds.
//! Everything else is inconclusive: little data is not good data.
//!
//! What it does to services of known quality is measured in `tests/compare_simulation.rs`. With the defaults, 30
//! one-minute intervals and 0.5 % errors: an equal canary fails at most 5.2 % of the time, and one that fails three times as
//! often passes at most 0.1 % of the time, also where failures cluster. At 5 requests a second and a canary of 10 % most
//! equal canaries are inconclusive, so give a small service's canary half of the traffic.
//!
//! Limits: it sees no trend within the watch, no difference in what the arms are asked, and takes intervals as
//! independent; where trouble lasts for minutes, use longer intervals.

mod counts;
mod look;
mod plan;
pub mod ratio;
pub mod spending;

pub use counts::{Counts, CountsError, Interval};
pub use look::{Arm, Ground, Look, Verdict, Why};
pub use plan::{Plan, Settings, SettingsError};
