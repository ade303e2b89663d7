//! A fake GitHub runner: one job of a workflow, with GitHub's rules, real processes and real signals.
//!
//! The rules are those of [actions/runner](https://github.com/actions/runner): shells, composite actions, command
//! files, workflow commands, masks, annotation budgets, conditions, and the way a cancel reaches a step.
//!
//! ```no_run
//! use sandbox::runner::Setup;
//!
//! let report = Setup::new("/path/to/checkout")
//!     .action("org/deploy-actions@v1", "/path/to/release/tree")
//!     .secret("SLACK_WEBHOOK", "https://hooks.example/T0/B0")
//!     .run("on: push\njobs: {deploy: {runs-on: x, steps: [{uses: org/deploy-actions/notify@v1}]}}")?;
//! assert!(report.conclusion.is_success());
//! # Ok::<(), sandbox::runner::Error>(())
//! ```
//!
//! Limits: Linux; composite actions and `run:` steps only (a workflow that asks for a container, a service, a
//! matrix, a background step, a JavaScript or Docker action is refused by name); one job, so `needs` is empty and
//! a job's own `if:` is not asked; `timeout-minutes` is accepted and not enforced; problem matchers and
//! `hashFiles()` are not there.

mod cancel;
mod commands;
mod composite;
mod conditions;
mod contexts;
mod error;
mod evaluate;
mod expression;
mod files;
mod functions;
mod job;
mod journal;
mod mask;
mod process;
mod report;
mod run;
mod script;
mod setup;
mod step;
mod survivors;
mod workflow;

pub use cancel::{CancelHandle, CancelWhen, Grace};
pub use error::Error;
pub use files::{Entries, parse_entries};
pub use report::{Annotation, Level, LogLine, Outcome, Report, StepReport, Survivor};
pub use setup::Setup;
