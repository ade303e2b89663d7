//! A tool from its first to its last line: inputs become flags, flags a run, the run an exit code; and every way
//! out leaves a reason, a result and a line in the ledger; but a panic leaves its reason alone.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Command, Parser};
use tokio::runtime::Runtime;

use crate::edge::runner::Runner;
use crate::edge::supervise::supervise;
use crate::edge::writer::Writer;
use crate::edge::{environment, process};
use crate::env::Env;
use crate::exit::Exit;
use crate::failure::{Failure, chain};
use crate::flags::{Common, LogFormat, Output};
use crate::inputs;
use crate::interface::{self, Interface};
use crate::ledger::{self, Run};
use crate::log_line::Weight;
use crate::mask::Masker;
use crate::outcome::{Outcome, Status};
use crate::reproduce;
use crate::trace::TraceId;
use crate::unparsed::{Line, Unparsed};

/// Runs a tool and gives its exit code. `run` gets the parsed flags and the runner.
pub fn start<A>(
    interface: &Interface,
    run: impl AsyncFnOnce(A, &Runner) -> Result<Outcome, Failure> + Send + 'static,
) -> ExitCode
where
    A: Parser + Send + 'static,
{
    start_or(interface, |_, _| (), run)
}

/// Runs a tool as [`start`] does. `untaken` gets a command line that could not be parsed, and the environment: for what
/// must not outlive a run that never begins.
pub fn start_or<A>(
    interface: &Interface,
    untaken: fn(&[String], &Env),
    run: impl AsyncFnOnce(A, &Runner) -> Result<Outcome, Failure> + Send + 'static,
) -> ExitCode
where
    A: Parser + Send + 'static,
{
    let env = environment::of_process();
    end_as_a_bug_on_panic(interface, &env);
    let trace = TraceId::of(&env, environment::random());
    let command = A::command()
        .name(interface.name)
        .version(interface.version)
        .max_term_width(110)
        .after_help(environment_help(interface));
    let writer = |common| Writer::of_process(interface.name, trace, &env, common, Masker::default());
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let given: Vec<String> = words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    if given == ["--describe"] {
        writer(Common::default()).product(&interface::describe(interface, &command).to_string());
        return ExitCode::SUCCESS;
    }
    let all_text = words.iter().all(|word| word.to_str().is_some());
    let parsed = match parse::<A>(interface, command, &given, &env, all_text) {
        Ok(parsed) => parsed,
        Err(Unparsed::Shown(text)) => {
            writer(Common::default()).product(&text);
            return ExitCode::SUCCESS;
        }
        Err(Unparsed::Wrong(failure)) => {
            untaken(&given, &env);
            let common = Common {
                output: wanted_output(&given),
                ..Common::default()
            };
            let runner = Runner::new(*interface, env.clone(), trace, writer(common), environment::now());
            return finish(&runner, common, &given, Err(failure)).into();
        }
    };
    let Parsed { args, common, line } = parsed;
    let runner = Arc::new(Runner::new(
        *interface,
        env.clone(),
        trace,
        writer(common),
        environment::now(),
    ));
    let (done, ended) = tokio::sync::oneshot::channel();
    let (of_tool, line_of_tool) = (Arc::clone(&runner), line.clone());
    std::thread::spawn(move || {
        for warning in &of_tool.context().warnings {
            of_tool.warn(warning);
        }
        let result = run_time().and_then(|run_time| {
            let result = run_time.block_on(run(args, &of_tool));
            // A thread that still waits for standard input must not hold up the end.
            run_time.shutdown_background();
            result
        });
        // Nobody waits any more where a second signal came.
        let _ = done.send(finish(&of_tool, common, &line_of_tool, result));
    });
    let left = match run_time().and_then(|run_time| run_time.block_on(supervise(&runner, ended))) {
        Ok(ended) => return ended.unwrap_or(Exit::Bug).into(),
        Err(failure) => failure,
    };
    // The tool did not stop. If it is stuck in a write, the end may be too, so nobody waits for it long.
    let exit = left.exit;
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        process::end_all();
        done.send(finish(&runner, common, &line, Err(left)))
    });
    let _ = ended.recv_timeout(LAST_WORDS);
    exit.into()
}

