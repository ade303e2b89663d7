//! `ecs-deploy`: deploys to Amazon ECS, explains what fails, and brings the earlier version back.

use gha::outcome::Outcome;
use gha::{Failure, Runner};

pub mod actions;
pub mod api;
pub mod cli;
pub mod deploy;
pub mod details;
pub mod error;
pub mod events;
pub mod follow;
pub mod gates;
pub mod history;
pub mod images;
pub mod migrate;
pub mod migration;
pub mod native;
pub mod native_deploy;
pub mod observed;
pub mod pair;
pub mod place;
pub mod plan;
pub mod prepare;
pub mod recover;
pub mod report;
pub mod rollback;
pub mod rollback_target;
pub mod rolling;
pub mod run_task;
pub mod serving;
pub mod shift;
pub mod state;
pub mod status;
pub mod stopped;
pub mod story;
pub mod task_definition;
pub mod undo;
pub mod verify;
pub mod weighted;
pub mod words;

use cli::{Cli, Command};

/// Runs the tool.
///
/// # Errors
/// When the flags are wrong, the deploy failed, or the run is cancelled.
pub async fn run(cli: Cli, runner: &Runner) -> Result<Outcome, Failure> {
    match cli.command {
        Command::Deploy(flags) => deploy::run(&flags, runner).await,
        Command::Promote(flags) => weighted::promote::run(&flags, runner).await,
        Command::Recover(flags) => recover::run(&flags, runner).await,
        Command::Plan(flags) => plan::run(&flags, runner).await,
        Command::Rollback(flags) => rollback::run(&flags, runner).await,
        Command::Status(flags) => status::run(&flags, runner).await,
        Command::Verify(flags) => verify::run(&flags, runner).await,
        Command::RunTask(flags) => run_task::run(&flags, runner).await,
    }
}
