//! `notify`: tells people how the deploy went. One step with `if: always()` at the end of a job reports all of it,
//! because every tool has left its verdict in the ledger.

use gha::outcome::Outcome;
use gha::{Failure, Runner};

pub mod api;
pub mod channel;
mod check;
pub mod cli;
pub mod delivery;
pub mod error;
pub mod message;
pub mod phase;
mod receivers;
pub mod render;
mod results;
pub mod routes;
pub mod severity;
mod stands;
pub mod state;
pub mod subject;
mod tell;
pub mod times;
mod wrap;

use cli::{Cli, Command};

/// Runs the tool.
///
/// # Errors
/// When the flags are wrong, or a required message does not arrive.
pub async fn run(cli: Cli, runner: &Runner) -> Result<Outcome, Failure> {
    let command = match &cli.command {
        Command::Render(flags) => return render::run(flags, runner),
        Command::Check(flags) => return check::run(flags, runner).await,
        Command::Wrap(flags) => return wrap::run(flags, runner).await,
        Command::Send(flags) => tell::Command {
            event: &flags.event,
            went: Some(&flags.went),
            state: None,
            receivers: &flags.receivers,
            sending: &flags.sending,
        },
        Command::Start(flags) => tell::Command {
            event: &flags.event,
            went: None,
            state: None,
            receivers: &flags.receivers,
            sending: &flags.sending,
        },
        Command::Finish(flags) => tell::Command {
            event: &flags.event,
            went: Some(&flags.went),
            state: Some(flags.state.as_deref()),
            receivers: &flags.receivers,
            sending: &flags.sending,
        },
    };
    tell::run(&command, runner).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_flag_has_a_sample_that_works() {
        assert_eq!(
            gha::interface::faulty_sample(&cli::INTERFACE, &Cli::command()),
            None
        );
    }
}
