//! `notify`: tells people how the deploy went. One step with `if: always()` at the end of a job reports all of it,
//! because every tool has left its verdict in the ledger.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use gha::edge::{environment, http};
use gha::ledger;
use gha::outcome::Outcome;
use gha::{Failure, Runner, Status};

pub mod api;
pub mod channel;
pub mod cli;
pub mod delivery;
pub mod error;
pub mod message;
pub mod phase;
mod receivers;
pub mod severity;

use api::Delivery;
use channel::{Call, Channel};
use cli::{Cli, INTERFACE};
use error::Error;
use message::{Known, Message, compose};

/// The longest that opening a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Somebody who is told.
type Receiver = Box<dyn Channel>;

/// Runs the tool.
///
/// # Errors
/// When the flags are wrong, or a required message does not arrive.
pub async fn run(cli: Cli, runner: &Runner) -> Result<Outcome, Failure> {
    for (name, value) in [("timeout", cli.timeout), ("try-timeout", cli.try_timeout)] {
        if value.is_zero() {
            return Err(Error::Zero(name).into());
        }
    }
    let known = known(&cli, runner);
    let message = compose(&known);
    let receivers = receivers::configured(&cli, message.as_ref(), runner).await?;
    let message = message.ok_or(Error::NothingKnown)?;
    if cli.dry_run {
        return Ok(dry_run(&message, &receivers, runner));
    }
    runner.output("phase", message.phase.word());
    runner.output("headline", &message.headline);
    let deliveries = send(&cli, &message, receivers, runner).await?;
    let lines: Vec<String> = deliveries.iter().map(line).collect();
    if cli.summary {
        runner.summary(&channel::summary::render(&message, &lines));
    }
    conclude(&cli, &message, &deliveries, runner)
}

/// What is known about the run.
fn known<'a>(cli: &'a Cli, runner: &'a Runner) -> Known<'a> {
    let mut entries = Vec::new();
    for result in &cli.results {
        let (read, warnings) = ledger::read(result);
        entries.extend(read);
        for warning in warnings {
            runner.warn(&format!("input `results`: {warning}"));
        }
    }
    entries.extend(runner.ledger());
    Known {
        status: cli.status,
        entries,
        context: runner.context(),
        now: environment::now(),
        service: cli.service.as_deref(),
        environment: cli.environment.as_deref(),
        release: cli.release.as_deref(),
        text: cli.text.as_deref(),
        severity: cli.severity,
    }
}

/// Prints what would be sent.
fn dry_run(message: &Message, receivers: &[Receiver], runner: &Runner) -> Outcome {
    for channel in receivers {
        let calls = channel.calls(message);
        if calls.is_empty() {
            runner.info(&format!("dry run: {} would get nothing", channel.name()));
        }
        for call in calls {
            runner.info(&format!("dry run: {} would get", channel.name()));
            let payload = serde_json::to_string_pretty(&channel.shown(&call)).unwrap_or_default();
            runner.block(&payload, 200);
        }
    }
    if receivers.is_empty() {
        runner.info(&format!(
            "dry run: no receiver is configured; the message is `{}`",
            message.headline
        ));
    }
    let headline = format!("dry run: {}", message.headline);
    Outcome {
        headline,
        dry_run: true,
        ..outcome(message, "none", &[], Status::Unchanged)
    }
}

