//! `s3-cdn-publish`: publishes a built site to S3 and CloudFront, so that no visitor ever gets a page whose assets are
//! missing, nothing unchanged is sent, and the release before is one command away.

use gha::outcome::Outcome;
use gha::{Failure, Runner};

pub mod api;
pub mod ask;
pub mod cdn;
pub mod change;
pub mod cli;
pub mod commit;
pub mod diff;
pub mod error;
pub mod etag;
pub mod folder;
pub mod former;
pub mod groups;
pub mod hashed_name;
pub mod headers;
pub mod held;
pub mod hex;
pub mod intent;
pub mod invalidation;
pub mod keep;
pub mod lock;
pub mod look;
pub mod manifest;
pub mod media_type;
pub mod pace;
pub mod phase;
pub mod place;
pub mod plan;
pub mod progress;
pub mod prune;
pub mod publish;
pub mod recover;
pub mod release;
pub mod releases;
pub mod report;
pub mod rollback;
pub mod rules;
pub mod settle;
pub mod side_by_side;
pub mod site;
pub mod store;
pub mod target;
pub mod undo;
pub mod write;

use cli::{Cli, Command};

/// Runs the tool.
///
/// # Errors
/// When the flags are wrong, the publish failed, or the run is cancelled.
pub async fn run(cli: Cli, runner: &Runner) -> Result<Outcome, Failure> {
    let ended = match cli.command {
        Command::Publish(flags) => publish::run(&flags, runner).await,
        Command::Plan(flags) => publish::show(&flags, runner).await,
        Command::Rollback(flags) => rollback::run(&flags, runner).await,
        Command::Releases(flags) => releases::run(&flags, runner).await,
        Command::Prune(flags) => prune::run(&flags, runner).await,
        Command::Recover(flags) => recover::run(&flags, runner).await,
    };
    // What failed is told with its reason, by who calls this.
    if let Ok(outcome) = &ended {
        report::say(outcome, runner);
    }
    ended
}