/// How long the last words of a run may take that is left because it did not stop.
const LAST_WORDS: Duration = Duration::from_millis(400);

/// A run time for one thread.
fn run_time() -> Result<Runtime, Failure> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Failure::new(Exit::Bug, format!("failed to start the run time: {error}")))
}

/// The flags, and the command line that they came from.
struct Parsed<A> {
    args: A,
    common: Common,
    line: Vec<String>,
}

/// Inputs and flags together, parsed by clap.
fn parse<A: Parser>(
    interface: &Interface,
    command: Command,
    given: &[String],
    env: &Env,
    all_text: bool,
) -> Result<Parsed<A>, Unparsed> {
    if !all_text {
        let reason = "a word of the command line is not UTF-8 text";
        return Err(Unparsed::Wrong(
            Failure::new(Exit::Usage, reason).help("write it in UTF-8"),
        ));
    }
    let line = inputs::arguments(interface, &command, given, env)
        .map_err(|error| Unparsed::Wrong(Failure::new(Exit::Usage, error)))?;
    let words = std::iter::once(interface.name.to_owned()).chain(line.iter().cloned());
    let unparsed = |error: clap::Error| {
        let line = Line {
            interface,
            command: &command,
            words: &line,
        };
        Unparsed::new(&line, &error)
    };
    let matches = command.clone().try_get_matches_from(words).map_err(unparsed)?;
    let common = common(&matches);
    let args = A::from_arg_matches(&matches).map_err(unparsed)?;
    Ok(Parsed { args, common, line })
}

/// The common flags, wherever on the command line they stood.
fn common(matches: &ArgMatches) -> Common {
    let output = matches
        .try_get_one::<Output>("output")
        .ok()
        .flatten()
        .copied()
        .unwrap_or_default();
    let log_format = matches
        .try_get_one::<LogFormat>("log_format")
        .ok()
        .flatten()
        .copied()
        .unwrap_or_default();
    Common { output, log_format }
}

/// What `--output` was meant to be, on a command line that could not be parsed.
fn wanted_output(given: &[String]) -> Output {
    let json = given.windows(2).any(|pair| pair == ["--output", "json"])
        || given.iter().any(|word| word == "--output=json");
    if json { Output::Json } else { Output::Text }
}

/// The end of a run: reason, result, ledger, exit code.
fn finish(runner: &Runner, common: Common, line: &[String], result: Result<Outcome, Failure>) -> Exit {
    runner.end_live();
    let result = result.map_err(|failure| timed(failure, runner));
    let (exit, outcome) = match &result {
        Ok(outcome) => (Exit::Done, outcome),
        Err(failure) => (failure.exit, failure.outcome.as_ref()),
    };
    let interface = runner.interface();
    let run = Run {
        tool: interface.name,
        version: interface.version,
        exit: exit.code(),
        started_at: runner.started_at(),
        duration: runner.elapsed(),
        trace_id: runner.trace().to_string(),
    };
    let object = |outcome: &Outcome, exit: Exit| {
        let entry = ledger::entry(
            &Run {
                exit: exit.code(),
                ..run.clone()
            },
            outcome,
        );
        let entry = serde_json::to_value(entry).unwrap_or_default();
        runner.writer().masker().hide_json(entry).to_string()
    };
    if let Err(failure) = &result {
        report(runner, line, failure);
    }
    let mut exit = exit;
    let mut text = object(outcome, exit);
    // Also where the inputs could not even become flags.
    let meant = matches!(
        runner.env().get("INPUT_DRY_RUN").map(str::trim),
        Some("true" | "True" | "TRUE")
    );
    let dry_run = outcome.dry_run || meant || line.iter().any(|word| word == "--dry-run");
    if !dry_run {
        runner.output("result", &text);
    }
    if common.output == Output::Json {
        runner.writer().object(&text);
    }
    let product = runner.writer().product_error();
    let product =
        product.map(|error| Failure::new(Exit::Usage, format!("failed to write standard output: {error}")));
    // A run that failed has said why; that something could not be written either is no second reason.
    if let Some(failure) = runner.output_failure().or(product).filter(|_| result.is_ok()) {
        report(runner, line, &failure);
        exit = failure.exit;
        text = object(&failure.outcome, exit);
    }
    if !dry_run {
        runner.append_ledger(&text);
    }
    exit
}

