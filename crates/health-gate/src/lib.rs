//! `health-gate`: waits until what was deployed is ready, and says why when it is not.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gate::finding::FaultKind;
use gate::probe::http::Http;
use gate::probe::{CONNECT_SHARE, Probe};
use gate::wait::{Limits, Step};
use gate::watch_over::{Ending, until_ready};
use gha::edge::http::{self, Url};
use gha::outcome::Outcome;
use gha::{Exit, Failure, Runner, Status, duration};

pub mod cli;
pub mod error;
pub mod plan;
pub mod story;

use cli::{Cli, Command, INTERFACE, Wait};
use error::Error;
use plan::{Plan, Target};
use story::Story;

/// Runs the tool.
///
/// # Errors
/// When the flags are wrong, the target is not ready in time, or the run is cancelled.
pub async fn run(cli: Cli, runner: &Runner) -> Result<Outcome, Failure> {
    let Command::Wait(flags) = cli.command;
    let plan = plan::plan(&flags)?;
    if flags.dry_run {
        return Ok(dry_run(&flags, &plan, runner));
    }
    wait(&flags, plan, runner).await
}

/// Says what would be looked at.
fn dry_run(flags: &Wait, plan: &Plan, runner: &Runner) -> Outcome {
    let headline = format!("dry run: would look at {} {}", plan.target.shown(), pace(plan));
    runner.info(&headline);
    runner.info(&format!("expecting {}", plan.target.expected()));
    let outcome = known(flags, plan, "inconclusive", &headline, 0, runner);
    Outcome {
        status: Status::Unchanged,
        dry_run: true,
        headline,
        ..outcome
    }
}

/// Waits for the target.
async fn wait(flags: &Wait, plan: Plan, runner: &Runner) -> Result<Outcome, Failure> {
    let probe = probe(&plan.target, &plan.limits, runner)?;
    if plan.limits.interval >= plan.limits.timeout {
        let (timeout, interval) = (
            duration::exact(plan.limits.timeout),
            duration::exact(plan.limits.interval),
        );
        runner.warn(&format!(
            "`--timeout` {timeout} leaves time for one try only; lower `--interval` ({interval}) for more"
        ));
    }
    runner.info(&format!("waiting for {} {}", plan.target.shown(), pace(&plan)));
    runner.info(&format!("expecting {}", plan.target.expected()));
    let story = RefCell::new(Story::default());
    let waited = until_ready(probe.as_ref(), &plan.limits, |attempt| {
        match story.borrow_mut().told(attempt) {
            Some(line) => runner.info(&line),
            None => runner.quiet_progress(&format!(
                "try {}: {}",
                attempt.number,
                attempt.look.finding.text()
            )),
        }
    });
    let ended = runner.cancel().guard(waited).await;
    let story = story.into_inner();
    let (verdict, reason) = match &ended {
        Ok(ending) => (verdict(ending), story.reason(ending)),
        Err(cancelled) => ("inconclusive", format!("{cancelled} after {}", story.tries())),
    };
    let outcome = known(flags, &plan, verdict, &reason, story.count(), runner);
    publish(&outcome, runner);
    runner.summary(&story.summary(verdict, &plan.target.shown(), &reason));
    match ended {
        Ok(ending) if ending.step == Step::Pass => {
            runner.info(&reason);
            Ok(Outcome {
                status: Status::Done,
                headline: format!("{} is {reason}", plan.target.shown()),
                ..outcome
            })
        }
        Ok(_) => {
            if let Some(excerpt) = story
                .latest()
                .and_then(|attempt| attempt.look.excerpt.as_ref())
                .filter(|text| !text.is_empty())
            {
                runner.info("the last answer was:");
                runner.block(excerpt, 10);
            }
            let advice = story.fault().map_or(FaultKind::Slow, |fault| fault.kind).advice();
            Err(
                Failure::new(Exit::Failed, format!("{} is {reason}", plan.target.shown()))
                    .help(advice)
                    .knowing(outcome),
            )
        }
        Err(cancelled) => Err(Failure::from(cancelled).knowing(outcome)),
    }
}

/// The probe for a target.
fn probe(target: &Target, limits: &Limits, runner: &Runner) -> Result<Box<dyn Probe>, Failure> {
    Ok(match target {
        Target::Tcp(tcp) => Box::new(tcp.clone()),
        Target::Http { url, expect, .. } => {
            mask_secrets(url, runner);
            let tls = http::speaks_tls([url], runner.env());
            let connect = limits.try_timeout.mul_f64(CONNECT_SHARE);
            let client = http::client(&INTERFACE, tls, connect).map_err(Error::from)?;
            let traceparent = runner.traceparent();
            let masker = runner.writer().masker().clone();
            Box::new(Http::new(
                client,
                url.clone(),
                &traceparent,
                (**expect).clone(),
                masker,
            ))
        }
    })
}

/// Hides what may be a secret in an address: user, password, their form in a header, and the values of the query. Short
/// ones would be hidden inside other words; they are printed nowhere by us.
fn mask_secrets(url: &Url, runner: &Runner) {
    let (user, password) = (url.username(), url.password().unwrap_or_default());
    let basic = STANDARD.encode(format!("{user}:{password}"));
    let basic = if user.is_empty() && password.is_empty() {
        ""
    } else {
        &basic
    };
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    let secrets = [user, password, basic]
        .map(str::to_owned)
        .into_iter()
        .chain(values);
    secrets
        .filter(|secret| secret.len() >= 8)
        .for_each(|secret| runner.mask(&secret));
}

/// How often and how long, for the log.
fn pace(plan: &Plan) -> String {
    let limits = &plan.limits;
    let row = match limits.success_threshold {
        1 => String::new(),
        n => format!(" until {n} good tries in a row"),
    };
    let show = duration::exact;
    format!(
        "every {}{row}, {} for a try, {} in all",
        show(limits.interval),
        show(limits.try_timeout),
        show(limits.timeout)
    )
}

/// The word for an ending.
fn verdict(ending: &Ending) -> &'static str {
    if ending.step == Step::Pass { "pass" } else { "fail" }
}

/// The facts of a run; status and headline are the caller's.
fn known(flags: &Wait, plan: &Plan, verdict: &str, reason: &str, attempts: u32, runner: &Runner) -> Outcome {
    let took = u64::try_from(runner.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut outcome = Outcome::new(Status::Inconclusive, reason)
        .fact("verdict", verdict)
        .fact("reason", reason)
        .fact("attempts", attempts)
        .fact("duration-ms", took)
        .target(plan.target.shown());
    if let Some(version) = &flags.expect_version {
        outcome = outcome.fact("version", version.as_str());
    }
    outcome.environment = flags.environment.clone();
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