/// Sends to all receivers side by side.
async fn send(
    cli: &Cli,
    message: &Message,
    receivers: Vec<Receiver>,
    runner: &Runner,
) -> Result<Vec<Delivery>, Failure> {
    if receivers.is_empty() {
        return Ok(Vec::new());
    }
    let told: Vec<(&Receiver, Vec<Call>)> = receivers
        .iter()
        .map(|channel| (channel, channel.calls(message)))
        .filter(|(_, calls)| !calls.is_empty())
        .collect();
    let urls = told.iter().flat_map(|(_, calls)| calls).map(|call| &call.url);
    let tls = http::speaks_tls(urls, runner.env());
    // Well below a try's time: only a connect that failed is known not to have arrived.
    let connect = (cli.try_timeout / 2).min(CONNECT);
    let client = http::client(&INTERFACE, tls, connect).map_err(Error::from)?;
    let limits = (cli.timeout, cli.try_timeout);
    let all = told
        .iter()
        .map(|(channel, calls)| api::deliver(&client, channel.as_ref(), calls, limits, runner));
    match runner.cancel().guard(join_all(all)).await {
        Ok(deliveries) => Ok(deliveries),
        Err(cancelled) => {
            let unknown = |(channel, _): &(&Receiver, Vec<Call>)| Delivery {
                channel: channel.name(),
                delivered: false,
                tries: 0,
                reason: "cancelled while it was being sent; it may have arrived".to_owned(),
            };
            let deliveries: Vec<Delivery> = told.iter().map(unknown).collect();
            publish("false", &deliveries, runner);
            if cli.summary {
                let lines: Vec<String> = deliveries.iter().map(line).collect();
                runner.summary(&channel::summary::render(message, &lines));
            }
            Err(Failure::from(cancelled).knowing(outcome(message, "false", &deliveries, Status::Cancelled)))
        }
    }
}

/// The end: what arrived where. What did not is a warning, or a failure where it is required; never silence.
fn conclude(
    cli: &Cli,
    message: &Message,
    deliveries: &[Delivery],
    runner: &Runner,
) -> Result<Outcome, Failure> {
    let arrived = deliveries.iter().filter(|delivery| delivery.delivered).count();
    let word = match (arrived, deliveries.len()) {
        (_, 0) => "none",
        (arrived, all) if arrived == all => "true",
        (0, _) => "false",
        _ => "partial",
    };
    publish(word, deliveries, runner);
    runner.info(&message.headline);
    deliveries
        .iter()
        .filter(|delivery| delivery.delivered)
        .for_each(|delivery| runner.info(&line(delivery)));
    let missed: Vec<String> = deliveries
        .iter()
        .filter(|delivery| !delivery.delivered)
        .map(line)
        .collect();
    let known = outcome(message, word, deliveries, Status::Done);
    if deliveries.is_empty() && cli.require {
        return Err(Failure::from(Error::NoReceiver(receivers::names(runner))).knowing(known));
    }
    if deliveries.is_empty() {
        let place = if cli.summary && runner.env().get("GITHUB_STEP_SUMMARY").is_some() {
            "only the job summary has the message"
        } else {
            "nobody was told"
        };
        runner.warn(&format!(
            "no receiver is configured, {place}; set {}",
            receivers::names(runner)
        ));
    }
    match missed.as_slice() {
        [] => Ok(known),
        missed if cli.require => Err(Failure::from(Error::Undelivered(missed.join("; "))).knowing(known)),
        missed => {
            runner.warn(&format!("the message was not delivered: {}", missed.join("; ")));
            Ok(Outcome {
                status: Status::Failed,
                ..known
            })
        }
    }
}

/// A delivery as a line.
fn line(delivery: &Delivery) -> String {
    let tries = if delivery.tries > 1 {
        format!(" after {} tries", delivery.tries)
    } else {
        String::new()
    };
    if delivery.delivered {
        format!("{}: delivered{tries}", delivery.channel)
    } else {
        format!("{}: {}", delivery.channel, delivery.reason)
    }
}

/// The deliveries as JSON.
fn results(deliveries: &[Delivery]) -> Value {
    let one = |delivery: &Delivery| json!({"channel": delivery.channel, "delivered": delivery.delivered, "tries": delivery.tries, "reason": delivery.reason});
    deliveries.iter().map(one).collect()
}

/// Writes the outputs.
fn publish(word: &str, deliveries: &[Delivery], runner: &Runner) {
    runner.output("delivered", word);
    runner.output("results", &results(deliveries).to_string());
}

/// The outcome of this run.
fn outcome(message: &Message, word: &str, deliveries: &[Delivery], status: Status) -> Outcome {
    Outcome::new(status, format!("told: {}", message.headline))
        .fact("phase", message.phase.word())
        .fact("severity", message.severity.word())
        .fact("headline", message.headline.as_str())
        .fact("delivered", word)
        .fact("results", results(deliveries))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_flag_has_a_sample_that_works() {
        assert_eq!(gha::interface::faulty_sample(&INTERFACE, &Cli::command()), None);
    }
}
