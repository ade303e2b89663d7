//! `k8s-blue-green`: switches a Kubernetes Service to a new version, and back, without a controller and without a dropped
//! request.

use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner};

pub mod access;
pub mod adoption;
pub mod api;
pub mod apply;
pub mod back;
pub mod blue_green;
pub mod budgets;
pub mod canary;
pub mod cli;
pub mod color;
pub mod confirm;
pub mod copy;
pub mod diagnose;
pub mod endpoints;
pub mod error;
pub mod fits;
pub mod forward;
pub mod front;
pub mod gates;
pub mod gc;
pub mod held;
pub mod image;
pub mod label_selector;
pub mod lead;
pub mod leftovers;
pub mod live;
pub mod lock;
pub mod manifests;
pub mod marks;
pub mod metadata;
pub mod migrate;
pub mod migration;
pub mod object;
pub mod permissions;
pub mod place;
pub mod plan;
pub mod pods;
pub mod preview;
pub mod put;
pub mod quantity;
pub mod ready;
pub mod recover;
pub mod refusals;
pub mod report;
pub mod retire;
pub mod rollback;
pub mod rolling;
pub mod route;
pub mod run;
pub mod scaler;
pub mod scaling;
pub mod side;
pub mod smoke;
pub mod state;
pub mod status;
pub mod story;
pub mod switch;
pub mod up;
pub mod workload;

#[cfg(test)]
mod fixture;

use cli::{Cli, Command, Strategy};
use place::Place;

/// Runs the tool.
///
/// # Errors
/// When the flags are wrong, the deploy failed, or the run is cancelled.
pub async fn run(cli: Cli, runner: &Runner) -> Result<Outcome, Failure> {
    fits::fits(&cli.command)?;
    let reaching = Box::pin(Place::of(cli.command.place(), runner));
    let reached = runner.cancel().guard(reaching).await?;
    let place = reached.map_err(|error| unreached(error.into(), cli.command.place()))?;
    Box::pin(at(&cli.command, &place)).await
}

/// A run that came no further than the way to the cluster: whoever reads the ledger wants to know of which environment.
fn unreached(mut failure: Failure, flags: &cli::Place) -> Failure {
    if failure.exit == Exit::Access {
        failure.outcome.environment.clone_from(&flags.environment);
    }
    failure
}

/// The same in a namespace that is reached already.
///
/// # Errors
/// When the flags are wrong, the deploy failed, or the run is cancelled.
pub async fn at(command: &Command, place: &Place<'_>) -> Result<Outcome, Failure> {
    match command {
        Command::Deploy(flags) => match flags.strategy {
            Strategy::BlueGreen | Strategy::Canary => Box::pin(blue_green::at(flags, place)).await,
            Strategy::Rolling => Box::pin(rolling::at(flags, place)).await,
        },
        Command::Plan(flags) => Box::pin(plan::at(flags, place)).await,
        Command::Promote(flags) => Box::pin(blue_green::promote::at(flags, place)).await,
        Command::Rollback(flags) if flags.target.service.is_empty() => {
            Box::pin(rolling::back::rollback(flags, place)).await
        }
        Command::Rollback(flags) => Box::pin(rollback::at(flags, place)).await,
        Command::Recover(flags) if flags.target.service.is_empty() => {
            Box::pin(rolling::back::recover(flags, place)).await
        }
        Command::Recover(flags) => Box::pin(recover::at(flags, place)).await,
        Command::Status(flags) => Box::pin(status::at(flags, place)).await,
        Command::Diagnose(flags) => Box::pin(diagnose::at(flags, place)).await,
        Command::Gc(flags) => Box::pin(gc::at(flags, place)).await,
    }
}
