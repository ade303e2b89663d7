//! `notify`: tells people how the deploy went. One step with `if: always()` at the end of a job reports all of it,
//! because every tool has left its verdict in the ledger.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Url;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use gha::edge::{environment, http};
use gha::interface::SecretSpec;
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

use api::Delivery;
use channel::Channel;
use channel::slack::Slack;
use channel::webhook::Webhook;
use cli::{Cli, INTERFACE, SLACK, WEBHOOK};
use error::Error;
use message::{Known, Message, compose};

/// The longest that opening a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// A channel and its address.
type Receiver = (Box<dyn Channel>, Url);

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
    let receivers = receivers(&cli, runner).await?;
    let message = compose(&known(&cli, runner)).ok_or(Error::NothingKnown)?;
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
    }
}

/// The receivers that are configured.
async fn receivers(cli: &Cli, runner: &Runner) -> Result<Vec<Receiver>, Failure> {
    let mut receivers: Vec<Receiver> = Vec::new();
    if let Some(url) = runner
        .secret(&SLACK, cli.slack_webhook_url_file.as_deref())
        .await?
    {
        receivers.push((
            Box::new(Slack),
            address(&SLACK, url.expose_secret(), cli.allow_http)?,
        ));
    }
    if let Some(url) = runner.secret(&WEBHOOK, cli.webhook_url_file.as_deref()).await? {
        let webhook = Webhook {
            id: format!("msg_{}", uuid::Uuid::from_bytes(environment::random()).simple()),
            timestamp: environment::now().as_second(),
            trace_id: runner.trace().to_string(),
            repository: runner.context().repository.clone(),
        };
        receivers.push((
            Box::new(webhook),
            address(&WEBHOOK, url.expose_secret(), cli.allow_http)?,
        ));
    }
    Ok(receivers)
}

/// A secret as an address. The error does not repeat it.
fn address(spec: &SecretSpec, secret: &str, allow_http: bool) -> Result<Url, Error> {
    let url = Url::parse(secret).map_err(|_| Error::Address(spec.name))?;
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_http || loopback => Ok(url),
        "http" => Err(Error::Plain(spec.name)),
        _ => Err(Error::Address(spec.name)),
    }
}

/// Prints what would be sent.
fn dry_run(message: &Message, receivers: &[Receiver], runner: &Runner) -> Outcome {
    for (channel, _) in receivers {
        runner.info(&format!("dry run: {} would get", channel.name()));
        let payload = serde_json::to_string_pretty(&channel.payload(message)).unwrap_or_default();
        runner.block(&payload, 200);
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
    let tls = http::speaks_tls(receivers.iter().map(|(_, url)| url), runner.env());
    // Well below a try's time: only a connect that failed is known not to have arrived.
    let connect = (cli.try_timeout / 2).min(CONNECT);
    let client = http::client(&INTERFACE, tls, connect).map_err(Error::from)?;
    let limits = (cli.timeout, cli.try_timeout);
    let all = receivers.iter().map(|(channel, url)| {
        let payload = channel.payload(message);
        let client = &client;
        async move { api::deliver(client, channel.as_ref(), url.clone(), &payload, limits, runner).await }
    });
    match runner.cancel().guard(join_all(all)).await {
        Ok(deliveries) => Ok(deliveries),
        Err(cancelled) => {
            let unknown = |(channel, _): &Receiver| Delivery {
                channel: channel.name(),
                delivered: false,
                tries: 0,
                reason: "cancelled while it was being sent; it may have arrived".to_owned(),
            };
            let deliveries: Vec<Delivery> = receivers.iter().map(unknown).collect();
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
        return Err(Failure::from(Error::NoReceiver(receiver_names(runner))).knowing(known));
    }
    if deliveries.is_empty() {
        let place = if cli.summary && runner.env().get("GITHUB_STEP_SUMMARY").is_some() {
            "only the job summary has the message"
        } else {
            "nobody was told"
        };
        runner.warn(&format!(
            "no receiver is configured, {place}; set {}",
            receiver_names(runner)
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

/// What would configure a receiver: an input in a workflow, a variable elsewhere.
fn receiver_names(runner: &Runner) -> String {
    match runner.env().in_runner() {
        true => format!("input `{}` or `{}`", SLACK.name, WEBHOOK.name),
        false => format!("`{}` or `{}`", SLACK.env, WEBHOOK.env),
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
        .fact("headline", message.headline.as_str())
        .fact("delivered", word)
        .fact("results", results(deliveries))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn an_address_has_tls_or_is_our_own() {
        for (secret, allow_http, good) in [
            ("https://hooks.slack.com/services/x", false, true),
            ("http://127.0.0.1:80/x", false, true),
            ("http://[::1]:80/x", false, true),
            ("http://example.com/x", false, false),
            ("http://example.com/x", true, true),
            ("file:///etc/passwd", true, false),
            ("hooks.slack.com/services/secret", false, false),
        ] {
            let address = address(&SLACK, secret, allow_http);
            assert_eq!(address.is_ok(), good, "{secret}");
            assert!(
                !address
                    .err()
                    .map(|error| error.to_string())
                    .unwrap_or_default()
                    .contains("secret")
            );
        }
    }

    #[test]
    fn every_flag_has_a_sample_that_works() {
        assert_eq!(gha::interface::faulty_sample(&INTERFACE, &Cli::command()), None);
    }
}