/// A failure after which what served before serves again, with how long that took. A run that was told to stop did not wait for it.
fn timed(mut failure: Failure, runner: &Runner) -> Failure {
    let is_back = failure.outcome.status == Status::RolledBack && runner.cancel().signal().is_none();
    if let Some(took) = runner.way_back().filter(|_| is_back) {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        failure
            .outcome
            .facts
            .insert(ledger::WAY_BACK.to_owned(), took.into());
    }
    failure
}

/// What the person whose deploy just failed needs to see: the reason with its causes, what to do, the command line
/// that gives the same again, and the one that undoes it. Wrong input is one line: there is nothing to repeat.
fn report(runner: &Runner, line: &[String], failure: &Failure) {
    let reason = chain(failure.error.as_ref());
    let mut writer = runner.writer();
    if failure.exit == Exit::Usage {
        let help = failure
            .help
            .as_ref()
            .map(|help| format!("; {help}"))
            .unwrap_or_default();
        return writer.event(Weight::Error, &format!("{reason}{help}"));
    }
    match &failure.help {
        Some(help) if runner.env().in_runner() => {
            writer.event(Weight::Error, &format!("{reason}\nhelp: {help}"));
        }
        Some(help) => {
            writer.event(Weight::Error, &reason);
            writer.plain(&format!("help: {help}"));
        }
        None => writer.event(Weight::Error, &reason),
    }
    let again = reproduce::line(runner.interface().name, line, &runner.secrets_used());
    writer.plain(&format!("reproduce: {again}"));
    if let Some(undo) = &failure.outcome.undo {
        writer.plain(&format!("undo: {undo}"));
    }
}

/// A panic is a bug: one line that says so, and exit code 1 instead of an abort.
#[expect(clippy::exit, reason = "a panicking program returns from nowhere")]
#[expect(
    clippy::disallowed_methods,
    reason = "a panicking program returns from nowhere"
)]
fn end_as_a_bug_on_panic(interface: &Interface, env: &Env) {
    let (interface, env) = (*interface, env.clone());
    std::panic::set_hook(Box::new(move |panic| {
        let trace = TraceId::of(&env, environment::random());
        let mut writer =
            Writer::of_process(interface.name, trace, &env, Common::default(), Masker::default());
        let place = panic
            .location()
            .map(|place| format!(" at {place}"))
            .unwrap_or_default();
        let said = panic.payload_as_str().unwrap_or("no message");
        writer.event(
            Weight::Error,
            &format!("a bug of {} {}{place}: {said}", interface.name, interface.version),
        );
        std::process::exit(i32::from(Exit::Bug.code()));
    }));
}

/// The part of the help text that no flag has a place for.
fn environment_help(interface: &Interface) -> String {
    let secrets = interface
        .secrets
        .iter()
        .map(|secret| (secret.env, secret.description));
    let shared = [
        (
            "DEPLOY_LEDGER",
            "file to append the result to [default: under RUNNER_TEMP]",
        ),
        (
            "TRACEPARENT",
            "W3C trace context to join [default: made from run and attempt]",
        ),
        ("NO_COLOR", "no colour on a terminal"),
    ];
    let inputs = (
        "INPUT_<FLAG>",
        "the flag's value, `-` written as `_`; a flag on the command line wins",
    );
    let rows: Vec<(&str, &str)> = [inputs]
        .into_iter()
        .chain(secrets)
        .chain(interface.environment.iter().copied())
        .chain(shared)
        .collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let rows: String = rows
        .iter()
        .map(|(name, meaning)| format!("  {name:<width$}  {meaning}\n"))
        .collect();
    format!(
        "Environment:\n{rows}\nExit codes: 0 done, 1 a bug, 2 wrong input, 3 failed, 4 inconclusive, 5 a person must act, \
         6 locked,\n7 credentials or permission, 130 and 143 cancelled."
    )
}
