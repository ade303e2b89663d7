//! The command `wrap`: a command runs in our place, and people are told that it began and how it ended.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use gha::edge::environment;
use gha::edge::process::{ProcessError, pass_through};
use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner, text};
use jiff::Timestamp;

use crate::cli::{JobStatus, Wrap};
use crate::error::Error;
use crate::message::{Known, Message, compose};
use crate::subject::Subject;
use crate::{receivers, tell};

/// How long the beginning may take to be told: the command waits for it.
const BEGINNING: Duration = Duration::from_secs(5);

/// How long the command may take to stop when the run is cancelled, so that there is time to tell it.
const GRACE: Duration = Duration::from_millis(2_500);

/// What a shell answers where a program is not there, and where it can't be run
/// (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02>).
const NOT_THERE: u8 = 127;
const NOT_TO_BE_RUN: u8 = 126;

/// Runs it.
///
/// # Errors
/// As the command ends; where that went well, when a required message does not arrive.
pub(crate) async fn run(flags: &Wrap, runner: &Runner) -> Result<Outcome, Failure> {
    let Some((program, arguments)) = flags.command.split_first() else {
        return Err(Error::NoCommand.into());
    };
    let sending = &flags.sending;
    tell::has_time(sending.times)?;
    let begins = message(flags, None, runner)?;
    let receivers = receivers::configured(&flags.receivers, &begins, runner).await?;
    tell::required(sending, &receivers, runner)?;
    if sending.dry_run {
        return Ok(tell::dry_run(&begins, None, &receivers, runner));
    }
    let mut shortly = sending.clone();
    shortly.times.timeout = sending.times.timeout.min(BEGINNING);
    let told = match tell::send(&shortly, &begins, None, &receivers, runner).await {
        Ok(told) => told,
        Err(failure) => {
            if runner.cancel().signal().is_some() {
                // Some may have heard that it begins.
                let end = End::unbegun(program);
                let over = message(flags, Some((&end, environment::now(), &begins.about)), runner)?;
                drop(tell::send(sending, &over, None, &receivers, runner).await);
            }
            return Err(failure);
        }
    };
    for delivery in told.deliveries.iter().filter(|delivery| !delivery.delivered) {
        runner.warn(&format!("the beginning was not told: {}", tell::line(delivery)));
    }
    let began = environment::now();
    // Tools that it runs join this run, so that what they find is told.
    let trace = [("TRACEPARENT", runner.traceparent())];
    let ran = pass_through(program, arguments, &trace, GRACE, runner.cancel()).await;
    let end = End::of(program, ran.as_ref(), runner.cancel().signal().is_some());
    let over = message(flags, Some((&end, began, &begins.about)), runner)?;
    let told = tell::send(sending, &over, Some(&told.state), &receivers, runner).await?;
    let concluded = tell::conclude(sending, &told, runner);
    if end.status == JobStatus::Success {
        return concluded;
    }
    let known = match concluded {
        Ok(known) => known,
        Err(failure) => {
            // Its own end counts more than that of the message.
            runner.warn(&failure.error.to_string());
            *failure.outcome
        }
    };
    let failure = Failure::new(Exit::OfCommand(end.code), end.cause);
    Err(failure.knowing(known))
}

/// What is told: the beginning, or the end with the moment of the beginning and what that was about.
fn message(
    flags: &Wrap,
    end: Option<(&End, Timestamp, &Subject)>,
    runner: &Runner,
) -> Result<Message, Error> {
    let known = Known {
        begins: end.is_none(),
        status: end.map(|(end, _, _)| end.status),
        entries: runner.ledger(),
        context: runner.context(),
        now: environment::now(),
        began: end.map(|(_, began, _)| began),
        about: end.map(|(_, _, about)| about),
        cause: end.map(|(end, _, _)| end.cause.as_str()),
        event: &flags.event,
    };
    compose(&known).ok_or(Error::NothingKnown)
}

/// How the command ended.
#[derive(Debug, PartialEq, Eq)]
struct End {
    status: JobStatus,
    /// The exit code that stands for it.
    code: u8,
    /// In words.
    cause: String,
}

impl End {
    /// That of a command which was cancelled before it ran.
    fn unbegun(program: &str) -> Self {
        Self {
            status: JobStatus::Cancelled,
            code: 0,
            cause: format!("`{}` was cancelled before it began", text::line(program)),
        }
    }

    fn of(program: &str, ran: Result<&ExitStatus, &ProcessError>, cancelled: bool) -> Self {
        let program = text::line(program);
        let (code, cause) = match ran {
            Err(error) => {
                let is_missing = matches!(error, ProcessError::Start(_, why) if why.kind() == std::io::ErrorKind::NotFound);
                let why = std::error::Error::source(error).map(|why| format!(": {why}"));
                (
                    if is_missing { NOT_THERE } else { NOT_TO_BE_RUN },
                    format!("{error}{}", why.unwrap_or_default()),
                )
            }
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => (
                    u8::try_from(code).unwrap_or(u8::MAX),
                    format!("`{program}` ended with exit code {code}"),
                ),
                (None, signal) => {
                    let signal = signal.unwrap_or(0);
                    (
                        // As a shell has it.
                        u8::try_from(128 + signal).unwrap_or(u8::MAX),
                        format!("`{program}` was ended by signal {signal}"),
                    )
                }
            },
        };
        let status = match code {
            0 => JobStatus::Success,
            _ if cancelled => JobStatus::Cancelled,
            _ => JobStatus::Failure,
        };
        Self { status, code, cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_that_of_the_command() {
        let exited = |code: i32| ExitStatus::from_raw(code << 8);
        for (status, cancelled, how, code, says) in [
            (exited(0), false, JobStatus::Success, 0, "exit code 0"),
            // It took no notice of the signal, and did what it was to do.
            (exited(0), true, JobStatus::Success, 0, "exit code 0"),
            (
                exited(7),
                false,
                JobStatus::Failure,
                7,
                "`bin/deploy` ended with exit code 7",
            ),
            (exited(7), true, JobStatus::Cancelled, 7, "exit code 7"),
            (
                ExitStatus::from_raw(9),
                false,
                JobStatus::Failure,
                137,
                "ended by signal 9",
            ),
            (
                ExitStatus::from_raw(15),
                true,
                JobStatus::Cancelled,
                143,
                "ended by signal 15",
            ),
        ] {
            let end = End::of("bin/deploy", Ok(&status), cancelled);
            assert_eq!((end.status, end.code), (how, code), "{status:?}");
            assert!(end.cause.contains(says), "{end:?}");
        }
        for (kind, code) in [
            (std::io::ErrorKind::NotFound, 127),
            (std::io::ErrorKind::PermissionDenied, 126),
        ] {
            let error = ProcessError::Start("x".to_owned(), kind.into());
            assert_eq!(End::of("x", Err(&error), false).code, code);
        }
    }
}
