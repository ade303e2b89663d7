//! `health-gate`: tells whether what was deployed is ready and stays well, and why when not.

use gha::outcome::Outcome;
use gha::{Failure, Runner, Status};

pub mod asked;
pub mod caution;
pub mod check;
pub mod cli;
pub mod document;
pub mod error;
pub mod from_flags;
pub mod intent;
pub mod publish;
pub mod report;
pub mod session;
pub mod unrun;
pub mod validate;

use asked::Asked;
use cli::{Cli, Command, File, Results};

/// Runs the tool.
///
/// # Errors
/// When the flags or the gate file are wrong, the verdict is no pass, or the run is cancelled.
pub async fn run(cli: Cli, runner: &Runner) -> Result<Outcome, Failure> {
    let results = unrun::results(&cli.command);
    let done = dispatch(cli.command, runner).await;
    if let (Err(failure), Some(results)) = (&done, results) {
        unrun::write(&results, failure, runner);
    }
    done
}

/// Runs a command.
async fn dispatch(command: Command, runner: &Runner) -> Result<Outcome, Failure> {
    match command {
        Command::Wait(flags) => {
            let asked = Asked::from_flags(from_flags::wait(&flags)?, flags.result.clone(), runner)?;
            session::run(asked.version(flags.target.expect_version.as_deref()), runner).await
        }
        Command::Watch(flags) => {
            let asked = Asked::from_flags(from_flags::watch(&flags)?, flags.result.clone(), runner)?;
            session::run(asked.version(flags.target.expect_version.as_deref()), runner).await
        }
        Command::Run(flags) => {
            let asked = Asked::from_file(&flags.file, flags.result, runner).await?;
            session::run(asked.within(flags.timeout)?, runner).await
        }
        Command::Check(flags) => match flags.file {
            Some(_) => {
                let file = File {
                    file: flags.file.clone(),
                    var: flags.var.clone(),
                };
                let asked = Asked::from_file(&file, flags.result.clone(), runner).await?;
                check::run(asked, flags.try_timeout, runner).await
            }
            None => {
                let asked = Asked::from_flags(from_flags::check(&flags)?, flags.result.clone(), runner)?;
                let asked = asked.version(flags.target.expect_version.as_deref());
                check::run(asked, flags.try_timeout, runner).await
            }
        },
        Command::Validate(flags) => {
            let asked = Asked::from_file(&flags.file, Results::default(), runner).await?;
            validate::run(asked, flags.ask, runner).await
        }
        Command::Schema => Ok(schema(runner)),
    }
}

/// Prints the schema of gate files.
fn schema(runner: &Runner) -> Outcome {
    let schema = serde_json::to_string_pretty(&gate::spec::schema()).unwrap_or_default();
    runner.writer().product(&format!("{schema}\n"));
    Outcome {
        dry_run: true,
        ..Outcome::new(Status::Unchanged, "printed the schema of gate files")
    }
}
