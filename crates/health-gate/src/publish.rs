//! The end of a run: report, outputs, files, summary, annotations, and the exit code.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use gate::account::Account;
use gate::observation::Observation;
use gate::run::preflight::Refused;
use gate::run::{Seen, account, trouble};
use gate::until_ready::End;
use gate::verdict::Verdict;
use gha::edge::cancel::Cancelled;
use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner, Status, duration};

use crate::asked::Asked;
use crate::cli::INTERFACE;
use crate::intent;
use crate::report::record::Record;
use crate::report::{Report, Run};
use failure::{exit, help};
use files::{Files, write_files};

mod failure;
mod files;

pub use failure::{advice_of, exit_of};
pub use files::check_places;
pub(crate) use files::{of_step, report_path, share_a_file};

/// Why a run was cut off.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// By a signal.
    Cancelled(Cancelled),
    /// The time for the whole command was over.
    OutOfTime(Duration),
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled(cancelled) => cancelled.fmt(f),
            Self::OutOfTime(timeout) => {
                write!(
                    f,
                    "the time for the whole command, {}, was over",
                    duration::exact(*timeout)
                )
            }
        }
    }
}

/// What a dry run gives: no verdict, and so no output.
#[must_use]
pub fn dry_run(asked: &Asked, headline: &str) -> Outcome {
    let outcome = Outcome::new(Status::Unchanged, headline).target(intent::subject(&asked.spec));
    Outcome {
        dry_run: true,
        environment: asked.results.environment.clone(),
        ..outcome
    }
}

/// Tells the result, writes it wherever it belongs, and gives the exit code.
///
/// # Errors
/// When the verdict is no pass.
pub fn finish(
    asked: &Asked,
    record: &Record,
    observation: Option<&Observation>,
    seen: Seen,
    cut: Option<Cut>,
    runner: &Runner,
) -> Result<Outcome, Failure> {
    if let Some(refused) = &seen.refused {
        return Err(refuse(asked, refused, runner));
    }
    let report = report(asked, record, observation, &seen, cut.as_ref(), runner);
    let Files {
        report: written,
        unwritten,
    } = write_files(asked, &report, runner);
    let outcome = outcome(asked, &report, written.as_deref());
    publish(&outcome, runner);
    runner.summary(&report.summary());
    annotate(&report, cut.as_ref(), runner);
    if let Some(Cut::Cancelled(cancelled)) = cut {
        if let Some(error) = unwritten {
            runner.warn(&error);
        }
        return Err(Failure::from(cancelled).knowing(outcome));
    }
    if report.verdict == Verdict::Pass {
        runner.info(&report.reason);
        return match unwritten {
            Some(error) => Err(Failure::new(Exit::Usage, error).knowing(outcome)),
            None => Ok(outcome),
        };
    }
    if let Some(error) = unwritten {
        runner.warn(&error);
    }
    let trouble = trouble(observation, &seen);
    let failure = Failure::new(exit(asked, report.verdict, trouble), report.headline());
    let failure = match help(&report, record, &seen, trouble) {
        Some(help) => failure.help(help),
        None => failure,
    };
    last_answer(record, &seen, runner);
    Err(failure.knowing(outcome))
}

/// A run that did not begin, because a source will never answer. It is written wherever a result belongs, so that no
/// later step reads the pass of an earlier run.
fn refuse(asked: &Asked, refused: &Refused, runner: &Runner) -> Failure {
    let reason = refused.reason();
    let report = Report::of(&this_run(asked, None, runner), Account::unmeasured(&reason));
    let files = write_files(asked, &report, runner);
    if let Some(error) = &files.unwritten {
        runner.warn(error);
    }
    let outcome = outcome(asked, &report, files.report.as_deref());
    publish(&outcome, runner);
    runner.summary(&report.summary());
    Failure::new(exit_of(&refused.trouble), reason)
        .help(advice_of(&refused.trouble))
        .knowing(outcome)
}

fn this_run(asked: &Asked, cut: Option<&Cut>, runner: &Runner) -> Run {
    Run {
        version: INTERFACE.version.to_owned(),
        trace_id: runner.trace().to_string(),
        started_at: runner.started_at(),
        took: runner.elapsed(),
        target: intent::subject(&asked.spec),
        environment: asked.results.environment.clone(),
        config_hash: Some(asked.hash.clone()),
        cut: cut.map(ToString::to_string),
    }
}

fn report(
    asked: &Asked,
    record: &Record,
    observation: Option<&Observation>,
    seen: &Seen,
    cut: Option<&Cut>,
    runner: &Runner,
) -> Report {
    let run = this_run(asked, cut, runner);
    let account = account(
        &asked.spec,
        record,
        observation,
        seen,
        run.cut.as_deref(),
        run.took,
    );
    Report::of(&run, account)
}

/// The facts of a run; status and headline of a failure are the failure's.
fn outcome(asked: &Asked, report: &Report, written: Option<&Path>) -> Outcome {
    let mut outcome = Outcome::new(Status::Done, report.headline()).target(intent::subject(&asked.spec));
    for (name, value) in report.outputs() {
        outcome = outcome.fact(name, value);
    }
    if let Some(path) = written {
        outcome = outcome.fact("report", path.display().to_string());
    }
    if let Some(version) = &asked.version {
        outcome = outcome.fact("version", version.as_str());
    }
    outcome.environment = asked.results.environment.clone();
    outcome
}

/// Writes the outputs.
fn publish(outcome: &Outcome, runner: &Runner) {
    for output in INTERFACE.outputs {
        let Some(value) = outcome.facts.get(output.name) else {
            continue;
        };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        runner.output(output.name, &text);
    }
}

/// One annotation for each rule that failed or was not decided, beside the failure itself.
fn annotate(report: &Report, cut: Option<&Cut>, runner: &Runner) {
    let of_cut = match cut {
        None => false,
        Some(Cut::Cancelled(_)) => true,
        // What had failed before counts more, and the failure speaks of it.
        Some(Cut::OutOfTime(_)) => report.verdict == Verdict::Inconclusive,
    };
    for annotation in &report.annotations_beside(of_cut) {
        if annotation.title == INTERFACE.name {
            runner.warn(&annotation.message);
        } else {
            runner.warn(&format!("{}: {}", annotation.title, annotation.message));
        }
    }
}

/// The last answer of the target that ended a wait.
fn last_answer(record: &Record, seen: &Seen, runner: &Runner) {
    let ending = seen.waited.as_ref().filter(|ending| ending.end != End::Ready);
    let attempt = ending
        .and_then(|ending| record.ended_by(ending))
        .and_then(|target| target.latest.as_ref());
    if let Some(excerpt) = attempt
        .and_then(|attempt| attempt.look.excerpt.as_ref())
        .filter(|excerpt| !excerpt.is_empty())
    {
        runner.info("the last answer was:");
        runner.block(excerpt, 10);
    }
}
