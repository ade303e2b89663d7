//! The GitHub runner, as a tool meets it.
//!
//! Everything a step and a laptop have in common stands here once: inputs become flags, results become outputs,
//! a summary, a ledger line and an exit code, foreign text stays text, and a cancel is obeyed. The crate knows no
//! cloud. Modules at the top level are pure: they take values and return values. [`edge`] is the only place that
//! touches files, the environment, signals, processes and the network.

pub mod accounts;
pub mod command;
pub mod container_command;
pub mod context;
pub mod duration;
pub mod edge;
pub mod env;
pub mod exit;
pub mod failure;
pub mod faults;
pub mod flags;
pub mod image;
pub mod inputs;
pub mod interface;
pub mod ledger;
pub mod links;
pub mod log_line;
pub mod markdown;
pub mod mask;
pub mod outcome;
pub mod outputs;
pub mod reproduce;
pub mod steps;
pub mod summary;
pub mod text;
pub mod trace;
mod unparsed;

pub use edge::runner::Runner;
pub use edge::start::{start, start_or};
pub use exit::Exit;
pub use failure::Failure;
pub use outcome::{Outcome, Status};
